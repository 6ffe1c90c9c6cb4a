"""Spelling: a word that no dictionary knows is named with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from courses.authoring import spelling
from courses.authoring.__main__ import CONTENT, ITEMS, main
from courses.authoring.findings import Findings

ENGLISH = frozenset(["the", "clerk", "reads", "each", "time", "bill", "of", "her", "café", "don't"])


def strange(text: str) -> list[tuple[int, str]]:
    return list(spelling.strange_words(text, ENGLISH.__contains__))


def test_an_unknown_word_is_found_with_its_line() -> None:
    assert strange("The clerk reads\nthe bill each timeed.") == [(2, "timeed")]


def test_capitals_a_possessive_and_either_apostrophe_are_no_errors() -> None:
    assert strange("CLERK's café: don’t, don't, The clerk’s bill") == []


def test_code_addresses_tags_and_holes_are_no_prose() -> None:
    text = "the `KeyErorr` <b>bill</b> https://exmaple.org/qz {blil} of_hre a/pthh x@yz.zz"
    assert strange(text) == []


def test_our_own_list_is_in_order_and_holds_no_word_twice() -> None:
    lines = spelling.OWN_WORDS.read_text(encoding="utf-8").splitlines()
    words = [line for line in lines if not line.startswith("#")]
    assert words == sorted(set(words))
    assert all(word == word.lower() and len(word) >= 3 for word in words)


def test_references_are_passed_over(tmp_path: Path) -> None:
    for place in ("refs", "lessons"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "a.md").write_text("the")
    assert [path.parent.name for path in spelling.texts(tmp_path)] == ["lessons"]


def test_without_a_dictionary_the_check_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(spelling, "dictionary", lambda: None)
    assert main(["spelling"]) == 0
    assert "was not checked" in capsys.readouterr().out


def test_an_error_is_told_with_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("spellchecker")
    (tmp_path / "lesson.md").write_text("The clerk reads\nthe bill each timeed.\n")
    assert main(["spelling", str(tmp_path)]) == 1
    assert "lesson.md:2: “timeed” is in no dictionary." in capsys.readouterr().out


def test_the_content_and_the_items_are_spelled_rightly() -> None:
    pytest.importorskip("spellchecker")
    findings = Findings()
    assert spelling.check_spelling([CONTENT, ITEMS], findings)
    assert [str(row) for row in findings.errors] == []


def test_every_word_of_our_own_list_is_still_used() -> None:
    left = set(spelling.own_words())
    for folder in (CONTENT, ITEMS):
        for path in spelling.texts(folder):
            text = path.read_text(encoding="utf-8")
            left -= {
                word.replace("’", "'").lower().removesuffix("'s")
                for _line, word in spelling.strange_words(text, lambda _word: False)
            }
    assert sorted(left) == []

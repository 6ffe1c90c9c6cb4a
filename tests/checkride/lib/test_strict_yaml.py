"""YAML as authors may write it: plain values, and a sentence with a line for everything else."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkride.lib import strict_yaml
from checkride.lib.strict_yaml import BadYaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: no", {"a": "no"}),
        ("on: yes", {"on": "yes"}),
        ("a: true", {"a": True}),
        ("a: 12:30:00", {"a": "12:30:00"}),
        ("a: 2026-11-20", {"a": "2026-11-20"}),
        ("a: 007", {"a": "007"}),
        ("a: 1.50", {"a": 1.5}),
        ("1: x", {"1": "x"}),
        ("a:", {"a": None}),
        ("", None),
    ],
)
def test_values_are_what_the_author_typed(text: str, value: object) -> None:
    assert strict_yaml.load(text) == value


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: &x 1\nb: *x", 2, "write the value out"),
        ("a: 1\nb: 2\na: 3", 3, "appears twice"),
        ("a: !!python/object:os.system x", 1, "not allowed"),
        ("[" * 5000, 1, "deeper than 40 levels"),
        ("{" * 60 + "}" * 60, 1, "deeper than 40 levels"),
        ("a:\n  - b\n - c", 3, "not valid YAML"),
        ("a: \x00", 1, "characters that YAML does not allow"),
        ("? [a, b]\n: c", 1, "a key must be a word"),
    ],
)
def test_what_is_not_plain_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(BadYaml) as refusal:
        strict_yaml.load(text)

    assert refusal.value.line == line
    assert words in refusal.value.message


def test_a_file_that_would_grow_a_billionfold_is_refused() -> None:
    laughs = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [*{before},*{before},*{before},*{before}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )

    with pytest.raises(BadYaml):
        strict_yaml.load(laughs)


def test_a_file_that_is_too_long_is_refused() -> None:
    with pytest.raises(BadYaml, match="longer than"):
        strict_yaml.load("a" * (strict_yaml.MAX_CHARACTERS + 1))


@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!|>'\"#%@`,? \n\t0129.~"), max_size=80))
def test_any_text_is_read_or_refused_and_never_crashes(text: str) -> None:
    with suppress(BadYaml):
        strict_yaml.load(text)

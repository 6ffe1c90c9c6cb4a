"""Lessons, exercises and words are found, also when they are mistyped."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from courses import catalog, search

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _index(loaded: Path) -> None:
    """The small curriculum is loaded and indexed."""
    search.rebuild(catalog.curriculum())


def found(text: str) -> list[str]:
    return [row.title for row in search.search(text).rows]


def test_a_lesson_an_exercise_and_a_word_are_found() -> None:
    assert "First lesson" in found("clerk reads the log")
    exercise = catalog.exercise("refund-triage")
    assert exercise is not None
    assert exercise.title in found("refund customer order")
    assert found("program that acts")[0] == "agent"


def test_word_forms_are_found() -> None:
    assert "First lesson" in found("clerks reading logs")


def test_the_beginning_of_a_word_finds_it() -> None:
    assert found("refun") != []


@pytest.mark.parametrize("typed", ["rfeund", "custmoer", "clreks"])
def test_a_mistyped_word_finds_its_neighbour_and_says_so(typed: str, client: Client) -> None:
    results = search.search(typed)
    (correction,) = results.corrections
    assert correction.typed == typed
    assert correction.used != ""
    page = client.get("/search/", {"q": typed}).content.decode()
    assert f"No page holds “{typed}”" in page


def test_a_word_without_neighbours_is_said_to_be_nowhere(client: Client) -> None:
    page = client.get("/search/", {"q": "xylophonquartett"}).content.decode()
    assert "nor a word near to it" in page
    assert "0 pages found" in page


def test_when_no_page_holds_all_words_some_are_enough() -> None:
    results = search.search("refund pharaoh clerk xylophonquartett")
    assert results.rows
    assert [row.used for row in results.corrections if row.typed == "xylophonquartett"] == [""]


@pytest.mark.parametrize(
    "text",
    ["", "   ", "the", "'", "\\", "a'b:*&|!()<->", "&&&", "\x00\x02", "é" * 500, "%_%", ":* | '"],
)
def test_nothing_a_person_types_breaks_the_search(text: str, client: Client) -> None:
    assert client.get("/search/", {"q": text}).status_code == 200


def test_what_was_typed_and_found_is_shown_as_text(client: Client) -> None:
    page = client.get("/search/", {"q": "<script>alert(1)</script> clerk"}).content.decode()
    assert "<script>alert" not in page
    assert "<mark>" in page


def test_making_the_index_twice_changes_nothing() -> None:
    before = found("clerk")
    search.rebuild(catalog.curriculum())
    assert found("clerk") == before


@pytest.mark.parametrize(
    ("one", "other", "steps"),
    [("", "", 0), ("rollback", "rollback", 0), ("rolback", "rollback", 1), ("agnet", "agent", 1),
     ("token", "tokens", 1), ("kitten", "sitting", 3), ("ca", "abc", 3)],
)  # fmt: skip
def test_distance_counts_slips(one: str, other: str, steps: int) -> None:
    assert search.distance(one, other) == search.distance(other, one) == steps


def test_trigrams_are_those_of_pg_trgm() -> None:
    # From PostgreSQL's manual: the trigrams of “cat” are “  c”, “ ca”, “cat” and “at ”.
    assert search.trigrams("cat") == ["  c", " ca", "at ", "cat"]

"""Flaws of items: each of these has been made, and each is told in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from courses.authoring.item_flaws import item_words, lint_bank, lint_item, near_duplicates

Json = Any


def item(**changes: Json) -> dict[str, Json]:
    whole = {
        "id": "x-01",
        "kind": "single",
        "stem": "The clerk has two bills with one number. What does she do first?",
        "seconds": 60,
        "source": "A standard.",
        "options": [
            {"id": "a", "text": "She pays the older one", "key": True},
            {"id": "b", "text": "She pays the younger one"},
            {"id": "c", "text": "She pays neither of them"},
            {"id": "d", "text": "She asks which one is right"},
        ],
    }
    return {**whole, **changes}


def test_a_sound_item_has_no_flaw() -> None:
    assert lint_item(item()) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"stem": "Which of these is not allowed?"}, "its question is negative"),
        ({"stem": " ".join(["word"] * 40) + "."}, "a sentence of its stem has 40 words"),
        ({"seconds": 5}, "more than anybody reads"),
        ({"source": ""}, "neither a source nor its reasoning"),
        ({"stem": "The clerk looks for an"}, "its stem ends with “an”"),
    ],
)
def test_a_flaw_of_the_stem_is_told(changes: dict[str, Json], told: str) -> None:
    assert any(told in sentence for sentence in lint_item(item(**changes)))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("All of the above", "refers to the others"),
        ("She never pays such a bill", "an absolute word"),
        ("She pays the older one", "two options say the same"),
    ],
)
def test_a_flaw_of_an_option_is_told(text: str, told: str) -> None:
    options = [*item()["options"][:3], {"id": "d", "text": text}]
    assert any(told in sentence for sentence in lint_item(item(options=options)))


def test_a_task_rests_on_its_exercise_and_is_like_no_other() -> None:
    task = item(kind="prompt", source="", options=[], exercise="parcel-lockers")
    assert lint_item(task) == []
    assert item_words(task) == ""


def test_keys_that_stand_at_one_place_are_told() -> None:
    assert any("place 1 of four" in sentence for sentence in lint_bank([item()] * 20))
    assert lint_bank([item()] * 19) == []


def test_two_texts_that_share_their_words_are_found() -> None:
    text = "the agent of a small bakery orders too much flour every second week of the year"
    found = near_duplicates([("one", text), ("two", text), ("three", "quite another text")])
    assert [(row.one, row.other, row.share) for row in found] == [("one", "two", 1.0)]

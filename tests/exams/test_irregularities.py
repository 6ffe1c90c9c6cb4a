"""What is shown to a person because chance explains it badly, and what is not."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from scipy import stats

from checkride.jobs import queue
from exams import delivery, preparation
from exams.models import Attempt
from exams.psychometrics import irregularities
from exams.psychometrics.irregularities import Sitting, alike_pairs, fast_sittings

ITEMS = [f"i{number:02}" for number in range(24)]
OPTIONS = ("a", "b", "c")


def independent(number: int, chance: random.Random) -> Sitting:
    """Somebody of middling ability who makes the usual mistakes, some more often than others."""
    wrong = {
        item: chance.choices(OPTIONS, weights=(5, 3, 2))[0]
        for item in ITEMS
        if chance.random() < 0.4
    }
    right = frozenset(ITEMS) - wrong.keys()
    return Sitting(f"s{number}", wrong, right, dict.fromkeys(ITEMS, 30.0))


@pytest.fixture
def hall() -> list[Sitting]:
    chance = random.Random(7)
    return [independent(number, chance) for number in range(200)]


def test_of_two_hundred_independent_sittings_no_pair_is_named(hall: list[Sitting]) -> None:
    assert alike_pairs(hall) == []


def test_a_planted_copy_is_named_and_nobody_else(hall: list[Sitting]) -> None:
    original = max(hall, key=lambda sitting: len(sitting.wrong))
    copy = replace(original, attempt="copy")

    (pair,) = alike_pairs([*hall, copy])

    assert {pair.one, pair.other} == {original.attempt, "copy"}
    assert pair.same == pair.shared == len(original.wrong)


def test_two_people_with_few_mistakes_are_never_named_however_alike() -> None:
    four = dict.fromkeys(ITEMS[:4], "c")
    rest = frozenset(ITEMS[4:])

    assert alike_pairs([Sitting("one", four, rest, {}), Sitting("two", four, rest, {})]) == []


@pytest.mark.parametrize(("least", "of", "chance"), [(0, 5, 0.3), (3, 8, 0.25), (8, 8, 0.9)])
def test_the_tail_is_that_of_a_binomial_when_all_items_agree_alike(
    least: int, of: int, chance: float
) -> None:
    expected = stats.binom.sf(least - 1, of, chance)

    assert irregularities._at_least(least, [chance] * of) == pytest.approx(expected)


def test_right_answers_faster_than_reading_are_named_and_wrong_ones_are_not(
    hall: list[Sitting],
) -> None:
    known = Sitting("known", {ITEMS[3]: "a"}, frozenset(ITEMS[:3]), dict.fromkeys(ITEMS[:4], 2.0))
    characters = dict.fromkeys(ITEMS, 300)

    (fast,) = fast_sittings([*hall, known], characters=characters)

    assert fast.attempt == "known"
    assert [item for item, _ in fast.items] == ITEMS[:3]


# On the page ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_examiner_is_shown_a_copied_attempt_and_the_attempt_stays_as_it_was(
    client: Client,
    examiner: Any,
    ready_attempt: Attempt,
    other_learner: Any,
    save: Callable[..., Any],
    right_answer: Callable[[Any], dict[str, Any]],
) -> None:
    """The other one got the same form, and gave the same wrong answers at once."""
    twin = preparation.prepare(other_learner, "foundations")
    twin.items.all().delete()
    for place in ready_attempt.items.all():
        place.pk, place.attempt = None, twin
        place.save()
    finished = []
    for attempt in (ready_attempt, twin):
        delivery.start(attempt)
        for place in attempt.items.select_related("item_version"):
            save(attempt, place.position, a_wrong_answer(place, right_answer(place)))
        delivery.hand_in(attempt.pk, arrival=delivery.Arrival(lambda: 0.0))
        queue.run_pending()
        attempt.refresh_from_db()
        finished.append(attempt)
    client.force_login(examiner)

    page = client.get("/exams/examiner/irregularities/foundations/").content.decode()

    for attempt in finished:
        assert attempt.form_code in page
        attempt.refresh_from_db()
        assert attempt.state == "released"
    assert "never a verdict" in page
    assert "lena_learner" not in page


def a_wrong_answer(place: Any, right: dict[str, Any]) -> dict[str, Any]:
    """The same one whoever gives it: the first of the ways to be wrong."""
    signs = [choice.id for choice in place.face.choices]
    match place.face.kind:
        case "single":
            return {"choice": next(sign for sign in signs if sign != right["choice"])}
        case "multiple":
            return {"choices": [sign for sign in signs if sign not in right["choices"]][:2]}
        case "ordering":
            last = len(signs) + 1
            return {"positions": {s: last - place for s, place in right["positions"].items()}}
        case "matching":
            left, other = zip(*right["pairs"].items(), strict=True)
            return {"pairs": dict(zip(left, reversed(other), strict=True))}
        case "hotspot":
            return {"lines": [next(int(s) for s in signs if int(s) not in right["lines"])]}
        case "numeric":
            return {"number": "1234"}
        case _:
            return {"text": "no idea"}

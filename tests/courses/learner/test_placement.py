"""Sixteen questions say where to begin, and why."""

from __future__ import annotations

import random

import pytest
from django.test import Client

from checkride.accounts.models import User
from courses import catalog, placement, study
from courses.authoring.forms import PlacementItem
from courses.models import PlacementResult

pytestmark = pytest.mark.django_db

# The real questions: what they advise is the thing under test.
PART = {"F": "foundations", "P": "prompting", "S": "systems-thinking", "G": "governance"}


def key(item: PlacementItem) -> int:
    return next(i for i, option in enumerate(item.options) if option.key)


def answers(**right: int) -> dict[str, int]:
    """So many right answers in each part, the rest not known."""
    given = {}
    for letter, count in right.items():
        items = [row for row in placement.items() if row.course == PART[letter]]
        given |= {row.id: key(row) for row in items[:count]}
    return given


def start(given: dict[str, int]) -> str:
    verdict = placement.judge(placement.items(), given)
    return verdict.start.course.id if verdict.start else ""


def test_there_are_sixteen_questions_four_a_course() -> None:
    assert len(placement.items()) == 16
    assert [row.course for row in placement.items()] == [
        course for course in PART.values() for _ in range(4)
    ]


@pytest.mark.parametrize(
    ("right", "begins"),
    [
        ({}, "foundations"),
        ({"F": 2, "P": 4, "S": 4, "G": 4}, "foundations"),
        ({"F": 3}, "prompting"),
        ({"F": 4, "P": 3, "S": 1}, "systems-thinking"),
        ({"F": 3, "P": 3, "S": 3, "G": 2}, "governance"),
        ({"F": 3, "P": 3, "S": 3, "G": 3}, ""),
    ],
)
def test_one_begins_with_the_first_course_of_which_fewer_than_three_are_known(
    right: dict[str, int], begins: str
) -> None:
    assert start(answers(**right)) == begins


def test_guessing_seldom_skips_a_course() -> None:
    chance = random.Random(7)
    skipped = asked = 0
    for _ in range(500):
        given = {row.id: chance.randrange(len(row.options)) for row in placement.items()}
        parts = placement.judge(placement.items(), given).parts
        skipped += sum(part.verdict == "skip" for part in parts)
        asked += len(parts)
    # 3 or 4 of 4 at one in four: 13 of 256, or 5.1 %.
    assert skipped / asked == pytest.approx(13 / 256, abs=0.02)


def test_the_place_of_an_option_tells_nothing() -> None:
    places = [
        [index for index, _html in row.options].index(key(row.item)) for row in placement.shown()
    ]
    assert all(2 <= places.count(place) <= 6 for place in range(4)), places


def test_the_verdict_explains_each_answer_and_leads_to_its_lesson(client: Client) -> None:
    item = placement.items()[0]
    wrong = next(i for i, option in enumerate(item.options) if not option.key)
    page = client.post("/placement/", {item.id: str(wrong)}).content.decode()

    assert "Begin with Foundations" in page
    assert item.options[wrong].but.split(".")[0] in page
    assert item.options[key(item)].why.split(".")[0] in page
    assert f"/lessons/{item.lesson}/" in page
    assert "15 answered “I don&#x27;t know yet”" in page or "15 answered “I don't know yet”" in page


def test_without_an_account_nothing_is_kept(client: Client) -> None:
    client.post("/placement/", {})
    assert not PlacementResult.objects.exists()


def test_the_last_check_is_kept_and_leads_the_way(client: Client, learner: User) -> None:
    client.force_login(learner)
    shown = client.post("/placement/", {k: str(v) for k, v in answers(F=4).items()}, follow=True)
    assert "Begin with Prompting" in shown.content.decode()
    assert "begin with Prompting" in client.get("/today/").content.decode()
    step = study.next_step(learner)
    prompting = catalog.course("prompting")
    assert step is not None
    assert prompting is not None
    assert step.title == prompting.lessons[0].title

    assert "Question 1 of 16" in client.get("/placement/?again").content.decode()
    client.post("/placement/", {})
    assert PlacementResult.objects.get().start == "foundations"


@pytest.mark.parametrize("sent", ["99", "-1", "x", "9" * 30, "²"])
def test_an_answer_that_is_none_counts_as_not_known(client: Client, sent: str) -> None:
    item = placement.items()[0]
    page = client.post("/placement/", {item.id: sent})
    assert page.status_code == 200
    assert "16 answered" in page.content.decode()

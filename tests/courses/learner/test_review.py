"""Earlier check questions come back after 1, 3, 7 and 21 days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client

from checkride.accounts.models import User
from courses import catalog, reviewing, spacing, study
from courses.models import CheckAnswer, LessonProgress, ReviewAnswer, ReviewCard

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)


def answer_in_lesson(user: User, option: int, *, at: datetime = START) -> None:
    course, lesson = catalog.lesson("f-one")  # type: ignore[misc]
    study.answer_check(user, course, lesson, check=1, option=option, at=at)


def due_days(user: User, *, right: bool, turns: int) -> list[int]:
    """On how many days after the start the question was due, each turn answered alike."""
    found = []
    day = START
    while len(found) < turns and (day - START).days < 100:
        question = reviewing.next_question(user, on=day.date())
        if question is not None:
            found.append((day.date() - START.date()).days)
            option = next(i for i, row in question.options if row.key == right)
            reviewing.answer(user, question.card.pk, option=option, at=day)
        day += timedelta(days=1)
    return found


def test_a_question_comes_back_after_one_three_seven_and_twenty_one_days(
    loaded: Path, learner: User
) -> None:
    answer_in_lesson(learner, 1)
    assert due_days(learner, right=True, turns=9) == [1, 1 + 3, 1 + 3 + 7, 1 + 3 + 7 + 21]
    assert ReviewCard.objects.get(user=learner).due_on is None


def test_a_wrong_answer_sends_it_back_to_the_first_day(loaded: Path, learner: User) -> None:
    answer_in_lesson(learner, 1)
    assert due_days(learner, right=False, turns=3) == [1, 2, 3]


def test_a_question_answered_wrong_in_its_lesson_does_not_come_back(
    loaded: Path, learner: User
) -> None:
    answer_in_lesson(learner, 0)
    assert not ReviewCard.objects.exists()


def test_a_wrong_answer_in_review_leaves_the_lesson_done(loaded: Path, learner: User) -> None:
    course, lesson = catalog.lesson("f-one")  # type: ignore[misc]
    answer_in_lesson(learner, 1)
    study.answer_check(learner, course, lesson, check=2, option=0, at=START)
    due_days(learner, right=False, turns=2)

    assert LessonProgress.objects.get(user=learner).done_at is not None
    assert CheckAnswer.objects.filter(user=learner, right=False).count() == 0


def test_answering_again_in_the_lesson_keeps_the_day(loaded: Path, learner: User) -> None:
    answer_in_lesson(learner, 1)
    answer_in_lesson(learner, 1, at=START + timedelta(days=1))
    assert ReviewCard.objects.get().due_on == START.date() + timedelta(days=1)


def test_a_question_that_is_not_due_or_somebody_elses_is_refused(
    loaded: Path, learner: User, other_learner: User
) -> None:
    answer_in_lesson(learner, 1)
    card = ReviewCard.objects.get()
    for user, at in ((learner, START), (other_learner, START + timedelta(days=2))):
        with pytest.raises(reviewing.NoSuchReview):
            reviewing.answer(user, card.pk, option=0, at=at)
    with pytest.raises(reviewing.NothingChosen):
        reviewing.answer(learner, card.pk, option=None, at=START + timedelta(days=1))
    assert not ReviewAnswer.objects.exists()


def test_the_days_are_those_of_the_course() -> None:
    assert spacing.DAYS == (1, 3, 7, 21)


def test_the_page_asks_says_what_is_right_and_when_it_comes_back(
    loaded: Path, client: Client, learner: User
) -> None:
    client.force_login(learner)
    assert "No question is on its way" in client.get("/review/").content.decode()

    answer_in_lesson(learner, 1, at=datetime.now(UTC))
    assert "Nothing is due today" in client.get("/review/").content.decode()

    ReviewCard.objects.update(due_on=START.date())
    page = client.get("/review/").content.decode()
    assert "Which line is false?" in page
    assert "1 earlier question is due" in client.get("/today/").content.decode()

    card = ReviewCard.objects.get()
    unchosen = client.post(f"/review/{card.pk}/", follow=True).content.decode()
    assert "Choose one of the answers first" in unchosen

    after = client.post(f"/review/{card.pk}/", {"option": "0"}, follow=True).content.decode()
    assert "Not this one." in after
    assert "The order was read." in after, "what speaks against the answer that was given"
    assert "Nobody was paid." in after, "why the key is right"
    assert "It comes back on" in after

    again = client.post(f"/review/{card.pk}/", {"option": "1"}, follow=True).content.decode()
    assert "not due any more" in again

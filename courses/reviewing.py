"""Earlier check questions, met again after 1, 3, 7 and 21 days."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Min

from checkride.accounts.models import User
from checkride.lib.errors import DomainError
from courses import catalog, spacing
from courses.authoring.curriculum import Course
from courses.authoring.lessons import Lesson, ShownCheck, ShownOption, lesson_from_document, show
from courses.models import ContentVersion, ReviewAnswer, ReviewCard


class NoSuchReview(DomainError):
    code = "no-such-review"
    sentence = (
        "This question is not due any more: it was answered in another tab, or its day has not "
        "come. Nothing was changed."
    )


class NothingChosen(DomainError):
    code = "nothing-chosen"
    sentence = "Choose one of the answers first. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it comes back: `options` are (index in the lesson, option), in a new order."""

    card: ReviewCard
    course: Course
    lesson: Lesson
    check: ShownCheck
    options: tuple[tuple[int, ShownOption], ...]

    @property
    def place(self) -> str:
        return f"check-{self.check.number}"


@dataclass(frozen=True, slots=True)
class Answered:
    """What the learner is told after an answer. `next_on` is None when the question rests."""

    question: Question
    right: bool
    chosen: ShownOption
    key: ShownOption
    next_on: date | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """How many questions are due now, how many wait, and when the next one comes."""

    due: int
    waiting: int
    resting: int
    next_on: date | None


def remember(user: User, lesson: Lesson, version: ContentVersion, *, check: int, on: date) -> None:
    """Let a question that was answered right in its lesson come back; a second time changes nothing.

    Called whenever a check is answered right. A question already on its way keeps its day, but
    takes the version in which it was answered last, so that its text is the one she knows.
    """
    turn = spacing.first_turn(on)
    card, made = ReviewCard.objects.get_or_create(
        user=user,
        lesson=lesson.id,
        check_number=check,
        defaults={"version": version, "stage": turn.stage, "due_on": turn.due_on},
    )
    if not made and card.version_id != version.pk:
        card.version = version
        card.save(update_fields=["version"])


def outlook(user: User, *, on: date) -> Outlook:
    cards = ReviewCard.objects.filter(user=user)
    later = cards.filter(due_on__gt=on)
    return Outlook(
        due=cards.filter(due_on__lte=on).count(),
        waiting=later.count(),
        resting=cards.filter(due_on=None).count(),
        next_on=later.aggregate(first=Min("due_on"))["first"],
    )


def next_question(user: User, *, on: date) -> Question | None:
    """The question that has waited longest; None when none is due."""
    due = ReviewCard.objects.filter(user=user, due_on__lte=on).select_related("version")
    for card in due.order_by("due_on", "pk"):
        question = _question(card)
        if question is not None:
            return question
    return None


def _question(card: ReviewCard) -> Question | None:
    """The card's question from the version it was answered in; None when its lesson is gone."""
    found = catalog.lesson(card.lesson)
    if found is None:
        return None
    lesson = lesson_from_document(card.version.document)
    check = next((row for row in show(lesson).checks if row.number == card.check_number), None)
    if check is None:
        return None
    return Question(
        card=card, course=found[0], lesson=lesson, check=check, options=_mixed(card, check)
    )


def _mixed(card: ReviewCard, check: ShownCheck) -> tuple[tuple[int, ShownOption], ...]:
    """The options in an order of this turn, so that a remembered place gives nothing away."""

    def key(index: int) -> str:
        return hashlib.sha256(f"{card.pk}.{card.stage}.{index}".encode()).hexdigest()

    return tuple(sorted(enumerate(check.options), key=lambda pair: key(pair[0])))


@transaction.atomic
def answer(user: User, card_id: int, *, option: int | None, at: datetime) -> Answered:
    """Keep the answer, give the question its next day and say what is right.

    Raises `NothingChosen`, and `NoSuchReview` when the question is not this person's or not due.
    """
    today = at.date()
    card = (
        ReviewCard.objects.select_for_update(of=("self",))
        .select_related("version")
        .filter(user=user, pk=card_id, due_on__lte=today)
        .first()
    )
    question = _question(card) if card is not None else None
    if card is None or question is None:
        raise NoSuchReview
    if option is None or not 0 <= option < len(question.check.options):
        raise NothingChosen
    chosen = question.check.options[option]
    ReviewAnswer.objects.create(card=card, stage=card.stage, option=option, right=chosen.key, at=at)
    turn = spacing.next_turn(card.stage, right=chosen.key, today=today)
    card.stage, card.due_on = turn.stage, turn.due_on
    card.save(update_fields=["stage", "due_on"])
    return Answered(
        question=question,
        right=chosen.key,
        chosen=chosen,
        key=question.check.options[question.check.key],
        next_on=turn.due_on,
    )


def last_answer(user: User, answer_of: int) -> Answered | None:
    """What was said about the last answer to this card, to show it after a redirect."""
    card = ReviewCard.objects.filter(user=user, pk=answer_of).select_related("version").first()
    given = card.answers.last() if card is not None else None
    question = _question(card) if card is not None else None
    if card is None or given is None or question is None:
        return None
    if given.option >= len(question.check.options):
        return None  # the lesson was answered anew in a version with fewer options
    return Answered(
        question=question,
        right=given.right,
        chosen=question.check.options[given.option],
        key=question.check.options[question.check.key],
        next_on=card.due_on,
    )

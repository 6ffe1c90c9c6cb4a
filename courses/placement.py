"""The placement check: sixteen questions that say where to begin, and why."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, Literal

from django.urls import reverse

from checkride.accounts.models import User
from courses import catalog
from courses.authoring.curriculum import Course
from courses.authoring.forms import Option, PlacementItem
from courses.authoring.lessons import Lesson
from courses.authoring.rendering import render_inline
from courses.models import PlacementResult

# Three of four are answered right by guessing among four options in about one check of twenty.
RIGHT_TO_SKIP: Final = 3
UNSURE: Final = -1
# Eight lessons of Foundations before the rest: whoever skips it can still sit its exam at once.
FIRST_EXAM: Final = "foundations"


@dataclass(frozen=True, slots=True)
class Shown:
    """A question on the page; `options` are (index in the file, HTML) in the order of the page."""

    number: int
    item: PlacementItem
    stem: str
    options: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One answer with what is said about it. `chosen` is None for “I don't know yet”."""

    number: int
    item: PlacementItem
    chosen: Option | None
    key: Option
    lesson: Lesson
    address: str

    @property
    def stem(self) -> str:
        return render_inline(self.item.stem)

    @property
    def right(self) -> bool:
        return self.chosen is not None and self.chosen.key

    @property
    def chosen_text(self) -> str:
        """The chosen option without its full stop, since a sentence follows it."""
        return render_inline(self.chosen.text).removesuffix(".") if self.chosen else ""

    @property
    def key_text(self) -> str:
        return render_inline(self.key.text).removesuffix(".")

    @property
    def says(self) -> str:
        """Why the answer is right, or what speaks against it."""
        if self.chosen is None or self.chosen.key:
            return render_inline(self.key.why)
        return render_inline(self.chosen.but)


@dataclass(frozen=True, slots=True)
class Part:
    """One course of the check: how many were right, and what that means."""

    course: Course
    rows: tuple[Row, ...]

    @property
    def right(self) -> int:
        return sum(row.right for row in self.rows)

    @property
    def verdict(self) -> Literal["skip", "partly", "begin"]:
        if self.right >= RIGHT_TO_SKIP:
            return "skip"
        return "partly" if self.right else "begin"

    @property
    def missed(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if not row.right)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where to begin. `start` is None when every part can be skipped."""

    parts: tuple[Part, ...]
    start: Part | None

    @property
    def right(self) -> int:
        return sum(part.right for part in self.parts)

    @property
    def asked(self) -> int:
        return sum(len(part.rows) for part in self.parts)

    @property
    def unsure(self) -> int:
        return sum(row.chosen is None for part in self.parts for row in part.rows)

    @property
    def exam_address(self) -> str:
        """The Foundations exam, for those who need not read the course first."""
        first = self.parts[0] if self.parts else None
        if first is None or first.verdict != "skip":
            return ""
        return catalog.exam_address(FIRST_EXAM)


def items() -> tuple[PlacementItem, ...]:
    return catalog.curriculum().placement


@lru_cache(maxsize=4)
def _order(keys: tuple[tuple[int, int], ...]) -> tuple[tuple[int, ...], ...]:
    """The options of each question in an order that does not give the key away.

    `keys` holds (number of options, index of the key). Keys stand at each place about equally
    often, and the page is the same for everybody.
    """
    chance = random.Random("placement")  # noqa: S311 - no secret
    places = [number % 4 for number in range(len(keys))]
    chance.shuffle(places)
    orders = []
    for (count, key), place in zip(keys, places, strict=True):
        order = [index for index in range(count) if index != key]
        chance.shuffle(order)
        order.insert(place % count, key)
        orders.append(tuple(order))
    return tuple(orders)


def shown() -> tuple[Shown, ...]:
    """The questions as they stand on the page."""
    rows = items()
    keys = tuple(
        (len(row.options), next(i for i, option in enumerate(row.options) if option.key))
        for row in rows
    )
    return tuple(
        Shown(
            number=number,
            item=row,
            stem=render_inline(row.stem),
            options=tuple((index, render_inline(row.options[index].text)) for index in order),
        )
        for number, (row, order) in enumerate(zip(rows, _order(keys), strict=True), start=1)
    )


def judge(questions: Sequence[PlacementItem], answers: Mapping[str, int]) -> Verdict:
    """What the answers mean. `answers` maps ids to the index of an option.

    A part with three right answers or more can be skipped. One begins with the first part that
    cannot, in the order of the questions: later courses build on earlier ones. No answer, an
    unknown one and “I don't know yet” are all the same: not known.
    """
    rows: dict[str, list[Row]] = {}
    for number, item in enumerate(questions, start=1):
        found = catalog.lesson(item.lesson)
        if found is None:
            continue
        course, lesson = found
        index = answers.get(item.id, UNSURE)
        chosen = item.options[index] if 0 <= index < len(item.options) else None
        rows.setdefault(course.id, []).append(
            Row(
                number=number,
                item=item,
                chosen=chosen,
                key=next(option for option in item.options if option.key),
                lesson=lesson,
                address=reverse("courses:lesson", args=[course.id, lesson.id]),
            )
        )
    parts = tuple(
        Part(course=home, rows=tuple(found))
        for course_id, found in rows.items()
        if (home := catalog.course(course_id)) is not None
    )
    return Verdict(parts, next((part for part in parts if part.verdict != "skip"), None))


def keep(user: User, answers: Mapping[str, int], verdict: Verdict, *, at: datetime) -> None:
    """Keep the last check of a learner; it replaces the one before."""
    PlacementResult.objects.update_or_create(
        user=user,
        defaults={
            "answers": dict(answers),
            "start": verdict.start.course.id if verdict.start else "",
            "at": at,
        },
    )


def kept(user: User) -> tuple[PlacementResult, Verdict] | None:
    """The learner's last check, judged by today's questions; answers to others are left out."""
    row = PlacementResult.objects.filter(user=user).first()
    if row is None or not items():
        return None
    known = {item.id for item in items()}
    answers = {name: index for name, index in row.answers.items() if name in known}
    return row, judge(items(), answers)

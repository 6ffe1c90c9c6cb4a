"""Where a learner stopped reading, and how long a lesson really takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from html import unescape
from statistics import median

from django.db import transaction
from django.utils.html import strip_tags

from checkride.accounts.models import User
from courses.authoring.lessons import Lesson, show
from courses.models import LessonProgress, Reading

# A page tells us at most every half minute; longer gaps were spent elsewhere.
MOST_SECONDS_AT_ONCE = 60
# Below this many readers the figure would say more about them than about the lesson.
READERS_FOR_A_FIGURE = 10
SHORTEST_READING_S = 120


@dataclass(frozen=True, slots=True)
class Heading:
    """A place in a lesson that an address can name."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Measured:
    """How long learners who finished a lesson had it open: the median, and of how many."""

    minutes: int
    readers: int


_HEADING = re.compile(r'<h[23][^>]*\bid="([^"]+)"[^>]*>(.*?)</h[23]>', re.DOTALL)


@lru_cache(maxsize=256)
def headings(lesson: Lesson) -> tuple[Heading, ...]:
    """The headings of a lesson in order; the last one is its decision."""
    found = [
        Heading(match.group(1), unescape(strip_tags(match.group(2))).strip())
        for part in show(lesson).parts
        for match in _HEADING.finditer(part.html)
    ]
    return (*found, Heading("your-decision", "Your decision"))


def places(lesson: Lesson) -> frozenset[str]:
    """Every id at which reading can go on: headings and check questions."""
    checks = {f"check-{check.number}" for check in show(lesson).checks}
    return frozenset(checks | {row.id for row in headings(lesson)})


@transaction.atomic
def note_reading(user: User, lesson: Lesson, *, place: str, seconds: int, at: datetime) -> Reading:
    """Keep the place, and add the seconds the page was really read.

    An unknown place is left out. The seconds are no more than a minute at once and no more than
    have passed since the page last told us, so two tabs or a forged message cannot run ahead of the
    clock.
    """
    row, made = Reading.objects.select_for_update().get_or_create(
        user=user, lesson=lesson.id, defaults={"at": at}
    )
    passed = MOST_SECONDS_AT_ONCE if made else int((at - row.at) / timedelta(seconds=1))
    row.seconds += max(0, min(seconds, passed, MOST_SECONDS_AT_ONCE))
    if place in places(lesson):
        row.place = place
    row.at = max(at, row.at)
    row.save(update_fields=["seconds", "place", "at"])
    return row


def stopped_at(user: User, lesson: Lesson) -> str:
    """The id at which to go on in a lesson that was begun, empty for its beginning."""
    row = Reading.objects.filter(user=user, lesson=lesson.id).first()
    return row.place if row is not None and row.place in places(lesson) else ""


def measured(lesson_ids: Sequence[str]) -> dict[str, Measured]:
    """For each lesson with enough readers who finished it: the median of their minutes."""
    finished = set(
        LessonProgress.objects.filter(lesson__in=lesson_ids, done_at__isnull=False).values_list(
            "user_id", "lesson"
        )
    )
    seconds: dict[str, list[int]] = {}
    rows = Reading.objects.filter(lesson__in=lesson_ids, seconds__gte=SHORTEST_READING_S)
    for user_id, lesson, spent in rows.values_list("user_id", "lesson", "seconds"):
        if (user_id, lesson) in finished:
            seconds.setdefault(lesson, []).append(spent)
    return {
        lesson: Measured(minutes=max(1, round(median(spent) / 60)), readers=len(spent))
        for lesson, spent in seconds.items()
        if len(spent) >= READERS_FOR_A_FIGURE
    }

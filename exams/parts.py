"""Exams that lead to one achievement together: which passes belong together, what is missing.

The exam that awards the achievement names the others (`together_with`); each of them names it
(`part_of`). Every part has its own clock, cut, attempts and waits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import QuerySet

from checkride.accounts.models import User
from exams.models import BlueprintVersion, Result

Key = TypeVar("Key")


def first_within(
    moment: datetime, passes: Iterable[tuple[datetime, Key]], *, within_days: int
) -> Key | None:
    """The earliest of `passes` that lies no further than `within_days` from `moment`; None if all
    lie further. The earliest, so that a later pass never changes what was awarded already. Pure."""
    near = [one for one in passes if abs(one[0] - moment) <= timedelta(days=within_days)]
    return min(near, key=lambda one: one[0])[1] if near else None


@dataclass(frozen=True, slots=True)
class Whole:
    """The passes that make one achievement: `main` is of the exam that awards it."""

    main: Result
    others: tuple[Result, ...] = ()

    @property
    def results(self) -> tuple[Result, ...]:
        return (self.main, *self.others)

    @property
    def released_at(self) -> datetime:
        """When the last of them was released; a part that is released anew moves it."""
        return max(result.released_at for result in self.results)


def passes() -> QuerySet[Result]:
    """Every released pass whose candidate has not been erased."""
    return Result.objects.filter(
        grade_run__passed=True, attempt__candidate__isnull=False
    ).select_related("attempt__candidate", "attempt__blueprint_version", "grade_run__attempt")


def whole_of(result: Result) -> Whole | None:
    """The passes that belong together with this one; None while a part is missing."""
    blueprint = result.attempt.blueprint
    of_candidate = passes().filter(attempt__candidate=result.attempt.candidate)
    if blueprint.part_of:
        for main in of_candidate.filter(attempt__exam=blueprint.part_of).order_by("pk"):
            whole = whole_of(main)
            if whole is not None and result in whole.others:
                return whole
        return None
    others = []
    for exam in blueprint.together_with:
        found = first_within(
            _closed_at(result),
            [(_closed_at(one), one) for one in of_candidate.filter(attempt__exam=exam)],
            within_days=blueprint.together_within_days,
        )
        if found is None:
            return None
        others.append(found)
    return Whole(result, tuple(others))


def _closed_at(result: Result) -> datetime:
    closed_at = result.attempt.closed_at
    if closed_at is None:
        raise LookupError(f"Result {result.pk} belongs to an attempt that is open.")
    return closed_at


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a whole, for a page. `passed_at` is the latest pass, None without one that still
    counts; `counts_until` says how long that pass waits for the others, None once all are there."""

    version: BlueprintVersion
    is_this: bool
    passed_at: datetime | None = None
    counts_until: datetime | None = None


def parts_of(version: BlueprintVersion, user: User | None, *, at: datetime) -> tuple[Part, ...]:
    """Every part that leads to the achievement of `version`, in order; () for an exam that stands
    alone. Parts whose exam is not loaded are left out."""
    blueprint = version.blueprint
    if not blueprint.is_part:
        return ()
    current = {one.exam: one for one in BlueprintVersion.objects.filter(is_current=True)}
    main = current.get(blueprint.part_of) if blueprint.part_of else version
    if main is None:
        return ()
    exams = [main.exam, *main.blueprint.together_with]
    return tuple(
        _part(current[exam], user, is_this=exam == version.exam, at=at)
        for exam in exams
        if exam in current
    )


def _part(version: BlueprintVersion, user: User | None, *, is_this: bool, at: datetime) -> Part:
    latest = _latest_pass(version.exam, user)
    if latest is None:
        return Part(version, is_this)
    passed_at = _closed_at(latest)
    if whole_of(latest) is not None:
        return Part(version, is_this, passed_at)
    until = passed_at + timedelta(days=version.blueprint.together_within_days)
    return Part(version, is_this, passed_at, until) if at <= until else Part(version, is_this)


def lapses_days(user: User, version: BlueprintVersion) -> int | None:
    """The days for which this person's latest pass stands while another part is missing; None when
    the exam stands alone, was not passed, or the other parts are there."""
    blueprint = version.blueprint
    latest = _latest_pass(version.exam, user) if blueprint.is_part else None
    if latest is None or whole_of(latest) is not None:
        return None
    return blueprint.together_within_days


def _latest_pass(exam: str, user: User | None) -> Result | None:
    if user is None:
        return None
    found = passes().filter(attempt__candidate=user, attempt__exam=exam)
    return found.order_by("-attempt__closed_at").first()

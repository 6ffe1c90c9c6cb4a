"""Hints: where in the brief to look. They cost nothing, and which were opened is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from checkride.accounts.models import User
from checkride.lib.errors import DomainError
from courses.grading.contract import GradeReport
from courses.models import HintTaken

Json = Any


class NoMoreHints(DomainError):
    code = "no-more-hints"
    sentence = "There is no further hint for what is open in your last run. Nothing was recorded."


@dataclass(frozen=True, slots=True)
class Hints:
    """The hints of one exercise for one learner: those opened, and how many are left for now."""

    taken: Sequence[str]
    left: int
    all: int


def next_requirement(
    requirements: Sequence[Mapping[str, Json]],
    *,
    met: frozenset[str],
    taken: frozenset[str],
) -> str | None:
    """The requirement the next hint is about: musts first, in the author's order, and nothing
    that the last run met. None when there is none."""
    rows = [
        row
        for row in requirements
        if row.get("hint") and row["id"] not in met and row["id"] not in taken
    ]
    rows.sort(key=lambda row: not row.get("must"))
    return str(rows[0]["id"]) if rows else None


def _met(report: GradeReport | None) -> frozenset[str]:
    rows = report.criteria if report is not None else ()
    return frozenset(row.id for row in rows if row.verdict == "met")


def hints_of(user: User, document: Mapping[str, Json], report: GradeReport | None) -> Hints:
    """What the page shows; `report` is that of the last run, None before the first."""
    told = {row["id"]: row["hint"] for row in document.get("requirements", ()) if row.get("hint")}
    names = list(
        HintTaken.objects.filter(user=user, exercise=document["id"]).values_list(
            "requirement", flat=True
        )
    )
    taken = [name for name in names if name in told]
    left = len(set(told) - set(taken) - _met(report))
    return Hints(taken=[told[name] for name in taken], left=left, all=len(told))


def take(
    user: User, document: Mapping[str, Json], report: GradeReport | None, *, at: datetime
) -> HintTaken:
    """Open the next hint. Raises `NoMoreHints`; a second click at once opens no second one."""
    rows = HintTaken.objects.filter(user=user, exercise=document["id"])
    name = next_requirement(
        document.get("requirements", ()),
        met=_met(report),
        taken=frozenset(rows.values_list("requirement", flat=True)),
    )
    if name is None:
        raise NoMoreHints
    hint, _made = HintTaken.objects.get_or_create(
        user=user, exercise=document["id"], requirement=name, defaults={"at": at}
    )
    return hint

"""The runs of one exercise as a row of versions, and what changed between two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models.functions import Length
from django.utils.translation import gettext as _

from checkride.accounts.models import User
from courses import practice
from courses.grading.contract import GradeReport
from courses.models import HintTaken, Submission
from courses.prompt_bench import VERDICT_WORDS


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One run. `score` is None where it was not graded; `hints` were opened before it."""

    number: int
    at: datetime
    characters: int
    score: int | None
    passed: bool
    hints: int


@dataclass(frozen=True, slots=True)
class CaseChange:
    number: int
    title: str  # empty while the case is hidden
    id: str


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A requirement that is read otherwise than before; `says` is empty while it is hidden."""

    says: str
    was: str
    now: str
    better: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """What changed from an older run to a newer one."""

    lines: Sequence[practice.DiffLine]
    score_was: int | None
    score_now: int | None
    fixed: Sequence[CaseChange]
    broken: Sequence[CaseChange]
    rules: Sequence[RuleChange]


def rows(user: User, exercise_id: str) -> list[VersionRow]:
    """All runs, the newest first."""
    taken = list(
        HintTaken.objects.filter(user=user, exercise=exercise_id).values_list("at", flat=True)
    )
    submissions = (
        Submission.objects.filter(user=user, exercise=exercise_id)
        .select_related("report")
        .defer("text", "report__report")
        .annotate(characters=Length("text"))
        .order_by("-number")
    )
    return [
        VersionRow(
            number=row.number,
            at=row.at,
            characters=row.characters,
            score=row.report.score if hasattr(row, "report") else None,
            passed=hasattr(row, "report") and row.report.passed,
            hints=sum(at <= row.at for at in taken),
        )
        for row in submissions
    ]


def compare(older: Submission, newer: Submission, *, opened: bool) -> Compared:
    """What changed in the text, in the cases and in the rules.

    `opened` says whether hidden cases are open; what is hidden is counted and not named.
    """
    was, now = practice.report_of(older), practice.report_of(newer)
    fixed, broken = case_changes(was, now, opened=opened)
    return Compared(
        lines=practice.text_changes(older.text, newer.text, around=3),
        score_was=was.score if was else None,
        score_now=now.score if now else None,
        fixed=fixed,
        broken=broken,
        rules=rule_changes(was, now, opened=opened),
    )


def case_changes(
    was: GradeReport | None, now: GradeReport | None, *, opened: bool
) -> tuple[list[CaseChange], list[CaseChange]]:
    """The cases that pass now and did not, and those that passed and do no more."""
    if was is None or now is None:
        return [], []
    changes = practice.changes(now.cases, was.cases)
    found: dict[str, list[CaseChange]] = {"fixed": [], "broken": []}
    for number, case in enumerate(now.cases, start=1):
        if changes[case.id] in found:
            title = case.title if case.shown or opened else ""
            found[changes[case.id]].append(CaseChange(number, title, case.id))
    return found["fixed"], found["broken"]


def rule_changes(
    was: GradeReport | None, now: GradeReport | None, *, opened: bool
) -> list[RuleChange]:
    """The requirements whose verdict changed, those that got worse first."""
    if was is None or now is None:
        return []
    earlier = {row.id: row.verdict for row in was.criteria}
    rows = []
    for row in now.criteria:
        before = earlier.get(row.id)
        if before is None or before == row.verdict:
            continue
        told = opened or before != "absent" or row.verdict != "absent"
        rows.append(
            RuleChange(
                says=row.says if told else _("Something the brief asks for"),
                was=str(VERDICT_WORDS[before]),
                now=str(VERDICT_WORDS[row.verdict]),
                better=row.verdict == "met",
            )
        )
    return sorted(rows, key=lambda row: row.better)

"""What a released result says, and what to study next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from django.db.models import F

from courses import catalog
from exams.models import AttemptItem, GradeRun, ItemScore
from exams.scoring.score import DomainScore, wilson

Reading = Literal["above", "below", "no-gap", "one-miss", "gap", "reached", "not-reached"]

READINGS: dict[Reading, str] = {
    "above": "Above, almost surely",
    "below": "Below, almost surely",
    "no-gap": "No gap seen",
    "one-miss": "One miss, may be chance",
    "gap": "Probably a gap",
    "reached": "At or above the cut",
    "not-reached": "Below the cut",
}


@dataclass(frozen=True, slots=True)
class Study:
    """Where something is taught: a course, and the abilities that were asked for."""

    title: str
    href: str
    abilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DomainRow:
    name: str
    correct: int
    of: int
    percent: int
    low: int
    high: int
    reading: Reading
    words: str
    study: tuple[Study, ...]


@dataclass(frozen=True, slots=True)
class Total:
    correct: int
    of: int
    cut: int
    percent: int
    cut_percent: int
    low: int
    high: int
    passed: bool

    @property
    def is_close(self) -> bool:
        """Whether the range that fits the answers lies on both sides of the cut."""
        return self.low < self.cut_percent <= self.high


def total(run: GradeRun) -> Total:
    plausible = wilson(run.correct, run.of, draws=run.item_scores.count() or None)
    return Total(
        correct=run.correct,
        of=run.of,
        cut=run.cut,
        percent=100 * run.correct // run.of,
        cut_percent=100 * run.cut // run.of,
        low=round(100 * plausible.low),
        high=round(100 * plausible.high),
        passed=run.passed,
    )


def domain_rows(run: GradeRun) -> tuple[DomainRow, ...]:
    """Each domain with its range, a careful reading, and the courses for what was missed."""
    cut_share = run.cut / run.of
    blueprint = run.attempt.blueprint
    # Nobody earns every point of a task; what lies below the cut is what wants practice.
    missed = _missed_competencies(run, below=cut_share if blueprint.holds_tasks else 1.0)
    courses = [course for course in catalog.courses() if course.is_open]
    statements = {one.id: one.statement for one in catalog.competencies()}
    quotas = {quota.name: quota.id for quota in blueprint.domains}
    return tuple(
        DomainRow(
            name=score.name,
            correct=score.correct,
            of=score.of,
            percent=100 * score.correct // score.of,
            low=round(100 * score.plausible.low),
            high=round(100 * score.plausible.high),
            reading=(
                reading := read_task(score, cut_share)
                if blueprint.holds_tasks
                else read(score, cut_share)
            ),
            words=READINGS[reading],
            study=study_for(missed.get(quotas[score.name], ()), courses, statements),
        )
        for score in run.domain_scores()
    )


def read(score: DomainScore, cut_share: float) -> Reading:
    """What a handful of answers allows to say about a domain, and not more."""
    if score.plausible.low >= cut_share:
        return "above"
    if score.plausible.high < cut_share:
        return "below"
    wrong = score.of - score.correct
    if wrong == 0:
        return "no-gap"
    return "one-miss" if wrong == 1 else "gap"


def read_task(score: DomainScore, cut_share: float) -> Reading:
    """What the points of one task say: whether they reach its share of the cut."""
    return "reached" if score.correct >= cut_share * score.of else "not-reached"


def study_for(
    competency_ids: tuple[str, ...],
    courses: Sequence[catalog.Course],
    statements: Mapping[str, str],
) -> tuple[Study, ...]:
    """The courses that teach these competencies, each competency in one course only, at most two
    courses: the one that teaches most of them, then the one that teaches most of the rest."""
    rest = list(competency_ids)
    chosen: list[Study] = []
    while rest and len(chosen) < 2:
        # max() keeps the first of equals, so courses stay in the catalogue's order.
        best = max(courses, key=lambda course: _taught(course, rest), default=None)
        if best is None or not _taught(best, rest):
            break
        found = [one for one in rest if one in best.form.competencies]
        chosen.append(
            Study(
                title=best.title,
                href=f"/courses/{best.id}/",
                abilities=tuple(statements.get(one, one).removeprefix("can ") for one in found),
            )
        )
        rest = [one for one in rest if one not in best.form.competencies]
    return tuple(chosen)


def _taught(course: catalog.Course, competency_ids: list[str]) -> int:
    return sum(1 for one in competency_ids if one in course.form.competencies)


def _missed_competencies(run: GradeRun, *, below: float) -> dict[str, tuple[str, ...]]:
    missed: dict[str, dict[str, None]] = {}
    lost = ItemScore.objects.filter(run=run, points__lt=F("possible") * below).values_list(
        "attempt_item", flat=True
    )
    for item in AttemptItem.objects.filter(pk__in=lost).select_related("item_version"):
        for competency in item.item_version.scored_item.competencies:
            missed.setdefault(item.domain, {})[competency] = None
    return {domain: tuple(ids) for domain, ids in missed.items()}

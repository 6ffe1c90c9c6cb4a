"""The door through which other apps see exam results.

`result_released` is sent after the commit, with `result_id`. A listener may miss it; whoever needs
every pass also asks `released_passes` now and then. `result_withdrawn` is sent, likewise, when a
correction has made a fail of a pass; `withdrawn_passes` lists them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.dispatch import Signal

from exams.models import GradeRun, Result

result_released = Signal()
result_withdrawn = Signal()


@dataclass(frozen=True, slots=True)
class DomainScore:
    name: str
    correct: int
    of: int


@dataclass(frozen=True, slots=True)
class ReleasedPass:
    """A passed attempt, as evidence for a credential.

    `source_id` is the attempt's id and the same for every release of it; `form` names the
    assembled version for people; `grader_digest` is SHA-256 over the code that scored it.
    `minutes_allowed` is the blueprint's time: an accommodation appears on no credential.
    """

    source_id: str
    user_id: UUID
    holder_name: str
    exam_slug: str
    achievement: str
    score_percent: int
    cut_percent: int
    domain_scores: tuple[DomainScore, ...]
    items: int
    minutes_allowed: int
    form: str
    started_at: datetime
    released_at: datetime
    grader_digest: str


def released_pass(result_id: int) -> ReleasedPass | None:
    """The pass behind a released result; None when it is no pass, or its candidate was erased."""
    result = _passes().filter(pk=result_id).first()
    return None if result is None else _as_pass(result)


def pass_of(source_id: str) -> ReleasedPass | None:
    """The pass with this `source_id`; None when there is none, or it is not released."""
    try:
        attempt_id = UUID(source_id)
    except ValueError:
        return None
    result = _passes().filter(attempt_id=attempt_id).first()
    return None if result is None else _as_pass(result)


def released_passes(since: datetime) -> Iterator[ReleasedPass]:
    """Every pass released at `since` or later, oldest first."""
    for result in _passes().filter(released_at__gte=since).order_by("released_at").iterator(200):
        yield _as_pass(result)


def withdrawn_passes(since: datetime) -> Iterator[str]:
    """The `source_id` of every pass that a regrade has taken back at `since` or later."""
    lost = Result.objects.filter(
        grade_run__passed=False,
        grade_run__reason__in=(GradeRun.Reason.REGRADE, GradeRun.Reason.APPEAL),
        released_at__gte=since,
    )
    for attempt_id in lost.values_list("attempt", flat=True).iterator(200):
        yield str(attempt_id)


def _passes() -> QuerySet[Result]:
    return Result.objects.filter(
        grade_run__passed=True, attempt__candidate__isnull=False
    ).select_related("attempt__candidate", "attempt__blueprint_version", "grade_run__attempt")


def _as_pass(result: Result) -> ReleasedPass:
    attempt, run = result.attempt, result.grade_run
    if attempt.candidate is None or attempt.started_at is None:
        raise LookupError(f"Result {result.pk} has no candidate or was never started.")
    blueprint = attempt.blueprint
    return ReleasedPass(
        source_id=str(attempt.pk),
        user_id=attempt.candidate.pk,
        holder_name=attempt.candidate.name,
        exam_slug=attempt.exam,
        achievement=blueprint.achievement,
        score_percent=100 * run.correct // run.of,
        cut_percent=100 * run.cut // run.of,
        domain_scores=tuple(
            DomainScore(score.name, score.correct, score.of) for score in run.domain_scores()
        ),
        items=run.of,
        minutes_allowed=blueprint.minutes,
        form=attempt.form_code,
        started_at=attempt.started_at,
        released_at=result.released_at,
        grader_digest=run.grader_digest,
    )

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

from django.dispatch import Signal

from exams import parts
from exams.models import Attempt, GradeRun, Result

result_released = Signal()
result_withdrawn = Signal()


@dataclass(frozen=True, slots=True)
class DomainScore:
    name: str
    correct: int
    of: int


@dataclass(frozen=True, slots=True)
class PassedPart:
    """One of several exams that were passed for one credential. `correct`, `of` and `cut` are in
    points; `items` counts the items or, where `holds_tasks`, the tasks."""

    exam_slug: str
    title: str
    items: int
    holds_tasks: bool
    correct: int
    of: int
    cut: int
    domain_scores: tuple[DomainScore, ...]
    minutes_allowed: int
    form: str
    started_at: datetime
    grader_digest: str


@dataclass(frozen=True, slots=True)
class ReleasedPass:
    """A passed attempt, as evidence for a credential.

    `source_id` is the attempt's id and the same for every release of it; `form` names the
    assembled version for people; `grader_digest` is SHA-256 over the code that scored it.
    `minutes_allowed` is the blueprint's time: an accommodation appears on no credential.

    Where several exams lead to the credential together, `parts` holds each of them, the percents
    are the means over them, `released_at` is the moment at which the last was released, and
    everything else is of the exam that awards it.
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
    parts: tuple[PassedPart, ...] = ()


def released_pass(result_id: int) -> ReleasedPass | None:
    """The pass that a released result makes or completes; None when it is no pass, another part is
    missing, or its candidate was erased."""
    result = parts.passes().filter(pk=result_id).first()
    return None if result is None else _as_pass(parts.whole_of(result))


def pass_of(source_id: str) -> ReleasedPass | None:
    """The pass with this `source_id`; None when there is none, or a part of it is not there."""
    try:
        attempt_id = UUID(source_id)
    except ValueError:
        return None
    result = parts.passes().filter(attempt_id=attempt_id).first()
    if result is None or result.attempt.blueprint.part_of:
        return None
    return _as_pass(parts.whole_of(result))


def released_passes(since: datetime) -> Iterator[ReleasedPass]:
    """Every pass that was complete at `since` or later, oldest first."""
    told: set[str] = set()
    released = parts.passes().filter(released_at__gte=since).order_by("released_at")
    for result in released.iterator(200):
        found = _as_pass(parts.whole_of(result))
        # Each part that was released since leads to the same pass.
        if found is not None and found.source_id not in told:
            told.add(found.source_id)
            yield found


def withdrawn_passes(since: datetime) -> Iterator[str]:
    """The `source_id` of every pass that a regrade has taken back at `since` or later."""
    lost = Result.objects.filter(
        grade_run__passed=False,
        grade_run__reason__in=(GradeRun.Reason.REGRADE, GradeRun.Reason.APPEAL),
        released_at__gte=since,
    ).select_related("attempt__blueprint_version")
    for result in lost.iterator(200):
        yield from sources_resting_on(result.attempt)


def sources_resting_on(attempt: Attempt) -> list[str]:
    """The `source_id` of every pass that this attempt may be a part of: its own, or those of the
    exam that it belongs to. Whoever acts on one asks `pass_of` whether it still is a pass."""
    part_of = attempt.blueprint.part_of
    if not part_of:
        return [str(attempt.pk)]
    mains = Attempt.objects.filter(exam=part_of, candidate__isnull=False)
    own = mains.filter(candidate=attempt.candidate_id, result__isnull=False)
    return [str(pk) for pk in own.values_list("pk", flat=True)]


def _as_pass(whole: parts.Whole | None) -> ReleasedPass | None:
    if whole is None:
        return None
    all_parts = tuple(_part(result) for result in whole.results)
    first, attempt = all_parts[0], whole.main.attempt
    if attempt.candidate is None:
        raise LookupError(f"Result {whole.main.pk} has no candidate.")
    return ReleasedPass(
        source_id=str(attempt.pk),
        user_id=attempt.candidate.pk,
        holder_name=attempt.candidate.name,
        exam_slug=attempt.exam,
        achievement=attempt.blueprint.achievement,
        # Every part has reached its cut, so the mean of them has reached the mean of the cuts.
        score_percent=sum(100 * one.correct // one.of for one in all_parts) // len(all_parts),
        cut_percent=sum(100 * one.cut // one.of for one in all_parts) // len(all_parts),
        domain_scores=first.domain_scores,
        items=first.of,
        minutes_allowed=first.minutes_allowed,
        form=first.form,
        started_at=first.started_at,
        released_at=whole.released_at,
        grader_digest=first.grader_digest,
        parts=all_parts if whole.others else (),
    )


def _part(result: Result) -> PassedPart:
    attempt, run = result.attempt, result.grade_run
    if attempt.started_at is None:
        raise LookupError(f"Result {result.pk} belongs to an attempt that was never started.")
    blueprint = attempt.blueprint
    return PassedPart(
        exam_slug=attempt.exam,
        title=blueprint.title,
        items=blueprint.items,
        holds_tasks=blueprint.holds_tasks,
        correct=run.correct,
        of=run.of,
        cut=run.cut,
        domain_scores=tuple(
            DomainScore(score.name, score.correct, score.of) for score in run.domain_scores()
        ),
        minutes_allowed=blueprint.minutes,
        form=attempt.form_code,
        started_at=attempt.started_at,
        grader_digest=run.grader_digest,
    )

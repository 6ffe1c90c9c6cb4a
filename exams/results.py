"""Grade closed attempts and release their results."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from checkride import audit
from checkride.accounts.models import User
from checkride.jobs.dbclock import database_now
from checkride.lib.canonical import digest
from exams import judging, outcomes, save_protocol
from exams.models import Attempt, AttemptItem, GradeRun, ItemScore, PilotScore, Result
from exams.scoring.score import POLICY, grader_digest, score_form, score_response

GRADE_JOB = judging.GRADE_JOB


def grade(attempt_id: UUID, *, reason: str) -> GradeRun:
    """Grade the answers as they stand and release the result; the same answers grade once.

    Raises `StepNotPossible` for an attempt that is still open, `NotJudgedYet` while raters have not
    settled every written answer.
    """
    attempt = Attempt.objects.get(pk=attempt_id)
    if attempt.is_closed:
        judging.run_tasks(attempt)
    return _grade(attempt_id, reason=reason)


@transaction.atomic
def _grade(attempt_id: UUID, *, reason: str) -> GradeRun:
    attempt = (
        Attempt.objects.select_for_update(of=("self",))
        .select_related("blueprint_version", "candidate", "form")
        .get(pk=attempt_id)
    )
    if attempt.state != Attempt.State.RELEASED:
        save_protocol.require_step(attempt.clock.state, "graded")
    placed = list(attempt.items.select_related("item_version", "response__event"))
    items = [item for item in placed if not item.is_pilot]
    payloads = [item.answer_in_authors_ids for item in items]
    blueprint = attempt.blueprint
    judged = judging.judged_points(items)
    inputs = digest(
        {
            "blueprint": attempt.blueprint_version.content_sha256,
            "items": [item.item_version.content_sha256 for item in items],
            "answers": payloads,
            **({"judged": judged} if judged else {}),
            **({"cut": attempt.cut_points} if attempt.form else {}),
        }
    )
    known = GradeRun.objects.filter(
        attempt=attempt, input_sha256=inputs, grader_digest=grader_digest()
    ).first()
    if known is not None:
        return known

    score = score_form(
        [item.item_version.scored_item for item in items],
        payloads,
        cut=attempt.cut_points,
        domains={quota.id: quota.name for quota in blueprint.domains},
        judged=judged,
    )
    now = database_now()
    run = GradeRun.objects.create(
        attempt=attempt,
        reason=reason,
        input_sha256=inputs,
        grader_digest=grader_digest(),
        policy_version=POLICY,
        correct=score.correct,
        of=score.of,
        cut=score.cut,
        passed=score.passed,
        graded_at=now,
    )
    ItemScore.objects.bulk_create(
        ItemScore(
            run=run,
            attempt_item=item,
            points=points,
            possible=item.item_version.scored_item.points,
        )
        for item, points in zip(items, score.points, strict=True)
    )
    PilotScore.objects.bulk_create(
        PilotScore(
            run=run,
            attempt_item=item,
            points=score_response(item.item_version.scored_item, item.answer_in_authors_ids),
            possible=item.item_version.scored_item.points,
        )
        for item in placed
        if item.is_pilot
    )
    was_released = attempt.state == Attempt.State.RELEASED
    attempt.current_grade = run
    attempt.state = Attempt.State.RELEASED if was_released else Attempt.State.GRADED
    attempt.lock_version += 1
    attempt.save(update_fields=["current_grade", "state", "lock_version"])
    # Every point comes from a key, an engine or settled ratings: nobody has to look once more.
    release(attempt, run, by=None, at=now)
    return run


@transaction.atomic
def release(attempt: Attempt, run: GradeRun, *, by: User | None, at: datetime) -> Result:
    """Make a result visible to its candidate; doing it twice changes nothing.

    A later run replaces a released one only when it is better for the candidate: what somebody
    was told is taken back by a person with a reason, not by a job.
    """
    result = Result.objects.select_for_update().filter(attempt=attempt).first()
    if result is not None and result.grade_run.correct >= run.correct:
        return result
    result, _ = Result.objects.update_or_create(
        attempt=attempt, defaults={"grade_run": run, "released_at": at, "released_by": by}
    )
    if attempt.state != Attempt.State.RELEASED:
        attempt.state = Attempt.State.RELEASED
        attempt.save(update_fields=["state"])
    audit.record(
        by,
        "result.released",
        attempt,
        at=at,
        facts={
            "right": run.correct,
            "of": run.of,
            "cut": run.cut,
            "passed": run.passed,
            "grader": run.grader_digest,
        },
    )
    result_id = result.pk
    transaction.on_commit(
        lambda: outcomes.result_released.send(Result, result_id=result_id), robust=True
    )
    return result


def answered(attempt: Attempt) -> int:
    """How many items have an answer that is not empty."""
    return sum(
        1
        for item in AttemptItem.objects.filter(attempt=attempt).select_related("response__event")
        if hasattr(item, "response") and item.response.payload
    )

"""Work done by the workers: close overdue attempts, grade closed ones."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from checkride.jobs.periodic import every
from checkride.jobs.queue import handler
from exams import appeals, delivery, regrading, results
from exams.models import Attempt
from exams.scoring.score import NotJudgedYet


@every(5)
def close_overdue_attempts() -> None:
    delivery.close_overdue_attempts()


@handler(regrading.LETTER_JOB)
def write_regrade_letter(payload: dict[str, Any]) -> dict[str, Any]:
    told = regrading.write_letter(payload["regrade"], UUID(payload["attempt"]), payload["before"])
    return {"told": told}


@handler(appeals.LETTER_JOB)
def write_appeal_letter(payload: dict[str, Any]) -> dict[str, Any]:
    return {"told": appeals.write_letter(payload["appeal"])}


@handler(results.GRADE_JOB)
def grade_attempt(payload: dict[str, Any]) -> dict[str, Any]:
    """Grade and release. Doing it twice changes nothing; an erased attempt needs no grade."""
    if not Attempt.objects.filter(pk=payload["attempt"], candidate__isnull=False).exists():
        return {"erased": True}
    try:
        run = results.grade(UUID(payload["attempt"]), reason=payload["reason"])
    except NotJudgedYet as wait:
        # The rating that settles the last answer asks again.
        return {"waiting": wait.message}
    return {"run": run.pk, "correct": run.correct}

"""Work done by the workers: grade the runs that no page could grade."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from checkride.jobs.queue import handler
from courses import model_runs, practice


@handler(practice.GRADE_JOB)
def grade_submission(payload: dict[str, Any]) -> dict[str, Any]:
    """Grade one run. Doing it twice changes nothing; busy graders are a reason to try again."""
    return dict(practice.grade_waiting(UUID(payload["submission"])))


@handler(model_runs.MODEL_JOB)
def run_on_model(payload: dict[str, Any]) -> dict[str, Any]:
    """Run one prompt on the real model. It is begun once; a second call finds it begun."""
    return dict(model_runs.do(UUID(payload["run"])))

"""Grade a submission: one door for every kind of exercise.

`grade` and `read_submission` choose the grader by the request's kind. Graders are named in a table
and imported when first needed, so that a box for prompts does not load the simulator of maps.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from checkride.lib.errors import DomainError
from courses.grading.contract import GradeReport, GradeRequest

Json = Any

GRADERS: Final = {
    "prompt": "courses.grading.prompt",
    "workflow_map": "courses.grading.workflow_map",
    "run_log": "courses.grading.run_log",
    "record_review": "courses.grading.record_review",
    "plan_table": "courses.grading.plan_table",
}

# Readings beside those of the graders: they run something and give no grade.
READERS: Final = {"workflow_map_replay": "courses.grading.workflow_replay"}


class UnknownKind(DomainError):
    code = "unknown-kind"
    sentence = (
        "There is no grader for exercises of the kind “{kind}”."
        " Nothing was graded; correct the exercise."
    )


def _grader(kind: str) -> Any:
    if kind not in GRADERS:
        raise UnknownKind(kind=kind)
    return import_module(GRADERS[kind])


def grade(request: GradeRequest) -> GradeReport:
    """Grade a submission. The same request and grader digest give the same report.

    Raises `UnknownKind`; a submission that cannot be run is a report with `problems`, no error.
    """
    report: GradeReport = _grader(request.kind).grade(request)
    return report


def read_submission(request: GradeRequest) -> Json:
    """What the page shows half a second after a pause: the submission read, nothing run."""
    if request.kind in READERS:
        return import_module(READERS[request.kind]).read_submission(request)
    return _grader(request.kind).read_submission(request)

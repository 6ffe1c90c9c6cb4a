"""One case on one map, told again: to compare what two maps make of the same request.

A reading beside the grader's, since it runs a map and gives no grade. The request's exercise
holds `replay_case`, the number of the case from 1.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from courses.grading import workflow_map
from courses.grading.contract import GradeRequest

Json = Any


def read_submission(request: GradeRequest) -> dict[str, Json]:
    """`case` as JSON of a `CaseResult`; None when the map cannot be run or has no such case."""
    number = int(request.exercise["replay_case"])
    found = workflow_map.replay_case(replace(request, kind=workflow_map.KIND), number)
    return {"case": None if found is None else asdict(found)}

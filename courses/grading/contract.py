"""What goes into a grader and what comes out of it.

Both are frozen and made of plain JSON values, so that a page, a worker, the box and the command
line pass the same bytes and a grade can be repeated years later. Grading is pure: the same request
and the same grader digest give the same report, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Json = Any  # a JSON value; parsed where it is used

Verdict = Literal["met", "partly", "absent", "contradicted", "unsure"]


@dataclass(frozen=True, slots=True)
class GradeRequest:
    """One submission to one exercise.

    `exercise` is the document that `courses.exercise_files.read_exercise` returns. `seed` names
    the random streams of a simulation: "practice" for learners, another word for each exam form.
    """

    kind: str
    exercise: Mapping[str, Json]
    submission: str
    seed: str = "practice"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the submission something is: a line (from 1), a node or an edge of a map."""

    line: int | None = None
    node: str | None = None
    edge: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A reason why a submission could not be run; `message` is a whole sentence."""

    message: str
    place: Place = Place()
    code: str = "problem"


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """The verdict on one requirement, target or check.

    `points` of `possible`; a `must` that is not met fails the exercise whatever the score.
    `confidence` is 0 to 1 and says how sure the grader is of its own reading (1 for arithmetic).
    """

    id: str
    says: str
    verdict: Verdict
    points: float
    possible: float
    must: bool
    reason: str
    place: Place = Place()
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One thing that happened in a case. `because` gives the cause in words; `place` the line or
    node that caused it, empty when nothing did ("no line says what to do")."""

    number: int
    kind: str
    says: str
    because: str = ""
    place: Place = Place()
    state: Literal["plain", "warn", "bad", "good"] = "plain"


@dataclass(frozen=True, slots=True)
class CaseCheck:
    says: str
    held: bool


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case that was run. `shown` is False for cases that open on a pass or after three runs."""

    id: str
    title: str
    shown: bool
    given: str
    did: str
    passed: bool
    steps: tuple[TraceStep, ...] = ()
    checks: tuple[CaseCheck, ...] = ()


@dataclass(frozen=True, slots=True)
class Grader:
    """Who graded: a name, a version for people and a digest over the grader's code and data."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class GradeReport:
    """The whole answer.

    `score` is in whole points, 0 to 100, rounded down so that a shown 70 is a true 70.
    `finding` is the verdict in one sentence. `problems` is not empty when the submission could not
    be run; then the score is 0 and nothing was simulated. `details` holds what only this kind of
    exercise has (rule cards; metrics and findings of a map) as JSON.
    """

    kind: str
    score: int
    passed: bool
    finding: str
    criteria: tuple[CriterionResult, ...]
    cases: tuple[CaseResult, ...]
    grader: Grader
    problems: tuple[Problem, ...] = ()
    details: Mapping[str, Json] = field(default_factory=dict)


def request_to_json(request: GradeRequest) -> dict[str, Json]:
    return {
        "kind": request.kind,
        "exercise": dict(request.exercise),
        "submission": request.submission,
        "seed": request.seed,
    }


def request_from_json(data: Mapping[str, Json]) -> GradeRequest:
    return GradeRequest(
        kind=data["kind"],
        exercise=data["exercise"],
        submission=data["submission"],
        seed=data.get("seed", "practice"),
    )


def report_to_json(report: GradeReport) -> dict[str, Json]:
    """The report as JSON values; `report_from_json` gives the same report back."""
    data = asdict(report)
    data["details"] = dict(report.details)
    return _lists(data)  # type: ignore[no-any-return]


def report_from_json(data: Mapping[str, Json]) -> GradeReport:
    return GradeReport(
        kind=data["kind"],
        score=data["score"],
        passed=data["passed"],
        finding=data["finding"],
        criteria=tuple(
            CriterionResult(**{**row, "place": Place(**row["place"])}) for row in data["criteria"]
        ),
        cases=tuple(case_from_json(row) for row in data["cases"]),
        grader=Grader(**data["grader"]),
        problems=tuple(
            Problem(message=row["message"], place=Place(**row["place"]), code=row["code"])
            for row in data["problems"]
        ),
        details=data["details"],
    )


def case_from_json(row: Mapping[str, Json]) -> CaseResult:
    steps = tuple(TraceStep(**{**step, "place": Place(**step["place"])}) for step in row["steps"])
    checks = tuple(CaseCheck(**check) for check in row["checks"])
    return CaseResult(**{**row, "steps": steps, "checks": checks})


def _lists(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_lists(item) for item in value]
    return value

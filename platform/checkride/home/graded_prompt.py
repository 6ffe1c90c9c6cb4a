"""The graded prompt on the home page: a real exercise, really graded, cut down to what fits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from courses import catalog
from courses.grading import grade
from courses.grading.contract import CaseResult, GradeReport, GradeRequest, TraceStep

EXERCISE = "refund-triage"
PROMPT = Path(__file__).with_suffix(".md")
# The part of the prompt that is shown: four rules and one line that is none.
FIRST_LINE, LAST_LINE = 4, 8
STEPS_SHOWN = 4


@dataclass(frozen=True)
class Line:
    number: int
    text: str
    is_rule: bool


@dataclass(frozen=True)
class Suggestion:
    """The smallest edit that would have changed the worst case, and the score it leads to."""

    sentence: str
    after_line: int
    score: int
    cases_fixed: tuple[int, ...]


@dataclass(frozen=True)
class GradedPrompt:
    lines: tuple[Line, ...]
    line_count: int
    lines_without_rule: tuple[int, ...]
    score: int
    finding: str
    cases: tuple[bool, ...]
    case_number: int
    case: CaseResult
    steps: tuple[TraceStep, ...]
    suggestion: Suggestion
    exercise_title: str

    @property
    def last_line_shown(self) -> int:
        return self.lines[-1].number

    @property
    def cases_right(self) -> int:
        return sum(self.cases)


def graded_prompt() -> GradedPrompt | None:
    """The example as graded now; None where the exercise is missing or would not show the point."""
    exercise = catalog.exercise(EXERCISE)
    return _graded(exercise.digest) if exercise is not None and exercise.kind == "prompt" else None


@cache
def _graded(digest: str) -> GradedPrompt | None:
    """Graded once for each `digest` of the exercise, which is a quarter of a second."""
    exercise = catalog.exercise(EXERCISE)
    if exercise is None:
        return None
    text = PROMPT.read_text(encoding="utf-8")
    report = grade(GradeRequest("prompt", exercise.document, text))
    failed = [
        (number, case)
        for number, case in enumerate(report.cases, start=1)
        if case.shown and not case.passed
    ]
    better = report.details.get("counterfactual")
    if report.problems or report.passed or not failed or not better or not better["after_line"]:
        return None
    number, case = failed[0]
    lines = _lines(text, report)
    return GradedPrompt(
        lines=lines,
        line_count=len(text.splitlines()),
        lines_without_rule=tuple(line.number for line in lines if not line.is_rule),
        score=report.score,
        finding=report.finding,
        cases=tuple(row.passed for row in report.cases),
        case_number=number,
        case=case,
        steps=_telling_steps(case),
        suggestion=Suggestion(
            sentence=better["sentence"],
            after_line=better["after_line"],
            score=better["score"],
            cases_fixed=tuple(
                place
                for place, row in enumerate(report.cases, start=1)
                if row.id in better["cases_fixed"]
            ),
        ),
        exercise_title=exercise.title,
    )


def _lines(text: str, report: GradeReport) -> tuple[Line, ...]:
    rules = {row["line"] for row in report.details["lines"] if row["state"] == "ok"}
    return tuple(
        Line(number, line, is_rule=number in rules)
        for number, line in enumerate(text.splitlines(), start=1)
        if FIRST_LINE <= number <= LAST_LINE
    )


def _telling_steps(case: CaseResult) -> tuple[TraceStep, ...]:
    """What went wrong, in order; the quiet steps are left out but the numbers stay."""
    told: list[TraceStep] = []
    for step in case.steps:
        if step.state not in {"warn", "bad"}:
            continue
        again = bool(told) and step.because in {one.because for one in told}
        told.append(replace(step, because="") if again else step)
    return tuple(told[:STEPS_SHOWN])

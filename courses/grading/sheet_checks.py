"""What every exercise with a sheet owes its author: references that land where they say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from courses.grading.contract import GradeReport, GradeRequest

Json = Any
HIGHEST_FOR_A_GUESS = 50


def check_references(
    exercise: Mapping[str, Json], grade: Callable[[GradeRequest], GradeReport]
) -> list[str]:
    """Grade each reference. `expect` gives for each its `passed` and a range `score: [low, high]`.

    One that is named a guess (`guess: true`) must not pass and stays below 50 points.
    """
    problems: list[str] = []
    expected: Mapping[str, Mapping[str, Json]] = exercise.get("expect", {})
    for name, text in exercise["references"].items():
        wanted = expected.get(name)
        if wanted is None:
            problems.append(f"The reference “{name}” has no entry under “expect”.")
            continue
        report = grade(GradeRequest(kind=exercise["kind"], exercise=exercise, submission=str(text)))
        low, high = wanted["score"]
        if not low <= report.score <= high:
            problems.append(
                f"The reference “{name}” scored {report.score}; {low} to {high} was declared."
            )
        if report.passed is not wanted["passed"]:
            word = "passed" if report.passed else "did not pass"
            problems.append(f"The reference “{name}” {word}, other than declared.")
        if wanted.get("guess") and report.score > HIGHEST_FOR_A_GUESS:
            problems.append(f"The reference “{name}” is a guess and scored {report.score}.")
    if not any(row.get("passed") for row in expected.values()):
        problems.append("No reference passes, so nobody has shown that the exercise can be passed.")
    if not any(row.get("guess") for row in expected.values()):
        problems.append("No reference guesses; add one that marks without reading.")
    return problems

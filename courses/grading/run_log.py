"""Grade marks in run logs: which line is the first false one, and what is it false about?

A log earns three points: two for the line, one more for what it is false about. A log in which
every line holds is answered “none” and earns all three. Blaming a faultless run, or marking the
same line in every log, fails whatever the score.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from checkride.lib.errors import DomainError
from courses.grading.contract import (
    CaseCheck,
    CaseResult,
    CriterionResult,
    Grader,
    GradeReport,
    GradeRequest,
    Place,
    TraceStep,
)
from courses.grading.digest import grader_digest
from courses.grading.sheet import Field, read_sheet
from courses.grading.sheet_checks import check_references

Json = Any
NAME: Final = "run-log"
VERSION: Final = "1"
_SOURCES: Final = ("courses/grading/run_log.py", "courses/grading/sheet.py")
NONE: Final = "none"
LINE_POINTS, FAULT_POINTS = 2.0, 1.0


def fields(exercise: Mapping[str, Json]) -> tuple[Field, ...]:
    """Two fields a log: the line, and what it is false about."""
    faults = tuple((row["id"], row["says"]) for row in exercise["faults"])
    found: list[Field] = []
    for log in exercise["logs"]:
        lines = tuple((str(n), line) for n, line in enumerate(log["lines"], start=1))
        found.append(
            Field(
                f"{log['id']}.line",
                f"{log['title']}: the first false line",
                (*lines, (NONE, "Every line holds")),
            )
        )
        found.append(Field(f"{log['id']}.fault", f"{log['title']}: false about", faults))
    return tuple(found)


def grade(request: GradeRequest) -> GradeReport:
    exercise = request.exercise
    sheet = read_sheet(request.submission, fields(exercise))
    grader = Grader(NAME, VERSION, grader_digest(_SOURCES, exercise))
    if sheet.problems:
        finding = "The marks could not be read, so nothing was graded."
        return GradeReport(request.kind, 0, False, finding, (), (), grader, sheet.problems)
    marks = [_mark(log, exercise, sheet.answers) for log in exercise["logs"]]
    cases = tuple(case for case, _criterion in marks)
    criteria = [criterion for _case, criterion in marks]
    possible = sum(row.possible for row in criteria)
    score = int(100 * sum(row.points for row in criteria) / possible)
    criteria += [_no_false_blame(exercise, sheet.answers), _no_pattern(exercise, sheet.answers)]
    open_musts = [row for row in criteria if row.must and row.verdict != "met"]
    passed = score >= exercise["pass"]["score"] and not open_musts
    return GradeReport(
        kind=request.kind,
        score=score,
        passed=passed,
        finding=_finding(cases, open_musts, passed=passed),
        criteria=tuple(criteria),
        cases=cases,
        grader=grader,
        details={"answers": dict(sheet.answers)},
    )


def _mark(
    log: Mapping[str, Json], exercise: Mapping[str, Json], answers: Mapping[str, str]
) -> tuple[CaseResult, CriterionResult]:
    marked = answers.get(f"{log['id']}.line", "")
    fault = answers.get(f"{log['id']}.fault", "")
    key = str(log["key"] or NONE)
    line_right = marked == key
    fault_right = line_right and (key == NONE or fault == log.get("fault"))
    words = {row["id"]: row["says"] for row in exercise["faults"]}
    steps = [_about_line(log, marked, right=line_right)]
    if line_right and key != NONE:
        steps.append(_about_fault(log, fault, words, right=fault_right))
    if not fault_right:
        steps.append(_key_step(log, words, number=len(steps) + 1))
    points = LINE_POINTS * line_right + FAULT_POINTS * fault_right
    case = CaseResult(
        id=log["id"],
        title=log["title"],
        shown=True,
        given=log["given"],
        did=_said(marked, fault, words),
        passed=fault_right,
        steps=tuple(steps),
        checks=(
            CaseCheck("the first false line", line_right),
            CaseCheck("what it is false about", fault_right),
        ),
    )
    criterion = CriterionResult(
        id=log["id"],
        says=f"{log['title']}: the first false line, and what it is false about",
        verdict="met" if fault_right else "partly" if line_right else "absent",
        points=points,
        possible=LINE_POINTS + FAULT_POINTS,
        must=False,
        reason=steps[0].says,
        place=Place(node=log["id"]),
    )
    return case, criterion


def _said(marked: str, fault: str, words: Mapping[str, str]) -> str:
    if not marked:
        return "Not answered"
    if marked == NONE:
        return "Every line holds"
    return f"Line {marked}" + (f", false about {words[fault]}" if fault else "")


def _about_line(log: Mapping[str, Json], marked: str, *, right: bool) -> TraceStep:
    notes: Mapping[str, str] = log["notes"]
    if not marked:
        return TraceStep(1, "mark", "You marked no line in this log.", state="bad")
    where = "No line" if marked == NONE else f"Line {marked}"
    because = str(notes.get(marked, ""))
    return TraceStep(1, "mark", f"{where}. {because}", state="good" if right else "bad")


def _about_fault(
    log: Mapping[str, Json], fault: str, words: Mapping[str, str], *, right: bool
) -> TraceStep:
    if not fault:
        says = "You did not say what the line is false about."
    elif right:
        says = f"It is false about {words[fault]}. {log['because']}"
    else:
        says = f"You said that it is false about {words[fault]}. Read the four kinds once more."
    return TraceStep(2, "fault", says, state="good" if right else "bad")


def _key_step(log: Mapping[str, Json], words: Mapping[str, str], *, number: int) -> TraceStep:
    """What is right. The page keeps it back until the exercise is passed or run three times."""
    if not log["key"]:
        return TraceStep(number, "key", f"Every line holds. {log['because']}")
    says = (
        f"Line {log['key']} is the first false line. {log['notes'][str(log['key'])]} "
        f"It is false about {words.get(str(log.get('fault')), '?')}. {log['because']}"
    )
    return TraceStep(number, "key", says)


def _no_false_blame(exercise: Mapping[str, Json], answers: Mapping[str, str]) -> CriterionResult:
    """A must: a run in which nothing is wrong is not blamed."""
    clean = [log for log in exercise["logs"] if not log["key"]]
    blamed = [log for log in clean if answers.get(f"{log['id']}.line") != NONE]
    reason = (
        f"“{blamed[0]['title']}” holds from the first line to the last. Whoever blames it sends "
        "somebody to repair what works."
        if blamed
        else "The run in which every line holds was left alone."
    )
    return CriterionResult(
        id="no-false-blame",
        says="A run without a false line is not blamed",
        verdict="contradicted" if blamed else "met",
        points=0,
        possible=0,
        must=True,
        reason=reason,
        place=Place(node=blamed[0]["id"] if blamed else None),
    )


def _no_pattern(exercise: Mapping[str, Json], answers: Mapping[str, str]) -> CriterionResult:
    """A must against marking without reading: one line number in most logs, or always the last."""
    marked = {
        log["id"]: answers.get(f"{log['id']}.line", "")
        for log in exercise["logs"]
        if answers.get(f"{log['id']}.line", NONE) != NONE
    }
    last = sum(marked.get(log["id"]) == str(len(log["lines"])) for log in exercise["logs"])
    most = max(Counter(marked.values()).values(), default=0)
    many = len(marked) >= 4 and max(most, last) > len(marked) / 2
    if not many:
        reason = "The marks differ from log to log."
    elif last >= most:
        reason = "Most marks stand on the last line. Harm shows there; the error came in above."
    else:
        number = Counter(marked.values()).most_common(1)[0][0]
        reason = f"Most marks stand on line {number}, whatever the log says."
    return CriterionResult(
        id="no-pattern",
        says="Each log was read for itself",
        verdict="contradicted" if many else "met",
        points=0,
        possible=0,
        must=True,
        reason=reason,
    )


def _finding(
    cases: Sequence[CaseResult], open_musts: Sequence[CriterionResult], *, passed: bool
) -> str:
    found = sum(case.checks[0].held for case in cases)
    both = sum(case.passed for case in cases)
    says = f"The first false line in {found} of {len(cases)} logs, its kind as well in {both}."
    if open_musts:
        return f"Not passed: {open_musts[0].reason} {says}"
    return f"{'Passed' if passed else 'Not passed'}. {says}"


def read_submission(request: GradeRequest) -> Json:
    """How many fields are filled in, and what could not be read."""
    wanted = fields(request.exercise)
    sheet = read_sheet(request.submission, wanted)
    return {
        "filled": len(sheet.answers),
        "fields": len(wanted),
        "problems": [row.message for row in sheet.problems],
    }


def check_exercise(exercise: Mapping[str, Json]) -> list[str]:
    """Whole sentences about what is wrong with the exercise; empty when nothing is."""
    try:
        return [*_check_logs(exercise), *check_references(exercise, grade)]
    except DomainError as refusal:
        return [refusal.message]
    except (KeyError, TypeError) as error:
        return [f"The exercise lacks the key {error}."]


def _check_logs(exercise: Mapping[str, Json]) -> list[str]:
    problems = []
    faults = {row["id"] for row in exercise["faults"]}
    for log in exercise["logs"]:
        places = [str(n) for n in range(1, len(log["lines"]) + 1)]
        problems += [
            f"“{log['id']}”: line {place} has no note."
            for place in [*places, NONE]
            if not str(log["notes"].get(place, "")).strip()
        ]
        if log["key"] and str(log["key"]) not in places:
            problems.append(f"“{log['id']}”: there is no line {log['key']}.")
        if log["key"] and log.get("fault") not in faults:
            problems.append(f"“{log['id']}”: “{log.get('fault')}” is no kind of fault.")
    keys = Counter(log["key"] for log in exercise["logs"] if log["key"])
    if keys and max(keys.values()) > len(exercise["logs"]) / 3:
        problems.append("More than a third of the logs have their key in the same line.")
    if all(log["key"] for log in exercise["logs"]):
        problems.append("No log is faultless; a learner would learn to blame every run.")
    return problems

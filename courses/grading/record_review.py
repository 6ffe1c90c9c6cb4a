"""Grade a review of records against a policy: which records break it, and by which rule?

What is right is not written down by the author: the policy's rules are run over the records. A
record in order or with its breach named is worth one point, a question at the end the points that
it says. Two musts stand against flagging everything and against flagging nothing: the grave
breaches are found, and few sound records are blamed.
"""

from __future__ import annotations

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
from courses.grading.sheet import Field, Value, filled, names, read_sheet, rule
from courses.grading.sheet_checks import check_references

Json = Any
NAME: Final = "record-review"
VERSION: Final = "1"
_SOURCES: Final = ("courses/grading/record_review.py", "courses/grading/sheet.py")
SOUND: Final = "in-order"


def fields(exercise: Mapping[str, Json]) -> tuple[Field, ...]:
    """One verdict a record, then the questions."""
    verdicts = ((SOUND, "In order"), *((row["id"], row["short"]) for row in exercise["rules"]))
    found = [
        Field(f"{record['id']}.verdict", f"Record {record['id']}", verdicts)
        for record in exercise["records"]
    ]
    found += [
        Field(
            f"{question['id']}.answer",
            question["says"],
            tuple((option["id"], option["text"]) for option in question["options"]),
        )
        for question in exercise["questions"]
    ]
    return tuple(found)


def broken_rules(exercise: Mapping[str, Json], record: Mapping[str, Json]) -> tuple[str, ...]:
    """The ids of the rules that a record breaks: a rule asks something of records it applies to."""
    values = _values(record)
    return tuple(
        row["id"]
        for row in exercise["rules"]
        if rule(row["applies"])(values) and not rule(row["asks"])(values)
    )


def _values(record: Mapping[str, Json]) -> dict[str, Value]:
    """What the table shows of a record, and its `facts`: what a reader has to find in its text."""
    told = {**record, **record.get("facts", {})}
    return {str(name).replace("-", "_"): value for name, value in told.items() if name != "facts"}


def grade(request: GradeRequest) -> GradeReport:
    exercise = request.exercise
    sheet = read_sheet(request.submission, fields(exercise))
    grader = Grader(NAME, VERSION, grader_digest(_SOURCES, exercise))
    if sheet.problems:
        finding = "The review could not be read, so nothing was graded."
        return GradeReport(request.kind, 0, False, finding, (), (), grader, sheet.problems)
    cases = [_record(exercise, record, sheet.answers) for record in exercise["records"]]
    right = sum(case.passed for case in cases)
    criteria = [
        CriterionResult(
            id="records",
            says="Each record is judged by the policy",
            verdict="met" if right == len(cases) else "partly" if right else "absent",
            points=right,
            possible=len(cases),
            must=False,
            reason=f"{right} of {len(cases)} records are judged as the policy judges them.",
        )
    ]
    for question in exercise["questions"]:
        case, criterion = _question(question, sheet.answers)
        cases.append(case)
        criteria.append(criterion)
    possible = sum(row.possible for row in criteria)
    score = int(100 * sum(row.points for row in criteria) / possible)
    criteria += [_grave(exercise, sheet.answers), _false_alarms(exercise, sheet.answers)]
    open_musts = [row for row in criteria if row.must and row.verdict != "met"]
    passed = score >= exercise["pass"]["score"] and not open_musts
    return GradeReport(
        kind=request.kind,
        score=score,
        passed=passed,
        finding=_finding(criteria, open_musts, passed=passed),
        criteria=tuple(criteria),
        cases=tuple(cases),
        grader=grader,
        details={"answers": dict(sheet.answers)},
    )


def _record(
    exercise: Mapping[str, Json], record: Mapping[str, Json], answers: Mapping[str, str]
) -> CaseResult:
    broken = broken_rules(exercise, record)
    said = answers.get(f"{record['id']}.verdict", "")
    right = said in broken if broken else said == SOUND
    words = {SOUND: "In order", **{row["id"]: row["short"] for row in exercise["rules"]}}
    steps = [_about_verdict(exercise, record, said, broken, right=right)]
    if not right:
        steps.append(TraceStep(2, "key", _why(exercise, record, broken)))
    return CaseResult(
        id=record["id"],
        title=f"Record {record['id']}",
        shown=True,
        given=", ".join(
            f"{row['name']}: {_shown(record[row['id']])}" for row in exercise["columns"]
        ),
        did=words.get(said, "Not judged"),
        passed=right,
        steps=tuple(steps),
        checks=(CaseCheck("judged as the policy judges it", right),),
    )


def _shown(value: Value) -> str:
    if value is None or value == "":
        return "empty"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _about_verdict(
    exercise: Mapping[str, Json],
    record: Mapping[str, Json],
    said: str,
    broken: Sequence[str],
    *,
    right: bool,
) -> TraceStep:
    """What the policy says to this very verdict, without saying what would have been right."""
    if right:
        return TraceStep(1, "verdict", _why(exercise, record, broken), state="good")
    if not said:
        return TraceStep(1, "verdict", "You did not judge this record.", state="bad")
    if said == SOUND:
        says = "A rule of the policy applies to this record and is not kept."
        return TraceStep(1, "verdict", says, state="bad")
    row = next(row for row in exercise["rules"] if row["id"] == said)
    values = _values(record)
    if not rule(row["applies"])(values):
        says = f"The rule does not apply here: {filled(row['spared'], values)}"
    else:
        says = f"The rule applies, and it is kept: {filled(row['kept'], values)}"
    return TraceStep(1, "verdict", says, state="bad")


def _why(exercise: Mapping[str, Json], record: Mapping[str, Json], broken: Sequence[str]) -> str:
    if not broken:
        return "Every rule that applies to this record is kept."
    values = _values(record)
    rows = [row for row in exercise["rules"] if row["id"] in broken]
    return " ".join(f"{row['says']} {filled(row['broken'], values)}" for row in rows)


def _question(
    question: Mapping[str, Json], answers: Mapping[str, str]
) -> tuple[CaseResult, CriterionResult]:
    said = answers.get(f"{question['id']}.answer", "")
    chosen = next((row for row in question["options"] if row["id"] == said), None)
    key = next(row for row in question["options"] if row.get("key"))
    right = chosen is key
    if chosen is None:
        steps = [TraceStep(1, "answer", "You did not answer.", state="bad")]
    else:
        says = chosen["why"] if right else chosen["but"]
        steps = [TraceStep(1, "answer", says, state="good" if right else "bad")]
    if not right:
        steps.append(TraceStep(2, "key", f"{key['text']} {key['why']}"))
    case = CaseResult(
        id=question["id"],
        title=question["title"],
        shown=True,
        given=question["says"],
        did=chosen["text"] if chosen else "Not answered",
        passed=right,
        steps=tuple(steps),
        checks=(CaseCheck(question["title"], right),),
    )
    points = float(question["points"])
    return case, CriterionResult(
        id=question["id"],
        says=question["title"],
        verdict="met" if right else "absent",
        points=points if right else 0,
        possible=points,
        must=False,
        reason=steps[0].says,
        place=Place(node=question["id"]),
    )


def _grave(exercise: Mapping[str, Json], answers: Mapping[str, str]) -> CriterionResult:
    """A must: the breaches of the rules that the policy calls grave are found."""
    grave = {row["id"] for row in exercise["rules"] if row.get("grave")}
    missed = [
        record["id"]
        for record in exercise["records"]
        if grave & set(broken_rules(exercise, record))
        and answers.get(f"{record['id']}.verdict", SOUND) == SOUND
    ]
    return CriterionResult(
        id="grave-breaches",
        says="No grave breach is passed as in order",
        verdict="contradicted" if missed else "met",
        points=0,
        possible=0,
        must=True,
        reason=(
            f"{len(missed)} grave {'breach was' if len(missed) == 1 else 'breaches were'} passed "
            "as in order."
            if missed
            else "Every grave breach was flagged."
        ),
    )


def _false_alarms(exercise: Mapping[str, Json], answers: Mapping[str, str]) -> CriterionResult:
    """A must against flagging everything: few records in order are flagged."""
    most = int(exercise["pass"]["false_alarms"])
    alarms = [
        record["id"]
        for record in exercise["records"]
        if not broken_rules(exercise, record)
        and answers.get(f"{record['id']}.verdict", SOUND) != SOUND
    ]
    many = len(alarms) > most
    return CriterionResult(
        id="false-alarms",
        says=f"At most {most} records in order are flagged",
        verdict="contradicted" if many else "met",
        points=0,
        possible=0,
        must=True,
        reason=(
            f"{len(alarms)} records in order were flagged; an owner who has looked into {most} of "
            "these for nothing stops reading the list."
            if many
            else f"{len(alarms)} records in order were flagged."
        ),
    )


def _finding(
    criteria: Sequence[CriterionResult], open_musts: Sequence[CriterionResult], *, passed: bool
) -> str:
    says = criteria[0].reason
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
        return [*_check_records(exercise), *check_references(exercise, grade)]
    except DomainError as refusal:
        return [refusal.message]
    except (KeyError, TypeError) as error:
        return [f"The exercise lacks the key {error}."]


def _check_records(exercise: Mapping[str, Json]) -> list[str]:
    problems: list[str] = []
    columns = {row["id"].replace("-", "_") for row in exercise["columns"]}
    columns |= {
        name.replace("-", "_") for record in exercise["records"] for name in record.get("facts", {})
    }
    seen: set[str] = set()
    for row in exercise["rules"]:
        unknown = (names(row["applies"]) | names(row["asks"])) - columns
        problems += [f"The rule “{row['id']}” asks for “{name}”." for name in sorted(unknown)]
    for record in exercise["records"]:
        broken = broken_rules(exercise, record)
        seen |= set(broken)
        if len(broken) > 1:
            problems.append(f"Record {record['id']} breaks {len(broken)} rules; let it break one.")
        missing = columns - _values(record).keys()
        problems += [f"Record {record['id']} lacks “{name}”." for name in sorted(missing)]
    problems += [
        f"No record breaks the rule “{row['id']}”."
        for row in exercise["rules"]
        if row["id"] not in seen
    ]
    for question in exercise["questions"]:
        keys = sum(bool(row.get("key")) for row in question["options"])
        if keys != 1:
            problems.append(f"“{question['id']}” has {keys} keys.")
        problems += [
            f"“{question['id']}”: “{row['id']}” is not explained."
            for row in question["options"]
            if not row.get("why" if row.get("key") else "but")
        ]
    return problems

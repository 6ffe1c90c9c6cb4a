"""Grade a plan that was filled into a table: who does what, and what comes of it.

Each row of the table is a kind of act, each column a choice. Three things judge the plan, and each
explains itself in the author's words with the figures put in:

- rules over single rows ("whoever asks does not approve");
- sums over all rows, held against a limit (minutes a day of one role, harm that gets through);
- cases that are run through the plan, each with what it meets there and whether that was right.

Leaving a row open counts as a broken rule for it, so an empty plan earns nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
NAME: Final = "plan-table"
VERSION: Final = "1"
_SOURCES: Final = ("courses/grading/plan_table.py", "courses/grading/sheet.py")
# Six rows that break one rule are one thing to learn.
MOST_REASONS: Final = 2


def fields(exercise: Mapping[str, Json]) -> tuple[Field, ...]:
    """A field for each row and column."""
    return tuple(
        Field(
            f"{row['id']}.{column['id']}",
            f"{row['says']}: {column['says']}",
            tuple((choice["id"], choice["says"]) for choice in column["choices"]),
        )
        for row in exercise["rows"]
        for column in exercise["columns"]
    )


def grade(request: GradeRequest) -> GradeReport:
    exercise = request.exercise
    sheet = read_sheet(request.submission, fields(exercise))
    grader = Grader(NAME, VERSION, grader_digest(_SOURCES, exercise))
    if sheet.problems:
        finding = "The plan could not be read, so nothing was graded."
        return GradeReport(request.kind, 0, False, finding, (), (), grader, sheet.problems)
    plan = _plan(exercise, sheet.answers)
    cases = tuple(_run(exercise, case, plan) for case in exercise["cases"])
    criteria = [
        *(_judge_rows(exercise, row, plan) for row in exercise["rules"]),
        *(_judge_sum(exercise, row, plan) for row in exercise["sums"]),
        _judge_cases(exercise, cases),
    ]
    possible = sum(row.possible for row in criteria)
    score = int(100 * sum(row.points for row in criteria) / possible)
    open_musts = [row for row in criteria if row.must and row.verdict != "met"]
    passed = score >= exercise["pass"]["score"] and not open_musts
    return GradeReport(
        kind=request.kind,
        score=score,
        passed=passed,
        finding=_finding(cases, criteria, open_musts, passed=passed),
        criteria=tuple(criteria),
        cases=cases,
        grader=grader,
        details={"answers": dict(sheet.answers), "sums": _sums(exercise, plan)},
    )


def _plan(
    exercise: Mapping[str, Json], answers: Mapping[str, str]
) -> dict[str, dict[str, Value] | None]:
    """Each row as values, None where it is open. A row sees the choices of all the others too, as
    `plan.new_payee.approves`, since some rules are about two rows that must not meet."""
    whole: dict[str, Value] = {
        f"plan.{name.replace('-', '_')}": value for name, value in answers.items()
    }
    rows = {row["id"]: _planned(exercise, row, answers) for row in exercise["rows"]}
    return {name: None if row is None else {**whole, **row} for name, row in rows.items()}


def _planned(
    exercise: Mapping[str, Json], row: Mapping[str, Json], answers: Mapping[str, str]
) -> dict[str, Value] | None:
    """What a row says as values: its facts, each choice, and the facts of each choice.

    None when a choice is missing.
    """
    values: dict[str, Value] = {**row.get("facts", {}), "act": row["says"], "row": row["id"]}
    for column in exercise["columns"]:
        chosen = answers.get(f"{row['id']}.{column['id']}")
        if chosen is None:
            return None
        choice = next(one for one in column["choices"] if one["id"] == chosen)
        name = column["id"].replace("-", "_")
        values[name] = chosen
        values[f"{name}.says"] = choice["says"]
        for fact, value in choice.get("facts", {}).items():
            values[f"{name}.{fact}"] = value
    return values


Plan = Mapping[str, Mapping[str, Value] | None]


def _applied(
    row: Mapping[str, Json], plan: Plan
) -> Iterator[tuple[str, Mapping[str, Value] | None]]:
    """The rows of the plan that a rule is about; an open row is always about itself."""
    wanted = row.get("rows")
    for row_id, values in plan.items():
        if wanted is not None and row_id not in wanted:
            continue
        if values is None or rule(row.get("applies", "True"))(values):
            yield row_id, values


def _judge_rows(
    exercise: Mapping[str, Json], row: Mapping[str, Json], plan: Plan
) -> CriterionResult:
    about = list(_applied(row, plan))
    broken = [
        (row_id, values)
        for row_id, values in about
        if values is None or not rule(row["asks"])(values)
    ]
    says = {one["id"]: one["says"] for one in exercise["rows"]}
    reasons = []
    for row_id, values in broken:
        if values is None:
            reasons.append(f"“{says[row_id]}” is not filled in.")
        else:
            told = filled(row["broken"], values)
            reasons.append(told[:1].upper() + told[1:])
    if len(reasons) > MOST_REASONS:
        more = len(reasons) - MOST_REASONS
        rest = "It is so in one more row." if more == 1 else f"It is so in {more} more rows."
        reasons = [*reasons[:MOST_REASONS], rest]
    held = len(about) - len(broken)
    share = held / len(about) if about else 1.0
    return CriterionResult(
        id=row["id"],
        says=row["says"],
        verdict="met" if not broken else "partly" if held and not row.get("must") else "absent",
        points=round(row["points"] * share, 2),
        possible=row["points"],
        must=bool(row.get("must")),
        reason=" ".join(reasons) or row["kept"],
        place=Place(node=broken[0][0] if broken else None),
    )


def _sum(row: Mapping[str, Json], plan: Plan) -> float:
    total = 0.0
    for values in plan.values():
        if values is not None and rule(row.get("applies", "True"))(values):
            amount = rule(row["adds"])(values)
            total += float(amount) if isinstance(amount, int | float) else 0.0
    return round(total, 2)


def _sums(exercise: Mapping[str, Json], plan: Plan) -> list[dict[str, Json]]:
    """Each sum with its limit, for the page."""
    return [
        {"id": row["id"], "says": row["says"], "unit": row["unit"], "total": _sum(row, plan),
         "limit": row["limit"]}
        for row in exercise["sums"]
    ]  # fmt: skip


def _judge_sum(
    exercise: Mapping[str, Json], row: Mapping[str, Json], plan: Plan
) -> CriterionResult:
    total, limit = _sum(row, plan), row["limit"]
    is_open = any(values is None for values in plan.values())
    held = total <= limit and not is_open
    values: dict[str, Value] = {"total": total, "limit": limit}
    reason = filled(row["kept"] if held else row["broken"], values)
    if is_open:
        reason = "Rows of the plan are open, so the sum says nothing yet."
    return CriterionResult(
        id=row["id"],
        says=row["says"],
        verdict="met" if held else "absent",
        points=row["points"] if held else 0,
        possible=row["points"],
        must=bool(row.get("must")),
        reason=reason,
    )


def _run(exercise: Mapping[str, Json], case: Mapping[str, Json], plan: Plan) -> CaseResult:
    """Let one case meet the plan: the first station that stops it decides.

    Stations are the exercise's `stations`, in order; each has `stops`, a rule over the row's values
    and the case's facts. A case has a `right` end, “goes through” or “is stopped”.
    """
    planned = plan.get(case["row"])
    steps: list[TraceStep] = []
    stopped = False
    if planned is None:
        steps.append(TraceStep(1, "open", "The plan says nothing on this act.", state="bad"))
    else:
        values = {**planned, **{f"case.{name}": value for name, value in case["facts"].items()}}
        for station in exercise["stations"]:
            if not rule(station.get("applies", "True"))(values):
                continue
            stopped = bool(rule(station["stops"])(values))
            says = filled(station["stopped" if stopped else "passed"], values)
            if says:
                says = says[:1].upper() + says[1:]
                steps.append(TraceStep(len(steps) + 1, "station", says))
            if stopped:
                break
    did = "is stopped" if stopped else "goes through"
    right = planned is not None and did == case["right"]
    told = case["good"] if right else case["bad"]
    steps.append(TraceStep(len(steps) + 1, "end", told, state="good" if right else "bad"))
    return CaseResult(
        id=case["id"],
        title=case["title"],
        shown=bool(case.get("shown", True)),
        given=case["given"],
        did=f"The case {did}." if planned is not None else "The plan says nothing on it.",
        passed=right,
        steps=tuple(steps),
        checks=(CaseCheck(f"It should be so that it {case['right']}", right),),
    )


def _judge_cases(exercise: Mapping[str, Json], cases: Sequence[CaseResult]) -> CriterionResult:
    right = sum(case.passed for case in cases)
    points = exercise["pass"]["case_points"]
    return CriterionResult(
        id="cases",
        says="Cases end as they should",
        verdict="met" if right == len(cases) else "partly" if right else "absent",
        points=round(points * right / len(cases), 2),
        possible=points,
        must=False,
        reason=f"{right} of {len(cases)} cases end as they should.",
    )


def _finding(
    cases: Sequence[CaseResult],
    criteria: Sequence[CriterionResult],
    open_musts: Sequence[CriterionResult],
    *,
    passed: bool,
) -> str:
    right = sum(case.passed for case in cases)
    kept = sum(row.verdict == "met" for row in criteria if row.id != "cases")
    says = (
        f"{kept} of {len(criteria) - 1} rules are kept; {right} of {len(cases)} cases end as they "
        "should."
    )
    if open_musts:
        return f"Not passed, since a must is open: “{open_musts[0].says}”. {says}"
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
        return [*_check_rules(exercise), *check_references(exercise, grade)]
    except DomainError as refusal:
        return [refusal.message]
    except (KeyError, TypeError) as error:
        return [f"The exercise lacks the key {error}."]


def _check_rules(exercise: Mapping[str, Json]) -> list[str]:
    problems: list[str] = []
    rows = {row["id"] for row in exercise["rows"]}
    known = {"act", "row"} | {name for row in exercise["rows"] for name in row.get("facts", {})}
    for column in exercise["columns"]:
        name = column["id"].replace("-", "_")
        known |= {name, f"{name}.says"}
        known |= {f"{name}.{fact}" for one in column["choices"] for fact in one.get("facts", {})}
    known |= {f"plan.{field.name.replace('-', '_')}" for field in fields(exercise)}
    with_case = known | {f"case.{name}" for case in exercise["cases"] for name in case["facts"]}
    for row in exercise["rules"]:
        used = names(row.get("applies", "True")) | names(row["asks"])
        problems += [f"The rule “{row['id']}” asks for “{one}”." for one in sorted(used - known)]
        problems += [
            f"The rule “{row['id']}” is about “{one}”, which is no row."
            for one in sorted(set(row.get("rows", rows)) - rows)
        ]
    for row in exercise["sums"]:
        used = names(row.get("applies", "True")) | names(row["adds"])
        problems += [f"The sum “{row['id']}” asks for “{one}”." for one in sorted(used - known)]
    for station in exercise["stations"]:
        used = names(station.get("applies", "True")) | names(station["stops"])
        problems += [
            f"The station “{station['id']}” asks for “{one}”." for one in sorted(used - with_case)
        ]
    for case in exercise["cases"]:
        if case["row"] not in rows:
            problems.append(f"The case “{case['id']}” is about “{case['row']}”, which is no row.")
        if case["right"] not in {"goes through", "is stopped"}:
            problems.append(f"The case “{case['id']}” ends in “{case['right']}”.")
    ends = {case["right"] for case in exercise["cases"]}
    if len(ends) < 2:
        problems.append(
            "All cases end alike, so a plan that stops everything, or nothing, is best."
        )
    return problems

"""Grade a workflow map by what it does: checks first, then exact sums and a simulation.

A map is never compared with a sample. An open gate stops the run; an open must, or a measure with
no points at all, caps the total. The other measures give points between a `full` and a `zero`
limit, each on several days (scenarios) with limits of their own.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from checkride.lib.errors import DomainError
from courses.grading.contract import (
    CaseCheck,
    CaseResult,
    CriterionResult,
    Grader,
    GradeReport,
    GradeRequest,
    Place,
    Problem,
    TraceStep,
    Verdict,
)
from courses.grading.digest import grader_digest
from courses.simulators.workflows import checks, outline, reading, writing
from courses.simulators.workflows.baselines import DEGENERATE, front
from courses.simulators.workflows.draw import draw
from courses.simulators.workflows.exact import TooManyStates
from courses.simulators.workflows.measure import (
    MAX_DOUBLINGS,
    MEASURES,
    Measure,
    Measured,
    Value,
    first_arrival_ms,
    measure,
)
from courses.simulators.workflows.model import BadMap, Finding, MapProblem, WorkflowMap
from courses.simulators.workflows.program import PAID, compile_map
from courses.simulators.workflows.replay import (
    Replay,
    choose_cases,
    money_text,
    replay,
    time_text,
)
from courses.simulators.workflows.simulate import (
    MICRO,
    TooManySteps,
    TooManyTokens,
    settle,
    start_run,
)
from courses.simulators.workflows.streams import Streams
from courses.simulators.workflows.world import BadWorld, World, read_world

Json = Any
Band = Literal["met", "close", "too high", "too low"]

KIND = "workflow_map"
NAME = "workflow-map engines"
VERSION = "1.1"
SOURCES = ("courses/grading/workflow_map.py", "courses/simulators/workflows")
POINTS_PER_CHECK = 2.0
POINTS_PER_SUPERFLUOUS_STEP = 0.5
MAX_RUN_CASES = 200_000
MIN_REFERENCE = 95

_HIGHER_IS_BETTER: frozenset[Measure] = frozenset({"good_served"})
_UNITS: Mapping[Measure, str] = {
    "harm_per_case": "dollars",
    "cost_per_case": "dollars",
    "good_served": "share",
    "cycle_p90_min": "minutes",
    "staff_load": "share",
}
_CASE_TITLES = {
    "largest_harm": "The costliest",
    "typical_escape": "A typical one that got through",
    "longest_wait": "The longest wait",
    "good_refused": "A good customer not served",
    "good_catch": "A good catch",
    "time_out": "Nobody answered",
    "chosen": "The case you chose",
}


class BadExercise(DomainError):
    code = "bad-map-exercise"
    sentence = "The exercise cannot be graded: {problem}"

    def __init__(self, problem: str) -> None:
        super().__init__(problem=problem)


@dataclass(frozen=True, slots=True)
class Limits:
    """Full points at `full` or better, none at `zero` or worse, in a straight line between."""

    full: float
    zero: float

    def utility(self, value: float) -> float:
        return min(max((value - self.zero) / (self.full - self.zero), 0.0), 1.0)

    def band(self, value: float) -> Band:
        utility = self.utility(value)
        if utility >= 1:
            return "met"
        if utility > 0:
            return "close"
        return "too high" if self.full < self.zero else "too low"


@dataclass(frozen=True, slots=True)
class Target:
    measure: Measure
    says: str
    limits: Limits
    weight: float
    days: Literal["worst", "mean"]


@dataclass(frozen=True, slots=True)
class Scenario:
    id: str
    title: str
    shown: bool
    world: World
    limits: Mapping[Measure, Limits]


@dataclass(frozen=True, slots=True)
class Task:
    """A parsed exercise: worlds, targets and rules."""

    scenarios: tuple[Scenario, ...]
    targets: tuple[Target, ...]
    gates: tuple[str, ...]
    musts: tuple[str, ...]
    cap: int
    static_points: int
    pass_mark: int
    cases: int
    replications: int
    doublings: int = MAX_DOUBLINGS

    @property
    def world(self) -> World:
        return self.scenarios[0].world


@dataclass(frozen=True, slots=True)
class Scored:
    """A target with its value on the first day and its utility over all days."""

    target: Target
    value: Value
    utility: float
    by_day: tuple[tuple[Scenario, Value, Limits, float], ...]


# -- the exercise ------------------------------------------------------------------------------


def read_task(exercise: Mapping[str, Json]) -> Task:
    """The rules of an exercise document. Raises `BadExercise` or `BadWorld`."""
    if exercise.get("kind") != KIND:
        raise BadExercise(f"its kind is “{exercise.get('kind')}”, not “{KIND}”.")
    rows = _get(exercise, "scenarios", list)
    if not rows:
        raise BadExercise("it has no scenario.")
    run = _get(exercise, "run", dict)
    cases, replications = _whole(run, "cases"), _whole(run, "replications")
    if cases * replications > MAX_RUN_CASES:
        raise BadExercise(f"a run of more than {MAX_RUN_CASES:,} cases takes too long.")
    targets = _get(exercise, "targets", dict)
    for name in targets:
        if name not in MEASURES:
            raise BadExercise(f"nobody measures “{name}”; known are {', '.join(MEASURES)}.")
    gates = _codes(exercise, "gates", checks.GATES)
    musts = _codes(exercise, "musts", checks.MUSTS)
    if not targets:
        raise BadExercise("it has no target.")
    return Task(
        scenarios=tuple(_scenario(exercise, row) for row in rows),
        targets=tuple(_target(name, row) for name, row in targets.items()),
        gates=gates,
        musts=musts,
        cap=_points(exercise, "cap", 49),
        static_points=_points(exercise, "static_points", 10),
        pass_mark=_points(exercise, "pass", 70),
        cases=cases,
        replications=replications,
        doublings=_doublings(run),
    )


def _doublings(run: Mapping[str, Json]) -> int:
    value = run.get("doublings", MAX_DOUBLINGS)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_DOUBLINGS:
        raise BadExercise(f"“run.doublings” must be a whole number from 0 to {MAX_DOUBLINGS}.")
    return value


def _get(data: Mapping[str, Json], key: str, kind: type) -> Any:
    value = data.get(key)
    if not isinstance(value, kind):
        raise BadExercise(f"“{key}” is missing or of the wrong kind.")
    return value


def _codes(data: Mapping[str, Json], key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = data.get(key, list(default))
    if not isinstance(value, list) or not all(str(code) in checks.SAYS for code in value):
        raise BadExercise(f"“{key}” is a list of checks such as W01.")
    # The engines rely on the gates of the map's shape, whatever an exercise says.
    return tuple(dict.fromkeys([*value, *(checks.GATES if key == "gates" else ())]))


def _points(data: Mapping[str, Json], key: str, default: int) -> int:
    value = data.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 100:
        raise BadExercise(f"“{key}” must be a whole number of points from 0 to 100.")
    return value


def _whole(data: Mapping[str, Json], key: str) -> int:
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadExercise(f"“run.{key}” must be a whole number from 1.")
    return value


def _limits(name: str, row: Json) -> Limits:
    if not isinstance(row, dict):
        raise BadExercise(f"“{name}” needs the numbers “full” and “zero”.")
    full, zero = row.get("full"), row.get("zero")
    for value in (full, zero):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise BadExercise(f"“{name}” needs the numbers “full” and “zero”.")
    assert full is not None  # noqa: S101
    assert zero is not None  # noqa: S101
    if full == zero or (full > zero) != (name in _HIGHER_IS_BETTER):
        raise BadExercise(f"“full” of “{name}” must be better than “zero”.")
    return Limits(float(full), float(zero))


def _target(name: Any, row: Json) -> Target:
    if not isinstance(row, dict):
        raise BadExercise(f"“{name}” needs limits and a weight.")
    days = row.get("days", "mean")
    if days not in ("worst", "mean"):
        raise BadExercise(f"“days” of “{name}” is “worst” or “mean”.")
    weight = row.get("weight")
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or weight <= 0:
        raise BadExercise(f"“{name}” needs a weight above 0.")
    return Target(name, str(row.get("says", name)), _limits(name, row), float(weight), days)


def _scenario(exercise: Mapping[str, Json], row: Json) -> Scenario:
    if not isinstance(row, dict):
        raise BadExercise("a scenario is a map of settings.")
    rows = row.get("limits") or {}
    if not isinstance(rows, dict) or not set(rows) <= set(MEASURES):
        raise BadExercise(f"the limits of a scenario are for {', '.join(MEASURES)}.")
    limits = {name: _limits(name, value) for name, value in rows.items()}
    return Scenario(
        id=str(row.get("id", "")),
        title=str(row.get("title", row.get("id", ""))),
        shown=bool(row.get("shown", False)),
        world=read_world(exercise, row.get("set")),
        limits=limits,
    )


# -- reading without running -------------------------------------------------------------------


def read_submission(request: GradeRequest) -> dict[str, Json]:
    """What can be said of a map at once, without running it: for the page beside the editor.

    The result holds `problems` (each with message, line, node, edge) and, if there are none,
    `map` (JSON form), `text` (text form), `outline`, `walk_through`, `findings` and `svg`.
    """
    world = read_world(request.exercise)
    try:
        map_ = reading.read_map(
            request.submission, blocks=world.kinds, visible=world.visible, options=world.choices
        )
    except BadMap as error:
        return {"problems": [asdict(problem) for problem in error.problems]}
    findings = checks.run_checks(map_, world)
    return {
        "problems": [],
        "map": writing.to_json(map_),
        "text": writing.to_text(map_),
        "outline": outline.outline_json(outline.outline(map_, world)),
        "walk_through": list(outline.walk_through(map_, world)),
        "findings": [finding_json(finding, map_) for finding in findings],
        "svg": draw(map_, findings, world.high_risk),
    }


def finding_json(finding: Finding, map_: WorkflowMap) -> dict[str, Json]:
    """`nodes` are the steps concerned, `edges` the ways along `path`, as sentences."""
    nodes = list(dict.fromkeys([*finding.path, *([finding.node] if finding.node else [])]))
    hops = set(itertools.pairwise(finding.path))
    ways = [edge.sentence for edge in map_.edges if (edge.src, edge.dst) in hops]
    if finding.edge is not None and finding.edge not in ways:
        ways.append(finding.edge)
    return {
        "nodes": nodes,
        "edges": ways,
        "code": finding.code,
        "severity": finding.severity,
        "heading": checks.SAYS.get(finding.code, ""),
        "says": finding.says,
        "path": list(finding.path),
        "node": finding.node,
        "edge": finding.edge,
    }


# -- grading -----------------------------------------------------------------------------------


def grade(request: GradeRequest) -> GradeReport:
    """Read, check, run and score one map. The same request gives the same report, bit for bit.

    Raises `BadExercise` or `BadWorld` when the exercise itself cannot be used; a map that cannot
    be run gives a report with `problems` and no points.
    """
    task = read_task(request.exercise)
    try:
        map_ = reading.read_map(
            request.submission,
            blocks=task.world.kinds,
            visible=task.world.visible,
            options=task.world.choices,
        )
    except BadMap as error:
        return _not_run(
            [_problem(problem) for problem in error.problems],
            "The map cannot be read, so nothing was run.",
            grader(request.exercise),
        )
    return grade_map(task, map_, request.seed, grader(request.exercise))


def grade_map(task: Task, map_: WorkflowMap, seed: str, by: Grader) -> GradeReport:
    """Grade a map that has been read already."""
    findings = checks.run_checks(map_, task.world)
    stopped = [finding for finding in findings if finding.code in task.gates]
    if stopped:
        return _not_run(
            [
                Problem(
                    finding.says,
                    Place(node=finding.node, edge=finding.edge),
                    finding.code,
                )
                for finding in stopped
            ],
            "The map cannot run, so it was not graded. The place is marked.",
            by,
            [finding_json(finding, map_) for finding in findings],
        )
    streams = Streams(seed, task.cases, task.replications)
    measured: list[Measured] = []
    try:
        for scenario in task.scenarios:
            program = compile_map(map_, scenario.world)
            limits = _limits_of(task, scenario)
            measured.append(measure(program, streams, limits, task.doublings))
    except (TooManyStates, TooManyTokens, TooManySteps) as error:
        return _not_run(
            [Problem(error.message, code=error.code)],
            "The map is too large to run.",
            by,
            [finding_json(finding, map_) for finding in findings],
        )
    findings = (*findings, *_overloads(measured[0], map_))
    return _report(task, map_, measured, findings, by)


def _limits_of(task: Task, scenario: Scenario) -> dict[Measure, tuple[float, float]]:
    """Where each measure changes its band on this day."""
    found = {}
    for target in task.targets:
        limits = scenario.limits.get(target.measure, target.limits)
        found[target.measure] = (limits.full, limits.zero)
    return found


def _overloads(measured: Measured, map_: WorkflowMap) -> Iterable[Finding]:
    """W24: each pool has less work than its people can do, on the ordinary day."""
    for pool in measured.pools:
        offered = measured.exact.loads[pool.block]
        if offered < 1:
            continue
        steps = tuple(node.id for node in map_.nodes if node.block == pool.block)
        people = {1: "One person gets", 2: "Two people get", 3: "Three people get"}.get(
            pool.staff, f"{pool.staff} people get"
        )
        grows = "the queue grows for ever"
        if any(node.patience_s for node in map_.nodes if node.id in steps):
            grows = "only those who give up keep the queue short"
        yield Finding(
            "W24",
            "warning",
            f"{pool.name}: {people} {offered:.2f} times the work they can do, so {grows}.",
            steps,
            node=steps[0],
        )


def _problem(problem: MapProblem) -> Problem:
    return Problem(problem.message, Place(problem.line, problem.node, problem.edge), code="bad-map")


def _not_run(
    problems: list[Problem], finding: str, by: Grader, findings: list[dict[str, Json]] | None = None
) -> GradeReport:
    return GradeReport(
        kind=KIND,
        score=0,
        passed=False,
        finding=finding,
        criteria=(),
        cases=(),
        grader=by,
        problems=tuple(problems),
        details={"findings": findings or []},
    )


def _report(
    task: Task,
    map_: WorkflowMap,
    measured: list[Measured],
    findings: tuple[Finding, ...],
    by: Grader,
) -> GradeReport:
    scored = [_score(task, target, measured) for target in task.targets]
    weights = sum(row.target.weight for row in scored)
    share = (100 - task.static_points) / weights
    open_musts = [code for code in task.musts if any(f.code == code for f in findings)]
    graded = [code for code in checks.WARNINGS if code not in (*task.musts, *task.gates)]
    open_checks = sorted({f.code for f in findings if f.code in graded})
    extra = checks.superfluous(map_, task.world)
    static = max(
        task.static_points
        - POINTS_PER_CHECK * len(open_checks)
        - POINTS_PER_SUPERFLUOUS_STEP * len(extra),
        0.0,
    )
    targets_points = sum(row.utility * row.target.weight * share for row in scored)
    raw = targets_points + static
    at_zero = [row.target for row in scored if row.utility == 0]
    cap = "must" if open_musts else "measure" if at_zero else None
    total = min(raw, task.cap) if cap else raw
    # Sums of binary fractions may fall a hair short of the whole number that they mean.
    score = int(total + 1e-9)
    passed = score >= task.pass_mark and not open_musts
    criteria = (
        *(_target_criterion(row, share) for row in scored),
        _checks_criterion(task, static, open_checks, extra, findings, map_),
        *(_must_criterion(code, findings) for code in task.musts),
    )
    first = measured[0]
    replays = {
        rule: replay(first.run, first.settled, case)
        for rule, case in choose_cases(first.run, first.settled).items()
    }
    here = first.values
    details: dict[str, Json] = {
        "targets": [_target_json(row, share) for row in scored],
        "targets_of_100": round(targets_points / (100 - task.static_points) * 100, 1),
        "checks": {
            "held": [code for code in graded if code not in open_checks],
            "open": open_checks,
            "superfluous": list(extra),
            "points": static,
            "possible": task.static_points,
        },
        "findings": [finding_json(finding, map_) for finding in findings],
        "cap": cap,
        "before_cap": round(raw, 2),
        "harm_plus_cost": here["harm_per_case"].value + here["cost_per_case"].value,
        "scenarios": [
            _scenario_json(scenario, result, _day_score(task, scored, day, static, open_musts))
            for day, (scenario, result) in enumerate(zip(task.scenarios, measured, strict=True))
        ],
        "front": _front_json(task, first),
        "replays": {rule: _replay_json(told, first) for rule, told in replays.items()},
        "run": {
            "cases": task.cases,
            "replications": task.replications,
            "total": task.cases * sum(result.replications for result in measured),
        },
    }
    return GradeReport(
        kind=KIND,
        score=score,
        passed=passed,
        finding=_finding(task, scored, open_musts, at_zero, open_checks, findings, passed),
        criteria=criteria,
        cases=tuple(_case_result(rule, told, map_, task.world) for rule, told in replays.items()),
        grader=by,
        details=_rounded(details),
    )


def _day_score(
    task: Task, scored: list[Scored], day: int, static: float, open_musts: list[str]
) -> int:
    """What the map would score if only this day counted; the same rules as for the whole."""
    weights = sum(row.target.weight for row in scored)
    share = (100 - task.static_points) / weights
    utilities = [(row.by_day[day][3], row.target.weight) for row in scored]
    total = sum(utility * weight * share for utility, weight in utilities) + static
    if open_musts or any(utility == 0 for utility, _ in utilities):
        total = min(total, task.cap)
    return int(total + 1e-9)


def _rounded(value: Json) -> Json:
    """Nine decimals: beyond them, processors differ in how they add and take logarithms."""
    if isinstance(value, float):
        return round(value, 9)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value


def _score(task: Task, target: Target, measured: list[Measured]) -> Scored:
    days = []
    for scenario, result in zip(task.scenarios, measured, strict=True):
        limits = scenario.limits.get(target.measure, target.limits)
        value = result.values[target.measure]
        days.append((scenario, value, limits, limits.utility(value.value)))
    utilities = [utility for *_, utility in days]
    whole = min(utilities) if target.days == "worst" else sum(utilities) / len(utilities)
    return Scored(target, days[0][1], whole, tuple(days))


# -- words -------------------------------------------------------------------------------------


def value_text(name: Measure, value: float) -> str:
    """A measure as people read it: `$4.50`, `98.6 %`, `14 min`."""
    match _UNITS[name]:
        case "dollars":
            return f"${value:,.2f}"
        case "minutes":
            if value >= 600:
                return f"{value / 60:,.0f} h"
            return f"{value:.0f} min" if value >= 20 else f"{value:.1f} min"
        case _:
            percent = value * 100
            return f"{percent:.1f} %" if name == "good_served" else f"{percent:.0f} %"


def _target_criterion(row: Scored, share: float) -> CriterionResult:
    name = row.target.measure
    possible = row.target.weight * share
    verdict: Verdict = "met" if row.utility >= 1 else "partly" if row.utility > 0 else "absent"
    shown = value_text(name, row.value.value)
    limits = row.by_day[0][2]
    reason = (
        f"{shown} on the ordinary day; full points at {value_text(name, limits.full)}, none at "
        f"{value_text(name, limits.zero)}."
    )
    worst = min(row.by_day, key=lambda day: day[3])
    if worst[3] < row.by_day[0][3]:
        scenario, value, day_limits, _ = worst
        reason += (
            f" {scenario.title}: {value_text(name, value.value)}, full points at "
            f"{value_text(name, day_limits.full)}, none at {value_text(name, day_limits.zero)}."
        )
    return CriterionResult(
        id=name,
        says=row.target.says,
        verdict=verdict,
        points=round(row.utility * possible, 2),
        possible=round(possible, 2),
        must=False,
        reason=reason,
    )


def _checks_criterion(
    task: Task,
    points: float,
    open_checks: list[str],
    extra: tuple[str, ...],
    findings: tuple[Finding, ...],
    map_: WorkflowMap,
) -> CriterionResult:
    reasons = [f"{f.code}: {f.says}" for f in findings if f.code in open_checks]
    reasons += [
        f"“{map_.node(node_id).name}” repeats an equal step before it and finds nothing new."
        for node_id in extra
    ]
    first = next((f for f in findings if f.code in open_checks), None)
    place = Place(node=first.node if first else None)
    verdict: Verdict = (
        "met" if points >= task.static_points else "partly" if points > 0 else "absent"
    )
    return CriterionResult(
        id="checks",
        says="A sound map",
        verdict=verdict,
        points=round(points, 2),
        possible=task.static_points,
        must=False,
        reason=" ".join(reasons) or "All checks hold.",
        place=place,
    )


def _must_criterion(code: str, findings: tuple[Finding, ...]) -> CriterionResult:
    broken = [finding for finding in findings if finding.code == code]
    first = broken[0] if broken else None
    return CriterionResult(
        id=code,
        says=checks.SAYS[code],
        verdict="contradicted" if broken else "met",
        points=0.0,
        possible=0.0,
        must=True,
        reason=" ".join(finding.says for finding in broken) or "Holds on every path.",
        place=Place(
            node=first.node if first else None,
            edge=first.edge if first else None,
        ),
    )


def _finding(
    task: Task,
    scored: list[Scored],
    open_musts: list[str],
    at_zero: list[Target],
    open_checks: list[str],
    findings: tuple[Finding, ...],
    passed: bool,
) -> str:
    """The verdict in one sentence: what stands in the way, or what is left to gain."""
    if open_musts:
        first = next(f for f in findings if f.code == open_musts[0])
        return f"The map breaks a rule that must hold, so it stops at {task.cap}. {first.says}"
    if at_zero:
        row = next(row for row in scored if row.target is at_zero[0])
        day = min(row.by_day, key=lambda found: found[3])
        value = value_text(row.target.measure, day[1].value)
        limit = value_text(row.target.measure, day[2].zero)
        return (
            f"{row.target.says} gets no points, so the map stops at {task.cap}: {value} on "
            f"“{day[0].title}”, where the limit is {limit}."
        )
    weakest = min(scored, key=lambda row: row.utility)
    name = weakest.target.measure
    head = "Passed." if passed else f"Not passed: {task.pass_mark} points are needed."
    if weakest.utility >= 1:
        left = "one check is" if len(open_checks) == 1 else f"{len(open_checks)} checks are"
        rest = f"; {left} open" if open_checks else ""
        return f"{head} All measures are met on all days{rest}."
    day = min(weakest.by_day, key=lambda found: found[3])
    return (
        f"{head} Most is left to gain at “{weakest.target.says}”: "
        f"{value_text(name, day[1].value)} on “{day[0].title}”, full points at "
        f"{value_text(name, day[2].full)}."
    )


# -- details -----------------------------------------------------------------------------------


def _target_json(row: Scored, share: float) -> dict[str, Json]:
    name = row.target.measure
    first_limits = row.by_day[0][2]
    return {
        "id": name,
        "says": row.target.says,
        "unit": _UNITS[name],
        "better": "higher" if name in _HIGHER_IS_BETTER else "lower",
        "value": row.value.value,
        "low": row.value.low,
        "high": row.value.high,
        "text": value_text(name, row.value.value),
        "full": first_limits.full,
        "zero": first_limits.zero,
        "full_text": value_text(name, first_limits.full),
        "zero_text": value_text(name, first_limits.zero),
        "band": first_limits.band(row.value.value),
        "engine": row.value.engine,
        "days": row.target.days,
        "weight": row.target.weight,
        "utility": row.utility,
        "points": round(row.utility * row.target.weight * share, 2),
        "possible": round(row.target.weight * share, 2),
        "by_scenario": [
            {
                "scenario": scenario.id,
                "title": scenario.title,
                "shown": scenario.shown,
                "value": value.value,
                "low": value.low,
                "high": value.high,
                "text": value_text(name, value.value),
                "full": limits.full,
                "zero": limits.zero,
                "utility": utility,
                "band": limits.band(value.value),
            }
            for scenario, value, limits, utility in row.by_day
        ],
    }


def _scenario_json(scenario: Scenario, result: Measured, score: int) -> dict[str, Json]:
    values = result.values
    return {
        "id": scenario.id,
        "title": scenario.title,
        "shown": scenario.shown,
        "score": score,
        "metrics": {
            name: {**asdict(value), "text": value_text(name, value.value)}
            for name, value in values.items()
        },
        "harm_plus_cost": values["harm_per_case"].value + values["cost_per_case"].value,
        "escaped": result.exact.escaped,
        "stuck": result.exact.stuck,
        "replications": result.replications,
        "ends": dict(result.ends),
        "pools": [asdict(pool) for pool in result.pools],
        "visits": dict(result.exact.visits),
    }


def _front_json(task: Task, first: Measured) -> dict[str, Json]:
    by_name = {target.measure: target.limits for target in task.targets}
    return {
        "points": [{**asdict(point), "rule": point.rule} for point in front(task.world)],
        "here": {
            "harm": first.values["harm_per_case"].value,
            "cost": first.values["cost_per_case"].value,
        },
        "limits": {
            axis: asdict(by_name[name]) if name in by_name else None
            for axis, name in (("harm", "harm_per_case"), ("cost", "cost_per_case"))
        },
    }


def _replay_json(told: Replay, measured: Measured) -> dict[str, Json]:
    return {
        "arrived_ms": first_arrival_ms(measured.run, told.case),
        "case": told.case + 1,
        "amount": told.amount_cents / 100,
        "fault": told.fault,
        "harm": told.harm_cents / 100,
        "cost": told.micro / MICRO,
        "time_ms": told.clock_ms,
        "steps": [
            {**asdict(step), "block": measured.run.program.map.node(step.node).block}
            for step in told.steps
        ],
    }


def _case_result(rule: str, told: Replay, map_: WorkflowMap, world: World) -> CaseResult:
    fault = next(fault for fault in world.faults if fault.id == told.fault)
    good = fault.id == world.faults[0].id
    paid = told.payment == PAID
    steps = [
        TraceStep(
            number=number,
            kind=map_.node(step.node).kind,
            says=step.says,
            because=step.because,
            place=Place(node=step.node, edge=step.edge),
            state=step.state,
        )
        for number, step in enumerate(told.steps, 1)
    ]
    spent = f"${told.micro / MICRO:,.2f}"
    if told.stuck:
        did = f"The case never finished. Cost {spent}."
    else:
        paid_words = "Paid" if paid else "Not paid"
        did = f"{paid_words} after {time_text(told.clock_ms)}. Cost {spent}."
    if told.harm_cents:
        did += f" Harm ${money_text(told.harm_cents)}."
    steps.append(
        TraceStep(
            number=len(steps) + 1,
            kind="truth",
            says=f"Hidden until now: {fault.says[:1].lower()}{fault.says[1:]}"
            if fault.says
            else f"Hidden until now: {fault.id}.",
            because=did,
            state="bad" if told.harm_cents or (good and not paid) else "good",
        )
    )
    harmless = CaseCheck("No harm was done", told.harm_cents == 0)
    held = (harmless, CaseCheck("The good customer was paid", paid)) if good else (harmless,)
    return CaseResult(
        id=rule,
        title=f"{_CASE_TITLES[rule]}: case {told.case + 1:,}",
        shown=True,
        given=f"A request for ${money_text(told.amount_cents)}",
        did=did,
        passed=all(check.held for check in held),
        steps=tuple(steps),
        checks=held,
    )


def replay_case(request: GradeRequest, case: int) -> CaseResult | None:
    """The case of this number (from 1) on the ordinary day, as this map treats it.

    The same number is the same request with the same luck in every map of an exercise. None when
    the map cannot be run or there is no such case.
    """
    task = read_task(request.exercise)
    world = task.world
    if not 1 <= case <= task.cases * task.replications:
        return None
    try:
        map_ = reading.read_map(
            request.submission, blocks=world.kinds, visible=world.visible, options=world.choices
        )
        if any(finding.severity == "gate" for finding in checks.run_checks(map_, world)):
            return None
        streams = Streams(request.seed, task.cases, task.replications)
        run = start_run(compile_map(map_, world), streams)
    except (BadMap, TooManyTokens, TooManySteps):
        return None
    return _case_result("chosen", replay(run, settle(run), case - 1), map_, world)


# -- who grades --------------------------------------------------------------------------------


def grader(exercise: Mapping[str, Json]) -> Grader:
    """Name, version and a digest over the code that decides and the exercise."""
    return Grader(NAME, VERSION, grader_digest(SOURCES, exercise))


# -- for authors -------------------------------------------------------------------------------


def check_exercise(exercise: Mapping[str, Json]) -> list[str]:
    """What keeps a map exercise from being published; an empty list when nothing does.

    See `_check`. Found once for each document: it takes seconds and cannot change.
    """
    # The order of the keys counts (the first reference, the first fault), so they are not sorted.
    return list(_checked(json.dumps(dict(exercise))))


@lru_cache(maxsize=64)
def _checked(document: str) -> tuple[str, ...]:
    return tuple(_check(json.loads(document)))


def _check(exercise: Mapping[str, Json]) -> list[str]:
    """The starter must be readable, every reference must land in its `expected` range, the first one
    must keep 95 points on each day alone, and every degenerate map must stay below half of the
    points on each day alone as well as over all. The first reference is run in full; the ranges of
    the others show in a third of the cases, the caps of the degenerate maps in a tenth.
    """
    try:
        task = read_task(exercise)
    except (BadExercise, BadWorld) as error:
        return [error.message]
    found: list[str] = []
    starter = exercise.get("starter")
    if not isinstance(starter, str):
        found.append("There is no starter map.")
    else:
        try:
            reading.read_map(
                starter,
                blocks=task.world.kinds,
                visible=task.world.visible,
                options=task.world.choices,
            )
        except BadMap as error:
            found.append(f"The starter map cannot be read. {error.message}")
    expected = exercise.get("expected", {})
    brief = {**exercise, "run": {**exercise["run"], "replications": min(10, task.replications)}}
    brief_task = replace(task, replications=min(3, task.replications))
    for name, text in exercise.get("references", {}).items():
        first = name == next(iter(exercise["references"]))
        report = grade(GradeRequest(KIND, exercise if first else brief, text))
        if report.problems:
            found.append(f"The reference “{name}” cannot be run. {report.problems[0].message}")
        elif name not in expected:
            found.append(f"“expected” has no range for the reference “{name}”.")
        else:
            low, high = expected[name]
            if not low <= report.score <= high:
                found.append(
                    f"The reference “{name}” scores {report.score}, expected {low} to {high}."
                )
            if first:
                found += [
                    f"The first reference “{name}” scores {day['score']} on “{day['id']}” alone; "
                    f"{MIN_REFERENCE} is the least. Set limits for that day."
                    for day in report.details["scenarios"]
                    if day["score"] < MIN_REFERENCE
                ]
    for name in exercise.get("degenerate", DEGENERATE):
        if name not in DEGENERATE:
            found.append(f"There is no degenerate map “{name}”.")
            continue
        report = grade_map(brief_task, DEGENERATE[name](task.world), "practice", grader(exercise))
        if report.score >= 50:
            found.append(f"The degenerate map “{name}” scores {report.score}; 49 is the most.")
        found += [
            f"The degenerate map “{name}” scores {day['score']} on “{day['id']}” alone; "
            "49 is the most."
            for day in report.details.get("scenarios", [])
            if day["score"] >= 50
        ]
    return found

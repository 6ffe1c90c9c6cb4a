"""A run whose verdict is not clear is made longer, within its budget, and always in the same way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from courses.grading import workflow_map
from courses.grading.contract import GradeRequest
from courses.simulators.workflows import measure as measuring
from courses.simulators.workflows.measure import Measured, measure
from courses.simulators.workflows.model import WorkflowMap
from courses.simulators.workflows.program import Program, compile_map
from courses.simulators.workflows.streams import Streams
from courses.simulators.workflows.world import World

Json = Any


@pytest.fixture
def program(read: Callable[[str], WorkflowMap], reference: str, world: World) -> Program:
    return compile_map(read(reference), world)


def run(program: Program, limit: float | None, doublings: int = 4, runs: int = 4) -> Measured:
    limits = {} if limit is None else {"cycle_p90_min": (limit, 1e9)}
    return measure(program, Streams("near", 500, runs), limits, doublings)  # type: ignore[arg-type]


@pytest.mark.parametrize(("cases", "first"), [(500, 4), (3, 5), (7, 3)])
def test_more_replications_follow_the_ones_before(cases: int, first: int) -> None:
    before = Streams("s", cases, first)
    after, whole = before.more(), Streams("s", cases, 4 * first)
    drawn = [part.uniform("reviewer", "sees", 1) for part in (before, after, after.more())]

    assert [n for part in drawn for n in part] == whole.uniform("reviewer", "sees", 1).tolist()


def test_a_limit_inside_the_interval_doubles_the_run_and_the_mean_decides(
    program: Program,
) -> None:
    once = run(program, None)
    value = once.values["cycle_p90_min"]
    doubled = run(program, value.value, doublings=1)
    whole = measure(program, Streams("near", 500, 8))

    assert (once.replications, doubled.replications) == (4, 8)
    # The doubled run is the same as one that was planned so long, bit for bit.
    assert doubled.values == whole.values
    assert doubled.pools == whole.pools
    assert doubled.ends == whole.ends
    assert doubled.values["cycle_p90_min"] != value
    assert run(program, value.value, doublings=1).values == doubled.values


def test_a_clear_verdict_needs_no_longer_run(program: Program) -> None:
    value = run(program, None).values["cycle_p90_min"]

    assert run(program, value.high + 0.01).replications == 4
    assert run(program, value.low - 0.01).replications == 4
    # As soon as the longer run is clear, it ends.
    assert run(program, value.high - 0.001).replications < 64


def test_the_run_is_doubled_four_times_at_most_and_within_its_budget(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = {"cycle_p90_min": tuple(n / 20 for n in range(4000))}
    long = measure(program, Streams("near", 200, 2), everything, 4)  # type: ignore[arg-type]
    monkeypatch.setattr(measuring, "MAX_CASES_A_DAY", 1600)
    short = measure(program, Streams("near", 200, 2), everything, 4)  # type: ignore[arg-type]

    assert long.replications == 32
    assert short.replications == 8


def test_an_exact_measure_at_its_limit_is_no_reason_to_run_longer(
    read: Callable[[str], WorkflowMap], change: Callable[..., str], world: World
) -> None:
    # Nobody gives up in this map, so harm is exact.
    patient = change(
        ("review -> escalate on timeout", "escalate -> handed"), (", patience: 2h", "")
    )
    patient = patient.replace("  - escalate -> handed\n", "", 1)
    program = compile_map(read(patient), world)
    harm = measure(program, Streams("near", 500, 4)).values["harm_per_case"].value
    limits = {"harm_per_case": (harm, 1e9)}

    assert measure(program, Streams("near", 500, 4), limits, 4).replications == 4  # type: ignore[arg-type]


def test_a_report_tells_how_often_each_day_was_run(exercise: dict[str, Json]) -> None:
    small = {**exercise, "run": {"cases": 500, "replications": 4}}
    request = GradeRequest("workflow_map", small, exercise["references"]["strong"])
    report = workflow_map.grade(request)
    days = [day["replications"] for day in report.details["scenarios"]]

    assert any(n > 4 for n in days)
    assert report.details["run"]["total"] == 500 * sum(days)
    assert workflow_map.grade(request) == report
    fixed = {**exercise, "run": {"cases": 500, "replications": 4, "doublings": 0}}
    told = workflow_map.grade(GradeRequest("workflow_map", fixed, request.submission))
    assert [day["replications"] for day in told.details["scenarios"]] == [4, 4, 4]


@pytest.mark.parametrize("doublings", [-1, 5, True, "2"])
def test_a_number_of_doublings_that_cannot_be_is_refused(
    doublings: Json, exercise: dict[str, Json]
) -> None:
    run = {"cases": 500, "replications": 4, "doublings": doublings}
    with pytest.raises(workflow_map.BadExercise, match="from 0 to 4"):
        workflow_map.read_task({**exercise, "run": run})

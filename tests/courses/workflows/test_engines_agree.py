"""The simulation against SimPy case by case, and the exact chain against the simulation."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from courses.simulators.workflows import reading, writing
from courses.simulators.workflows.exact import run_exact
from courses.simulators.workflows.model import WorkflowMap
from courses.simulators.workflows.program import Program, compile_map
from courses.simulators.workflows.replay import replay
from courses.simulators.workflows.simulate import Run, Settled, settle, start_run
from courses.simulators.workflows.streams import HOUR_MS, Streams, arrivals_ms
from courses.simulators.workflows.world import World, read_world

Json = Any
Exercise = dict[str, Json]

RUSH = {"arrivals.peak": {"every": "10h", "from": "3h", "to": "5h", "factor": 3}}


def simulated(
    program: Program, cases: int, seed: str = "test", runs: int = 1
) -> tuple[Run, Settled]:
    run = start_run(program, Streams(seed, cases, runs))
    return run, settle(run)


def by_oracle(oracle: ModuleType, run: Run, exercise: Exercise, map_: WorkflowMap) -> list[Any]:
    def draw(block: str, purpose: str, visit: int, case: int) -> float:
        return float(run.streams.uniform(block, purpose, visit)[case])

    faults = list(exercise["world"]["faults"])
    found: list[Any] = oracle.run_oracle(
        writing.to_json(map_),
        exercise["world"],
        exercise["policy"]["high_risk"],
        draw,
        run.arrival_ms.tolist(),
        run.amount_cents.tolist(),
        [faults[number] for number in run.fault.tolist()],
    )
    return found


def differences(run: Run, settled: Settled, cases: list[Any]) -> list[tuple[int, str]]:
    """Which cases ended differently, and in what."""
    ids = [step.node.id for step in run.program.steps]
    found = []
    for case in cases:
        n = case.number
        end = None if settled.stuck[n] else ids[settled.end[n]]
        pairs = {
            "end": (end, case.end),
            "time": (int(settled.cycle_ms[n]), case.cycle),
            "cost": (int(settled.micro[n]), case.micro),
            "harm": (int(settled.harm_cents[n]), case.harm),
            "served": (bool(settled.served[n]), case.served),
        }
        found += [(n, name) for name, (mine, other) in pairs.items() if mine != other]
    return found


def test_every_case_of_the_reference_map_ends_as_in_simpy(
    read: Callable[[str], WorkflowMap],
    reference: str,
    world: World,
    exercise: Exercise,
    oracle: ModuleType,
) -> None:
    map_ = read(reference)
    run, settled = simulated(compile_map(map_, world), 4000)

    assert differences(run, settled, by_oracle(oracle, run, exercise, map_)) == []


def test_every_case_ends_as_in_simpy_when_a_rush_makes_people_give_up(
    read: Callable[[str], WorkflowMap],
    change: Callable[..., str],
    exercise: Exercise,
    oracle: ModuleType,
) -> None:
    map_ = read(change(("patience: 2h", "patience: 10m")))
    program = compile_map(map_, read_world(exercise, RUSH))
    run, settled = simulated(program, 4000)

    assert settled.waits.timed_out.sum() > 50
    assert differences(run, settled, by_oracle(oracle, run, exercise, map_)) == []


@pytest.mark.parametrize("seed", range(25))
def test_every_case_of_a_random_map_ends_as_in_simpy(
    seed: int,
    random_map: Callable[..., WorkflowMap],
    world: World,
    exercise: Exercise,
    oracle: ModuleType,
) -> None:
    map_ = random_map(seed)
    run, settled = simulated(compile_map(map_, world), 400, seed=f"map {seed}")

    assert differences(run, settled, by_oracle(oracle, run, exercise, map_)) == []


@pytest.mark.parametrize("seed", range(25))
def test_every_case_ends_as_in_simpy_with_two_of_everything(
    seed: int,
    random_map: Callable[..., WorkflowMap],
    rich_exercise: Exercise,
    oracle: ModuleType,
) -> None:
    world = read_world(rich_exercise)
    map_ = random_map(seed, rich=world)
    run, settled = simulated(compile_map(map_, world), 400, seed=f"rich {seed}")

    assert differences(run, settled, by_oracle(oracle, run, rich_exercise, map_)) == []


@pytest.mark.parametrize("seed", range(25))
def test_a_replay_tells_what_was_counted(
    seed: int, random_map: Callable[..., WorkflowMap], world: World
) -> None:
    run, settled = simulated(compile_map(random_map(seed), world), 100, seed=f"map {seed}")

    for case in range(100):
        told = replay(run, settled, case)
        assert told.micro == settled.micro[case]
        assert told.harm_cents == settled.harm_cents[case]
        assert told.stuck == settled.stuck[case]
        assert told.stuck or told.clock_ms == settled.cycle_ms[case]


def z_score(values: np.ndarray[Any, Any], runs: int, expected: float) -> float:
    """How many standard errors the mean over runs lies from what was calculated."""
    means = values.reshape(runs, -1).mean(axis=1)
    spread = float(means.std(ddof=1)) / math.sqrt(runs)
    difference = float(means.mean()) - expected
    if spread < 1e-12:  # every case costs the same
        return 0.0 if abs(difference) < 1e-9 else math.inf
    return difference / spread


def assert_agrees(program: Program, seed: str) -> None:
    """All measures of the exact chain within four standard errors of the simulation."""
    runs, cases = 40, 2000
    exact = run_exact(program)
    run = start_run(program, Streams(seed, cases, runs))
    settled = settle(run, time_outs=False)
    expected = {
        "cost": (settled.micro / 1e6, exact.cost),
        "served": (settled.served.astype(float), exact.served * exact.good),
        "escaped": (settled.escaped.astype(float), exact.escaped),
        "stuck": (settled.stuck.astype(float), exact.stuck),
    }
    for number, pool in enumerate(program.pools):
        expected[f"work of {pool.id}"] = (settled.work_ms[number] / 1000, exact.work_s[pool.id])
    for name, share in exact.ends.items():
        at = next(step.index for step in program.steps if step.node.id == name)
        expected[f"end {name}"] = ((settled.end == at).astype(float), share)
    for what, (values, wanted) in expected.items():
        rare = min(wanted, 1 - wanted) if what.startswith(("end", "stuck", "escaped")) else wanted
        if rare * runs * cases < 20 and what != "cost":
            continue  # too rare for a normal approximation
        assert abs(z_score(values, runs, wanted)) < 4, what
    # Single amounts are heavy-tailed, so harm is compared by what it is made of: for each cell of
    # the amount the exact mean is a formula, and the share of harmful payments is tested above.
    if exact.escaped > 0.01:
        assert abs(z_score(settled.harm_cents / 100, runs, exact.harm)) < 4, "harm"


@pytest.mark.parametrize("seed", range(20))
def test_the_exact_chain_agrees_with_the_simulation_on_random_maps(
    seed: int, random_map: Callable[..., WorkflowMap], world: World
) -> None:
    assert_agrees(compile_map(random_map(seed, patience=False), world), f"exact {seed}")


@pytest.mark.parametrize("seed", range(10))
def test_the_exact_chain_agrees_with_the_simulation_with_two_of_everything(
    seed: int, random_map: Callable[..., WorkflowMap], rich_exercise: Exercise
) -> None:
    world = read_world(rich_exercise)

    assert_agrees(compile_map(random_map(seed, patience=False, rich=world), world), f"rich {seed}")


def test_the_exact_chain_agrees_with_the_simulation_on_the_reference(
    read: Callable[[str], WorkflowMap], reference: str, world: World
) -> None:
    assert_agrees(compile_map(read(reference), world), "exact reference")


def test_a_cure_that_failed_is_not_drawn_again_for_the_second_desk(
    read: Callable[[str], WorkflowMap], change: Callable[..., str], rich_exercise: Exercise
) -> None:
    world = read_world(rich_exercise)
    text = change(
        ("  - decided -> pay when verdict == 'approve'\n", ""),
        ("decided -> rejected otherwise", "decided -> second otherwise"),
        (
            "edges:\n",
            '  second: {kind: human, block: second_desk, name: "Second desk"}\n'
            '  decided2: {kind: gateway, name: "Second outcome"}\nedges:\n'
            "  - second -> decided2\n"
            "  - decided2 -> pay when verdict == 'approve'\n"
            "  - decided2 -> draft when verdict == 'rework' max 1\n"
            "  - decided2 -> rejected otherwise\n",
        ),
    )
    map_ = reading.read_map(text, blocks=world.kinds, visible=world.visible)
    program = compile_map(map_, world)
    run = start_run(program, Streams("two desks", 2000, 40))
    settled = settle(run, time_outs=False)
    cured = (run.tokens.fault[settled.token] == len(world.faults)).astype(float)

    assert (run.tokens.proposal[settled.token] == 2).sum() > 100
    assert abs(z_score(cured, 40, run_exact(program).cured)) < 4
    assert_agrees(program, "two desks")


def test_a_rush_brings_cases_twice_as_fast_and_no_case_too_early(exercise: Exercise) -> None:
    rush = {"every": "10h", "from": "3h", "to": "5h", "factor": 2}
    world = read_world(exercise, {"arrivals.peak": rush})
    times = arrivals_ms(Streams("rush", 60_000).uniform("world", "arrival"), world, 1)
    hours = times % (10 * HOUR_MS) / HOUR_MS
    in_rush = (hours >= 3) & (hours < 5)
    days = times[-1] / (10 * HOUR_MS)

    assert (np.diff(times) >= 0).all()
    assert in_rush.sum() / (2 * days) == pytest.approx(60, rel=0.03)
    assert (~in_rush).sum() / (8 * days) == pytest.approx(30, rel=0.03)
    assert len(times) / (10 * days) == pytest.approx(world.mean_per_hour, rel=0.03)


@pytest.mark.parametrize(
    ("rule", "harm", "cost"),
    [
        ("amount > 999999999", 12.76, 0.25),
        ("flagged", 8.58, 0.78),
        ("amount >= 0", 2.54, 5.87),
        ("flagged or confidence < 0.80 or amount > 267", 4.02, 2.63),
    ],
)
def test_the_exact_chain_gives_the_figures_of_the_brief(
    rule: str,
    harm: float,
    cost: float,
    with_rule: Callable[[str], str],
    read: Callable[[str], WorkflowMap],
    world: World,
) -> None:
    found = run_exact(compile_map(read(with_rule(rule)), world))

    assert found.harm == pytest.approx(harm, abs=0.005)
    assert found.cost == pytest.approx(cost, abs=0.005)


def test_the_wait_is_that_of_erlang(
    read: Callable[[str], WorkflowMap], reference: str, world: World
) -> None:
    program = compile_map(read(reference), world)
    run = start_run(program, Streams("erlang", 4000, 40))
    settled = settle(run, time_outs=False)
    servers = 3
    exact = run_exact(program)
    busy = exact.loads["reviewer"] * servers
    terms = [busy**k / math.factorial(k) for k in range(servers)]
    last = busy**servers / math.factorial(servers) / (1 - busy / servers)
    waiting = last / (sum(terms) + last)
    expected = waiting * 480 / (servers - busy)

    total = np.zeros(run.streams.total)
    np.add.at(total, settled.waits.case, settled.waits.started - settled.waits.arrived)
    visits = len(settled.waits.case) / run.streams.total

    assert abs(z_score(total / 1000, 40, expected * visits)) < 4


@pytest.mark.slow
def test_two_hundred_random_maps_end_as_in_simpy(
    random_map: Callable[..., WorkflowMap],
    rich_exercise: Exercise,
    oracle: ModuleType,
) -> None:
    world = read_world(rich_exercise)
    for seed in range(100, 300):
        map_ = random_map(seed, rich=world)
        run, settled = simulated(compile_map(map_, world), 200, seed=f"proof {seed}")

        assert differences(run, settled, by_oracle(oracle, run, rich_exercise, map_)) == [], seed


@pytest.mark.slow
def test_a_hundred_random_maps_agree_with_the_exact_chain(
    random_map: Callable[..., WorkflowMap], world: World
) -> None:
    for seed in range(100, 200):
        assert_agrees(compile_map(random_map(seed, patience=False), world), f"proof {seed}")

"""The simulation against SimPy case by case, and the exact chain against the simulation."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from courses.simulators.workflows import reading, writing
from courses.simulators.workflows.exact import run_exact
from courses.simulators.workflows.measure import measure
from courses.simulators.workflows.model import WorkflowMap
from courses.simulators.workflows.program import Program, compile_map
from courses.simulators.workflows.replay import replay
from courses.simulators.workflows.simulate import (
    Run,
    Settled,
    TooManyTokens,
    settle,
    start_run,
    undisturbed,
)
from courses.simulators.workflows.streams import HOUR_MS, REPLICATION_MS, Streams, arrivals_ms
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
        exercise.get("options"),
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


@pytest.mark.parametrize("seed", range(12))
def test_every_case_ends_as_in_simpy_where_people_rank_hurry_and_go_home(
    seed: int,
    random_map: Callable[..., WorkflowMap],
    busy_exercise: Exercise,
    oracle: ModuleType,
) -> None:
    world = read_world(busy_exercise, RUSH if seed % 3 == 0 else None)
    map_ = random_map(seed, rich=world, busy=True)
    run, settled = simulated(compile_map(map_, world), 400, seed=f"busy {seed}")
    exercise = copy.deepcopy(busy_exercise)
    if seed % 3 == 0:
        exercise["world"]["arrivals"]["peak"] = RUSH["arrivals.peak"]

    assert differences(run, settled, by_oracle(oracle, run, exercise, map_)) == []
    for case in range(0, 400, 7):
        told = replay(run, settled, case)
        assert told.micro == settled.micro[case]
        assert told.harm_cents == settled.harm_cents[case]
        assert told.stuck or told.clock_ms == settled.cycle_ms[case]


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


DESKS = """checkride: map/1
id: desks
title: Desks
nodes:
  start: {kind: trigger, name: Start}
  big: {kind: gateway, name: Big?}
  first: {kind: human, block: reviewer, priority: 1, name: First}
  second: {kind: human, block: reviewer, name: Second}
  done: {kind: end, outcome: served, name: Done}
edges:
  - start -> big
  - big -> first when amount > 120
  - big -> second otherwise
  - first -> done
  - second -> done
"""


def waits_by_priority(
    text: str, world: World, read: Callable[[str], WorkflowMap]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Mean wait in seconds of each of 40 runs, for large amounts and for small ones."""
    run, settled = simulated(compile_map(read(text), world), 4000, runs=40)
    waits = settled.waits
    waited = (waits.started - waits.arrived) / 1000
    large = run.amount_cents[waits.case] > 12_000
    runs = waits.case // 4000
    kept = waits.case % 4000 > 400
    means = [
        np.bincount(runs[kept & who], waited[kept & who]) / np.bincount(runs[kept & who])
        for who in (large, ~large)
    ]
    return means[0], means[1]


def erlang_c(servers: int, load: float) -> float:
    """The share of cases that wait in M/M/c at this load of each server."""
    busy = servers * load
    last = busy**servers / math.factorial(servers) / (1 - load)
    return last / (sum(busy**k / math.factorial(k) for k in range(servers)) + last)


def t_score(values: np.ndarray[Any, Any], expected: float) -> float:
    return float(values.mean() - expected) / float(values.std(ddof=1)) * math.sqrt(len(values))


@pytest.mark.parametrize(("servers", "load"), [(1, 0.6), (3, 0.8), (6, 0.85)])
def test_a_plain_queue_waits_as_erlang_says(
    servers: int, load: float, read: Callable[[str], WorkflowMap], exercise: Exercise
) -> None:
    changes = {"blocks.reviewer.staff": servers, "arrivals.per_hour": servers * load * 7.5}
    # Here the world has other people than the exercise sells.
    world = read_world({**exercise, "options": {}}, changes)
    both = waits_by_priority(DESKS.replace("priority: 1, ", ""), world, read)
    expected = erlang_c(servers, load) * 480 / (servers * (1 - load))

    assert abs(t_score((both[0] + both[1]) / 2, expected)) < 4


def test_two_ranks_wait_as_cobham_says(
    read: Callable[[str], WorkflowMap], exercise: Exercise
) -> None:
    # Cobham, Operations Research 2 (1954): M/M/c with ranks, nobody is interrupted.
    world = read_world(exercise, {"arrivals.per_hour": 18})
    first, second = waits_by_priority(DESKS, world, read)
    load = 18 * 480 / 3600 / 3
    delay = erlang_c(3, load) * 480 / 3

    assert abs(t_score(first, delay / (1 - load / 2))) < 4
    assert abs(t_score(second, delay / ((1 - load / 2) * (1 - load)))) < 4


def test_nobody_starts_outside_the_hours_of_work(
    read: Callable[[str], WorkflowMap], exercise: Exercise
) -> None:
    hours = {"every": "24h", "from": "8h", "to": "20h"}
    changes = {"blocks.reviewer.hours": hours, "arrivals.per_hour": 8}
    program = compile_map(read(DESKS), read_world(exercise, changes))
    _run, settled = simulated(program, 2000, runs=3)
    waits = settled.waits
    clock = waits.started % REPLICATION_MS % (24 * HOUR_MS)

    assert (clock >= 8 * HOUR_MS).all()
    assert (clock < 20 * HOUR_MS).all()
    assert (waits.started - waits.arrived > 3 * HOUR_MS).any()
    assert (waits.left - waits.started > 11 * HOUR_MS).any()  # work that goes on in the morning
    assert program.pools[0].at_work == 1.5
    assert run_exact(program).loads["reviewer"] == pytest.approx(8 * 480 / 3600 / 1.5)


def test_a_long_line_lets_more_mistakes_through(
    read: Callable[[str], WorkflowMap],
    with_rule: Callable[[str], str],
    reference: str,
    exercise: Exercise,
) -> None:
    hasty = dict.fromkeys(exercise["world"]["faults"], 0.0)
    changes = {"blocks.reviewer.overload": {"line": 4, "hit": hasty}}
    calm, hurried = read_world(exercise), read_world(exercise, changes)
    text = with_rule("flagged or confidence < 0.90 or amount > 200")
    before = measure(compile_map(read(text), calm), Streams("line", 4000, 10))
    after = measure(compile_map(read(text), hurried), Streams("line", 4000, 10))

    assert after.settled.waits.hurried.mean() > 0.1
    assert after.values["harm_per_case"].low > before.values["harm_per_case"].high + 0.3
    assert after.values["harm_per_case"].engine == "exact and simulated"
    # Who objects to nothing sends nothing back, so there is less to read twice.
    assert after.values["staff_load"].value < before.values["staff_load"].value


def test_calm_people_cost_what_the_queueless_pass_says(
    random_map: Callable[..., WorkflowMap], busy_exercise: Exercise
) -> None:
    world = read_world(busy_exercise)
    for seed in range(10):
        run = start_run(
            compile_map(random_map(seed, rich=world, busy=True), world),
            Streams(f"calm {seed}", 300),
        )
        queued, passed = settle(run, time_outs=False), undisturbed(run)
        for name in ("micro", "harm_cents", "served", "end", "work_ms"):
            assert (getattr(queued, name) == getattr(passed, name)).all(), (seed, name)


def test_a_fourth_person_costs_her_hours_and_shortens_the_wait(
    read: Callable[[str], WorkflowMap], reference: str, busy_exercise: Exercise
) -> None:
    world = read_world(busy_exercise)
    map_ = reading.read_map(
        reference + "options:\n  reviewer.staff: 4\n",
        blocks=world.kinds,
        visible=world.visible,
        options=world.choices,
    )
    usual, more = (
        run_exact(compile_map(read(reference), world)),
        run_exact(compile_map(map_, world)),
    )

    assert more.cost - usual.cost == pytest.approx(40 / 24, abs=1e-6)
    assert more.loads["reviewer"] == pytest.approx(usual.loads["reviewer"] * 3 / 4)
    assert more.harm == usual.harm


@pytest.mark.slow
def test_a_hundred_busy_maps_end_as_in_simpy(
    random_map: Callable[..., WorkflowMap],
    busy_exercise: Exercise,
    oracle: ModuleType,
) -> None:
    world = read_world(busy_exercise)
    hurried = compared = 0
    for seed in range(100, 200):
        map_ = random_map(seed, rich=world, busy=True)
        try:
            run, settled = simulated(compile_map(map_, world), 300, seed=f"proof {seed}")
        except TooManyTokens:
            continue  # that such maps are refused is tested elsewhere
        compared += 1
        hurried += int(settled.waits.hurried.sum())

        assert differences(run, settled, by_oracle(oracle, run, busy_exercise, map_)) == [], seed
    assert hurried > 1000
    assert compared > 80


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

"""Measure a map in one world: exact where that is possible, simulated where it is not.

Harm, cost, share of good cases served and load come from the exact chain. With time-outs, or with
people who hurry when the line is long, the chain is not exact any more; then the simulated
difference "with minus without", on the same cases with the same luck, is added, which is far less
noisy than a simulated total. Times come from the simulation alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from courses.simulators.workflows.exact import Exact, run_exact
from courses.simulators.workflows.program import Program
from courses.simulators.workflows.simulate import (
    MICRO,
    Run,
    Settled,
    settle,
    start_run,
    undisturbed,
)
from courses.simulators.workflows.streams import REPLICATION_MS, Streams

Engine = Literal["exact", "exact and simulated", "simulated"]
Measure = Literal["harm_per_case", "cost_per_case", "good_served", "cycle_p90_min", "staff_load"]
MEASURES: tuple[Measure, ...] = (
    "harm_per_case",
    "cost_per_case",
    "good_served",
    "cycle_p90_min",
    "staff_load",
)
WARM_UP_SHARE = 0.1
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Value:
    """A measured number with its 95 % interval; both bounds equal the value where it is exact."""

    value: float
    low: float
    high: float
    engine: Engine


@dataclass(frozen=True, slots=True)
class PoolUse:
    """How one group of people fared. Times in minutes, `load` 1 is all the time they have."""

    block: str
    name: str
    staff: int
    load: float
    visits_per_case: float
    wait_mean_min: float
    wait_p90_min: float
    longest_line: int
    timed_out: float


@dataclass(frozen=True)
class Measured:
    values: Mapping[Measure, Value]
    pools: tuple[PoolUse, ...]
    exact: Exact
    ends: Mapping[str, float]
    run: Run
    settled: Settled


def measure(program: Program, streams: Streams) -> Measured:
    """All measures of a map whose gates hold; the streams say how many cases are run.

    Raises `TooManyStates` or `TooManyTokens` for maps that unfold too far.
    """
    exact = run_exact(program)
    cases, replications = streams.cases, streams.replications
    run = start_run(program, streams)
    settled = settle(run)
    calm = undisturbed(run) if program.queues_decide else settled
    good = run.fault == 0

    def per_run(values: NDArray[Any]) -> NDArray[np.float64]:
        means: NDArray[np.float64] = values.reshape(replications, cases).mean(axis=1)
        return means

    def corrected(base: float, now: NDArray[Any], without: NDArray[Any], scale: float) -> Value:
        if not program.queues_decide:
            return Value(base, base, base, "exact")
        difference = (per_run(now) - per_run(without)) * scale
        if not difference.any():
            return Value(base, base, base, "exact")
        shift, half = _interval(difference)
        value = max(base + shift, 0.0)
        return Value(value, max(value - half, 0.0), value + half, "exact and simulated")

    loads = [
        corrected(
            exact.loads[pool.id],
            settled.work_ms[number],
            calm.work_ms[number],
            program.world.mean_per_hour / 3_600_000 / pool.at_work,
        )
        for number, pool in enumerate(program.pools)
    ]
    values: dict[Measure, Value] = {
        "harm_per_case": corrected(exact.harm, settled.harm_cents, calm.harm_cents, 1 / 100),
        "cost_per_case": corrected(exact.cost, settled.micro, calm.micro, 1 / MICRO),
        "good_served": corrected(
            exact.served, settled.served & good, calm.served & good, 1 / exact.good
        ),
        "cycle_p90_min": _p90(settled.cycle_ms.reshape(replications, cases)),
        "staff_load": max(loads, key=lambda load: load.value)
        if loads
        else Value(0.0, 0.0, 0.0, "exact"),
    }
    return Measured(
        values=values,
        pools=tuple(
            _pool_use(program, settled, number, load.value, replications, cases)
            for number, load in enumerate(loads)
        ),
        exact=exact,
        ends=_ends(program, settled, calm, exact),
        run=run,
        settled=settled,
    )


def _interval(samples: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and half width of the 95 % t interval over replications."""
    n = len(samples)
    mean = float(samples.mean())
    if n < 2:
        return mean, 0.0
    spread = float(samples.std(ddof=1)) / math.sqrt(n)
    return mean, float(stdtrit(n - 1, 0.975)) * spread


def _p90(cycles: NDArray[np.int64]) -> Value:
    """The time within which nine in ten cases end, in minutes.

    Pooled over replications after a warm-up. The interval is a jackknife that leaves out one
    replication at a time, since cases of one replication share their queues.
    """
    kept = cycles[:, int(cycles.shape[1] * WARM_UP_SHARE) :]
    value = _quantile(kept.ravel()) / MINUTE_MS
    n = len(kept)
    if n < 2:
        return Value(value, value, value, "simulated")
    moved = _quantiles_without_each(kept) / MINUTE_MS
    spread = math.sqrt((n - 1) / n * float(((moved - moved.mean()) ** 2).sum()))
    half = float(stdtrit(n - 1, 0.975)) * spread
    return Value(value, max(value - half, 0.0), value + half, "simulated")


def _quantile(values: NDArray[np.int64]) -> float:
    at = math.ceil(0.9 * len(values)) - 1
    return float(np.partition(values, at)[at])


def _quantiles_without_each(kept: NDArray[np.int64]) -> NDArray[np.float64]:
    """`_quantile` of all rows but one, for each row left out.

    Sorted once: without a row of m values, the k-th smallest of the rest lies among the k-th to the
    (k + m)-th smallest of all, so only that stretch is searched.
    """
    rows, size = kept.shape
    order = np.argsort(kept, axis=None, kind="stable")
    values, owner = kept.ravel()[order], order // size
    wanted = math.ceil(0.9 * (rows - 1) * size)  # this many of the rest are at most the quantile
    before = np.bincount(owner[: wanted - 1], minlength=rows)
    stretch = owner[wanted - 1 : wanted + size]
    found = np.empty(rows)
    for row in range(rows):
        others = np.cumsum(stretch != row) + (wanted - 1 - before[row])
        found[row] = values[wanted - 1 + int(np.searchsorted(others, wanted))]
    return found


def _pool_use(
    program: Program, settled: Settled, number: int, load: float, replications: int, cases: int
) -> PoolUse:
    pool = program.pools[number]
    waits = settled.waits
    mine = waits.pool == number
    waited = (waits.started - waits.arrived)[mine]
    return PoolUse(
        block=pool.id,
        name=pool.name,
        staff=pool.staff or 1,
        load=load,
        visits_per_case=float(mine.sum()) / (replications * cases),
        wait_mean_min=float(waited.mean()) / MINUTE_MS if len(waited) else 0.0,
        wait_p90_min=_quantile(waited) / MINUTE_MS if len(waited) else 0.0,
        longest_line=int(waits.in_line[mine].max()) if len(waited) else 0,
        timed_out=float(waits.timed_out[mine].mean()) if len(waited) else 0.0,
    )


def _ends(program: Program, settled: Settled, calm: Settled, exact: Exact) -> dict[str, float]:
    """The share of cases at each end: exact, plus what queues were seen to change."""
    total = len(settled.end)
    found = {}
    for step in program.steps:
        share = exact.ends.get(step.node.id, 0.0)
        moved = int((settled.end == step.index).sum()) - int((calm.end == step.index).sum())
        if step.node.kind == "end" and (share or moved):
            found[step.node.id] = min(max(share + moved / total, 0.0), 1.0)
    return found


def first_arrival_ms(run: Run, case: int) -> int:
    """When a case came, in milliseconds since the start of its replication."""
    return int(run.arrival_ms[case]) % REPLICATION_MS

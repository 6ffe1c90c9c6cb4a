"""Measure a map in one world: exact where that is possible, simulated where it is not.

Harm, cost, share of good cases served and load come from the exact chain. With time-outs, or with
people who hurry when the line is long, the chain is not exact any more; then the simulated
difference "with minus without", on the same cases with the same luck, is added, which is far less
noisy than a simulated total. Times come from the simulation alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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
# A run near a limit may be doubled up to this many cases; the box has ten seconds for all days.
MAX_CASES_A_DAY = 240_000
MAX_DOUBLINGS = 4
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
    """`replications` is how many were run; `run` and `settled` are those that were planned."""

    values: Mapping[Measure, Value]
    pools: tuple[PoolUse, ...]
    exact: Exact
    ends: Mapping[str, float]
    run: Run
    settled: Settled
    replications: int


@dataclass(frozen=True)
class _Samples:
    """What the values are made of, so that more replications can be put to those that were run.

    A row for each replication: `changed` holds what queues changed for each measure, `worked` the
    same for the working time of each pool, `cycles` the time of each case.
    """

    changed: Mapping[Measure, NDArray[np.float64]]
    worked: NDArray[np.float64]  # pool x replication
    cycles: NDArray[np.int64]
    moved: NDArray[np.int64]  # step -> how many more cases ended there because of queues
    pool: NDArray[np.int64]
    waited: NDArray[np.int64]
    in_line: NDArray[np.int64]
    timed_out: NDArray[np.bool_]

    @property
    def replications(self) -> int:
        return len(self.cycles)

    @property
    def total(self) -> int:
        return self.cycles.size

    def joined(self, other: _Samples) -> _Samples:
        return _Samples(
            {
                name: np.concatenate([rows, other.changed[name]])
                for name, rows in self.changed.items()
            },
            np.concatenate([self.worked, other.worked], axis=1),
            np.concatenate([self.cycles, other.cycles]),
            self.moved + other.moved,
            *(
                np.concatenate([getattr(self, name), getattr(other, name)])
                for name in ("pool", "waited", "in_line", "timed_out")
            ),
        )


def measure(
    program: Program,
    streams: Streams,
    limits: Mapping[Measure, Sequence[float]] | None = None,
    doublings: int = 0,
) -> Measured:
    """All measures of a map whose gates hold; the streams say how many cases are run.

    While a limit of a measure lies within its interval, the number of replications is doubled, up
    to `doublings` times and `MAX_CASES_A_DAY` cases; the mean then decides. The new replications
    follow the old ones in the same streams, so the result depends on nothing but its arguments.

    Raises `TooManyStates` or `TooManyTokens` for maps that unfold too far.
    """
    exact = run_exact(program)
    run, settled, samples = _simulated(program, streams)
    values, loads = _values(program, exact, samples)
    for _ in range(doublings):
        if 2 * samples.total > MAX_CASES_A_DAY or not _touches(values, limits or {}):
            break
        streams = streams.more()
        samples = samples.joined(_simulated(program, streams)[2])
        values, loads = _values(program, exact, samples)
    return Measured(
        values=values,
        pools=tuple(
            _pool_use(program, samples, number, load.value) for number, load in enumerate(loads)
        ),
        exact=exact,
        ends=_ends(program, samples, exact),
        run=run,
        settled=settled,
        replications=samples.replications,
    )


def _touches(values: Mapping[Measure, Value], limits: Mapping[Measure, Sequence[float]]) -> bool:
    """Whether a limit lies within the interval of a measure that is not exact."""
    return any(
        values[name].low < values[name].high and values[name].low <= limit <= values[name].high
        for name, row in limits.items()
        for limit in row
    )


def _simulated(program: Program, streams: Streams) -> tuple[Run, Settled, _Samples]:
    run = start_run(program, streams)
    settled = settle(run)
    calm = undisturbed(run) if program.queues_decide else settled
    shape = (streams.replications, streams.cases)
    good = run.fault == 0

    def difference(now: NDArray[Any], without: NDArray[Any]) -> NDArray[np.float64]:
        means: NDArray[np.float64] = now.reshape(shape).mean(axis=1)
        means -= without.reshape(shape).mean(axis=1)
        return means

    changed: dict[Measure, NDArray[np.float64]] = {
        "harm_per_case": difference(settled.harm_cents, calm.harm_cents),
        "cost_per_case": difference(settled.micro, calm.micro),
        "good_served": difference(settled.served & good, calm.served & good),
    }
    pools = range(len(program.pools))
    worked = [difference(settled.work_ms[pool], calm.work_ms[pool]) for pool in pools]
    steps = range(len(program.steps))
    moved = [int((settled.end == step).sum()) - int((calm.end == step).sum()) for step in steps]
    waits = settled.waits
    samples = _Samples(
        changed,
        np.array(worked).reshape(len(worked), streams.replications),
        settled.cycle_ms.reshape(shape),
        np.array(moved, dtype=np.int64),
        waits.pool,
        waits.started - waits.arrived,
        waits.in_line,
        waits.timed_out,
    )
    return run, settled, samples


def _values(
    program: Program, exact: Exact, samples: _Samples
) -> tuple[dict[Measure, Value], list[Value]]:
    """The measures, and the load of each pool."""

    def corrected(base: float, changed: NDArray[np.float64], scale: float) -> Value:
        if not program.queues_decide:
            return Value(base, base, base, "exact")
        difference = changed * scale
        if not difference.any():
            return Value(base, base, base, "exact")
        shift, half = _interval(difference)
        value = max(base + shift, 0.0)
        return Value(value, max(value - half, 0.0), value + half, "exact and simulated")

    loads = [
        corrected(
            exact.loads[pool.id],
            samples.worked[number],
            program.world.mean_per_hour / 3_600_000 / pool.at_work,
        )
        for number, pool in enumerate(program.pools)
    ]
    changed = samples.changed
    values: dict[Measure, Value] = {
        "harm_per_case": corrected(exact.harm, changed["harm_per_case"], 1 / 100),
        "cost_per_case": corrected(exact.cost, changed["cost_per_case"], 1 / MICRO),
        "good_served": corrected(exact.served, changed["good_served"], 1 / exact.good),
        "cycle_p90_min": _p90(samples.cycles),
        "staff_load": max(loads, key=lambda load: load.value)
        if loads
        else Value(0.0, 0.0, 0.0, "exact"),
    }
    return values, loads


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


def _pool_use(program: Program, samples: _Samples, number: int, load: float) -> PoolUse:
    pool = program.pools[number]
    mine = samples.pool == number
    waited = samples.waited[mine]
    return PoolUse(
        block=pool.id,
        name=pool.name,
        staff=pool.staff or 1,
        load=load,
        visits_per_case=float(mine.sum()) / samples.total,
        wait_mean_min=float(waited.mean()) / MINUTE_MS if len(waited) else 0.0,
        wait_p90_min=_quantile(waited) / MINUTE_MS if len(waited) else 0.0,
        longest_line=int(samples.in_line[mine].max()) if len(waited) else 0,
        timed_out=float(samples.timed_out[mine].mean()) if len(waited) else 0.0,
    )


def _ends(program: Program, samples: _Samples, exact: Exact) -> dict[str, float]:
    """The share of cases at each end: exact, plus what queues were seen to change."""
    found = {}
    for step in program.steps:
        share = exact.ends.get(step.node.id, 0.0)
        moved = int(samples.moved[step.index])
        if step.node.kind == "end" and (share or moved):
            found[step.node.id] = min(max(share + moved / samples.total, 0.0), 1.0)
    return found


def first_arrival_ms(run: Run, case: int) -> int:
    """When a case came, in milliseconds since the start of its replication."""
    return int(run.arrival_ms[case]) % REPLICATION_MS

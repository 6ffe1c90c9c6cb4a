"""Random numbers that a map cannot shift: one named stream for each purpose.

A stream is keyed by seed, block, purpose and visit, and holds one uniform number per case. Adding
a step, a retry or a branch leaves every other draw as it was, so two maps meet the same cases with
the same luck. Steps have no say in the key: renaming one changes nothing, and copies of a block
share what they draw.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from courses.simulators.workflows.world import World

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SMALLEST = 1e-12
HOUR_MS = 3_600_000
# Longer than any backlog of a run, so that one global queue serves all replications in turn.
REPLICATION_MS = 10**11


class Streams:
    """`uniform(block, purpose, visit)[case]`, from Philox; cases are numbered over replications.

    `after` replications have been drawn already: the numbers are those that follow theirs.
    """

    def __init__(self, seed: str, cases: int, replications: int = 1, *, after: int = 0) -> None:
        self.seed = seed
        self.cases = cases
        self.replications = replications
        self.after = after
        self._drawn: dict[tuple[str, str, int], Floats] = {}

    @property
    def total(self) -> int:
        return self.cases * self.replications

    def more(self) -> Streams:
        """As many replications again, behind all that were drawn so far."""
        drawn = self.after + self.replications
        return Streams(self.seed, self.cases, drawn, after=drawn)

    def uniform(self, block: str, purpose: str, visit: int = 0) -> Floats:
        key = (block, purpose, visit)
        drawn = self._drawn.get(key)
        if drawn is None:
            name = f"{self.seed}|{block}|{purpose}|{visit}"
            digest = hashlib.blake2b(name.encode(), digest_size=16).digest()
            words = np.frombuffer(digest, dtype="<u8").astype(np.uint64)
            philox = np.random.Philox(key=words)
            # One step of its counter gives four numbers.
            steps, rest = divmod(self.after * self.cases, 4)
            if steps:
                philox.advance(steps)
            drawn = self._drawn[key] = np.random.Generator(philox).random(rest + self.total)[rest:]
        return drawn

    def pick(self, block: str, purpose: str, visits: NDArray[Any], cases: Ints) -> Floats:
        """One number for each (case, visit) pair."""
        if not len(cases):
            return np.empty(0)
        first = int(visits.min())
        if first == int(visits.max()):
            return self.uniform(block, purpose, first)[cases]
        found = np.empty(len(cases))
        for visit in np.unique(visits):
            here = visits == visit
            found[here] = self.uniform(block, purpose, int(visit))[cases[here]]
        return found


def duration_ms(uniform: Floats, mean_s: float) -> Ints:
    """Exponential times, rounded to whole milliseconds.

    Whole numbers, because `log` differs in the last bit between processors and a sum of floats
    depends on its order; whole milliseconds and micro-dollars give the same result everywhere.
    """
    return np.rint(-np.log1p(-uniform) * (mean_s * 1000)).astype(np.int64)


def amounts_in_cents(uniform: Floats, world: World) -> Ints:
    z = ndtri(np.clip(uniform, SMALLEST, 1 - SMALLEST))
    amounts = world.amount_median * np.exp(world.amount_sigma * z)
    return np.rint(amounts * 100).astype(np.int64)


def confidence_in_millionths(uniform: Floats, a: Floats, b: Floats) -> Ints:
    """Kumaraswamy numbers by their inverse, rounded to a millionth."""
    return np.rint((1 - (1 - uniform) ** (1 / b)) ** (1 / a) * 1e6).astype(np.int64)


def faults_of(uniform: Floats, world: World) -> NDArray[np.int8]:
    bounds = np.cumsum([fault.p for fault in world.faults])
    found = np.searchsorted(bounds, uniform, side="right")
    return np.minimum(found, len(world.faults) - 1).astype(np.int8)


def arrivals_ms(uniform: Floats, world: World, replications: int) -> Ints:
    """When the cases come, in milliseconds; each replication lies in a stretch of its own.

    Gaps are rounded before they are summed. A rush lets its hours pass `factor` times as fast.
    """
    gaps = np.rint(-np.log1p(-uniform) * (HOUR_MS / world.per_hour)).astype(np.int64)
    times = np.cumsum(gaps.reshape(replications, -1), axis=1)
    if world.peak is not None:
        every, start, end = (
            1000 * span for span in (world.peak.every, world.peak.start, world.peak.end)
        )
        busy = round((end - start) * world.peak.factor)
        period = every - (end - start) + busy
        turns, rest = np.divmod(times, period)
        in_rush = start + np.rint((rest - start) / world.peak.factor).astype(np.int64)
        after = rest - busy + (end - start)
        rest = np.where(rest < start, rest, np.where(rest < start + busy, in_rush, after))
        times = turns * every + rest
    offsets = np.arange(replications, dtype=np.int64)[:, None] * REPLICATION_MS
    return (times + offsets).ravel()

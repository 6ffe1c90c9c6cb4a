"""Whether an item changes over time: easier, as leaked items get, or harder, as the world moves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from exams.psychometrics.item_analysis import LEAST_ATTEMPTS, Z_95

# A smaller change matters to nobody, however sure one is of it.
NOTABLE = 0.10


@dataclass(frozen=True, slots=True)
class Drift:
    """The change in the share who have an item right, later less earlier, with its 95 % interval.

    `finding` is None below `LEAST_ATTEMPTS` on either side."""

    change: float
    low: float
    high: float
    earlier_n: int
    later_n: int
    finding: Literal["easier", "harder", "steady"] | None


def difference(
    right_one: int, of_one: int, right_other: int, of_other: int, z: float = Z_95
) -> tuple[float, float, float]:
    """The first share less the other one, with its interval.

    Source: R. G. Newcombe, Interval estimation for the difference between independent proportions,
    Statistics in Medicine 17 (1998), pages 873 to 890, method 10.
    """
    one, other = right_one / of_one, right_other / of_other
    low_one, high_one = _wilson(right_one, of_one, z)
    low_other, high_other = _wilson(right_other, of_other, z)
    change = one - other
    return (
        change,
        change - math.sqrt((one - low_one) ** 2 + (high_other - other) ** 2),
        change + math.sqrt((high_one - one) ** 2 + (other - low_other) ** 2),
    )


def _wilson(right: int, of: int, z: float) -> tuple[float, float]:
    share = right / of
    scale = 1 + z * z / of
    centre = share + z * z / (2 * of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return (centre - half) / scale, (centre + half) / scale


def drift(earlier: tuple[int, int], later: tuple[int, int]) -> Drift:
    """Compare two periods, each as (right, answers). A change is called one when the whole interval
    lies on one side of 0 and it is at least `NOTABLE`."""
    (right_before, before), (right_after, after) = earlier, later
    if before == 0 or after == 0:
        return Drift(0.0, -1.0, 1.0, before, after, None)
    change, low, high = difference(right_after, after, right_before, before)
    finding: Literal["easier", "harder", "steady"] | None = "steady"
    if min(before, after) < LEAST_ATTEMPTS:
        finding = None
    elif low > 0 and change >= NOTABLE:
        finding = "easier"
    elif high < 0 and change <= -NOTABLE:
        finding = "harder"
    return Drift(change, low, high, before, after, finding)

"""Put the scores of one form on the scale of another, through the items that both hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

# Below this many attempts on either form an equating would add more noise than it takes away.
# S. A. Livingston and S. Kim, Journal of Educational Measurement 46 (2009), pages 330 to 343, tried
# samples of 25 to 200; the largest of their small samples keeps a chance result from moving a cut.
LEAST_FOR_EQUATING = 100


@dataclass(frozen=True, slots=True)
class Sitting:
    """One form as it was sat: each attempt's points on the form and on the anchor items in it."""

    totals: tuple[int, ...]
    anchors: tuple[int, ...]
    items: int
    anchor_items: int

    @property
    def n(self) -> int:
        return len(self.totals)


@dataclass(frozen=True, slots=True)
class Equating:
    """`equivalent` gives for each score of the new form, from 0, its place on the old form."""

    method: Literal["identity", "circle-arc"]
    equivalent: tuple[float, ...]
    n_new: int
    n_old: int

    def cut_on_new(self, old_cut: int) -> int:
        """The lowest score of the new form that is worth at least the old form's cut, less half a
        point of rounding: the same ability passes on both."""
        for score, worth in enumerate(self.equivalent):
            if worth >= old_cut - 0.5:
                return max(1, score)
        return len(self.equivalent) - 1


def equate(new: Sitting, old: Sitting, *, least: int = LEAST_FOR_EQUATING) -> Equating:
    """Equate by circle-arc, or leave scores as they are below `least` attempts on either form.

    The middle of the arc comes from mean equating with nominal weights: the groups' difference on
    the anchors, stretched by how many items stand for one anchor item.

    Sources: S. A. Livingston and S. Kim (above), simplified circle-arc; B. Babcock, A. Albano and
    M. Raymond, Educational and Psychological Measurement 72 (2012), pages 608 to 628.
    """
    if min(new.n, old.n) < least or not new.anchor_items or not old.anchor_items:
        return Equating("identity", tuple(map(float, range(new.items + 1))), new.n, old.n)
    middle = float(np.mean(new.totals))
    worth = mean_equated(
        new_mean=middle,
        old_mean=float(np.mean(old.totals)),
        new_anchor=float(np.mean(new.anchors)),
        old_anchor=float(np.mean(old.anchors)),
        new_weight=new.items / new.anchor_items,
        old_weight=old.items / old.anchor_items,
        share_new=new.n / (new.n + old.n),
    )
    return Equating(
        "circle-arc",
        tuple(
            circle_arc(score, top=(new.items, old.items), middle=(middle, worth))
            for score in range(new.items + 1)
        ),
        new.n,
        old.n,
    )


def mean_equated(
    *,
    new_mean: float,
    old_mean: float,
    new_anchor: float,
    old_anchor: float,
    new_weight: float,
    old_weight: float,
    share_new: float,
) -> float:
    """What the mean of the new form is worth on the old one, for a group that is `share_new` of
    those who sat the new form and otherwise of those who sat the old one."""
    gap = new_anchor - old_anchor
    both_new = new_mean - (1 - share_new) * new_weight * gap
    both_old = old_mean + share_new * old_weight * gap
    return new_mean - both_new + both_old


def circle_arc(score: float, *, top: tuple[float, float], middle: tuple[float, float]) -> float:
    """The point above `score` on an arc from (0, 0) through `middle` to `top`, the arc being a
    circle after the straight line between its ends is taken away."""
    x3, slope = top[0], top[1] / top[0]
    x2, rise = middle[0], middle[1] - slope * middle[0]
    if abs(rise) < 1e-9 or not 0 < x2 < x3:
        return slope * score
    centre_x = x3 / 2
    centre_y = (x2 * x2 + rise * rise - x3 * x2) / (2 * rise)
    radius = math.hypot(centre_x, centre_y)
    lift = math.sqrt(max(0.0, radius**2 - (score - centre_x) ** 2))
    return slope * score + centre_y + (lift if rise > 0 else -lift)


def same_items(forms: Sequence[frozenset[str]]) -> frozenset[str]:
    """The items that every form holds."""
    return frozenset.intersection(*forms) if forms else frozenset()

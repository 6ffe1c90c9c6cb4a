"""Would the same people pass again? Consistency and accuracy of pass and fail at the cut."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from exams.psychometrics.reliability import NoSpread


@dataclass(frozen=True, slots=True)
class Consistency:
    """`same` is the share of people with the same verdict on two parallel forms, `kappa` the part
    of it beyond chance."""

    same: float
    kappa: float


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Shares of people. `consistency` as above; `accurate` have the verdict that their true score
    deserves, `false_pass` pass below it, `false_fail` fail above it."""

    consistency: Consistency
    accurate: float
    false_pass: float
    false_fail: float


def subkoviak(totals: Sequence[int], *, items: int, cut: int, reliability: float) -> Consistency:
    """Decision consistency from one form of right-or-wrong items.

    Each person's true share is drawn towards the mean by the reliability; two parallel forms are
    two binomial draws from it. `cut` is the lowest number right that passes.

    Source: M. J. Subkoviak, Estimating reliability from a single administration of a
    criterion-referenced test, Journal of Educational Measurement 13 (1976), pages 265 to 276.
    """
    scores = np.asarray(totals, dtype=np.float64)
    kept = min(1.0, max(0.0, reliability))
    true = kept * scores / items + (1 - kept) * scores.mean() / items
    passing = np.asarray(stats.binom.sf(cut - 1, items, true), dtype=np.float64)
    return _consistency(float((passing**2 + (1 - passing) ** 2).mean()), float(passing.mean()))


def from_margins(*, z: float, reliability: float) -> Consistency:
    """Decision consistency where scores are normal: `z` is the cut, less half a point, less the
    mean, in standard deviations.

    Source: C.-Y. J. Peng and M. J. Subkoviak, Journal of Educational Measurement 17 (1980), pages
    359 to 368; tabled in M. J. Subkoviak, Journal of Educational Measurement 25 (1988), page 47.
    """
    below = float(stats.norm.cdf(z))
    both = float(
        stats.multivariate_normal.cdf(
            [z, z], mean=[0, 0], cov=[[1, reliability], [reliability, 1]], allow_singular=True
        )
    )
    return _consistency(1 + 2 * (both - below), 1 - below)


def livingston_lewis(
    totals: Sequence[float], *, possible: int, cut: float, reliability: float
) -> Accuracy:
    """Consistency and accuracy for scores of any kind, also where items have several points.

    The form is replaced by one of right-or-wrong items that is as reliable (the effective length);
    true shares follow a beta distribution with the moments of the scores. `possible` is the most
    points there are; `cut` the lowest that passes.

    Raises `NoSpread` when scores or true scores do not vary.

    Source: S. A. Livingston and C. Lewis, Journal of Educational Measurement 32 (1995), pages 179
    to 197, with a beta distribution of two parameters for true scores.
    """
    shares = np.asarray(totals, dtype=np.float64) / possible
    mean, variance = float(shares.mean()), float(shares.var(ddof=1))
    if variance == 0 or not 0 < mean < 1 or not 0 < reliability < 1:
        raise NoSpread()
    length = max(
        1, round((mean * (1 - mean) - reliability * variance) / (variance * (1 - reliability)))
    )
    true_variance = variance * reliability
    common = mean * (1 - mean) / true_variance - 1
    if common <= 0:
        raise NoSpread()
    beta = stats.beta(mean * common, (1 - mean) * common)
    share = cut / possible
    # Two thousand steps of equal probability: a mean over them is the integral to four decimals.
    true = beta.ppf((np.arange(2000) + 0.5) / 2000)
    needed = math.ceil(share * length - 1e-9)
    passing = np.asarray(stats.binom.sf(needed - 1, length, true), dtype=np.float64)
    deserves = true >= share
    return Accuracy(
        consistency=_consistency(
            float((passing**2 + (1 - passing) ** 2).mean()), float(passing.mean())
        ),
        accurate=float(np.where(deserves, passing, 1 - passing).mean()),
        false_pass=float(np.where(deserves, 0, passing).mean()),
        false_fail=float(np.where(deserves, 1 - passing, 0).mean()),
    )


def _consistency(same: float, passing: float) -> Consistency:
    chance = passing**2 + (1 - passing) ** 2
    return Consistency(same, (same - chance) / (1 - chance) if chance < 1 else 0.0)

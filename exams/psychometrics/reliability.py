"""How repeatable the scores of a form are: alpha, KR-20, and the standard error at each score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from checkride.lib.errors import DomainError

ScoreMatrix: TypeAlias = NDArray[np.float64]


class TooFewAttempts(DomainError):
    code = "too-few-attempts"
    sentence = "There are {has} attempts and {needs} are needed. No figure was calculated."


class NoSpread(DomainError):
    code = "no-spread"
    sentence = "All totals agree, so nothing can be said about their repeatability."


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure from `n` attempts with its two-sided 95 % interval."""

    value: float
    low: float
    high: float
    n: int


def score_matrix(rows: Sequence[Sequence[int]]) -> ScoreMatrix:
    """A row per attempt and a column per item, in points. Raises `TooFewAttempts` below two."""
    matrix = np.asarray(rows, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] < 2 or matrix.shape[1] < 2:
        raise TooFewAttempts(has=len(rows), needs=2)
    return matrix


def alpha(scores: ScoreMatrix) -> Estimate:
    """Coefficient alpha with Feldt's interval; for right-or-wrong items it is KR-20.

    The result has no unit, is at most 1, and is negative when items contradict one another.
    Raises `NoSpread` when all totals agree.

    Sources: L. J. Cronbach, Psychometrika 16 (1951), pages 297 to 334; the interval: L. S. Feldt,
    Psychometrika 30 (1965), pages 357 to 370.
    """
    n, k = scores.shape
    total = float(scores.sum(axis=1).var(ddof=1))
    if total == 0:
        raise NoSpread()
    value = k / (k - 1) * (1 - float(scores.var(axis=0, ddof=1).sum()) / total)
    degrees = (n - 1, (n - 1) * (k - 1))
    low = 1 - (1 - value) * float(stats.f.ppf(0.975, *degrees))
    high = 1 - (1 - value) * float(stats.f.ppf(0.025, *degrees))
    return Estimate(value, low, high, n)


def kr20(scores: ScoreMatrix) -> float:
    """Estimate the reliability of a form of right-or-wrong items, from shares instead of variances.

    `scores` holds only 0 and 1. Raises `NoSpread` when all totals agree.

    Source: G. F. Kuder and M. W. Richardson, Psychometrika 2 (1937), formula 20.
    """
    k = scores.shape[1]
    right = scores.mean(axis=0)
    total = float(scores.sum(axis=1).var())
    if total == 0:
        raise NoSpread()
    items: int = k
    return items / (items - 1) * (1 - float((right * (1 - right)).sum()) / total)


def kr21(mean: float, variance: float, items: int) -> float:
    """The reliability that fits items of equal difficulty.

    Source: G. F. Kuder and M. W. Richardson, Psychometrika 2 (1937), formula 21.
    """
    return items / (items - 1) * (1 - mean * (items - mean) / (items * variance))


def standard_error(spread: float, reliability: float) -> float:
    """The standard error of measurement, in points: what one person's scores would vary by."""
    return spread * math.sqrt(max(0.0, 1 - reliability))


def conditional_error(correct: int, items: int, *, ratio: float = 1.0) -> float:
    """The standard error at one score, in points: widest in the middle, 0 at both ends.

    `ratio` is (1 - KR-20) / (1 - KR-21), which takes out that items differ in difficulty; 1 leaves
    Lord's binomial error as it is.

    Sources: F. M. Lord, Educational and Psychological Measurement 17 (1957), pages 510 to 521;
    J. A. Keats, Psychometrika 22 (1957), pages 29 to 41.
    """
    binomial = correct * (items - correct) / (items - 1)
    return math.sqrt(max(0.0, binomial * ratio))


def keats_ratio(scores: ScoreMatrix) -> float:
    """(1 - KR-20) / (1 - KR-21) of right-or-wrong scores, between 0 and 1."""
    totals = scores.sum(axis=1)
    variance = float(totals.var())
    if variance == 0:
        raise NoSpread()
    simple = kr21(float(totals.mean()), variance, scores.shape[1])
    return (1 - kr20(scores)) / (1 - simple)


def correlation_interval(r: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a correlation, through Fisher's z.

    Source: R. A. Fisher, Metron 1 (1921), pages 3 to 32.
    """
    if n <= 3 or abs(r) >= 1:
        return (r, r)
    z, half = math.atanh(r), 1.959963984540054 / math.sqrt(n - 3)
    return math.tanh(z - half), math.tanh(z + half)

"""Where the cut comes from: judges' ratings of items, or examiners' verdicts on performances."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from checkride.lib.errors import DomainError

# A panel of fewer is a conversation; ten or more is what P. R. Brandon recommends (Applied
# Measurement in Education 17 (2004), pages 59 to 88).
LEAST_JUDGES = 5
LEAST_BORDERLINE = 10


class NoPanel(DomainError):
    code = "no-panel"
    sentence = "{has} judges have rated every item and {needs} are needed. No cut was calculated."


class BadRating(DomainError):
    code = "bad-rating"
    sentence = "Nothing was stored: a rating is a whole percentage from 1 to 99 for every item."


@dataclass(frozen=True, slots=True)
class JudgeStatistics:
    """One judge: the cut that the ratings add up to, and how they go with the others' means."""

    judge: str
    cut: float
    with_others: float | None


@dataclass(frozen=True, slots=True)
class AngoffResult:
    """One round. `cut` is in points of the form, `error` the standard error of its mean over
    judges, `spread` the standard deviation between them."""

    judges: tuple[JudgeStatistics, ...]
    cut: float
    spread: float
    error: float
    items: int
    unsettled: tuple[str, ...]


def angoff(ratings: Mapping[str, Mapping[str, int]], *, least: int = LEAST_JUDGES) -> AngoffResult:
    """The cut of one round of a modified Angoff study.

    `ratings` gives for each judge the percentage of just-qualified candidates expected to answer
    each item right. Judges who have not rated every item are left out. `unsettled` names the items
    on which ratings spread most, for the discussion between rounds.

    Raises `NoPanel` for fewer than `least` judges.

    Source: W. H. Angoff, Scales, norms, and equivalent scores, in Educational Measurement, second
    edition, 1971, page 515; R. K. Hambleton and M. J. Pitoniak, in the fourth edition, 2006.
    """
    items = sorted({item for marks in ratings.values() for item in marks})
    complete = {judge: marks for judge, marks in ratings.items() if set(marks) == set(items)}
    if len(complete) < least or not items:
        raise NoPanel(has=len(complete), needs=least)
    cuts = {judge: sum(marks.values()) / 100 for judge, marks in complete.items()}
    spread = statistics.stdev(cuts.values()) if len(cuts) > 1 else 0.0
    by_item = {
        item: statistics.stdev(marks[item] for marks in complete.values())
        if len(complete) > 1
        else 0.0
        for item in items
    }
    return AngoffResult(
        judges=tuple(
            JudgeStatistics(judge, cuts[judge], _with_others(judge, complete, items))
            for judge in sorted(complete)
        ),
        cut=statistics.fmean(cuts.values()),
        spread=spread,
        error=spread / math.sqrt(len(cuts)),
        items=len(items),
        unsettled=tuple(
            item
            for item, between in sorted(by_item.items(), key=lambda row: -row[1])
            if between >= 15
        ),
    )


def expected_sem(means: Sequence[float]) -> float:
    """The standard error of measurement of a just-qualified candidate, in items, from the panel's
    mean ratings (each 0 to 1): the spread of a sum of independent right-or-wrong answers.

    It needs no candidates, so it serves before there are any; items that hang together make the
    true error larger.

    Source: F. M. Lord, Do tests of the same length have the same standard error of measurement?,
    Educational and Psychological Measurement 17 (1957), pages 510 to 521.
    """
    return math.sqrt(sum(mean * (1 - mean) for mean in means))


def adjusted_cut(cut: float, sem: float, units: float, *, most: int) -> int:
    """The cut in whole points after a policy adjustment of `units` standard errors, within 1 to
    `most`. Rounded up: nobody passes with less than was decided."""
    return max(1, min(most, math.ceil(round(cut + units * sem, 6))))


def _with_others(
    judge: str, ratings: Mapping[str, Mapping[str, int]], items: Sequence[str]
) -> float | None:
    others = [marks for name, marks in ratings.items() if name != judge]
    if not others:
        return None
    means = [statistics.fmean(marks[item] for marks in others) for item in items]
    try:
        return round(statistics.correlation([ratings[judge][item] for item in items], means), 4)
    except statistics.StatisticsError:
        return None


@dataclass(frozen=True, slots=True)
class BorderlineResult:
    """The median score of those judged borderline, with the interval that holds the true median 95
    times in 100."""

    cut: float
    low: float
    high: float
    n: int


def borderline_group(scores: Sequence[float], *, least: int = LEAST_BORDERLINE) -> BorderlineResult:
    """The cut of a performance task: the median score of performances that examiners, who saw no
    score, judged to lie on the border.

    Raises `NoPanel` for fewer than `least`.

    Source: S. A. Livingston and M. J. Zieky, Passing Scores, Educational Testing Service, 1982; the
    interval from order statistics: W. R. Thompson, Annals of Mathematical Statistics 7 (1936).
    """
    n = len(scores)
    if n < least:
        raise NoPanel(has=n, needs=least)
    ordered = sorted(scores)
    # The widest rank whose binomial tail stays below 2.5 %.
    tail, rank = 0.0, 0
    for k in range(n):
        tail += math.comb(n, k) / 2**n
        if tail > 0.025:
            break
        rank = k + 1
    rank = max(1, rank)
    return BorderlineResult(statistics.median(ordered), ordered[rank - 1], ordered[n - rank], n)

"""How hard an item is, whether it tells strong from weak candidates, and which options work."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from exams.psychometrics.reliability import correlation_interval
from exams.scoring.score import Range, wilson

# Below this many attempts a figure would be noise with decimals.
LEAST_ATTEMPTS = 30
# The two-sided 95 % quantile of the normal distribution.
Z_95 = 1.959963984540054

HARDEST_SHARE = 0.25
EASIEST_SHARE = 0.95
WEAKEST_CORRELATION = 0.10
# An option that fewer people choose draws nobody.
WORKING_SHARE = 0.05

Finding: TypeAlias = Literal["check-key", "weak", "hard", "easy", "idle-distractors"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One candidate's answer to the item: its points, the points on all other items of the same
    form, and the option chosen (empty when there is none, or another kind of item)."""

    points: int
    rest: int
    option: str = ""
    omitted: bool = False


@dataclass(frozen=True, slots=True)
class OptionStatistics:
    """`with_rest` correlates choosing this option with the points on the other items; `by_third`
    is the share who chose it among the lowest, middle and highest third on those."""

    id: str
    is_key: bool
    chosen: int
    share: float
    with_rest: float | None
    by_third: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemStatistics:
    """`share` is the share of the points earned (of the people who had it right, where it is worth
    one), `plausible` its 95 % range, `with_rest` the correlation of the item with the other items
    (not with a total that contains it, which flatters), `rest_range` its 95 % interval, `omitted`
    the share without an answer. All are None below `LEAST_ATTEMPTS`, `with_rest` also without any
    spread."""

    attempts: int
    right: int
    share: float | None
    plausible: Range | None
    with_rest: float | None
    options: tuple[OptionStatistics, ...]
    findings: tuple[Finding, ...]
    rest_range: tuple[float, float] | None = None
    omitted: float | None = None


def analyse(
    answers: Sequence[Answer], *, options: tuple[str, ...] = (), key: str = "", possible: int = 1
) -> ItemStatistics:
    """Classical item analysis of one item.

    `options` and `key` are given for single-choice items only, `possible` for items of several
    points. The correlation is Pearson's, for
    a 0/1 item the point-biserial.

    Source: Crocker and Algina, Introduction to Classical and Modern Test Theory, 1986, chapter 14.
    """
    attempts = len(answers)
    right = sum(answer.points for answer in answers)
    if attempts < LEAST_ATTEMPTS:
        return ItemStatistics(attempts, right, None, None, None, (), ())
    share = right / (attempts * possible)
    rest = [answer.rest for answer in answers]
    with_rest = _correlation([answer.points for answer in answers], rest)
    thirds = _thirds(answers)
    found = tuple(
        OptionStatistics(
            id=option,
            is_key=option == key,
            chosen=(chosen := sum(1 for answer in answers if answer.option == option)),
            share=chosen / attempts,
            with_rest=_correlation([int(answer.option == option) for answer in answers], rest),
            by_third=tuple(
                sum(answer.option == option for answer in third) / len(third) for third in thirds
            ),
        )
        for option in options
    )
    return ItemStatistics(
        attempts=attempts,
        right=right,
        share=share,
        plausible=wilson(right, attempts * possible, z=Z_95, draws=attempts),
        with_rest=with_rest,
        options=found,
        findings=_findings(share, with_rest, found),
        rest_range=None if with_rest is None else correlation_interval(with_rest, attempts),
        omitted=sum(answer.omitted for answer in answers) / attempts,
    )


def _thirds(answers: Sequence[Answer]) -> tuple[Sequence[Answer], ...]:
    """The answers by points on the other items, parted into three groups of equal size."""
    ranked = sorted(answers, key=lambda answer: answer.rest)
    cut = [round(len(ranked) * part / 3) for part in range(4)]
    return tuple(ranked[cut[part] : cut[part + 1]] for part in range(3))


def _findings(
    share: float, with_rest: float | None, options: tuple[OptionStatistics, ...]
) -> tuple[Finding, ...]:
    distractors = [option for option in options if not option.is_key]
    working = [option for option in distractors if option.share >= WORKING_SHARE]
    holds: dict[Finding, bool] = {
        # Strong candidates who agree on a wrong option may know something the key does not.
        "check-key": any(
            option.with_rest is not None and option.with_rest > 0 and option.share >= WORKING_SHARE
            for option in distractors
        ),
        "weak": with_rest is not None and with_rest < WEAKEST_CORRELATION,
        "hard": share < HARDEST_SHARE,
        "easy": share > EASIEST_SHARE,
        "idle-distractors": bool(distractors) and len(working) < 2,
    }
    return tuple(finding for finding, held in holds.items() if held)


def _correlation(one: Sequence[int], other: Sequence[int]) -> float | None:
    try:
        return round(statistics.correlation(one, other), 4)
    except statistics.StatisticsError:
        # Everybody the same: there is nothing to correlate.
        return None

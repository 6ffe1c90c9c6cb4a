"""How hard an item is, whether it tells strong from weak candidates, and which options work."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

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


@dataclass(frozen=True, slots=True)
class OptionStatistics:
    """`with_rest` correlates choosing this option with the points on the other items."""

    id: str
    is_key: bool
    chosen: int
    share: float
    with_rest: float | None


@dataclass(frozen=True, slots=True)
class ItemStatistics:
    """`share` is the share who had it right, `plausible` its 95 % range, `with_rest` the
    correlation of the item with the other items (not with a total that contains it, which
    flatters). All three are None below `LEAST_ATTEMPTS`, `with_rest` also without any spread."""

    attempts: int
    right: int
    share: float | None
    plausible: Range | None
    with_rest: float | None
    options: tuple[OptionStatistics, ...]
    findings: tuple[Finding, ...]


def analyse(
    answers: Sequence[Answer], *, options: tuple[str, ...] = (), key: str = ""
) -> ItemStatistics:
    """Classical item analysis of one item.

    `options` and `key` are given for single-choice items only. The correlation is Pearson's, for
    a 0/1 item the point-biserial.

    Source: Crocker and Algina, Introduction to Classical and Modern Test Theory, 1986, chapter 14.
    """
    attempts = len(answers)
    right = sum(answer.points for answer in answers)
    if attempts < LEAST_ATTEMPTS:
        return ItemStatistics(attempts, right, None, None, None, (), ())
    share = right / attempts
    rest = [answer.rest for answer in answers]
    with_rest = _correlation([answer.points for answer in answers], rest)
    found = tuple(
        OptionStatistics(
            id=option,
            is_key=option == key,
            chosen=(chosen := sum(1 for answer in answers if answer.option == option)),
            share=chosen / attempts,
            with_rest=_correlation([int(answer.option == option) for answer in answers], rest),
        )
        for option in options
    )
    return ItemStatistics(
        attempts=attempts,
        right=right,
        share=share,
        plausible=wilson(right, attempts, z=Z_95),
        with_rest=with_rest,
        options=found,
        findings=_findings(share, with_rest, found),
    )


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

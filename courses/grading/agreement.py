"""How far the prompt reader agrees with labels that people gave: figures with their intervals.

A prompt is labelled in several requirements at once, and whoever writes in a way that the reader
misreads does so in more than one of them. So decisions are counted by prompt, and intervals are as
wide as that makes them.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95
RESAMPLES = 1000
_Z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)


class NothingToCompare(ValueError):
    """There is no decision at all, so there is no figure."""


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision beside its label. `verdict` may be unsure; `best` is what was likeliest then."""

    prompt: str
    requirement: str
    label: str
    best: str
    verdict: str

    @property
    def is_sure(self) -> bool:
        return self.verdict != "unsure"

    @property
    def is_right(self) -> bool:
        return self.is_sure and self.verdict == self.label

    @property
    def is_false_met(self) -> bool:
        """The worst mistake: a rule was seen that is not there, or whose opposite is."""
        return self.verdict == "met" != self.label


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole`, and where the share lies in 95 of 100 such sets (0 to 1)."""

    part: int
    whole: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.part / self.whole if self.whole else 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """The agreement of the reader over one set, or on one requirement in it.

    `accuracy` is over the decisions the reader was sure of, `kappa` over all of them by what was
    likeliest; it is None where it cannot be calculated, because one label stands everywhere.
    """

    prompts: int
    decisions: int
    coverage: Share
    accuracy: Share
    false_met: Share
    kappa: float | None
    kappa_low: float | None
    kappa_high: float | None


def kappa(pairs: Counter[tuple[str, str]]) -> float | None:
    """Cohen's kappa of two raters; None where chance alone would agree always.

    Source: Cohen, Educational and Psychological Measurement 20 (1960).
    """
    total = pairs.total()
    if not total:
        return None
    agreed = sum(count for (one, other), count in pairs.items() if one == other) / total
    labels = {label for pair in pairs for label in pair}
    first = {label: sum(n for (one, _), n in pairs.items() if one == label) for label in labels}
    second = {
        label: sum(n for (_, other), n in pairs.items() if other == label) for label in labels
    }
    chance = sum(first[label] * second[label] for label in labels) / total**2
    return None if chance == 1 else (agreed - chance) / (1 - chance)


def share(counts: Sequence[tuple[int, int]]) -> Share:
    """The share of hits from (hits, decisions) of each prompt, with its interval.

    The interval is Wilson's, with as many decisions as would be as telling if each stood for
    itself. Sources: Wilson, Journal of the American Statistical Association 22 (1927); Korn and
    Graubard, Survey Methodology 24 (1998).
    """
    hits, whole = sum(hit for hit, _ in counts), sum(of for _, of in counts)
    if not whole:
        return Share(0, 0, 0.0, 1.0)
    value, clusters = hits / whole, len(counts)
    telling = float(whole)
    spread = sum((hit - value * of) ** 2 for hit, of in counts)
    if clusters > 1 and spread:
        variance = clusters / (clusters - 1) * spread / whole**2
        telling = min(telling, value * (1 - value) / variance)
    squared = _Z**2
    middle = (value + squared / (2 * telling)) / (1 + squared / telling)
    half = sqrt(value * (1 - value) / telling + squared / (4 * telling**2))
    half *= _Z / (1 + squared / telling)
    return Share(hits, whole, max(0.0, middle - half), min(1.0, middle + half))


def figures(rows: Iterable[Decided]) -> Figures:
    """The figures of a set. The same rows give the same figures.

    Raises `NothingToCompare` when there is no row.
    """
    prompts: dict[str, list[Decided]] = {}
    for row in rows:
        prompts.setdefault(row.prompt, []).append(row)
    if not prompts:
        raise NothingToCompare
    groups = list(prompts.values())
    decided = [row for group in groups for row in group]
    low, high = _kappa_range(groups)
    return Figures(
        prompts=len(groups),
        decisions=len(decided),
        coverage=share([(sum(row.is_sure for row in group), len(group)) for group in groups]),
        accuracy=share(
            [
                (sum(row.is_right for row in group), sum(row.is_sure for row in group))
                for group in groups
            ]
        ),
        false_met=share([(sum(row.is_false_met for row in group), len(group)) for group in groups]),
        kappa=kappa(Counter((row.label, row.best) for row in decided)),
        kappa_low=low,
        kappa_high=high,
    )


def by_requirement(rows: Iterable[Decided]) -> dict[str, Figures]:
    """The figures of each requirement, in the order in which the requirements come."""
    found: dict[str, list[Decided]] = {}
    for row in rows:
        found.setdefault(row.requirement, []).append(row)
    return {name: figures(group) for name, group in found.items()}


def _kappa_range(groups: Sequence[Sequence[Decided]]) -> tuple[float | None, float | None]:
    """Percentiles of kappa over sets of prompts drawn with replacement, seed fixed.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    if len(groups) < 2:
        return None, None
    counted = [Counter((row.label, row.best) for row in group) for group in groups]
    draw = random.Random(0)  # noqa: S311 - statistics, and the same each time
    found: list[float] = []
    for _ in range(RESAMPLES):
        total: Counter[tuple[str, str]] = Counter()
        for one in draw.choices(counted, k=len(counted)):
            total.update(one)
        value = kappa(total)
        if value is not None:
            found.append(value)
    if not found:
        return None, None
    found.sort()
    cut = round((1 - CONFIDENCE) / 2 * (len(found) - 1))
    return found[cut], found[-1 - cut]

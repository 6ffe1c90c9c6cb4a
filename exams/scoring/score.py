"""Points and verdicts, repeatable bit for bit.

Every item is worth one point, given for the whole answer or not at all: a partly right order in a
release is a release in the wrong order. Practice may give parts of a point; an exam does not.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import assert_never

from checkride.lib.errors import DomainError
from exams.scoring.items import (
    HotspotKey,
    Item,
    MatchingKey,
    MultipleKey,
    NumericKey,
    OrderingKey,
    SingleKey,
)
from exams.scoring.responses import Payload, read_number

# Nine times out of ten: the two-sided 90 % quantile of the normal distribution.
Z_90 = 1.6448536269514722

POLICY = "all-or-nothing/1"


class NothingToScore(DomainError):
    code = "nothing-to-score"
    sentence = "This form has no items, so there is nothing to score."


@dataclass(frozen=True, slots=True)
class Range:
    """Shares, 0 to 1, between which the true share plausibly lies."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class DomainScore:
    name: str
    correct: int
    of: int
    plausible: Range


@dataclass(frozen=True, slots=True)
class Score:
    """The verdict on one attempt. `percent` is rounded down, so a shown 70 is a true 70."""

    points: tuple[int, ...]
    correct: int
    of: int
    percent: int
    cut: int
    cut_percent: int
    passed: bool
    plausible: Range
    domains: tuple[DomainScore, ...]


def score_response(item: Item, payload: Payload) -> int:
    """1 for a right answer, 0 for a wrong, incomplete or missing one."""
    if not payload:
        return 0
    match item.key:
        case SingleKey(right=right_choice):
            return int(payload["choice"] == right_choice)
        case MultipleKey(right=right_choices):
            return int(set(payload["choices"]) == right_choices)
        case NumericKey(value=value, tolerance=tolerance):
            number = read_number(payload["number"])
            return int(number is not None and abs(number - value) <= tolerance)
        case OrderingKey(right=right_order):
            places = {step: place for place, step in enumerate(right_order, start=1)}
            return int(dict(payload["positions"]) == places)
        case MatchingKey(right=right_pairs):
            return int(dict(payload["pairs"]) == dict(right_pairs))
        case HotspotKey(right=right_lines):
            return int(set(payload["lines"]) == right_lines)
        case never:
            assert_never(never)


def score_form(
    items: Sequence[Item], payloads: Sequence[Payload], *, cut: int, domains: Mapping[str, str]
) -> Score:
    """Score a whole form.

    `items` and `payloads` run in the form's order; `cut` is the lowest number of points that
    passes; `domains` gives the name for each domain id in the order of the report. A missing
    answer is an empty payload and scores 0.

    Raises `NothingToScore` for a form without items.
    """
    if not items:
        raise NothingToScore()
    points = tuple(
        score_response(item, payload) for item, payload in zip(items, payloads, strict=True)
    )
    by_domain = []
    for domain, name in domains.items():
        earned = [point for item, point in zip(items, points, strict=True) if item.domain == domain]
        if earned:
            by_domain.append(domain_score(name, earned))
    correct, of = sum(points), len(points)
    return Score(
        points=points,
        correct=correct,
        of=of,
        percent=100 * correct // of,
        cut=cut,
        cut_percent=100 * cut // of,
        passed=correct >= cut,
        plausible=wilson(correct, of),
        domains=tuple(by_domain),
    )


def domain_score(name: str, points: Sequence[int]) -> DomainScore:
    """What the points of one domain's items add up to, with the range that fits them."""
    return DomainScore(name, sum(points), len(points), wilson(sum(points), len(points)))


def wilson(correct: int, of: int, z: float = Z_90) -> Range:
    """The shares that fit `correct` right answers of `of`, nine times out of ten.

    Rounded to four decimals. It treats items as draws from one pool of equal items, so it says
    what a handful of answers can say about a domain and no more. It never leaves 0 to 1, unlike
    the interval from the standard error, which for 3 of 3 would claim certainty.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22 (1927), pages 209 to 212.
    """
    share = correct / of
    centre = share + z * z / (2 * of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    scale = 1 + z * z / of
    low, high = (centre - half) / scale, (centre + half) / scale
    return Range(round(max(0.0, low), 4), round(min(1.0, high), 4))


@cache
def grader_digest() -> str:
    """SHA-256 over the source of this package: two runs with one digest ran the same code."""
    total = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()

"""Points and verdicts, repeatable bit for bit.

An item is worth whole points, by default one, given for the whole answer or not at all: a partly
right order in a release is a release in the wrong order. An item of several points may say that
parts earn parts. Written answers and tasks come with points that were found elsewhere: by raters,
or by the engine that grades practice.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, assert_never

from checkride.lib.errors import DomainError
from exams.scoring.items import (
    HotspotKey,
    Item,
    MatchingKey,
    MultipleKey,
    NumericKey,
    OrderingKey,
    SingleKey,
    TaskKey,
    TextKey,
    WrittenKey,
)
from exams.scoring.responses import Payload, plain_text, read_number

# Nine times out of ten: the two-sided 90 % quantile of the normal distribution.
Z_90 = 1.6448536269514722

POLICY = "whole-points/2"


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


class NotJudgedYet(DomainError):
    code = "not-judged-yet"
    sentence = (
        "Item “{item}” is judged by people or by running it, and that has not been done. "
        "Nothing was graded; the answers are kept."
    )


def score_response(item: Item, payload: Payload, judged: int | None = None) -> int:
    """The points of an answer, from 0 to `item.points`; a missing answer earns 0.

    `judged` holds the points of an item that no key can score. Raises `NotJudgedYet` without them.
    """
    if not payload:
        return 0
    if item.is_judged:
        if judged is None:
            raise NotJudgedYet(item=item.id)
        return max(0, min(item.points, judged))
    right, of = _parts(item, payload)
    if item.credit == "all":
        return item.points if right == of else 0
    return item.points * max(0, right) // of


def _parts(item: Item, payload: Payload) -> tuple[int, int]:
    """How many parts of an answer are right, out of how many.

    Where more can be marked than is right, every wrong mark takes a right one back: otherwise
    marking everything would earn everything.
    """
    match item.key:
        case SingleKey(right=right_choice):
            return int(payload["choice"] == right_choice), 1
        case MultipleKey(right=right_choices):
            return _marked(set(payload["choices"]), right_choices)
        case NumericKey(value=value, tolerance=tolerance):
            number = read_number(payload["number"])
            return int(number is not None and abs(number - value) <= tolerance), 1
        case OrderingKey(right=right_order):
            places = payload["positions"]
            found = sum(places.get(step) == at for at, step in enumerate(right_order, start=1))
            return found, len(right_order)
        case MatchingKey(right=pairs):
            chosen = payload["pairs"]
            return sum(chosen.get(left) == other for left, other in pairs.items()), len(pairs)
        case HotspotKey(right=right_lines):
            return _marked(set(payload["lines"]), right_lines)
        case TextKey(accepted=accepted):
            return int(plain_text(payload["text"]) in {plain_text(one) for one in accepted}), 1
        case WrittenKey() | TaskKey():
            raise NotJudgedYet(item=item.id)
        case never:
            assert_never(never)


def _marked(marked: Set[Any], right: Set[Any]) -> tuple[int, int]:
    return len(marked & right) - len(marked - right), len(right)


def score_form(
    items: Sequence[Item],
    payloads: Sequence[Payload],
    *,
    cut: int,
    domains: Mapping[str, str],
    judged: Mapping[str, int] | None = None,
) -> Score:
    """Score a whole form.

    `items` and `payloads` run in the form's order; `cut` is the lowest number of points that
    passes; `domains` gives the name for each domain id in the order of the report; `judged` the
    points, by item id, of items that no key can score. A missing answer is an empty payload and
    scores 0. `correct` and `of` are sums of points, which is the number of items where each is
    worth one.

    Raises `NothingToScore` for a form without items, `NotJudgedYet` for one that still has to be
    judged.
    """
    if not items:
        raise NothingToScore()
    found = judged or {}
    points = tuple(
        score_response(item, payload, found.get(item.id))
        for item, payload in zip(items, payloads, strict=True)
    )
    by_domain = []
    for domain, name in domains.items():
        rows = [row for row in zip(items, points, strict=True) if row[0].domain == domain]
        if rows:
            earned = [point for _, point in rows]
            by_domain.append(domain_score(name, earned, [item.points for item, _ in rows]))
    correct, of = sum(points), sum(item.points for item in items)
    return Score(
        points=points,
        correct=correct,
        of=of,
        percent=100 * correct // of,
        cut=cut,
        cut_percent=100 * cut // of,
        passed=correct >= cut,
        plausible=wilson(correct, of, draws=len(items)),
        domains=tuple(by_domain),
    )


def domain_score(
    name: str, points: Sequence[int], possible: Sequence[int] | None = None
) -> DomainScore:
    """What the points of one domain's items add up to, with the range that fits them; an item has
    one possible point unless `possible` says otherwise."""
    of = len(points) if possible is None else sum(possible)
    return DomainScore(name, sum(points), of, wilson(sum(points), of, draws=len(points)))


def wilson(correct: int, of: int, z: float = Z_90, *, draws: int | None = None) -> Range:
    """The shares that fit `correct` right answers of `of`, nine times out of ten.

    `draws` is the number of items where an item is worth several points: ten points for one text
    are one look at a person, not ten. Rounded to four decimals. It treats items as draws from one
    pool of equal items, so it says what a handful of answers can say about a domain and no more. It
    never leaves 0 to 1, unlike the interval from the standard error, which for 3 of 3 would claim
    certainty.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22 (1927), pages 209 to 212.
    """
    share, n = correct / of, of if draws is None else draws
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low, high = (centre - half) / scale, (centre + half) / scale
    return Range(round(max(0.0, low), 4), round(min(1.0, high), 4))


@cache
def grader_digest() -> str:
    """SHA-256 over the source of this package: two runs with one digest ran the same code."""
    total = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()

"""Score answers again under a corrected item: what would change, and for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from exams.scoring.items import Item
from exams.scoring.responses import Payload
from exams.scoring.score import score_response


@dataclass(frozen=True, slots=True)
class Full:
    """Everybody who had the item gets its points: nobody can be blamed for it."""


@dataclass(frozen=True, slots=True)
class Drop:
    """The item does not count. The cut keeps its share of the points, rounded down: rounding up
    would ask more of these people than of others."""


@dataclass(frozen=True, slots=True)
class Accept:
    """Further answers are right, beside the key; each is a payload in the author's ids."""

    answers: tuple[Payload, ...]


@dataclass(frozen=True, slots=True)
class Rekey:
    """The corrected item's key decides. Its choices must have the same ids."""

    corrected: Item


ItemPolicy: TypeAlias = Full | Drop | Accept | Rekey
Keep: TypeAlias = Literal["best", "new"]


@dataclass(frozen=True, slots=True)
class Rescored:
    """Points and possible points by item, in the form's order, and the verdict they add up to."""

    points: tuple[int, ...]
    possible: tuple[int, ...]
    correct: int
    of: int
    cut: int

    @property
    def passed(self) -> bool:
        return self.correct >= self.cut


@dataclass(frozen=True, slots=True)
class Change:
    """One attempt before and after, each as (points, of, passed)."""

    before: tuple[int, int, bool]
    after: tuple[int, int, bool]

    @property
    def flip(self) -> Literal["", "now passes", "no longer passes"]:
        if self.before[2] == self.after[2]:
            return ""
        return "now passes" if self.after[2] else "no longer passes"

    @property
    def is_better(self) -> bool:
        """Whether the candidate gains: first by the verdict, then by the share of points."""
        before = (self.before[2], self.before[0] / self.before[1])
        return (self.after[2], self.after[0] / self.after[1]) > before

    def counts(self, keep: Keep) -> bool:
        """Whether the new score replaces the old one."""
        return self.is_better if keep == "best" else self.before != self.after


def rescore(
    items: Sequence[Item],
    payloads: Sequence[Payload],
    points: Sequence[int],
    *,
    cut: int,
    policies: Mapping[int, ItemPolicy],
) -> Rescored:
    """The score of an attempt under `policies`, by place on the form from 0.

    `points` are those of the run that counts now; items without a policy keep them, so that nothing
    else can move by a regrade.
    """
    new = list(points)
    possible = [item.points for item in items]
    whole = sum(possible)
    for place, policy in policies.items():
        item, payload = items[place], payloads[place]
        match policy:
            case Full():
                new[place] = item.points
            case Drop():
                new[place] = possible[place] = 0
            case Accept(answers=answers):
                if any(_alike(payload, answer) for answer in answers):
                    new[place] = item.points
            case Rekey(corrected=corrected):
                new[place] = min(item.points, score_response(corrected, payload))
    of = sum(possible)
    return Rescored(tuple(new), tuple(possible), sum(new), of, max(1, cut * of // whole))


def _alike(payload: Payload, answer: Payload) -> bool:
    def plain(value: object) -> object:
        if isinstance(value, list):
            return frozenset(map(str, value))
        return " ".join(str(value).casefold().split()).rstrip(".")

    return bool(payload) and {key: plain(value) for key, value in payload.items()} == {
        key: plain(value) for key, value in answer.items()
    }

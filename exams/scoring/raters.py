"""Written answers: two raters who cannot see each other, a third where they differ, and how well
raters agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from checkride.lib.errors import DomainError
from exams.scoring.items import RubricCriterion

Rubric: TypeAlias = tuple[RubricCriterion, ...]
Marks: TypeAlias = Mapping[str, int]
Standing: TypeAlias = Literal["first", "second", "third", "settled"]

# Two people may read a criterion one level apart; more is a disagreement that a third settles.
LEVELS_APART = 1


class BadMarks(DomainError):
    code = "bad-marks"
    sentence = "Nothing was stored: {problem} Give each criterion one of its levels."


@dataclass(frozen=True, slots=True)
class Settlement:
    """Where the judging of one answer stands. `points` is None until it is `settled`; `standing`
    otherwise names the rating that is needed next."""

    standing: Standing
    points: int | None
    apart: tuple[str, ...] = ()


def check_marks(rubric: Rubric, marks: Mapping[str, int]) -> dict[str, int]:
    """The marks in the rubric's order; raises `BadMarks` unless each is a level of its criterion."""
    if set(marks) != {criterion.id for criterion in rubric}:
        raise BadMarks(problem="a criterion is missing or unknown.")
    for criterion in rubric:
        if marks[criterion.id] not in {level.points for level in criterion.levels}:
            raise BadMarks(problem=f"“{criterion.says}” has no level of {marks[criterion.id]}.")
    return {criterion.id: marks[criterion.id] for criterion in rubric}


def settle(rubric: Rubric, ratings: Sequence[Marks]) -> Settlement:
    """The points of an answer from its ratings, in the order in which they were given.

    Two raters who are at most one level apart on every criterion settle it: each criterion counts
    their mean, and the sum is rounded up, for the candidate. Otherwise a third rating is asked for,
    and each criterion counts the middle one of three: what two of three can live with.
    """
    if len(ratings) < 2:
        return Settlement("first" if not ratings else "second", None)
    apart = tuple(
        criterion.id
        for criterion in rubric
        if abs(_level(criterion, ratings[0]) - _level(criterion, ratings[1])) > LEVELS_APART
    )
    if not apart:
        total = sum(ratings[0][one.id] + ratings[1][one.id] for one in rubric)
        return Settlement("settled", -(-total // 2))
    if len(ratings) < 3:
        return Settlement("third", None, apart)
    points = sum(sorted(rating[one.id] for rating in ratings[:3])[1] for one in rubric)
    return Settlement("settled", points, apart)


def _level(criterion: RubricCriterion, marks: Marks) -> int:
    return [level.points for level in criterion.levels].index(marks[criterion.id])


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two raters agree on one criterion. `exact` and `adjacent` are shares of `pairs`;
    `kappa` is weighted by the square of the distance, None where the marks have no spread."""

    pairs: int
    exact: float
    adjacent: float
    kappa: float | None


def agreement(pairs: Sequence[tuple[int, int]], *, levels: Sequence[int]) -> Agreement:
    """Agreement of two raters, from pairs of marks that are points of `levels`.

    Source: J. Cohen, Weighted kappa: Nominal scale agreement with provision for scaled
    disagreement or partial credit, Psychological Bulletin 70 (1968), pages 213 to 220; weights are
    squared distances between places on the scale, as in Fleiss and Cohen (1973).
    """
    if not pairs:
        raise BadMarks(problem="there is no pair of ratings.")
    place = {points: number for number, points in enumerate(sorted(levels))}
    placed = [(place[one], place[other]) for one, other in pairs]
    count = len(placed)
    exact = sum(one == other for one, other in placed) / count
    adjacent = sum(abs(one - other) <= 1 for one, other in placed) / count
    observed = sum((one - other) ** 2 for one, other in placed) / count
    by_chance = sum((one - other) ** 2 for one, _ in placed for _, other in placed) / count**2
    kappa = None if by_chance == 0 else round(1 - observed / by_chance, 4)
    return Agreement(count, exact, adjacent, kappa)

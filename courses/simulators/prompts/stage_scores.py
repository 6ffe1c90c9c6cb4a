"""What a trained stage thinks of each requirement: scores for and against it, and where.

A stage looks at every unit of the prompt; of its scores the highest counts. Scores are rounded
before anything is decided by them, so that two processors that differ in the last bits agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Json = Any
Floats = NDArray[np.float32]
LOWEST: Final = -9.0
DIGITS: Final = 2


@dataclass(frozen=True, slots=True)
class StageScore:
    """Logits, -9 to 9 or so: that a line gives the rule, that one says its opposite.

    The lines are 0 where the prompt has no unit.
    """

    given: float = LOWEST
    against: float = LOWEST
    given_line: int = 0
    against_line: int = 0

    def to_json(self) -> Json:
        return [self.given, self.against, self.given_line, self.against_line]

    @classmethod
    def from_json(cls, row: Json) -> StageScore:
        return cls(float(row[0]), float(row[1]), int(row[2]), int(row[3]))


Scores = Mapping[str, StageScore]


def highest(logits: Floats, lines: Sequence[int], names: Sequence[str]) -> dict[str, StageScore]:
    """The highest scores over the units; `logits` is (units, requirements, 2)."""
    if not len(lines):
        return {name: StageScore() for name in names}
    rounded = np.maximum(np.round(logits.astype(np.float64), DIGITS), LOWEST)
    where = rounded.argmax(axis=0)
    return {
        name: StageScore(
            float(rounded[where[at, 0], at, 0]),
            float(rounded[where[at, 1], at, 1]),
            lines[int(where[at, 0])],
            lines[int(where[at, 1])],
        )
        for at, name in enumerate(names)
    }

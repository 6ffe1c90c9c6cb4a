"""When a check question comes back: after 1, 3, 7 and 21 days.

A right answer moves a question one step on, a wrong one back to the first. After the last step it
rests for good. The gaps grow because what is recalled with some effort is kept longest.

Source: Cepeda, Pashler, Vul, Wixted and Rohrer, Distributed practice in verbal recall tasks,
Psychological Bulletin 132 (2006), pages 354 to 380.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

DAYS: Final = (1, 3, 7, 21)


@dataclass(frozen=True, slots=True)
class Turn:
    """The next turn of a question: its stage, and the day, None when it rests."""

    stage: int
    due_on: date | None


def first_turn(today: date) -> Turn:
    """The turn of a question that was answered right in its lesson today."""
    return Turn(0, today + timedelta(days=DAYS[0]))


def next_turn(stage: int, *, right: bool, today: date) -> Turn:
    """The turn after an answer at `stage` (0 to 3) given today, whenever it was due."""
    if not right:
        return first_turn(today)
    if stage + 1 >= len(DAYS):
        return Turn(stage, None)
    return Turn(stage + 1, today + timedelta(days=DAYS[stage + 1]))

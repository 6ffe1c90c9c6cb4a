"""When a candidate may sit an exam again. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

RENEWAL_OPENS_DAYS = 90


@dataclass(frozen=True, slots=True)
class FinishedAttempt:
    """`passed` is None while the attempt is closed but has no released result."""

    closed_at: datetime
    passed: bool | None


def may_sit_from(
    finished: Sequence[FinishedAttempt],
    *,
    waits_days: tuple[int, ...],
    valid_days: int,
    lapses_days: int | None = None,
) -> datetime | None:
    """The moment from which the next attempt may be prepared; `None` means at once.

    After the first failed attempt the first wait counts from its close, after the second the
    second, and the last wait repeats; a pass starts the ladder anew. After a pass the exam opens
    again 90 days before the credential runs out; a pass that still lacks its other part stands for
    `lapses_days` and has to be earned again afterwards. An attempt without a result counts as failed
    for the wait, so that nobody sits twice while grading is on its way.
    """
    if not finished:
        return None
    ordered = sorted(finished, key=lambda attempt: attempt.closed_at)
    latest = ordered[-1]
    if latest.passed and lapses_days is not None:
        return latest.closed_at + timedelta(days=lapses_days)
    if latest.passed:
        return latest.closed_at + timedelta(days=valid_days - RENEWAL_OPENS_DAYS)
    failures = 0
    for attempt in reversed(ordered):
        if attempt.passed:
            break
        failures += 1
    return latest.closed_at + timedelta(days=waits_days[min(failures, len(waits_days)) - 1])

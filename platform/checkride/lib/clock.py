"""The time, so that nobody calls `datetime.now()` in the middle of a rule."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The computer's time, aware, in UTC."""
    return datetime.now(UTC)

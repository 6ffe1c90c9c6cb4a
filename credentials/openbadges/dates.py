"""Dates as Verifiable Credentials 2.0 writes them: UTC, whole seconds, `Z`."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from checkride.lib.errors import DomainError

_WRITTEN = re.compile(r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})Z", re.ASCII)


class BadDate(DomainError):
    code = "bad-date"
    sentence = "“{text}” is not a date and time such as 2026-11-01T09:00:00Z."


def written(moment: datetime) -> str:
    """`2026-11-01T09:00:00Z`. Fractions of a second are cut off; a naive time is an error."""
    if moment.tzinfo is None:
        raise BadDate(text=str(moment))
    return moment.astimezone(UTC).isoformat()[:19] + "Z"


def read(text: object) -> datetime:
    """The aware time that `written` wrote. Raises `BadDate` for any other spelling."""
    parts = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
    if parts is None:
        raise BadDate(text=text)
    year, month, day, hour, minute, second = map(int, parts.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise BadDate(text=text) from error

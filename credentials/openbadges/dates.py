"""Dates as Verifiable Credentials 2.0 writes them: UTC, whole seconds, `Z`."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from checkride.lib.errors import DomainError

_WRITTEN = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")


class BadDate(DomainError):
    code = "bad-date"
    sentence = "“{text}” is not a date and time such as 2026-11-01T09:00:00Z."


def written(moment: datetime) -> str:
    """`2026-11-01T09:00:00Z`. Fractions of a second are cut off; a naive time is an error."""
    if moment.tzinfo is None:
        raise BadDate(text=str(moment))
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(text: object) -> datetime:
    """The aware time that `written` wrote. Raises `BadDate` for any other spelling."""
    if not isinstance(text, str) or not _WRITTEN.match(text):
        raise BadDate(text=text)
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise BadDate(text=text) from error

"""The database's clock, the same for every web host and worker."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.db.models import DateTimeField, Func


class DatabaseNow(Func):
    """The same clock as a column of a query or the value of an UPDATE."""

    function = "clock_timestamp"
    output_field = DateTimeField()


def database_now() -> datetime:
    """PostgreSQL's `clock_timestamp()`: the time now, not the time the transaction began."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    moment: datetime = now
    return moment

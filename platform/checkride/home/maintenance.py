"""What the site says while its database is away."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from checkride.home.errors import unavailable

log = structlog.get_logger(__name__)


class DatabaseAwayMiddleware:
    """Turn a lost database into 503 with `Retry-After`, so that clients keep their answers and try
    again, instead of 500, which reads as "your request is wrong"."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            return self.get_response(request)
        except (OperationalError, InterfaceError) as problem:
            return self._answer(request, problem)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        if isinstance(exception, (OperationalError, InterfaceError)):
            return self._answer(request, exception)
        return None

    def _answer(self, request: HttpRequest, problem: Exception) -> HttpResponseBase:
        log.error("database.away", problem=repr(problem)[:300])
        return unavailable(request)

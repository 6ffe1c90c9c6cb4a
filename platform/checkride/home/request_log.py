"""One line in the log per request, and an id that stands on error pages and in the log."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from structlog.contextvars import bound_contextvars

from checkride.accounts.models import User

log = structlog.get_logger("checkride.request")

# Probes come every few seconds and would bury the rest.
QUIET = ("/livez", "/readyz", "/static/")


class RequestLogMiddleware:
    """Gives the request `request_id`, answers with `X-Request-ID`, writes method, path and time.

    Only the path is logged, never the query string: it may hold a code or an address.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = uuid.uuid4().hex[:12]
        request.request_id = request_id  # type: ignore[attr-defined]
        began = time.perf_counter()
        with bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            if not request.path.startswith(QUIET) or response.status_code >= 500:
                user = person_if_known(request)
                log.info(
                    "request",
                    method=request.method,
                    path=request.path,
                    status=response.status_code,
                    ms=round((time.perf_counter() - began) * 1000, 1),
                    person=str(user.pk) if user is not None else None,
                )
        response["X-Request-ID"] = request_id
        return response


def person_if_known(request: HttpRequest) -> User | None:
    """Who asked, if a view found out. Nothing is looked up: the database may be what has failed."""
    found = getattr(request, "_cached_user", None)
    return found if isinstance(found, User) else None

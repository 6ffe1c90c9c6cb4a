"""Note when a request arrived, before anything else is done with it."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, UnreadablePostError

ATTRIBUTE = "arrived_monotonic"


class ReceiptClockMiddleware:
    """The first middleware. It notes a monotonic time, so that slow processing never costs a
    candidate anything and a wrong clock on this machine changes nothing.

    The body is read first. A time noted at the headers would let a client open a request before
    the deadline and type the answer into it afterwards. Files are left to their handlers.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        kind = request.content_type or ""
        if request.method == "POST" and not kind.startswith("multipart/"):
            try:
                _ = request.body
            except RequestDataTooBig:
                return HttpResponse("This is more data than a form may send.", status=413)
            except UnreadablePostError:
                return HttpResponse("The request broke off before it was complete.", status=400)
        setattr(request, ATTRIBUTE, time.monotonic())
        return self._get_response(request)


def seconds_since_arrival(request: HttpRequest) -> float:
    """How long ago the request was complete; 0 when the middleware did not see it."""
    arrived: float | None = getattr(request, ATTRIBUTE, None)
    return 0.0 if arrived is None else max(0.0, time.monotonic() - arrived)

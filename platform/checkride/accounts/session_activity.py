"""Keep the list of a person's sessions fresh without three statements on every request."""

from __future__ import annotations

import time
from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse

EVERY_S = 60.0
MOST_REMEMBERED = 20_000


class SessionActivityMiddleware:
    """Stands for allauth's own, which reads the session's row and writes it on each request: in an
    exam every save would wait for a second write. Here each process does it once a minute for a
    session, so “last seen” is right to the minute.
    """

    def __init__(
        self,
        get_response: Callable[[HttpRequest], HttpResponse],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._get_response = get_response
        self._monotonic = monotonic
        self._noted: dict[str, float] = {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.session.session_key
        if key and self._is_due(key) and request.user.is_authenticated:
            UserSession.objects.create_from_request(request)
        return self._get_response(request)

    def _is_due(self, key: str) -> bool:
        now = self._monotonic()
        if now - self._noted.get(key, -EVERY_S) < EVERY_S:
            return False
        if len(self._noted) >= MOST_REMEMBERED:
            self._noted.clear()
        self._noted[key] = now
        return True

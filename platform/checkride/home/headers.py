"""Response headers that Django, django-csp and django-permissions-policy do not set."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from checkride.home.request_log import person_if_known


class SecurityHeadersMiddleware:
    """Cross-origin isolation for every answer; a view that is meant for other sites (a signed
    credential, a status list) sets its own `Cross-Origin-Resource-Policy` first and keeps it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Embedder-Policy", "require-corp")
        # Pages of a signed-in person do not belong in a shared computer's cache.
        user = person_if_known(request)
        if user is not None:
            response.headers.setdefault("Cache-Control", "private, no-cache")
        return response

"""The pages for what went wrong. They render without database and without signed-in state."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token


def _page(request: HttpRequest, status: int, **facts: object) -> HttpResponse:
    reference = getattr(request, "request_id", "")
    if (
        "application/json" in request.headers.get("Accept", "")
        and "html" not in request.headers["Accept"]
    ):
        return JsonResponse({"error": status, "reference": reference}, status=status)
    # No context processors: they may need what has just failed.
    text = loader.get_template(f"ui/errors/{status}.html").render(
        {"reference": reference, "request": _Bare(request), **facts}
    )
    return HttpResponse(text, status=status)


class _Bare:
    """The little of a request that an error page needs: nothing that touches the database."""

    def __init__(self, request: HttpRequest) -> None:
        self.path = request.path
        self.csp_nonce = getattr(request, "csp_nonce", "")


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 400)


@requires_csrf_token
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(
        request,
        403,
        stale_form=True,
        title=_("This page was open for too long"),
    )


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 404)


@requires_csrf_token
def too_many(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    response = _page(request, 429)
    response.headers.setdefault("Retry-After", "60")
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    # The sign-in is looked up by a middleware, so a lost database may be met before any view and
    # beyond `DatabaseAwayMiddleware`: Django turns what a middleware raises into this page.
    if isinstance(sys.exception(), (OperationalError, InterfaceError)):
        return unavailable(request)
    return _page(request, 500)


def unavailable(request: HttpRequest) -> HttpResponse:
    response = _page(request, 503)
    response["Retry-After"] = "5"
    return response

"""Who may open a view."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from allauth.account.decorators import reauthentication_required
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from checkride.accounts.models import User
from checkride.accounts.roles import Role

P = ParamSpec("P")


class SignedInRequest(HttpRequest):
    """A request behind `login_required`: its user is a person, not an anonymous visitor."""

    user: User


View = Callable[Concatenate[SignedInRequest, P], HttpResponseBase]


def role_required(*roles: Role) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """Let in whoever holds one of `roles`; for everybody else who is signed in the page does not exist."""

    def decorate(view: View[P]) -> Callable[..., HttpResponseBase]:
        @login_required
        @wraps(view)
        def guarded(
            request: SignedInRequest, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            if not any(request.user.has_role(role) for role in roles):
                raise Http404
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def recently_authenticated(view: Callable[..., Any]) -> Callable[..., HttpResponse]:
    """Ask for the password, passkey or code again when that was more than ten minutes ago."""
    guarded: Callable[..., HttpResponse] = reauthentication_required(view)
    return guarded

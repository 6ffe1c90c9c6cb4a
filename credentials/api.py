"""The API for employers' software: check credentials, watch them. Described by its OpenAPI file.

Everybody may look a credential up on its page without a key. A key makes that quicker to do in
numbers, and lets a program watch. Each answer is a verdict of the same code that makes the pages.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Field, NinjaAPI, Schema, Status
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer

from checkride.lib import clock
from checkride.lib.errors import DomainError
from credentials import apikeys, checking, identity, limiter, listcheck, lookup, watching
from credentials.models import ApiKey, Watch
from credentials.openbadges import shortcode

_STATUS_OF: dict[type[DomainError], int] = {
    limiter.TooManyChecks: 429,
    identity.KeysNotPublished: 503,
    watching.TooManyWatches: 409,
}


class Key(HttpBearer):
    """`Authorization: Bearer ck_...`, made at /employers/keys/."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        return apikeys.owner_of(token, at=clock.now())


class Problem(Schema):
    """What went wrong: a code for programs, a sentence for people."""

    code: str
    message: str


class Line(Schema):
    code: str = Field(max_length=400, description="A credential's code, or the link to its page.")
    name: str = Field("", max_length=200, description="If given, it is compared with the holder's.")


class Lines(Schema):
    lines: list[Line] = Field(min_length=1, max_length=listcheck.MOST_LINES)


class Row(Schema):
    """The verdict on one line. What we cannot vouch for is null."""

    given: str
    name: str
    answer: Literal["rely", "ask", "refuse"] = Field(
        description="What to do: rely on it, ask the applicant, or do not rely on it."
    )
    standing: listcheck.Standing
    verdict: str
    says: str
    achievement: str | None
    holder: str | None
    awarded: date | None
    valid_until: date | None
    score_percent: int | None
    cut_percent: int | None
    address: str | None


class Rows(Schema):
    checked_at: datetime
    rows: list[Row]


class Check(Schema):
    name: str
    state: Literal["holds", "fails", "unknown"]
    says: str


class Credential(Row):
    """One credential with every check by itself."""

    checks: list[Check]


class NewWatch(Schema):
    code: str = Field(max_length=400, description="A credential's code, or the link to its page.")
    hook: str = Field(
        "",
        max_length=400,
        description="An https address for signed messages (Standard Webhooks); empty for mail.",
    )


class WatchRow(Schema):
    id: UUID
    code: str
    hook: str
    standing: str
    began_at: datetime
    changed_at: datetime | None


class WatchMade(WatchRow):
    secret: str = Field(description="Verifies the messages to the hook. It is not shown again.")


_PROBLEMS: dict[Any, Any] = dict.fromkeys((400, 401, 404, 409, 422, 429, 503), Problem)

api = NinjaAPI(
    title="Checkride for employers",
    version="1",
    description="Check credentials and watch them. A key is made at /employers/keys/.",
    urls_namespace="api",
    # The page of ninja loads scripts from elsewhere, which our policy refuses.
    docs_url=None,
    auth=Key(),
)


@api.get(
    "/credentials/{code}",
    response={200: Credential, **_PROBLEMS},
    url_name="credential",
    summary="Check one credential",
)
def credential(request: HttpRequest, code: str) -> dict[str, Any]:
    limiter.count_checks(_key(request).pk, 1)
    row = listcheck.check([listcheck.Line(code=code[:400], name="")], at=clock.now())[0]
    if row.standing == "mistyped":
        raise shortcode.CodeMistyped
    if row.credential is None:
        raise Http404
    verdict = checking.verdict(row.credential, at=clock.now())
    checks = [
        {"name": one.name, "state": one.state, "says": str(one.says)} for one in verdict.checks
    ]
    return {**listcheck.as_json(row), "checks": checks}


@api.post(
    "/checks",
    response={200: Rows, **_PROBLEMS},
    url_name="checks",
    summary="Check up to 200 credentials",
)
def checks(request: HttpRequest, sent: Lines) -> dict[str, Any]:
    limiter.count_checks(_key(request).pk, len(sent.lines))
    at = clock.now()
    lines = [listcheck.Line(code=one.code, name=one.name) for one in sent.lines]
    rows = [listcheck.as_json(row) for row in listcheck.check(lines, at=at)]
    return {"checked_at": at, "rows": rows}


@api.get(
    "/watches",
    response={200: list[WatchRow], **_PROBLEMS},
    url_name="watches",
    summary="What you watch",
)
def watches(request: HttpRequest) -> list[dict[str, Any]]:
    rows = Watch.objects.filter(user=_key(request).user).select_related("credential")
    return [_watch(row) for row in rows]


@api.post(
    "/watches",
    response={200: WatchRow, 201: WatchMade, **_PROBLEMS},
    url_name="watches",
    summary="Watch a credential",
)
def watch(request: HttpRequest, sent: NewWatch) -> Status[dict[str, Any]]:
    """Answers 200, without the secret, when the same watch was there already."""
    key = _key(request)
    limiter.count_checks(key.pk, 1)
    found = lookup.by_code_or_link(sent.code)
    if found is None:
        raise Http404
    row, new = watching.begin(key.user, found, hook=sent.hook, at=clock.now())
    return Status(201, {**_watch(row), "secret": row.secret}) if new else Status(200, _watch(row))


@api.delete(
    "/watches/{watch_id}",
    response={204: None, **_PROBLEMS},
    url_name="unwatch",
    summary="End a watch",
)
def unwatch(request: HttpRequest, watch_id: UUID) -> Status[None]:
    watching.end(get_object_or_404(Watch, pk=watch_id, user=_key(request).user), at=clock.now())
    return Status(204, None)


def _key(request: HttpRequest) -> ApiKey:
    key: ApiKey = request.auth  # type: ignore[attr-defined]
    return key


def _watch(row: Watch) -> dict[str, Any]:
    return {
        "id": row.pk,
        "code": row.credential.grouped_code,
        "hook": row.hook,
        "standing": row.standing,
        "began_at": row.began_at,
        "changed_at": row.changed_at,
    }


# What goes wrong -----------------------------------------------------------------------------------


def _problem(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    response = api.create_response(request, {"code": code, "message": message}, status=status)
    if status in (429, 503):
        response["Retry-After"] = "60"
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(AuthenticationError)
def _no_key(request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    message = "Send a key as “Authorization: Bearer ck_...”. Keys are made at /employers/keys/."
    return _problem(request, 401, "no-key", message)


@api.exception_handler(ValidationError)
def _not_understood(request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0]
    place = ".".join(str(part) for part in first["loc"])
    return _problem(request, 422, "not-understood", f"{place}: {first['msg']}. Nothing was done.")


@api.exception_handler(HttpError)
def _unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    message = "The request cannot be read as JSON. Nothing was done."
    return _problem(request, error.status_code, "unreadable", message)


@api.exception_handler(Http404)
def _not_there(request: HttpRequest, _error: Http404) -> HttpResponse:
    message = "There is nothing under this code or number, or its holder closed the account."
    return _problem(request, 404, "not-found", message)


@api.exception_handler(DomainError)
def _refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    status = next((n for kind, n in _STATUS_OF.items() if isinstance(error, kind)), 422)
    return _problem(request, status, error.code, error.message)

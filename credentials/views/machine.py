"""What programs read: keys, lists, pictures, and the headers that let any site read them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from checkride.lib import clock
from credentials import identity, revoking, seal
from credentials.models import AchievementVersion, StatusList
from credentials.openbadges.dates import BadDate, read

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def open_to_all(response: HttpResponse) -> HttpResponse:
    """Let pages and programs of any origin read the answer; nobody's session is in it."""
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def for_programs(view: View[P]) -> Callable[..., HttpResponse]:
    """A view read by other sites; it answers 503 with a sentence before the signer's first start."""

    @require_safe
    @wraps(view)
    def opened(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return open_to_all(view(request, *args, **kwargs))
        except identity.KeysNotPublished as problem:
            return open_to_all(JsonResponse({"error": problem.message}, status=503))

    return opened


def _document(content: Any, *, media_type: str, seconds: int) -> HttpResponse:
    response = JsonResponse(content, content_type=media_type, json_dumps_params={"indent": 1})
    response["Cache-Control"] = f"public, max-age={seconds}"
    return response


@for_programs
def did(request: HttpRequest) -> HttpResponse:
    plain = "did" not in request.headers.get("Accept", "") and "json" in request.headers.get(
        "Accept", ""
    )
    media_type = "application/json" if plain else "application/did+json"
    response = _document(identity.published().did, media_type=media_type, seconds=300)
    response["Vary"] = "Accept"
    return response


@for_programs
def jwks(request: HttpRequest) -> HttpResponse:
    return _document(identity.published().jwks, media_type="application/json", seconds=300)


@for_programs
def key(request: HttpRequest, kid: str) -> HttpResponse:
    jwk = identity.published().jwk(kid)
    if jwk is None:
        raise Http404
    return _document(jwk, media_type="application/json", seconds=300)


@for_programs
def status_list(request: HttpRequest, number: int) -> HttpResponse:
    """The signed list; with `?timestamp=` the one that was published at that moment."""
    row = get_object_or_404(StatusList, number=number, document__isnull=False)
    if "timestamp" not in request.GET:
        return _document(row.document, media_type="application/vc", seconds=300)
    try:
        moment = read(request.GET["timestamp"])
    except BadDate as refusal:
        return JsonResponse({"error": refusal.code, "message": refusal.message}, status=400)
    if moment > clock.now():
        message = "That moment has not come yet. Leave the timestamp out for the list of today."
        return JsonResponse({"error": "future-timestamp", "message": message}, status=400)
    past = revoking.list_at(row, moment)
    if past is None:
        message = "There was no list at that moment: the first one was signed later."
        return JsonResponse({"error": "before-first-list", "message": message}, status=404)
    return _document(past, media_type="application/vc", seconds=86400)


@for_programs
def achievement_image(request: HttpRequest, slug: str, version: int) -> HttpResponse:
    get_object_or_404(AchievementVersion, slug=slug, version=version)
    return _picture()


@for_programs
def seal_image(request: HttpRequest) -> HttpResponse:
    return _picture()


def _picture() -> HttpResponse:
    response = HttpResponse(seal.png(), content_type="image/png")
    response["Cache-Control"] = "public, max-age=86400"
    return response

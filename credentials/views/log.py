"""The transparency log: for people a page, for programs the files of C2SP tlog-tiles."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from checkride.lib.errors import DomainError
from credentials import identity, public_log, witnesses
from credentials.models import Credential
from credentials.translog import note, proof, store, tiles
from credentials.views.machine import for_programs, open_to_all

_SHOWN = 20
_WORDS = {
    "issue": _("A credential was signed"),
    "revoke": _("A credential was revoked"),
    "reinstate": _("A revocation was undone"),
    "statuslist": _("A revocation list was signed"),
    "did": _("The published keys changed"),
    "achievement": _("An achievement was described"),
}


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    try:
        log = public_log.signed()
        key = public_log.key()
        newest = list(log.newest(_SHOWN))
    except DomainError as problem:
        facts = {"nav_section": "verify", "problem": problem.message, "of_log": True}
        return render(request, "credentials/unavailable.html", facts, status=503)
    state = log.checkpoint.checkpoint
    facts = {
        "nav_section": "verify",
        "size": state.size,
        "root": note.b64(state.root),
        "checkpoint": str(log.checkpoint),
        "key": str(key),
        "address": identity.address("credentials:log"),
        "newest": [
            {
                "index": place.index,
                "at": place.entry.at,
                "word": _WORDS[place.entry.kind],
                "again": place.entry.replaces,
                "commitment": note.b64(place.entry.commitment),
            }
            for place in newest
        ],
        "witnesses": witnesses.known(log, key),
    }
    return render(request, "credentials/log.html", facts)


@for_programs
def checkpoint(request: HttpRequest) -> HttpResponse:
    try:
        text = public_log.files().checkpoint()
    except store.NoLog as missing:
        raise Http404 from missing
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "public, max-age=5"
    return response


@for_programs
def tile(request: HttpRequest, path: str) -> HttpResponse:
    """A hash tile or an entry bundle; full or partial, it never changes."""
    try:
        data = public_log.files().fetch(f"tile/{path}")
    except (tiles.BadTile, store.NoLog) as missing:
        raise Http404 from missing
    response = HttpResponse(data, content_type="application/octet-stream")
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@for_programs
def credential_proof(request: HttpRequest, number: UUID) -> HttpResponse:
    """The file that proves where the credential stands in the log."""
    row = get_object_or_404(Credential, pk=number, document__isnull=False, erased_at__isnull=True)
    try:
        text = public_log.proof_of(row)
    except public_log.NotInLog as missing:
        raise Http404 from missing
    except identity.KeysNotPublished:
        raise
    except DomainError as problem:
        return open_to_all(HttpResponse(problem.message, content_type="text/plain", status=503))
    response = HttpResponse(text, content_type=proof.MEDIA_TYPE)
    response["Content-Disposition"] = f'inline; filename="{row.grouped_code}.tlog-proof"'
    if request.GET.get("download") == "1":
        response["Content-Disposition"] = f'attachment; filename="{row.grouped_code}.tlog-proof"'
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    # The log grows, and the proof leads to its newest state.
    response["Cache-Control"] = "no-cache"
    return response

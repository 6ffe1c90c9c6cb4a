"""The holder's own list of credentials."""

from __future__ import annotations

import json
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from checkride.accounts.access import SignedInRequest
from checkride.lib import clock
from checkride.lib.errors import DomainError
from credentials import awarding, limiter, presentation, signing, telling, transcripts
from credentials.models import Credential


@login_required
@require_GET
def record(request: SignedInRequest) -> HttpResponse:
    rows = (
        Credential.objects.filter(user=request.user)
        .select_related("achievement")
        .order_by("-awarded_at")
    )
    at = clock.now()
    entries = [
        {
            "credential": row,
            "revocation": row.revocation,
            "expired": row.is_expired(at=at),
            "pending": row.signed_revision != row.revision,
            "newer": telling.superseded_by(row),
            "days_left": (row.valid_until - at).days,
            "linkedin": presentation.linkedin_address(row),
            "embed": presentation.embed_line(row),
        }
        for row in rows
    ]
    facts = {
        "nav_section": "record",
        "entries": entries,
        "name": presentation.signable_name(request.user.name),
        "in_file": len(transcripts.held_by(request.user)),
    }
    return render(request, "credentials/record.html", facts)


@login_required
@require_POST
def transcript(request: SignedInRequest) -> HttpResponse:
    """The whole record as one signed file (CLR 2.0)."""
    try:
        limiter.count_transcript(request.user.pk)
        at = clock.now().replace(microsecond=0)
        signed = transcripts.made_for(request.user, at=at)
    except signing.SignerAway:
        messages.error(
            request,
            _(
                "The signer is away, so no file was made. Your credentials are safe. Try again soon."
            ),
        )
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        text = json.dumps(signed, indent=1, ensure_ascii=False)
        response = HttpResponse(text, content_type="application/vc")
        response["Content-Disposition"] = (
            f'attachment; filename="learner-record-{at:%Y-%m-%d}.json"'
        )
        response["Cache-Control"] = "no-store"
        return response
    return redirect("credentials:record")


@login_required
@require_POST
def name(request: SignedInRequest, number: UUID) -> HttpResponse:
    """Put the holder's name on a credential, or take it off."""
    row = get_object_or_404(Credential, pk=number, user=request.user)
    shown = request.POST.get("shown") == "yes"
    try:
        awarding.show_name(row, shown=shown, by=request.user, at=clock.now())
        awarding.sign(row.id)
    except signing.SignerAway:
        messages.info(
            request,
            _(
                "Your choice is saved. The signer is away; the credential is signed anew when it is back."
            ),
        )
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(
            request,
            _("Your name is on the credential now.")
            if shown
            else _("Your name is off the credential now. Copies you gave away still hold it."),
        )
    return redirect("credentials:record")

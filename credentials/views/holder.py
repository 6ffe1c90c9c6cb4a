"""The holder's own list of credentials."""

from __future__ import annotations

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
from credentials import awarding, presentation, signing, telling
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
    }
    return render(request, "credentials/record.html", facts)


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

"""The credential officer's pages: find, revoke, reinstate."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from checkride.accounts.access import SignedInRequest, recently_authenticated, role_required
from checkride.accounts.roles import Role
from checkride.lib import clock
from checkride.lib.errors import DomainError
from credentials import revoking
from credentials.forms import ReinstateForm, RevokeForm
from credentials.models import Credential, Revocation
from credentials.openbadges import shortcode

_PER_PAGE = 50


@role_required(Role.CREDENTIAL_OFFICER)
@require_GET
@never_cache
def overview(request: SignedInRequest) -> HttpResponse:
    """All credentials, newest first; found by code or e-mail address of the holder."""
    wanted = request.GET.get("q", "").replace("\x00", "").strip()
    rows = _with_state(Credential.objects.select_related("achievement", "user"))
    if wanted:
        rows = _search(rows, wanted)
    page = Paginator(rows.order_by("-awarded_at"), _PER_PAGE).get_page(request.GET.get("page"))
    facts = {"nav_section": "officer", "rows": page, "q": wanted, "at": clock.now()}
    return render(request, "credentials/officer_list.html", facts)


def _with_state(rows: QuerySet[Credential]) -> QuerySet[Credential]:
    in_force = Revocation.objects.filter(credential=OuterRef("pk"), reinstated_at__isnull=True)
    return rows.annotate(is_revoked=Exists(in_force))


def _search(rows: QuerySet[Credential], wanted: str) -> QuerySet[Credential]:
    if "@" in wanted:
        return rows.filter(user__email__iexact=wanted)
    try:
        return rows.filter(code=shortcode.read(wanted))
    except shortcode.CodeMistyped:
        return rows.none()


@role_required(Role.CREDENTIAL_OFFICER)
@require_GET
@never_cache
def credential(request: SignedInRequest, number: UUID) -> HttpResponse:
    row = _row(number)
    facts = {
        "nav_section": "officer",
        "credential": row,
        "revocation": row.revocation,
        "history": row.revocations.select_related("by", "reinstated_by"),
        "expired": row.is_expired(at=clock.now()),
    }
    return render(request, "credentials/officer_credential.html", facts)


def _row(number: UUID) -> Credential:
    rows = Credential.objects.select_related("achievement", "user", "status_list")
    return get_object_or_404(rows, pk=number)


@role_required(Role.CREDENTIAL_OFFICER)
@never_cache
@recently_authenticated
@require_http_methods(["GET", "POST"])
def revoke(request: SignedInRequest, number: UUID) -> HttpResponse:
    row = _row(number)
    form = RevokeForm(request.POST or None, credential=row)
    if request.method == "POST" and form.is_valid():
        try:
            revoking.revoke(
                row,
                reason=Revocation.Reason(form.cleaned_data["reason"]),
                note=form.cleaned_data["note"],
                by=request.user,
                at=clock.now(),
            )
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(
                request,
                _("Revoked. The public page says so now; the signed list follows within a minute."),
            )
        return redirect("credentials:officer-credential", row.id)
    facts = {"nav_section": "officer", "credential": row, "form": form}
    return render(request, "credentials/officer_revoke.html", facts)


@role_required(Role.CREDENTIAL_OFFICER)
@never_cache
@recently_authenticated
@require_http_methods(["GET", "POST"])
def reinstate(request: SignedInRequest, number: UUID) -> HttpResponse:
    row = _row(number)
    form = ReinstateForm(request.POST or None, credential=row)
    if request.method == "POST" and form.is_valid():
        try:
            revoking.reinstate(
                row, because=form.cleaned_data["because"], by=request.user, at=clock.now()
            )
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, _("Reinstated. The signed list follows within a minute."))
        return redirect("credentials:officer-credential", row.id)
    facts = {"nav_section": "officer", "credential": row, "form": form}
    return render(request, "credentials/officer_reinstate.html", facts)

"""The credential officer's pages: find, ask for a revocation or new keys, confirm what others asked."""

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
from credentials import awarding, identity, telling, two_people
from credentials.forms import KeysForm, ReinstateForm, RevokeForm
from credentials.models import Credential, Proposal, Revocation
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
    at = clock.now()
    facts = {
        "nav_section": "officer",
        "rows": page,
        "q": wanted,
        "at": at,
        "waiting": two_people.waiting(at=at),
    }
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
        "history": row.revocations.select_related("by", "confirmed_by", "reinstated_by"),
        "expired": row.is_expired(at=clock.now()),
        "waiting": two_people.waiting(at=clock.now()).filter(credential=row).first(),
        "newer": telling.superseded_by(row),
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
            two_people.propose_revocation(
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
                _("Asked. It is revoked when a second officer confirms; the others have a mail."),
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
            two_people.propose_reinstatement(
                row, because=form.cleaned_data["because"], by=request.user, at=clock.now()
            )
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(
                request,
                _("Asked. It holds again when a second officer confirms; the others have a mail."),
            )
        return redirect("credentials:officer-credential", row.id)
    facts = {"nav_section": "officer", "credential": row, "form": form}
    return render(request, "credentials/officer_reinstate.html", facts)


@role_required(Role.CREDENTIAL_OFFICER)
@never_cache
@recently_authenticated
@require_http_methods(["GET", "POST"])
def proposal(request: SignedInRequest, row: int) -> HttpResponse:
    """What a colleague asked for; confirm or decline it."""
    asked = get_object_or_404(
        Proposal.objects.select_related("credential", "asked_by", "answered_by"), pk=row
    )
    if request.method == "POST":
        try:
            _answer(request, asked)
        except DomainError as refusal:
            messages.error(request, refusal.message)
        return redirect(asked)
    at = clock.now()
    facts = {
        "nav_section": "officer",
        "proposal": asked,
        "own": asked.asked_by_id == request.user.pk,
        "open": not asked.answer and asked.asked_at > at - two_people.OPEN_FOR,
        "again": asked.credential is None
        and asked.answer == Proposal.Answer.CONFIRMED
        and two_people.find_key_change(str(asked.pk)) is not None,
    }
    return render(request, "credentials/officer_proposal.html", facts)


def _answer(request: SignedInRequest, asked: Proposal) -> None:
    at = clock.now()
    if request.POST.get("answer") == "decline":
        two_people.decline(asked, by=request.user, at=at)
        messages.success(request, _("Declined. Nothing was changed."))
        return
    if request.POST.get("answer") == "confirm":
        two_people.confirm(asked, by=request.user, at=at)
        if asked.credential is not None:
            messages.success(
                request, _("Done. The page says so now; the signed list follows within a minute.")
            )
            return
    elif request.POST.get("answer") != "carry-out" or asked.credential is not None:
        return
    names = two_people.carry_out(asked)
    messages.success(request, _("The keys in use now: %(names)s.") % {"names": ", ".join(names)})
    if asked.key_name:
        count = awarding.sign_again(asked.key_name)
        messages.success(request, _("%(n)s credentials are being signed anew.") % {"n": count})


@role_required(Role.CREDENTIAL_OFFICER)
@never_cache
@recently_authenticated
@require_http_methods(["GET", "POST"])
def signing_keys(request: SignedInRequest) -> HttpResponse:
    """The keys in use, and asking for new ones."""
    try:
        published = identity.published()
    except identity.KeysNotPublished as problem:
        away = {"nav_section": "officer", "problem": problem.message}
        return render(request, "credentials/unavailable.html", away, status=503)
    rows = [
        {
            "name": method["id"].partition("#")[2],
            "since": published.since.get(method["id"].partition("#")[2]),
            "revoked": "revoked" in method,
            "log": method["id"] not in published.did["assertionMethod"] and "revoked" not in method,
        }
        for method in published.did["verificationMethod"]
    ]
    usable = [str(row["name"]) for row in rows if not row["revoked"] and not row["log"]]
    form = KeysForm(request.POST or None, names=usable)
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["key_name"]
        deed = Proposal.Deed.WITHDRAW if name else Proposal.Deed.ROTATE
        try:
            asked = two_people.propose_key_change(
                deed,
                key_name=name,
                note=form.cleaned_data["note"],
                by=request.user,
                at=clock.now(),
            )
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(
                request, _("Asked. It happens when a second officer confirms; they have a mail.")
            )
            return redirect(asked)
    facts = {
        "nav_section": "officer",
        "keys": rows,
        "form": form,
        "waiting": two_people.waiting(at=clock.now()).filter(credential=None),
    }
    return render(request, "credentials/officer_keys.html", facts)

"""What employers keep here: keys for their software, and the credentials they watch."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from checkride.accounts.access import SignedInRequest, recently_authenticated
from checkride.lib import clock
from checkride.lib.errors import DomainError
from credentials import apikeys, identity, limiter, livebadge, watching
from credentials.forms import HookForm, KeyForm
from credentials.models import ApiKey, Credential, Watch


@recently_authenticated
@require_http_methods(["GET", "POST"])
def api_keys(request: SignedInRequest) -> HttpResponse:
    """The keys of this person; a new one is shown once, on the answer to the form."""
    form = KeyForm(request.POST if request.method == "POST" else None)
    made, text = None, ""
    if form.is_bound and form.is_valid():
        try:
            label = form.cleaned_data["label"]
            made, text = apikeys.make(request.user, label=label, at=clock.now())
            form = KeyForm()
        except DomainError as refusal:
            form.add_error("label", refusal.message)
    facts = {
        "nav_section": "verify",
        "form": form,
        "made": made,
        "text": text,
        "keys": ApiKey.objects.filter(user=request.user),
        "per_minute": limiter.CHECKS_PER_KEY_AND_MINUTE,
        "example": identity.address("api:checks"),
        "openapi": reverse("api:openapi-json"),
    }
    response = render(request, "credentials/api_keys.html", facts)
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_POST
def end_api_key(request: SignedInRequest, key_id: int) -> HttpResponse:
    key = get_object_or_404(ApiKey, pk=key_id, user=request.user)
    apikeys.end(key, by=request.user, at=clock.now())
    messages.success(
        request, _("“%(key)s” is ended. Whoever uses it is refused now.") % {"key": key}
    )
    return redirect("credentials:api-keys")


@login_required
@require_GET
def watches(request: SignedInRequest) -> HttpResponse:
    rows = Watch.objects.filter(user=request.user).select_related("credential__achievement")
    facts = {"nav_section": "verify", "watches": rows, "most": watching.MOST_WATCHES}
    return render(request, "credentials/watches.html", facts)


@login_required
@require_http_methods(["GET", "POST"])
def watch(request: SignedInRequest, number: UUID) -> HttpResponse:
    """Ask to be told when the standing of this credential changes."""
    found = get_object_or_404(
        Credential.objects.select_related("achievement"),
        pk=number,
        document__isnull=False,
        erased_at__isnull=True,
    )
    form = HookForm(request.POST if request.method == "POST" else None)
    made = None
    if form.is_bound and form.is_valid():
        try:
            hook = form.cleaned_data["hook"]
            made, _new = watching.begin(request.user, found, hook=hook, at=clock.now())
        except DomainError as refusal:
            form.add_error("hook", refusal.message)
        else:
            if not made.hook:
                messages.success(request, _("You will get a mail when its standing changes."))
                return redirect("credentials:watches")
    facts = {"nav_section": "verify", "credential": found, "form": form, "made": made}
    response = render(request, "credentials/watch.html", facts)
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_POST
def end_watch(request: SignedInRequest, watch_id: UUID) -> HttpResponse:
    watching.end(get_object_or_404(Watch, pk=watch_id, user=request.user), at=clock.now())
    messages.success(request, _("You will not be told about it any more."))
    return redirect("credentials:watches")


@require_safe
def live_badge(request: HttpRequest, number: UUID) -> HttpResponse:
    """A small picture for other people's pages that says how the credential stands now."""
    found = get_object_or_404(
        Credential.objects.select_related("achievement"),
        pk=number,
        document__isnull=False,
        erased_at__isnull=True,
    )
    standing = watching.standing_of(found, at=clock.now())
    response = HttpResponse(
        livebadge.svg(found.achievement.name, standing), content_type="image/svg+xml"
    )
    # Other sites show it, and it must not outlive a revocation by more than minutes.
    response["Cache-Control"] = "public, max-age=300"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["X-Robots-Tag"] = "noindex"
    return response

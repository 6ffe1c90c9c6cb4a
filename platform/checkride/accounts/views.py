"""A person's own account: settings, data, erasure; the mailbox of a development installation."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from checkride import audit
from checkride.accounts import personal_data
from checkride.accounts.access import SignedInRequest, recently_authenticated
from checkride.accounts.forms import ErasureForm, NameForm
from checkride.accounts.models import DevelopmentMail
from checkride.lib import clock


@login_required
@require_http_methods(["GET", "POST"])
def account_settings(request: SignedInRequest) -> HttpResponse:
    form = NameForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        audit.record(request.user, "person.renamed", request.user, at=clock.now())
        messages.success(request, _("Your name is saved."))
        return redirect("accounts:settings")
    factors = Authenticator.objects.filter(user=request.user)
    return render(
        request,
        "accounts/settings.html",
        {
            "form": form,
            "passkeys": factors.filter(type=Authenticator.Type.WEBAUTHN).count(),
            "has_totp": factors.filter(type=Authenticator.Type.TOTP).exists(),
            "has_recovery_codes": factors.filter(type=Authenticator.Type.RECOVERY_CODES).exists(),
        },
    )


@login_required
@never_cache
@recently_authenticated
@require_GET
def export(request: SignedInRequest) -> HttpResponse:
    at = clock.now()
    audit.record(request.user, "person.exported", request.user, at=at)
    return HttpResponse(
        personal_data.export_zip(request.user, at=at),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="checkride-data-{at:%Y-%m-%d}.zip"'},
    )


@login_required
@never_cache
@recently_authenticated
@require_http_methods(["GET", "POST"])
def erase(request: SignedInRequest) -> HttpResponse:
    form = ErasureForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        user = request.user
        logout(request)
        personal_data.erase(user, at=clock.now())
        messages.success(request, _("Your account and what identified you are erased."))
        return redirect("home:home")
    return render(request, "accounts/erase.html", {"form": form})


@require_GET
def mailbox(request: HttpRequest) -> HttpResponse:
    _development_only()
    return render(request, "accounts/mailbox.html", {"mails": DevelopmentMail.objects.all()[:100]})


@require_GET
def mail(request: HttpRequest, mail_id: int) -> HttpResponse:
    _development_only()
    return render(
        request, "accounts/mail.html", {"mail": get_object_or_404(DevelopmentMail, id=mail_id)}
    )


@require_POST
def empty_mailbox(request: HttpRequest) -> HttpResponse:
    _development_only()
    DevelopmentMail.objects.all().delete()
    return redirect("mailbox:list")


def _development_only() -> None:
    if not settings.DEVELOPMENT:
        raise Http404

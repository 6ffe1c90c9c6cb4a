"""The administrators' pages: allauth's sign-in, and a second factor."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class AdminSite(admin.AdminSite):
    """Django's admin for whoever is staff and, in production, signs in with a second factor."""

    site_header = gettext_lazy("Checkride administration")
    site_title = gettext_lazy("Checkride administration")
    index_title = gettext_lazy("Records")

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and _has_second_factor(request)

    def login(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        if (
            request.user.is_authenticated
            and request.user.is_staff
            and not _has_second_factor(request)
        ):
            messages.error(
                request,
                _("Administration needs a second factor. Add a passkey or an app, then come back."),
            )
            return redirect("mfa_index")
        # allauth's own form knows limits, passkeys and codes; Django's knows none of them.
        answer: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return answer


def _has_second_factor(request: HttpRequest) -> bool:
    if settings.DEVELOPMENT:
        return True
    user = request.user
    return bool(
        user.is_authenticated
        and Authenticator.objects.filter(user_id=user.pk)
        .exclude(type=Authenticator.Type.RECOVERY_CODES)
        .exists()
    )

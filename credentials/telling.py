"""Letters to holders about what became of their credential: revoked, reinstated, about to expire."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from credentials import identity
from credentials.models import Credential, Revocation

What = Literal["revoked", "reinstated"]

REMIND_BEFORE = timedelta(days=30)


def tell_status(credential_id: UUID, what: What) -> bool:
    """Write to the holder that the status changed; False when there is nobody to write to, or when
    it changed again since then, which has a letter of its own."""
    row = Credential.objects.select_related("achievement", "user").filter(pk=credential_id).first()
    if row is None or row.user is None:
        return False
    revocation = row.revocation
    if (revocation is None) == (what == "revoked"):
        return False
    subject = (
        _("Your credential was revoked: %(name)s")
        if what == "revoked"
        else _("Your credential holds again: %(name)s")
    )
    _send(row, subject, f"credentials/mail_{what}.txt", revocation=revocation)
    return True


def superseded_by(credential: Credential) -> Credential | None:
    """The holder's newest credential for the same achievement, when it is another one.

    Only the holder and officers are shown it: for a stranger nothing joins two credentials of one
    person.
    """
    if credential.user_id is None:
        return None
    newer = Credential.objects.filter(
        user_id=credential.user_id,
        achievement__slug=credential.achievement.slug,
        awarded_at__gt=credential.awarded_at,
    )
    return newer.select_related("achievement").order_by("-awarded_at").first()


def to_remind(*, at: datetime) -> QuerySet[Credential]:
    """Credentials in force that expire within a month, whose holder has no newer one and was not
    reminded yet."""
    newer = Credential.objects.filter(
        user=OuterRef("user"),
        achievement__slug=OuterRef("achievement__slug"),
        awarded_at__gt=OuterRef("awarded_at"),
    )
    revoked = Revocation.objects.filter(credential=OuterRef("pk"), reinstated_at__isnull=True)
    return Credential.objects.filter(
        ~Exists(newer),
        ~Exists(revoked),
        user__isnull=False,
        reminded_at__isnull=True,
        document__isnull=False,
        valid_until__gt=at,
        valid_until__lte=at + REMIND_BEFORE,
    )


@transaction.atomic
def remind(credential_id: UUID, *, at: datetime) -> bool:
    """Write once that the credential expires soon and how to renew it."""
    row = (
        Credential.objects.select_for_update(of=("self",))
        .select_related("achievement", "user")
        .get(pk=credential_id)
    )
    if row.reminded_at or row.user is None:
        return False
    _send(row, _("Your credential expires soon: %(name)s"), "credentials/mail_expires.txt")
    row.reminded_at = at
    row.save(update_fields=["reminded_at"])
    return True


def _send(row: Credential, subject: str, template: str, **facts: object) -> None:
    if row.user is None:
        return
    said = {
        "credential": row,
        "address": identity.address("credentials:credential", row.id),
        "record": identity.address("credentials:record"),
        "issuer_email": settings.ISSUER_EMAIL,
        **facts,
    }
    send_mail(
        subject % {"name": row.achievement.name},
        render_to_string(template, said),
        settings.DEFAULT_FROM_EMAIL,
        [row.user.email],
    )

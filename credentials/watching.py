"""Telling people who asked when the standing of a credential changes.

A sweep compares what each watcher was told with what is so now, and writes the news and the job
that brings it in one transaction: news is told once for each change, and not lost on the way.
"""

from __future__ import annotations

import json
import secrets
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from checkride import audit
from checkride.accounts.models import User
from checkride.jobs import queue
from checkride.lib import outbound
from checkride.lib.errors import DomainError
from credentials import identity, webhook
from credentials.models import Credential, Revocation, Watch
from credentials.openbadges.dates import written

TELL_JOB = "credentials.tell-watcher"
MOST_WATCHES = 1000
SWEEP_AT_ONCE = 500
_SECRET_BYTES = 24


class TooManyWatches(DomainError):
    code = "too-many-watches"
    sentence = "You watch {most} credentials, which is the limit. End one first; nothing was added."


def _current(at: datetime) -> Case:
    """The standing of a watched credential at `at`, for the database to work out."""
    revoked = Revocation.objects.filter(
        credential=OuterRef("credential"), reinstated_at__isnull=True
    )
    return Case(
        When(credential__erased_at__isnull=False, then=Value(Watch.Standing.GONE.value)),
        When(Exists(revoked), then=Value(Watch.Standing.REVOKED.value)),
        When(credential__valid_until__lte=at, then=Value(Watch.Standing.EXPIRED.value)),
        default=Value(Watch.Standing.IN_FORCE.value),
        output_field=CharField(),
    )


def standing_of(credential: Credential, *, at: datetime) -> Watch.Standing:
    if credential.erased_at is not None:
        return Watch.Standing.GONE
    if credential.revocation is not None:
        return Watch.Standing.REVOKED
    return Watch.Standing.EXPIRED if credential.is_expired(at=at) else Watch.Standing.IN_FORCE


@transaction.atomic
def begin(
    user: User, credential: Credential, *, hook: str = "", at: datetime
) -> tuple[Watch, bool]:
    """Watch a credential, by mail or at the address `hook`; and whether the watch is new.

    Raises `outbound.AddressRefused` or `TooManyWatches`.
    """
    hook = hook.strip()
    if hook:
        outbound.host_of(hook)
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    known = Watch.objects.filter(user=user, credential=credential, hook=hook).first()
    if known is not None:
        return known, False
    if Watch.objects.filter(user=user).count() >= MOST_WATCHES:
        raise TooManyWatches(most=MOST_WATCHES)
    watch = Watch.objects.create(
        user=user,
        credential=credential,
        hook=hook,
        secret=webhook.secret_text(secrets.token_bytes(_SECRET_BYTES)) if hook else "",
        standing=standing_of(credential, at=at),
        began_at=at,
    )
    audit.record(user, "watch.began", watch, at=at)
    return watch, True


@transaction.atomic
def end(watch: Watch, *, at: datetime) -> None:
    audit.record(watch.user, "watch.ended", watch, at=at)
    watch.delete()


def changed(*, at: datetime) -> QuerySet[Watch]:
    """Watches whose credential stands otherwise than their watcher knows, as `current`."""
    return Watch.objects.annotate(current=_current(at)).filter(~Q(standing=F("current")))


@transaction.atomic
def sweep(*, at: datetime) -> int:
    """Write down every change and have it told; the number of changes."""
    rows = list(
        changed(at=at)
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("pk")[:SWEEP_AT_ONCE]
    )
    for watch in rows:
        before, watch.standing, watch.changed_at = watch.standing, watch.current, at  # type: ignore[attr-defined]
        watch.save(update_fields=["standing", "changed_at"])
        queue.enqueue(
            TELL_JOB,
            key=f"{watch.pk}:{at.isoformat()}",
            payload={
                "watch": str(watch.pk),
                "before": before,
                "now": watch.standing,
                "at": written(at),
            },
        )
    return len(rows)


def tell(watch_id: UUID, *, before: str, now: str, changed_at: str, at: datetime) -> str:
    """Bring one piece of news; how it went. Raises `outbound.NotDelivered`, to be tried again."""
    watch = (
        Watch.objects.select_related("user", "credential__achievement").filter(pk=watch_id).first()
    )
    if watch is None:
        return "ended"
    if not watch.hook:
        _mail(watch, before=before, now=now)
        return "mailed"
    body = json.dumps(
        {
            "type": "credential.standing-changed",
            "timestamp": changed_at,
            "data": {
                "address": identity.address("credentials:credential", watch.credential_id),
                "achievement": watch.credential.achievement.name,
                "before": before,
                "standing": now,
            },
        }
    ).encode()
    # The same message sent again has the same id, by which a receiver knows it.
    message_id = f"msg_{watch.pk.hex}_{changed_at}"
    sent_with = webhook.headers(watch.secret, message_id=message_id, at=at, body=body)
    status = outbound.post(watch.hook, body, sent_with)
    if not 200 <= status < 300:
        raise outbound.NotDelivered(why=f"the server answered {status}.")
    return f"posted, {status}"


def _mail(watch: Watch, *, before: str, now: str) -> None:
    facts = {
        "credential": watch.credential,
        "before": Watch.Standing(before).label,
        "now": Watch.Standing(now).label,
        "gone": now == Watch.Standing.GONE,
        "address": identity.address("credentials:credential", watch.credential_id),
        "watches": identity.address("credentials:watches"),
    }
    send_mail(
        _("A credential you watch is now %(now)s") % {"now": Watch.Standing(now).label},
        render_to_string("credentials/mail_watch.txt", facts),
        settings.DEFAULT_FROM_EMAIL,
        [watch.user.email],
    )

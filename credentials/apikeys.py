"""Keys with which programs ask in a person's name."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.db import transaction

from checkride import audit
from checkride.accounts.models import User
from checkride.lib.errors import DomainError
from credentials.models import ApiKey

# 256 random bits: a digest without salt or stretching is enough, and lets the database find it.
SECRET_BYTES = 32
MOST_KEYS = 10
_BEGINS = "ck_"


class TooManyKeys(DomainError):
    code = "too-many-keys"
    sentence = "You have {most} keys in use, which is the limit. End one first; nothing was made."


class NoLabel(DomainError):
    code = "no-label"
    sentence = "Give the key a name of up to 80 characters, so that you know it again later."


def make(user: User, *, label: str, at: datetime) -> tuple[ApiKey, str]:
    """A new key and its text, which is shown once and kept nowhere.

    Raises `NoLabel` or `TooManyKeys`.
    """
    label = " ".join(label.split())
    if not label or len(label) > 80:
        raise NoLabel
    text = _BEGINS + secrets.token_urlsafe(SECRET_BYTES)
    with transaction.atomic():
        # One row of this person is locked, so that two requests are counted one after the other.
        User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        if ApiKey.objects.filter(user=user, ended_at__isnull=True).count() >= MOST_KEYS:
            raise TooManyKeys(most=MOST_KEYS)
        key = ApiKey.objects.create(
            user=user, label=label, start=text[:9], digest=_digest(text), made_at=at
        )
        audit.record(user, "api-key.made", key, at=at)
    return key, text


@transaction.atomic
def end(key: ApiKey, *, by: User, at: datetime) -> None:
    """End a key at once; ending it twice changes nothing."""
    if ApiKey.objects.filter(pk=key.pk, ended_at__isnull=True).update(ended_at=at):
        audit.record(by, "api-key.ended", key, at=at)


def owner_of(text: str, *, at: datetime) -> ApiKey | None:
    """The key that this text is, unless it was ended; the day of its use is noted."""
    key = (
        ApiKey.objects.select_related("user")
        .filter(digest=_digest(text), ended_at__isnull=True, user__is_active=True)
        .first()
    )
    if key is not None and key.used_on != at.date():
        ApiKey.objects.filter(pk=key.pk).update(used_on=at.date())
    return key


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", errors="replace")).hexdigest()

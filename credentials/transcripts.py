"""A holder's whole record as one signed file, made when it is asked for and not kept here."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db import transaction

from checkride import audit
from checkride.accounts.models import User
from checkride.lib import canonical
from checkride.lib.errors import DomainError
from credentials import identity, signing
from credentials.models import Credential, Revocation
from credentials.openbadges import transcript


class NothingToShow(DomainError):
    code = "nothing-to-show"
    sentence = (
        "There is no signed credential in your record yet, so there is nothing to put into a file. "
        "Pass an exam first; revoked credentials are left out."
    )


def held_by(user: User) -> list[Credential]:
    """What goes into the person's record: everything signed that is not revoked, expired or not."""
    revoked = Revocation.objects.filter(reinstated_at__isnull=True).values("credential")
    rows = Credential.objects.filter(
        user=user, document__isnull=False, erased_at__isnull=True
    ).exclude(pk__in=revoked)
    return list(rows.order_by("-awarded_at")[: transcript.MOST_CREDENTIALS])


@transaction.atomic
def made_for(user: User, *, at: datetime) -> dict[str, Any]:
    """The person's record, signed. Raises `NothingToShow`, and as `signing.issue`."""
    held = held_by(user)
    if not held:
        raise NothingToShow()
    plain = transcript.document(
        identity.issuer(),
        transcript.Record(
            id=uuid.uuid4().urn,
            subject=uuid.uuid4().urn,
            credentials=tuple(row.document for row in held if row.document is not None),
            valid_from=at,
            valid_until=at + transcript.VALID_FOR,
        ),
    )
    signed = signing.sign_transcript(plain)
    # The alarm for signatures that nobody asked for looks for this row.
    facts = {"sha256": canonical.digest(signed), "credentials": len(held)}
    audit.record(user, "transcript.signed", user, at=at, facts=facts)
    return signed

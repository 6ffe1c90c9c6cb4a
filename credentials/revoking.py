"""Taking credentials back, giving them again, and publishing which are revoked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from checkride import audit
from checkride.accounts.models import User
from checkride.jobs import queue
from checkride.jobs.dbclock import database_now
from checkride.lib import canonical
from checkride.lib.errors import DomainError
from credentials import identity, signing
from credentials.models import Credential, PastStatusList, Revocation, StatusList
from credentials.openbadges import statuslist
from exams import outcomes

VALID_FOR = timedelta(hours=24)
# Old enough to be signed anew: a list never runs out while the signer is away for half a day.
RENEW_AFTER = timedelta(hours=6)


class AlreadyRevoked(DomainError):
    code = "already-revoked"
    sentence = "This credential is revoked already. Nothing was changed."


class NotRevoked(DomainError):
    code = "not-revoked"
    sentence = "This credential is not revoked. Nothing was changed."


@transaction.atomic
def revoke(
    credential: Credential,
    *,
    reason: Revocation.Reason,
    note: str,
    by: User | None,
    at: datetime,
    confirmed_by: User | None = None,
) -> Revocation:
    """Take `credential` back; its page says so at once, the signed list within a minute.

    The deed itself: who may ask for it and who must confirm it is `credentials.two_people`'s
    question. The holder is told. Raises `AlreadyRevoked`.
    """
    row = Credential.objects.select_for_update().get(pk=credential.pk)
    if row.revocation is not None:
        raise AlreadyRevoked()
    revocation = Revocation.objects.create(
        credential=row, reason=reason, note=note, by=by, confirmed_by=confirmed_by, at=at
    )
    audit.record(by, "credential.revoked", row, at=at, facts={"reason": reason.value})
    _changed(row.status_list_id)
    _tell_holder(row, "revoked", at)
    return revocation


def withdraw(source_id: str) -> int:
    """Revoke the credentials that rest on a pass which is no pass any more; the number revoked.

    Asking again revokes nothing twice, and a pass that has come back is left alone.
    """
    if outcomes.pass_of(source_id) is not None:
        return 0
    revoked = 0
    for credential in Credential.objects.filter(source_id=source_id, erased_at__isnull=True):
        # One that an officer has given again on purpose stays.
        if credential.revocations.exists():
            continue
        try:
            revoke(
                credential,
                reason=Revocation.Reason.ERROR,
                note="An item of the exam was corrected, and the score no longer reaches the cut.",
                by=None,
                at=database_now(),
            )
        except AlreadyRevoked:
            continue
        revoked += 1
    return revoked


@transaction.atomic
def reinstate(credential: Credential, *, because: str, by: User, at: datetime) -> None:
    """Undo a revocation that was a mistake; both stay on record. Raises `NotRevoked`."""
    row = Credential.objects.select_for_update().get(pk=credential.pk)
    revocation = row.revocation
    if revocation is None or row.erased_at:
        raise NotRevoked()
    revocation.reinstated_at = at
    revocation.reinstated_by = by
    revocation.reinstated_because = because
    revocation.save()
    audit.record(by, "credential.reinstated", row, at=at)
    _changed(row.status_list_id)
    _tell_holder(row, "reinstated", at)


def _tell_holder(credential: Credential, what: str, at: datetime) -> None:
    queue.enqueue(
        "credentials.tell-status",
        key=f"{credential.id}:{what}:{at.isoformat()}",
        payload={"credential": str(credential.id), "what": what},
    )


def _changed(list_id: int) -> None:
    now = database_now()
    row = StatusList.objects.select_for_update().get(pk=list_id)
    row.changed_at = now
    row.save(update_fields=["changed_at"])
    queue.enqueue(
        "credentials.sign-list",
        key=f"{row.number}:{now.isoformat()}",
        payload={"number": row.number},
    )


@transaction.atomic
def sign_list(number: int) -> bool:
    """Sign the list if it changed or grows old; True when it was signed.

    Raises `signing.SignerAway` and `signing.SignerRefused`; the last signed list stays published.
    """
    row = StatusList.objects.select_for_update().get(number=number)
    now = database_now()
    if row.signed_at and row.signed_at >= row.changed_at and row.signed_at > now - RENEW_AFTER:
        return False
    signed = signing.sign_status_list(
        statuslist.credential(
            address=identity.address("credentials:status-list", number),
            issuer=identity.issuer().id,
            revoked=revoked_entries(row),
            valid_from=now,
            valid_until=now + VALID_FOR,
        )
    )
    row.document = signed
    row.digest = canonical.digest(signed)
    row.signed_at = now
    row.save()
    PastStatusList.objects.create(status_list=row, signed_at=now, document=signed)
    return True


def list_at(row: StatusList, moment: datetime) -> dict[str, Any] | None:
    """The list as it was published at `moment`; None before its first signature."""
    past = row.past.filter(signed_at__lte=moment).order_by("-signed_at").first()
    if past is not None:
        kept: dict[str, Any] = past.document
        return kept
    # Lists signed before past ones were kept: the newest one is still known.
    known = row.signed_at is not None and row.signed_at <= moment
    newest: dict[str, Any] | None = row.document
    return newest if known and not row.past.exists() else None


def revoked_entries(row: StatusList) -> list[int]:
    """The bits to be set."""
    in_force = Revocation.objects.filter(credential__status_list=row, reinstated_at__isnull=True)
    return sorted(in_force.values_list("credential__status_index", flat=True))


def lists_to_sign() -> list[int]:
    """The numbers of the lists that `sign_list` would sign."""
    old = database_now() - RENEW_AFTER
    due = Q(signed_at__isnull=True) | Q(signed_at__lt=F("changed_at")) | Q(signed_at__lte=old)
    return list(StatusList.objects.filter(due).values_list("number", flat=True))

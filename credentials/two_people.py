"""Deeds that take two people: one officer asks, another confirms.

A person alone can be wrong, bribed or somebody else with the same password. Revoking a credential,
reinstating it and changing the keys happen when a second officer says yes within a week; the
database refuses a row in which both are one person.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from checkride import audit
from checkride.accounts.models import User
from checkride.accounts.roles import Role
from checkride.lib import clock
from checkride.lib.errors import DomainError
from credentials import identity, revoking, signing
from credentials.models import Credential, Proposal, Revocation
from credentials.signer import KeyChange

OPEN_FOR = timedelta(days=7)
# How long after its confirmation the signer still carries out a change of keys.
CARRIED_OUT_WITHIN = timedelta(hours=24)

Deed = Proposal.Deed


class AlreadyAsked(DomainError):
    code = "already-asked"
    sentence = "This was asked for already and waits for a second officer. Nothing was changed."


class AnsweredAlready(DomainError):
    code = "answered-already"
    sentence = "This request was answered already. Nothing was changed."


class OwnProposal(DomainError):
    code = "own-proposal"
    sentence = (
        "You asked for this yourself, so somebody else must confirm it. You can take it back."
    )


class ProposalLapsed(DomainError):
    code = "proposal-lapsed"
    sentence = (
        "This request is older than a week, so it cannot be confirmed any more. Nothing was "
        "changed. Ask again if it is still right."
    )


def waiting(*, at: datetime) -> QuerySet[Proposal]:
    """What waits for a second officer, oldest first."""
    rows = Proposal.objects.filter(answer="", asked_at__gt=at - OPEN_FOR)
    return rows.select_related("credential", "credential__achievement", "asked_by")


def propose_revocation(
    credential: Credential, *, reason: Revocation.Reason, note: str, by: User, at: datetime
) -> Proposal:
    """Ask for a revocation. Raises `revoking.AlreadyRevoked` or `AlreadyAsked`."""
    if credential.revocation is not None:
        raise revoking.AlreadyRevoked()
    return _propose(
        Proposal(deed=Deed.REVOKE, credential=credential, reason=reason, note=note), by=by, at=at
    )


def propose_reinstatement(
    credential: Credential, *, because: str, by: User, at: datetime
) -> Proposal:
    """Ask for a reinstatement. Raises `revoking.NotRevoked` or `AlreadyAsked`."""
    if credential.revocation is None or credential.erased_at:
        raise revoking.NotRevoked()
    return _propose(
        Proposal(deed=Deed.REINSTATE, credential=credential, note=because), by=by, at=at
    )


def propose_key_change(
    deed: Proposal.Deed, *, key_name: str, note: str, by: User, at: datetime
) -> Proposal:
    """Ask for new keys, or for one key to be withdrawn. Raises `AlreadyAsked`."""
    return _propose(Proposal(deed=deed, key_name=key_name, note=note), by=by, at=at)


@transaction.atomic
def _propose(row: Proposal, *, by: User, at: datetime) -> Proposal:
    same = Proposal.objects.select_for_update().filter(answer="")
    same = (
        same.filter(credential=row.credential)
        if row.credential_id
        else same.filter(deed=row.deed, key_name=row.key_name, credential=None)
    )
    for old in same:
        if old.asked_at > at - OPEN_FOR:
            raise AlreadyAsked()
        old.answer, old.answered_at = Proposal.Answer.DECLINED, at
        old.save()
    row.asked_by, row.asked_at = by, at
    row.save()
    audit.record(by, f"credential.{row.deed}-asked", row.credential, at=at, facts=_facts(row))
    transaction.on_commit(lambda: _tell_others(row))
    return row


@transaction.atomic
def confirm(proposal: Proposal, *, by: User, at: datetime) -> None:
    """Say yes as the second officer; the deed is done in the same transaction.

    A change of keys is carried out by the signer, which looks for the confirmed row itself: see
    `carry_out`. Raises `OwnProposal`, `AnsweredAlready`, `ProposalLapsed`, or why the deed cannot be
    done any more.
    """
    row = _open(proposal)
    if row.asked_by_id == by.pk:
        raise OwnProposal()
    if row.asked_at <= at - OPEN_FOR:
        raise ProposalLapsed()
    row.answer, row.answered_by, row.answered_at = Proposal.Answer.CONFIRMED, by, at
    row.save()
    audit.record(by, f"credential.{row.deed}-confirmed", row.credential, at=at, facts=_facts(row))
    if row.credential is None:
        return
    if row.deed == Deed.REVOKE:
        revoking.revoke(
            row.credential,
            reason=Revocation.Reason(row.reason),
            note=row.note,
            by=row.asked_by,
            confirmed_by=by,
            at=at,
        )
    else:
        revoking.reinstate(row.credential, because=row.note, by=row.asked_by or by, at=at)


@transaction.atomic
def decline(proposal: Proposal, *, by: User, at: datetime) -> None:
    """Say no, or take an own request back. Raises `AnsweredAlready`."""
    row = _open(proposal)
    row.answer, row.answered_by, row.answered_at = Proposal.Answer.DECLINED, by, at
    row.save()
    audit.record(by, f"credential.{row.deed}-declined", row.credential, at=at, facts=_facts(row))


def _open(proposal: Proposal) -> Proposal:
    row = Proposal.objects.select_for_update().get(pk=proposal.pk)
    if row.answer:
        raise AnsweredAlready()
    return row


def carry_out(proposal: Proposal) -> list[str]:
    """Have the signer change its keys; the names of those in use afterwards.

    Raises `signing.SignerAway` and `signing.SignerRefused`; then nothing has changed, and the
    confirmed request can be carried out later.
    """
    return signing.change_keys(str(proposal.pk))


def find_key_change(number: str) -> KeyChange | None:
    """The signer's own look: a change of keys that two officers agreed on, both officers still."""
    if not number.isascii() or not number.isdigit() or len(number) > 12:
        return None
    row = (
        Proposal.objects.filter(
            pk=int(number),
            deed__in=(Deed.ROTATE, Deed.WITHDRAW),
            answer=Proposal.Answer.CONFIRMED,
            answered_at__gt=clock.now() - CARRIED_OUT_WITHIN,
        )
        .select_related("asked_by", "answered_by")
        .first()
    )
    if row is None or row.asked_by is None or row.answered_by is None:
        return None
    both = {person.pk for person in (row.asked_by, row.answered_by) if _may(person)}
    return KeyChange(withdraw=row.key_name) if len(both) == 2 else None


def _may(person: User) -> bool:
    return person.is_active and person.is_credential_officer


def _facts(row: Proposal) -> dict[str, object]:
    facts: dict[str, object] = {"proposal": row.pk}
    if row.reason:
        facts["reason"] = row.reason
    if row.key_name:
        facts["key"] = row.key_name
    return facts


def _tell_others(row: Proposal) -> None:
    officers = User.objects.filter(roles_held__role=Role.CREDENTIAL_OFFICER, is_active=True)
    if row.asked_by is not None:
        officers = officers.exclude(pk=row.asked_by.pk)
    text = render_to_string(
        "credentials/mail_proposal.txt",
        {
            "proposal": row,
            "address": identity.address("credentials:officer-proposal", row.pk),
        },
    )
    for address in sorted(set(officers.values_list("email", flat=True))):
        send_mail(
            _("A second officer is needed: %(deed)s") % {"deed": row.get_deed_display()},
            text,
            settings.DEFAULT_FROM_EMAIL,
            [address],
        )

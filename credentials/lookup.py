"""Finding a credential by what an employer has in hand: a code, a link, or a file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings

from checkride.lib import clock
from checkride.lib.errors import DomainError
from credentials import identity
from credentials.models import Credential, StatusList
from credentials.openbadges import shortcode, transcript, verify
from credentials.openbadges.verify import RecordVerdict, Verdict

_LONGEST = 400


class ItIsARecord(DomainError):
    code = "it-is-a-record"
    sentence = "This is a learner record with several credentials in it. Check it as one file."


def by_code_or_link(text: str) -> Credential | None:
    """The signed credential with this code, or at this address; None when there is none.

    Unknown, unsigned and erased are one answer. Raises `shortcode.CodeMistyped` for what cannot be
    a code; that follows from the text alone and tells nothing about what exists.
    """
    text = text.strip()[:_LONGEST]
    signed = Credential.objects.filter(document__isnull=False, erased_at__isnull=True)
    signed = signed.select_related("achievement", "status_list")
    if "/" in text:
        number = _number_in(text)
        return signed.filter(pk=number).first() if number else None
    return signed.filter(code=shortcode.read(text)).first()


def _number_in(text: str) -> UUID | None:
    site = settings.SITE_URL.partition("://")[2]
    start = f"{site}/credentials/"
    rest = text.partition("://")[2] or text
    if not rest.startswith(start):
        return None
    try:
        return UUID(rest.removeprefix(start)[:36])
    except ValueError:
        return None


def check_file(text: str) -> Verdict:
    """The verdict on a file somebody was given, against our own keys and newest list.

    Raises `verify.UnreadableFile`, `ItIsARecord`, or `identity.KeysNotPublished`.
    """
    credential = verify.parsed(text)
    if transcript.is_one(credential):
        raise ItIsARecord()
    keys = identity.published()
    verdict = verify.verify(credential, did=keys.did, status_list=None, at=clock.now())
    if verdict.claims is None:
        return verdict
    return verify.verify(
        credential, did=keys.did, status_list=_list_at(verdict.claims.status_list), at=clock.now()
    )


def _list_at(address: str) -> dict[str, Any] | None:
    number = address.removeprefix(identity.address("credentials:status-list", 0)[:-1])
    known = number.isascii() and number.isdigit() and len(number) < 10
    row = StatusList.objects.filter(number=int(number)).first() if known else None
    return row.document if row else None


def check_record(text: str) -> RecordVerdict | None:
    """The verdict on a learner record; None when the text is something else.

    Raises as `check_file`.
    """
    record = verify.parsed(text)
    if isinstance(record, str) or not transcript.is_one(record):
        return None
    keys, at = identity.published(), clock.now()
    try:
        held = transcript.claims(record).held
    except DomainError:
        held = ()
    lists = {one.status_list: _list_at(one.status_list) for one in held}
    had = {address: document for address, document in lists.items() if document is not None}
    return verify.verify_record(record, did=keys.did, status_lists=had, at=at)

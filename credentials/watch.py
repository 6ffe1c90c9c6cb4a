"""The alarm for signatures that nobody here asked for.

Whoever gets at the signer's socket can have it sign what its rule allows, past our tables. The
signer's log holds every signature, so a comparison with the tables finds such a one within minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.core.cache import cache
from django.core.mail import send_mail
from django.utils.translation import gettext as _

from checkride import audit
from checkride.accounts.models import User
from checkride.accounts.roles import Role
from checkride.audit.models import AuditRow
from checkride.lib import clock
from credentials import signing
from credentials.models import Credential
from credentials.openbadges.dates import read

log = structlog.get_logger(__name__)

# Between the signature and the commit of the row that asked for it lie moments, not minutes.
_SETTLED = timedelta(minutes=1)
# Only saves time: without it the whole log is compared again.
_PLACE = "credentials:log-place"


def compare_with_log() -> int:
    """Look at what the signer signed since the last time; the number of signatures without a row.

    Raises `signing.SignerAway`.
    """
    place = int(cache.get(_PLACE, 0))
    found = 0
    while rows := signing.log_rows(after=place):
        for row in rows:
            if read(row["at"]) > clock.now() - _SETTLED:
                cache.set(_PLACE, place, timeout=None)
                return found
            if not _is_ours(row):
                found += 1
                _raise_alarm(row)
            place += 1
        cache.set(_PLACE, place, timeout=None)
    return found


def _is_ours(row: Mapping[str, str]) -> bool:
    if row["kind"] == "transcript":
        return AuditRow.objects.filter(
            action="transcript.signed", facts__sha256=row["sha256"]
        ).exists()
    if row["kind"] != "credential":
        return True
    try:
        number = UUID(row["id"].rpartition("/")[2])
    except ValueError:
        return False
    return (
        Credential.objects.filter(pk=number).exists()
        and AuditRow.objects.filter(
            action="credential.signed", subject_id=str(number), facts__sha256=row["sha256"]
        ).exists()
    )


def _raise_alarm(row: Mapping[str, str]) -> None:
    known = AuditRow.objects.filter(
        action="credential.rogue-signature", facts__sha256=row["sha256"]
    ).exists()
    if known:
        return
    log.error("credentials.rogue_signature", credential=row["id"], sha256=row["sha256"])
    audit.record(None, "credential.rogue-signature", None, at=clock.now(), facts=dict(row))
    people = User.objects.filter(
        roles_held__role__in=[Role.CREDENTIAL_OFFICER, Role.ADMINISTRATOR], is_active=True
    )
    addresses = sorted(set(people.values_list("email", flat=True)))
    for address in addresses:
        send_mail(
            _("A credential was signed that nobody here asked for"),
            _(
                "The signer signed %(id)s at %(at)s, and no record of ours asked for it.\n\n"
                "Stop the signer, find out who had access to its socket, and revoke the credential. "
                "Everything that was issued properly stays valid.\n"
            )
            % row,
            settings.DEFAULT_FROM_EMAIL,
            [address],
        )

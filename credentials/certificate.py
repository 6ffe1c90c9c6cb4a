"""The certificate for print: one A4 page, made without fetching anything."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import segno
import structlog
from django.conf import settings
from django.template.loader import render_to_string

from checkride.lib.errors import DomainError
from credentials import identity, presentation, printing, seal
from credentials.models import Credential

log = structlog.get_logger(__name__)

_FONTS = Path(settings.BASE_DIR) / "platform" / "checkride" / "ui" / "static" / "ui" / "built"


class CertificateNotMade(DomainError):
    code = "certificate-not-made"
    sentence = (
        "The certificate could not be made for print just now. The credential itself is in order. "
        "Try again in some minutes, or save one of the other files."
    )


def pdf(credential: Credential, *, at: datetime) -> bytes:
    """The certificate of a signed credential, with what the signed document says and no more.

    Raises `CertificateNotMade`.
    """
    address = identity.address("credentials:credential", credential.id)
    revocation = credential.revocation
    said = credential.document or {}
    people = said.get("credentialSubject", {}).get("identifier", [])
    text = render_to_string(
        "credentials/certificate.html",
        {
            "credential": credential,
            "holder": people[0]["identityHash"] if people else "",
            "issuer": settings.ISSUER_NAME,
            "site": settings.SITE_URL.partition("://")[2],
            "verify_address": identity.address("credentials:verify"),
            "address": address,
            "record": presentation.record(credential.evidence),
            "revocation": revocation,
            "expired": credential.is_expired(at=at),
            "at": at,
            "seal": seal.svg(settings.ISSUER_NAME),
            # Error correction M: a fold or a stain of 15 % leaves it readable.
            "qr": segno.make(address, error="m").svg_inline(scale=1, border=0, omitsize=True),
        },
    )
    try:
        return printing.pdf(text, fonts=_FONTS)
    except printing.NotPrinted as problem:
        log.error(
            "credentials.certificate_not_made", credential=str(credential.id), why=str(problem)
        )
        raise CertificateNotMade() from problem

"""The certificate for print: one page of A4 or US Letter, made without fetching anything.

The signed credential travels inside it as a file, so that a certificate sent by mail can be checked
like any other form. The paper itself proves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal

import segno
import structlog
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from checkride.lib import printing
from checkride.lib.errors import DomainError
from credentials import identity, presentation, seal, typefaces
from credentials.models import Credential, Revocation

log = structlog.get_logger(__name__)

Paper = Literal["A4", "letter"]

_STYLE = Path(__file__).resolve().parent / "static" / "credentials" / "certificate.css"
_ATTACHED = "credential.json"
# Letter is 18 mm lower than A4; the margins give way, not the words.
_MARGINS: Mapping[Paper, str] = {"A4": "22mm 24mm", "letter": "15mm 26mm"}
_LONG, _LONGEST = 34, 70


class CertificateNotMade(DomainError):
    code = "certificate-not-made"
    sentence = (
        "The certificate could not be made for print just now. The credential itself is in order. "
        "Try again in some minutes, or save one of the other files."
    )


def pdf(credential: Credential, *, at: datetime, paper: Paper = "A4") -> bytes:
    """The certificate of a signed credential, with what the signed document says and no more.

    A name in a script we have no typeface for stays in the attached file, and the paper says so.
    Raises `CertificateNotMade`.
    """
    return sheet(credential, credential.revocation, at=at, paper=paper)


def sheet(
    credential: Credential, revocation: Revocation | None, *, at: datetime, paper: Paper = "A4"
) -> bytes:
    """As `pdf`, for a credential that need not be in the database."""
    address = identity.address("credentials:credential", credential.id)
    said = credential.document or {}
    people = said.get("credentialSubject", {}).get("identifier", [])
    holder = people[0]["identityHash"] if people else ""
    text = render_to_string(
        "credentials/certificate.html",
        {
            "credential": credential,
            "holder": holder if typefaces.can_set(holder) else "",
            "unsettable": bool(holder) and not typefaces.can_set(holder),
            "holder_size": _size_of(holder),
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
        return printing.pdf(
            text,
            style="\n".join(
                (
                    typefaces.style(text),
                    f"@page{{size:{paper};margin:{_MARGINS[paper]}}}",
                    _STYLE.read_text(encoding="utf-8"),
                )
            ),
            fonts=typefaces.FOLDER,
            attached=[
                printing.Attached(
                    name=_ATTACHED,
                    description=_("The signed credential, Open Badges 3.0"),
                    text=json.dumps(said, ensure_ascii=False),
                )
            ],
        )
    except printing.NotPrinted as problem:
        log.error(
            "credentials.certificate_not_made", credential=str(credential.id), why=str(problem)
        )
        raise CertificateNotMade() from problem


def _size_of(holder: str) -> str:
    if len(holder) > _LONGEST:
        return "holder--longest"
    return "holder--long" if len(holder) > _LONG else ""

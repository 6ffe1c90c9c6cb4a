"""The certificate for print: one A4 page, made without fetching anything."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import segno
import weasyprint
from django.conf import settings
from django.template.loader import render_to_string
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from credentials import identity, presentation, seal
from credentials.models import Credential

_STYLE = Path(__file__).parent / "static" / "credentials" / "certificate.css"
_FONTS = Path(settings.BASE_DIR) / "platform" / "checkride" / "ui" / "static" / "ui" / "built"
# Letters only: the static files storage takes any other scheme for the name of a file.
_SCHEME = "checkridefont:"
_FONT_NAMES = frozenset(
    f"{family}-{script}.woff2"
    for family in ("source-serif-4", "source-sans-3", "jetbrains-mono")
    for script in ("latin", "latin-ext")
)


class Refused(FatalURLFetchingError):  # type: ignore[misc]
    """The certificate asked for something that is not ours; no certificate is made then."""


class OwnFontsOnly(URLFetcher):  # type: ignore[misc]
    """Serves the built fonts by name and refuses every other address, files included."""

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        name = url.removeprefix(_SCHEME)
        if name == url or name not in _FONT_NAMES:
            raise Refused(f"The certificate may not load {url}.")
        file = _FONTS / name
        if not file.is_file():
            # Not fatal: without the front-end build the page is set in a font of the system.
            raise FileNotFoundError(name)
        return URLFetcherResponse(url, file.read_bytes(), {"Content-Type": "font/woff2"})


def pdf(credential: Credential, *, at: datetime) -> bytes:
    """The certificate of a signed credential, with what the signed document says and no more."""
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
    fetcher = OwnFontsOnly(allowed_protocols=())
    fonts = FontConfiguration()
    page = weasyprint.HTML(string=text, base_url="about:blank", url_fetcher=fetcher)
    style = weasyprint.CSS(
        string=_STYLE.read_text(encoding="utf-8"), url_fetcher=fetcher, font_config=fonts
    )
    made: bytes = page.write_pdf(stylesheets=[style], font_config=fonts, pdf_variant="pdf/ua-1")
    return made

"""The process that sets a certificate as PDF: HTML comes in, PDF goes out, own fonts are all it may
load. `credentials.printing` starts it; it imports nothing of the site.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Any

import weasyprint
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

_STYLE = Path(__file__).resolve().parent / "static" / "credentials" / "certificate.css"
_CPU_SECONDS = 20
_MEMORY_BYTES = 2 * 1024**3
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

    def __init__(self, fonts: Path = Path(), **options: Any) -> None:
        super().__init__(**options)
        self._fonts = fonts

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        name = url.removeprefix(_SCHEME)
        if name == url or name not in _FONT_NAMES:
            raise Refused(f"The certificate may not load {url}.")
        file = self._fonts / name
        if not file.is_file():
            # Not fatal: without the front-end build the page is set in a font of the system.
            raise FileNotFoundError(name)
        return URLFetcherResponse(url, file.read_bytes(), {"Content-Type": "font/woff2"})


def _main(fonts: Path) -> None:
    for what, most in (
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    fetcher = OwnFontsOnly(fonts, allowed_protocols=())
    configuration = FontConfiguration()
    page = weasyprint.HTML(
        string=sys.stdin.buffer.read().decode("utf-8"), base_url="about:blank", url_fetcher=fetcher
    )
    style = weasyprint.CSS(
        string=_STYLE.read_text(encoding="utf-8"), url_fetcher=fetcher, font_config=configuration
    )
    made: bytes = page.write_pdf(
        stylesheets=[style], font_config=configuration, pdf_variant="pdf/ua-1"
    )
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))

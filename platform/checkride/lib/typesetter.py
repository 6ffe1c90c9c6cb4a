"""The process that sets a page as PDF: a page comes in, a PDF goes out, own fonts are all it
may load. `checkride.lib.printing` starts it; it imports nothing of the site.
"""

from __future__ import annotations

import json
import re
import resource
import sys
from pathlib import Path
from typing import Any

import weasyprint
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

_CPU_SECONDS = 20
_MEMORY_BYTES = 2 * 1024**3
# Letters only: the static files storage takes any other scheme for the name of a file.
_SCHEME = "checkridefont:"
_FONT_NAME = re.compile(r"[a-z0-9-]{1,60}\.woff2")


class Refused(FatalURLFetchingError):  # type: ignore[misc]
    """The page asked for something that is not ours; no PDF is made then."""


class OwnFontsOnly(URLFetcher):  # type: ignore[misc]
    """Serves the built fonts by name and refuses every other address, files included."""

    def __init__(self, fonts: Path = Path(), **options: Any) -> None:
        super().__init__(**options)
        self._fonts = fonts

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        name = url.removeprefix(_SCHEME)
        if name == url or not _FONT_NAME.fullmatch(name):
            raise Refused(f"The page may not load {url}.")
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
    wanted = json.loads(sys.stdin.buffer.read())
    page = weasyprint.HTML(string=wanted["page"], base_url="about:blank", url_fetcher=fetcher)
    style = weasyprint.CSS(string=wanted["style"], url_fetcher=fetcher, font_config=configuration)
    attached = [
        weasyprint.Attachment(
            string=text.encode("utf-8"), name=name, description=description, relationship="Data"
        )
        for name, description, text in wanted["attached"]
    ]
    made: bytes = page.write_pdf(
        stylesheets=[style],
        font_config=configuration,
        attachments=attached,
        pdf_variant="pdf/ua-1",
    )
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))

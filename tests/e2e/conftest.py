"""A visitor at a real browser, whose every page is looked at twice over."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "platform" / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = {"wide": {"width": 1280, "height": 900}, "phone": {"width": 360, "height": 780}}


@dataclass
class Visitor:
    """One person at one browser: a page, and everything that was found wrong on it."""

    page: Page
    url: str
    pictures: Path | None
    complaints: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(path if path.startswith("http") else self.url + path)

    def look(self, name: str) -> None:
        """Scan the page as it stands with axe, in light and dark, wide and on a phone; complain
        about findings and about a page that must be scrolled sideways."""
        page = self.page
        page.wait_for_load_state("networkidle")
        self.seen.append(name)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            for size_name, size in SIZES.items():
                page.set_viewport_size(size)
                # Wherever the page was scrolled to, the bar at the top would cover something there.
                page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
                where = f"{name} ({scheme}, {size['width']} px)"
                if page.evaluate(
                    "document.documentElement.scrollWidth > document.documentElement.clientWidth"
                ):
                    self.complaints.append(f"{where}: scrolls sideways")
                for finding in self._axe():
                    self.complaints.append(f"{where}: {finding}")
                if self.pictures:
                    page.screenshot(
                        path=str(self.pictures / f"{name}-{size_name}-{scheme}.png"), full_page=True
                    )
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(SIZES["wide"])

    def _axe(self) -> list[str]:
        if not self.page.evaluate("'axe' in window"):
            # evaluate() runs under the strict policy of the page; a script element would not
            self.page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
        result: Any = self.page.evaluate(
            # What passed is not listed: naming each of its elements takes longer than the rules.
            "rules => axe.run(document,"
            " {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})",
            RULES,
        )
        return [
            f"{finding['id']} at {node['target'][0]}: {finding['help']}"
            for finding in result["violations"]
            for node in finding["nodes"][:3]
        ]


@pytest.fixture
def new_visitor(browser: Browser, live_site: Any) -> Iterator[Callable[[], Visitor]]:
    """Make visitors, each with cookies of their own; whatever their consoles say is a complaint.

    With CHECKRIDE_PICTURES=folder every page that is looked at is also kept as a picture.
    """
    import os

    folder = os.environ.get("CHECKRIDE_PICTURES")
    pictures = Path(folder) if folder else None
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
    contexts: list[BrowserContext] = []

    def make() -> Visitor:
        context = browser.new_context(
            locale="en-GB", timezone_id="Europe/Berlin", accept_downloads=True
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        visitor = Visitor(context.new_page(), live_site.url, pictures)

        def heard(message: Any) -> None:
            # A 404 that a test asks for on purpose is reported by the browser as an error, too.
            if message.type == "error" and not re.search(r"status of 4\d\d", message.text):
                visitor.complaints.append(f"console at {visitor.page.url}: {message.text}")

        visitor.page.on("console", heard)
        visitor.page.on(
            "pageerror",
            lambda error: visitor.complaints.append(f"script at {visitor.page.url}: {error}"),
        )
        return visitor

    yield make
    for context in contexts:
        context.close()

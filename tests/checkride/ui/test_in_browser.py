"""The public pages and the prompt editor in a real browser, under the site's security policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.xdist_group("live_site")

FRONTEND = Path(__file__).resolve().parents[3] / "platform" / "frontend"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = [
    "/",
    "/employers/",
    "/instructors/",
    "/how-grading-works/",
    "/accessibility/",
    "/privacy/",
    "/styleguide/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/no-such-page/",
]


@pytest.fixture(scope="module")
def axe() -> str:
    return (FRONTEND / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def editor_page(live_site: Any, browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(live_site.url + "/styleguide/")
    page.wait_for_selector("prompt-editor.is-ready")
    yield page
    page.close()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (360, "dark")])
def test_pages_pass_the_accessibility_rules_and_do_not_scroll_sideways(
    live_site: Any, browser: Browser, axe: str, width: int, theme: Any
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce"
    )
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    found: dict[str, list[str]] = {}
    for path in PAGES:
        page.goto(live_site.url + path)
        page.evaluate(axe + ";0")
        result = page.evaluate(
            "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES
        )
        problems = [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in result["violations"]]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            problems.append("scrolls sideways")
        if problems:
            found[path] = problems
    context.close()

    assert found == {}
    assert [text for text in refused if "Content Security Policy" in text] == []


def test_the_choice_of_theme_is_kept(live_site: Any, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light")
    page = context.new_page()
    page.goto(live_site.url + "/employers/")
    button = page.locator(".appbar__end > [data-theme-toggle]")

    button.click()
    button.click()
    page.goto(live_site.url + "/privacy/")

    assert page.locator(".appbar__end > [data-theme-toggle]").inner_text() == "Theme: dark"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(232, 237, 242)"
    context.close()


def test_the_first_tab_stop_leads_past_the_navigation(live_site: Any, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(live_site.url + "/")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "main"
    page.close()


def test_what_is_typed_into_the_editor_is_the_value_of_the_form(editor_page: Page) -> None:
    editor_page.locator(".cm-content").click()
    editor_page.keyboard.press("Control+End")
    editor_page.keyboard.type("\nNever guess a price.")

    value = editor_page.locator("#g-prompt").input_value()

    assert value.endswith("\nNever guess a price.")
    assert "\u00a0" not in value


def test_tab_leaves_the_editor(editor_page: Page) -> None:
    editor_page.locator(".cm-content").click()

    editor_page.keyboard.press("Tab")

    assert not editor_page.evaluate("document.activeElement.closest('prompt-editor') !== null")


def test_the_editor_is_named_and_described_like_its_textarea(editor_page: Page) -> None:
    box = editor_page.get_by_role("textbox", name="Instructions, one rule to a line")

    assert box.get_attribute("aria-describedby") == "g-prompt-help"


def test_a_mark_goes_when_its_line_is_edited_and_moves_with_it_otherwise(editor_page: Page) -> None:
    editor_page.evaluate("document.querySelector('prompt-editor').goTo(5)")
    editor_page.keyboard.press("End")
    editor_page.keyboard.type(" Count them.")

    assert editor_page.locator(".cm-line.pe-line--unread").count() == 0
    assert editor_page.locator(".cm-line.pe-line--bad").inner_text().startswith("Decide at once")

    editor_page.evaluate("document.querySelector('prompt-editor').insertAfter(0, 'New first line')")

    assert editor_page.locator(".cm-line.pe-line--bad").inner_text().startswith("Decide at once")


def test_a_link_to_a_line_selects_it_in_the_editor(editor_page: Page) -> None:
    editor_page.get_by_role("link", name="line 5").click()

    assert editor_page.evaluate("getSelection().toString()") == "Be careful with repeat requests."


def test_a_suggested_line_can_be_inserted_and_undone(editor_page: Page) -> None:
    before = editor_page.locator("#g-prompt").input_value()

    editor_page.evaluate("document.querySelector('prompt-editor').insertAfter(3, 'Ask first.')")
    lines = editor_page.locator("#g-prompt").input_value().split("\n")
    editor_page.keyboard.press("Control+z")

    assert lines[3] == "Ask first."
    assert editor_page.locator("#g-prompt").input_value() == before


def test_without_javascript_the_textarea_stands(live_site: Any, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(live_site.url + "/styleguide/")

    assert page.locator("#g-prompt").is_visible()
    assert not page.locator(".appbar__end > [data-theme-toggle]").is_visible()
    context.close()

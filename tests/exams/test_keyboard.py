"""A whole exam by keyboard alone: sign in, start, answer every kind of item, flag, review, hand in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.xdist_group("live_site")

# A form is drawn at random, and now and then one lacks a kind: it is thrown away unseen.
MAKE_PERSON = """
from allauth.account.models import EmailAddress
from checkride.accounts.models import User
from exams import preparation
user = User.objects.create_user("keyboard@example.org", "a long passphrase", name="Kim Tastan")
EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
wanted = {"single", "multiple", "numeric", "ordering", "matching", "hotspot"}
while True:
    attempt = preparation.prepare(user, "foundations")
    items = attempt.items.select_related("item_version")
    if wanted <= {item.item_version.document["kind"] for item in items}:
        break
    attempt.delete()
"""
MOST_TABS = 80


@pytest.fixture
def page(live_site: Any, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(base_url=live_site.url)
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is on something that matches."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("one => document.activeElement.matches(one)", selector):
            return
    raise AssertionError(f"{MOST_TABS} times Tab did not reach {selector}")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def answer(page: Page, kind: str) -> None:
    """Give a complete answer to the item on the screen."""
    match kind:
        case "single":
            tab_to(page, "input[name=choice]")
            press(page, "Space")
        case "multiple":
            ask = page.locator("[data-answer] p").first.inner_text()
            wanted = ("two", "three", "four", "five").index(ask.rpartition(" ")[2]) + 2
            for _ in range(wanted):
                tab_to(page, "input[name=choices]")
                press(page, "Space")
        case "numeric":
            tab_to(page, "input[name=number]")
            page.keyboard.type("42")
        case "ordering":
            tab_to(page, "[data-move='1']")
            press(page, "Enter")
        case "matching":
            for _ in range(page.locator("select[name^=pair-]").count()):
                tab_to(page, "select[name^=pair-]")
                press(page, "ArrowDown")
        case "hotspot":
            lines = page.locator("input[name=lines]")
            several = lines.first.get_attribute("type") == "checkbox"
            ask = page.locator("[data-answer] p").first.inner_text()
            wanted = ("two", "three", "four", "five").index(ask.split()[-2]) + 2 if several else 1
            for _ in range(wanted):
                tab_to(page, "input[name=lines]")
                press(page, "Space")
        case _:
            tab_to(page, "[name=text]")
            page.keyboard.type("Ask a person.")


def shown(page: Page) -> tuple[int, str]:
    """Position and kind of the item on the screen."""
    form = page.locator("[data-answer]")
    return int(form.get_attribute("data-position") or 0), form.get_attribute("data-kind") or ""


def test_a_whole_exam_by_keyboard_alone(live_site: Any, page: Page) -> None:
    live_site.manage("shell", "-v", "0", "-c", MAKE_PERSON)
    page.goto("/accounts/login/?next=/exams/foundations/")
    tab_to(page, "input[name=login]")
    page.keyboard.type("keyboard@example.org")
    tab_to(page, "input[name=password]")
    page.keyboard.type("a long passphrase")
    press(page, "Enter")
    page.get_by_role("heading", name="Sit the exam").wait_for()
    tab_to(page, "main a.btn--primary")
    press(page, "Enter")
    page.get_by_role("heading", name="Before you start").wait_for()
    tab_to(page, "main button.btn--primary")
    press(page, "Enter")
    page.wait_for_url("**/items/1/")
    # From here on items change without a page being loaded, and the focus goes along.
    page.locator("[data-all-here]").wait_for()

    answered: dict[str, int] = {}
    for position in range(1, 25):
        page.locator(f"[data-answer][data-position='{position}']").wait_for()
        _, kind = shown(page)
        if position == 2:
            tab_to(page, "[data-flag]")
            press(page, "Space")
            page.locator("[data-flag][aria-pressed=true]").wait_for()
        if kind not in answered:
            answered[kind] = position
            answer(page, kind)
        tab_to(page, "[data-answer] .btn--primary")
        press(page, "Enter")
        if position < 24:
            page.locator(f"[data-answer][data-position='{position + 1}']").wait_for()
            assert page.evaluate("document.activeElement.tagName") == "H1"

    page.get_by_role("heading", name="Review before handing in").wait_for()
    assert page.locator(".figures dd").nth(0).inner_text().startswith(str(len(answered)))
    assert page.locator(".figures dd").nth(2).inner_text() == "1"
    tab_to(page, "#confirm")
    press(page, "Space")
    tab_to(page, "[data-hand-in] button")
    press(page, "Enter")
    page.get_by_role("heading", name="Handed in.").wait_for()
    words = page.locator("tbody tr td[data-l=Answer]").all_inner_texts()
    given = [position for position, text in enumerate(words, start=1) if text != "no answer"]
    assert sorted(answered.values()) == given
    assert len(answered) >= 6

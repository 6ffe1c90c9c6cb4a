"""What the workbench does while somebody writes, in a browser: save, read, insert, warn.

Everything it promises without scripts is tried without scripts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from checkride.embedded.serve import DEMO_PASSPHRASE

CONTENT = Path(__file__).resolve().parents[2] / "courses" / "content"
DESK = "/exercises/refund-triage/"
WEAK = (CONTENT / "prompting/exercises/refund-triage/refs/weak.md").read_text(encoding="utf-8")
LESSON = "/courses/foundations/lessons/f-where-agents-fail/"

pytestmark = pytest.mark.xdist_group("live_site")


def sign_in(page: Page, url: str) -> None:
    page.goto(f"{url}/accounts/login/")
    page.get_by_label("E-mail address").fill("learner@checkride.example")
    page.locator("input[name=password]").fill(DEMO_PASSPHRASE)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/today/"))


def write(page: Page, text: str) -> None:
    page.wait_for_selector("prompt-editor.is-ready")
    page.evaluate("text => { document.querySelector('prompt-editor').value = text; }", text)


@pytest.fixture
def learner(live_site: Any, new_visitor: Callable[[], Any]) -> Any:
    visitor = new_visitor()
    sign_in(visitor.page, live_site.url)
    return visitor


def test_a_pause_saves_the_draft_and_shows_the_rules(learner: Any) -> None:
    learner.open(DESK)
    page = learner.page
    write(page, "If the order number is missing, ask the customer for it.")
    # The first reading of a fresh site waits for a grader to start.
    expect(page.locator("[data-rules] a[href='#line-1']").first).to_be_visible(timeout=30_000)
    expect(page.locator("[data-save]")).to_contain_text(re.compile(r"Saved \d\d:\d\d:\d\d"))
    learner.open(DESK)
    expect(page.locator("#text")).to_have_value(re.compile("If the order number is missing"))


def test_the_smallest_edit_can_be_put_in(learner: Any) -> None:
    learner.open(DESK)
    page = learner.page
    write(page, WEAK)
    page.locator("button[form=work]").click()
    page.wait_for_url(re.compile(r"/runs/\d+/"))
    page.wait_for_selector("prompt-editor.is-ready")
    button = page.locator("[data-insert]")
    sentence = button.get_attribute("data-insert") or "nothing"
    button.click()
    expect(page.locator("#text")).to_have_value(re.compile(re.escape(sentence)))
    expect(button).to_be_disabled()


def test_a_line_of_a_rule_leads_into_the_editor(learner: Any) -> None:
    learner.open(DESK)
    page = learner.page
    write(page, "# Refunds\nIf the order number is missing, ask the customer for it.")
    page.locator("[data-rules] a[href='#line-2']").first.click()
    focused = "document.activeElement.classList.contains('cm-content')"
    assert page.evaluate(focused)


def test_an_older_tab_is_told_and_overwrites_nothing(learner: Any) -> None:
    learner.open(DESK)
    page = learner.page
    page.wait_for_selector("prompt-editor.is-ready")
    second = page.context.new_page()
    second.goto(learner.url + DESK)
    write(second, "written in the second tab")
    expect(second.locator("[data-save]")).to_contain_text("Saved")
    second.wait_for_timeout(100)
    write(page, "written in the first tab")
    expect(page.locator("[data-save]")).to_contain_text("saved somewhere else")
    second.reload()
    expect(second.locator("#text")).to_have_value("written in the second tab")


def test_without_connection_the_page_says_so_and_saves_later(learner: Any) -> None:
    learner.open(DESK)
    page = learner.page
    page.wait_for_selector("prompt-editor.is-ready")
    page.context.set_offline(True)
    write(page, "written on a train")
    expect(page.locator("[data-save]")).to_contain_text("Not saved: no connection.")
    page.context.set_offline(False)
    expect(page.locator("[data-save]")).to_contain_text("Saved", timeout=15_000)
    learner.complaints.clear()  # the browser itself reports the failed requests


def test_the_workbench_works_without_scripts(live_site: Any, learner: Any, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies(learner.page.context.cookies())
    page = context.new_page()
    page.goto(live_site.url + DESK)
    page.fill("#text", "Refund up to 100 dollars yourself. Hand anything above to a human.")
    page.click("button[form=work]")
    expect(page.locator(".resbar__score")).to_contain_text("of 100")
    page.locator(".ledger--cases th a").nth(1).click()
    assert "#trace" in page.url
    page.goto(live_site.url + LESSON)
    question = page.locator(".quiz").first
    question.locator("input[value='0']").check()
    question.get_by_role("button").click()
    assert page.url.endswith("#check-1")
    expect(question.locator(".note")).to_be_visible()
    context.close()


def test_a_run_can_be_made_with_the_keyboard_alone(learner: Any) -> None:
    learner.open(DESK)
    page = learner.page
    page.wait_for_selector("prompt-editor.is-ready")
    page.locator(".cm-content").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("Never guess an order number.")
    page.keyboard.press("Tab")
    assert not page.evaluate("document.activeElement.classList.contains('cm-content')")
    page.locator("button[form=work]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#result")).to_be_visible()
    assert learner.complaints == []

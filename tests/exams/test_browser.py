"""The exam in a real browser whose network fails, whose page is closed, and which has two tabs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.xdist_group("live_site")

# A person of our own: the demonstration learner belongs to the journey through the whole site.
MAKE_PERSON = """
from allauth.account.models import EmailAddress
from checkride.accounts.models import User
user = User.objects.create_user("{email}", "a long passphrase", name="Noor Rahimi")
EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
"""


@pytest.fixture
def context(live_site: Any, browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=live_site.url)
    # Longer than the longest pause between two tries of a page that has lost its network.
    context.set_default_timeout(60_000)
    yield context
    context.close()


def make_person(live_site: Any, email: str) -> None:
    live_site.manage("shell", "-v", "0", "-c", MAKE_PERSON.replace("{email}", email))


def sign_in_and_start(page: Page, email: str) -> str:
    """Sign in, prepare and start; the address of the items."""
    page.goto("/accounts/login/?next=/exams/foundations/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", "a long passphrase")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Prepare my attempt").click()
    page.get_by_role("button", name="Start, 30 min").click()
    page.wait_for_url("**/items/1/")
    return page.url.removesuffix("1/")


def open_single_choice(page: Page, items: str) -> str:
    """Go to the first item with one right option; its address."""
    for position in range(1, 25):
        page.goto(f"{items}{position}/")
        if page.locator("[data-kind=single]").count():
            return f"{items}{position}/"
    raise AssertionError("a form of 24 items without a single choice")


def option(page: Page, number: int) -> Any:
    return page.locator("input[name=choice]").nth(number)


def receipt_says(page: Page, text: str) -> None:
    page.locator("[data-receipt]", has_text=text).wait_for()


def test_a_rehearsal_shows_saving_reconnecting_and_the_time(
    live_site: Any, context: BrowserContext
) -> None:
    make_person(live_site, "rehearsing@example.org")
    page = context.new_page()
    page.goto("/accounts/login/?next=/exams/rehearsal/")
    page.fill("input[name=login]", "rehearsing@example.org")
    page.fill("input[name=password]", "a long passphrase")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Begin the rehearsal").click()

    option(page, 0).check()
    page.locator("[data-step=saved].ok").wait_for()
    page.get_by_role("button", name="Cut the connection").click()
    option(page, 1).check()
    page.locator("[data-notices]", has_text="We keep your answers on this computer").wait_for()
    page.get_by_role("button", name="Bring it back").click()
    page.locator("[data-step=reconnected].ok").wait_for()
    page.keyboard.press("Alt+t")
    page.locator("[data-polite]", has_text="left.").wait_for(state="attached")
    with page.expect_response("**/prove/"):
        page.get_by_label("I heard it").check()
    page.get_by_role("button", name="End the rehearsal").click()

    page.get_by_text("3 of 3 things worked").wait_for()


def test_answers_survive_a_lost_network_a_closed_page_and_a_second_tab(
    live_site: Any, context: BrowserContext
) -> None:
    make_person(live_site, "bad-network@example.org")
    page = context.new_page()
    items = sign_in_and_start(page, "bad-network@example.org")

    # An answer is saved while typing, and only the server's word says so.
    item = open_single_choice(page, items)
    option(page, 0).check()
    receipt_says(page, "revision 1")
    assert page.locator("[data-save-words]").inner_text().startswith("Saved ")

    # Without a network the bar says so, the other items go on, and every answer waits here.
    page.locator("[data-all-here]").wait_for()
    position = int(item.rstrip("/").rpartition("/")[2])
    other_position = position + 1 if position < 24 else position - 1
    context.set_offline(True)
    option(page, 1).check()
    page.locator("[data-save-words]", has_text="No connection. Last saved").wait_for()
    # A slow press: the notice that comes meanwhile must not move the link from under the pointer.
    page.locator(f".qnav [data-go='{other_position}']").click(delay=500)
    page.locator(f"[data-answer][data-position='{other_position}']").wait_for()
    page.locator("[data-notices]", has_text="We keep your answers on this computer").wait_for()
    page.locator("[data-flag]").click()
    page.locator("[data-go=review]").click()
    page.locator("[data-notices]", has_text="The next page cannot be loaded yet").wait_for()
    page.locator(f".qnav [data-go='{position}']").click()
    page.locator(f"[data-answer][data-position='{position}']").wait_for()
    assert option(page, 1).is_checked()
    context.set_offline(False)
    receipt_says(page, "revision 2")

    # A page that is closed while the network is away, in the moment after the answer, sends the
    # answer when it is opened again.
    context.set_offline(True)
    option(page, 2).check()
    page.close()
    context.set_offline(False)
    page = context.new_page()
    page.goto(item)
    receipt_says(page, "revision 3")
    assert option(page, 2).is_checked()

    # Two tabs: the one that knows less loses, both answers are shown, nothing is gone.
    other = context.new_page()
    other.goto(item)
    page.locator("[data-notices]", has_text="open in another tab as well").wait_for()
    other.route("**/save/", lambda route: route.abort())
    option(other, 3).check()
    other.locator("[data-save-words]", has_text="No connection").wait_for()
    option(page, 0).check()
    receipt_says(page, "revision 4")
    other.unroute("**/save/")
    other.evaluate("dispatchEvent(new Event('online'))")
    other.get_by_role("heading", name="Two different answers reached us").wait_for()
    other.get_by_role("button", name="Count D instead").click()
    receipt_says(other, "revision 5")
    assert option(other, 3).is_checked()


def test_an_answer_given_before_the_script_came_is_saved(
    live_site: Any, context: BrowserContext
) -> None:
    make_person(live_site, "quick-hand@example.org")
    page = context.new_page()
    item = open_single_choice(page, sign_in_and_start(page, "quick-hand@example.org"))
    page.close()

    page = context.new_page()
    held: list[Any] = []
    page.route("**/exams/exam*.js", lambda route: held.append(route))
    with page.expect_request("**/exams/exam*.js"):
        page.goto(item, wait_until="commit")
    option(page, 1).check()
    held[0].continue_()

    receipt_says(page, "revision 1")


# Two answers to one item, typed while the first is being sent. Each way round, what is sent last must
# be what was typed last, and nothing may take an answer away that was never sent.
RACE = """
async () => {
  const { openOutbox } = await import("/static/exams/outbox.js");
  const lost = [];
  for (let round = 0; round < 60; round += 1) {
    const attempt = `race-${round}`;
    const outbox = await openOutbox(attempt);
    const entry = (seq, choice) =>
      ({ attempt, position: 1, clientId: "tab", seq, payload: { choice }, tried: false });
    await outbox.write(entry(1, "a"));
    const [first] = await outbox.all(attempt);
    const steps = [() => outbox.write(entry(2, "b")), () => outbox.claim(first.id)];
    if (round % 2) steps.reverse();
    const results = await Promise.all(steps.map((step) => step()));
    const claimed = results[round % 2 ? 0 : 1];
    await outbox.remove(claimed.id);
    const sent = [claimed, ...await outbox.all(attempt)].map((one) => one.payload.choice);
    if (sent.at(-1) !== "b") lost.push(`${round}: ${sent}`);
    for (const one of await outbox.all(attempt)) await outbox.remove(one.id);
  }
  return lost;
}
"""


def test_an_answer_changed_while_it_is_sent_is_not_lost(
    live_site: Any, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto("/accessibility/")

    assert page.evaluate(RACE) == []

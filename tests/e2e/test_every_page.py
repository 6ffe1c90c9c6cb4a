"""Every page that can be reached by links, looked at by everybody who has an account to reach it.

Each page is scanned with axe in light and dark, wide and on a phone. One page stands for all that
are made by the same view for the same kind of thing. With CHECKRIDE_PICTURES=folder each page that
is looked at is kept as a picture.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, resolve

from checkride.embedded.serve import DEMO_PASSPHRASE

HERE = Path(__file__).parent

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("live_site")]

# Each is a world of its own, so every one of them is looked at.
EACH = {"courses:exercise", "courses:map-edit"}
# Files, and pages that the journey through the exam looks at.
NOT_PAGES = re.compile(
    r"\.(json|jwt|png|svg|pdf|zip|txt|csv|yaml|bpmn|tlog-proof)$|^/api/|^/log/|^/accounts/data/$"
)
LEAVES = {"account_logout"}


@pytest.fixture(scope="module")
def life(live_site: Any) -> str:
    """A learner who has done something; the address of her credential."""
    script = (HERE / "a_life.py").read_text(encoding="utf-8")
    number = live_site.manage("shell", "-v", "0", "-c", script).split()[-2]
    return f"/credentials/{number}"


STARTS = {
    "nobody": ["/", "/verify/", "/styleguide/", "/dev/mailbox/", "/no-such-page/"],
    "learner": ["/today/", "/practice/", "/record/", "/studio/", "/exams/", "/notes/", "/review/"],
    "instructor": ["/today/", "/exams/examiner/", "/employers/keys/", "/employers/watching/"],
    "officer": ["/officer/credentials/", "/officer/keys/"],
}


@pytest.mark.parametrize("who", STARTS)
def test_every_page_it_can_reach(
    who: str, life: str, new_visitor: Callable[[], Any], looked_at: set[str]
) -> None:
    visitor = new_visitor()
    if who != "nobody":
        sign_in(visitor, f"{who}@checkride.example")
    waiting = [*STARTS[who], life]
    for path in waiting:
        name = page_name(path)
        if name is None or name in looked_at:
            continue
        visitor.open(path)
        if "/accounts/reauthenticate/" in visitor.page.url:
            give_the_password_again(visitor)
        if "/accounts/login/" in visitor.page.url and "login" not in path:
            continue
        looked_at.add(name)
        visitor.look(f"{who}-{name}")
        waiting.extend(links(visitor))
    assert visitor.complaints == []


@pytest.fixture(scope="module")
def looked_at() -> set[str]:
    """What one visitor has looked at; the next one looks at what only she can see."""
    return set()


def sign_in(visitor: Any, email: str) -> None:
    visitor.open("/accounts/login/")
    visitor.page.fill("input[name=login]", email)
    visitor.page.fill("input[name=password]", DEMO_PASSPHRASE)
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_url("**/today/")


def give_the_password_again(visitor: Any) -> None:
    visitor.page.fill("input[name=password]", DEMO_PASSPHRASE)
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_url(lambda url: "reauthenticate" not in url)


def links(visitor: Any) -> list[str]:
    """The paths of this site that the page shown links to."""
    hrefs = visitor.page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
    paths = [urlsplit(href).path for href in hrefs if href.startswith(visitor.url)]
    return [path for path in paths if not NOT_PAGES.search(path)]


def page_name(path: str) -> str | None:
    """A file name for the page: its view, and its thing where each is looked at."""
    try:
        found = resolve(path)
    except Resolver404:
        return "not-found"
    if found.view_name in LEAVES or found.view_name.startswith("admin:"):
        return None
    name = re.sub(r"[^a-z0-9]+", "-", found.view_name)
    if found.view_name in EACH:
        name += "-" + "-".join(str(value) for value in found.kwargs.values())
    return name

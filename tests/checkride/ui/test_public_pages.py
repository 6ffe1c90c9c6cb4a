"""The public pages answer without an account, and what they claim is true of the product."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from checkride.home.graded_prompt import graded_prompt
from checkride.ui import navigation
from courses import catalog

ROOT = Path(__file__).resolve().parents[3]
PAGES = [
    "/",
    "/employers/",
    "/instructors/",
    "/how-grading-works/",
    "/accessibility/",
    "/privacy/",
    "/styleguide/",
]


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES)
def test_a_public_page_opens_without_an_account(client: Client, page: str) -> None:
    response = client.get(page)

    assert response.status_code == 200
    assert response.content.decode().count("<h1") == 1


@pytest.mark.django_db
def test_a_page_works_before_any_item_is_loaded(client: Client) -> None:
    text = client.get("/").content.decode()

    assert "The practical test" in text
    assert "items in" not in text


@pytest.mark.django_db
def test_the_home_page_tells_the_figures_of_the_current_exam(client: Client) -> None:
    call_command("load_items", verbosity=0)

    text = client.get("/").content.decode()

    assert "24 items in 30 minutes" in text


@pytest.mark.django_db
def test_the_home_page_leads_to_every_track(client: Client) -> None:
    text = client.get("/").content.decode()

    for track in catalog.tracks():
        assert reverse("courses:track", args=[track.id]) in text
        assert len(track.you_already_have) == 6, "the page promises six other jobs"


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES)
def test_links_of_the_public_pages_lead_somewhere(client: Client, page: str) -> None:
    text = client.get(page).content.decode()

    for address in sorted(set(re.findall(r'(?:href|action)="(/[^"#?]*)', text))):
        # The keys are asked of the signer, which does not run in this test.
        if address.startswith("/static/") or address == reverse("credentials:did"):
            continue
        assert client.get(address).status_code in {200, 302}, f"{page} leads to {address}"


def test_every_entry_of_the_navigation_has_an_address() -> None:
    for entry in (*navigation.PUBLIC, *navigation.LEARNER, *navigation.DUTIES):
        assert reverse(entry.view).startswith("/")


@pytest.mark.django_db
def test_duties_are_shown_to_those_who_have_them(
    client: Client, examiner: object, learner: object
) -> None:
    client.force_login(examiner)  # type: ignore[arg-type]
    assert reverse("exams:examiner") in client.get("/").content.decode()

    client.force_login(learner)  # type: ignore[arg-type]
    assert reverse("exams:examiner") not in client.get("/").content.decode()


def templates() -> list[Path]:
    folders = ["platform/checkride", "courses", "exams", "credentials"]
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("templates/**/*.html")
        if "node_modules" not in path.parts
    )


def test_no_template_holds_what_the_security_policy_refuses() -> None:
    refused = re.compile(
        r"\sstyle=|<style|\son[a-z]+=\"|javascript:|<script(?![^>]*\b(src|type=\"application/))"
    )

    found = [str(path) for path in templates() if refused.search(path.read_text(encoding="utf-8"))]

    assert found == []


@pytest.mark.django_db
def test_the_prompt_on_the_home_page_is_graded_by_the_product(client: Client) -> None:
    graded = graded_prompt()

    assert graded is not None, "the example no longer shows a failing case and its cure"
    assert not all(graded.cases)
    assert graded.suggestion.score > graded.score
    assert graded.lines_without_rule == (8,)
    text = client.get("/").content.decode()
    assert graded.suggestion.sentence in text
    assert f"<b>{graded.cases_right}</b> of {len(graded.cases)} right" in text

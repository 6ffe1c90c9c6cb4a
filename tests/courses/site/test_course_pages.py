"""The pages: what they show, to whom, and that they work without scripts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client

from checkride.accounts import personal_data
from checkride.accounts.models import User
from checkride.lib.clock import now
from courses import catalog, practice, study
from courses.models import (
    CheckAnswer,
    ChosenTrack,
    Draft,
    Enrolment,
    LessonProgress,
    Submission,
)

from .conftest import strong

PUBLIC = [
    "/tracks/", "/tracks/agent-operator/", "/framework/", "/framework/P2/", "/courses/",
    "/courses/foundations/", "/courses/value/", "/courses/foundations/lessons/f-one/",
    "/glossary/", "/practice/", "/exercises/refund-triage/", "/exercises/refunds/",
]  # fmt: skip
LESSON = "/courses/foundations/lessons/f-one/"
RUN = "/exercises/refund-triage/run/"


@pytest.fixture
def signed_in(client: Client, learner: User) -> Client:
    client.force_login(learner)
    return client


def page(client: Client, address: str) -> str:
    response = client.get(address, follow=True)
    assert response.status_code == 200, address
    return response.content.decode()


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_taught_can_be_read_without_an_account(
    loaded: Path, client: Client, address: str
) -> None:
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("address", [*PUBLIC, "/today/", "/today/proved/"])
def test_no_page_has_an_inline_style_or_handler(
    loaded: Path, signed_in: Client, address: str
) -> None:
    html = page(signed_in, address)
    assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", html)


@pytest.mark.parametrize(
    "address", ["/tracks/none/", "/courses/none/", "/courses/foundations/lessons/none/",
                "/framework/Z9/", "/exercises/none/"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(loaded: Path, client: Client, address: str) -> None:
    assert client.get(address).status_code == 404


def test_today_needs_an_account(loaded: Path, client: Client) -> None:
    assert client.get("/today/").status_code == 302


def test_today_has_one_next_step(loaded: Path, signed_in: Client) -> None:
    html = page(signed_in, "/today/")
    assert "First lesson" in html
    assert html.count("btn--primary") == 1


def test_a_planned_course_says_so(loaded: Path, client: Client) -> None:
    assert "Planned." in page(client, "/courses/value/")


def test_starting_a_course_leads_to_its_first_lesson(loaded: Path, signed_in: Client) -> None:
    response = signed_in.post("/courses/foundations/")
    assert response["Location"] == LESSON


def test_following_a_track_is_remembered(loaded: Path, signed_in: Client, learner: User) -> None:
    signed_in.post("/tracks/agent-operator/")
    assert ChosenTrack.objects.get(user=learner).track == "agent-operator"


def test_an_explanation_stands_only_after_an_answer(loaded: Path, signed_in: Client) -> None:
    assert "The order was read." not in page(signed_in, LESSON)
    signed_in.post(LESSON, {"check": "1", "option": "0"})
    html = page(signed_in, LESSON)
    assert "The order was read." in html
    assert "Nobody was paid." not in html


def test_an_answer_leads_back_to_its_question(loaded: Path, signed_in: Client) -> None:
    response = signed_in.post(LESSON, {"check": "2", "option": "0"})
    assert response["Location"] == f"{LESSON}#check-2"


def test_no_answer_is_said_in_a_sentence(loaded: Path, signed_in: Client) -> None:
    html = signed_in.post(LESSON, {"check": "1"}, follow=True).content.decode()
    assert "Choose one of the answers first" in html


def test_a_visitor_is_asked_to_sign_in_to_answer(loaded: Path, client: Client) -> None:
    response = client.post(LESSON, {"check": "1", "option": "0"})
    assert response["Location"] == f"/accounts/login/?next={LESSON}"
    assert not CheckAnswer.objects.exists()


def test_a_decision_is_kept_and_shown_as_text(
    loaded: Path, signed_in: Client, learner: User
) -> None:
    signed_in.post(LESSON, {"decision": "Stop it. <script>alert(1)</script>"})
    assert LessonProgress.objects.get(user=learner).decision.startswith("Stop it.")
    html = page(signed_in, LESSON)
    assert "<script>alert(1)" not in html
    assert "Stop it. &lt;script&gt;" in html


def test_the_framework_is_there_as_data(loaded: Path, client: Client) -> None:
    data = client.get("/framework.json").json()
    assert len(data["competencies"]) == 41
    assert data["competencies"][0]["url"].endswith("/framework/P1/")


def test_the_case_package_names_a_parent_for_every_item(loaded: Path, client: Client) -> None:
    response = client.get("/framework/case.json")
    data = response.json()
    assert response["Access-Control-Allow-Origin"] == "*"
    assert len(data["CFItems"]) == 8 + 41
    origins = {row["originNodeURI"]["identifier"] for row in data["CFAssociations"]}
    assert origins == {row["identifier"] for row in data["CFItems"]}
    assert all(UUID(row["identifier"]) for row in data["CFItems"])


# The workbench ---------------------------------------------------------------------------------


def test_a_run_leads_to_its_result(loaded: Path, signed_in: Client) -> None:
    response = signed_in.post(RUN, {"text": "Refund up to 75 dollars on your own."})
    assert response["Location"] == "/exercises/refund-triage/runs/1/#result"
    html = page(signed_in, "/exercises/refund-triage/runs/1/")
    assert "Not passed." in html
    assert "Hidden case" in html


def test_a_hidden_case_shows_nothing_of_what_was_written(loaded: Path, signed_in: Client) -> None:
    signed_in.post(RUN, {"text": "Refund up to 75 dollars on your own."})
    exercise = catalog.exercise("refund-triage")
    assert exercise is not None
    hidden = [row for row in exercise.document["cases"] if not row.get("shown")]
    html = page(signed_in, f"/exercises/refund-triage/runs/1/?case={hidden[0]['id']}")
    for row in hidden:
        assert str(row["customer"])[:30] not in html
        assert str(row.get("title", "no title")) not in html


def test_a_passed_run_opens_all_cases(loaded: Path, signed_in: Client) -> None:
    signed_in.post(RUN, {"text": strong("refund-triage")})
    html = page(signed_in, "/exercises/refund-triage/runs/1/")
    assert "Passed." in html
    assert "Hidden case" not in html


def test_cases_can_be_filtered_without_script(loaded: Path, signed_in: Client) -> None:
    signed_in.post(RUN, {"text": strong("refund-triage")})
    assert "No case is in this list." in page(
        signed_in, "/exercises/refund-triage/runs/1/?show=wrong"
    )


def test_a_second_run_is_compared_with_the_first(loaded: Path, signed_in: Client) -> None:
    signed_in.post(RUN, {"text": "Refund up to 75 dollars on your own."})
    signed_in.post(RUN, {"text": strong("refund-triage")})
    html = page(signed_in, "/exercises/refund-triage/runs/2/")
    assert re.search(r"[1-9]\d* fixed, 0 broken", html)
    assert "Since run 1: what you changed" in html


def test_a_run_belongs_to_its_learner(loaded: Path, signed_in: Client, other_learner: User) -> None:
    signed_in.post(RUN, {"text": "Refund up to 75 dollars on your own."})
    stranger = Client()
    stranger.force_login(other_learner)
    assert stranger.get("/exercises/refund-triage/runs/1/").status_code == 404
    assert signed_in.get("/exercises/refund-triage/runs/1/").status_code == 200


def test_a_draft_belongs_to_its_learner(
    loaded: Path, signed_in: Client, other_learner: User
) -> None:
    signed_in.post("/exercises/refund-triage/draft/", {"text": "my own words"})
    stranger = Client()
    stranger.force_login(other_learner)
    assert "my own words" in page(signed_in, "/exercises/refund-triage/")
    assert "my own words" not in page(stranger, "/exercises/refund-triage/")


@pytest.mark.parametrize("what", ["run", "draft", "read"])
def test_writing_needs_an_account(loaded: Path, client: Client, what: str) -> None:
    assert client.post(f"/exercises/refund-triage/{what}/", {"text": "x"}).status_code == 302
    assert not Draft.objects.exists()


def test_a_save_over_a_newer_one_is_a_conflict(loaded: Path, signed_in: Client) -> None:
    for text, over in (("one", ""), ("two", "1")):
        signed_in.post("/exercises/refund-triage/draft/", {"text": text, "over": over})
    response = signed_in.post("/exercises/refund-triage/draft/", {"text": "old", "over": "1"})
    assert response.status_code == 409
    assert "Nothing was overwritten" in response.json()["message"]


def test_the_reading_comes_as_a_piece_of_the_page(loaded: Path, signed_in: Client) -> None:
    response = signed_in.post(
        "/exercises/refund-triage/read/",
        {"text": "# Refunds\nIf the order number is missing, ask the customer for it."},
    )
    data = response.json()
    assert 'href="#line-2"' in data["html"]
    assert data["marks"][0]["line"] == 2


def test_the_text_of_a_learner_is_shown_as_text(loaded: Path, signed_in: Client) -> None:
    signed_in.post(RUN, {"text": "</textarea><script>alert(1)</script>\nNever guess."})
    html = page(signed_in, "/exercises/refund-triage/runs/1/")
    assert "<script>alert(1)" not in html


def test_a_map_shows_bands_before_figures(loaded: Path, signed_in: Client) -> None:
    starter = catalog.exercise("refunds").document["starter"]  # type: ignore[union-attr]
    signed_in.post("/exercises/refunds/run/", {"text": starter})
    html = page(signed_in, "/exercises/refunds/runs/1/")
    assert "Too high" in html or "Not passed." in html
    assert "Figures open on a pass or after 3 runs" in html
    assert "Harm against cost" not in html


def test_a_passed_map_shows_figures_the_front_and_a_replay(loaded: Path, signed_in: Client) -> None:
    signed_in.post("/exercises/refunds/run/", {"text": strong("refunds")})
    html = page(signed_in, "/exercises/refunds/runs/1/")
    assert "Harm against cost" in html
    assert re.search(r"A day of tricks: \$[\d.]+, full points at \$10.75", html)
    replay = html[html.index('id="replay"') :]
    assert "Hidden until now" in replay


def test_a_replay_can_be_walked_step_by_step(loaded: Path, signed_in: Client) -> None:
    signed_in.post("/exercises/refunds/run/", {"text": strong("refunds")})
    html = page(signed_in, "/exercises/refunds/runs/1/?case=largest_harm&step=2")
    assert "step=3#replay" in html
    assert "step=1#replay" in html
    replay = html[html.index('id="replay"') :]
    assert "Hidden until now" not in replay


def test_a_map_that_cannot_be_read_names_its_lines(loaded: Path, signed_in: Client) -> None:
    starter = catalog.exercise("refunds").document["starter"]  # type: ignore[union-attr]
    response = signed_in.post(
        "/exercises/refunds/read/", {"text": starter.replace("kind: tool", "kind: tol", 1)}
    )
    data = response.json()
    line = next(i for i, row in enumerate(starter.splitlines(), 1) if "kind: tool" in row)
    assert data["marks"][0]["line"] == line
    assert data["marks"][0]["mark"] == "bad"


# Personal data ---------------------------------------------------------------------------------


@pytest.fixture
def active(loaded: Path, signed_in: Client, learner: User) -> User:
    signed_in.post("/tracks/agent-operator/")
    signed_in.post(LESSON, {"check": "1", "option": "0"})
    signed_in.post(LESSON, {"decision": "Stop it."})
    signed_in.post(RUN, {"text": "Refund up to 75 dollars on your own."})
    return learner


def test_the_export_holds_what_the_learner_did(active: User) -> None:
    holder = next(row for row in personal_data.holders() if row.name == "courses")
    files = {name: json.loads(data) for name, data in holder.export(active).items()}
    assert files["runs.json"][0]["text"].startswith("Refund up to 75")
    assert files["lessons.json"][0]["decision"] == "Stop it."
    assert files["reports.json"][0]["report"]["kind"] == "prompt"
    assert files["track.json"][0]["track"] == "agent-operator"


def test_erasure_leaves_no_row_about_the_learner(active: User) -> None:
    holder = next(row for row in personal_data.holders() if row.name == "courses")
    holder.erase(active, now())
    for model in (CheckAnswer, ChosenTrack, Draft, Enrolment, LessonProgress, Submission):
        assert not model.objects.filter(user=active).exists(), model


def test_erasing_one_learner_keeps_the_rows_of_another(active: User, other_learner: User) -> None:
    found = study.exercise_for(other_learner, "refund-triage")
    assert found is not None
    practice.run(other_learner, *found, text="Never guess.", at=now())
    holder = next(row for row in personal_data.holders() if row.name == "courses")
    holder.erase(active, now())
    assert Submission.objects.filter(user=other_learner).count() == 1

"""Hints, versions and filters of the prompt workbench."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from checkride.accounts.models import User
from courses import catalog, hints, practice, study
from courses.grading.prompt import LENGTH
from courses.models import HintTaken
from courses.own_data import erase, export

from .conftest import strong

EXERCISE = "/exercises/refund-triage/"
WEAK = "Refund up to 75 dollars on your own."


@pytest.fixture
def signed_in(client: Client, learner: User) -> Client:
    client.force_login(learner)
    return client


def page(client: Client, address: str) -> str:
    response = client.get(address, follow=True)
    assert response.status_code == 200, address
    return response.content.decode()


ROWS = [
    {"id": "a", "hint": "Look at A.", "must": False},
    {"id": "b", "hint": "Look at B.", "must": True},
    {"id": "c", "must": True},
]


@pytest.mark.parametrize(
    ("met", "taken", "expected"),
    [
        ((), (), "b"),
        (("b",), (), "a"),
        ((), ("b",), "a"),
        (("a",), ("b",), None),
        (("c",), ("a", "b"), None),
    ],
)
def test_the_next_hint_is_about_a_must_that_is_open(
    met: tuple[str, ...], taken: tuple[str, ...], expected: str | None
) -> None:
    found = hints.next_requirement(ROWS, met=frozenset(met), taken=frozenset(taken))
    assert found == expected


def test_a_hint_is_shown_kept_and_costs_nothing(
    loaded: Path, signed_in: Client, learner: User
) -> None:
    exercise = catalog.exercise("refund-triage")
    assert exercise is not None
    first = next(row for row in exercise.document["requirements"] if row["must"])
    assert first["hint"] not in page(signed_in, EXERCISE)

    answer = signed_in.post(f"{EXERCISE}hint/")

    assert answer["Location"] == f"{EXERCISE}#hints"
    assert first["hint"] in page(signed_in, EXERCISE)
    assert b"ask-missing-order" in export(learner)["hints.json"]
    signed_in.post(f"{EXERCISE}run/", {"text": strong("refund-triage")})
    assert practice.history(learner, "refund-triage").passed
    erase(learner, at=None)  # type: ignore[arg-type]
    assert not HintTaken.objects.exists()


def test_when_everything_is_met_there_is_no_hint_and_a_sentence_says_so(
    loaded: Path, signed_in: Client
) -> None:
    signed_in.post(f"{EXERCISE}run/", {"text": strong("refund-triage")})
    html = signed_in.post(f"{EXERCISE}hint/", follow=True).content.decode()
    assert "There is no further hint" in html
    assert not HintTaken.objects.exists()


def test_two_versions_lie_side_by_side_with_what_broke(loaded: Path, signed_in: Client) -> None:
    assert "You have not run this exercise yet" in page(signed_in, f"{EXERCISE}versions/")
    good = strong("refund-triage")
    signed_in.post(f"{EXERCISE}run/", {"text": good})
    signed_in.post(
        f"{EXERCISE}run/",
        {"text": good.replace("8. Reply in the language the customer wrote in.\n", "")},
    )
    html = page(signed_in, f"{EXERCISE}versions/?from=1&to=2")
    assert "From run 1 to run 2" in html
    assert "Cases that broke" in html
    assert "La lampe" in html
    assert "answers in the customer" in html
    assert "Since run 1: what your change broke" in page(signed_in, f"{EXERCISE}runs/2/")
    assert "The two texts are equal." in page(signed_in, f"{EXERCISE}versions/?from=1&to=1")
    for odd in ("from=9&to=1", "from=x&to=%00", "from=" + "9" * 5000):
        assert "Your versions" in page(signed_in, f"{EXERCISE}versions/?{odd}")


def test_what_is_hidden_stays_hidden_in_a_comparison(loaded: Path, signed_in: Client) -> None:
    signed_in.post(f"{EXERCISE}run/", {"text": WEAK})
    signed_in.post(
        f"{EXERCISE}run/", {"text": "Hand mails that mention a lawyer or an injury to a human."}
    )
    html = page(signed_in, f"{EXERCISE}versions/")
    exercise = catalog.exercise("refund-triage")
    assert exercise is not None
    assert "Hidden case" in html
    for case in exercise.document["cases"]:
        if not case["shown"]:
            assert case["title"] not in html


def test_the_versions_of_somebody_else_are_not_shown(
    loaded: Path, signed_in: Client, other_learner: User
) -> None:
    signed_in.post(f"{EXERCISE}run/", {"text": WEAK})
    stranger = Client()
    stranger.force_login(other_learner)
    assert "You have not run" in page(stranger, f"{EXERCISE}versions/?from=1&to=1")


def test_the_grid_is_filtered_by_rule_and_by_what_was_shown(
    loaded: Path, signed_in: Client
) -> None:
    signed_in.post(f"{EXERCISE}run/", {"text": strong("refund-triage")})
    run = f"{EXERCISE}runs/1/"
    html = page(signed_in, f"{run}?rule=reply-language")
    assert "La lampe" in html
    assert "A four-dollar wick" not in html
    html = page(signed_in, f"{run}?part=shown")
    assert "The notice" in html
    assert "A four-dollar wick" not in html
    assert "The notice" in page(signed_in, f"{run}?rule=nonsense&part=nonsense&show=nonsense")


def test_a_rule_that_is_not_told_yet_cannot_be_filtered_by(loaded: Path, signed_in: Client) -> None:
    signed_in.post(f"{EXERCISE}run/", {"text": WEAK})
    html = page(signed_in, f"{EXERCISE}runs/1/")
    assert 'value="refund-limit"' in html
    assert 'value="legal-escalation"' not in html


def test_a_repair_begins_with_how_the_given_text_runs(
    db: None, settings: object, learner: User, client: Client
) -> None:
    from courses import versions

    versions.load(catalog.curriculum())
    found = study.exercise_for(learner, "repair-a-prompt")
    assert found is not None
    client.force_login(learner)
    address = "/exercises/repair-a-prompt/"
    html = page(client, address)
    assert "The text you were given, as it runs today" in html
    assert "of 1,000 characters" in html
    text = found[1].document["references"]["strong"]
    client.post(f"{address}run/", {"text": text})
    assert "Since the text you were given" in page(client, f"{address}runs/1/")
    client.post(f"{address}run/", {"text": text + "\n" + "Be kind to people. " * 60})
    report = practice.report_of(practice.history(learner, "repair-a-prompt").rows[-1])
    assert report is not None
    assert not report.passed
    assert "too long" in report.finding
    assert next(row for row in report.criteria if row.id == LENGTH).verdict == "partly"

"""What a first visitor trips over: figures and verdicts that are true but not in sight."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client

from checkride.accounts.models import User

LESSON = "/courses/foundations/lessons/f-one/"


@pytest.fixture
def signed_in(client: Client, learner: User) -> Client:
    client.force_login(learner)
    return client


def test_today_counts_what_the_chosen_track_holds(loaded: Path, signed_in: Client) -> None:
    assert "0 of 2 at mastery" in signed_in.get("/today/").content.decode()

    signed_in.post("/tracks/agent-operator/")  # leads through one of the two courses with exercises

    assert "0 of 1 at mastery" in signed_in.get("/today/").content.decode()


def test_the_address_after_an_answer_names_the_verdict(loaded: Path, signed_in: Client) -> None:
    signed_in.post(LESSON, {"check": "1", "option": "0"})
    html = signed_in.get(LESSON).content.decode()

    assert re.search(r'<div class="note quiz__verdict [^"]*" id="check-1"', html)
    assert html.count('id="check-1"') == 1

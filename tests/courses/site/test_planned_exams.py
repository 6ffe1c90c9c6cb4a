"""A track names exams that do not exist yet, and says so instead of linking to nothing."""

from __future__ import annotations

import pytest
from django.test import Client

from courses import catalog

pytestmark = pytest.mark.django_db


def test_an_exam_that_can_be_sat_has_an_address() -> None:
    assert catalog.exam_address("foundations") == "/exams/foundations/"
    # The folder of this one is called otherwise.
    assert catalog.exam_address("agent-operator") == "/exams/agent-operator/"


def test_an_exam_that_is_planned_has_none_and_its_track_says_planned(client: Client) -> None:
    assert catalog.exam_address("agent-manager") == ""

    page = client.get("/tracks/agent-manager/").content.decode()

    foundations, own_exam = (
        part.partition("</li>")[0] for part in page.split('class="pathend"')[1:]
    )
    assert "To the exam" in foundations
    assert "planned" in own_exam
    assert "To the exam" not in own_exam

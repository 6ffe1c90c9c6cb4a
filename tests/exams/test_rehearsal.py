"""The ninety seconds before an exam, and the items that a page has in memory."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from checkride.jobs.dbclock import database_now
from exams import delivery, preparation, rehearsal
from exams.models import Attempt, Rehearsal

CANARY = "CANARY-7f3a"


def send(client: Client, row: Rehearsal, seq: int, choice: str, *, base_rev: int = 0) -> Any:
    body = {
        "client_id": "tab",
        "client_seq": seq,
        "base_rev": base_rev,
        "payload": {"choice": choice},
    }
    address = reverse("exams:rehearsal-save", args=[row.pk])
    return client.post(address, json.dumps(body), "application/json")


@pytest.fixture
def signed_in(client: Client, learner: Any) -> Client:
    client.force_login(learner)
    return client


@pytest.fixture
def row(signed_in: Client, learner: Any) -> Rehearsal:
    signed_in.post(reverse("exams:rehearsal-begin"))
    return Rehearsal.objects.get(candidate=learner)


def test_a_save_is_answered_as_in_an_exam_and_once_for_one_save(
    signed_in: Client, row: Rehearsal
) -> None:
    first = send(signed_in, row, 1, "a")
    again = send(signed_in, row, 1, "a")
    second = send(signed_in, row, 2, "b", base_rev=1)
    wrong = send(signed_in, row, 3, "z", base_rev=2)

    assert first.status_code == again.status_code == second.status_code == 200
    assert [reply.json()["rev"] for reply in (first, again, second)] == [1, 1, 2]
    assert len(first.json()["payload_sha256"]) == 64
    assert wrong.status_code == 422
    row.refresh_from_db()
    assert len(row.saves) == 2


def test_after_the_ninety_seconds_a_save_is_late_and_the_page_shows_what_worked(
    signed_in: Client, row: Rehearsal
) -> None:
    send(signed_in, row, 1, "a")
    Rehearsal.objects.filter(pk=row.pk).update(deadline_at=database_now() - timedelta(seconds=1))

    assert send(signed_in, row, 2, "b", base_rev=1).status_code == 410
    page = signed_in.get(reverse("exams:rehearse", args=[row.pk]), follow=True).content.decode()
    assert "1 of 3 things worked" in page


def test_reconnecting_is_shown_by_a_save_and_not_by_a_claim(
    signed_in: Client, row: Rehearsal
) -> None:
    prove = reverse("exams:rehearsal-prove", args=[row.pk])

    signed_in.post(prove, {"step": "reconnected"})
    row.refresh_from_db()
    assert row.reconnected_at is None
    send(signed_in, row, 1, "a")
    send(signed_in, row, 2, "b", base_rev=1)
    signed_in.post(prove, {"step": "reconnected"})
    row.refresh_from_db()
    assert row.reconnected_at is not None
    assert signed_in.post(prove, {"step": "everything"}).status_code == 422


def test_granted_time_counts_in_the_rehearsal_too(learner: Any, examiner: Any) -> None:
    preparation.grant_accommodation(learner, time_percent=150, ends_on=None, by=examiner)

    assert rehearsal.begin(learner).time_allowed_s == 135


def test_the_start_page_says_whether_this_was_rehearsed(
    signed_in: Client, ready_attempt: Attempt, learner: Any
) -> None:
    address = reverse("exams:attempt", args=[ready_attempt.pk])

    assert "You have not tried the exam’s page yet" in signed_in.get(address).content.decode()
    rehearsal.begin(learner)
    assert "0 of 3 things worked" in signed_in.get(address).content.decode()


# Items in memory --------------------------------------------------------------------------------


def test_the_items_for_the_memory_are_those_of_the_pages_without_any_key(
    signed_in: Client, open_attempt: Attempt
) -> None:
    address = reverse("exams:sheets", args=[open_attempt.pk])

    reply = signed_in.get(address)
    sheets = reply.json()["sheets"]

    assert sorted(map(int, sheets)) == list(range(1, 25))
    assert CANARY not in reply.content.decode()
    assert reply["Cache-Control"] == "no-store"
    for place in open_attempt.items.select_related("item_version")[:3]:
        page = signed_in.get(reverse("exams:item", args=[open_attempt.pk, place.position]))
        assert place.face.ask[:30] in sheets[str(place.position)]
        assert place.face.ask[:30] in page.content.decode()


def test_an_item_in_memory_is_not_seen_until_it_is_shown(
    signed_in: Client, open_attempt: Attempt
) -> None:
    signed_in.get(reverse("exams:sheets", args=[open_attempt.pk]))
    assert not open_attempt.items.exclude(first_seen_at=None).exists()

    signed_in.post(reverse("exams:seen", args=[open_attempt.pk, 7]))

    assert [item.position for item in open_attempt.items.exclude(first_seen_at=None)] == [7]


def test_after_the_end_nothing_is_given_for_the_memory(
    signed_in: Client, open_attempt: Attempt
) -> None:
    delivery.hand_in(open_attempt.pk, arrival=delivery.Arrival(lambda: 0.0))

    address = reverse("exams:sheets", args=[open_attempt.pk])
    assert signed_in.get(address).json() == {"sheets": {}}

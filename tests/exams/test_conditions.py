"""Fair conditions: pauses that were granted, one browser at a time, one way through, a set browser."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from exams import delivery, preparation, safe_exam_browser, save_protocol
from exams.models import Attempt, BlueprintVersion, ResponseEvent
from exams.save_protocol import Clock

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RUNNING = Clock(state="in_progress", deadline_at=NOON, grace_s=15)
KEY = hashlib.sha256(b"a configuration").hexdigest()


def url(name: str, attempt: Attempt, *more: object) -> str:
    return reverse(f"exams:{name}", args=[attempt.pk, *more])


def send(client: Client, attempt: Attempt, position: int, **changes: Any) -> Any:
    body = {"client_id": "tab", "client_seq": 1, "base_rev": 0, "payload": {}, **changes}
    return client.post(url("save", attempt, position), json.dumps(body), "application/json")


@pytest.fixture
def candidate(client: Client, learner: Any, ready_attempt: Attempt) -> Client:
    client.force_login(learner)
    return client


@pytest.fixture
def change_blueprint(pool: Any) -> Callable[..., None]:
    """Give the exam's blueprint other rules, before a form is drawn."""

    def change(**rules: Any) -> None:
        version = BlueprintVersion.objects.get(exam="foundations", is_current=True)
        version.document = {**version.document, **rules}
        version.save()

    return change


# Pauses -----------------------------------------------------------------------------------------


def test_a_pause_moves_the_deadline_and_gives_back_what_was_not_used() -> None:
    begun = NOON - timedelta(minutes=10)
    paused = save_protocol.pause(RUNNING, at=begun, seconds=300)
    resumed, left = save_protocol.go_on(paused, at=begun + timedelta(seconds=99.5))

    assert paused.deadline_at == NOON + timedelta(seconds=300)
    assert left == 200
    assert resumed.deadline_at == NOON + timedelta(seconds=100), "half a second is the candidate's"
    assert save_protocol.go_on(paused, at=begun + timedelta(seconds=301))[1] == 0


def test_a_granted_pause_hides_the_items_stops_the_clock_and_can_be_used_in_parts(
    candidate: Client, ready_attempt: Attempt, learner: Any, examiner: Any
) -> None:
    preparation.grant_accommodation(
        learner, time_percent=100, pause_minutes=10, ends_on=None, by=examiner
    )
    candidate.post(url("start", ready_attempt))
    before = Attempt.objects.get(pk=ready_attempt.pk)
    item = candidate.get(url("item", ready_attempt, 1)).content.decode()
    ask = before.items.get(position=1).face.ask
    assert "Pause" in item

    candidate.post(url("pause", ready_attempt))
    hidden = candidate.get(url("item", ready_attempt, 1)).content.decode()
    sheets = candidate.get(url("sheets", ready_attempt)).json()
    paused = Attempt.objects.get(pk=ready_attempt.pk)
    candidate.post(url("go-on", ready_attempt))
    after = Attempt.objects.get(pk=ready_attempt.pk)

    assert "Your exam is paused" in hidden
    assert ask[:40] not in hidden
    assert sheets == {"sheets": {}}
    assert before.deadline_at
    assert paused.deadline_at
    assert after.deadline_at
    assert paused.deadline_at == before.deadline_at + timedelta(minutes=10)
    assert after.deadline_at >= before.deadline_at
    assert after.pause_allowed_s + (after.deadline_at - before.deadline_at).total_seconds() == 600


def test_nobody_pauses_without_a_grant(candidate: Client, ready_attempt: Attempt) -> None:
    candidate.post(url("start", ready_attempt))
    before = Attempt.objects.get(pk=ready_attempt.pk)

    candidate.post(url("pause", ready_attempt))

    assert Attempt.objects.get(pk=ready_attempt.pk).deadline_at == before.deadline_at
    assert ">Pause<" not in candidate.get(url("item", ready_attempt, 1)).content.decode()


# One browser ------------------------------------------------------------------------------------


def test_an_attempt_is_answered_in_one_browser_and_can_be_moved(
    candidate: Client, ready_attempt: Attempt, learner: Any
) -> None:
    candidate.post(url("start", ready_attempt))
    other = Client()
    other.force_login(learner)

    page = other.get(url("item", ready_attempt, 1)).content.decode()
    kept = send(other, ready_attempt, 1, client_id="other")
    assert "open in another browser" in page
    assert ready_attempt.items.get(position=1).face.ask[:40] not in page
    assert other.get(url("sheets", ready_attempt)).json() == {"sheets": {}}
    assert kept.status_code == 409
    assert ResponseEvent.objects.get(client_id="other").verdict == "conflict"

    other.post(url("move-here", ready_attempt))
    assert send(other, ready_attempt, 1, client_id="other", client_seq=2).status_code == 200
    assert "another browser" in candidate.get(url("item", ready_attempt, 1)).content.decode()
    candidate.post(url("hand-in", ready_attempt), {"confirm": "yes"})
    assert Attempt.objects.get(pk=ready_attempt.pk).is_running, "only who may answer hands in"


# One way through --------------------------------------------------------------------------------


def test_a_sequential_exam_leads_on_and_not_back_and_keeps_what_comes_for_an_item_left(
    client: Client, learner: Any, change_blueprint: Callable[..., None]
) -> None:
    change_blueprint(navigation="sequential")
    attempt = preparation.prepare(learner, "foundations")
    client.force_login(learner)
    client.post(url("start", attempt))

    assert client.get(url("item", attempt, 2))["Location"] == url("item", attempt, 1)
    assert "without a way back" in client.get(url("item", attempt, 1)).content.decode()
    assert client.get(url("sheets", attempt)).json() == {"sheets": {}}
    client.post(url("advance", attempt), {"to": "3"})
    assert Attempt.objects.get(pk=attempt.pk).reached == 1
    client.post(url("advance", attempt), {"to": "2"})
    assert client.get(url("item", attempt, 2)).status_code == 200
    assert client.get(url("item", attempt, 1))["Location"] == url("item", attempt, 2)
    late = send(client, attempt, 1)
    assert late.status_code == 410
    assert ResponseEvent.objects.get(attempt_item__attempt=attempt).verdict == "closed"
    assert send(client, attempt, 2).status_code == 200


# A set browser ----------------------------------------------------------------------------------


def test_the_header_belongs_to_the_address_and_to_one_of_the_keys() -> None:
    address = "https://exam.example/exams/attempts/1/items/2/"
    header = hashlib.sha256((address + KEY).encode()).hexdigest()

    def shows(**changes: Any) -> bool:
        asked = {"address": address, "header": header, "keys": ["0" * 64, KEY], **changes}
        return safe_exam_browser.shows_key(**asked)

    assert shows()
    assert shows(address=address + "#q")
    assert shows(header=header.upper())
    assert not shows(address=address + "?x=1")
    assert not shows(keys=["0" * 64])
    assert not shows(header="")
    assert not shows(header="é")


def test_an_exam_in_a_set_browser_hides_its_items_from_another_and_refuses_no_save(
    client: Client, learner: Any, change_blueprint: Callable[..., None]
) -> None:
    change_blueprint(safe_exam_browser=[KEY])
    attempt = preparation.prepare(learner, "foundations")
    client.force_login(learner)

    def shown(path: str) -> dict[str, str]:
        digest = hashlib.sha256(f"http://testserver{path}{KEY}".encode()).hexdigest()
        return {safe_exam_browser.HEADER: digest}

    start, item = url("start", attempt), url("item", attempt, 1)
    assert client.post(start).status_code == 403
    assert Attempt.objects.get(pk=attempt.pk).state == "ready"
    assert client.post(start, headers=shown(start)).status_code == 302
    refused = client.get(item)
    assert refused.status_code == 403
    assert "needs Safe Exam Browser" in refused.content.decode()
    assert client.get(item, headers=shown(start)).status_code == 403
    assert client.get(item, headers=shown(item)).status_code == 200
    # A check that fails after a reconnect must never cost an answer.
    assert send(client, attempt, 1).status_code == 200


def test_a_key_that_is_none_is_named_when_the_blueprint_is_read(
    change_blueprint: Callable[..., None],
) -> None:
    change_blueprint(safe_exam_browser=["ABC"])
    version = BlueprintVersion.objects.get(exam="foundations", is_current=True)

    with pytest.raises(Exception, match="64 hexadecimal digits"):
        _ = version.blueprint


def test_an_attempt_that_nobody_bound_to_a_browser_is_open_in_all(open_attempt: Attempt) -> None:
    assert not delivery.is_elsewhere(open_attempt, "any-session")

"""A job is a row: done once, resent when lost, kept when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from checkride.jobs import queue
from checkride.jobs.dbclock import database_now
from checkride.jobs.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_handlers() -> Iterator[None]:
    before = dict(queue._handlers)
    yield
    queue._handlers.clear()
    queue._handlers.update(before)


def test_a_job_is_done_and_keeps_its_result() -> None:
    queue.handler("test.double")(lambda payload: {"twice": payload["n"] * 2})
    job = queue.enqueue("test.double", key="a", payload={"n": 21})

    assert queue.run_pending() == 1

    job.refresh_from_db()
    assert job.result == {"twice": 42}
    assert job.done_at is not None


def test_the_same_key_is_the_same_job() -> None:
    runs = []
    queue.handler("test.count")(lambda payload: runs.append(payload) or {})
    first = queue.enqueue("test.count", key="a", payload={"n": 1})
    second = queue.enqueue("test.count", key="a", payload={"n": 2})

    queue.run_pending()

    assert first.pk == second.pk
    assert runs == [{"n": 1}]


def test_a_held_job_is_sent_only_when_its_caller_had_time_enough(
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks() as told:
        job = queue.enqueue("test.held", key="a", payload={}, hold=timedelta(minutes=1))
    assert told == []
    assert queue.sweep() == 0

    Job.objects.filter(pk=job.pk).update(due_at=database_now())
    assert queue.sweep() == 1


def test_a_held_job_that_its_caller_did_is_settled() -> None:
    queue.handler("test.held")(lambda payload: {"by": "worker"})
    job = queue.enqueue("test.held", key="a", payload={}, hold=timedelta(minutes=1))

    queue.settle("test.held", key="a", result={"by": "caller"})

    job.refresh_from_db()
    assert job.result == {"by": "caller"}
    assert queue.run_pending() == 0


def test_a_job_that_is_done_is_not_done_again() -> None:
    runs = []
    queue.handler("test.count")(lambda payload: runs.append(1) or {})
    job = queue.enqueue("test.count", key="a", payload={})

    assert queue.run(job.pk) is True
    assert queue.run(job.pk) is False
    assert runs == [1]


def test_what_a_failed_job_wrote_is_undone_and_the_job_waits_for_another_try() -> None:
    def half_done(payload: dict[str, object]) -> dict[str, object]:
        Job.objects.create(kind="test.left-behind", key="x")
        raise RuntimeError("the printer is on fire")

    queue.handler("test.fails")(half_done)
    job = queue.enqueue("test.fails", key="a", payload={})

    assert queue.run(job.pk) is False

    job.refresh_from_db()
    assert not Job.objects.filter(kind="test.left-behind").exists()
    assert job.done_at is None
    assert job.tries == 1
    assert job.due_at > database_now()
    assert job.problem == "RuntimeError: the printer is on fire"


def test_a_job_that_keeps_failing_is_given_up_and_kept() -> None:
    def fails(payload: dict[str, object]) -> dict[str, object]:
        raise RuntimeError("still on fire")

    queue.handler("test.fails")(fails)
    job = queue.enqueue("test.fails", key="a", payload={})
    for _ in range(queue.MOST_TRIES):
        queue.run(job.pk)

    job.refresh_from_db()
    assert job.gave_up_at is not None
    assert queue.run_pending() == 0


def test_a_job_nobody_does_says_so() -> None:
    job = queue.enqueue("test.unknown", key="a", payload={})

    queue.run(job.pk)

    job.refresh_from_db()
    assert "No installed app" in job.problem


def test_the_sweeper_sends_what_is_due_and_leaves_the_rest() -> None:
    due = queue.enqueue("test.x", key="due", payload={})
    later = queue.enqueue("test.x", key="later", payload={})
    Job.objects.filter(pk=due.pk).update(due_at=database_now() - timedelta(seconds=1))

    assert queue.sweep() == 1

    due.refresh_from_db()
    later.refresh_from_db()
    assert due.due_at > database_now()


def test_a_job_of_a_rolled_back_transaction_never_was() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        queue.enqueue("test.x", key="a", payload={})
        raise RuntimeError

    assert not Job.objects.exists()


def test_every_periodic_piece_of_work_has_a_name_and_a_pace() -> None:
    from checkride.jobs import periodic
    from checkride.jobs.tasks import resend_jobs

    names = {entry.name: entry.seconds for entry in periodic.all_periodic()}
    assert names["checkride.jobs.tasks.resend_jobs"] == 5
    assert periodic.named("checkride.jobs.tasks.resend_jobs").work is resend_jobs

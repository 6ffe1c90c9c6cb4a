"""Enqueue, run and resend jobs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q

from checkride.jobs.dbclock import database_now
from checkride.jobs.models import Job

Payload = dict[str, Any]
Handler = Callable[[Payload], Payload]

MOST_TRIES = 12
# A message that got lost is sent again after this long; a first failure waits as long.
RESEND_AFTER = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=30)

log = structlog.get_logger(__name__)
_handlers: dict[str, Handler] = {}


class UnknownJob(Exception):
    """A job names work that no installed app does."""


def handler(kind: str) -> Callable[[Handler], Handler]:
    """Register the function that does jobs of `kind`. It may be called twice for one job."""

    def register(function: Handler) -> Handler:
        _handlers[kind] = function
        return function

    return register


def handled_kinds() -> frozenset[str]:
    return frozenset(_handlers)


def enqueue(kind: str, *, key: str, payload: Payload, hold: timedelta | None = None) -> Job:
    """Insert the job in the caller's transaction and tell a worker once that is committed.

    The same kind and key is the same job: a second call changes nothing. With `hold` no worker
    is told before that time has passed: the caller means to do the work at once and to `settle`
    the job, and a worker takes over only if the caller could not.
    """
    due_at = database_now() + (hold or RESEND_AFTER)
    job, made = Job.objects.get_or_create(
        kind=kind, key=key, defaults={"payload": payload, "due_at": due_at}
    )
    if made and hold is None:
        transaction.on_commit(lambda: _tell_worker(job.pk))
    return job


@transaction.atomic
def settle(kind: str, *, key: str, result: Payload) -> None:
    """Mark a held job done by its caller. A worker that already has it in hand finishes it."""
    job = (
        Job.objects.select_for_update(skip_locked=True)
        .filter(kind=kind, key=key, done_at__isnull=True, gave_up_at__isnull=True)
        .first()
    )
    if job is not None:
        job.result, job.done_at = result, database_now()
        job.save(update_fields=["result", "done_at"])


def _tell_worker(job_id: int) -> None:
    from checkride.jobs.tasks import run_job

    try:
        run_job.apply_async((job_id,), retry=False)
    except (
        Exception
    ) as problem:  # whatever the broker's client raises: the row waits for the sweeper
        log.warning("jobs.broker_away", job=job_id, problem=repr(problem))


@transaction.atomic
def run(job_id: int) -> bool:
    """Do one job if it still waits; True when it was done here.

    The row is locked while the handler runs, so two workers never do one job at the same time,
    and everything the handler writes commits with `done_at` or not at all.
    """
    job = (
        Job.objects.select_for_update(skip_locked=True)
        .filter(pk=job_id, done_at__isnull=True, gave_up_at__isnull=True)
        .first()
    )
    if job is None:
        return False
    job.tries += 1
    try:
        if job.kind not in _handlers:
            raise UnknownJob(f"No installed app does jobs of kind “{job.kind}”.")
        with transaction.atomic():
            job.result = _handlers[job.kind](job.payload)
    except Exception as problem:
        now = database_now()
        job.problem = f"{type(problem).__name__}: {problem}"[:2000]
        job.due_at = now + min(RESEND_AFTER * 2 ** min(job.tries - 1, 12), LONGEST_WAIT)
        if job.tries >= MOST_TRIES:
            job.gave_up_at = now
        job.save()
        log.exception("jobs.failed", job=job.pk, kind=job.kind, key=job.key, tries=job.tries)
        return False
    job.done_at = database_now()
    job.problem = ""
    job.save()
    log.info("jobs.done", job=job.pk, kind=job.kind, key=job.key, tries=job.tries)
    return True


def sweep(limit: int = 200) -> int:
    """Send the jobs that are due to the workers again; the number sent.

    Each is put off by the resend time, so that a slow worker is not flooded with one job.
    """
    with transaction.atomic():
        now = database_now()
        waiting = list(
            Job.objects.select_for_update(skip_locked=True)
            .filter(_waiting(), due_at__lte=now)
            .order_by("due_at")[:limit]
        )
        for job in waiting:
            job.due_at = now + RESEND_AFTER
        Job.objects.bulk_update(waiting, ["due_at"])
    for job in waiting:
        _tell_worker(job.pk)
    return len(waiting)


def run_pending() -> int:
    """Do every waiting job in this process, also those enqueued on the way; the number done."""
    done = 0
    tried: set[int] = set()
    while True:
        waiting = Job.objects.filter(_waiting()).exclude(pk__in=tried).order_by("id")
        job_id = waiting.values_list("pk", flat=True).first()
        if job_id is None:
            return done
        tried.add(job_id)
        done += run(job_id)


def oldest_wait_s() -> float:
    """How long the job that has waited longest has been due, in seconds; 0 when none waits."""
    now = database_now()
    oldest = (
        Job.objects.filter(_waiting())
        .order_by("created_at")
        .values_list("created_at", flat=True)
        .first()
    )
    return (now - oldest).total_seconds() if oldest else 0.0


def _waiting() -> Q:
    return Q(done_at__isnull=True, gave_up_at__isnull=True)

"""The Celery tasks: run one job, do one periodic piece of work, sweep."""

from __future__ import annotations

from celery import shared_task

from checkride.jobs import periodic, queue


@shared_task(name="checkride.jobs.run")
def run_job(job_id: int) -> None:
    queue.run(job_id)


@shared_task(name="checkride.jobs.periodic")
def run_periodic(name: str) -> None:
    periodic.named(name).work()


@periodic.every(5)
def resend_jobs() -> None:
    queue.sweep()

"""The Celery application: `celery -A checkride`."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "checkride.settings")

app = Celery("checkride")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """Connected so that Celery leaves the logging of settings.py alone."""


@app.on_after_finalize.connect
def _schedule(sender: Celery, **_: Any) -> None:
    from checkride.jobs.periodic import all_periodic
    from checkride.jobs.tasks import run_periodic

    for entry in all_periodic():
        sender.add_periodic_task(
            entry.seconds,
            run_periodic.s(entry.name),
            name=entry.name,
            expires=max(entry.seconds, 1),
        )

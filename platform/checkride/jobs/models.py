"""The job table."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint

from checkride.lib import clock


class Job(models.Model):
    """One piece of work, unique by kind and key. It is done when `done_at` is set.

    `due_at` is when it may be tried (again). A job that failed `MOST_TRIES` times gets `gave_up_at`
    and stays for a person to look at.
    """

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=200)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField(default=clock.now)
    tries = models.PositiveIntegerField(default=0)
    done_at = models.DateTimeField(null=True, blank=True)
    gave_up_at = models.DateTimeField(null=True, blank=True)
    result = models.JSONField(null=True, blank=True)
    problem = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["kind", "key"], name="one_job_per_kind_and_key"),
            CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(gave_up_at__isnull=True),
                name="a_job_is_done_or_given_up",
            ),
        ]
        indexes: ClassVar = [
            Index(
                fields=["due_at"],
                name="jobs_waiting",
                condition=Q(done_at__isnull=True, gave_up_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"

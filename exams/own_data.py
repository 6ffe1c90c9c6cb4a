"""What the exams app holds about a person: export it, erase it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import connection

from checkride.accounts.models import User
from checkride.accounts.personal_data import as_json
from exams.models import (
    Accommodation,
    Appeal,
    Attempt,
    Rating,
    Rehearsal,
    Response,
    ResponseEvent,
    TaskRun,
)
from exams.scoring.responses import in_words


def export(user: User) -> Mapping[str, bytes]:
    """Attempts, every save and every result. Answers are named as on the receipt, by letter and
    number, because the items themselves stay secret."""
    return {
        "attempts.json": as_json([_attempt(attempt) for attempt in _attempts(user)]),
        "accommodations.json": as_json(
            list(
                Accommodation.objects.filter(candidate=user).values(
                    "time_percent", "pause_minutes", "granted_at", "ends_on"
                )
            )
        ),
        "appeals.json": as_json(
            list(
                Appeal.objects.filter(attempt__candidate=user).values(
                    "attempt", "reason", "made_at", "outcome", "decision", "decided_at"
                )
            )
        ),
        "rehearsal.json": as_json(
            list(
                Rehearsal.objects.filter(candidate=user).values(
                    "started_at", "saves", "saved_at", "reconnected_at", "read_out_at"
                )
            )
        ),
    }


def erase(user: User, at: datetime) -> None:
    """Delete what the person typed and cut the scores loose from the person.

    Points per item stay as statistics of the items; nothing in them leads back to anybody.
    """
    attempts = Attempt.objects.filter(candidate=user)
    # A save that is being written finishes first, so that nothing is stored behind our back.
    list(attempts.select_for_update().order_by("pk"))
    TaskRun.objects.filter(attempt_item__attempt__candidate=user).delete()
    Rating.objects.filter(attempt_item__attempt__candidate=user).delete()
    Appeal.objects.filter(attempt__candidate=user).delete()
    Response.objects.filter(attempt_item__attempt__candidate=user).delete()
    with connection.cursor() as cursor:
        # The trigger on the log of saves lets nothing else delete a row.
        cursor.execute("SET LOCAL checkride.erasing = 'on'")
        ResponseEvent.objects.filter(attempt_item__attempt__candidate=user).delete()
        cursor.execute("SET LOCAL checkride.erasing = 'off'")
    # Without answers an attempt that is not scored yet could only be scored as empty.
    attempts.filter(current_grade=None).delete()
    Accommodation.objects.filter(candidate=user).delete()
    Rehearsal.objects.filter(candidate=user).delete()
    attempts.update(candidate=None)


def _attempts(user: User) -> list[Attempt]:
    return list(
        Attempt.objects.filter(candidate=user)
        .select_related("result__grade_run")
        .order_by("prepared_at")
    )


def _attempt(attempt: Attempt) -> dict[str, object]:
    result = getattr(attempt, "result", None)
    return {
        "id": attempt.pk,
        "exam": attempt.exam,
        "form": attempt.form_code,
        "state": attempt.state,
        "prepared_at": attempt.prepared_at,
        "started_at": attempt.started_at,
        "deadline_at": attempt.deadline_at,
        "closed_at": attempt.closed_at,
        "closed_by": attempt.closed_by,
        "result": None
        if result is None
        else {
            "right": result.grade_run.correct,
            "of": result.grade_run.of,
            "passed": result.grade_run.passed,
            "released_at": result.released_at,
        },
        "saves": [
            {
                "item": event.attempt_item.position,
                "answer": in_words(event.attempt_item.face, event.payload),
                "revision": event.rev,
                "received_at": event.received_at,
                "verdict": event.verdict,
                "sha256": event.payload_sha256,
            }
            for event in ResponseEvent.objects.filter(attempt_item__attempt=attempt)
            .select_related("attempt_item__item_version")
            .order_by("id")
        ],
    }

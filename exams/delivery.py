"""Deliver an attempt: start it, keep what is typed, close it.

Every change locks the attempt first and nothing else, so two requests can wait for each other but
never for ever. The database is the clock: a moment of receipt is its clock minus the time this
machine has spent on the request, both taken in one statement.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.db import connection, transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, OuterRef, Subquery, Value

from checkride import audit
from checkride.accounts.models import User
from checkride.jobs.dbclock import DatabaseNow, database_now
from checkride.jobs.queue import enqueue
from checkride.lib.canonical import digest
from checkride.lib.errors import DomainError
from exams import results, save_protocol
from exams.models import (
    Attempt,
    AttemptItem,
    Extension,
    GradeRun,
    Incident,
    Response,
    ResponseEvent,
)
from exams.scoring.responses import check_payload, completeness

SWEEP_AT_ONCE = 200
MAX_EXTENSION_MINUTES = 240


class BadExtension(DomainError):
    code = "bad-extension"
    sentence = "Give 1 to {most} minutes and a reason of up to 300 characters. Nothing was changed."


class Arrival:
    """When a request arrived, told by the database.

    `seconds_ago` is asked again for each statement, because waiting for a lock takes time too.
    """

    def __init__(self, seconds_ago: Callable[[], float]) -> None:
        self._seconds_ago = seconds_ago

    def column(self) -> ExpressionWrapper[Any]:
        """The moment of receipt as a column of a query. The query must not lock: a row that was
        waited for is computed again after the wait, with a number of seconds from before it."""
        ago = Value(timedelta(seconds=self._seconds_ago()))
        return ExpressionWrapper(DatabaseNow() - ago, output_field=DateTimeField())

    def now(self, received_at: datetime) -> datetime:
        """The database's time now, given its time at the receipt."""
        return received_at + timedelta(seconds=self._seconds_ago())

    def received_at(self) -> datetime:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT clock_timestamp() - make_interval(secs => %s)", [self._seconds_ago()]
            )
            (moment,) = cursor.fetchone()
        received_at: datetime = moment
        return received_at


@dataclass(frozen=True, slots=True)
class Save:
    """One save as a client sends it; client id and sequence number name it for ever."""

    client_id: str
    client_seq: int
    base_rev: int
    payload: Any


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a save.

    `payload` is what this save carried and `rev` the revision it became, or that it met;
    `current_rev` and `current` are what counts now, and `answered` says that it is complete.
    `payload_sha256` is over the canonical form of `payload`: only who sees the hash of what was
    typed may say “saved”.
    """

    verdict: save_protocol.SaveVerdict
    rev: int
    payload: dict[str, Any]
    payload_sha256: str
    current_rev: int
    current: dict[str, Any]
    answered: bool
    received_at: datetime
    server_now: datetime
    remaining_ms: int
    closed: bool


def session_digest(session_key: str | None) -> str:
    """What an attempt remembers of the session that may answer; empty for none."""
    return hashlib.sha256(session_key.encode()).hexdigest() if session_key else ""


def start(attempt: Attempt, *, session_key: str | None = None) -> Attempt:
    """Start the clock with one UPDATE; pressing Start twice starts it once. Only the session that
    starts it may answer, until `move_here`.

    The deadline is on a full second, rounded up.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE exams_attempt
               SET state = 'in_progress',
                   started_at = clock.now,
                   deadline_at = date_trunc('second', clock.now + interval '999999 microseconds')
                                 + make_interval(secs => time_allowed_s),
                   session_digest = %s,
                   lock_version = lock_version + 1
              FROM (SELECT clock_timestamp() AS now) AS clock
             WHERE id = %s AND state = 'ready'
            """,
            [session_digest(session_key), attempt.pk],
        )
    attempt.refresh_from_db()
    return attempt


@transaction.atomic
def move_here(attempt_id: UUID, *, session_key: str, by: User) -> None:
    """Let another session answer from now on. What the first one still sends is kept beside."""
    attempt = Attempt.objects.select_for_update().get(pk=attempt_id)
    digest_here = session_digest(session_key)
    if not attempt.is_running or attempt.session_digest == digest_here:
        return
    attempt.session_digest = digest_here
    attempt.lock_version += 1
    attempt.save(update_fields=["session_digest", "lock_version"])
    audit.record(by, "attempt.moved", attempt, at=database_now())


@transaction.atomic
def pause(attempt_id: UUID, *, by: User) -> None:
    """Stop the clock for what is left of the granted pauses; without any nothing happens."""
    attempt = Attempt.objects.select_for_update().get(pk=attempt_id)
    now = database_now()
    if not attempt.is_running or not attempt.pause_allowed_s or attempt.is_paused(at=now):
        return
    granted_s = attempt.pause_allowed_s
    clock = save_protocol.pause(attempt.clock, at=now, seconds=granted_s)
    _store_pause(attempt, clock, left_s=0)
    audit.record(by, "attempt.paused", attempt, at=now, facts={"at_most_s": granted_s})


@transaction.atomic
def go_on(attempt_id: UUID, *, by: User) -> None:
    """End a pause; what was not used of it can be used later."""
    attempt = Attempt.objects.select_for_update().get(pk=attempt_id)
    now = database_now()
    if not attempt.is_paused(at=now):
        return
    clock, left_s = save_protocol.go_on(attempt.clock, at=now)
    _store_pause(attempt, clock, left_s=left_s)
    audit.record(by, "attempt.resumed", attempt, at=now, facts={"left_s": left_s})


def _store_pause(attempt: Attempt, clock: save_protocol.Clock, *, left_s: int) -> None:
    attempt.deadline_at, attempt.paused_until = clock.deadline_at, clock.paused_until
    attempt.pause_allowed_s = left_s
    attempt.lock_version += 1
    attempt.save(update_fields=["deadline_at", "paused_until", "pause_allowed_s", "lock_version"])


@transaction.atomic
def advance(attempt_id: UUID, *, to: int) -> None:
    """Leave the item before `to` for good, in an exam that does not lead back."""
    attempt = Attempt.objects.select_for_update().get(pk=attempt_id)
    if attempt.is_running and attempt.is_sequential and to == attempt.reached + 1:
        attempt.reached = to
        attempt.lock_version += 1
        attempt.save(update_fields=["reached", "lock_version"])


@transaction.atomic
def save_response(
    attempt_id: UUID,
    position: int,
    save: Save,
    *,
    arrival: Arrival,
    candidate: User | None = None,
    session_key: str | None = None,
) -> Receipt:
    """Keep a save and say whether it counts.

    Every save is stored, also one that conflicts or comes late. The same save sent again gets the
    stored answer. With `candidate`, an attempt of somebody else does not exist; with
    `session_key`, a save from another session than the one that may answer is kept beside. Four statements
    for a new save: saving is what the whole site does most in an exam.

    Raises `Attempt.DoesNotExist`, `AttemptItem.DoesNotExist`, and `NotStarted` and `BadResponse`,
    in which case there was nothing to keep.
    """
    whose = {} if candidate is None else {"candidate": candidate}
    attempt = Attempt.objects.select_for_update().get(pk=attempt_id, **whose)
    sent_before = ResponseEvent.objects.filter(
        attempt_item=OuterRef("pk"), client_id=save.client_id, client_seq=save.client_seq
    )
    item = (
        AttemptItem.objects.select_related("item_version", "response__event")
        .annotate(event_id=Subquery(sent_before.values("pk")[:1]), received_at=arrival.column())
        .get(attempt=attempt, position=position)
    )
    stored: Response | None = getattr(item, "response", None)
    if item.event_id is not None:
        event = ResponseEvent.objects.get(pk=item.event_id)
    else:
        payload = check_payload(item.face, save.payload)
        clock = attempt.clock
        rev = stored.rev if stored else 0
        verdict = save_protocol.judge_save(
            clock,
            received_at=item.received_at,
            base_rev=save.base_rev,
            rev=rev,
            follows_own=stored is not None
            and stored.event.client_id == save.client_id
            and stored.event.client_seq < save.client_seq,
            is_elsewhere=is_elsewhere(attempt, session_key),
            is_left=attempt.is_sequential and position != attempt.reached,
        )
        event = ResponseEvent.objects.create(
            attempt_item=item,
            client_id=save.client_id,
            client_seq=save.client_seq,
            base_rev=save.base_rev,
            rev=rev + 1 if verdict == "accepted" else rev,
            payload=payload,
            payload_sha256=digest(payload),
            received_at=item.received_at,
            counts_until=clock.counts_until,
            verdict=verdict,
        )
        if verdict == "accepted":
            stored = stored or Response(attempt_item=item)
            stored.rev, stored.event = event.rev, event
            stored.save()
            if attempt.is_closed:
                # It was received in time and only written late, so it counts.
                _ask_for_grade(attempt, GradeRun.Reason.LATE_ARRIVAL)
    now = arrival.now(item.received_at)
    current = stored.payload if stored else {}
    return Receipt(
        verdict=cast(save_protocol.SaveVerdict, event.verdict),
        rev=event.rev,
        payload=event.payload,
        payload_sha256=event.payload_sha256,
        current_rev=stored.rev if stored else 0,
        current=current,
        answered=completeness(item.face, current) == "complete",
        received_at=event.received_at,
        server_now=now,
        remaining_ms=0 if attempt.is_closed else attempt.remaining_ms(at=now),
        closed=attempt.is_closed,
    )


def is_elsewhere(attempt: Attempt, session_key: str | None) -> bool:
    """Whether the attempt is open in another session than this one."""
    known = attempt.session_digest
    return bool(known and session_key) and known != session_digest(session_key)


def note_seen(item: AttemptItem) -> None:
    """Remember that the candidate has had this item on the screen."""
    if item.first_seen_at is None and item.attempt.is_running:
        AttemptItem.objects.filter(pk=item.pk, first_seen_at__isnull=True).update(
            first_seen_at=DatabaseNow()
        )


def flag(item: AttemptItem, *, flagged: bool) -> None:
    """Mark an item for a second look; it has no influence on the score."""
    if item.attempt.is_running:
        AttemptItem.objects.filter(pk=item.pk).update(is_flagged=flagged)


@transaction.atomic
def hand_in(attempt_id: UUID, *, arrival: Arrival) -> Attempt:
    """Close an attempt by hand. Handing in twice closes it once."""
    attempt = Attempt.objects.select_for_update().get(pk=attempt_id)
    if attempt.is_closed:
        return attempt
    clock = save_protocol.hand_in(attempt.clock, received_at=arrival.received_at())
    _close(attempt, clock)
    return attempt


def close_if_overdue(attempt: Attempt, *, at: datetime | None = None) -> Attempt:
    """Close an attempt whose time is over, for a page that cannot wait for the sweeper.

    `at` is the database's time, where the caller has read it already.
    """
    if not save_protocol.is_overdue(attempt.clock, at=at or database_now()):
        return attempt
    with transaction.atomic():
        locked = Attempt.objects.select_for_update().get(pk=attempt.pk)
        # Asked again under the lock: an examiner may have added time in between.
        if save_protocol.is_overdue(locked.clock, at=database_now()):
            _close(locked, save_protocol.close_overdue(locked.clock))
    attempt.refresh_from_db()
    return attempt


@transaction.atomic
def close_overdue_attempts() -> int:
    """Close every attempt whose deadline and grace are over; the number closed.

    Attempts locked by somebody else are left for the next sweep, so that several workers can
    sweep at once and a save that is being written is never waited for.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM exams_attempt
             WHERE state = 'in_progress'
               AND deadline_at + make_interval(secs => grace_s) < clock_timestamp()
             ORDER BY deadline_at
             LIMIT %s
               FOR UPDATE SKIP LOCKED
            """,
            [SWEEP_AT_ONCE],
        )
        overdue = [row[0] for row in cursor.fetchall()]
    for attempt in Attempt.objects.filter(pk__in=overdue):
        _close(attempt, save_protocol.close_overdue(attempt.clock))
    return len(overdue)


@transaction.atomic
def extend(attempt_id: UUID, *, minutes: int, reason: str, by: User) -> Extension:
    """Add minutes to a running attempt, with a reason and an audit row.

    Raises `NotRunning` once it is closed, `BadExtension` for a wrong number or no reason.
    """
    reason = " ".join(reason.split())
    if not 1 <= minutes <= MAX_EXTENSION_MINUTES or not 0 < len(reason) <= 300:
        raise BadExtension(most=MAX_EXTENSION_MINUTES)
    attempt = Attempt.objects.select_for_update().get(pk=attempt_id)
    clock = save_protocol.extend(attempt.clock, seconds=minutes * 60)
    now = database_now()
    extension = Extension.objects.create(
        attempt=attempt, seconds=minutes * 60, reason=reason, granted_by=by, granted_at=now
    )
    attempt.deadline_at = clock.deadline_at
    attempt.lock_version += 1
    attempt.save(update_fields=["deadline_at", "lock_version"])
    audit.record(
        by,
        "attempt.extended",
        attempt,
        at=now,
        facts={"seconds": extension.seconds, "reason": reason},
    )
    return extension


@transaction.atomic
def declare_incident(*, minutes: int, what: str, by: User) -> Incident:
    """Give minutes to every running attempt at once, signed, with one extension row each.

    Raises `BadExtension` for a wrong number or without saying what happened.
    """
    what = " ".join(what.split())
    if not 1 <= minutes <= MAX_EXTENSION_MINUTES or not 0 < len(what) <= 300:
        raise BadExtension(most=MAX_EXTENSION_MINUTES)
    now = database_now()
    # In the order of their ids, as everything that locks several attempts does.
    running = list(
        Attempt.objects.select_for_update()
        .filter(state=Attempt.State.IN_PROGRESS)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    incident = Incident.objects.create(
        seconds=minutes * 60, what=what, attempts=len(running), declared_by=by, declared_at=now
    )
    Extension.objects.bulk_create(
        Extension(
            attempt_id=pk, seconds=incident.seconds, reason=what, granted_by=by, granted_at=now
        )
        for pk in running
    )
    Attempt.objects.filter(pk__in=running).update(
        deadline_at=F("deadline_at") + timedelta(seconds=incident.seconds),
        lock_version=F("lock_version") + 1,
    )
    audit.record(
        by,
        "incident.declared",
        incident,
        at=now,
        facts={"seconds": incident.seconds, "what": what, "attempts": len(running)},
    )
    return incident


def _close(attempt: Attempt, clock: save_protocol.Clock) -> None:
    attempt.state = clock.state
    attempt.closed_at = clock.closed_at
    attempt.closed_by = clock.closed_by
    attempt.lock_version += 1
    attempt.save(update_fields=["state", "closed_at", "closed_by", "lock_version"])
    _ask_for_grade(attempt, GradeRun.Reason.CLOSED)


def _ask_for_grade(attempt: Attempt, reason: GradeRun.Reason) -> None:
    latest = (
        ResponseEvent.objects.filter(attempt_item__attempt=attempt)
        .order_by("-id")
        .values_list("id", flat=True)
        .first()
    )
    # One job per state of the answers: asking again for the same state asks for the same job.
    enqueue(
        results.GRADE_JOB,
        key=f"{attempt.pk}:{latest or 0}",
        payload={"attempt": str(attempt.pk), "reason": reason.value},
    )

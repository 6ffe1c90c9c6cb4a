"""The rehearsal before an exam: does saving work here, does it survive a cut, is the time read out?

It runs on the page of the exam, with the exam's own script and the same verdicts on saves; only the
rows are others, because nothing of a rehearsal is scored.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from django.db import transaction

from checkride.accounts.models import User
from checkride.jobs.dbclock import database_now
from checkride.lib.canonical import digest
from exams import delivery, preparation, save_protocol
from exams.models import Rehearsal
from exams.scoring.items import Choice, Face
from exams.scoring.responses import BadResponse, check_payload, completeness

SECONDS = 90
MOST_SAVES = 200
Step = Literal["reconnected", "read-out"]

FACE = Face(
    kind="single",
    context="This item is not scored. It is here to be answered, changed and answered again.",
    ask="Which of these will you choose first?",
    instruction="one answer",
    log=(),
    choices=(
        Choice("a", "This one, to see it saved"),
        Choice("b", "This one, while the connection is cut"),
        Choice("c", "This one, for a last try"),
    ),
    left=(),
    unit="",
    choose=1,
)


@transaction.atomic
def begin(user: User) -> Rehearsal:
    """A new rehearsal; the one before is forgotten. Granted time counts here as in the exam."""
    now = database_now()
    Rehearsal.objects.filter(candidate=user).delete()
    allowed = preparation.with_more_time(user, SECONDS, on=now.date())
    return Rehearsal.objects.create(
        candidate=user,
        started_at=now,
        deadline_at=save_protocol.deadline(at=now, allowed_s=allowed),
        time_allowed_s=allowed,
    )


@transaction.atomic
def save(
    rehearsal_id: UUID, save: delivery.Save, *, arrival: delivery.Arrival, candidate: User
) -> delivery.Receipt:
    """Keep a save and answer as the exam would. Raises `Rehearsal.DoesNotExist`, `BadResponse`."""
    row = Rehearsal.objects.select_for_update().get(pk=rehearsal_id, candidate=candidate)
    received_at = arrival.received_at()
    accepted = [one for one in row.saves if one["verdict"] == "accepted"]
    newest = accepted[-1] if accepted else None
    rev = newest["rev"] if newest else 0
    kept = next((one for one in row.saves if one["key"] == [save.client_id, save.client_seq]), None)
    if kept is None:
        if len(row.saves) >= MOST_SAVES:
            raise BadResponse(problem="a rehearsal keeps 200 saves")
        payload = check_payload(FACE, save.payload)
        verdict = save_protocol.judge_save(
            row.clock,
            received_at=received_at,
            base_rev=save.base_rev,
            rev=rev,
            follows_own=newest is not None
            and newest["key"][0] == save.client_id
            and newest["key"][1] < save.client_seq,
        )
        kept = {
            "key": [save.client_id, save.client_seq],
            "verdict": verdict,
            "rev": rev + 1 if verdict == "accepted" else rev,
            "payload": payload,
            "sha256": digest(payload),
        }
        row.saves.append(kept)
        if verdict == "accepted":
            newest = kept
            row.saved_at = row.saved_at or received_at
        row.save(update_fields=["saves", "saved_at"])
    now = arrival.now(received_at)
    current = newest["payload"] if newest else {}
    return delivery.Receipt(
        verdict=kept["verdict"],
        rev=kept["rev"],
        payload=kept["payload"],
        payload_sha256=kept["sha256"],
        current_rev=newest["rev"] if newest else 0,
        current=current,
        answered=completeness(FACE, current) == "complete",
        received_at=received_at,
        server_now=now,
        remaining_ms=row.remaining_ms(at=now),
        closed=False,
    )


@transaction.atomic
def prove(row: Rehearsal, step: Step) -> None:
    """Note that a step worked. A connection was survived only by a save that arrived after it."""
    row = Rehearsal.objects.select_for_update().get(pk=row.pk)
    now = database_now()
    if step == "read-out":
        row.read_out_at = row.read_out_at or now
    elif len(row.saves) >= 2:
        row.reconnected_at = row.reconnected_at or now
    row.save(update_fields=["read_out_at", "reconnected_at"])


def finish(row: Rehearsal) -> None:
    Rehearsal.objects.filter(pk=row.pk, finished_at=None).update(finished_at=database_now())

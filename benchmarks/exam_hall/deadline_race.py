"""Candidates save across the deadline while the web host's clock is right, 2 h fast and 2 h slow.

    SECONDS=12 CLIENTS=24 python -m benchmarks.exam_hall.deadline_race

The grace is 0 here, so that “after the deadline” is meant to the microsecond. The clock of the web
process is set by libfaketime and *read back* from the `Date` of its answers. What counts as late is
judged twice: by the rows, and by a clock of our own, the monotonic one of this process, tied to the
database's by a query whose duration bounds the error.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from benchmarks.exam_hall.candidate import Candidate, Seat, seats_from, some_answer
from benchmarks.exam_hall.installation import Installation, faketime_library

ARMS = {"right": "", "two hours fast": "+2h", "two hours slow": "-2h"}
EXPECTED_H = {"right": 0, "two hours fast": 2, "two hours slow": -2}
AFTER_S = 3.0


@dataclass(frozen=True, slots=True)
class Sent:
    """One save: when it was sent and answered on our monotonic clock, and with what status."""

    began: float
    ended: float
    status: int
    key: tuple[str, str, int]


class Racer(threading.Thread):
    """Saves without a pause until some seconds after its attempt's deadline."""

    def __init__(self, seat: Seat, port: int, end: float) -> None:
        super().__init__(daemon=True)
        self._seat, self._candidate, self._end = seat, Candidate(seat, port), end
        self.sent: list[Sent] = []
        self.dates: list[str] = []

    def run(self) -> None:
        chance = random.Random(self._seat.attempt)
        rev, seq = 0, 0
        while time.monotonic() < self._end:
            seq += 1
            save = {
                "client_id": "racer",
                "client_seq": seq,
                "base_rev": rev,
                "payload": some_answer(self._seat, 1, seq, chance),
            }
            began = time.monotonic()
            reply = self._candidate.save(1, save)
            key = (self._seat.attempt, "racer", seq)
            self.sent.append(Sent(began, time.monotonic(), reply.status, key))
            self.dates.append(reply.date)
            if reply.status == 200:
                rev = int(reply.body["rev"])


@dataclass(frozen=True, slots=True)
class Outcome:
    accepted: int
    refused: int
    other: int
    after_deadline: int
    unfair: int
    missing: int
    last_ms: float
    skew_h: float


def race(hall: Installation, seats: list[Seat]) -> Outcome:
    """One arm: start every seat, save across the deadlines, judge."""
    for seat in seats:
        if Candidate(seat, hall.port).start().status != 302:
            raise RuntimeError("an attempt could not be started")
    attempts = [seat.attempt for seat in seats]
    with hall.database() as connection:
        before = time.monotonic()
        row = connection.execute(
            "SELECT clock_timestamp(), max(deadline_at) FROM exams_attempt WHERE id::text = ANY(%s)",
            [attempts],
        ).fetchone()
        after = time.monotonic()
        deadlines = dict(
            connection.execute(
                "SELECT id::text, deadline_at FROM exams_attempt WHERE id::text = ANY(%s)",
                [attempts],
            ).fetchall()
        )
    assert row is not None
    # The database's clock read lies between the two moments; the earliest and latest it may be.
    tied_at, last_deadline = row
    last = after + (last_deadline - tied_at).total_seconds()
    racers = [Racer(seat, hall.port, last + AFTER_S) for seat in seats]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()

    with hall.database() as connection:
        stored = {
            (attempt, client, seq): (verdict, received_at)
            for attempt, client, seq, verdict, received_at in connection.execute(
                """
                SELECT item.attempt_id::text, client_id, client_seq, verdict, received_at
                  FROM exams_responseevent event
                  JOIN exams_attemptitem item ON item.id = event.attempt_item_id
                 WHERE item.attempt_id::text = ANY(%s)
                """,
                [attempts],
            )
        }
    sent = [one for racer in racers for one in racer.sent]
    late_rows = sum(
        verdict == "accepted" and received_at > deadlines[key[0]]
        for key, (verdict, received_at) in stored.items()
    )
    # Sent when the deadline had surely passed, and accepted all the same.
    late_by_our_clock = sum(
        one.status == 200 and one.began > after + (deadlines[one.key[0]] - tied_at).total_seconds()
        for one in sent
    )
    unfair = sum(
        one.status == 410 and one.ended < before + (deadlines[one.key[0]] - tied_at).total_seconds()
        for one in sent
    )
    gaps = [
        (received_at - deadlines[key[0]]).total_seconds()
        for key, (verdict, received_at) in stored.items()
        if verdict == "accepted"
    ]
    skews = [
        (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds() / 3600
        for racer in racers
        for date in racer.dates[-1:]
        if date
    ]
    statuses = Counter(one.status for one in sent)
    return Outcome(
        accepted=statuses[200],
        refused=statuses[410],
        other=len(sent) - statuses[200] - statuses[410],
        after_deadline=late_rows + late_by_our_clock,
        unfair=unfair,
        missing=sum(one.status in (200, 410) and one.key not in stored for one in sent),
        last_ms=1000 * max(gaps, default=0.0),
        skew_h=sum(skews) / max(1, len(skews)),
    )


def main() -> int:
    seconds = int(os.environ.get("SECONDS") or 12)
    clients = int(os.environ.get("CLIENTS") or 24)
    bad = 0
    total: Counter[str] = Counter()
    with Installation(parts=("postgres", "redis", "web", "worker"), threads=12) as hall:
        asked = ["--count", str(clients * len(ARMS)), "--seconds", str(seconds), "--grace", "0"]
        seats = seats_from(hall.run("-m", "benchmarks.exam_hall.seats", *asked))
        for number, (arm, clock) in enumerate(ARMS.items()):
            if clock and faketime_library() is None:
                print(f"clock {arm}: not run, libfaketime is not installed (Debian: faketime)")
                bad += 1
                continue
            hall.restart_web(clock)
            found = race(hall, seats[number * clients : (number + 1) * clients])
            wrong_clock = abs(found.skew_h - EXPECTED_H[arm]) > 0.1
            print(
                f"clock {arm} (read back: {found.skew_h:+.2f} h): accepted {found.accepted}, "
                f"refused as late {found.refused}, other {found.other}, last accepted "
                f"{found.last_ms:+.1f} ms from the deadline, refused too early {found.unfair}, "
                f"acknowledged and missing {found.missing}",
                flush=True,
            )
            total.update(accepted=found.accepted, refused=found.refused)
            total.update(after=found.after_deadline)
            bad += found.after_deadline + found.unfair + found.missing + wrong_clock
            bad += not (found.accepted and found.refused)
    print(
        f"accepted {total['accepted']} refused {total['refused']} "
        f"after-the-deadline {total['after']}"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

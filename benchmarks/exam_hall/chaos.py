"""`make chaos`: candidates save while parts of the product are killed, then every promise is checked.

    SECONDS=300 CLIENTS=20 SEED=1 SYNCHRONOUS_COMMIT=on python -m benchmarks.exam_hall.chaos

Candidates start an attempt, save without pause, send saves twice, send some from a tab that knows
less, hand in, and sit the next attempt. They note what the server acknowledged and go on only when
it has. Meanwhile web, web workers, the job worker, Redis, single back ends of the database and the
whole database are ended with `kill -9` in random order. At the end each note is compared with the
rows of the database, read with SQL and not with the product's code.

    lost     acknowledged, and not there as acknowledged (saves, starts, hand-ins, results)
    stale    the answer that counts is not the last one acknowledged
    doubled  one save counted twice, or one attempt with two results

The last line reads `acknowledged N kills K lost 0 stale 0 doubled 0`; the status is 1 if any of the
three is not 0. With SYNCHRONOUS_COMMIT=off the database promises nothing, and the harness has to
see that: it is the proof that it can.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.exam_hall.candidate import Candidate, Reply, Seat, seats_from, some_answer
from benchmarks.exam_hall.installation import Fault, Installation, Kill

FAULTS: tuple[Fault, ...] = ("web", "web-worker", "worker", "redis", "backend", "postgres")
SITTING_S = 20
GRADES_WAIT_S = 240
# A candidate who is not answered this long in all has met a fault that does not heal.
GIVE_UP_S = 400
RETRY_S = 0.05


class NotHealed(Exception):
    """A request was not answered as it should although every part is up again."""


@dataclass(frozen=True, slots=True)
class Note:
    """One acknowledged save: `rev` is the revision it became, or met if it was a conflict."""

    attempt: str
    position: int
    client: str
    seq: int
    verdict: str
    rev: int
    sha256: str
    typed: str


@dataclass(slots=True)
class Notes:
    """What one client was promised."""

    saves: list[Note] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    handed_in: list[str] = field(default_factory=list)
    replays: int = 0
    replays_wrong: int = 0
    starts_lost: int = 0
    statuses: Counter[int] = field(default_factory=Counter)


class Client(threading.Thread):
    """One candidate after the other on the same chair, until `over` is set."""

    def __init__(self, seats: list[Seat], port: int, seed: int, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.notes = Notes()
        self.failure: BaseException | None = None
        self._seats = seats
        self._port = port
        self._chance = random.Random(seed)
        self._over = over
        self._number = seed * 1_000_000

    def run(self) -> None:
        try:
            for seat in self._seats:
                if self._over.is_set():
                    return
                self._sit(seat)
        except BaseException as problem:  # the main thread reports it
            self.failure = problem

    def _sit(self, seat: Seat) -> None:
        candidate, other = Candidate(seat, self._port), Candidate(seat, self._port)
        self._start(candidate)
        revs = dict.fromkeys(map(int, seat.answers), 0)
        seqs: Counter[str] = Counter()
        end = time.monotonic() + SITTING_S * self._chance.uniform(0.5, 1.5)
        while time.monotonic() < end and not self._over.is_set():
            position = self._chance.choice(list(revs))
            stale = revs[position] > 0 and self._chance.random() < 0.05
            client = f"{seat.attempt[:8]}-{'other' if stale else 'tab'}"
            seqs[client] += 1
            self._number += 1
            save = {
                "client_id": client,
                "client_seq": seqs[client],
                "base_rev": revs[position] - 1 if stale else revs[position],
                "payload": some_answer(seat, position, self._number, self._chance),
            }
            if self._chance.random() < 0.05:
                # The same save on two ways at once, as a beacon and a retry may arrive.
                twin = threading.Thread(target=other.save, args=(position, save), daemon=True)
                twin.start()
                reply = self._save(candidate, position, save)
                twin.join()
            else:
                reply = self._save(candidate, position, save)
            revs[position] = int(reply.body["current_rev"])
            if self._chance.random() < 0.1:
                again = self._save(candidate, position, save)
                self.notes.replays += 1
                same = ("rev", "payload_sha256", "code", "received_at")
                if [again.body[key] for key in same] != [reply.body[key] for key in same]:
                    self.notes.replays_wrong += 1
        self._until(candidate.hand_in, {302})
        self.notes.handed_in.append(seat.attempt)
        candidate.close()
        other.close()

    def _start(self, candidate: Candidate) -> None:
        self._until(candidate.start, {302})
        self.notes.started.append(candidate.seat.attempt)

    def _save(self, candidate: Candidate, position: int, save: dict[str, Any]) -> Reply:
        began = time.monotonic()
        while True:
            reply = self._until(lambda: candidate.save(position, save), {200, 409})
            if reply.body.get("code") != "attempt-not-started":
                break
            # The start had been acknowledged, and the database has forgotten it.
            self.notes.starts_lost += 1
            self._until(candidate.start, {302})
        self.notes.waits_s.append(time.monotonic() - began)
        note = Note(
            attempt=candidate.seat.attempt,
            position=position,
            client=save["client_id"],
            seq=save["client_seq"],
            verdict={200: "accepted", 409: "conflict"}[reply.status],
            rev=int(reply.body["rev"]),
            sha256=reply.body["payload_sha256"],
            typed=typed_in(save["payload"]),
        )
        if not (self.notes.saves and self.notes.saves[-1] == note):
            self.notes.saves.append(note)
        return reply

    def _until(self, ask: Any, wanted: set[int]) -> Reply:
        deadline = time.monotonic() + GIVE_UP_S
        while True:
            reply: Reply = ask()
            self.notes.statuses[reply.status] += 1
            if reply.status in wanted:
                return reply
            if time.monotonic() > deadline:
                raise NotHealed(f"status {reply.status} {dict(reply.body)} for {GIVE_UP_S} s")
            time.sleep(RETRY_S * self._chance.uniform(0.5, 2))


@dataclass(frozen=True, slots=True)
class Verdict:
    lost: int
    stale: int
    doubled: int
    results: int


def judge(hall: Installation, notes: Iterable[Notes]) -> Verdict:
    """Compare what was promised with what is in the database."""
    notes = list(notes)
    with hall.database() as connection:
        rows = connection.execute(
            """
            SELECT item.attempt_id::text, item.position, event.client_id, event.client_seq,
                   event.verdict, event.rev, event.payload_sha256,
                   coalesce(event.payload ->> 'number', event.payload ->> 'text', ''),
                   response.event_id = event.id
              FROM exams_responseevent event
              JOIN exams_attemptitem item ON item.id = event.attempt_item_id
              LEFT JOIN exams_response response ON response.attempt_item_id = item.id
            """
        ).fetchall()
        states = dict(connection.execute("SELECT id::text, state FROM exams_attempt").fetchall())
        results = dict(
            connection.execute(
                """
                SELECT subject_id, count(*) FROM audit_auditrow
                 WHERE action = 'result.released' GROUP BY subject_id
                """
            ).fetchall()
        )
    stored = Counter(row[:4] for row in rows)
    by_key = {row[:4]: Note(*row[:8]) for row in rows}
    counts = {row[:2]: row[:4] for row in rows if row[8]}

    saves = [note for one in notes for note in one.saves]
    lost = sum(by_key.get(key_of(note)) != note for note in set(saves))
    lost += sum(one.starts_lost for one in notes)
    lost += sum(states.get(attempt) in (None, "ready") for one in notes for attempt in one.started)
    handed_in = [attempt for one in notes for attempt in one.handed_in]
    lost += sum(states.get(attempt) != "released" for attempt in handed_in)

    last: dict[tuple[str, int], tuple[str, int, str, int]] = {}
    for note in saves:
        if note.verdict == "accepted":
            last[note.attempt, note.position] = key_of(note)
    stale = sum(counts.get(place) != key for place, key in last.items())

    accepted = Counter((row[0], row[1], row[7]) for row in rows if row[4] == "accepted" and row[7])
    revisions: dict[tuple[str, int], list[int]] = {}
    for row in rows:
        if row[4] == "accepted":
            revisions.setdefault(row[:2], []).append(row[5])
    doubled = sum(n - 1 for n in stored.values()) + sum(n - 1 for n in accepted.values())
    doubled += sum(sorted(revs) != list(range(1, len(revs) + 1)) for revs in revisions.values())
    doubled += sum(n - 1 for n in results.values()) + sum(one.replays_wrong for one in notes)
    return Verdict(lost, stale, doubled, sum(attempt in results for attempt in handed_in))


def typed_in(payload: dict[str, Any]) -> str:
    """What was typed freely, which names a save by itself; empty for choices."""
    return str(payload.get("number", payload.get("text", "")))


def key_of(note: Note) -> tuple[str, int, str, int]:
    return note.attempt, note.position, note.client, note.seq


def wait_for_results(hall: Installation) -> None:
    """Until every attempt that was handed in has its result, or patience ends."""
    deadline = time.monotonic() + GRADES_WAIT_S
    while time.monotonic() < deadline:
        with hall.database() as connection:
            waiting = connection.execute(
                "SELECT count(*) FROM exams_attempt WHERE state IN ('submitted', 'graded')"
            ).fetchone()
        if waiting == (0,):
            return
        time.sleep(0.5)


def main() -> int:
    seconds = int(os.environ.get("SECONDS") or 300)
    clients = int(os.environ.get("CLIENTS") or 20)
    seed = int(os.environ.get("SEED") or random.randrange(1_000_000))
    synchronous = os.environ.get("SYNCHRONOUS_COMMIT") or "on"
    chance = random.Random(seed)
    print(f"seed {seed}, {clients} clients, {seconds} s, synchronous_commit {synchronous}")
    sittings = 2 + seconds * 2 // SITTING_S
    kills: list[Kill] = []
    with Installation(database_settings={"synchronous_commit": synchronous}) as hall:
        asked = ["--count", str(clients * sittings), "--seconds", "86400"]
        seats = seats_from(hall.run("-m", "benchmarks.exam_hall.seats", *asked))
        print(f"{len(seats)} forms are drawn, the candidates begin", flush=True)
        over = threading.Event()
        chairs = [
            Client(seats[number::clients], hall.port, number + 1, over) for number in range(clients)
        ]
        end = time.monotonic() + seconds
        for chair in chairs:
            chair.start()
        turn: list[Fault] = []
        # On a slow machine the time may be over before each part was killed once.
        while time.monotonic() < end or len(kills) < len(FAULTS):
            time.sleep(chance.uniform(0.3, 2.0))
            if not turn:
                turn = chance.sample(FAULTS, len(FAULTS))
            kills.append(hall.kill(turn.pop(), chance=chance))
        over.set()
        for chair in chairs:
            chair.join(GIVE_UP_S + 10)
        wait_for_results(hall)
        notes = [chair.notes for chair in chairs]
        verdict = judge(hall, notes)
    for chair in chairs:
        if chair.failure is not None or chair.is_alive():
            print(f"A candidate was not served again: {chair.failure!r}")
            return 1
    report(notes, kills, verdict)
    return 1 if verdict.lost or verdict.stale or verdict.doubled or not kills else 0


def report(notes: list[Notes], kills: list[Kill], verdict: Verdict) -> None:
    acknowledged = sum(len(one.saves) for one in notes)
    waits = sorted(wait for one in notes for wait in one.waits_s)
    statuses = sum((one.statuses for one in notes), Counter())
    for fault in FAULTS:
        times = [kill.back_after_s for kill in kills if kill.fault == fault]
        if times:
            print(
                f"killed {fault} {len(times)} times, back after "
                f"{statistics.median(times):.1f} s (median), {max(times):.1f} s (longest)"
            )
    if waits:
        print(
            f"a save took {1000 * waits[len(waits) // 2]:.0f} ms (p50), "
            f"{1000 * waits[len(waits) * 95 // 100]:.0f} ms (p95), {waits[-1]:.1f} s (longest)"
        )
    tried = {("no answer" if status == 0 else status): n for status, n in sorted(statuses.items())}
    print(f"answers by status: {', '.join(f'{status}: {n}' for status, n in tried.items())}")
    conflicts = sum(note.verdict == "conflict" for one in notes for note in one.saves)
    print(
        f"sent again {sum(one.replays for one in notes)}, kept as conflicts {conflicts}, "
        f"attempts handed in {sum(len(one.handed_in) for one in notes)}, "
        f"results released {verdict.results}"
    )
    print(
        f"acknowledged {acknowledged} kills {len(kills)} lost {verdict.lost} "
        f"stale {verdict.stale} doubled {verdict.doubled}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())

"""The life of an attempt under saves that come twice, late, out of order and from two tabs."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from exams import save_protocol
from exams.retakes import FinishedAttempt, may_sit_from
from exams.save_protocol import Clock, NotRunning, NotStarted, StepNotPossible

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RUNNING = Clock(state="in_progress", deadline_at=NOON, grace_s=15)


def verdict(clock: Clock, at: datetime, base_rev: int = 0, rev: int = 0) -> str:
    return save_protocol.judge_save(clock, received_at=at, base_rev=base_rev, rev=rev)


@pytest.mark.parametrize(
    ("after_deadline", "expected"),
    [
        (timedelta(milliseconds=-1), "accepted"),
        (timedelta(), "accepted"),
        (timedelta(seconds=15), "accepted"),
        (timedelta(seconds=15, microseconds=1), "late"),
    ],
)
def test_a_save_counts_until_the_end_of_the_grace(after_deadline: timedelta, expected: str) -> None:
    assert verdict(RUNNING, NOON + after_deadline) == expected


def test_a_save_in_time_counts_although_it_is_written_after_the_close() -> None:
    closed = save_protocol.close_overdue(RUNNING)

    assert closed.closed_at == NOON
    assert verdict(closed, NOON + 14 * SECOND) == "accepted"
    assert verdict(closed, NOON + 16 * SECOND) == "late"


def test_after_the_hand_in_a_save_is_closed_although_time_was_left() -> None:
    handed_in = save_protocol.hand_in(RUNNING, received_at=NOON - 60 * SECOND)

    assert verdict(handed_in, NOON - 60 * SECOND) == "accepted"
    assert verdict(handed_in, NOON - 59 * SECOND) == "closed"


def test_a_hand_in_at_the_deadline_closes_by_the_deadline_and_keeps_the_grace() -> None:
    closed = save_protocol.hand_in(RUNNING, received_at=NOON + SECOND)

    assert (closed.closed_by, closed.closed_at) == ("deadline", NOON)
    assert verdict(closed, NOON + 10 * SECOND) == "accepted"


def test_a_save_on_an_older_revision_is_a_conflict() -> None:
    assert verdict(RUNNING, NOON, base_rev=1, rev=2) == "conflict"
    assert verdict(RUNNING, NOON, base_rev=2, rev=2) == "accepted"


def test_nothing_can_be_saved_before_the_start() -> None:
    with pytest.raises(NotStarted):
        verdict(Clock(state="ready"), NOON)


def test_the_deadline_is_a_full_second_and_never_shortens_the_time() -> None:
    at = NOON + timedelta(microseconds=1)
    clock = save_protocol.start(Clock(state="ready"), at=at, allowed_s=1800, grace_s=15)

    assert clock.deadline_at == NOON + timedelta(seconds=1801)
    exact = save_protocol.start(Clock(state="ready"), at=NOON, allowed_s=1800, grace_s=15)
    assert exact.deadline_at == NOON + timedelta(seconds=1800)


def test_an_attempt_is_started_once() -> None:
    with pytest.raises(StepNotPossible, match="is in progress and cannot become in progress"):
        save_protocol.start(RUNNING, at=NOON, allowed_s=60, grace_s=0)


def test_the_ladder_waits_7_then_30_then_90_days_and_stays_there() -> None:
    day = timedelta(days=1)
    finished: list[FinishedAttempt] = []
    waits = []
    at = NOON
    for _ in range(4):
        finished.append(FinishedAttempt(closed_at=at, passed=False))
        opens = may_sit_from(finished, waits_days=(7, 30, 90), valid_days=730)
        assert opens is not None
        waits.append((opens - at) // day)
        at = opens

    assert waits == [7, 30, 90, 90]
    assert may_sit_from([], waits_days=(7, 30, 90), valid_days=730) is None


def test_after_a_pass_the_exam_opens_again_90_days_before_the_end_and_the_ladder_begins_anew() -> (
    None
):
    passed = FinishedAttempt(closed_at=NOON, passed=True)
    failed_before = FinishedAttempt(closed_at=NOON - timedelta(days=8), passed=False)
    rules = {"waits_days": (7, 30, 90), "valid_days": 730}

    opens = may_sit_from([passed, failed_before], **rules)
    assert opens == NOON + timedelta(days=640)

    failed_after = FinishedAttempt(closed_at=opens, passed=False)
    assert may_sit_from([failed_before, passed, failed_after], **rules) == opens + timedelta(days=7)


def test_an_attempt_that_is_not_graded_yet_counts_for_the_wait() -> None:
    waiting = FinishedAttempt(closed_at=NOON, passed=None)

    assert may_sit_from([waiting], waits_days=(7, 30), valid_days=730) == NOON + timedelta(days=7)


@dataclass(frozen=True)
class Message:
    """A save as a tab sent it, and when it reached us (None while it is on its way)."""

    tab: str
    seq: int
    item: int
    base_rev: int
    received_at: datetime | None = None

    @property
    def key(self) -> tuple[str, int, int]:
        return self.tab, self.seq, self.item


@dataclass(frozen=True)
class Row:
    """A kept save, as the log has it."""

    message: Message
    verdict: str
    rev: int
    counts_until: datetime


class SavesOverABadNetwork(RuleBasedStateMachine):
    """Two tabs, a network that repeats, delays and reorders, a server that crashes anywhere.

    `log`, `current`, `jobs` and `graded` stand for rows: a crash before a commit leaves them as
    they were, a crash after it only takes away the answer. Every decision is made by the product's
    own functions; the rules below only carry messages, stop clocks and pull plugs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.clock = save_protocol.start(Clock("ready"), at=NOON, allowed_s=60, grace_s=5)
        self.sent: list[Message] = []
        self.arrived: list[Message] = []
        self.log: list[Row] = []
        self.current: dict[int, Row] = {}
        self.jobs: set[int] = set()
        self.graded: list[dict[int, Row]] = []
        self.acknowledged: dict[tuple[str, int, int], str] = {}
        self.known: dict[tuple[str, int], int] = {}
        self.seq = 0
        self.added_s = 0
        self.closes: list[Clock] = []

    # What candidates, networks and clocks do ------------------------------------------------

    @rule(tab=st.sampled_from(["one", "two"]), item=st.integers(1, 2))
    def a_tab_sends(self, tab: str, item: int) -> None:
        self.seq += 1
        self.sent.append(Message(tab, self.seq, item, self.known.get((tab, item), 0)))

    @rule(tab=st.sampled_from(["one", "two"]))
    def a_tab_is_loaded_again(self, tab: str) -> None:
        for item, row in self.current.items():
            self.known[tab, item] = row.rev

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def a_message_arrives_or_arrives_once_more(self, data: st.DataObject) -> None:
        """Any message, in any order; it stays on its way too, as a retry does."""
        message = data.draw(st.sampled_from(self.sent))
        self.arrived.append(replace(message, received_at=self.now))

    @rule(seconds=st.integers(0, 20))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(seconds=st.integers(-30, 30))
    def the_database_host_corrects_its_clock(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.clock.state == "in_progress")
    @rule(seconds=st.integers(1, 60))
    def an_examiner_adds_time(self, seconds: int) -> None:
        self.clock = save_protocol.extend(self.clock, seconds=seconds)
        self.added_s += seconds

    # What the server does -------------------------------------------------------------------

    @precondition(lambda self: self.arrived)
    @rule(data=st.data(), crash=st.sampled_from(["no", "no", "before commit", "after commit"]))
    def a_save_is_processed(self, data: st.DataObject, crash: str) -> None:
        """In any order: requests that wait for one lock are let in as they come."""
        message = data.draw(st.sampled_from(self.arrived))
        if crash == "before commit":
            return
        row = self._keep(message)
        if crash == "after commit":
            return
        self.arrived.remove(message)
        told = self.acknowledged.setdefault(message.key, row.verdict)
        assert told == row.verdict, "the same save was answered in two ways"
        if row.verdict == "accepted":
            self.known[message.tab, message.item] = self.current[message.item].rev

    def _keep(self, message: Message) -> Row:
        known = next((row for row in self.log if row.message.key == message.key), None)
        if known is not None:
            return known
        assert message.received_at is not None
        newest = self.current.get(message.item)
        rev = newest.rev if newest else 0
        verdict = save_protocol.judge_save(
            self.clock,
            received_at=message.received_at,
            base_rev=message.base_rev,
            rev=rev,
            follows_own=newest is not None
            and newest.message.tab == message.tab
            and newest.message.seq < message.seq,
        )
        accepted = verdict == "accepted"
        row = Row(message, verdict, rev + 1 if accepted else rev, self.clock.counts_until)
        self.log.append(row)
        if accepted:
            self.current[message.item] = row
            if self.clock.state != "in_progress":
                self.jobs.add(len(self.log))
        return row

    @precondition(lambda self: self.clock.state == "in_progress")
    @rule()
    def the_candidate_hands_in(self) -> None:
        self._close(save_protocol.hand_in(self.clock, received_at=self.now))

    @precondition(lambda self: self.clock.state == "in_progress")
    @rule()
    def the_sweeper_comes(self) -> None:
        if save_protocol.is_overdue(self.clock, at=self.now):
            self._close(save_protocol.close_overdue(self.clock))

    def _close(self, clock: Clock) -> None:
        self.clock = clock
        self.closes.append(clock)
        self.jobs.add(len(self.log))

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), crash=st.booleans())
    def a_worker_grades(self, data: st.DataObject, crash: bool) -> None:
        job = data.draw(st.sampled_from(sorted(self.jobs)))
        save_protocol.require_step(self.clock.state, "graded")
        if crash:
            return
        if dict(self.current) not in self.graded:
            self.graded.append(dict(self.current))
        self.clock = replace(self.clock, state="graded")
        self.jobs.remove(job)

    # What must hold whatever happens --------------------------------------------------------

    @invariant()
    def what_was_acknowledged_is_in_the_log_as_it_was_acknowledged(self) -> None:
        kept = {row.message.key: row.verdict for row in self.log}
        assert len(kept) == len(self.log), "a save is kept twice"
        assert all(kept[key] == verdict for key, verdict in self.acknowledged.items())

    @invariant()
    def the_answer_that_counts_is_the_newest_accepted_one(self) -> None:
        for item in (1, 2):
            accepted = [
                row for row in self.log if row.message.item == item and row.verdict == "accepted"
            ]
            assert [row.rev for row in accepted] == list(range(1, len(accepted) + 1))
            for before, row in itertools.pairwise([None, *accepted]):
                assert row is not None
                knew_it = row.message.base_rev == (before.rev if before else 0)
                own = before is not None and before.message.tab == row.message.tab
                assert knew_it or own, "an answer was replaced that its writer had not seen"
            assert self.current.get(item) == (accepted[-1] if accepted else None)

    @invariant()
    def each_row_proves_its_verdict(self) -> None:
        for row in self.log:
            assert row.message.received_at is not None
            in_time = row.message.received_at <= row.counts_until
            assert in_time == (row.verdict in {"accepted", "conflict"})

    @invariant()
    def nothing_counts_that_came_after_the_last_deadline_and_grace(self) -> None:
        last = NOON + timedelta(seconds=60 + 5 + self.added_s)
        for row in self.current.values():
            assert row.message.received_at is not None
            assert row.message.received_at <= last

    @invariant()
    def it_closes_once_and_never_after_the_deadline(self) -> None:
        assert len(self.closes) <= 1
        for closed in self.closes:
            assert closed.closed_at is not None
            assert closed.deadline_at == NOON + timedelta(seconds=60 + self.added_s)
            assert closed.closed_at <= closed.deadline_at

    def teardown(self) -> None:
        """Everything comes up again: messages arrive, the time ends, every job is done."""
        for message in [*self.arrived, *(replace(m, received_at=self.now) for m in self.sent)]:
            row = self._keep(message)
            assert self.acknowledged.get(message.key, row.verdict) == row.verdict
        if self.clock.state == "in_progress":
            self._close(save_protocol.close_overdue(self.clock))
        assert self.jobs or self.graded
        if self.jobs:
            self.graded.append(dict(self.current))
        assert self.graded[-1] == self.current, "what counts is what is graded last"
        assert {row.message.key for row in self.log} == {m.key for m in self.sent}, "typed is kept"


SavesOverABadNetwork.TestCase.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None
)
TestSavesOverABadNetwork = SavesOverABadNetwork.TestCase


def test_a_closed_attempt_gets_no_more_time() -> None:
    assert save_protocol.extend(RUNNING, seconds=90).deadline_at == NOON + 90 * SECOND
    with pytest.raises(NotRunning):
        save_protocol.extend(save_protocol.close_overdue(RUNNING), seconds=90)


def test_a_tab_alone_is_never_in_conflict_with_itself() -> None:
    """It may have closed before it heard which revision its last answer became."""
    judged = save_protocol.judge_save(
        RUNNING, received_at=NOON, base_rev=0, rev=4, follows_own=True
    )

    assert judged == "accepted"

"""The life of an attempt under saves that come twice, late, out of order and from two tabs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from exams import save_protocol
from exams.retakes import FinishedAttempt, may_sit_from
from exams.save_protocol import Clock, NotStarted, StepNotPossible

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


class SavesOverABadNetwork(RuleBasedStateMachine):
    """Saves are sent, delayed, repeated and delivered in any order while the clock runs.

    The model keeps what each tab believes; the rules below say what must hold whatever happens.
    """

    sent = Bundle("sent")

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.clock = save_protocol.start(Clock("ready"), at=NOON, allowed_s=60, grace_s=5)
        self.rev = 0
        self.kept: dict[int, str] = {}
        self.accepted_at: list[datetime] = []
        self.next_key = 0
        self.closes: list[Clock] = []

    @rule(seconds=st.integers(0, 20))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(target=sent, lag=st.integers(0, 30), stale_by=st.integers(0, 2))
    def a_tab_sends(self, lag: int, stale_by: int) -> tuple[int, int, datetime]:
        """`lag` seconds pass in the network before we receive it."""
        self.next_key += 1
        received_at = self.now + timedelta(seconds=lag)
        return self.next_key, max(0, self.rev - stale_by), received_at

    @rule(save=sent)
    def a_save_is_processed(self, save: tuple[int, int, datetime]) -> None:
        key, base_rev, received_at = save
        if key in self.kept:
            return
        verdict = save_protocol.judge_save(
            self.clock, received_at=received_at, base_rev=base_rev, rev=self.rev
        )
        self.kept[key] = verdict
        if verdict == "accepted":
            self.rev += 1
            self.accepted_at.append(received_at)
            assert received_at <= self.clock.counts_until
            assert base_rev == self.rev - 1
        elif verdict in {"late", "closed"}:
            assert received_at > self.clock.counts_until

    @precondition(lambda self: self.clock.state == "in_progress")
    @rule()
    def the_candidate_hands_in(self) -> None:
        self.clock = save_protocol.hand_in(self.clock, received_at=self.now)
        self.closes.append(self.clock)

    @precondition(lambda self: self.clock.state == "in_progress")
    @rule()
    def the_sweeper_comes(self) -> None:
        if save_protocol.is_overdue(self.clock, at=self.now):
            self.clock = save_protocol.close_overdue(self.clock)
            self.closes.append(self.clock)

    @invariant()
    def it_closes_once_and_never_after_the_deadline(self) -> None:
        assert len(self.closes) <= 1
        assert self.clock.deadline_at is not None
        for closed in self.closes:
            assert closed.closed_at is not None
            assert closed.closed_at <= self.clock.deadline_at

    @invariant()
    def every_processed_save_has_a_verdict_and_revisions_count_the_accepted(self) -> None:
        assert sum(1 for kept in self.kept.values() if kept == "accepted") == self.rev

    @invariant()
    def no_save_counts_after_the_grace(self) -> None:
        assert self.clock.deadline_at is not None
        last = self.clock.deadline_at + timedelta(seconds=self.clock.grace_s)
        assert all(at <= last for at in self.accepted_at)


SavesOverABadNetwork.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None
)
TestSavesOverABadNetwork = SavesOverABadNetwork.TestCase

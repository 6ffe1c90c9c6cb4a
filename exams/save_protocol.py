"""The life of an attempt and the verdict on each save, as pure functions.

`ready` (form drawn) -> `in_progress` -> `submitted` -> `graded` -> `released`. Every step is
one-way. A save is never refused without being kept: the verdict says whether it counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from checkride.lib.errors import DomainError

State: TypeAlias = Literal["ready", "in_progress", "submitted", "graded", "released"]
ClosedBy: TypeAlias = Literal["", "candidate", "deadline"]
SaveVerdict: TypeAlias = Literal["accepted", "conflict", "late", "closed"]

STEPS: dict[State, frozenset[State]] = {
    "ready": frozenset({"in_progress"}),
    "in_progress": frozenset({"submitted"}),
    "submitted": frozenset({"graded"}),
    # Graded again when a save that arrived in time is written after the close.
    "graded": frozenset({"graded", "released"}),
    "released": frozenset({"released"}),
}


class NotStarted(DomainError):
    code = "attempt-not-started"
    sentence = "This attempt has not been started, so nothing can be saved yet. Press Start first."


class NotRunning(DomainError):
    code = "attempt-not-running"
    sentence = "This attempt is not running, so its time cannot be changed. Nothing was changed."


class StepNotPossible(DomainError):
    code = "attempt-step"
    sentence = "This attempt is {state} and cannot become {wanted}. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Clock:
    """The part of an attempt that decides what counts."""

    state: State
    deadline_at: datetime | None = None
    grace_s: int = 0
    closed_at: datetime | None = None
    closed_by: ClosedBy = ""
    paused_until: datetime | None = None

    @property
    def counts_until(self) -> datetime:
        """The last moment at which a save counts: hand-in, or the deadline with its grace."""
        if self.closed_by == "candidate" and self.closed_at is not None:
            return self.closed_at
        if self.deadline_at is None:
            raise NotStarted()
        return self.deadline_at + timedelta(seconds=self.grace_s)


def judge_save(
    clock: Clock,
    *,
    received_at: datetime,
    base_rev: int,
    rev: int,
    follows_own: bool = False,
    is_elsewhere: bool = False,
    is_left: bool = False,
) -> SaveVerdict:
    """Say whether a save counts. Order matters: too late is too late, whatever it was based on.

    What counts is when the save reached us, not when we came to it: a save that was received in
    time is accepted even if a slow machine writes it after the close. `base_rev` is the revision
    the candidate was looking at, `rev` the current one. `follows_own` says that the current one
    came earlier from the same page: a page cannot be in conflict with itself, even when it closed
    before it heard of its last save. `is_elsewhere` says that the attempt has been moved to another
    browser, whose answers count; `is_left` that the candidate has gone on to another item in an exam
    that does not lead back.
    """
    if clock.state == "ready":
        raise NotStarted()
    if received_at > clock.counts_until:
        return "closed" if clock.closed_by == "candidate" else "late"
    if is_left:
        return "closed"
    if is_elsewhere:
        return "conflict"
    return "accepted" if base_rev == rev or follows_own else "conflict"


def is_overdue(clock: Clock, *, at: datetime) -> bool:
    return clock.state == "in_progress" and at > clock.counts_until


def start(clock: Clock, *, at: datetime, allowed_s: int, grace_s: int) -> Clock:
    require_step(clock.state, "in_progress")
    return replace(
        clock,
        state="in_progress",
        deadline_at=deadline(at=at, allowed_s=allowed_s),
        grace_s=grace_s,
    )


def deadline(*, at: datetime, allowed_s: int) -> datetime:
    """The end falls on a full second, rounded up: nobody loses the part of a second."""
    whole = at.replace(microsecond=0)
    begin = whole if whole == at else whole + timedelta(seconds=1)
    return begin + timedelta(seconds=allowed_s)


def hand_in(clock: Clock, *, received_at: datetime) -> Clock:
    """Close by hand. At or after the deadline it is the deadline that closes, so that the saves
    of the grace period still count."""
    require_step(clock.state, "submitted")
    if clock.deadline_at is None or received_at >= clock.deadline_at:
        return close_overdue(clock)
    return replace(clock, state="submitted", closed_at=received_at, closed_by="candidate")


def extend(clock: Clock, *, seconds: int) -> Clock:
    """More time for a running attempt. It is added to the deadline, not to the moment of the grant,
    so nobody gains or loses by how late it is written."""
    if clock.state != "in_progress" or clock.deadline_at is None:
        raise NotRunning()
    return replace(clock, deadline_at=clock.deadline_at + timedelta(seconds=seconds))


def pause(clock: Clock, *, at: datetime, seconds: int) -> Clock:
    """Stop the clock for at most so many seconds: the deadline moves by all of them at once, so an
    attempt can never run out in a pause, whatever happens to us meanwhile."""
    if clock.state != "in_progress" or clock.deadline_at is None:
        raise NotRunning()
    return replace(
        clock,
        deadline_at=clock.deadline_at + timedelta(seconds=seconds),
        paused_until=at + timedelta(seconds=seconds),
    )


def go_on(clock: Clock, *, at: datetime) -> tuple[Clock, int]:
    """End a pause; the clock, and the whole seconds of the pause that were not used and are given
    back. The part of a second is the candidate's."""
    if clock.state != "in_progress" or clock.deadline_at is None:
        raise NotRunning()
    left = max(timedelta(), (clock.paused_until or at) - at) // timedelta(seconds=1)
    return replace(
        clock, deadline_at=clock.deadline_at - timedelta(seconds=left), paused_until=None
    ), left


def close_overdue(clock: Clock) -> Clock:
    require_step(clock.state, "submitted")
    return replace(clock, state="submitted", closed_at=clock.deadline_at, closed_by="deadline")


def require_step(state: State, wanted: State) -> None:
    """Raise `StepNotPossible` unless the life of an attempt has this step."""
    if wanted not in STEPS[state]:
        raise StepNotPossible(state=state.replace("_", " "), wanted=wanted.replace("_", " "))

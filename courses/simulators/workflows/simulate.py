"""The simulation: all cases at once, with queues of people, time-outs and rushes.

Tokens advance together, step by step in topological order (a wavefront); a loop with a `max`
leads tokens back to a step that then comes up again. At a person with a queue a token stops, and a
child is made for each thing that can happen there: it is answered, answered in a hurry (where that
makes a difference), or patience runs out. The children go on at once, up to their next queue or
their end. One pass over all queue arrivals in order of time then decides which child is the real
one. So routing may depend on the queue while everything else stays vectorised.

Times are whole milliseconds and money whole micro-dollars, see `streams.duration_ms`.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checkride.lib.errors import DomainError
from courses.simulators.workflows.conditions import holds_for_each
from courses.simulators.workflows.model import MAX_PRIORITY
from courses.simulators.workflows.program import (
    NEVER_MS,
    PAID,
    UNDONE,
    UNPAID,
    Program,
    Step,
)
from courses.simulators.workflows.streams import (
    REPLICATION_MS,
    Ints,
    Streams,
    amounts_in_cents,
    arrivals_ms,
    confidence_in_millionths,
    duration_ms,
    faults_of,
)
from courses.simulators.workflows.world import Block, Hours, World

NONE, APPROVE, REJECT, REWORK = range(4)
MICRO = 1_000_000
MAX_TOKENS_PER_CASE = 12
MAX_STEPS_PER_CASE = 250


class TooManyTokens(DomainError):
    code = "too-many-visits"
    sentence = (
        "The map sends cases from one waiting person to the next so often that it cannot be run. "
        "Use fewer human steps with a time-out."
    )


class TooManySteps(DomainError):
    code = "too-many-steps"
    sentence = (
        "The map leads its cases through more than {most} steps each, so it cannot be run. "
        "Lower a “max”, or put fewer loops inside one another."
    )

    def __init__(self) -> None:
        super().__init__(most=MAX_STEPS_PER_CASE)


@dataclass
class Tokens:
    """One column per property, one row per token. A token lives from one queue to the next."""

    case: Ints
    fault: NDArray[np.int8]
    confidence: Ints
    flagged: NDArray[np.bool_]
    alarm: NDArray[np.bool_]
    verdict: NDArray[np.int8]
    payment: NDArray[np.int8]
    proposal: NDArray[np.int8]
    sent_back: NDArray[np.int64]
    micro: Ints
    elapsed: Ints
    stuck: NDArray[np.bool_]
    end: NDArray[np.int16]
    pool: NDArray[np.int16]
    step: NDArray[np.int16]
    service: Ints
    answered: Ints
    hurried: Ints
    gave_up: Ints
    visits: NDArray[np.int16]
    counters: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.case)

    def grow(self, rows: Ints) -> Ints:
        """Append copies of these rows; gives the numbers of the new tokens."""
        first = len(self.case)
        size = first + len(rows)
        for column in fields(self):
            values = getattr(self, column.name)
            # The columns are views of longer arrays, so that growing copies the new rows only.
            room = values if values.base is None else values.base
            if len(room) < size:
                room = np.empty((size + size // 2, *values.shape[1:]), values.dtype)
                room[:first] = values
            room[first:size] = values[rows]
            setattr(self, column.name, room[:size])
        return np.arange(first, size)


@dataclass(frozen=True)
class Waits:
    """One entry for each arrival at a queue, in order of time. Times in milliseconds."""

    token: Ints
    case: Ints
    pool: Ints
    arrived: Ints
    started: Ints
    left: Ints
    timed_out: NDArray[np.bool_]
    in_line: Ints
    hurried: NDArray[np.bool_]


@dataclass(frozen=True)
class Settled:
    """What became of every case once the queues have decided.

    `cycle_ms` is the time from arrival to end, `NEVER_MS` for a case that is stuck.
    """

    token: Ints
    cycle_ms: Ints
    micro: Ints
    harm_cents: Ints
    served: NDArray[np.bool_]
    escaped: NDArray[np.bool_]
    end: NDArray[np.int16]
    stuck: NDArray[np.bool_]
    work_ms: Ints  # pool x case
    waits: Waits


@dataclass(frozen=True)
class Run:
    """The tokens of a simulation before the queues are settled, and what the cases were."""

    program: Program
    streams: Streams
    arrival_ms: Ints
    amount_cents: Ints
    fault: NDArray[np.int8]
    tokens: Tokens


def start_run(program: Program, streams: Streams) -> Run:
    """Let all cases walk through the map; `settle` then decides the queues.

    Raises `TooManyTokens` when the map makes more than 12 tokens for each case, `TooManySteps` when
    it takes more than 250 steps for each.
    """
    world = program.world
    cases = np.arange(streams.total)
    fault = faults_of(streams.uniform("world", "fault"), world)
    n = len(cases)
    blocks = len(program.blocks)
    tokens = Tokens(
        case=cases,
        fault=fault.copy(),
        confidence=np.zeros(n, np.int64),
        flagged=np.zeros(n, np.bool_),
        alarm=np.zeros(n, np.bool_),
        verdict=np.zeros(n, np.int8),
        payment=np.zeros(n, np.int8),
        proposal=np.zeros(n, np.int8),
        sent_back=np.zeros(n, np.int64),
        micro=np.full(n, world.standing_micro, np.int64),
        elapsed=np.zeros(n, np.int64),
        stuck=np.zeros(n, np.bool_),
        end=np.full(n, -1, np.int16),
        pool=np.full(n, -1, np.int16),
        step=np.full(n, -1, np.int16),
        service=np.zeros(n, np.int64),
        answered=np.full(n, -1, np.int64),
        hurried=np.full(n, -1, np.int64),
        gave_up=np.full(n, -1, np.int64),
        visits=np.zeros((n, max(blocks, 1)), np.int16),
        counters=np.zeros((n, max(program.counters, 1)), np.int8),
    )
    run = Run(
        program=program,
        streams=streams,
        arrival_ms=arrivals_ms(streams.uniform("world", "arrival"), world, streams.replications),
        amount_cents=amounts_in_cents(streams.uniform("world", "amount"), world),
        fault=fault,
        tokens=tokens,
    )
    _Wave(run).run()
    return run


class _Wave:
    """Moves tokens; `waiting[step]` holds those that have arrived there."""

    def __init__(self, started: Run) -> None:
        self.program = started.program
        self.world: World = started.program.world
        self.streams = started.streams
        self.tokens = started.tokens
        self.dollars = started.amount_cents / 100
        self.block_number = {block.id: n for n, block in enumerate(self.program.blocks)}
        self.pool_number = {block.id: n for n, block in enumerate(self.program.pools)}
        self.cured = len(self.world.faults)
        self.limit = MAX_TOKENS_PER_CASE * self.streams.total
        self.steps_left = MAX_STEPS_PER_CASE * self.streams.total
        self.waiting: dict[int, list[Ints]] = {}

    def run(self) -> None:
        self.waiting = {self.program.start: [self.tokens.case.copy()]}
        place = {step: at for at, step in enumerate(self.program.order)}
        while self.waiting:
            here = min(self.waiting, key=lambda step: place[step])
            groups = self.waiting.pop(here)
            rows = np.concatenate(groups) if len(groups) > 1 else groups[0]
            # A wave costs as much as some tokens, however few it moves.
            self.steps_left -= len(rows) + self.streams.total // 100
            if self.steps_left < 0:
                raise TooManySteps
            self.advance(self.program.steps[here], rows)

    def go(self, edge: int | None, rows: Ints) -> None:
        if not len(rows):
            return
        if edge is None:
            self.tokens.stuck[rows] = True
            return
        self.waiting.setdefault(self.program.heads[edge], []).append(rows)

    def advance(self, step: Step, rows: Ints) -> None:
        match step.node.kind:
            case "trigger":
                self.go(step.ok, rows)
            case "gateway":
                self.choose(step, rows)
            case "end":
                self.tokens.end[rows] = step.index
            case "tool":
                self.tool(step, rows)
            case "agent":
                self.agent(step, rows)
            case "guard" | "monitor":
                self.watch(step, rows)
            case "rollback":
                self.rollback(step, rows)
            case "human" | "escalation":
                self.person(step, rows)

    # -- parts that several kinds share -----------------------------------------------------

    def visit(self, block: Block, rows: Ints) -> NDArray[np.int16]:
        """Count one more visit of the block; the number of this visit, from 1."""
        number = self.block_number[block.id]
        self.tokens.visits[rows, number] += 1
        visits: NDArray[np.int16] = self.tokens.visits[rows, number]
        return visits

    def spend(self, block: Block, visits: NDArray[Any], rows: Ints, purpose: str = "time") -> None:
        """Charge one call of the block and let its time pass."""
        self.tokens.micro[rows] += round(block.cost * MICRO)
        if block.secs:
            drawn = self.streams.pick(block.id, purpose, visits, self.tokens.case[rows])
            self.tokens.elapsed[rows] += duration_ms(drawn, block.secs)

    def kind_of(self, rows: Ints) -> NDArray[np.int8]:
        """The fault as the blocks see it: a cured case looks faultless."""
        fault = self.tokens.fault[rows]
        return np.where(fault == self.cured, 0, fault).astype(np.int8)

    def sees(
        self, block: Block, rows: Ints, hit: tuple[float, ...] | None = None
    ) -> NDArray[np.bool_]:
        """Whether the block objects to the proposal, drawn once for all its copies."""
        drawn = self.streams.pick(
            block.id, "sees", self.tokens.proposal[rows], self.tokens.case[rows]
        )
        return drawn < np.array(block.hit if hit is None else hit)[self.kind_of(rows)]

    # -- kinds of steps ----------------------------------------------------------------------

    def choose(self, step: Step, rows: Ints) -> None:
        tokens = self.tokens
        values: dict[str, NDArray[Any]] = {
            "confidence": tokens.confidence[rows] / 1e6,
            "amount": self.dollars[tokens.case[rows]],
            "flagged": tokens.flagged[rows],
            "alarm": tokens.alarm[rows],
            "verdict": tokens.verdict[rows],
        }
        left = np.ones(len(rows), np.bool_)
        for choice in step.choices:
            takes = left & holds_for_each(choice.condition, values)
            if choice.counter is not None:
                takes &= tokens.counters[rows, choice.counter] < choice.most
                tokens.counters[rows[takes], choice.counter] += 1
            self.go(choice.edge, rows[takes])
            left &= ~takes
        self.go(step.otherwise, rows[left])

    def tool(self, step: Step, rows: Ints) -> None:
        block = step.block
        assert block is not None  # noqa: S101
        tokens = self.tokens
        visits = self.visit(block, rows)
        trying = np.ones(len(rows), np.bool_)
        for attempt in range(1 + (step.node.retries or 0)):
            now = rows[trying]
            if not len(now):
                break
            if attempt:
                tokens.elapsed[now] += 1000 * (step.node.backoff_s or 0)
            self.spend(block, visits[trying], now, f"time {attempt}")
            if block.fail:
                drawn = self.streams.pick(
                    block.id, f"works {attempt}", visits[trying], tokens.case[now]
                )
                trying[trying] = drawn < block.fail
            else:
                trying[:] = False
        done = rows[~trying]
        if step.acts:
            tokens.payment[done] = np.where(
                tokens.payment[done] == UNPAID, PAID, tokens.payment[done]
            )
        self.go(step.ok, done)
        self.go(step.error, rows[trying])

    def agent(self, step: Step, rows: Ints) -> None:
        block = step.block
        assert block is not None  # noqa: S101
        tokens = self.tokens
        visits = self.visit(block, rows)
        redone = rows[tokens.verdict[rows] == REWORK]
        tokens.proposal[redone] += 1
        if block.cure_on_rework and len(redone):
            ill = redone[(tokens.fault[redone] > 0) & (tokens.fault[redone] < self.cured)]
            drawn = self.streams.uniform(block.id, "cures")[tokens.case[ill]]
            tokens.fault[ill[drawn < block.cure_on_rework]] = self.cured
        tokens.verdict[rows] = NONE
        if block.confidence:
            shape = np.array(block.confidence)[self.kind_of(rows)]
            drawn = self.streams.pick(
                block.id, "proposes", tokens.proposal[rows], tokens.case[rows]
            )
            tokens.confidence[rows] = confidence_in_millionths(drawn, shape[:, 0], shape[:, 1])
        self.spend(block, visits, rows)
        self.go(step.ok, rows)

    def watch(self, step: Step, rows: Ints) -> None:
        block = step.block
        assert block is not None  # noqa: S101
        visits = self.visit(block, rows)
        sees = self.sees(block, rows)
        if step.node.kind == "guard":
            self.tokens.flagged[rows] = sees
        else:
            self.tokens.alarm[rows] = sees & (self.tokens.payment[rows] != UNPAID)
        self.spend(block, visits, rows)
        self.go(step.ok, rows)

    def rollback(self, step: Step, rows: Ints) -> None:
        block = step.block
        assert block is not None  # noqa: S101
        tokens = self.tokens
        visits = self.visit(block, rows)
        self.spend(block, visits, rows)
        drawn = self.streams.uniform(block.id, "reverses")[tokens.case[rows]]
        to_undo = tokens.payment[rows] == PAID
        works = drawn < block.success
        tokens.payment[rows[to_undo & works]] = UNDONE
        failed = to_undo & ~works
        if step.error is None:
            failed[:] = False
        self.go(step.ok, rows[~failed])
        self.go(step.error, rows[failed])

    def person(self, step: Step, rows: Ints) -> None:
        block = step.block
        assert block is not None  # noqa: S101
        tokens = self.tokens
        visits = self.visit(block, rows)
        service = duration_ms(
            self.streams.pick(block.id, "time", visits, tokens.case[rows]), block.secs
        )
        pool = self.pool_number.get(block.id)
        if pool is None:
            tokens.elapsed[rows] += service
            self.answer(step, block, rows, service)
            return
        tokens.pool[rows] = pool
        tokens.step[rows] = step.index
        tokens.service[rows] = service
        hurries = np.zeros(len(rows), np.bool_)
        if block.overload is not None and step.node.kind == "human":
            hurries = self.sees(block, rows) != self.sees(block, rows, block.overload.hit)
        children = 2 if step.patience_ms is not None else 1
        if len(tokens) + children * len(rows) + int(hurries.sum()) > self.limit:
            raise TooManyTokens
        answered = self.child(rows)
        tokens.answered[rows] = answered
        if step.patience_ms is not None:
            gave_up = self.child(rows)
            tokens.gave_up[rows] = gave_up
            tokens.verdict[gave_up] = NONE
            self.go(step.timeout, gave_up)
        if hurries.any():
            assert block.overload is not None  # noqa: S101
            hurried = self.child(rows[hurries])
            tokens.hurried[rows[hurries]] = hurried
            self.answer(step, block, hurried, service[hurries], block.overload.hit)
        self.answer(step, block, answered, service)

    def child(self, rows: Ints) -> Ints:
        """A copy of each token, at the moment it leaves the queue."""
        tokens = self.tokens
        new = tokens.grow(rows)
        tokens.elapsed[new] = 0
        tokens.pool[new] = -1
        tokens.step[new] = -1
        tokens.service[new] = 0
        tokens.answered[new] = -1
        tokens.hurried[new] = -1
        tokens.gave_up[new] = -1
        return new

    def answer(
        self,
        step: Step,
        block: Block,
        rows: Ints,
        service: Ints,
        hit: tuple[float, ...] | None = None,
    ) -> None:
        tokens = self.tokens
        tokens.micro[rows] += round(block.cost * MICRO)
        # Micro-dollars for a millisecond: 1e6 / 3.6e6 of the hourly rate.
        tokens.micro[rows] += np.rint(service * (block.cost_per_hour / 3.6)).astype(np.int64)
        if step.node.kind == "escalation":
            good = (tokens.fault[rows] == 0) | (tokens.fault[rows] == self.cured)
            payment = tokens.payment[rows]
            taken_back = np.where(payment == UNPAID, UNPAID, UNDONE)
            if block.success < 1:
                drawn = self.streams.uniform(block.id, "takes back")[tokens.case[rows]]
                lost = (payment == PAID) & (drawn >= block.success)
                taken_back = np.where(lost, PAID, taken_back)
            tokens.payment[rows] = np.where(good, PAID, taken_back)
            tokens.verdict[rows] = np.where(good, APPROVE, REJECT)
        else:
            objects = self.sees(block, rows, hit)
            bit = 1 << self.block_number[block.id]
            drawn = self.streams.uniform(block.id, "sends back")[tokens.case[rows]]
            back = objects & (drawn < block.rework_share) & ((tokens.sent_back[rows] & bit) == 0)
            tokens.sent_back[rows[back]] |= bit
            tokens.verdict[rows] = np.where(back, REWORK, np.where(objects, REJECT, APPROVE))
        self.go(step.ok, rows)


def settle(run: Run, *, time_outs: bool = True) -> Settled:
    """Decide the queues of each pool's people.

    Without `time_outs` everybody waits until answered by people who are not in a hurry, with the
    same cases and the same luck.
    """
    tokens, program = run.tokens, run.program
    roots = np.flatnonzero(tokens.pool[: run.streams.total] >= 0)
    waits = _serve(run, roots, time_outs)
    hurried = waits.hurried & (tokens.hurried[waits.token] >= 0)
    child = np.where(waits.timed_out, tokens.gave_up[waits.token], tokens.answered[waits.token])
    child = np.where(hurried, tokens.hurried[waits.token], child)
    final = np.arange(run.streams.total)
    base = run.arrival_ms.copy()
    # A case stands in the log in order of time, so its last entry wins.
    final[waits.case] = child
    base[waits.case] = waits.left
    work = np.zeros((len(program.pools), run.streams.total), np.int64)
    served_now = ~waits.timed_out
    np.add.at(
        work,
        (waits.pool[served_now], waits.case[served_now]),
        tokens.service[waits.token[served_now]],
    )
    return _settled(run, final, base, work, waits)


def undisturbed(run: Run) -> Settled:
    """What became of every case if nobody had to wait: the same money and work as without
    time-outs and hurry, whatever the queue, at a fraction of the time. `cycle_ms` leaves waits out.
    """
    tokens = run.tokens
    final = np.arange(run.streams.total)
    base = run.arrival_ms.copy()
    work = np.zeros((len(run.program.pools), run.streams.total), np.int64)
    here = np.flatnonzero(tokens.pool[final] >= 0)
    while len(here):
        token = final[here]
        work[tokens.pool[token], here] += tokens.service[token]
        base[here] += tokens.elapsed[token] + tokens.service[token]
        final[here] = tokens.answered[token]
        here = here[tokens.pool[final[here]] >= 0]
    return _settled(run, final, base, work, _no_waits())


def _no_waits() -> Waits:
    none = np.empty(0, np.int64)
    return Waits(none, none, none, none, none, none, none.astype(bool), none, none.astype(bool))


def _settled(run: Run, final: Ints, base: Ints, work: Ints, waits: Waits) -> Settled:
    tokens, world = run.tokens, run.program.world
    fault = tokens.fault[final]
    paid = tokens.payment[final] == PAID
    share = np.array([round(fault.share * 1000) for fault in world.faults] + [0])
    plus = np.array([round(fault.plus * 100) for fault in world.faults] + [0])
    harm = np.where(paid, (run.amount_cents * share[fault] + 500) // 1000 + plus[fault], 0)
    stuck = tokens.stuck[final]
    cycle = base + tokens.elapsed[final] - run.arrival_ms
    return Settled(
        token=final,
        cycle_ms=np.where(stuck, NEVER_MS, cycle),
        micro=tokens.micro[final],
        harm_cents=harm,
        served=paid & (fault == 0),
        escaped=harm > 0,
        end=tokens.end[final],
        stuck=stuck,
        work_ms=work,
        waits=waits,
    )


@dataclass(frozen=True)
class _Arrivals:
    """The tokens that stop at a queue, numbered anew, as plain lists.

    `after_*` is the number of the child's own next stop, or -1; `delay_*` its time until then.
    """

    token: Ints
    roots: list[int]
    first: list[int]
    pool: list[int]
    service: list[int]
    patience: list[int]
    priority: list[int]
    after_answer: list[int]
    delay_answer: list[int]
    after_hurry: list[int]
    delay_hurry: list[int]
    after_silence: list[int]
    delay_silence: list[int]


_FOREVER = 1 << 62


def _arrivals(run: Run, roots: Ints, time_outs: bool) -> _Arrivals:
    tokens = run.tokens
    stops = np.flatnonzero(tokens.pool >= 0)
    number = np.full(len(tokens) + 1, -1, np.int64)
    number[stops] = np.arange(len(stops))

    def child(column: Ints) -> tuple[list[int], list[int]]:
        children = column[stops]
        return number[children].tolist(), tokens.elapsed[children].tolist()

    steps = run.program.steps
    limits = np.array(
        [
            _FOREVER if step.patience_ms is None or not time_outs else step.patience_ms
            for step in steps
        ]
    )
    at = tokens.step[stops]
    first = run.arrival_ms[tokens.case[roots]] + tokens.elapsed[roots]
    order = np.lexsort((roots, first))
    answer, silence = child(tokens.answered), child(tokens.gave_up)
    # A child that is the same in a hurry was not made twice.
    hurry = child(np.where(tokens.hurried >= 0, tokens.hurried, tokens.answered))
    return _Arrivals(
        token=stops,
        roots=number[roots[order]].tolist(),
        first=first[order].tolist(),
        pool=tokens.pool[stops].tolist(),
        service=tokens.service[stops].tolist(),
        patience=limits[at].tolist(),
        priority=np.array([step.priority for step in steps])[at].tolist(),
        after_answer=answer[0],
        delay_answer=answer[1],
        after_hurry=hurry[0],
        delay_hurry=hurry[1],
        after_silence=silence[0],
        delay_silence=silence[1],
    )


def _serve(run: Run, roots: Ints, time_outs: bool) -> Waits:
    """All queue arrivals in order of time, and what came of each."""
    if not len(roots):
        return _no_waits()
    tokens = run.tokens
    stops = _arrivals(run, roots, time_outs)
    serve = _in_turn if run.program.queues_are_plain else _by_events
    log = serve(run.program, stops, hurry=time_outs)
    token = stops.token[np.array(log.stop, dtype=np.int64)]
    started = np.array(log.started, dtype=np.int64)
    timed_out = np.array(log.timed_out, dtype=np.bool_)
    return Waits(
        token=token,
        case=tokens.case[token],
        pool=tokens.pool[token].astype(np.int64),
        arrived=np.array(log.arrived, dtype=np.int64),
        started=started,
        left=np.array(log.left, dtype=np.int64),
        timed_out=timed_out,
        in_line=np.array(log.in_line, dtype=np.int64),
        hurried=np.array(log.hurried, dtype=np.bool_)
        if log.hurried
        else np.zeros(len(token), np.bool_),
    )


@dataclass
class _Log:
    """One entry for each stop that was decided; columns, because rows are slow to turn."""

    stop: list[int] = field(default_factory=list)
    arrived: list[int] = field(default_factory=list)
    started: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    timed_out: list[bool] = field(default_factory=list)
    in_line: list[int] = field(default_factory=list)
    hurried: list[bool] = field(default_factory=list)


def _in_turn(program: Program, stops: _Arrivals, *, hurry: bool) -> _Log:
    """First come, first served: each arrival can be decided as soon as it comes.

    The people of a pool are a heap of the times at which each is free again. A case is taken by
    the first who is free; when that is later than its patience, it leaves and takes nobody's time.
    """
    del hurry  # nobody does in a plain queue
    free = [[0] * (pool.staff or 1) for pool in program.pools]
    in_line: list[list[int]] = [[] for _ in program.pools]
    hours = [pool.hours for pool in program.pools]
    log = _Log()
    pools, service, patience = stops.pool, stops.service, stops.patience
    later: list[tuple[int, int]] = []  # stops after another stop; the first ones lie sorted
    first, roots = stops.first, stops.roots
    place, count = 0, len(roots)
    while place < count or later:
        if place < count and (not later or first[place] <= later[0][0]):
            now, stop = first[place], roots[place]
            place += 1
        else:
            now, stop = heapq.heappop(later)
        pool = pools[stop]
        people = free[pool]
        line = in_line[pool]
        while line and line[0] <= now:
            heapq.heappop(line)
        start = people[0]
        ahead = len(line)
        silent = False
        day = hours[pool]
        if day is not None:
            start = next_opening(day, start if start > now else now)
        if start <= now:
            start = now
            left = now + service[stop]
            if day is not None:
                left = end_of_work(day, start, service[stop])
            heapq.heapreplace(people, left)
        elif start - now > patience[stop]:
            silent = True
            start = left = now + patience[stop]
            heapq.heappush(line, left)
        else:
            left = start + service[stop]
            if day is not None:
                left = end_of_work(day, start, service[stop])
            heapq.heapreplace(people, left)
            heapq.heappush(line, start)
        log.stop.append(stop)
        log.arrived.append(now)
        log.started.append(start)
        log.left.append(left)
        log.timed_out.append(silent)
        log.in_line.append(ahead)
        if silent:
            after, delay = stops.after_silence[stop], stops.delay_silence[stop]
        else:
            after, delay = stops.after_answer[stop], stops.delay_answer[stop]
        if after >= 0:
            heapq.heappush(later, (left + delay, after))
    return log


_FREE, _OPENS, _ARRIVES, _GIVES_UP = range(4)


@dataclass
class _Desk:
    """A pool while its queue is played: how many are free, and who waits in which order.

    `line` is a heap of whole numbers that sort by priority, arrival and stop; `waiting` tells of
    each stop that has not given up how many stood before it, and when it came.
    """

    block: Block
    free: int
    hours: Hours | None
    hurry_from: int
    line: list[int] = field(default_factory=list)
    waiting: dict[int, tuple[int, int]] = field(default_factory=dict)
    by_priority: list[int] = field(default_factory=lambda: [0] * (MAX_PRIORITY + 1))
    opening: int = -1


def _by_events(program: Program, stops: _Arrivals, *, hurry: bool) -> _Log:
    """Any queue: priorities, people who hurry, hours of work. Events in order of time.

    At the same moment somebody becomes free first, then people come to work, then a case arrives,
    and then patience runs out. An event is one whole number, moment before kind before pool or
    stop, since those are compared much faster than triples; and the first arrivals, which are
    sorted already, stay out of the heap.
    """
    desks = [
        _Desk(
            pool,
            pool.staff or 1,
            pool.hours,
            pool.overload.line if hurry and pool.overload is not None else _FOREVER,
        )
        for pool in program.pools
    ]
    log = _Log()
    bits = max(len(stops.pool), len(desks)).bit_length()
    mask = (1 << bits) - 1
    opens_bit, arrives_bit, gives_up_bit = (kind << bits for kind in (_OPENS, _ARRIVES, _GIVES_UP))
    shift = bits + 2
    # A moment in a line is shorter than this, whatever the replication.
    rank = _FOREVER.bit_length() + bits
    pools, service, patience, priorities = (
        stops.pool, stops.service, stops.patience, stops.priority,
    )  # fmt: skip
    events: list[int] = []
    push, pop = heapq.heappush, heapq.heappop
    write_stop, write_arrived, write_started = (
        log.stop.append, log.arrived.append, log.started.append,
    )  # fmt: skip
    write_left, write_silent = log.left.append, log.timed_out.append
    write_ahead, write_hurried = log.in_line.append, log.hurried.append

    def serve(desk: _Desk, number: int, stop: int, came: int, now: int, ahead: int) -> None:
        """Somebody who is free takes the case up."""
        desk.free -= 1
        hurried = len(desk.waiting) >= desk.hurry_from
        day, left = desk.hours, now + service[stop]
        if day is not None:
            left = end_of_work(day, now, service[stop])
        push(events, left << shift | number)
        write_stop(stop)
        write_arrived(came)
        write_started(now)
        write_left(left)
        write_silent(False)
        write_ahead(ahead)
        write_hurried(hurried)
        if hurried:
            after, delay = stops.after_hurry[stop], stops.delay_hurry[stop]
        else:
            after, delay = stops.after_answer[stop], stops.delay_answer[stop]
        if after >= 0:
            push(events, left + delay << shift | arrives_bit | after)

    def take_up(desk: _Desk, number: int, now: int) -> None:
        """Whoever is free takes the next in the line, while people work."""
        line, waiting = desk.line, desk.waiting
        while desk.free and waiting:
            if desk.hours is not None and (opens := next_opening(desk.hours, now)) > now:
                if desk.opening != opens:
                    desk.opening = opens
                    push(events, opens << shift | opens_bit | number)
                return
            stop = pop(line) & mask
            found = waiting.pop(stop, None)
            if found is None:
                continue  # it gave up
            desk.by_priority[priorities[stop]] -= 1
            serve(desk, number, stop, found[1], now, found[0])

    first = [
        now << shift | arrives_bit | stop
        for now, stop in zip(stops.first, stops.roots, strict=True)
    ]
    first.append(_FOREVER << shift)  # nothing comes after it
    place = 0
    coming = first[0]
    while events or place < len(first) - 1:
        if events and events[0] < coming:
            event = pop(events)
        else:
            event = coming
            place += 1
            coming = first[place]
        now, what, which = event >> shift, event >> bits & 3, event & mask
        if what == _FREE:
            desk = desks[which]
            desk.free += 1
            if desk.waiting:
                take_up(desk, which, now)
        elif what == _OPENS:
            take_up(desks[which], which, now)
        elif what == _ARRIVES:
            number = pools[which]
            desk = desks[number]
            if desk.free and not desk.waiting and desk.hours is None:
                serve(desk, number, which, now, now, 0)
                continue
            priority = priorities[which]
            desk.waiting[which] = (sum(desk.by_priority[: priority + 1]), now)
            desk.by_priority[priority] += 1
            push(desk.line, priority << rank | now << bits | which)
            if desk.free:
                take_up(desk, number, now)
            if patience[which] < _FOREVER and which in desk.waiting:
                push(events, now + patience[which] << shift | gives_up_bit | which)
        else:
            desk = desks[pools[which]]
            found = desk.waiting.pop(which, None)
            if found is not None:
                desk.by_priority[priorities[which]] -= 1
                write_stop(which)
                write_arrived(found[1])
                write_started(now)
                write_left(now)
                write_silent(True)
                write_ahead(found[0])
                write_hurried(False)
                after = stops.after_silence[which]
                if after >= 0:
                    push(events, now + stops.delay_silence[which] << shift | arrives_bit | after)
    return log


def next_opening(hours: Hours, now: int) -> int:
    """The first moment from `now` on at which people work, in milliseconds.

    Hours count from the start of a replication.
    """
    period = 1000 * hours.every
    within = now % REPLICATION_MS % period
    if within < 1000 * hours.start:
        return now + 1000 * hours.start - within
    return now if within < 1000 * hours.end else now + period - within + 1000 * hours.start


def end_of_work(hours: Hours, start: int, work: int) -> int:
    """When work is done that begins at an open moment and pauses outside the hours."""
    period, day = 1000 * hours.every, 1000 * (hours.end - hours.start)
    within = start % REPLICATION_MS % period - 1000 * hours.start
    # What ends just at closing time ends then, and not at the next opening.
    days = max(-(-(within + work) // day) - 1, 0)
    return start + work + days * (period - day)

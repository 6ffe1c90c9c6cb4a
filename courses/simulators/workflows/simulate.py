"""The simulation: all cases at once, with queues of people, time-outs and rushes.

Tokens advance together, step by step in topological order (a wavefront); a loop with a `max`
leads tokens back to a step that then comes up again. At a person with a queue a token stops, and a
child is made for each thing that can happen there: it is answered, or patience runs out. The
children go on at once, up to their next queue or their end. One pass over all queue arrivals in
order of time then decides which child is the real one. So routing may depend on the queue while
everything else stays vectorised.

Times are whole milliseconds and money whole micro-dollars, see `streams.duration_ms`.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checkride.lib.errors import DomainError
from courses.simulators.workflows.conditions import holds_for_each
from courses.simulators.workflows.program import (
    NEVER_MS,
    PAID,
    UNDONE,
    UNPAID,
    Program,
    Step,
)
from courses.simulators.workflows.streams import (
    Ints,
    Streams,
    amounts_in_cents,
    arrivals_ms,
    confidence_in_millionths,
    duration_ms,
    faults_of,
)
from courses.simulators.workflows.world import Block, World

NONE, APPROVE, REJECT, REWORK = range(4)
MICRO = 1_000_000
MAX_TOKENS_PER_CASE = 12


class TooManyTokens(DomainError):
    code = "too-many-visits"
    sentence = (
        "The map sends cases from one waiting person to the next so often that it cannot be run. "
        "Use fewer human steps with a time-out."
    )


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
    gave_up: Ints
    visits: NDArray[np.int16]
    counters: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.case)

    def grow(self, rows: Ints) -> Ints:
        """Append copies of these rows; gives the numbers of the new tokens."""
        first = len(self.case)
        for column in fields(self):
            values = getattr(self, column.name)
            setattr(self, column.name, np.concatenate([values, values[rows]]))
        return np.arange(first, first + len(rows))


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

    Raises `TooManyTokens` when the map makes more than 12 tokens for each case.
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
        micro=np.zeros(n, np.int64),
        elapsed=np.zeros(n, np.int64),
        stuck=np.zeros(n, np.bool_),
        end=np.full(n, -1, np.int16),
        pool=np.full(n, -1, np.int16),
        step=np.full(n, -1, np.int16),
        service=np.zeros(n, np.int64),
        answered=np.full(n, -1, np.int64),
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
        self.waiting: dict[int, list[Ints]] = {}

    def run(self) -> None:
        self.waiting = {self.program.start: [self.tokens.case.copy()]}
        place = {step: at for at, step in enumerate(self.program.order)}
        while self.waiting:
            here = min(self.waiting, key=lambda step: place[step])
            groups = self.waiting.pop(here)
            rows = np.concatenate(groups) if len(groups) > 1 else groups[0]
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

    def sees(self, block: Block, rows: Ints) -> NDArray[np.bool_]:
        """Whether the block objects to the proposal, drawn once for all its copies."""
        drawn = self.streams.pick(
            block.id, "sees", self.tokens.proposal[rows], self.tokens.case[rows]
        )
        return drawn < np.array(block.hit)[self.kind_of(rows)]

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
        children = 2 if step.patience_ms is not None else 1
        if len(tokens) + children * len(rows) > self.limit:
            raise TooManyTokens
        answered = self.child(rows)
        tokens.answered[rows] = answered
        if step.patience_ms is not None:
            gave_up = self.child(rows)
            tokens.gave_up[rows] = gave_up
            tokens.verdict[gave_up] = NONE
            self.go(step.timeout, gave_up)
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
        tokens.gave_up[new] = -1
        return new

    def answer(self, step: Step, block: Block, rows: Ints, service: Ints) -> None:
        tokens = self.tokens
        tokens.micro[rows] += round(block.cost * MICRO)
        # Micro-dollars for a millisecond: 1e6 / 3.6e6 of the hourly rate.
        tokens.micro[rows] += np.rint(service * (block.cost_per_hour / 3.6)).astype(np.int64)
        if step.node.kind == "escalation":
            good = (tokens.fault[rows] == 0) | (tokens.fault[rows] == self.cured)
            taken_back = np.where(tokens.payment[rows] == UNPAID, UNPAID, UNDONE)
            tokens.payment[rows] = np.where(good, PAID, taken_back)
            tokens.verdict[rows] = np.where(good, APPROVE, REJECT)
        else:
            objects = self.sees(block, rows)
            bit = 1 << self.block_number[block.id]
            drawn = self.streams.uniform(block.id, "sends back")[tokens.case[rows]]
            back = objects & (drawn < block.rework_share) & ((tokens.sent_back[rows] & bit) == 0)
            tokens.sent_back[rows[back]] |= bit
            tokens.verdict[rows] = np.where(back, REWORK, np.where(objects, REJECT, APPROVE))
        self.go(step.ok, rows)


def settle(run: Run, *, time_outs: bool = True) -> Settled:
    """Decide the queues: first come, first served, by each pool's people.

    Without `time_outs` everybody waits until answered, with the same cases and the same luck.
    """
    tokens, program, world = run.tokens, run.program, run.program.world
    n = run.streams.total
    final = np.arange(n)
    base = run.arrival_ms.copy()
    pools = program.pools
    log: list[tuple[int, int, int, int, bool, int]] = []
    roots = np.flatnonzero(tokens.pool[:n] >= 0)
    if len(roots):
        log = _serve(run, roots, time_outs)
    count = len(log)
    columns = np.array(log, dtype=np.int64).reshape(count, 6)
    waits = Waits(
        token=columns[:, 0],
        case=tokens.case[columns[:, 0]],
        pool=tokens.pool[columns[:, 0]].astype(np.int64),
        arrived=columns[:, 1],
        started=columns[:, 2],
        left=columns[:, 3],
        timed_out=columns[:, 4].astype(np.bool_),
        in_line=columns[:, 5],
    )
    child = np.where(waits.timed_out, tokens.gave_up[waits.token], tokens.answered[waits.token])
    # The log is in order of time, so the last entry of a case wins.
    final[waits.case] = child
    base[waits.case] = waits.left
    work = np.zeros((len(pools), n), np.int64)
    served_now = ~waits.timed_out
    np.add.at(
        work,
        (waits.pool[served_now], waits.case[served_now]),
        tokens.service[waits.token[served_now]],
    )
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


def _serve(run: Run, roots: Ints, time_outs: bool) -> list[tuple[int, int, int, int, bool, int]]:
    """One pass over all queue arrivals in order of time.

    The people of a pool are a heap of the times at which each is free again. A case is taken by
    the first who is free; when that is later than its patience, it leaves and takes nobody's time.
    """
    tokens = run.tokens
    pool_of = tokens.pool.tolist()
    elapsed = tokens.elapsed.tolist()
    service = tokens.service.tolist()
    answered = tokens.answered.tolist()
    gave_up = tokens.gave_up.tolist()
    patience = [step.patience_ms if time_outs else None for step in run.program.steps]
    step_of = tokens.step.tolist()
    free = [[0] * (pool.staff or 1) for pool in run.program.pools]
    in_line: list[list[int]] = [[] for _ in run.program.pools]
    first = run.arrival_ms[tokens.case[roots]] + tokens.elapsed[roots]
    heap = list(zip(first.tolist(), roots.tolist(), strict=True))
    heapq.heapify(heap)
    log = []
    while heap:
        now, token = heapq.heappop(heap)
        pool = pool_of[token]
        people = free[pool]
        line = in_line[pool]
        while line and line[0] <= now:
            heapq.heappop(line)
        start = max(people[0], now)
        limit = patience[step_of[token]]
        ahead = len(line)
        if limit is not None and start - now > limit:
            left = now + limit
            child = gave_up[token]
            log.append((token, now, left, left, True, ahead))
            heapq.heappush(line, left)
        else:
            left = start + service[token]
            heapq.heapreplace(people, left)
            child = answered[token]
            log.append((token, now, start, left, False, ahead))
            if start > now:
                heapq.heappush(line, start)
        if pool_of[child] >= 0:
            heapq.heappush(heap, (left + elapsed[child], child))
    return log

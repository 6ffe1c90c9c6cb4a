"""The exact engine: expectations over all cases, without drawing one.

A map whose loops all carry a `max` unfolds into a finite graph of hidden states without a circle
(step, fault, cell of the amount, cell of the confidence, flags, what each block has seen, loop
counters). Probability flows through it once, from the trigger to the ends. Since every comparison
in a map cuts amounts and confidences at a constant, a cell stands exactly for all cases in it.

Valid without time-outs; where a map has them, the grader adds the simulated difference. Waiting is
not part of the chain; `Pool.load` is exact because work does not depend on the queue.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from scipy.special import ndtr

from checkride.lib.errors import DomainError
from courses.simulators.workflows import conditions
from courses.simulators.workflows.conditions import VERDICTS, Value
from courses.simulators.workflows.program import (
    CENT,
    CONFIDENCE_UNIT,
    PAID,
    UNDONE,
    UNPAID,
    Program,
    Step,
)
from courses.simulators.workflows.world import Block, World

MAX_STATES = 30_000
NONE, APPROVE, REJECT, REWORK = range(4)


class TooManyStates(DomainError):
    code = "too-many-states"
    sentence = (
        "The map distinguishes more than {most:,} situations, which is too many to calculate. "
        "Use fewer thresholds and shorter loops."
    )

    def __init__(self) -> None:
        super().__init__(most=MAX_STATES)


@dataclass(frozen=True, slots=True)
class Cell:
    """A range of a number with one value that stands for it in comparisons."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class State:
    """A situation of a case. `fault` is an index; one past the last is a cured fault.

    `seen` has a slot for each block that judges: 0 unknown, else 1 + what it saw.
    """

    step: int
    fault: int
    amount: int = 0
    confidence: int = -1
    flagged: bool = False
    alarm: bool = False
    verdict: int = NONE
    payment: int = UNPAID
    seen: tuple[int, ...] = ()
    counters: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Exact:
    """Expectations for one case. Money in dollars, work in seconds by pool.

    `served` is the share of good cases that were paid in the end; `escaped` the share of all cases
    in which a harmful payment stood; `cured` that of cases whose fault the agent mended.
    """

    harm: float
    cost: float
    served: float
    escaped: float
    cured: float
    good: float
    work_s: Mapping[str, float]
    loads: Mapping[str, float]
    visits: Mapping[str, float]
    ends: Mapping[str, float]
    stuck: float
    states: int


def amount_cells(world: World, numbers: tuple[float, ...]) -> list[Cell]:
    """The cells of the amount in dollars, exact for amounts that are rounded to cents."""
    return _cells(numbers, CENT, math.inf)


def confidence_cells(numbers: tuple[float, ...]) -> list[Cell]:
    return _cells(numbers, CONFIDENCE_UNIT, 1.0)


def _cells(numbers: tuple[float, ...], unit: float, most: float) -> list[Cell]:
    """Cut the numbers 0, unit, 2 unit, ... at the constants; ranges of the value before rounding."""
    per_unit = round(1 / unit)
    top = math.inf if most == math.inf else round(most * per_unit)
    cuts: list[tuple[int, int]] = []  # whole units, both ends included
    low = 0
    for number in sorted(set(numbers)):
        at = number * per_unit
        point = round(at)
        # A constant that lies between two units has no values of its own.
        exact = point / per_unit == number
        below = point - 1 if exact else math.floor(at)
        if below >= low:
            cuts.append((low, below))
            low = below + 1
        if exact and point >= low and point <= top:
            cuts.append((point, point))
            low = point + 1
    cells = [
        Cell(
            first / per_unit if first == last else (first + last) / 2 / per_unit,
            0.0 if first == 0 else (first - 0.5) / per_unit,
            most if last == top else (last + 0.5) / per_unit,
        )
        for first, last in cuts
        if first <= top
    ]
    if low <= top:
        stands = (low + 1) / per_unit if top == math.inf else (low + top) / 2 / per_unit
        cells.append(Cell(stands, 0.0 if low == 0 else (low - 0.5) / per_unit, most))
    return cells


def _amount_share(world: World, cell: Cell) -> tuple[float, float]:
    """P(amount in the cell) and E[amount; amount in the cell] of the lognormal amount."""
    mu = math.log(world.amount_median)
    sigma = world.amount_sigma

    def z(amount: float) -> float:
        if amount <= 0:
            return -math.inf
        return math.inf if amount == math.inf else (math.log(amount) - mu) / sigma

    low, high = z(cell.low), z(cell.high)
    mean = math.exp(mu + sigma**2 / 2)
    share = float(ndtr(high) - ndtr(low))
    part = mean * float(ndtr(high - sigma) - ndtr(low - sigma))
    return share, part


def _confidence_share(shape: tuple[float, float], cell: Cell) -> float:
    """P(confidence in the cell) for the Kumaraswamy distribution 1 - (1 - x^a)^b."""
    a, b = shape

    def below(x: float) -> float:
        return 1.0 if x >= 1 else 1 - (1 - max(x, 0.0) ** a) ** b

    return below(cell.high) - below(cell.low)


class _Chain:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.world = program.world
        self.amounts = amount_cells(self.world, program.constants("amount"))
        self.confidences = confidence_cells(program.constants("confidence"))
        self.cured = len(self.world.faults)
        self.slots = {
            slot: number
            for number, slot in enumerate(
                [(block.id, "sees") for block in program.blocks if block.hit]
                + [(block.id, "proposes") for block in program.blocks if block.confidence]
                + [(block.id, "sent back") for block in program.blocks if block.rework_share]
                + [(block.id, "cures") for block in program.blocks if block.cure_on_rework]
                + [(block.id, "reverses") for block in program.blocks if block.kind == "rollback"]
            )
        }
        self.of_proposal = [
            n for (_, what), n in self.slots.items() if what in ("sees", "proposes")
        ]
        self.keeps = [self._keeps(step) for step in program.steps]

    def _keeps(self, step: Step) -> tuple[frozenset[str], frozenset[int], frozenset[int]]:
        """What still matters from this step on: variables asked about, slots, loop counters.

        Everything else is forgotten, which merges states and changes no probability.
        """
        reach = [self.program.steps[index] for index in self.program.reach[step.index]]
        asked = {
            name
            for other in reach
            for choice in other.choices
            for name in conditions.variables(choice.condition)
        }
        blocks = {other.block.id for other in reach if other.block}
        # An agent may be asked to redo a case, which depends on the verdict.
        if any(other.node.kind == "agent" for other in reach):
            asked.add("verdict")
        return (
            frozenset(asked),
            frozenset(n for (block, _), n in self.slots.items() if block in blocks),
            frozenset(
                choice.counter
                for other in reach
                for choice in other.choices
                if choice.counter is not None
            ),
        )

    def settle(self, state: State) -> State:
        asked, slots, counters = self.keeps[state.step]
        harmless = state.fault in (0, self.cured)
        return State(
            step=state.step,
            fault=state.fault,
            amount=state.amount if "amount" in asked or not harmless else 0,
            confidence=state.confidence if "confidence" in asked else -1,
            flagged=state.flagged and "flagged" in asked,
            alarm=state.alarm and "alarm" in asked,
            verdict=state.verdict if "verdict" in asked else NONE,
            payment=state.payment,
            seen=tuple(value if n in slots else 0 for n, value in enumerate(state.seen)),
            counters=tuple(value if n in counters else 0 for n, value in enumerate(state.counters)),
        )

    def kind_of(self, fault: int) -> int:
        """The row of the world's tables: a cured case looks like a faultless one."""
        return 0 if fault == self.cured else fault

    def follow(self, state: State) -> list[tuple[float, State]]:
        """Where a case in this state goes next, with probabilities; empty at an end or when stuck."""
        step = self.program.steps[state.step]
        match step.node.kind:
            case "end":
                return []
            case "gateway":
                return [(1.0, self._choose(step, state))]
            case "tool":
                return self._tool(step, state)
            case "agent":
                return self._agent(step, state)
            case "guard" | "monitor":
                return self._watch(step, state)
            case "human":
                return self._human(step, state)
            case "escalation":
                return [(1.0, self._escalation(step, state))]
            case "rollback":
                return self._rollback(step, state)
            case _:
                return [(1.0, self._go(state, step.ok))]

    def _go(self, state: State, edge: int | None, **changes: object) -> State:
        assert edge is not None  # noqa: S101  # the gates hold
        fields = {name: getattr(state, name) for name in State.__slots__}
        fields.update(changes)
        fields["step"] = self.program.heads[edge]
        return State(**fields)

    def _slot(self, state: State, block: Block, what: str) -> int:
        return state.seen[self.slots[(block.id, what)]]

    def _put(self, state: State, block: Block, what: str, value: int) -> tuple[int, ...]:
        number = self.slots[(block.id, what)]
        return (*state.seen[:number], value, *state.seen[number + 1 :])

    def _choose(self, step: Step, state: State) -> State:
        values: dict[str, Value] = {
            "confidence": self.confidences[state.confidence].value
            if state.confidence >= 0
            else 0.0,
            "amount": self.amounts[state.amount].value,
            "flagged": state.flagged,
            "alarm": state.alarm,
            "verdict": VERDICTS[state.verdict],
        }
        for choice in step.choices:
            if not conditions.holds(choice.condition, values):
                continue
            if choice.counter is None:
                return self._go(state, choice.edge)
            count = state.counters[choice.counter]
            if count < choice.most:
                at = choice.counter
                counters = (*state.counters[:at], count + 1, *state.counters[at + 1 :])
                return self._go(state, choice.edge, counters=counters)
        return self._go(state, step.otherwise)

    def _tool(self, step: Step, state: State) -> list[tuple[float, State]]:
        block = step.block
        assert block is not None  # noqa: S101
        fails = block.fail ** (1 + (step.node.retries or 0))
        payment = PAID if step.acts and state.payment == UNPAID else state.payment
        ways = [(1 - fails, self._go(state, step.ok, payment=payment))]
        if fails and step.error is not None:
            ways.append((fails, self._go(state, step.error)))
        return ways

    def _agent(self, step: Step, state: State) -> list[tuple[float, State]]:
        block = step.block
        assert block is not None  # noqa: S101
        redo = state.verdict == REWORK
        seen = state.seen
        ways: list[tuple[float, int, tuple[int, ...]]] = [(1.0, state.fault, seen)]
        if redo:
            fresh = tuple(0 if n in self.of_proposal else value for n, value in enumerate(seen))
            ways = [(1.0, state.fault, fresh)]
            if block.cure_on_rework and state.fault not in (0, self.cured):
                slot = self.slots[(block.id, "cures")]
                cured = (*fresh[:slot], 2, *fresh[slot + 1 :])
                not_cured = (*fresh[:slot], 1, *fresh[slot + 1 :])
                if fresh[slot] == 0:
                    p = block.cure_on_rework
                    ways = [(p, self.cured, cured), (1 - p, state.fault, not_cured)]
        found: list[tuple[float, State]] = []
        for p, fault, slots in ways:
            known = slots[self.slots[(block.id, "proposes")]] if block.confidence else 1
            if not block.confidence:
                found.append((p, self._go(state, step.ok, fault=fault, seen=slots, verdict=NONE)))
                continue
            shares = [
                (_confidence_share(block.confidence[self.kind_of(fault)], cell), number)
                for number, cell in enumerate(self.confidences)
            ]
            if known:
                shares = [(1.0, known - 1)]
            number_slot = self.slots[(block.id, "proposes")]
            for share, number in shares:
                if share <= 0:
                    continue
                after = (*slots[:number_slot], 1 + number, *slots[number_slot + 1 :])
                found.append(
                    (
                        p * share,
                        self._go(
                            state,
                            step.ok,
                            fault=fault,
                            confidence=number,
                            verdict=NONE,
                            seen=after,
                        ),
                    )
                )
        return found

    def _sees(self, state: State, block: Block) -> list[tuple[float, bool, tuple[int, ...]]]:
        """Whether the block objects to this proposal, and what is remembered of it."""
        known = self._slot(state, block, "sees")
        if known:
            return [(1.0, known == 2, state.seen)]
        p = block.hit[self.kind_of(state.fault)]
        return [
            (share, objects, self._put(state, block, "sees", 2 if objects else 1))
            for share, objects in ((p, True), (1 - p, False))
            if share > 0
        ]

    def _watch(self, step: Step, state: State) -> list[tuple[float, State]]:
        block = step.block
        assert block is not None  # noqa: S101
        if step.node.kind == "guard":
            return [
                (p, self._go(state, step.ok, flagged=sees, seen=seen))
                for p, sees, seen in self._sees(state, block)
            ]
        if state.payment == UNPAID:
            return [(1.0, self._go(state, step.ok, alarm=False))]
        return [
            (p, self._go(state, step.ok, alarm=sees, seen=seen))
            for p, sees, seen in self._sees(state, block)
        ]

    def _human(self, step: Step, state: State) -> list[tuple[float, State]]:
        block = step.block
        assert block is not None  # noqa: S101
        found = []
        for p, objects, seen in self._sees(state, block):
            here = self._go(state, step.ok, seen=seen, verdict=REJECT if objects else APPROVE)
            if not objects or not block.rework_share or self._slot(here, block, "sent back"):
                found.append((p, here))
                continue
            # Drawn once for a case: what was kept the first time is kept again.
            back = self._put(here, block, "sent back", 1)
            kept = self._put(here, block, "sent back", 2)
            found.append(
                (p * block.rework_share, self._go(state, step.ok, seen=back, verdict=REWORK))
            )
            found.append(
                (p * (1 - block.rework_share), self._go(state, step.ok, seen=kept, verdict=REJECT))
            )
        return found

    def _escalation(self, step: Step, state: State) -> State:
        if state.fault == 0 or state.fault == self.cured:
            return self._go(state, step.ok, payment=PAID, verdict=APPROVE)
        taken_back = UNPAID if state.payment == UNPAID else UNDONE
        return self._go(state, step.ok, payment=taken_back, verdict=REJECT)

    def _rollback(self, step: Step, state: State) -> list[tuple[float, State]]:
        block = step.block
        assert block is not None  # noqa: S101
        if state.payment != PAID:
            return [(1.0, self._go(state, step.ok))]
        known = self._slot(state, block, "reverses")
        found = []
        for p, works in ((block.success, True), (1 - block.success, False)):
            share = p if known == 0 else float(works == (known == 2))
            if share <= 0:
                continue
            seen = self._put(state, block, "reverses", 2 if works else 1)
            if works:
                found.append((share, self._go(state, step.ok, payment=UNDONE, seen=seen)))
            else:
                way = step.error if step.error is not None else step.ok
                found.append((share, self._go(state, way, seen=seen)))
        return found

    def starts(self) -> list[tuple[float, State]]:
        seen = (0,) * len(self.slots)
        counters = (0,) * self.program.counters
        merged: dict[State, float] = {}
        for fault_index, fault in enumerate(self.world.faults):
            for cell_index, cell in enumerate(self.amounts):
                p = fault.p * _amount_share(self.world, cell)[0]
                state = self.settle(
                    State(
                        self.program.start,
                        fault_index,
                        cell_index,
                        seen=seen,
                        counters=counters,
                    )
                )
                merged[state] = merged.get(state, 0.0) + p
        return [(p, state) for state, p in merged.items()]

    def cost_of(self, step: Step) -> tuple[float, float]:
        """Mean dollars and mean seconds of a person's work for one visit."""
        block = step.block
        if block is None:
            return 0.0, 0.0
        tries = 1.0
        if step.node.kind == "tool":
            tries = sum(block.fail**k for k in range(1 + (step.node.retries or 0)))
        by_time = block.secs / 3600 * block.cost_per_hour
        return tries * block.cost + by_time, block.secs


def run_exact(program: Program) -> Exact:
    """Expectations of one case in this map and world, without time-outs.

    Raises `TooManyStates` when the map unfolds into more than 30,000 states.
    """
    chain = _Chain(program)
    starts = chain.starts()
    numbers: dict[State, int] = {}
    ways: list[list[tuple[float, int]]] = []
    states: list[State] = []
    stack: deque[State] = deque()

    def number(state: State) -> int:
        known = numbers.get(state)
        if known is None:
            known = numbers[state] = len(states)
            if known >= MAX_STATES:
                raise TooManyStates
            states.append(state)
            ways.append([])
            stack.append(state)
        return known

    mass_at_start = [(p, number(state)) for p, state in starts]
    while stack:
        state = stack.popleft()
        here = numbers[state]
        for p, after in chain.follow(state):
            ways[here].append((p, number(chain.settle(after))))
    inward = [0] * len(states)
    for outs in ways:
        for _, after_number in outs:
            inward[after_number] += 1
    mass = [0.0] * len(states)
    for p, start_number in mass_at_start:
        mass[start_number] += p
    ready = deque(index for index, count in enumerate(inward) if count == 0)
    while ready:
        here = ready.popleft()
        for p, after_number in ways[here]:
            mass[after_number] += p * mass[here]
            inward[after_number] -= 1
            if inward[after_number] == 0:
                ready.append(after_number)
    return _sum_up(chain, states, ways, mass)


def _sum_up(
    chain: _Chain, states: list[State], ways: list[list[tuple[float, int]]], mass: list[float]
) -> Exact:
    program, world = chain.program, chain.world
    harm = cost = served = escaped = cured = stuck = 0.0
    work = {pool.id: 0.0 for pool in program.pools}
    visits = dict.fromkeys((step.node.id for step in program.steps), 0.0)
    ends: dict[str, float] = {}
    shares = [_amount_share(world, cell) for cell in chain.amounts]
    costs = [chain.cost_of(step) for step in program.steps]
    for state, outs, p in zip(states, ways, mass, strict=True):
        step = program.steps[state.step]
        visits[step.node.id] += p
        money, seconds = costs[state.step]
        cost += p * money
        if step.block is not None and step.block.id in work:
            work[step.block.id] += p * seconds
        left = p * (1 - sum(q for q, _ in outs))
        if outs and left < 1e-15:
            continue
        if step.node.kind == "end":
            ends[step.node.id] = ends.get(step.node.id, 0.0) + left
        else:
            stuck += left
        if state.payment == PAID and state.fault == 0:
            served += left
        if state.fault == chain.cured:
            cured += left
        if state.payment == PAID and 0 < state.fault < chain.cured:
            fault = world.faults[state.fault]
            share, part = shares[state.amount]
            mean = part / share if share else 0.0
            harm += left * (fault.share * mean + fault.plus)
            if fault.share or fault.plus:
                escaped += left
    good = world.faults[0].p
    return Exact(
        harm=harm,
        cost=cost,
        served=served / good,
        escaped=escaped,
        cured=cured,
        good=good,
        work_s=work,
        loads={
            pool.id: work[pool.id] * world.mean_per_hour / 3600 / (pool.staff or 1)
            for pool in program.pools
        },
        visits=visits,
        ends=ends,
        stuck=stuck,
        states=len(states),
    )

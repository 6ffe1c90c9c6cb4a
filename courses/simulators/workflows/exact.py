"""The exact engine: expectations over all cases, without drawing one.

A map whose loops all carry a `max` unfolds into a finite graph of hidden states without a circle
(step, fault, cell of the amount, cell of the confidence, flags, what each block has seen, loop
counters). Probability flows through it once, from the trigger to the ends. Since every comparison
in a map cuts amounts and confidences at a constant, a cell stands exactly for all cases in it.

Valid where no queue decides where a case goes, that is without time-outs and without people who
hurry when the line is long; where a map has them, the grader adds the simulated difference.
Waiting is not part of the chain; `loads` are exact because work does not depend on the queue.

A state is one whole number with a few bits for each thing it remembers, because millions of them
are made in a class of learners, and numbers are cheap to copy, compare and forget parts of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
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
from courses.simulators.workflows.world import World

MAX_STATES = 30_000
NONE, APPROVE, REJECT, REWORK = range(4)
# What is remembered of a judgement that is drawn once: not yet drawn, no, yes.
UNKNOWN, NO, YES = range(3)

Way = tuple[float, int, int]  # probability, edge, state


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


@dataclass(frozen=True, slots=True)
class _Field:
    """A few bits of a state."""

    shift: int
    low: int

    @property
    def mask(self) -> int:
        return self.low << self.shift

    def get(self, state: int) -> int:
        return (state >> self.shift) & self.low

    def put(self, state: int, value: int) -> int:
        return (state & ~(self.low << self.shift)) | (value << self.shift)


class _Chain:
    """The fields of a state and what each step does with one; used once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.world = program.world
        self.amounts = amount_cells(self.world, program.constants("amount"))
        self.confidences = confidence_cells(program.constants("confidence"))
        self.cured = len(self.world.faults)
        self._bits = 0
        self.fault = self._field(self.cured)
        self.amount = self._field(len(self.amounts) - 1)
        self.confidence = self._field(len(self.confidences))  # 0: nobody has proposed yet
        self.flagged = self._field(1)
        self.alarm = self._field(1)
        self.verdict = self._field(REWORK)
        self.payment = self._field(UNDONE)
        self.slots: dict[tuple[str, str], _Field] = {}
        for block in program.blocks:
            if block.hit:
                self.slots[(block.id, "sees")] = self._field(YES)
            if block.confidence:
                self.slots[(block.id, "proposes")] = self._field(len(self.confidences))
            if block.rework_share:
                self.slots[(block.id, "sent back")] = self._field(YES)
            if block.cure_on_rework:
                self.slots[(block.id, "cures")] = self._field(YES)
            if block.kind == "rollback":
                self.slots[(block.id, "reverses")] = self._field(YES)
            if block.kind == "escalation" and block.success < 1:
                self.slots[(block.id, "takes back")] = self._field(YES)
        self.counters = [
            self._field(choice.most)
            for choice in sorted(
                (c for step in program.steps for c in step.choices if c.counter is not None),
                key=lambda choice: choice.counter or 0,
            )
        ]
        # A new proposal has not been looked at by anybody.
        self.of_proposal = 0
        for (_, what), field in self.slots.items():
            if what in ("sees", "proposes"):
                self.of_proposal |= field.mask
        self.keeps = [self._keeps(step) for step in program.steps]
        self.follow = [self._follower(step) for step in program.steps]

    def _field(self, most: int) -> _Field:
        width = most.bit_length()
        field = _Field(self._bits, (1 << width) - 1)
        self._bits += width
        return field

    def _keeps(self, step: Step) -> tuple[int, int]:
        """Which bits still matter from this step on, for a harmless and for a harmful case.

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
        kept = self.fault.mask | self.payment.mask
        for name in ("confidence", "flagged", "alarm", "verdict"):
            if name in asked:
                kept |= getattr(self, name).mask
        for (block, _), field in self.slots.items():
            if block in blocks:
                kept |= field.mask
        for other in reach:
            for choice in other.choices:
                if choice.counter is not None:
                    kept |= self.counters[choice.counter].mask
        harmful = kept | self.amount.mask
        return (harmful if "amount" in asked else kept), harmful

    def settle(self, step: int, state: int) -> int:
        """The state with everything forgotten that no longer matters at this step."""
        harmless = self.fault.get(state) in (0, self.cured)
        return state & self.keeps[step][0 if harmless else 1]

    def kind_of(self, state: int) -> int:
        """The row of the world's tables: a cured case looks like a faultless one."""
        fault = self.fault.get(state)
        return 0 if fault == self.cured else fault

    # -- what a step does ----------------------------------------------------------------------

    def _follower(self, step: Step) -> Callable[[int], Iterable[Way]]:
        """Where a case in a state goes from this step; nothing at an end or when it is stuck."""
        match step.node.kind:
            case "end":
                return lambda _state: ()
            case "gateway":
                return self._gateway(step)
            case "tool":
                return self._tool(step)
            case "agent":
                return self._agent(step)
            case "guard" | "monitor":
                return self._watch(step)
            case "human":
                return self._human(step)
            case "escalation":
                return self._escalation(step)
            case "rollback":
                return self._rollback(step)
            case _:
                edge = _needed(step.ok)
                return lambda state: ((1.0, edge, state),)

    def _gateway(self, step: Step) -> Callable[[int], Iterable[Way]]:
        matters = 0
        for choice in step.choices:
            for name in conditions.variables(choice.condition):
                matters |= getattr(self, name).mask
            if choice.counter is not None:
                matters |= self.counters[choice.counter].mask
        known: dict[int, tuple[int, _Field | None]] = {}

        def follow(state: int) -> Iterable[Way]:
            seen = state & matters
            found = known.get(seen)
            if found is None:
                found = known[seen] = self._chosen(step, seen)
            edge, counter = found
            if counter is not None:
                state = counter.put(state, counter.get(state) + 1)
            return ((1.0, edge, state),)

        return follow

    def _chosen(self, step: Step, state: int) -> tuple[int, _Field | None]:
        confidence = self.confidence.get(state)
        values: dict[str, Value] = {
            "confidence": self.confidences[confidence - 1].value if confidence else 0.0,
            "amount": self.amounts[self.amount.get(state)].value,
            "flagged": bool(self.flagged.get(state)),
            "alarm": bool(self.alarm.get(state)),
            "verdict": VERDICTS[self.verdict.get(state)],
        }
        for choice in step.choices:
            if not conditions.holds(choice.condition, values):
                continue
            if choice.counter is None:
                return choice.edge, None
            counter = self.counters[choice.counter]
            if counter.get(state) < choice.most:
                return choice.edge, counter
        return _needed(step.otherwise), None

    def _tool(self, step: Step) -> Callable[[int], Iterable[Way]]:
        block = step.block
        assert block is not None  # noqa: S101
        fails = block.fail ** (1 + (step.node.retries or 0))
        ok = _needed(step.ok)

        def follow(state: int) -> Iterable[Way]:
            done = state
            if step.acts and self.payment.get(state) == UNPAID:
                done = self.payment.put(state, PAID)
            yield 1 - fails, ok, done
            if fails and step.error is not None:
                yield fails, step.error, state

        return follow

    def _agent(self, step: Step) -> Callable[[int], Iterable[Way]]:
        block = step.block
        assert block is not None  # noqa: S101
        ok = _needed(step.ok)
        cures = self.slots.get((block.id, "cures"))
        proposes = self.slots.get((block.id, "proposes"))
        shares = [
            [
                (share, number)
                for number, cell in enumerate(self.confidences)
                if (share := _confidence_share(shape, cell)) > 0
            ]
            for shape in block.confidence
        ]

        def redone(state: int) -> Iterable[tuple[float, int]]:
            state &= ~self.of_proposal
            harmless = self.fault.get(state) in (0, self.cured)
            if cures is None or harmless or cures.get(state) != UNKNOWN:
                return ((1.0, state),)
            better = self.fault.put(cures.put(state, YES), self.cured)
            p = block.cure_on_rework
            return ((p, better), (1 - p, cures.put(state, NO)))

        def follow(state: int) -> Iterable[Way]:
            again = self.verdict.get(state) == REWORK
            for p, here in redone(state) if again else ((1.0, state),):
                here = self.verdict.put(here, NONE)
                if proposes is None:
                    yield p, ok, here
                    continue
                known = proposes.get(here)
                if known:
                    yield p, ok, self.confidence.put(here, known)
                    continue
                for share, number in shares[self.kind_of(here)]:
                    after = proposes.put(here, number + 1)
                    yield p * share, ok, self.confidence.put(after, number + 1)

        return follow

    def _sees(self, state: int, slot: _Field, hit: float) -> Iterable[tuple[float, bool, int]]:
        """Whether a block objects to this proposal, and the state that remembers it."""
        known = slot.get(state)
        if known != UNKNOWN:
            yield 1.0, known == YES, state
            return
        if hit > 0:
            yield hit, True, slot.put(state, YES)
        if hit < 1:
            yield 1 - hit, False, slot.put(state, NO)

    def _watch(self, step: Step) -> Callable[[int], Iterable[Way]]:
        block = step.block
        assert block is not None  # noqa: S101
        ok = _needed(step.ok)
        slot = self.slots[(block.id, "sees")]
        guard = step.node.kind == "guard"
        says = self.flagged if guard else self.alarm

        def follow(state: int) -> Iterable[Way]:
            if not guard and self.payment.get(state) == UNPAID:
                return [(1.0, ok, self.alarm.put(state, 0))]
            hit = block.hit[self.kind_of(state)]
            return [
                (p, ok, says.put(after, sees)) for p, sees, after in self._sees(state, slot, hit)
            ]

        return follow

    def _human(self, step: Step) -> Callable[[int], Iterable[Way]]:
        block = step.block
        assert block is not None  # noqa: S101
        ok = _needed(step.ok)
        slot = self.slots[(block.id, "sees")]
        sent_back = self.slots.get((block.id, "sent back"))

        def follow(state: int) -> Iterable[Way]:
            hit = block.hit[self.kind_of(state)]
            for p, objects, after in self._sees(state, slot, hit):
                here = self.verdict.put(after, REJECT if objects else APPROVE)
                if not objects or sent_back is None or sent_back.get(here) != UNKNOWN:
                    yield p, ok, here
                    continue
                # Drawn once for a case: what was kept the first time is kept again.
                back = self.verdict.put(sent_back.put(here, NO), REWORK)
                yield p * block.rework_share, ok, back
                if block.rework_share < 1:
                    yield p * (1 - block.rework_share), ok, sent_back.put(here, YES)

        return follow

    def _escalation(self, step: Step) -> Callable[[int], Iterable[Way]]:
        block = step.block
        assert block is not None  # noqa: S101
        ok = _needed(step.ok)
        slot = self.slots.get((block.id, "takes back"))

        def follow(state: int) -> Iterable[Way]:
            if self.fault.get(state) in (0, self.cured):
                return ((1.0, ok, self.payment.put(self.verdict.put(state, APPROVE), PAID)),)
            here = self.verdict.put(state, REJECT)
            payment = self.payment.get(state)
            if payment == UNPAID:
                return ((1.0, ok, here),)
            if payment == UNDONE or slot is None:
                return ((1.0, ok, self.payment.put(here, UNDONE)),)
            return [
                (p, ok, self.payment.put(after, UNDONE if works else PAID))
                for p, works, after in self._sees(here, slot, block.success)
            ]

        return follow

    def _rollback(self, step: Step) -> Callable[[int], Iterable[Way]]:
        block = step.block
        assert block is not None  # noqa: S101
        ok = _needed(step.ok)
        failed = step.error if step.error is not None else ok
        slot = self.slots[(block.id, "reverses")]

        def follow(state: int) -> Iterable[Way]:
            if self.payment.get(state) != PAID:
                yield 1.0, ok, state
                return
            for p, works, after in self._sees(state, slot, block.success):
                if works:
                    yield p, ok, self.payment.put(after, UNDONE)
                else:
                    yield p, failed, after

        return follow

    # -- the beginning and the price -----------------------------------------------------------

    def starts(self) -> dict[int, float]:
        merged: dict[int, float] = {}
        shares = [_amount_share(self.world, cell)[0] for cell in self.amounts]
        for number, fault in enumerate(self.world.faults):
            for cell, share in enumerate(shares):
                state = self.amount.put(self.fault.put(0, number), cell)
                state = self.settle(self.program.start, state)
                merged[state] = merged.get(state, 0.0) + fault.p * share
        return merged

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


def _needed(edge: int | None) -> int:
    assert edge is not None  # noqa: S101  # the gates hold
    return edge


def run_exact(program: Program) -> Exact:
    """Expectations of one case in this map and world, where no queue decides.

    Raises `TooManyStates` when the map unfolds into more than 30,000 states.
    """
    chain = _Chain(program)
    place = {step: at for at, step in enumerate(program.order)}
    heads, settle = program.heads, chain.settle
    waiting: dict[int, dict[int, float]] = {program.start: chain.starts()}
    visits = [0.0] * len(program.steps)
    rest: list[tuple[int, int, float]] = []  # where probability came to lie: step, state, share
    count = 0
    # Step by step onward, as the simulation does. A way with a `max` leads back; what comes that
    # way differs in its counter, or flows through once more.
    while waiting:
        here = min(waiting, key=place.__getitem__)
        states = waiting.pop(here)
        count += len(states)
        if count > MAX_STATES:
            raise TooManyStates
        follow = chain.follow[here]
        for state, mass in states.items():
            visits[here] += mass
            left = mass
            for p, edge, after in follow(state):
                head = heads[edge]
                after = settle(head, after)
                there = waiting.setdefault(head, {})
                there[after] = there.get(after, 0.0) + p * mass
                left -= p * mass
            if left > 1e-15:
                rest.append((here, state, left))
    return _sum_up(chain, visits, rest, count)


def _sum_up(
    chain: _Chain, visits: list[float], rest: list[tuple[int, int, float]], count: int
) -> Exact:
    program, world = chain.program, chain.world
    harm = served = escaped = cured = stuck = 0.0
    cost = world.standing_micro / 1_000_000
    work = {pool.id: 0.0 for pool in program.pools}
    for step, visited in zip(program.steps, visits, strict=True):
        money, seconds = chain.cost_of(step)
        cost += visited * money
        if step.block is not None and step.block.id in work:
            work[step.block.id] += visited * seconds
    ends: dict[str, float] = {}
    shares = [_amount_share(world, cell) for cell in chain.amounts]
    for step_index, state, mass in rest:
        node = program.steps[step_index].node
        if node.kind == "end":
            ends[node.id] = ends.get(node.id, 0.0) + mass
        else:
            stuck += mass
        fault_index = chain.fault.get(state)
        if fault_index == chain.cured:
            cured += mass
        if chain.payment.get(state) != PAID:
            continue
        if fault_index == 0:
            served += mass
        elif fault_index < chain.cured:
            fault = world.faults[fault_index]
            share, part = shares[chain.amount.get(state)]
            mean = part / share if share else 0.0
            harm += mass * (fault.share * mean + fault.plus)
            if fault.share or fault.plus:
                escaped += mass
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
            pool.id: work[pool.id] * world.mean_per_hour / 3600 / pool.at_work
            for pool in program.pools
        },
        visits={step.node.id: visited for step, visited in zip(program.steps, visits, strict=True)},
        ends=ends,
        stuck=stuck,
        states=count,
    )

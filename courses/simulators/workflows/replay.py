"""One case, told step by step: the same rules as the engines, with every question as it was asked.

A replay draws nothing of its own. It reads the numbers that the simulation drew for this case and
the waits that the queues gave it, so what it tells is what was counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from courses.simulators.workflows import conditions
from courses.simulators.workflows.conditions import VERDICTS, Value
from courses.simulators.workflows.program import PAID, UNDONE, UNPAID, Step
from courses.simulators.workflows.simulate import (
    APPROVE,
    MICRO,
    NONE,
    REJECT,
    REWORK,
    Run,
    Settled,
    end_of_work,
)
from courses.simulators.workflows.streams import confidence_in_millionths, duration_ms
from courses.simulators.workflows.world import Block

Shade = Literal["plain", "warn", "bad", "good"]
_ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth")


@dataclass(frozen=True, slots=True)
class ReplayStep:
    """`clock_ms` counts from the case's arrival, at the moment the step is done."""

    node: str
    clock_ms: int
    micro: int
    says: str
    because: str = ""
    edge: str | None = None
    state: Shade = "plain"


@dataclass(frozen=True, slots=True)
class Replay:
    case: int
    amount_cents: int
    fault: str
    steps: tuple[ReplayStep, ...]
    clock_ms: int
    micro: int
    payment: int
    harm_cents: int
    stuck: bool


def time_text(milliseconds: int) -> str:
    """`40 s`, `7 min 40 s`, `2 h 5 min`; exact enough to follow a case."""
    seconds = round(milliseconds / 1000)
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def money_text(cents: int) -> str:
    return f"{cents / 100:,.2f}"


class _Teller:
    """Walks one case; the state has the names that the vectorised engine uses."""

    def __init__(self, run: Run, settled: Settled, case: int) -> None:
        self.run = run
        self.program = run.program
        self.case = case
        self.amount = int(run.amount_cents[case])
        self.fault = int(run.fault[case])
        self.cured = len(run.program.world.faults)
        mine = np.flatnonzero(settled.waits.case == case)
        self.waits = [
            (
                int(settled.waits.started[i] - settled.waits.arrived[i]),
                bool(settled.waits.timed_out[i]),
                int(settled.waits.in_line[i]),
                bool(settled.waits.hurried[i]),
            )
            for i in mine
        ]
        self.clock = 0
        self.micro = run.program.world.standing_micro
        self.confidence = 0
        self.flagged = False
        self.alarm = False
        self.verdict = NONE
        self.payment = UNPAID
        self.proposal = 0
        self.sent_back: set[str] = set()
        self.visits: dict[str, int] = {}
        self.counters: dict[int, int] = {}
        self.stuck = False
        self.steps: list[ReplayStep] = []

    def draw(self, block: Block, purpose: str, visit: int = 0) -> float:
        return float(self.run.streams.uniform(block.id, purpose, visit)[self.case])

    def lasts(self, block: Block, purpose: str, visit: int) -> int:
        if not block.secs:
            return 0
        drawn = self.run.streams.uniform(block.id, purpose, visit)[self.case : self.case + 1]
        return int(duration_ms(drawn, block.secs)[0])

    @property
    def kind_of(self) -> int:
        return 0 if self.fault == self.cured else self.fault

    @property
    def harmful(self) -> bool:
        return 0 < self.fault < self.cured

    def tell(self) -> Replay:
        here: int | None = self.program.start
        while here is not None:
            here = self.step(self.program.steps[here])
        harm = 0
        if self.payment == PAID and self.harmful:
            fault = self.program.world.faults[self.fault]
            harm = (self.amount * round(fault.share * 1000) + 500) // 1000 + round(fault.plus * 100)
        return Replay(
            case=self.case,
            amount_cents=self.amount,
            fault=self.program.world.faults[int(self.run.fault[self.case])].id,
            steps=tuple(self.steps),
            clock_ms=self.clock,
            micro=self.micro,
            payment=self.payment,
            harm_cents=harm,
            stuck=self.stuck,
        )

    def note(
        self,
        step: Step,
        says: str,
        edge: int | None = None,
        *,
        because: str = "",
        state: Shade = "plain",
    ) -> int | None:
        """Write the step down and go on; None ends the walk."""
        taken = self.program.edges[edge].sentence if edge is not None else None
        self.steps.append(
            ReplayStep(step.node.id, self.clock, self.micro, says, because, taken, state)
        )
        if edge is None:
            self.stuck = step.node.kind != "end"
            return None
        return self.program.heads[edge]

    def step(self, step: Step) -> int | None:
        match step.node.kind:
            case "trigger":
                return self.note(step, f"A request for {money_text(self.amount)} arrives.", step.ok)
            case "gateway":
                return self.choose(step)
            case "tool":
                return self.tool(step)
            case "agent":
                return self.agent(step)
            case "guard" | "monitor":
                return self.watch(step)
            case "human" | "escalation":
                return self.person(step)
            case "rollback":
                return self.rollback(step)
            case _:
                return self.note(step, "The case ends here.")

    def visit(self, block: Block) -> int:
        self.visits[block.id] = self.visits.get(block.id, 0) + 1
        return self.visits[block.id]

    def choose(self, step: Step) -> int | None:
        values: dict[str, Value] = {
            "confidence": self.confidence / 1e6,
            "amount": self.amount / 100,
            "flagged": self.flagged,
            "alarm": self.alarm,
            "verdict": VERDICTS[self.verdict],
        }
        said: list[str] = []
        for choice in step.choices:
            words = conditions.explain(choice.condition, values)
            if not conditions.holds(choice.condition, values):
                said.append(words)
                continue
            if choice.counter is not None:
                if self.counters.get(choice.counter, 0) >= choice.most:
                    said.append(f"{words}, but this way was taken {choice.most} times already")
                    continue
                self.counters[choice.counter] = self.counters.get(choice.counter, 0) + 1
            return self.chosen(step, choice.edge, [*said, words])
        assert step.otherwise is not None  # noqa: S101
        return self.chosen(step, step.otherwise, said)

    def chosen(self, step: Step, edge: int, said: list[str]) -> int | None:
        target = self.program.steps[self.program.heads[edge]].node.name
        because = f"{'; '.join(said)} -> {target}"
        return self.note(step, f"To {target}.", edge, because=because)

    def tool(self, step: Step) -> int | None:
        block = step.block
        assert block is not None  # noqa: S101
        visit = self.visit(block)
        tries = 1 + (step.node.retries or 0)
        for attempt in range(tries):
            if attempt:
                self.clock += 1000 * (step.node.backoff_s or 0)
            self.micro += round(block.cost * MICRO)
            self.clock += self.lasts(block, f"time {attempt}", visit)
            if not block.fail or self.draw(block, f"works {attempt}", visit) >= block.fail:
                return self.worked(step, attempt)
        says = "Failed." if tries == 1 else f"Failed {tries} times."
        return self.note(step, says, step.error, state="warn")

    def worked(self, step: Step, attempt: int) -> int | None:
        again = f" at try number {attempt + 1}" if attempt else ""
        if not step.acts:
            return self.note(step, f"Done{again}.", step.ok)
        if self.payment != UNPAID:
            return self.note(step, "This request was paid before, so nothing happens.", step.ok)
        self.payment = PAID
        says = f"{money_text(self.amount)} paid{again}."
        return self.note(step, says, step.ok, state="bad" if self.harmful else "plain")

    def agent(self, step: Step) -> int | None:
        block = step.block
        assert block is not None  # noqa: S101
        visit = self.visit(block)
        redo = self.verdict == REWORK
        if redo:
            self.proposal += 1
            if self.harmful and self.draw(block, "cures") < block.cure_on_rework:
                self.fault = self.cured
        self.verdict = NONE
        if block.confidence:
            a, b = block.confidence[self.kind_of]
            drawn = self.run.streams.uniform(block.id, "proposes", self.proposal)
            one = drawn[self.case : self.case + 1]
            self.confidence = int(confidence_in_millionths(one, np.array([a]), np.array([b]))[0])
        self.micro += round(block.cost * MICRO)
        self.clock += self.lasts(block, "time", visit)
        again = "Looks at it again and proposes" if redo else "Proposes"
        return self.note(
            step,
            f"{again} to pay {money_text(self.amount)}; confidence {self.confidence / 1e6:.2f}.",
            step.ok,
        )

    def sees(self, block: Block, hit: tuple[float, ...] | None = None) -> bool:
        chances = block.hit if hit is None else hit
        return self.draw(block, "sees", self.proposal) < chances[self.kind_of]

    def watch(self, step: Step) -> int | None:
        block = step.block
        assert block is not None  # noqa: S101
        visit = self.visit(block)
        sees = self.sees(block)
        state: Shade = "plain"
        if step.node.kind == "guard":
            self.flagged = sees
            says = "Flagged." if sees else "No flag."
        else:
            self.alarm = sees and self.payment != UNPAID
            says = "Alarm." if self.alarm else "No alarm."
            sees = self.alarm
        if sees:
            state = "good" if self.harmful else "warn"
        self.micro += round(block.cost * MICRO)
        self.clock += self.lasts(block, "time", visit)
        return self.note(step, says, step.ok, state=state)

    def rollback(self, step: Step) -> int | None:
        block = step.block
        assert block is not None  # noqa: S101
        visit = self.visit(block)
        self.micro += round(block.cost * MICRO)
        self.clock += self.lasts(block, "time", visit)
        if self.payment != PAID:
            return self.note(step, "Nothing was paid, so there is nothing to take back.", step.ok)
        if self.draw(block, "reverses") < block.success:
            self.payment = UNDONE
            good = "good" if self.harmful else "bad"
            return self.note(step, "The payment was taken back.", step.ok, state=good)  # type: ignore[arg-type]
        way = step.error if step.error is not None else step.ok
        return self.note(step, "The payment could not be taken back.", way, state="bad")

    def person(self, step: Step) -> int | None:
        block = step.block
        assert block is not None  # noqa: S101
        visit = self.visit(block)
        reading = self.lasts(block, "time", visit)
        queue = ""
        hit: tuple[float, ...] | None = None
        if block.staff is not None:
            waited, timed_out, ahead, hurried = self.waits.pop(0)
            self.clock += waited
            if timed_out:
                self.verdict = NONE
                return self.note(
                    step,
                    f"{_place(ahead)} in line. Nobody answered in {time_text(waited)}.",
                    step.timeout,
                    state="warn",
                )
            queue = (
                f"{_place(ahead)} in line: waited {time_text(waited)}, then "
                if waited
                else "Somebody was free: "
            )
            if hurried and block.overload is not None and step.node.kind == "human":
                hit = block.overload.hit
                queue += "in haste, since many were waiting, "
        self.clock += self.at_desk(block, reading)
        self.micro += round(block.cost * MICRO)
        self.micro += int(np.rint(reading * (block.cost_per_hour / 3.6)))
        spent = f"{queue}{time_text(reading)} of reading. "
        if step.node.kind == "escalation":
            return self.decide(step, f"{time_text(reading)} of work. " if not queue else spent)
        objects = self.sees(block, hit)
        back = (
            objects
            and block.id not in self.sent_back
            and self.draw(block, "sends back") < block.rework_share
        )
        if back:
            self.sent_back.add(block.id)
        self.verdict = REWORK if back else REJECT if objects else APPROVE
        words = {REWORK: "send back", REJECT: "reject", APPROVE: "approve"}[self.verdict]
        state: Shade = "plain"
        if objects:
            state = "good" if self.harmful else "warn"
        return self.note(step, f"{spent}Verdict: {words}.", step.ok, state=state)

    def at_desk(self, block: Block, work: int) -> int:
        """How long the work takes by the clock on the wall: people go home in between."""
        if block.hours is None:
            return work
        started = int(self.run.arrival_ms[self.case]) + self.clock
        return end_of_work(block.hours, started, work) - started

    def decide(self, step: Step, spent: str) -> int | None:
        if self.harmful:
            block = step.block
            assert block is not None  # noqa: S101
            was_paid = self.payment != UNPAID
            self.verdict = REJECT
            if (
                self.payment == PAID
                and block.success < 1
                and self.draw(block, "takes back") >= block.success
            ):
                says = "Sees the mistake, but the payment does not come back."
                return self.note(step, spent + says, step.ok, state="bad")
            self.payment = UNDONE if was_paid else UNPAID
            says = "Takes the payment back." if was_paid else "Refuses."
            return self.note(step, spent + says, step.ok, state="good")
        was_paid = self.payment == PAID
        self.payment = PAID
        self.verdict = APPROVE
        says = "The payment stands." if was_paid else f"Pays {money_text(self.amount)}."
        return self.note(step, spent + says, step.ok)


def _place(ahead: int) -> str:
    return _ORDINALS[ahead] if ahead < len(_ORDINALS) else f"Number {ahead + 1}"


def replay(run: Run, settled: Settled, case: int) -> Replay:
    """What happened to one case of the run, with the queues as `settled` decided them."""
    return _Teller(run, settled, case).tell()


def choose_cases(run: Run, settled: Settled) -> dict[str, int]:
    """Up to six cases, by rule and never by hand; a case is told once.

    The rules: the largest harm, a typical harmful payment (the middle one by harm), the longest
    wait, a good case refused, the largest harm that was stopped, a time-out.
    """
    total = run.streams.total
    fault = run.fault
    faults = run.program.world.faults
    share = np.array([f.share for f in faults])
    plus = np.array([f.plus * 100 for f in faults])
    threat = run.amount_cents * share[fault] + plus[fault]
    waited = np.zeros(total, np.int64)
    np.add.at(waited, settled.waits.case, settled.waits.started - settled.waits.arrived)
    chosen: dict[str, int] = {}

    def take(rule: str, candidates: np.ndarray) -> None:
        for case in candidates[: len(chosen) + 1].tolist():
            if case not in chosen.values():
                chosen[rule] = case
                return

    escaped = np.flatnonzero(settled.harm_cents > 0)
    by_harm = escaped[np.argsort(-settled.harm_cents[escaped], kind="stable")]
    take("largest_harm", by_harm)
    take("typical_escape", by_harm[len(by_harm) // 2 :])
    waiting = np.flatnonzero(waited > 0)
    take("longest_wait", waiting[np.argsort(-waited[waiting], kind="stable")])
    take("good_refused", np.flatnonzero((fault == 0) & ~settled.served & ~settled.stuck))
    stopped = np.flatnonzero((threat > 0) & (settled.harm_cents == 0))
    take("good_catch", stopped[np.argsort(-threat[stopped], kind="stable")])
    take("time_out", np.unique(settled.waits.case[settled.waits.timed_out]))
    return chosen

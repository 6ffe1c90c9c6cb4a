"""A second engine, written from the rules in `program.py` and sharing no code with the first.

It walks one case at a time over the map's JSON with SimPy's queues. Only the uniform numbers are
common, so any case that ends differently shows a mistake in one of the two.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import simpy

Json = Any
Draw = Callable[[str, str, int, int], float]  # block, purpose, visit, case
NEVER = 30 * 24 * 3600 * 1000


@dataclass
class Case:
    number: int
    amount: int  # cents
    fault: str
    arrived: int
    good: bool
    confidence: float = 0.0
    flagged: bool = False
    alarm: bool = False
    verdict: str = "none"
    paid: str = "no"
    proposal: int = 0
    sent_back: set[str] = field(default_factory=set)
    visits: dict[str, int] = field(default_factory=dict)
    taken: dict[int, int] = field(default_factory=dict)
    micro: int = 0
    end: str | None = None
    cycle: int = NEVER
    harm: int = 0

    @property
    def served(self) -> bool:
        return self.good and self.paid == "yes"


def run_oracle(
    map_: Mapping[str, Json],
    world: Mapping[str, Json],
    high_risk: list[str],
    draw: Draw,
    arrivals: list[int],
    amounts: list[int],
    faults: list[str],
    options: Mapping[str, Json] | None = None,
) -> list[Case]:
    """Run all cases; the result is in their order.

    `options` are the exercise's, of which the map may have chosen some.
    """
    blocks = {name: dict(block) for name, block in world["blocks"].items()}
    standing = 0.0
    for option, number in map_.get("options", {}).items():
        if isinstance(number, str):
            made = dict((options or {})[option]["versions"][number])
            made.pop("says", None)
            blocks[option] |= made
            continue
        block = blocks[option.removesuffix(".staff")]
        more = max(number - block["staff"], 0)
        day = block.get("hours")
        share = (span(day["to"]) - span(day["from"])) / span(day["every"]) if day else 1
        standing += more * options[option]["cost_per_hour"] * share if options else 0
        block["staff"] = number
    env = simpy.Environment()
    ranked = any("priority" in node for node in map_["nodes"].values())
    people: dict[str, Any] = {}
    for name, block in blocks.items():
        if "staff" not in block:
            continue
        if "hours" in block:
            people[name] = Desk(env, block["staff"], block["hours"])
        elif ranked:
            people[name] = simpy.PriorityResource(env, capacity=block["staff"])
        else:
            people[name] = simpy.Resource(env, capacity=block["staff"])
    conditions = {
        number: compile(ast.parse(edge["when"], mode="eval"), "condition", "eval")
        for number, edge in enumerate(map_["edges"])
        if "when" in edge
    }
    ways: dict[str, list[tuple[int, Json]]] = {node: [] for node in map_["nodes"]}
    for number, edge in enumerate(map_["edges"]):
        ways[edge["src"]].append((number, edge))

    def spend(case: Case, name: str, purpose: str, visit: int) -> int:
        block = blocks[name]
        case.micro += round(block.get("cost", 0) * 1e6)
        seconds = block.get("secs", 0)
        if not seconds:
            return 0
        return round(-math.log1p(-draw(name, purpose, visit, case.number)) * seconds * 1000)

    def objects(case: Case, name: str, hurried: bool = False) -> bool:
        seen = "none" if case.fault == "cured" else case.fault
        chances = blocks[name]["overload"]["hit"] if hurried else blocks[name]["hit"]
        return draw(name, "sees", case.proposal, case.number) < chances[seen]

    def harmful(case: Case) -> bool:
        return case.fault not in ("none", "cured")

    def work(
        case: Case, name: str, visit: int, decides: bool, hurried: bool = False
    ) -> Generator[Any, Any, None]:
        block = blocks[name]
        seconds = round(-math.log1p(-draw(name, "time", visit, case.number)) * block["secs"] * 1000)
        desk = people.get(name)
        if isinstance(desk, Desk):
            yield from desk.work(seconds)
        else:
            yield env.timeout(seconds)
        case.micro += round(block.get("cost", 0) * 1e6)
        case.micro += round(seconds * block.get("cost_per_hour", 0) / 3.6)
        if decides:
            if harmful(case):
                comes_back = draw(name, "takes back", 0, case.number) < block.get("success", 1)
                if case.paid == "yes" and comes_back:
                    case.paid = "taken back"
                case.verdict = "reject"
            else:
                case.paid = "yes"
                case.verdict = "approve"
            return
        if not objects(case, name, hurried):
            case.verdict = "approve"
        elif (
            name not in case.sent_back
            and draw(name, "sends back", 0, case.number) < block["rework_share"]
        ):
            case.sent_back.add(name)
            case.verdict = "rework"
        else:
            case.verdict = "reject"

    def walk(case: Case) -> Generator[Any, Any, None]:
        yield env.timeout(case.arrived)
        here = next(name for name, node in map_["nodes"].items() if node["kind"] == "trigger")
        while True:
            node = map_["nodes"][here]
            kind = node["kind"]
            name = node.get("block", "")
            if name:
                case.visits[name] = case.visits.get(name, 0) + 1
            visit = case.visits.get(name, 0)
            leave = "ok"
            if kind == "end":
                case.end = here
                case.cycle = env.now - case.arrived
                break
            if kind == "tool":
                leave = "error"
                for attempt in range(1 + node.get("retries", 0)):
                    if attempt:
                        yield env.timeout(1000 * node["backoff"])
                    yield env.timeout(spend(case, name, f"time {attempt}", visit))
                    fail = blocks[name].get("fail", 0)
                    if not fail or draw(name, f"works {attempt}", visit, case.number) >= fail:
                        leave = "ok"
                        break
                if leave == "ok" and name in high_risk and case.paid == "no":
                    case.paid = "yes"
            elif kind == "agent":
                if case.verdict == "rework":
                    case.proposal += 1
                    cure = draw(name, "cures", 0, case.number) < blocks[name]["cure_on_rework"]
                    if harmful(case) and cure:
                        case.fault = "cured"
                case.verdict = "none"
                looks = "none" if case.fault == "cured" else case.fault
                a, b = blocks[name]["confidence"][looks]
                u = draw(name, "proposes", case.proposal, case.number)
                case.confidence = round((1 - (1 - u) ** (1 / b)) ** (1 / a) * 1e6) / 1e6
                yield env.timeout(spend(case, name, "time", visit))
            elif kind == "guard":
                case.flagged = objects(case, name)
                yield env.timeout(spend(case, name, "time", visit))
            elif kind == "monitor":
                case.alarm = case.paid != "no" and objects(case, name)
                yield env.timeout(spend(case, name, "time", visit))
            elif kind == "rollback":
                yield env.timeout(spend(case, name, "time", visit))
                if case.paid == "yes":
                    if draw(name, "reverses", 0, case.number) < blocks[name]["success"]:
                        case.paid = "taken back"
                    elif any(edge.get("on") == "error" for _, edge in ways[here]):
                        leave = "error"
            elif kind in ("human", "escalation"):
                decides = kind == "escalation"
                if name not in people:
                    yield from work(case, name, visit, decides)
                else:
                    gives_up = any(edge.get("on") == "timeout" for _, edge in ways[here])
                    patience = node.get("patience") if gives_up else None
                    rank = {"priority": node.get("priority", 3)} if ranked else {}
                    with people[name].request(**rank) as turn:
                        if patience is None:
                            yield turn
                        else:
                            yield turn | env.timeout(1000 * patience)
                        if turn.triggered:
                            line = len(people[name].queue)
                            long = blocks[name].get("overload", {}).get("line", math.inf)
                            hurried = kind == "human" and line >= long
                            yield from work(case, name, visit, decides, hurried)
                        else:
                            case.verdict = "none"
                            leave = "timeout"
            way = None
            if kind == "gateway":
                values = {
                    "confidence": case.confidence,
                    "amount": case.amount / 100,
                    "flagged": case.flagged,
                    "alarm": case.alarm,
                    "verdict": case.verdict,
                }
                for number, edge in ways[here]:
                    if "when" not in edge:
                        continue
                    if not eval(conditions[number], {"__builtins__": {}}, values):  # noqa: S307
                        continue
                    if "max" in edge and case.taken.get(number, 0) >= edge["max"]:
                        continue
                    case.taken[number] = case.taken.get(number, 0) + 1
                    way = edge
                    break
                else:
                    way = next(edge for _, edge in ways[here] if edge.get("default"))
            else:
                way = next((e for _, e in ways[here] if e.get("on", "ok") == leave), None)
            if way is None:
                break  # a failure without a way out: the case stays here
            here = way["dst"]
        if case.paid == "yes" and harmful(case):
            case.harm = harm_of(case, world)

    cases = [
        Case(number, amount, fault, arrival, fault == "none")
        for number, (arrival, amount, fault) in enumerate(
            zip(arrivals, amounts, faults, strict=True)
        )
    ]
    per_hour = world["arrivals"]["per_hour"]
    if peak := world["arrivals"].get("peak"):
        busy = span(peak["to"]) - span(peak["from"])
        per_hour *= 1 + (peak["factor"] - 1) * busy / span(peak["every"])
    for case in cases:
        case.micro = round(standing / per_hour * 1e6)
        env.process(walk(case))
    env.run()
    return cases


def span(words: str) -> int:
    """Milliseconds: 10h, 30m, 5s."""
    return int(words[:-1]) * {"s": 1, "m": 60, "h": 3600}[words[-1]] * 1000


class Turn(simpy.Event):
    """Somebody's place in the line of a desk; leaves it, or frees its person, when done with."""

    def __init__(self, desk: Desk, rank: int) -> None:
        super().__init__(desk.env)
        self.desk = desk
        self.rank = rank

    def __enter__(self) -> Turn:
        return self

    def __exit__(self, *_: object) -> None:
        if self.triggered:
            self.desk.free += 1
            self.desk.call()
        else:
            self.desk.queue.remove(self)


class Desk:
    """People with hours, which SimPy's resources do not have."""

    def __init__(self, env: simpy.Environment, capacity: int, hours: Mapping[str, Json]) -> None:
        self.env = env
        self.free = capacity
        self.queue: list[Turn] = []
        self.every, self.opens, self.closes = (span(hours[k]) for k in ("every", "from", "to"))
        env.process(self.day())

    def is_open(self) -> bool:
        return self.opens <= self.env.now % self.every < self.closes

    def day(self) -> Generator[Any, Any, None]:
        """Open every morning, for as many days as any test needs."""
        yield self.env.timeout(self.opens)
        for _ in range(3000):
            self.call()
            yield self.env.timeout(self.every)

    def request(self, priority: int = 3) -> Turn:
        turn = Turn(self, priority)
        self.queue.append(turn)
        self.call()
        return turn

    def call(self) -> None:
        while self.free and self.queue and self.is_open():
            first = min(self.queue, key=lambda turn: turn.rank)
            self.queue.remove(first)
            self.free -= 1
            first.succeed()

    def work(self, left: int) -> Generator[Any, Any, None]:
        while left:
            here = min(left, self.closes - self.env.now % self.every)
            yield self.env.timeout(here)
            left -= here
            if left:
                yield self.env.timeout(self.every - self.closes + self.opens)


def harm_of(case: Case, world: Mapping[str, Json]) -> int:
    """Cents, from the harm's text in the world: amount, 0.3*amount or amount+500."""
    text = world["faults"][case.fault]["harm"]
    factor, plus = 0.0, 0.0
    for part in text.split("+"):
        if part.endswith("amount"):
            factor = float(part[: -len("*amount")]) if "*" in part else 1.0
        else:
            plus = float(part)
    return math.floor(case.amount * round(factor * 1000) / 1000 + 0.5) + round(plus * 100)

"""The world of a person's own process, described in words that she has: volumes, staff, errors, harm.

What is described (`Facts`) becomes an exercise document, so that the same engines, checks and pages
work on it as on an exercise. Nothing in it is hidden: every figure is hers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from checkride.lib.errors import DomainError
from courses.simulators.workflows import conditions, writing
from courses.simulators.workflows.baselines import policy_map
from courses.simulators.workflows.checks import GATES, MUSTS
from courses.simulators.workflows.edits import free_id
from courses.simulators.workflows.model import Edge, Node, WorkflowMap
from courses.simulators.workflows.reading import NEEDS
from courses.simulators.workflows.world import BadWorld, read_world

Json = Any

MAX_FAULTS = 4
MAX_PARTS = 20
CASES, REPLICATIONS = 2_000, 10
# Stands for a condition that another program's file says in its own language.
PLACEHOLDER = "amount > 0"
PartKind = Literal["agent", "tool", "guard", "human", "escalation", "monitor", "rollback"]
PART_KINDS: tuple[PartKind, ...] = (
    "agent",
    "tool",
    "guard",
    "human",
    "escalation",
    "monitor",
    "rollback",
)
SPREADS: Mapping[str, float] = {"similar": 0.4, "varied": 1.0, "wide": 1.6}
# The shape of the agent's confidence on good and on bad cases: how far apart the two stand.
SHOWS: Mapping[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "well": ((6.0, 0.6), (1.5, 1.5)),
    "somewhat": ((6.0, 0.6), (3.0, 1.0)),
    "not": ((6.0, 0.6), (6.0, 0.6)),
}


class BadFacts(DomainError):
    code = "bad-facts"
    sentence = "{problem}"

    def __init__(self, problem: str) -> None:
        super().__init__(problem=problem)


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Share = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Money = Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)]


class Fault(_Facts):
    """Something that can be wrong with a case: in how many of 100, and what acting on it harms."""

    name: str = Field(min_length=1, max_length=60)
    of_100: Share
    harm_share: Share = 100
    harm_plus: Money = 0


class Part(_Facts):
    """A tool, an agent or a group of people. Shares are of 100; a field that a kind lacks is 0."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")
    kind: PartKind
    name: str = Field(min_length=1, max_length=60)
    minutes: float = Field(default=1, ge=0, le=10_000, allow_inf_nan=False)
    cost: Money = 0
    staff: int = Field(default=1, ge=1, le=500)
    per_hour: Money = 0
    fails: float = Field(default=0, ge=0, le=99, allow_inf_nan=False)
    finds: Share = 0
    false_alarms: Share = 0
    shows: Literal["well", "somewhat", "not"] = "somewhat"
    acts: bool = False
    repeatable: bool = True


class Limits(_Facts):
    """What is acceptable, for one case; None where it is not limited."""

    harm: Money | None = None
    cost: Money | None = None
    minutes: float | None = Field(default=None, gt=0, le=100_000, allow_inf_nan=False)
    load: float | None = Field(default=85, gt=0, le=100, allow_inf_nan=False)
    served: float | None = Field(default=95, gt=0, le=100, allow_inf_nan=False)


class Facts(_Facts):
    per_hour: float = Field(ge=0.01, le=100_000, allow_inf_nan=False)
    amount: float = Field(ge=0.01, le=1e7, allow_inf_nan=False)
    spread: Literal["similar", "varied", "wide"] = "varied"
    rush: float = Field(default=1, ge=1, le=20, allow_inf_nan=False)
    faults: tuple[Fault, ...] = Field(min_length=1, max_length=MAX_FAULTS)
    parts: tuple[Part, ...] = Field(max_length=MAX_PARTS)
    review_above: float | None = Field(default=None, gt=0, le=1e7, allow_inf_nan=False)
    review_flagged: bool = True
    outsiders: bool = True
    limits: Limits = Limits()


def read_facts(data: Json) -> Facts:
    """Facts from JSON. Raises `BadFacts` with a sentence."""
    try:
        facts = Facts.model_validate_json(json.dumps(data))
    except (ValidationError, TypeError, ValueError) as error:
        row = error.errors()[0] if isinstance(error, ValidationError) else {"msg": str(error)}
        place = " ".join(str(part) for part in row.get("loc", ()))
        raise BadFacts(f"{place}: {row['msg']}".lstrip(": ")) from error
    if sum(fault.of_100 for fault in facts.faults) > 99:
        raise BadFacts("Fewer than 100 of 100 cases can have something wrong with them.")
    if len({part.id for part in facts.parts}) < len(facts.parts):
        raise BadFacts("Two parts have the same short name.")
    if not any(part.kind == "tool" and part.acts for part in facts.parts):
        raise BadFacts(
            "Say which tool does the deed that can do harm, such as paying or sending: tick "
            "“can do harm” at one of the tools."
        )
    return facts


def document(facts: Facts, *, title: str) -> dict[str, Json]:
    """The facts as an exercise document: world, rules, days and limits. Raises `BadFacts`."""
    # Ten characters and a number: no fault of a person's own can be called “none”.
    names = [f"fault_{number}" for number in range(1, len(facts.faults) + 1)]
    faulty = [fault.of_100 / 100 for fault in facts.faults]
    faults: dict[str, Json] = {"none": {"p": 1 - sum(faulty), "harm": "0", "says": "In order."}}
    for name, fault, p in zip(names, facts.faults, faulty, strict=True):
        faults[name] = {
            "p": p,
            "harm": f"{fault.harm_share / 100:f}*amount+{fault.harm_plus:f}",
            "says": f"{fault.name}.",
        }
    review: list[Json] = []
    if facts.review_above is not None:
        review.append({"amount": f">{facts.review_above:f}"})
    if facts.review_flagged:
        review.append({"flagged": True})
    scenarios: list[Json] = [{"id": "normal", "title": "An ordinary day", "shown": True}]
    if facts.rush > 1:
        peak = {"every": "10h", "from": "3h", "to": "5h", "factor": facts.rush}
        scenarios.append(
            {
                "id": "peak",
                "title": "A day with a rush",
                "shown": True,
                "set": {"arrivals.peak": peak},
            }
        )
    made = {
        "kind": "workflow_map",
        "title": title,
        "world": {
            "arrivals": {"per_hour": facts.per_hour},
            "amount": {"lognormal": {"median": facts.amount, "sigma": SPREADS[facts.spread]}},
            "faults": faults,
            "blocks": {part.id: _block(part, names) for part in facts.parts},
        },
        "visible": ["confidence", "amount", "flagged", "verdict", "alarm"],
        "policy": {
            "high_risk": [part.id for part in facts.parts if part.kind == "tool" and part.acts],
            "must_review": review,
            "untrusted_input": facts.outsiders,
        },
        "scenarios": scenarios,
        "targets": _targets(facts.limits),
        "run": {"cases": CASES, "replications": REPLICATIONS},
        "gates": list(GATES),
        "musts": list(MUSTS),
        "pass": 0,
    }
    try:
        read_world(made)
    except BadWorld as error:
        raise BadFacts(error.message) from error
    return made


def _block(part: Part, faults: Sequence[str]) -> dict[str, Json]:
    found = part.finds / 100
    hit = {"none": part.false_alarms / 100, **dict.fromkeys(faults, found)}
    block: dict[str, Json] = {
        "kind": part.kind,
        "name": part.name,
        "secs": part.minutes * 60,
        "cost": part.cost,
    }
    match part.kind:
        case "agent":
            good, bad = SHOWS[part.shows]
            block["confidence"] = {"none": list(good), **{name: list(bad) for name in faults}}
            block["cure_on_rework"] = 0.5
        case "tool":
            block |= {"fail": part.fails / 100, "idempotent": part.repeatable}
        case "guard" | "monitor":
            block["hit"] = hit
        case "human":
            block |= {
                "hit": hit,
                "staff": part.staff,
                "cost_per_hour": part.per_hour,
                "rework_share": 0.5,
                "authority": 1,
            }
        case "escalation":
            block |= {"staff": part.staff, "cost_per_hour": part.per_hour, "authority": 2}
        case "rollback":
            block["success"] = 1 - part.fails / 100
    return block


def _targets(limits: Limits) -> dict[str, Json]:
    """The limits as targets: met at the limit, gone at half as much again."""
    rows: dict[str, tuple[str, float | None, float]] = {
        "harm_per_case": ("Harm a case", limits.harm, 1),
        "cost_per_case": ("Cost a case", limits.cost, 1),
        "cycle_p90_min": ("9 of 10 cases done within", limits.minutes, 1),
        "staff_load": ("People's time taken up", limits.load, 100),
    }
    made: dict[str, Json] = {}
    for name, (says, limit, unit) in rows.items():
        # Without a limit the figure is measured all the same; nothing is beyond it.
        full = 1e9 if limit is None else limit / unit
        zero = full * 1.5 if full > 0 else 1e-6
        made[name] = {"says": says, "full": full, "zero": zero, "weight": 1}
    served = 0.0001 if limits.served is None else limits.served / 100
    made["good_served"] = {
        "says": "Good cases served",
        "full": served,
        "zero": served * 0.9,
        "weight": 1,
    }
    return made


# Where a process begins ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Template:
    """A process to begin with: its facts are invented, and a person puts hers in their place."""

    id: str
    title: str
    says: str
    facts: Facts
    review_when: str


_PEOPLE = (
    Part(id="reviewer", kind="human", name="Reviewers", minutes=8, staff=3, per_hour=40,
         finds=85, false_alarms=3),
    Part(id="lead", kind="escalation", name="Team lead", minutes=20, staff=1, per_hour=60),
)  # fmt: skip
TEMPLATES: tuple[Template, ...] = (
    Template(
        "payments",
        "Requests that end in a payment",
        "An agent proposes, a program checks, people look at what is risky, a tool pays.",
        Facts(
            per_hour=20,
            amount=120,
            rush=2,
            faults=(
                Fault(name="The agent made something up", of_100=6, harm_share=100),
                Fault(name="Written to trick the agent", of_100=1, harm_share=100, harm_plus=200),
            ),
            parts=(
                Part(id="records", kind="tool", name="Records", minutes=0.1, fails=5),
                Part(id="agent", kind="agent", name="Agent", minutes=0.5, cost=0.05),
                Part(
                    id="check",
                    kind="guard",
                    name="Rule check",
                    minutes=0,
                    finds=45,
                    false_alarms=4,
                ),
                *_PEOPLE,
                Part(id="pay", kind="tool", name="Payment", minutes=0.1, fails=2, acts=True),
                Part(
                    id="watch",
                    kind="monitor",
                    name="Payment watch",
                    minutes=0,
                    finds=50,
                    false_alarms=1,
                ),
                Part(id="reverse", kind="rollback", name="Reversal", minutes=1, cost=2, fails=5),
            ),
            review_above=400,
            limits=Limits(harm=5, cost=3, minutes=30),
        ),
        "flagged or amount > 400",
    ),
    Template(
        "replies",
        "Messages that are answered",
        "An agent writes the answer, a filter reads it, people see what the filter holds back.",
        Facts(
            per_hour=120,
            amount=15,
            spread="similar",
            faults=(Fault(name="The answer is wrong", of_100=5, harm_share=100),),
            parts=(
                Part(id="writer", kind="agent", name="Writer", minutes=0.3, cost=0.02),
                Part(
                    id="filter",
                    kind="guard",
                    name="Filter",
                    minutes=0,
                    finds=60,
                    false_alarms=5,
                ),
                Part(
                    id="desk",
                    kind="human",
                    name="Service desk",
                    minutes=1.5,
                    staff=3,
                    per_hour=30,
                    finds=80,
                    false_alarms=3,
                ),
                Part(id="lead", kind="escalation", name="Team lead", minutes=5, per_hour=45),
                Part(id="send", kind="tool", name="Send", minutes=0, fails=1, acts=True),
                Part(
                    id="sample", kind="monitor", name="Complaint watch", minutes=0, finds=30
                ),
            ),
            review_flagged=True,
            limits=Limits(harm=0.6, cost=0.5, minutes=10),
        ),
        "flagged or confidence < 0.50",
    ),
)  # fmt: skip


def template_map(template: Template) -> WorkflowMap:
    world = read_world(document(template.facts, title=template.title))
    map_ = policy_map(world, review_when=template.review_when, patience_s=3600)
    return replace(map_, id=template.id, title=template.title)


def blank_map(title: str) -> WorkflowMap:
    return WorkflowMap("own-process", title[:80], (), ())


def parts_of(map_: WorkflowMap) -> tuple[WorkflowMap, Facts, tuple[str, ...]]:
    """Facts for a map that came from elsewhere, the map as it can be run, and what was put in.

    Every step becomes a part of its own with an ordinary figure, for the person to correct; the
    last tool is taken for the one that acts. What the file did not say or said in another language
    (an outcome, a condition) gets a plain value, and a sentence tells where.
    """
    parts: dict[str, Part] = {}
    nodes: list[Node] = []
    said: list[str] = []
    tools = [node.id for node in map_.nodes if node.kind == "tool"]
    for node in map_.nodes:
        if node.kind == "end" and node.outcome is None:
            node = replace(node, outcome="served")
            said.append(f"“{node.name}” is taken for an end where the customer is served.")
        if node.kind == "rollback" and node.undoes is None:
            if tools:
                node = replace(node, undoes=tools[-1])
                said.append(f"“{node.name}” is taken to undo the last tool; change it if not.")
            else:
                node = replace(node, kind="tool")
        if "block" not in NEEDS[node.kind]:
            nodes.append(node)
            continue
        wanted = (node.block or "").lower().replace("-", "_")
        part_id = wanted if wanted in parts else free_id(wanted or node.name, parts, node.kind)
        if part_id not in parts or parts[part_id].kind != node.kind:
            part_id = free_id(part_id, parts, node.kind)
            parts[part_id] = ordinary(part_id, node)
        nodes.append(replace(node, block=part_id, tools=None))
    if len(parts) > MAX_PARTS:
        raise BadFacts(
            f"The file has {len(parts)} steps that somebody or something does; a process here has "
            f"at most {MAX_PARTS}. Draw it more coarsely, or in two processes."
        )
    acting = [part.id for part in parts.values() if part.kind == "tool"]
    if not acting:
        parts["action"] = Part(id="action", kind="tool", name="The action", minutes=0.1)
        acting = ["action"]
    parts[acting[-1]] = parts[acting[-1]].model_copy(update={"acts": True})
    said.append(
        f"“{parts[acting[-1]].name}” is taken for the deed that can do harm. All figures of the "
        "world are ordinary ones; put yours in their place."
    )
    edges = _askable(map_, {node.id: node for node in nodes}, said)
    facts = TEMPLATES[0].facts.model_copy(update={"parts": tuple(parts.values())})
    return replace(map_, nodes=tuple(nodes), edges=edges), facts, tuple(said)


def _askable(map_: WorkflowMap, nodes: Mapping[str, Node], said: list[str]) -> tuple[Edge, ...]:
    """The ways with conditions that can be asked here; each gateway has an “otherwise”."""
    found = []
    for edge in map_.edges:
        source, target = nodes.get(edge.src), nodes.get(edge.dst)
        if source is None or target is None:
            continue
        if source.kind != "gateway":
            found.append(replace(edge, when=None, otherwise=False, most=None))
            continue
        siblings = list(map_.out(edge.src))
        last = edge is siblings[-1] and not any(way.otherwise for way in siblings)
        if edge.otherwise or (last and not _can_be_asked(edge.when)):
            found.append(replace(edge, when=None, otherwise=True, most=None))
        elif _can_be_asked(edge.when):
            found.append(edge)
        else:
            found.append(replace(edge, when=PLACEHOLDER, otherwise=False))
            said.append(
                f"At “{source.name}”, when a case goes to “{target.name}” could not be taken over; "
                f"“{PLACEHOLDER}” stands there until you change it."
            )
    return tuple(found)


def _can_be_asked(when: str | None) -> bool:
    if when is None:
        return False
    try:
        conditions.parse(when, tuple(conditions.VARIABLES))
    except conditions.BadCondition:
        return False
    return True


def ordinary(part_id: str, node: Node) -> Part:
    """A part for a step, with figures to be corrected."""
    name = node.name[:60]
    match node.kind:
        case "human":
            return Part(
                id=part_id, kind="human", name=name, minutes=8, staff=2, per_hour=40,
                finds=80, false_alarms=3,
            )  # fmt: skip
        case "escalation":
            return Part(id=part_id, kind="escalation", name=name, minutes=20, per_hour=60)
        case "guard":
            return Part(id=part_id, kind="guard", name=name, minutes=0, finds=45, false_alarms=4)
        case "monitor":
            return Part(id=part_id, kind="monitor", name=name, minutes=0, finds=40, false_alarms=1)
        case "agent":
            return Part(id=part_id, kind="agent", name=name, minutes=0.5, cost=0.05)
        case "rollback":
            return Part(id=part_id, kind="rollback", name=name, minutes=1, cost=2, fails=5)
        case _:
            return Part(id=part_id, kind="tool", name=name, minutes=0.1, fails=2)


def starter(map_: WorkflowMap) -> str:
    return writing.to_text(map_)

"""A map and its world, compiled for the engines: numbers for names, conditions parsed, loops ordered.

What a case remembers, and the rules that all three engines (the exact chain, the simulation and
the replay of one case) follow:

- A case has an amount and a hidden fault. It is a *good* case when the fault is `none`.
- What a block sees in a proposal is drawn once for each proposal and shared by all copies of the
  block: a second guard of the same kind, or a second look by the same people, finds nothing new. A
  proposal is new when the agent redoes a case that a person sent back.
- An agent cures a fault only when a person sent the case back, with one draw for each case.
- A person objects when their draw is below the block's `hit` for the fault. The first time, part of
  the objections (`rework_share`) go back to the agent; every other objection is a refusal.
- After a time-out there is no verdict. A new proposal has none either.
- A monitor sees payments: without one it raises no alarm.
- Paying twice pays once. A reversal works on what was paid, once or never for the same case.
- An escalation decides for good: good cases are paid, all others are refused or taken back. What
  was paid comes back with the block's `success` (1 if it says nothing), drawn once for a case.
- A case is *served* when it is good and was paid at the end, whatever the end is called.
- Who waits is served by priority (1 first), then in order of arrival; nobody's reading is broken
  off for another case. Outside their hours people start nothing, and what they were at waits.
- When a case is taken up while `line` or more others wait, an overworked person hurries: their
  draw is compared with the `hit` of the overload.
- People bought beyond the usual number cost their hours, shared equally by all cases.
- A step that fails without a way “on error” leaves the case where it is, for ever.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cached_property

from courses.simulators.workflows import conditions
from courses.simulators.workflows.checks import Graph
from courses.simulators.workflows.conditions import Condition
from courses.simulators.workflows.model import USUAL_PRIORITY, Edge, Node, WorkflowMap
from courses.simulators.workflows.world import Block, World

CENT = 0.01
CONFIDENCE_UNIT = 1e-6
NEVER_MS = 30 * 24 * 3_600_000  # shown as the time of a case that never finishes
UNPAID, PAID, UNDONE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Choice:
    """A way out of a gateway: taken when `condition` holds, at most `most` times by one case."""

    edge: int
    dst: int
    condition: Condition
    counter: int | None
    most: int


@dataclass(frozen=True, slots=True)
class Step:
    """A node with its ways out by number; None where there is no such way."""

    index: int
    node: Node
    block: Block | None
    acts: bool
    ok: int | None
    error: int | None
    timeout: int | None
    choices: tuple[Choice, ...]
    otherwise: int | None
    patience_ms: int | None
    priority: int


@dataclass(frozen=True)
class Program:
    """A compiled map. Edges are numbered as in the map."""

    map: WorkflowMap
    world: World
    steps: tuple[Step, ...]
    edges: tuple[Edge, ...]
    heads: tuple[int, ...]
    start: int
    order: tuple[int, ...]
    counters: int

    @cached_property
    def has_patience(self) -> bool:
        return any(step.patience_ms is not None for step in self.steps)

    @cached_property
    def queues_decide(self) -> bool:
        """Whether where a case goes can depend on a queue, so that the chain is not exact."""
        return self.has_patience or any(pool.overload for pool in self.pools)

    @cached_property
    def queues_are_plain(self) -> bool:
        """First come, first served, and no line is ever too long."""
        priorities: dict[str, set[int]] = {}
        for step in self.steps:
            if step.block is not None and step.block.staff is not None:
                priorities.setdefault(step.block.id, set()).add(step.priority)
        return all(len(found) == 1 for found in priorities.values()) and not any(
            pool.overload for pool in self.pools
        )

    @cached_property
    def pools(self) -> tuple[Block, ...]:
        """The blocks with a fixed number of people that this map uses, in the world's order."""
        used = {step.block.id for step in self.steps if step.block}
        return tuple(b for b in self.world.blocks if b.staff is not None and b.id in used)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        used = {step.block.id for step in self.steps if step.block}
        return tuple(block for block in self.world.blocks if block.id in used)

    def constants(self, variable: str) -> tuple[float, ...]:
        """The numbers that this map compares the variable with, in order."""
        return tuple(
            sorted(
                {
                    number
                    for step in self.steps
                    for choice in step.choices
                    for number in conditions.constants(choice.condition, variable)
                }
            )
        )

    @cached_property
    def reach(self) -> tuple[frozenset[int], ...]:
        """For each step, the steps that a case may come to from it, itself included."""
        found = []
        for step in self.steps:
            seen = {step.index}
            queue = deque([step.index])
            while queue:
                here = self.steps[queue.popleft()]
                for edge_index in self._ways(here):
                    head = self.heads[edge_index]
                    if head not in seen:
                        seen.add(head)
                        queue.append(head)
            found.append(frozenset(seen))
        return tuple(found)

    def _ways(self, step: Step) -> list[int]:
        ways = [choice.edge for choice in step.choices]
        return ways + [
            w for w in (step.otherwise, step.ok, step.error, step.timeout) if w is not None
        ]


def compile_map(map_: WorkflowMap, world: World) -> Program:
    """Compile a map whose gates hold; with an open gate the result means nothing.

    The program's world is the one with the people that the map has bought.
    """
    world = world.as_bought(map_)
    graph = Graph(map_, world)
    ids = {node.id: index for index, node in enumerate(map_.nodes)}
    counters = 0
    edges: list[Edge] = list(map_.edges)
    number = {id(edge): index for index, edge in enumerate(edges)}
    steps = []
    for node in map_.nodes:
        choices = []
        by_on: dict[str, int] = {}
        otherwise: int | None = None
        for edge in graph.out[node.id]:
            index = number[id(edge)]
            if edge.when is not None:
                counter: int | None = None
                if edge.most is not None:
                    counter = counters
                    counters += 1
                choices.append(
                    Choice(
                        index,
                        ids[edge.dst],
                        graph.conditions[edge.when],
                        counter,
                        edge.most or 0,
                    )
                )
            elif edge.otherwise:
                otherwise = index
            else:
                by_on[edge.on] = index
        waits = node.patience_s is not None and "timeout" in by_on
        block = world.block(node.block) if node.block else None
        steps.append(
            Step(
                index=ids[node.id],
                node=node,
                block=block,
                acts=node.block in world.high_risk,
                ok=by_on.get("ok"),
                error=by_on.get("error"),
                timeout=by_on.get("timeout"),
                choices=tuple(choices),
                otherwise=otherwise,
                patience_ms=node.patience_s * 1000
                if node.patience_s is not None and waits and block and block.staff
                else None,
                priority=USUAL_PRIORITY if node.priority is None else node.priority,
            )
        )
    return Program(
        map=map_,
        world=world,
        steps=tuple(steps),
        edges=tuple(edges),
        heads=tuple(ids[edge.dst] for edge in edges),
        start=ids[graph.start],
        order=_order(map_, ids),
        counters=counters,
    )


def _order(map_: WorkflowMap, ids: dict[str, int]) -> tuple[int, ...]:
    """The steps so that every way without a `max` leads onward (Kahn; ties in the map's order)."""
    inward = [0] * len(ids)
    onward: list[list[int]] = [[] for _ in ids]
    for edge in map_.edges:
        if edge.most is None:
            onward[ids[edge.src]].append(ids[edge.dst])
            inward[ids[edge.dst]] += 1
    ready = [index for index, count in enumerate(inward) if count == 0]
    order = []
    while ready:
        here = ready.pop(0)
        order.append(here)
        for after in onward[here]:
            inward[after] -= 1
            if inward[after] == 0:
                ready.append(after)
    return tuple(order)

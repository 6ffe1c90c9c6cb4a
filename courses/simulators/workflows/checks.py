"""Static checks of a map: what can be said for certain without running one case.

G is the graph of all ways. `s` is the trigger, H the high-risk actions, R the persons (human and
escalation steps whose actor is no agent). "X separates a from b" means that no walk leads from a
to b in G without X; X is a set, so two different reviews on two branches are fine. For a class of
cases the graph is pruned first: a way is removed when its condition, or an earlier one that always
wins, makes it certain that no such case takes it; what cannot be decided counts as possible.

Gates stop a run, musts cap the score, and the rest are warnings. The definitions of W01 to W26 are
in the docstrings of the functions that find them.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeVar

import numpy as np

from courses.simulators.workflows import conditions
from courses.simulators.workflows.conditions import Condition, Value
from courses.simulators.workflows.model import (
    MAX_PERSON_VISITS,
    Edge,
    Finding,
    Node,
    WorkflowMap,
)
from courses.simulators.workflows.world import MustReview, World

Severity = Literal["gate", "must", "warning"]
State = TypeVar("State", bound=Hashable)

GATES = ("W01", "W04", "W05", "W06", "W10")
MUSTS = ("W11", "W12", "W13", "W20")
WARNINGS = (
    "W02",
    "W03",
    "W07",
    "W08",
    "W09",
    "W14",
    "W15",
    "W16",
    "W17",
    "W18",
    "W19",
    "W21",
    "W22",
    "W23",
    "W24",
    "W25",
    "W26",
)
# What each check asks, as a heading; the finding says where it fails.
SAYS: Mapping[str, str] = {
    "W01": "One trigger, and nothing leads into it",
    "W02": "Every step can be reached",
    "W03": "Every case can finish",
    "W04": "No dead ends",
    "W05": "Every gateway has an “otherwise”",
    "W06": "One normal way out of each step",
    "W07": "Every branch can be taken",
    "W08": "Every failure has a way out",
    "W09": "Every wait for a person has an end",
    "W10": "No endless loop",
    "W11": "A person sees what must be seen",
    "W12": "A refusal stops the action",
    "W13": "Silence is not a yes",
    "W14": "A failure does not lead around the review",
    "W15": "A guard stands before the action",
    "W16": "Every action is logged",
    "W17": "What can be undone has an undo",
    "W18": "Nothing is undone before it was done",
    "W19": "Only what may run twice is tried again",
    "W20": "Who proposes does not approve",
    "W21": "No agent holds the high-risk tool",
    "W22": "An alarm leads to somebody",
    "W23": "Who is asked next has more authority",
    "W24": "People have time for the work",
    "W25": "Nobody proposes without the facts",
    "W26": "What failed does not count as done",
}
_MAX_CELLS = 200_000
# Which kind of step sets the variables that change on the way.
_SETTERS = {"flagged": "guard", "confidence": "agent", "alarm": "monitor"}


def severity(code: str) -> Severity:
    return "gate" if code in GATES else "must" if code in MUSTS else "warning"


@dataclass(frozen=True)
class Graph:
    """A map with its conditions parsed and the sets that the definitions speak of."""

    map: WorkflowMap
    world: World

    @cached_property
    def nodes(self) -> dict[str, Node]:
        return {node.id: node for node in self.map.nodes}

    @cached_property
    def out(self) -> dict[str, list[Edge]]:
        """The ways out of each step, a gateway's in order of asking with “otherwise” last."""
        ways: dict[str, list[Edge]] = {node.id: [] for node in self.map.nodes}
        for edge in sorted(self.map.edges, key=lambda edge: edge.otherwise):
            ways[edge.src].append(edge)
        return ways

    @cached_property
    def conditions(self) -> dict[str, Condition]:
        return {
            edge.when: conditions.parse(edge.when, self.world.visible)
            for edge in self.map.edges
            if edge.when is not None
        }

    @cached_property
    def start(self) -> str:
        return next(node.id for node in self.map.nodes if node.kind == "trigger")

    @cached_property
    def ends(self) -> list[str]:
        return [node.id for node in self.map.nodes if node.kind == "end"]

    @cached_property
    def risky(self) -> list[str]:
        return [node.id for node in self.map.nodes if node.block in self.world.high_risk]

    @cached_property
    def agents(self) -> list[Node]:
        return [node for node in self.map.nodes if node.kind == "agent"]

    @cached_property
    def persons(self) -> frozenset[str]:
        """Human and escalation steps; one whose actor is an agent does not count."""
        artificial = {name for node in self.agents for name in (node.block, node.actor)}
        return frozenset(
            node.id
            for node in self.map.nodes
            if node.kind in ("human", "escalation") and actor(node) not in artificial
        )

    @cached_property
    def descendants(self) -> dict[str, frozenset[str]]:
        """desc(n) for every step, n itself included."""
        return {node_id: self._reachable(node_id) for node_id in self.nodes}

    def _reachable(self, node_id: str) -> frozenset[str]:
        seen = {node_id}
        stack = [node_id]
        while stack:
            for after in self.successors(stack.pop()):
                if after not in seen:
                    seen.add(after)
                    stack.append(after)
        return frozenset(seen)

    def name(self, node_id: str) -> str:
        return f"“{self.nodes[node_id].name}”"

    def successors(self, node_id: str) -> list[str]:
        return [edge.dst for edge in self.out[node_id]]

    def possible(self, node_id: str, values: Mapping[str, Value]) -> list[Edge]:
        """The ways that a case may take here when it is known to have these values."""
        ways: list[Edge] = []
        for edge in self.out[node_id]:
            if edge.when is None:
                ways.append(edge)
                continue
            answer = conditions.holds_if_known(self.conditions[edge.when], values)
            if answer is not False:
                ways.append(edge)
            if answer is True and edge.most is None:
                break
        return ways


def actor(node: Node) -> str | None:
    return node.actor or node.block


def walk(
    starts: Iterable[State],
    onward: Callable[[State], Iterable[State]],
    found: Callable[[State], bool],
) -> list[State] | None:
    """The shortest walk from a start to a state that is `found`, or None. The start counts."""
    came: dict[State, State | None] = {}
    queue: deque[State] = deque()
    for state in starts:
        if state not in came:
            came[state] = None
            queue.append(state)
    while queue:
        state = queue.popleft()
        if found(state):
            path = [state]
            while (before := came[path[-1]]) is not None:
                path.append(before)
            return path[::-1]
        for after in onward(state):
            if after not in came:
                came[after] = state
                queue.append(after)
    return None


def run_checks(map_: WorkflowMap, world: World) -> tuple[Finding, ...]:
    """All findings of the checks that need no numbers (W24 is added by the grader).

    When a gate is open the graph cannot be trusted, so only the gates are reported.
    """
    graph = Graph(map_, world)
    gates = [*_w01(graph), *_w04(graph), *_w05(graph), *_w06(graph), *_w10(graph)]
    if gates:
        return tuple(gates)
    found = [
        finding
        for check in (
            _w02,
            _w03,
            _w07,
            _w08,
            _w09,
            _w11,
            _w12,
            _w13,
            _w14,
            _w15,
            _w16,
            _w17,
            _w18,
            _w19,
            _w20,
            _w21,
            _w22,
            _w23,
            _w25,
            _w26,
        )
        for finding in check(graph)
    ]
    return tuple(sorted(found, key=lambda finding: (finding.code, finding.path)))


def _finding(
    code: str,
    says: str,
    path: Iterable[str] = (),
    edge: str | None = None,
    node: str | None = None,
) -> Finding:
    walked = tuple(path)
    blamed = node or (walked[0] if walked else None)
    return Finding(code, severity(code), says, walked, edge, blamed)


def _last_choice(graph: Graph, path: Sequence[str]) -> str:
    """The last gateway of a walk, where it could have turned; without one, where it led."""
    gateways = [node_id for node_id in path if graph.nodes[node_id].kind == "gateway"]
    return gateways[-1] if gateways else path[-1]


def _chain(graph: Graph, path: Iterable[str]) -> str:
    return " -> ".join(graph.nodes[node_id].name for node_id in path)


# -- gates -------------------------------------------------------------------------------------


def _w01(graph: Graph) -> Iterable[Finding]:
    """Exactly one trigger, of in-degree 0."""
    triggers = [node.id for node in graph.map.nodes if node.kind == "trigger"]
    into = [edge for edge in graph.map.edges if edge.dst in triggers]
    if len(triggers) != 1 or into:
        yield _finding(
            "W01",
            "There must be exactly one trigger and nothing may lead into it.",
            triggers,
            into[0].sentence if into else None,
        )


def _w04(graph: Graph) -> Iterable[Finding]:
    """Out-degree 0 at ends and only there."""
    for node in graph.map.nodes:
        ways = graph.out[node.id]
        if node.kind != "end" and not ways:
            yield _finding(
                "W04", f"{graph.name(node.id)} is a dead end: nothing follows it.", [node.id]
            )
        if node.kind == "end" and ways:
            yield _finding(
                "W04",
                f"{graph.name(node.id)} is an end, so nothing can follow it.",
                [node.id, ways[0].dst],
                ways[0].sentence,
            )


def _w05(graph: Graph) -> Iterable[Finding]:
    """A gateway has at least two ways out, exactly one of them “otherwise”."""
    for node in graph.map.nodes:
        ways = graph.out[node.id]
        if node.kind != "gateway" or not ways:
            continue
        if sum(edge.otherwise for edge in ways) != 1:
            yield _finding(
                "W05",
                f"Gateway {graph.name(node.id)} needs exactly one “otherwise” way out.",
                [node.id],
            )
        elif len(ways) < 2:
            yield _finding(
                "W05",
                f"Gateway {graph.name(node.id)} has one way out, so it asks nothing.",
                [node.id],
            )


def _w06(graph: Graph) -> Iterable[Finding]:
    """Any other step has exactly one way out for each of ok, error, timeout; ok is needed."""
    for node in graph.map.nodes:
        ways = graph.out[node.id]
        if node.kind in ("gateway", "end") or not ways:
            continue
        for on, word in (("ok", "normal"), ("error", "“on error”"), ("timeout", "“on timeout”")):
            same = [edge for edge in ways if edge.on == on]
            if len(same) > 1:
                yield _finding(
                    "W06",
                    f"{graph.name(node.id)} has {_count(len(same))} {word} ways out: which one "
                    "does a case take? Use a gateway.",
                    [node.id],
                    same[1].sentence,
                )
        if not any(edge.on == "ok" for edge in ways):
            yield _finding("W06", f"{graph.name(node.id)} has no normal way out.", [node.id])


def _w10(graph: Graph) -> Iterable[Finding]:
    """G without the ways that carry a `max` has no circle; and the `max` keep loops short."""
    circle = _circle(graph)
    if circle:
        yield _finding(
            "W10",
            f"Endless loop: {_chain(graph, [*circle, circle[0]])}. Give one way a “max”.",
            circle,
        )
        return
    for node_id in graph.nodes:
        if graph.nodes[node_id].kind not in ("human", "escalation"):
            continue
        visits = 1
        after = graph.descendants[node_id]
        for edge in graph.map.edges:
            if edge.most and edge.src in after and node_id in graph.descendants[edge.dst]:
                visits *= 1 + edge.most
        if visits > MAX_PERSON_VISITS:
            yield _finding(
                "W10",
                f"The loops lead one case up to {visits} times to {graph.name(node_id)}; "
                f"{MAX_PERSON_VISITS} is the limit. Lower a “max”.",
                [node_id],
            )


def _circle(graph: Graph) -> list[str]:
    """The nodes of a circle that no `max` breaks, or an empty list."""
    white, grey, black = 0, 1, 2
    colour = dict.fromkeys(graph.nodes, white)
    for root in graph.nodes:
        if colour[root] != white:
            continue
        path = [root]
        colour[root] = grey
        ways = [iter([edge.dst for edge in graph.out[root] if not edge.most])]
        while path:
            after = next(ways[-1], None)
            if after is None:
                colour[path.pop()] = black
                ways.pop()
            elif colour[after] == grey:
                return path[path.index(after) :]
            elif colour[after] == white:
                colour[after] = grey
                path.append(after)
                ways.append(iter([edge.dst for edge in graph.out[after] if not edge.most]))
    return []


# -- shape -------------------------------------------------------------------------------------


def _w02(graph: Graph) -> Iterable[Finding]:
    """Every step is in desc(s)."""
    reached = graph.descendants[graph.start]
    for node_id in graph.nodes:
        if node_id not in reached:
            yield _finding("W02", f"No case can ever reach {graph.name(node_id)}.", [node_id])


def _w03(graph: Graph) -> Iterable[Finding]:
    """Every step in desc(s) has a walk to an end."""
    for node_id in _in_order(graph, graph.descendants[graph.start]):
        if not graph.descendants[node_id] & set(graph.ends):
            yield _finding(
                "W03", f"A case that arrives at {graph.name(node_id)} can never finish.", [node_id]
            )


def _in_order(graph: Graph, ids: Collection[str]) -> list[str]:
    return [node_id for node_id in graph.nodes if node_id in ids]


def _w07(graph: Graph) -> Iterable[Finding]:
    """For each asked way some cell of the grid cut at the gateway's constants takes it first.

    “Otherwise” is exempt: a gateway must have one even where the questions leave nothing over.
    """
    for node in graph.map.nodes:
        asked = [edge for edge in graph.out[node.id] if edge.when is not None]
        if node.kind != "gateway" or not asked:
            continue
        parsed = [graph.conditions[edge.when] for edge in asked if edge.when is not None]
        grid = _grid(parsed)
        if grid is None:
            continue
        left = np.ones(next(iter(grid.values())).shape, dtype=np.bool_)
        for edge, condition in zip(asked, parsed, strict=True):
            takes = left & conditions.holds_for_each(condition, grid)
            if not takes.any():
                target = graph.name(edge.dst)
                alone = conditions.holds_for_each(condition, grid).any()
                why = "an earlier branch always wins" if alone else "its condition is never true"
                yield _finding(
                    "W07",
                    f"No case can take the branch from {graph.name(node.id)} to {target}: {why}.",
                    [node.id, edge.dst],
                    edge.sentence,
                )
            if edge.most is None:
                left &= ~takes


def _grid(parsed: list[Condition]) -> dict[str, np.ndarray] | None:
    """One point of every cell of the variables asked about, as flat arrays; None if too many."""
    axes: dict[str, list[float]] = {}
    for name in sorted(
        {variable for condition in parsed for variable in conditions.variables(condition)}
    ):
        kind = conditions.VARIABLES[name]
        if kind == "yes-no":
            axes[name] = [0.0, 1.0]
        elif kind == "word":
            axes[name] = [float(index) for index in range(len(conditions.VERDICTS))]
        else:
            numbers = [n for condition in parsed for n in conditions.constants(condition, name)]
            most = 1.0 if name == "confidence" else 10 * conditions.LARGEST_NUMBER
            axes[name] = conditions.cells(numbers, 0.0, most)
    size = 1
    for axis in axes.values():
        size *= len(axis)
    if size > _MAX_CELLS:
        return None
    spread = np.meshgrid(*axes.values(), indexing="ij")
    return {name: points.ravel() for name, points in zip(axes, spread, strict=True)}


def _w08(graph: Graph) -> Iterable[Finding]:
    """Every step whose block can fail has a way “on error”."""
    for node in graph.map.nodes:
        if node.block is None or graph.world.block(node.block).fail == 0:
            continue
        if not any(edge.on == "error" for edge in graph.out[node.id]):
            yield _finding(
                "W08",
                f"{graph.name(node.id)} can fail, but there is no way out for “failed”.",
                [node.id],
            )


def _w09(graph: Graph) -> Iterable[Finding]:
    """Every human step has patience and a way “on timeout”."""
    for node in graph.map.nodes:
        if node.kind != "human":
            continue
        way = any(edge.on == "timeout" for edge in graph.out[node.id])
        if way and node.patience_s is not None:
            continue
        says = f"If nobody answers at {graph.name(node.id)}, the case waits for ever."
        if way:
            says += " It has a way “on timeout” but no patience."
        elif node.patience_s is not None:
            says += " It has patience but no way “on timeout”."
        yield _finding("W09", says, [node.id])


# -- who sees what before the action -----------------------------------------------------------


def _w11(graph: Graph) -> Iterable[Finding]:
    """For h in H and each class c that must be reviewed: R separates s from h in G_c."""
    for target in graph.risky:
        for rule in graph.world.must_review:
            walks = [
                (value, _unseen_walk(graph, target, rule.variable, value))
                for value in _values_of(graph, rule)
            ]
            value, path = next(((v, p) for v, p in walks if p), (None, None))
            if path is None:
                continue
            who = rule.says
            if isinstance(value, float) and not all(found for _, found in walks):
                who += f" (such as {conditions.number_text(value, rule.variable)})"
            yield _finding(
                "W11",
                f"{who}: {graph.name(target)} can be reached with no human review: "
                f"{_chain(graph, path)}.",
                path,
                node=_last_choice(graph, path),
            )


def _values_of(graph: Graph, rule: MustReview) -> list[Value]:
    """One value of every cell of the class, cut at the constants that the map uses."""
    if isinstance(rule.value, bool):
        return [rule.value]
    numbers = {rule.value} | {
        number
        for condition in graph.conditions.values()
        for number in conditions.constants(condition, rule.variable)
    }
    most = 1.0 if rule.variable == "confidence" else 10 * conditions.LARGEST_NUMBER
    asked = conditions.Compare(rule.variable, rule.operator, rule.value)  # type: ignore[arg-type]
    return [
        value
        for value in conditions.cells(sorted(numbers), 0.0, most)
        if conditions.holds(asked, {rule.variable: value})
    ]


def _unseen_walk(graph: Graph, target: str, variable: str, value: Value) -> list[str] | None:
    """A walk of such a case from s to the action past every person.

    Where a step sets the variable (a guard the flag), the walk must pass one: only from there on
    is the case of this class. Another block of that kind may unset it, so after that both values
    are possible.
    """
    setter = _SETTERS.get(variable)

    # A state is the step and the stage: "" before the variable is set, the block that set it,
    # or "*" when another block of that kind has looked since.
    def onward(state: tuple[str, str]) -> Iterable[tuple[str, str]]:
        node_id, stage = state
        node = graph.nodes[node_id]
        if node_id in graph.persons or node_id == target:
            return []
        stages = [stage]
        if node.kind == setter and node.block is not None:
            if stage == "":
                stages = ["", node.block]
            elif stage != node.block:
                stages = ["*"]
        after = []
        for now in stages:
            known: dict[str, Value] = {}
            if setter is None or now not in ("", "*"):
                known = {variable: value}
            elif now == "" and variable in ("flagged", "alarm"):
                known = {variable: False}
            after += [(edge.dst, now) for edge in graph.possible(node_id, known)]
        return after

    path = walk(
        [(graph.start, "")],
        onward,
        lambda state: state[0] == target and (setter is None or state[1] != ""),
    )
    return [node_id for node_id, _ in path] if path else None


def _w12(graph: Graph) -> Iterable[Finding]:
    """After a person's “reject”, no walk leads to h unless somebody approves.

    The verdict stays “reject” past further persons (who may refuse as well) and is forgotten at an
    agent, whose new proposal nobody has judged.
    """
    for target in graph.risky:
        for person in _in_order(graph, graph.persons):

            def onward(state: tuple[str, str]) -> Iterable[tuple[str, str]]:
                node_id, verdict = state
                node = graph.nodes[node_id]
                if node.kind == "agent":
                    verdict = "none"
                elif node.kind in ("human", "escalation"):
                    verdict = "reject"
                return [
                    (edge.dst, verdict)
                    for edge in graph.possible(node_id, {"verdict": verdict})
                    if edge.on != "timeout"
                ]

            path = walk(
                list(onward((person, "reject"))),
                onward,
                _first_at(target),
            )
            if path:
                whole = [person, *(node_id for node_id, _ in path)]
                yield _finding(
                    "W12",
                    f"The review at {graph.name(person)} is decorative: after a rejection "
                    f"{graph.name(target)} still happens: {_chain(graph, whole)}.",
                    whole,
                )


def _w13(graph: Graph) -> Iterable[Finding]:
    """The head of a timeout way does not reach h in G - R, when nobody has given a verdict."""
    for target in graph.risky:
        for edge in graph.map.edges:
            if edge.on != "timeout":
                continue

            def onward(node_id: str) -> Iterable[str]:
                if node_id in graph.persons:
                    return []
                return [edge.dst for edge in graph.possible(node_id, {"verdict": "none"})]

            path = walk([edge.dst], onward, _at(target))
            if path:
                whole = [edge.src, *path]
                yield _finding(
                    "W13",
                    f"Silence counts as approval: after a time-out {graph.name(target)} happens "
                    f"without review: {_chain(graph, whole)}.",
                    whole,
                    edge.sentence,
                )


def _w14(graph: Graph) -> Iterable[Finding]:
    """The head of an error way does not reach h in G - R."""
    for target in graph.risky:
        for edge in graph.map.edges:
            if edge.on != "error":
                continue
            path = walk([edge.dst], _around(graph, graph.persons), _at(target))
            if path:
                whole = [edge.src, *path]
                yield _finding(
                    "W14",
                    f"When {graph.name(edge.src)} fails, {graph.name(target)} still happens without "
                    f"review: {_chain(graph, whole)}.",
                    whole,
                    edge.sentence,
                )


def _at(wanted: str) -> Callable[[str], bool]:
    return lambda node_id: node_id == wanted


def _first_at(wanted: str) -> Callable[[tuple[str, str]], bool]:
    return lambda state: state[0] == wanted


def _around(graph: Graph, cut: Collection[str]) -> Callable[[str], Iterable[str]]:
    """One step onward in G - cut; a walk may end in the cut but not go on from it."""
    return lambda node_id: [] if node_id in cut else graph.successors(node_id)


def _w15(graph: Graph) -> Iterable[Finding]:
    """With untrusted input, the guards separate s from h."""
    if not graph.world.untrusted_input:
        return
    guards = {node.id for node in graph.map.nodes if node.kind == "guard"}
    for target in graph.risky:
        path = walk([graph.start], _around(graph, guards), _at(target))
        if path:
            yield _finding(
                "W15",
                f"Untrusted text can reach {graph.name(target)} without a guard: "
                f"{_chain(graph, path)}.",
                path,
                node=target,
            )


# -- what happens after the action -------------------------------------------------------------


def _w16(graph: Graph) -> Iterable[Finding]:
    """The monitors separate every end from h, counting only the ok way out of h."""
    monitors = {node.id for node in graph.map.nodes if node.kind == "monitor"}
    for target in graph.risky:
        done = [edge.dst for edge in graph.out[target] if edge.on == "ok"]
        path = walk(done, _around(graph, monitors), lambda n: n in graph.ends)
        if path and path[-1] in graph.ends:
            yield _finding(
                "W16",
                f"{graph.name(target)} is not logged on the way to {graph.name(path[-1])}.",
                [target, *path],
            )


def _undos(graph: Graph, target: str) -> list[Node]:
    return [node for node in graph.map.nodes if node.undoes == target]


def _w17(graph: Graph) -> Iterable[Finding]:
    """Where the world has a reversal, a rollback that undoes h lies in desc(h)."""
    if not any(block.kind == "rollback" for block in graph.world.blocks):
        return
    for target in graph.risky:
        after = graph.descendants[target]
        if not any(node.id in after for node in _undos(graph, target)):
            yield _finding("W17", f"Nothing undoes {graph.name(target)}.", [target])


def _w18(graph: Graph) -> Iterable[Finding]:
    """h dominates its rollback: no walk from s to the rollback goes around h."""
    for target in graph.risky:
        for node in _undos(graph, target):
            path = walk(
                [graph.start],
                _around(graph, {target}),
                _at(node.id),
            )
            if path:
                yield _finding(
                    "W18",
                    f"{graph.name(node.id)} can run before {graph.name(target)} was done: "
                    f"{_chain(graph, path)}.",
                    path,
                    node=node.id,
                )


def _w19(graph: Graph) -> Iterable[Finding]:
    """retries > 0 on h only if the block recognises what it has done already."""
    for target in graph.risky:
        node = graph.nodes[target]
        if node.retries and node.block and not graph.world.block(node.block).idempotent:
            yield _finding(
                "W19",
                f"{graph.name(target)} is tried again but is not idempotent: it can act twice.",
                [target],
            )


# -- who does what -----------------------------------------------------------------------------


def _w20(graph: Graph) -> Iterable[Finding]:
    """For every proposing step a and approving step r with a -> r -> h: actor(a) != actor(r).

    An escalation decides for good, so it approves whether or not h comes after it.
    """
    for target in graph.risky:
        for person in graph.map.nodes:
            if person.kind not in ("human", "escalation"):
                continue
            if person.kind == "human" and target not in graph.descendants[person.id]:
                continue
            for proposer in graph.map.nodes:
                if (
                    proposer.kind == "agent"
                    and actor(person) in (actor(proposer), proposer.block)
                    and person.id in graph.descendants[proposer.id]
                ):
                    yield _finding(
                        "W20",
                        f"{graph.name(proposer.id)} both proposes and, at "
                        f"{graph.name(person.id)}, approves.",
                        [proposer.id, person.id],
                        node=person.id,
                    )


def _w21(graph: Graph) -> Iterable[Finding]:
    """No agent has a block of H among its tools."""
    for node in graph.agents:
        for tool in node.tools or ():
            if tool in graph.world.high_risk:
                yield _finding(
                    "W21",
                    f"{graph.name(node.id)} holds the tool “{tool}” itself, so nothing stands "
                    "between its proposal and the action.",
                    [node.id],
                )


def _w22(graph: Graph) -> Iterable[Finding]:
    """Every monitor reaches a rollback, a human or an escalation."""
    for node in graph.map.nodes:
        if node.kind != "monitor":
            continue
        kinds = {graph.nodes[after].kind for after in graph.descendants[node.id]}
        if not kinds & {"rollback", "human", "escalation"}:
            yield _finding(
                "W22", f"{graph.name(node.id)} watches, but nobody acts on an alarm.", [node.id]
            )


def _w23(graph: Graph) -> Iterable[Finding]:
    """Whoever is asked next has more authority than who did not answer, and a capacity.

    For every timeout way of a human r and every person e that a case can meet first after it:
    e has another block and another actor than r, authority(e) > authority(r) where the world
    ranks both, and e's time is limited or has a price.
    """
    for edge in graph.map.edges:
        if edge.on != "timeout":
            continue
        silent = graph.nodes[edge.src]
        for asked_id in _in_order(graph, graph.persons):
            path = walk([edge.dst], _around(graph, graph.persons), _at(asked_id))
            asked = graph.nodes[asked_id]
            if path is None or asked.block is None or silent.block is None:
                continue
            problem = _not_above(graph, silent, asked)
            if problem:
                yield _finding(
                    "W23",
                    f"After a time-out at {graph.name(silent.id)}, {graph.name(asked.id)} {problem}",
                    [silent.id, *path],
                    edge.sentence,
                )


def _not_above(graph: Graph, silent: Node, asked: Node) -> str | None:
    """Why asking these people is no escalation, as the end of a sentence; None if it is one."""
    assert silent.block is not None  # noqa: S101
    assert asked.block is not None  # noqa: S101
    below, above = graph.world.block(silent.block), graph.world.block(asked.block)
    if below.id == above.id or actor(silent) == actor(asked):
        return "asks the same people, who did not answer."
    if below.authority is not None and above.authority is not None:
        if above.authority == below.authority:
            return "asks people of the same rank, who can decide no more than those before them."
        if above.authority < below.authority:
            return "asks people of a lower rank."
    if above.staff is None and above.cost == above.cost_per_hour == 0:
        return "asks somebody whose time has neither a limit nor a price; nobody is like that."
    return None


def _w25(graph: Graph) -> Iterable[Finding]:
    """For every step a whose block needs a tool: the ok ways out of that tool's steps separate s from a.

    A look-up that failed has found nothing, so its error way counts as a way around it.
    """
    for node in graph.map.nodes:
        needs = graph.world.block(node.block).needs if node.block else ()
        for need in needs:

            def onward(node_id: str, need: str = need) -> Iterable[str]:
                looks = graph.nodes[node_id].block == need
                return [edge.dst for edge in graph.out[node_id] if not (looks and edge.on == "ok")]

            path = walk([graph.start], onward, _at(node.id))
            if path:
                yield _finding(
                    "W25",
                    f"{graph.name(node.id)} can begin without what "
                    f"“{graph.world.block(need).name}” finds: {_chain(graph, path)}.",
                    path,
                    node=node.id,
                )


def _w26(graph: Graph) -> Iterable[Finding]:
    """The head of an error way of h reaches no end that says “served” in G - R - H.

    Nobody has served the customer whose action failed, unless it is done again or a person sees to it.
    """
    served = {node.id for node in graph.map.nodes if node.outcome == "served"}
    for target in graph.risky:
        for edge in graph.out[target]:
            if edge.on != "error":
                continue
            around = _around(graph, {*graph.persons, *graph.risky})
            path = walk([edge.dst], around, served.__contains__)
            if path:
                whole = [target, *path]
                yield _finding(
                    "W26",
                    f"When {graph.name(target)} fails, the case still ends at "
                    f"{graph.name(path[-1])}, as if it had been done: {_chain(graph, whole)}.",
                    whole,
                    edge.sentence,
                )


def superfluous(map_: WorkflowMap, world: World) -> tuple[str, ...]:
    """Agents, guards and monitors that repeat an equal step with no person in between.

    Copies of a block see a proposal exactly alike, so the later one adds cost and nothing else.
    """
    graph = Graph(map_, world)
    found = []
    for first, second in itertools.permutations(map_.nodes, 2):
        if first.block != second.block or first.kind not in ("agent", "guard", "monitor"):
            continue
        around = walk([graph.start], _around(graph, {first.id}), _at(second.id))
        if around is not None or second.id not in graph.descendants[first.id]:
            continue
        # A walk from the one straight to the other, past a person who may send the case back.
        past = walk(
            [(after, False) for after in graph.successors(first.id)],
            _persons_met(graph, {first.id, second.id}),
            {(second.id, True)}.__contains__,
        )
        if past is None:
            found.append(second.id)
    return tuple(dict.fromkeys(found))


def _persons_met(
    graph: Graph, stops: Collection[str]
) -> Callable[[tuple[str, bool]], Iterable[tuple[str, bool]]]:
    """One step onward, up to the stops, remembering whether a person was met."""

    def onward(state: tuple[str, bool]) -> Iterable[tuple[str, bool]]:
        node_id, met = state
        if node_id in stops:
            return []
        met = met or graph.nodes[node_id].kind in ("human", "escalation")
        return [(after, met) for after in graph.successors(node_id)]

    return onward


def _count(number: int) -> str:
    return {2: "two", 3: "three", 4: "four"}.get(number, str(number))

"""The workflow map as plain, frozen values: nodes, edges, and what may be wrong with a text.

A map is a graph that one token per case walks through. Only gateways choose; every other node has
one normal way out, and may have one for failure and one for silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from checkride.lib.errors import DomainError

Kind = Literal[
    "trigger",
    "agent",
    "tool",
    "guard",
    "gateway",
    "human",
    "escalation",
    "monitor",
    "rollback",
    "end",
]
On = Literal["ok", "error", "timeout"]
Outcome = Literal["served", "served_by_human", "refused", "undone"]

KINDS: tuple[Kind, ...] = get_args(Kind)
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

# How people read a kind on a page.
KIND_WORDS: Mapping[Kind, str] = {
    "trigger": "Trigger",
    "agent": "Agent",
    "tool": "Tool",
    "guard": "Guard",
    "gateway": "Gateway",
    "human": "Human",
    "escalation": "Escalation",
    "monitor": "Monitor",
    "rollback": "Rollback",
    "end": "End",
}

MAX_NODES = 60
MAX_EDGES = 150
MAX_CHARACTERS = 60_000
MAX_CONDITION_CHARACTERS = 200
MAX_NAME_CHARACTERS = 80
MAX_NOTE_CHARACTERS = 500
MAX_RETRIES = 5
MAX_LOOPS = 5
MAX_PERSON_VISITS = 8
MAX_BACKOFF_S = 3_600
MAX_PATIENCE_S = 7 * 24 * 3_600
MAX_PRIORITY = 5
USUAL_PRIORITY = 3
MAX_STAFF = 1_000


@dataclass(frozen=True, slots=True)
class Node:
    """One step. Times are in seconds; a field that the kind does not use is None.

    `priority` is 1 (served first) to 5, among those who wait for the same people; 3 where it is
    left out.
    """

    id: str
    kind: Kind
    name: str
    block: str | None = None
    actor: str | None = None
    retries: int | None = None
    backoff_s: int | None = None
    patience_s: int | None = None
    priority: int | None = None
    undoes: str | None = None
    outcome: Outcome | None = None
    tools: tuple[str, ...] | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """One way from a step to the next. `most` is how often one case may take it."""

    src: str
    dst: str
    on: On = "ok"
    when: str | None = None
    otherwise: bool = False
    most: int | None = None

    @property
    def sentence(self) -> str:
        """The edge as it stands in the text form; also its name in findings."""
        words = [f"{self.src} -> {self.dst}"]
        if self.on != "ok":
            words.append(f"on {self.on}")
        if self.when is not None:
            words.append(f"when {self.when}")
        if self.otherwise:
            words.append("otherwise")
        if self.most is not None:
            words.append(f"max {self.most}")
        return " ".join(words)


# A number of people, or the name of a version.
Bought = int | str


@dataclass(frozen=True, slots=True)
class WorkflowMap:
    """A whole map. Node order is the author's; edge order at a gateway is the order of asking.

    `options` holds what was chosen to buy, such as `("reviewer.staff", 4)` or
    `("refund_agent", "v2")`.
    """

    id: str
    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    layout: tuple[tuple[str, tuple[int, int]], ...] = ()
    options: tuple[tuple[str, Bought], ...] = ()

    def node(self, node_id: str) -> Node:
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise KeyError(node_id)

    def out(self, node_id: str) -> Iterator[Edge]:
        return (edge for edge in self.edges if edge.src == node_id)


@dataclass(frozen=True, slots=True)
class MapProblem:
    """Why a text is no map: a whole sentence and the place, as far as it is known.

    `field` is the setting of the step or the part of the way that must be mended.
    """

    message: str
    line: int | None = None
    node: str | None = None
    edge: str | None = None
    field: str | None = None


class BadMap(DomainError):
    code = "bad-map"
    sentence = "{message}"

    def __init__(self, problems: tuple[MapProblem, ...]) -> None:
        self.problems = problems
        first = problems[0]
        where = f"Line {first.line}: " if first.line else ""
        super().__init__(message=where + first.message)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a static check found.

    `path` holds node ids, in walking order where there is one; `node` is the step to mend.
    """

    code: str
    severity: Literal["gate", "must", "warning"]
    says: str
    path: tuple[str, ...] = ()
    edge: str | None = None
    node: str | None = None

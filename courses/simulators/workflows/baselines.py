"""Maps that the platform draws itself: the degenerate ones, and a family with two thresholds.

No degenerate map may score half in a published exercise. The family (review when flagged, or
below a confidence, or above an amount) gives the front of harm against cost that a page draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from courses.simulators.workflows.exact import run_exact
from courses.simulators.workflows.model import Edge, Kind, Node, WorkflowMap
from courses.simulators.workflows.program import compile_map
from courses.simulators.workflows.world import Block, World

CONFIDENCES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
# In units of the median amount; the last is no limit at all.
AMOUNT_FACTORS = (0.5, 1.0, 5 / 3, 10 / 3, 20 / 3, None)
HALF_AN_HOUR_S = 1_800


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """One rule of the family: dollars of harm and of cost for one case, exact."""

    confidence: float
    amount: float | None
    harm: float
    cost: float
    on_front: bool

    @property
    def rule(self) -> str:
        parts = ["flagged"]
        if self.confidence > 0:
            parts.append(f"confidence < {self.confidence:.2f}")
        if self.amount is not None:
            parts.append(f"amount > {self.amount:g}")
        return " or ".join(parts)


def policy_map(
    world: World, *, review_when: str | None, patience_s: int | None = None, name: str = "policy"
) -> WorkflowMap:
    """The ordinary path with one question before the action.

    `review_when` is the condition for a person; "always" sends everybody, None nobody.
    """
    lookup = _first(world, "tool", lambda block: block.id not in world.high_risk)
    agent, guard = _first(world, "agent"), _first(world, "guard")
    person, senior = _first(world, "human"), _first(world, "escalation")
    action = world.block(world.high_risk[0])
    monitor, reversal = _first(world, "monitor"), _first(world, "rollback")
    nodes = [Node("start", "trigger", "Arrives")]
    edges: list[Edge] = []
    last = "start"

    def add(node: Node) -> None:
        nonlocal last
        nodes.append(node)
        edges.append(Edge(last, node.id))
        last = node.id

    handed = senior is not None
    if lookup:
        add(Node("lookup", "tool", "Look up", lookup.id, retries=2, backoff_s=30))
        if handed:
            edges.append(Edge("lookup", "escalate", "error"))
    if agent:
        add(Node("draft", "agent", "Propose", agent.id))
    if guard:
        add(Node("check", "guard", "Check", guard.id))
    if review_when is not None and person is not None:
        review = Node("review", "human", "Review", person.id, patience_s=patience_s)
        if review_when == "always":
            add(review)
        else:
            add(Node("risk", "gateway", "Needs a person?"))
            nodes.append(review)
            edges.append(Edge("risk", "review", when=review_when))
            edges.append(Edge("risk", "pay", otherwise=True))
        nodes.append(Node("decided", "gateway", "Verdict?"))
        nodes.append(Node("rejected", "end", "Refused", outcome="refused"))
        edges.append(Edge("review", "decided"))
        if patience_s is not None and handed:
            edges.append(Edge("review", "escalate", "timeout"))
        edges.append(Edge("decided", "pay", when="verdict == 'approve'"))
        if agent:
            edges.append(Edge("decided", "draft", when="verdict == 'rework'", most=1))
        edges.append(Edge("decided", "rejected", otherwise=True))
        nodes.append(Node("pay", "tool", "Act", action.id, retries=1, backoff_s=30))
        last = "pay"
    else:
        add(Node("pay", "tool", "Act", action.id, retries=1, backoff_s=30))
    if handed:
        edges.append(Edge("pay", "escalate", "error"))
    if monitor:
        add(Node("watch", "monitor", "Watch", monitor.id))
        if reversal:
            add(Node("alarm", "gateway", "Alarm?"))
            nodes.append(Node("undo", "rollback", "Undo", reversal.id, undoes="pay"))
            nodes.append(Node("reversed", "end", "Undone", outcome="undone"))
            edges.append(Edge("alarm", "undo", when="alarm"))
            edges.append(Edge("alarm", "done", otherwise=True))
            edges.append(Edge("undo", "reversed"))
    nodes.append(Node("done", "end", "Done", outcome="served"))
    if last != "alarm":
        edges.append(Edge(last, "done"))
    if senior is not None:
        nodes.append(Node("escalate", "escalation", "Hand over", senior.id))
        nodes.append(Node("handed", "end", "Handed over", outcome="served_by_human"))
        edges.append(Edge("escalate", "handed"))
    return WorkflowMap(name.replace("_", "-"), name, tuple(nodes), tuple(edges))


def _first(
    world: World, kind: Kind, fits: Callable[[Block], bool] = lambda block: True
) -> Block | None:
    return next((b for b in world.blocks if b.kind == kind and fits(b)), None)


def _reject_all(world: World) -> WorkflowMap:
    # The end claims to serve: what an end is called must earn nothing.
    nodes = (Node("start", "trigger", "Arrives"), Node("done", "end", "Served", outcome="served"))
    return WorkflowMap("reject-all", "reject_all", nodes, (Edge("start", "done"),))


def _hand_all(world: World) -> WorkflowMap:
    senior = _first(world, "escalation") or _first(world, "human")
    assert senior is not None  # noqa: S101  # `check_exercise` refuses worlds without people
    nodes = (
        Node("start", "trigger", "Arrives"),
        Node("ask", senior.kind, "Ask", senior.id),
        Node("done", "end", "Handed over", outcome="served_by_human"),
    )
    return WorkflowMap("hand-all", "hand_all", nodes, (Edge("start", "ask"), Edge("ask", "done")))


DEGENERATE: Mapping[str, Callable[[World], WorkflowMap]] = {
    "reject_all": _reject_all,
    "hand_all": _hand_all,
    "no_review": lambda world: policy_map(world, review_when=None, name="no_review"),
    "guard_only": lambda world: policy_map(world, review_when="flagged", name="guard_only"),
    "review_all": lambda world: policy_map(world, review_when="always", name="review_all"),
    "review_all_timeout": lambda world: policy_map(
        world, review_when="always", patience_s=HALF_AN_HOUR_S, name="review_all_timeout"
    ),
}


@lru_cache(maxsize=16)
def front(world: World) -> tuple[FrontPoint, ...]:
    """Harm and cost of the 48 rules of the family; kept, since a world is the same for everybody."""
    found = []
    for confidence in CONFIDENCES:
        for factor in AMOUNT_FACTORS:
            amount = None if factor is None else float(round(world.amount_median * factor))
            rule = FrontPoint(confidence, amount, 0.0, 0.0, False)
            result = run_exact(compile_map(policy_map(world, review_when=rule.rule), world))
            found.append((rule, result.harm, result.cost))
    return tuple(
        FrontPoint(
            rule.confidence,
            rule.amount,
            harm,
            cost,
            on_front=not any(
                (h <= harm and c <= cost) and (h < harm or c < cost) for _, h, c in found
            ),
        )
        for rule, harm, cost in found
    )

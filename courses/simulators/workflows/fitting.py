"""Put an imported map onto the blocks of an exercise, which a BPMN file does not know.

A step gets the block that its file names, the only one of its kind, or the one whose name its own
name repeats. A task whose kind was only guessed may become another kind of task for that. Where
nothing is certain nothing is chosen, and the person is told what there is to choose from.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from courses.simulators.workflows.model import KIND_WORDS, Kind, Node, WorkflowMap
from courses.simulators.workflows.reading import MAY, NEEDS
from courses.simulators.workflows.world import Block, World

# What a BPMN service task or user task may mean, when nothing but its type is known.
_MAY_BE: dict[Kind, tuple[Kind, ...]] = {
    "tool": ("agent", "guard", "monitor"),
    "guard": ("agent", "tool", "monitor"),
    "human": ("escalation",),
}
# Words that say what is done and not by what.
_SMALL = frozenset({"a", "an", "and", "by", "for", "in", "of", "on", "the", "to", "with"})


@dataclass(frozen=True, slots=True)
class Choice:
    """A step without a block, and the blocks that it could be.

    `others` are those that it could be if its kind, which was only guessed, is another.
    """

    step: str
    name: str
    kind: Kind
    blocks: tuple[Block, ...]
    others: tuple[Block, ...] = ()

    @property
    def says(self) -> str:
        head = f"“{self.name}” is a step of the kind {KIND_WORDS[self.kind].lower()}"
        if not self.blocks and not self.others:
            return (
                f"{head}, and this exercise has no block for it. Give it another kind, or take it "
                "out."
            )
        said = f"{head}."
        if self.blocks:
            listed = _or(f"{block.name} (block: {block.id})" for block in self.blocks)
            said += f" Choose its block: {listed}."
        if self.others:
            listed = _or(f"{b.name} (kind: {b.kind}, block: {b.id})" for b in self.others)
            said += f" If it is another kind of step, change the kind as well: {listed}."
        return said


@dataclass(frozen=True, slots=True)
class Fitted:
    """The map on the exercise's blocks: what was matched, in sentences, and what is to be chosen."""

    map: WorkflowMap
    matched: tuple[str, ...]
    choices: tuple[Choice, ...]


def fit(map_: WorkflowMap, world: World, *, guessed: Collection[str]) -> Fitted:
    """`guessed` are the ids of steps whose kind stood in the file as a BPMN type alone."""
    nodes: list[Node] = []
    matched: list[str] = []
    choices: list[Choice] = []
    kinds = world.kinds
    for node in map_.nodes:
        if "block" not in NEEDS[node.kind] or kinds.get(node.block or "") == node.kind:
            nodes.append(node)
            continue
        same = [block for block in world.blocks if block.kind == node.kind]
        others = _others(node, map_, world) if node.id in guessed else []
        found = _block_for(node, same, others)
        if found is None:
            nodes.append(replace(node, block=None))
            choices.append(Choice(node.id, node.name, node.kind, tuple(same), tuple(others)))
            continue
        nodes.append(_as(node, found))
        word = KIND_WORDS[found.kind].lower()
        change = f", and so of the kind {word}" if found.kind != node.kind else ""
        matched.append(f"“{node.name}” is done by {found.name}{change}.")
    return Fitted(replace(map_, nodes=tuple(nodes)), tuple(matched), tuple(choices))


def _others(node: Node, map_: WorkflowMap, world: World) -> list[Block]:
    """The blocks that the step could be if it were of another kind."""
    kinds = _MAY_BE.get(node.kind, ())
    return [b for b in world.blocks if b.kind in kinds and _can_be(node, map_, b)]


def _block_for(node: Node, same: list[Block], others: list[Block]) -> Block | None:
    """The block of this step if there is no doubt, else None."""
    named = _named(node, [*same, *others])
    if named is not None:
        return named
    # A task of a guessed kind may be any of several, so “the only guard” says little about it.
    return same[0] if len(same) == 1 and not others else None


def _can_be(node: Node, map_: WorkflowMap, block: Block) -> bool:
    """Whether nothing that the step has is against the block's kind."""
    ways = {edge.on for edge in map_.out(node.id)}
    if "error" in ways and block.kind not in ("tool", "agent", "guard", "rollback"):
        return False
    return not ("timeout" in ways and block.kind != "human")


def _named(node: Node, blocks: list[Block]) -> Block | None:
    """The block whose name shares most words with the step's name or id; None on a tie."""
    mine = _words(f"{node.name} {node.id} {node.block or ''}")
    rated = sorted(((_shared(mine, block), block.id, block) for block in blocks), reverse=True)
    if not rated or not rated[0][0] or (len(rated) > 1 and rated[1][0] == rated[0][0]):
        return None
    return rated[0][2]


def _shared(mine: frozenset[str], block: Block) -> float:
    """The part of the block's name that the step repeats, from 0 to 1."""
    theirs = _words(block.name) | _words(block.id)
    return len(mine & theirs) / len(theirs) if theirs else 0.0


def _or(words: Iterable[str]) -> str:
    listed = list(words)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} or {listed[-1]}"


def _words(text: str) -> frozenset[str]:
    """Stems, roughly: “Reviewing” and “reviewer” meet in “review”, “pay” and “payment” in “pay”."""
    found = re.findall(r"[^\W\d_]+", text.lower())
    return frozenset(
        re.sub(r"(?<=\w{3})(?:ments?|ers?|or|ing|als?|ed|s)$", "", word)
        for word in found
        if word not in _SMALL
    )


def _as(node: Node, block: Block) -> Node:
    """The step with this block; what a step of the block's kind cannot have is left behind."""
    may = (*NEEDS[block.kind], *MAY[block.kind])
    return replace(
        node,
        kind=block.kind,
        block=block.id,
        actor=node.actor if "actor" in may else None,
        retries=node.retries if "retries" in may else None,
        backoff_s=node.backoff_s if "backoff" in may else None,
        patience_s=node.patience_s if "patience" in may else None,
        priority=node.priority if "priority" in may else None,
        tools=node.tools if "tools" in may else None,
    )

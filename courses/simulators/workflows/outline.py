"""A map in words: rows for a table, and a walk-through to read or to hear."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from courses.simulators.workflows.model import KIND_WORDS, MAX_PRIORITY, Edge, Node, WorkflowMap
from courses.simulators.workflows.replay import time_text
from courses.simulators.workflows.world import World

Json = Any

OUTCOME_WORDS = {
    "served": "the customer is served",
    "served_by_human": "a person has served the customer",
    "refused": "the case is refused",
    "undone": "the action is taken back",
}


@dataclass(frozen=True, slots=True)
class Way:
    """One way out, e.g. `when flagged, to Human review`."""

    says: str
    to: str
    to_name: str
    edge: str


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    name: str
    kind: str
    kind_word: str
    block: str
    settings: tuple[str, ...]
    ways: tuple[Way, ...]


def outline(map_: WorkflowMap, world: World) -> tuple[Row, ...]:
    """One row for each step, in the map's order."""
    world = world.as_bought(map_)
    names = {node.id: node.name for node in map_.nodes}
    blocks = {block.id: block.name for block in world.blocks}
    return tuple(
        Row(
            id=node.id,
            name=node.name,
            kind=node.kind,
            kind_word=KIND_WORDS[node.kind],
            block=blocks.get(node.block or "", ""),
            settings=_settings(node, names, world),
            ways=tuple(_way(edge, names) for edge in map_.out(node.id)),
        )
        for node in map_.nodes
    )


def outline_json(rows: tuple[Row, ...]) -> list[Json]:
    found = []
    for row in rows:
        data = asdict(row)
        data["settings"] = list(row.settings)
        data["ways"] = [asdict(way) for way in row.ways]
        found.append(data)
    return found


def _settings(node: Node, names: dict[str, str], world: World) -> tuple[str, ...]:
    said = []
    if node.block in world.high_risk:
        said.append("high risk")
    if node.block and (staff := world.block(node.block).staff):
        said.append("1 person" if staff == 1 else f"{staff} people")
    if node.actor:
        said.append(f"done by {node.actor}")
    if node.retries is not None:
        wait = f", after {time_text(node.backoff_s * 1000)}" if node.backoff_s else ""
        said.append(f"up to {1 + node.retries} tries{wait}")
    if node.patience_s is not None:
        said.append(f"waits {time_text(node.patience_s * 1000)}")
    if node.priority is not None:
        said.append(f"priority {node.priority} of {MAX_PRIORITY}")
    if node.undoes is not None:
        said.append(f"undoes {names.get(node.undoes, node.undoes)}")
    if node.tools:
        said.append(f"holds {', '.join(node.tools)}")
    if node.outcome is not None:
        said.append(OUTCOME_WORDS[node.outcome])
    return tuple(said)


def _way(edge: Edge, names: dict[str, str]) -> Way:
    target = names.get(edge.dst, edge.dst)
    if edge.when is not None:
        says = f"when {edge.when}, to {target}"
        if edge.most is not None:
            says += ", at most once" if edge.most == 1 else f", at most {edge.most} times"
    elif edge.otherwise:
        says = f"otherwise to {target}"
    elif edge.on == "error":
        says = f"on error to {target}"
    elif edge.on == "timeout":
        says = f"when nobody answers, to {target}"
    else:
        says = f"to {target}"
    return Way(says, edge.dst, target, edge.sentence)


def bought(map_: WorkflowMap, world: World) -> tuple[str, ...]:
    """What the map has bought that is not the usual: `Reviewer: 4 people instead of 3`."""
    chosen = dict(map_.options)
    said = []
    for option in world.options:
        number = chosen.get(option.id, option.default)
        if number != option.default:
            name = world.block(option.block).name
            people = "person" if number == 1 else "people"
            said.append(f"{name}: {number} {people} instead of {option.default}")
    for row in world.versions:
        version = chosen.get(row.block, row.default)
        if version != row.default:
            said.append(f"{world.block(row.block).name}: {version} instead of {row.default}")
    return tuple(said)


def walk_through(map_: WorkflowMap, world: World) -> tuple[str, ...]:
    """The map in sentences: `At “Needs a human?”: 2 ways. 1: when flagged, to Human review. ...`.

    Before the steps comes what is bought, if anything is.
    """
    said = [f"Bought: {_stop(words)}" for words in bought(map_, world)]
    for row in outline(map_, world):
        kind = f"{row.kind_word}, {row.block}" if row.block else row.kind_word
        details = f"; {', '.join(row.settings)}" if row.settings else ""
        head = f"“{row.name}” ({kind}{details})"
        if row.kind == "end":
            said.append(f"{head}: the case ends.")
        elif not row.ways:
            said.append(f"{head}: nothing follows.")
        elif len(row.ways) == 1:
            said.append(f"{head}: {_stop(row.ways[0].says)}")
        else:
            listed = " ".join(f"{n}: {_stop(way.says)}" for n, way in enumerate(row.ways, 1))
            said.append(f"At {head}: {len(row.ways)} ways. {listed}")
    return tuple(said)


def _stop(words: str) -> str:
    """End a sentence, unless a name has ended it: `to Needs a human?`."""
    return words if words.endswith((".", "?", "!")) else f"{words}."

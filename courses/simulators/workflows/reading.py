"""Read a map from its text form or from JSON, and say in plain words what is wrong with it.

Both forms hold the same thing (`checkride: map/1`). The reader does not stop at the first error:
it collects what it finds, each with the line, so that a learner mends a map in one go.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from checkride.lib import strict_yaml
from courses.simulators.workflows import conditions
from courses.simulators.workflows.model import (
    KINDS,
    MAX_BACKOFF_S,
    MAX_CHARACTERS,
    MAX_EDGES,
    MAX_LOOPS,
    MAX_NAME_CHARACTERS,
    MAX_NODES,
    MAX_NOTE_CHARACTERS,
    MAX_PATIENCE_S,
    MAX_PRIORITY,
    MAX_RETRIES,
    MAX_STAFF,
    OUTCOMES,
    BadMap,
    Bought,
    Edge,
    Kind,
    MapProblem,
    Node,
    On,
    Outcome,
    WorkflowMap,
)

Json = Any
Lines = Mapping[tuple[str | int, ...], int]

FORMAT = "map/1"
MAX_PROBLEMS = 20

# YAML 1.1 readers of other tools turn these into true and false; a map must read the same there.
BOOLEANS_ELSEWHERE = frozenset({"no", "yes", "on", "off", "true", "false", "null", "y", "n"})
NODE_ID = re.compile(r"[a-z][a-z0-9_]{0,31}")
MAP_ID = re.compile(r"[a-z][a-z0-9-]{0,63}")
BLOCK = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
# People of a block (`reviewer.staff`), or the block itself, of which there are versions.
OPTION = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}(?:\.staff)?")
VERSION = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_DURATION = re.compile(r"(\d{1,7})\s*(s|m|h)?")
_UNIT_S = {"s": 1, "m": 60, "h": 3600}
_EDGE = re.compile(
    r"(?P<src>\S+)\s*->\s*(?P<dst>\S+)"
    r"(?:\s+on\s+(?P<on>\S+))?"
    r"(?:\s+when\s+(?P<when>.+?))?"
    r"(?P<otherwise>\s+otherwise)?"
    r"(?:\s+max\s+(?P<most>\S+))?\s*"
)

# Which keys a kind needs and which it may have, beside `kind` and `name`.
NEEDS: Mapping[Kind, tuple[str, ...]] = {
    "trigger": (),
    "agent": ("block",),
    "tool": ("block",),
    "guard": ("block",),
    "gateway": (),
    "human": ("block",),
    "escalation": ("block",),
    "monitor": ("block",),
    "rollback": ("block", "undoes"),
    "end": ("outcome",),
}
MAY: Mapping[Kind, tuple[str, ...]] = {
    "trigger": ("note",),
    "agent": ("actor", "tools", "note"),
    "tool": ("retries", "backoff", "note"),
    "guard": ("note",),
    "gateway": ("note",),
    "human": ("actor", "patience", "priority", "note"),
    "escalation": ("actor", "priority", "note"),
    "monitor": ("note",),
    "rollback": ("note",),
    "end": ("note",),
}
_ALL_KEYS = ("kind", "name", *sorted({k for v in (NEEDS, MAY) for t in v.values() for k in t}))


def read_map(
    text: str,
    *,
    blocks: Mapping[str, str] | None,
    visible: Sequence[str],
    options: Mapping[str, range | tuple[str, ...]] | None = None,
) -> WorkflowMap:
    """The map in `text`, which is the text form or, if it begins with `{`, the JSON form.

    `blocks` gives the kind of each block in the exercise's catalogue, and None, outside any
    exercise, allows every name; `visible` lists the variables that a condition may name; `options`
    gives what can be bought, a range of numbers or the names of versions, and None allows any.
    Raises `BadMap` with all problems found, up to twenty.
    """
    if len(text) > MAX_CHARACTERS:
        raise BadMap(
            (
                MapProblem(
                    f"The map is longer than {MAX_CHARACTERS:,} characters, which is the limit."
                ),
            )
        )
    data, lines = _parse(text)
    reader = _Reader(blocks=blocks, visible=tuple(visible), lines=lines, options=options)
    found = reader.read(data)
    if reader.problems and not lines:
        # Where JSON goes wrong is looked up only when it does.
        lines = _json_lines(text)
        reader = _Reader(blocks=blocks, visible=tuple(visible), lines=lines, options=options)
        found = reader.read(data)
    if found is None or reader.problems:
        raise BadMap(tuple(reader.problems[:MAX_PROBLEMS]))
    return found


def _parse(text: str) -> tuple[Json, Lines]:
    if text.lstrip().startswith("{"):
        return _parse_json(text), {}
    try:
        data = strict_yaml.load(text)
        return data, strict_yaml.line_numbers(text)
    except strict_yaml.BadYaml as error:
        hint = " Put names in double quotes." if "?" in text or "expected" in error.problem else ""
        message = error.problem[:1].upper() + error.problem[1:] + hint
        raise BadMap((MapProblem(message, line=error.line),)) from error


def _json_lines(text: str) -> Lines:
    """Where each value stands; JSON is YAML but for a few letters, and then no line is known."""
    try:
        strict_yaml.load(text)
    except strict_yaml.BadYaml:
        return {}
    return strict_yaml.line_numbers(text)


def _parse_json(text: str) -> Json:
    def no_twins(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for key, value in pairs:
            if key in found:
                raise BadMap((MapProblem(f"The key “{key}” appears twice in the JSON."),))
            found[key] = value
        return found

    def refuse(word: str) -> Json:
        raise BadMap((MapProblem(f"“{word}” is not a number that JSON allows."),))

    try:
        return json.loads(text, object_pairs_hook=no_twins, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise BadMap(
            (MapProblem(f"This is not valid JSON ({error.msg}).", line=error.lineno),)
        ) from error
    except (RecursionError, ValueError) as error:
        raise BadMap((MapProblem("This cannot be read as JSON."),)) from error


@dataclass
class _Reader:
    """Collects problems while it builds the map; used once."""

    blocks: Mapping[str, str] | None
    visible: tuple[str, ...]
    lines: Lines
    options: Mapping[str, range | tuple[str, ...]] | None = None
    problems: list[MapProblem] = field(default_factory=list)

    def problem(
        self,
        message: str,
        *place: str | int,
        node: str | None = None,
        edge: str | None = None,
        field: str | None = None,
    ) -> None:
        path: tuple[str | int, ...] = place
        while path and path not in self.lines:
            path = path[:-1]
        if field is None and len(place) == 3 and place[0] == "nodes":
            field = str(place[2])
        if node is None and len(place) > 1 and place[0] == "nodes":
            node = str(place[1])
        self.problems.append(
            MapProblem(message, line=self.lines.get(path), node=node, edge=edge, field=field)
        )

    def read(self, data: Json) -> WorkflowMap | None:
        if not isinstance(data, dict):
            self.problem("A map begins with the line “checkride: map/1”.")
            return None
        if data.get("checkride") != FORMAT:
            self.problem("A map begins with the line “checkride: map/1”.", "checkride")
            return None
        top = ("checkride", "id", "title", "nodes", "edges", "layout", "options")
        self._keys(data, needed=top[:5], allowed=top, what="the map", place=())
        map_id = self._map_id(data.get("id"))
        title = self._words(data.get("title"), "title", MAX_NAME_CHARACTERS, "The title", "title")
        nodes = self._nodes(data.get("nodes"))
        edges = self._edges(data.get("edges"), {node.id: node for node in nodes})
        layout = self._layout(data.get("layout"), {node.id for node in nodes})
        options = self._options(data.get("options"))
        self._references(nodes)
        return WorkflowMap(map_id, title, nodes, edges, layout, options)

    # -- single values ---------------------------------------------------------------------

    def _keys(
        self,
        data: Mapping[str, Json],
        *,
        needed: Iterable[str],
        allowed: Iterable[str],
        what: str,
        place: tuple[str | int, ...],
        node: str | None = None,
        hints: Mapping[str, str] | None = None,
    ) -> None:
        """`hints` say what to write for a key that is needed and lacking."""
        allowed = tuple(allowed)
        for key in data:
            if key not in allowed:
                near = _nearest(key, allowed)
                hint = f" Did you mean “{near}”?" if near else f" It may have {_and(allowed)}."
                self.problem(f"{_up(what)} has no “{key}”.{hint}", *place, key, node=node)
        for key in needed:
            if key not in data:
                hint = (hints or {}).get(key, "")
                self.problem(f"{_up(what)} lacks “{key}”.{hint}", *place, node=node, field=key)
            elif data[key] is None:
                self.problem(f"“{key}” of {what} is empty.", *place, key, node=node, field=key)

    def _words(self, value: Json, what: str, most: int, says: str, *place: str | int) -> str:
        if value is None:
            return ""
        if not isinstance(value, str) or not value.strip():
            self.problem(f"{says} must be words; put them in double quotes.", *place)
            return ""
        if len(value) > most:
            self.problem(f"{says} is longer than {most} characters.", *place)
        if any(ord(letter) < 32 and letter not in "\n\t" for letter in value):
            self.problem(f"{says} holds a control character.", *place)
        return value

    def _map_id(self, value: Json) -> str:
        if value is None:
            return ""
        if not isinstance(value, str) or not MAP_ID.fullmatch(value):
            self.problem(
                "The map's id may hold small letters, digits and hyphens, and begins with a letter.",
                "id",
            )
            return ""
        return value

    def _whole(
        self, value: Json, least: int, most: int, says: str, *place: str | int, node: str | None
    ) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.problem(
                f"{says} must be a whole number from {least} to {most:,}.", *place, node=node
            )
            return None
        return value

    def _seconds(
        self, value: Json, least: int, most: int, says: str, *place: str | int, node: str
    ) -> int | None:
        if value is None:
            return None
        seconds: int | None = None
        if isinstance(value, int) and not isinstance(value, bool):
            seconds = value
        elif isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
            seconds = int(match[1]) * _UNIT_S[match[2] or "s"]
        if seconds is None or not least <= seconds <= most:
            self.problem(
                f"{says} is a time: whole seconds, or a number with s, m or h as in 30m, "
                f"from {_span(least)} to {_span(most)}.",
                *place,
                node=node,
            )
            return None
        return seconds

    # -- nodes -----------------------------------------------------------------------------

    def _nodes(self, data: Json) -> tuple[Node, ...]:
        if data is None:
            return ()
        if not isinstance(data, dict):
            self.problem("“nodes” lists the steps, each as “name: {kind: ...}”.", "nodes")
            return ()
        if len(data) > MAX_NODES:
            self.problem(f"The map has {len(data)} steps; the limit is {MAX_NODES}.", "nodes")
            return ()
        found = []
        for node_id, fields in data.items():
            node = self._node(node_id, fields)
            if node is not None:
                found.append(node)
        return tuple(found)

    def _node(self, node_id: str, data: Json) -> Node | None:
        place = ("nodes", node_id)
        if node_id.lower() in BOOLEANS_ELSEWHERE:
            self.problem(
                f"A step cannot be called “{node_id}”: many YAML readers take that word for "
                f"true or false. Call it “{node_id}_step”, for example.",
                *place,
            )
            return None
        if not NODE_ID.fullmatch(node_id):
            self.problem(
                f"“{node_id[:40]}” cannot be a step's id. Use small letters, digits and _, begin "
                "with a letter, at most 32 characters.",
                *place,
            )
            return None
        if not isinstance(data, dict):
            self.problem(
                f"“{node_id}” needs its settings in braces, as in {{kind: end, ...}}.", *place
            )
            return None
        kind = data.get("kind")
        if kind not in KINDS:
            near = _nearest(str(kind), KINDS)
            hint = f" Did you mean “{near}”?" if near else ""
            self.problem(
                f"“{node_id}” has the kind “{kind}”.{hint} Kinds are {_and(KINDS)}."
                if "kind" in data
                else f"“{node_id}” lacks “kind”. Kinds are {_and(KINDS)}.",
                *place,
                "kind",
                node=node_id,
            )
            return None
        needed = ("name", *NEEDS[kind])
        allowed = ("kind", *needed, *MAY[kind])
        wrong_here = [key for key in data if key in _ALL_KEYS and key not in allowed]
        for key in wrong_here:
            owners = [k for k in KINDS if key in NEEDS[k] or key in MAY[k]]
            self.problem(
                f"“{node_id}” is of the kind {kind}, which has no “{key}”; only "
                f"{_and(owners)} can have one.",
                *place,
                key,
                node=node_id,
            )
        self._keys(
            {key: value for key, value in data.items() if key not in wrong_here},
            needed=needed,
            allowed=allowed,
            what=f"“{node_id}”",
            place=place,
            node=node_id,
            hints={"block": self._have(kind), "outcome": f" It is one of {_and(OUTCOMES)}."},
        )
        return Node(
            id=node_id,
            kind=kind,
            name=self._words(
                data.get("name"),
                "name",
                MAX_NAME_CHARACTERS,
                f"The name of “{node_id}”",
                *place,
                "name",
            ),
            block=self._block(node_id, kind, data.get("block")) if "block" in needed else None,
            actor=self._actor(node_id, data.get("actor")),
            retries=self._whole(
                data.get("retries"),
                0,
                MAX_RETRIES,
                f"“retries” of “{node_id}”",
                *place,
                "retries",
                node=node_id,
            ),
            backoff_s=self._backoff(node_id, data),
            patience_s=self._seconds(
                data.get("patience"),
                1,
                MAX_PATIENCE_S,
                f"“patience” of “{node_id}”",
                *place,
                "patience",
                node=node_id,
            ),
            priority=self._whole(
                data.get("priority"),
                1,
                MAX_PRIORITY,
                f"“priority” of “{node_id}” (1 is served first)",
                *place,
                "priority",
                node=node_id,
            ),
            undoes=self._id_or_none(node_id, data.get("undoes"), "undoes"),
            outcome=self._outcome(node_id, data.get("outcome")) if kind == "end" else None,
            tools=self._tools(node_id, data.get("tools")) if kind == "agent" else None,
            note=self._words(
                data["note"],
                "note",
                MAX_NOTE_CHARACTERS,
                f"The note of “{node_id}”",
                *place,
                "note",
            )
            if "note" in data
            else None,
        )

    def _backoff(self, node_id: str, data: Mapping[str, Json]) -> int | None:
        place = ("nodes", node_id, "backoff")
        tries = data.get("retries")
        if isinstance(tries, int) and tries > 0 and "backoff" not in data:
            self.problem(
                f"“{node_id}” has retries but no backoff: write how long it waits, as in "
                "backoff: 30.",
                *place,
                node=node_id,
            )
        if "backoff" in data and "retries" not in data:
            self.problem(
                f"“{node_id}” has a backoff but no retries, so nothing waits.", *place, node=node_id
            )
        return self._seconds(
            data.get("backoff"), 0, MAX_BACKOFF_S, f"“backoff” of “{node_id}”", *place, node=node_id
        )

    def _block(self, node_id: str, kind: Kind, value: Json) -> str | None:
        if value is None:
            return None
        if self.blocks is None:
            return self._any_block(value, f"The block of “{node_id}”", "nodes", node_id, "block")
        fitting = self._fitting(kind)
        place = ("nodes", node_id, "block")
        if not isinstance(value, str) or value not in self.blocks:
            near = _nearest(str(value), fitting)
            hint = f" Did you mean “{near}”?" if near else ""
            have = self._have(kind)
            self.problem(
                f"“{node_id}” uses the block “{str(value)[:40]}”, which this exercise does not "
                f"have.{hint or have}",
                *place,
                node=node_id,
            )
            return None
        if value not in fitting:
            self.problem(
                f"“{node_id}” is of the kind {kind}, but “{value}” is of the kind "
                f"{self.blocks[value]}.",
                *place,
                node=node_id,
            )
            return None
        return value

    def _fitting(self, kind: Kind) -> list[str]:
        return [block for block, of_kind in (self.blocks or {}).items() if of_kind == kind]

    def _have(self, kind: Kind) -> str:
        """What the exercise has for a step of this kind; empty outside any exercise."""
        fitting = self._fitting(kind)
        return f" For a step of this kind there is {_and(fitting)}." if fitting else ""

    def _any_block(self, value: Json, says: str, *place: str | int) -> str | None:
        if isinstance(value, str) and BLOCK.fullmatch(value):
            return value
        self.problem(
            f"{says} must be one word of letters, digits, _ and -, at most 64 characters.", *place
        )
        return None

    def _actor(self, node_id: str, value: Json) -> str | None:
        return self._id_or_none(node_id, value, "actor")

    def _id_or_none(self, node_id: str, value: Json, key: str) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str) or not NODE_ID.fullmatch(value):
            self.problem(
                f"“{key}” of “{node_id}” must be one word of small letters, digits and _.",
                "nodes",
                node_id,
                key,
                node=node_id,
            )
            return None
        return value

    def _outcome(self, node_id: str, value: Json) -> Outcome | None:
        if value is None:
            return None
        if value not in OUTCOMES:
            self.problem(
                f"The outcome of “{node_id}” must be one of {_and(OUTCOMES)}.",
                "nodes",
                node_id,
                "outcome",
                node=node_id,
            )
            return None
        outcome: Outcome = value
        return outcome

    def _tools(self, node_id: str, value: Json) -> tuple[str, ...] | None:
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(tool, str) for tool in value):
            self.problem(
                f"“tools” of “{node_id}” is a list of blocks, as in [order_db].",
                "nodes",
                node_id,
                "tools",
                node=node_id,
            )
            return None
        for tool in value:
            if self.blocks is None:
                self._any_block(tool, f"A tool of “{node_id}”", "nodes", node_id, "tools")
            elif self.blocks.get(tool) != "tool":
                self.problem(
                    f"“{node_id}” holds the tool “{tool[:40]}”, which this exercise does not have.",
                    "nodes",
                    node_id,
                    "tools",
                    node=node_id,
                )
        return tuple(value)

    def _references(self, nodes: tuple[Node, ...]) -> None:
        ids = {node.id for node in nodes}
        for node in nodes:
            if node.undoes is not None and node.undoes not in ids:
                self.problem(
                    f"“{node.id}” undoes “{node.undoes}”, but there is no such step.",
                    "nodes",
                    node.id,
                    "undoes",
                    node=node.id,
                )

    # -- edges -----------------------------------------------------------------------------

    def _edges(self, data: Json, nodes: Mapping[str, Node]) -> tuple[Edge, ...]:
        if data is None:
            return ()
        if not isinstance(data, list):
            self.problem("“edges” is a list; each line begins with a hyphen.", "edges")
            return ()
        if len(data) > MAX_EDGES:
            self.problem(f"The map has {len(data)} ways; the limit is {MAX_EDGES}.", "edges")
            return ()
        found = []
        for index, item in enumerate(data):
            edge = (
                self._edge_sentence(item, index)
                if isinstance(item, str)
                else self._edge_object(item, index)
            )
            if edge is not None and self._edge_fits(edge, index, nodes):
                found.append(edge)
        return tuple(found)

    def _edge_sentence(self, text: str, index: int) -> Edge | None:
        place = ("edges", index)
        match = _EDGE.fullmatch(text.strip())
        if match is None:
            self.problem(
                f"“{text[:80]}” is not a way. Write: from -> to, then, if needed, on error, "
                "on timeout, when ..., otherwise, max 2.",
                *place,
            )
            return None
        most: int | None = None
        if match["most"] is not None:
            if not match["most"].isdecimal() or not 1 <= int(match["most"]) <= MAX_LOOPS:
                self.problem(
                    f"“max” must be a whole number from 1 to {MAX_LOOPS}.", *place, edge=text
                )
                return None
            most = int(match["most"])
        return self._edge(
            index,
            match["src"],
            match["dst"],
            match["on"] or "ok",
            match["when"],
            bool(match["otherwise"]),
            most,
        )

    def _edge_object(self, data: Json, index: int) -> Edge | None:
        place = ("edges", index)
        if not isinstance(data, dict):
            self.problem("A way is a sentence such as: lookup -> draft.", *place)
            return None
        allowed = ("src", "dst", "on", "when", "default", "max")
        before = len(self.problems)
        self._keys(
            data, needed=allowed[:2], allowed=allowed, what=f"way number {index + 1}", place=place
        )
        default = data.get("default", False)
        if not isinstance(default, bool):
            self.problem("“default” of a way is true or false.", *place)
        when = data.get("when")
        if when is not None and not isinstance(when, str):
            self.problem("“when” of a way is a condition in quotes.", *place)
        for key in ("src", "dst", "on"):
            if key in data and not isinstance(data[key], str):
                self.problem(f"“{key}” of a way is a word.", *place)
        most = self._whole(data.get("max"), 1, MAX_LOOPS, "“max” of a way", *place, node=None)
        if len(self.problems) > before:
            return None
        return self._edge(
            index, data["src"], data["dst"], data.get("on", "ok"), when, default, most
        )

    def _edge(
        self,
        index: int,
        src: str,
        dst: str,
        on: str,
        when: str | None,
        otherwise: bool,
        most: int | None,
    ) -> Edge | None:
        if on not in ("ok", "error", "timeout"):
            self.problem(
                f"“on {on[:40]}” is not known. A way can be on error or on timeout.",
                "edges",
                index,
            )
            return None
        word: On = on  # type: ignore[assignment]  # narrowed by the test above
        # One spelling: what the writer puts out is what the reader keeps.
        asked = " ".join(when.split()) if when is not None else None
        return Edge(src, dst, word, asked, otherwise, most)

    def _edge_fits(self, edge: Edge, index: int, nodes: Mapping[str, Node]) -> bool:
        place = ("edges", index)
        before = len(self.problems)

        def wrong(message: str, field: str | None = None) -> None:
            self.problem(message, *place, node=edge.src, edge=edge.sentence, field=field)

        for end in (edge.src, edge.dst):
            if end not in nodes and not self._is_listed_badly(end):
                near = _nearest(end, tuple(nodes))
                hint = f" Did you mean “{near}”?" if near else ""
                self.problem(f"There is no step “{end[:40]}”.{hint}", *place, edge=edge.sentence)
        source = nodes.get(edge.src)
        if source is None or edge.dst not in nodes:
            return False
        if source.kind == "gateway":
            if edge.on != "ok":
                wrong(
                    f"“{edge.src}” is a gateway: it only asks, so nothing there can fail or wait."
                )
            elif edge.when is None and not edge.otherwise:
                wrong(
                    f"“{edge.src}” is a gateway: say when a case goes to “{edge.dst}”, or write "
                    "“otherwise”.",
                    "when",
                )
            elif edge.when is not None and edge.otherwise:
                wrong("A way has a condition or is the “otherwise” way, not both.", "when")
            elif edge.otherwise and edge.most is not None:
                wrong("The “otherwise” way must always be open, so it cannot have a “max”.", "max")
        else:
            if edge.when is not None or edge.otherwise:
                wrong(
                    f"Only a gateway asks. Put a gateway after “{edge.src}” and move the condition "
                    "there.",
                    "when",
                )
            elif edge.most is not None:
                wrong("“max” belongs to a way with “when” out of a gateway.", "max")
            if edge.on == "timeout" and source.kind != "human":
                wrong(f"Only a human step can run out of patience; “{edge.src}” is none.", "on")
            if edge.on == "error" and source.kind not in ("tool", "agent", "guard", "rollback"):
                wrong(f"“{edge.src}” cannot fail, so it has no way “on error”.", "on")
        if edge.when is not None:
            try:
                conditions.parse(edge.when, self.visible)
            except conditions.BadCondition as error:
                wrong(error.message, "when")
        return len(self.problems) == before

    def _is_listed_badly(self, node_id: str) -> bool:
        """A step that was listed but refused has had its sentence already."""
        return ("nodes", node_id) in self.lines

    # -- layout ----------------------------------------------------------------------------

    def _layout(self, data: Json, ids: set[str]) -> tuple[tuple[str, tuple[int, int]], ...]:
        if data is None:
            return ()
        if not isinstance(data, dict):
            self.problem("“layout” gives places, as in start: [0, 70].", "layout")
            return ()
        found = []
        for node_id, spot in data.items():
            fits = (
                isinstance(spot, list)
                and len(spot) == 2
                and all(isinstance(x, int) and not isinstance(x, bool) for x in spot)
                and all(abs(x) <= 100_000 for x in spot)
            )
            if node_id not in ids:
                self.problem(
                    f"“layout” places “{node_id[:40]}”, which is no step.", "layout", node_id
                )
            elif not fits:
                self.problem(f"The place of “{node_id}” is two whole numbers.", "layout", node_id)
            else:
                found.append((node_id, (spot[0], spot[1])))
        return tuple(found)

    # -- what is bought ----------------------------------------------------------------------

    def _options(self, data: Json) -> tuple[tuple[str, Bought], ...]:
        if data is None:
            return ()
        if not isinstance(data, dict):
            self.problem("“options” lists what is bought, as in reviewer.staff: 4.", "options")
            return ()
        found: list[tuple[str, Bought]] = []
        for key, value in data.items():
            place = ("options", key)
            if not OPTION.fullmatch(key) or (self.options is not None and key not in self.options):
                offered = _and(self.options) if self.options else "nothing"
                near = _nearest(key, tuple(self.options or ()))
                hint = f" Did you mean “{near}”?" if near else ""
                if self.options is None:
                    hint = " Write it like reviewer.staff: 4."
                elif not hint:
                    hint = f" On offer is {offered}."
                self.problem(f"“{key[:40]}” cannot be bought here.{hint}", *place)
                continue
            if value is None:
                self.problem(f"“{key}” is empty.", *place)
                continue
            chosen = self._chosen(key, value)
            if chosen is not None:
                found.append((key, chosen))
        return tuple(found)

    def _chosen(self, key: str, value: Json) -> Bought | None:
        """The number of people or the version that is bought; None after a problem."""
        offered = None if self.options is None else self.options[key]
        if offered is None and key.endswith(".staff"):
            offered = range(1, MAX_STAFF + 1)
        if isinstance(offered, range):
            says = f"“{key}”"
            least, most = offered.start, offered.stop - 1
            return self._whole(value, least, most, says, "options", key, node=None)
        fits = isinstance(value, str) and VERSION.fullmatch(value)
        if not fits or (offered is not None and value not in offered):
            have = f" Choose {_or(offered)}." if offered else " Write it like refund_agent: v2."
            self.problem(f"“{str(value)[:40]}” is no version of “{key}”.{have}", "options", key)
            return None
        return str(value)


def _nearest(word: str, words: Iterable[str]) -> str | None:
    """The word that differs least, if it differs by little; for “did you mean”."""
    near = difflib.get_close_matches(word[:40], tuple(words), n=1, cutoff=0.7)
    return near[0] if near else None


def _and(words: Iterable[str], joint: str = "and") -> str:
    listed = list(words)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} {joint} {listed[-1]}"


def _or(words: Iterable[str]) -> str:
    return _and(words, "or")


def _up(words: str) -> str:
    return words[:1].upper() + words[1:]


def _span(seconds: int) -> str:
    for unit, word in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds // unit} {word}"
    return f"{seconds} s"

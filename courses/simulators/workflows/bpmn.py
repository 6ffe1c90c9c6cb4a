"""Exchange maps with other programs as BPMN 2.0 (OMG formal/2011-01-03).

What a map says and BPMN has no word for stands in attributes of our own namespace, `cr:`, which
modellers keep. A file that we wrote comes back as the same map. Of a foreign file we take what a
map can hold and tell what we left out; where a case could walk two paths at once, we refuse it.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from courses.simulators.workflows.layout import BOX_H, BOX_W, Layout, Route, Spot, label, lay_out
from courses.simulators.workflows.model import (
    KIND_WORDS,
    KINDS,
    MAX_BACKOFF_S,
    MAX_CONDITION_CHARACTERS,
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
    Bought,
    Edge,
    Kind,
    Node,
    On,
    Outcome,
    WorkflowMap,
)
from courses.simulators.workflows.reading import (
    BLOCK,
    BOOLEANS_ELSEWHERE,
    MAP_ID,
    MAY,
    NEEDS,
    NODE_ID,
    OPTION,
    VERSION,
)

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
MAX_SENTENCES = 20

CR = "urn:checkride:map:1"
BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
_DI = "http://www.omg.org/spec/BPMN/20100524/DI"
_DC = "http://www.omg.org/spec/DD/20100524/DC"
_DD = "http://www.omg.org/spec/DD/20100524/DI"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_PREFIXES = (
    ("bpmn", BPMN),
    ("bpmndi", _DI),
    ("dc", _DC),
    ("di", _DD),
    ("cr", CR),
    ("xsi", _XSI),
)
for _prefix, _uri in _PREFIXES:
    ET.register_namespace(_prefix, _uri)

_TAGS: Mapping[Kind, str] = {
    "trigger": "startEvent",
    "agent": "serviceTask",
    "tool": "serviceTask",
    "guard": "businessRuleTask",
    "gateway": "exclusiveGateway",
    "human": "userTask",
    "escalation": "userTask",
    "monitor": "serviceTask",
    "rollback": "serviceTask",
    "end": "endEvent",
}
_KIND_OF: Mapping[str, Kind] = {
    "startEvent": "trigger",
    "adHocSubProcess": "agent",
    "task": "tool",
    "serviceTask": "tool",
    "sendTask": "tool",
    "receiveTask": "tool",
    "scriptTask": "tool",
    "callActivity": "tool",
    "subProcess": "tool",
    "transaction": "tool",
    "businessRuleTask": "guard",
    "exclusiveGateway": "gateway",
    "userTask": "human",
    "manualTask": "human",
    "endEvent": "end",
}
_PASSED = ("intermediateCatchEvent", "intermediateThrowEvent")
_REFUSED: Mapping[str, str] = {
    "inclusiveGateway": "an inclusive gateway",
    "parallelGateway": "a parallel gateway",
    "complexGateway": "a complex gateway",
    "eventBasedGateway": "an event-based gateway",
}
# Everything else that may stand in a process, as people call it: one and many.
_SIDE: Mapping[str, tuple[str, str]] = {
    "dataObject": ("data object", "data objects"),
    "dataObjectReference": ("data object on the page", "data objects on the page"),
    "dataStoreReference": ("data store", "data stores"),
    "textAnnotation": ("text annotation", "text annotations"),
    "group": ("group", "groups"),
    "property": ("property", "properties"),
}
_SILENT = ("association", "laneSet", "documentation", "extensionElements", "ioSpecification")
_REPEATS = ("standardLoopCharacteristics", "multiInstanceLoopCharacteristics")

# What a step says in our namespace and BPMN has no word for, beside `kind` and `tools`.
_ATTRIBUTES = (
    "block",
    "actor",
    "retries",
    "backoff",
    "patience",
    "priority",
    "undoes",
    "outcome",
)

_EVENT_R, _GATEWAY_R, _BOUNDARY_R = 18, 25, 18
_JOIN_LEFT = 75  # from the middle of a gateway to the middle of the gateway that joins before it


# -- writing -----------------------------------------------------------------------------------


def to_bpmn(map_: WorkflowMap) -> str:
    """The map as a BPMN 2.0 file with a diagram.

    Letters that XML cannot hold (in names or notes) become U+FFFD. Two additions of ours are
    taken out again on import: a gateway that both joins and parts gets a joining one before it,
    which modellers want, and an agent with tools becomes an ad-hoc sub-process that holds them.
    """
    return _Writer(map_).write()


def _b(name: str) -> str:
    return f"{{{BPMN}}}{name}"


def _c(name: str) -> str:
    return f"{{{CR}}}{name}"


_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _clean(words: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", words)


@dataclass(frozen=True, slots=True)
class _Flow:
    id: str
    source: str
    target: str
    edge: Edge | None


class _Writer:
    """Builds one file; used once."""

    def __init__(self, map_: WorkflowMap) -> None:
        self.map = map_
        self.joins = {
            node.id
            for node in map_.nodes
            if node.kind == "gateway"
            and sum(edge.dst == node.id for edge in map_.edges) > 1
            and sum(edge.src == node.id for edge in map_.edges) > 1
        }
        self.flows = [
            _Flow(f"Flow_{n}", self._source(edge), self._target(edge), edge)
            for n, edge in enumerate(map_.edges, 1)
        ]
        self.flows += [
            _Flow(f"Flow_Join_{node.id}", f"Join_{node.id}", node.id, None)
            for node in map_.nodes
            if node.id in self.joins
        ]

    def _source(self, edge: Edge) -> str:
        return edge.src if edge.on == "ok" else f"Boundary_{edge.on}_{edge.src}"

    def _target(self, edge: Edge) -> str:
        return f"Join_{edge.dst}" if edge.dst in self.joins else edge.dst

    def write(self) -> str:
        root = ET.Element(_b("definitions"), {"id": "Definitions_1", "targetNamespace": CR})
        if any(edge.on == "error" for edge in self.map.edges):
            failed = {"id": "Error_failed", "name": "failed", "errorCode": "failed"}
            ET.SubElement(root, _b("error"), failed)
        process = ET.SubElement(
            root,
            _b("process"),
            {
                "id": f"Process_{self.map.id}",
                "name": _clean(self.map.title),
                "isExecutable": "false",
                _c("id"): self.map.id,
            },
        )
        if self.map.layout:
            places = (f"{node_id} {x} {y}" for node_id, (x, y) in self.map.layout)
            process.set(_c("layout"), "; ".join(places))
        if self.map.options:
            bought = (f"{key} {value}" for key, value in self.map.options)
            process.set(_c("options"), "; ".join(bought))
        for node in self.map.nodes:
            self._node(process, node)
            self._boundaries(process, node)
        for flow in self.flows:
            self._flow(process, flow)
        if self.map.nodes:
            self._diagrams(root)
        ET.indent(root)
        return ET.tostring(root, encoding="unicode", xml_declaration=False).join(
            ('<?xml version="1.0" encoding="UTF-8"?>\n', "\n")
        )

    def _node(self, process: ET.Element, node: Node) -> None:
        if node.id in self.joins:
            join = {"id": f"Join_{node.id}", _c("kind"): "join"}
            self._ways(ET.SubElement(process, _b("exclusiveGateway"), join))
        tag = "adHocSubProcess" if node.tools else _TAGS[node.kind]
        element = ET.SubElement(process, _b(tag), {"id": node.id, "name": _clean(node.name)})
        for name, value in (
            ("kind", node.kind),
            ("block", node.block),
            ("actor", node.actor),
            ("retries", node.retries),
            ("backoff", node.backoff_s),
            ("patience", node.patience_s),
            ("priority", node.priority),
            ("undoes", node.undoes),
            ("outcome", node.outcome),
            # A sub-process without content would be no agent to a modeller.
            ("tools", "" if node.tools == () else None),
        ):
            if value is not None:
                element.set(_c(name), str(value))
        if node.kind == "gateway":
            default = self._default(node.id)
            if default is not None:
                element.set("default", default)
        if node.note is not None:
            ET.SubElement(element, _b("documentation")).text = _clean(node.note)
        self._ways(element)
        if node.actor is not None and tag == "userTask":
            owner = ET.SubElement(element, _b("potentialOwner"))
            assigned = ET.SubElement(owner, _b("resourceAssignmentExpression"))
            ET.SubElement(assigned, _b("formalExpression")).text = node.actor
        for number, tool in enumerate(node.tools or (), 1):
            ET.SubElement(
                element,
                _b("serviceTask"),
                {"id": f"Tool_{number}_{node.id}", "name": _clean(tool), _c("block"): tool},
            )

    def _default(self, node_id: str) -> str | None:
        ids = (f.id for f in self.flows if f.source == node_id and f.edge and f.edge.otherwise)
        return next(ids, None)

    def _ways(self, element: ET.Element) -> None:
        own = element.get("id")
        for tag, flows in (
            ("incoming", [flow.id for flow in self.flows if flow.target == own]),
            ("outgoing", [flow.id for flow in self.flows if flow.source == own]),
        ):
            for flow in flows:
                ET.SubElement(element, _b(tag)).text = flow

    def _boundaries(self, process: ET.Element, node: Node) -> None:
        for on, name in (("error", "failed"), ("timeout", "no answer")):
            own = f"Boundary_{on}_{node.id}"
            if not any(flow.source == own for flow in self.flows):
                continue
            event = ET.SubElement(
                process,
                _b("boundaryEvent"),
                {"id": own, "name": name, "attachedToRef": node.id},
            )
            self._ways(event)
            if on == "error":
                ET.SubElement(event, _b("errorEventDefinition"), {"errorRef": "Error_failed"})
                continue
            timer = ET.SubElement(event, _b("timerEventDefinition"))
            if node.patience_s is not None:
                duration = ET.SubElement(timer, _b("timeDuration"), _EXPRESSION)
                duration.text = f"PT{node.patience_s}S"

    def _flow(self, process: ET.Element, flow: _Flow) -> None:
        element = ET.SubElement(process, _b("sequenceFlow"), {"id": flow.id})
        edge = flow.edge
        if edge is not None and edge.on == "ok" and label(edge):
            element.set("name", _clean(label(edge)))
        element.set("sourceRef", flow.source)
        element.set("targetRef", flow.target)
        if edge is None:
            return
        if edge.most is not None:
            element.set(_c("max"), str(edge.most))
        if edge.otherwise and self._default(edge.src) != flow.id:
            element.set(_c("otherwise"), "true")
        if edge.when is not None:
            condition = ET.SubElement(element, _b("conditionExpression"), _EXPRESSION)
            condition.text = _clean(edge.when)

    # -- the diagram -----------------------------------------------------------------------

    def _diagrams(self, root: ET.Element) -> None:
        layout = lay_out(self.map)
        plane = _plane(root, "1", f"Process_{self.map.id}")
        for node in self.map.nodes:
            spot = layout.spots[node.id]
            if node.id in self.joins:
                at = Spot(spot.x - _JOIN_LEFT, spot.y)
                _shape(plane, f"Join_{node.id}", at, _GATEWAY_R, _GATEWAY_R, gateway=True)
            radius = _radius(node)
            drawn = _shape(
                plane,
                node.id,
                spot,
                radius or BOX_W / 2,
                radius or BOX_H / 2,
                gateway=node.kind == "gateway",
                collapsed=bool(node.tools),
            )
            if radius is not None:
                _label(drawn, Spot(spot.x + radius + 5, spot.y - 26), BOX_W / 2 - radius, 26)
        self._routes(plane, layout)
        for node in self.map.nodes:
            if node.tools:
                inside = _plane(root, f"inside_{node.id}", node.id)
                for number in range(1, len(node.tools) + 1):
                    at = Spot(BOX_W * 0.7, BOX_H * 1.5 * number)
                    _shape(inside, f"Tool_{number}_{node.id}", at, BOX_W / 2, BOX_H / 2)

    def _routes(self, plane: ET.Element, layout: Layout) -> None:
        nodes = {node.id: node for node in self.map.nodes}
        waiting = {edge: [f for f in self.flows if f.edge == edge] for edge in self.map.edges}
        placed: set[str] = set()
        for route in layout.routes:
            flow = waiting[route.edge].pop(0)
            points = self._end(route, nodes[route.edge.dst], layout)
            if route.edge.on == "ok":
                points = _start(points, nodes[route.edge.src], layout.spots[route.edge.src])
            else:
                at = points[0]
                if flow.source not in placed:
                    placed.add(flow.source)
                    event = _shape(plane, flow.source, at, _BOUNDARY_R, _BOUNDARY_R)
                    _label_at(event, route, Spot(0, _BOUNDARY_R))
                points = _below(points, at.y + _BOUNDARY_R)
            drawn = _edge(plane, flow.id, points)
            if route.edge.on == "ok" and route.words:
                _label_at(drawn, route, Spot(0, 0))
        for node_id in sorted(self.joins):
            at = layout.spots[node_id]
            left = Spot(at.x - _JOIN_LEFT + _GATEWAY_R, at.y)
            _edge(plane, f"Flow_Join_{node_id}", (left, Spot(at.x - _GATEWAY_R, at.y)))

    def _end(self, route: Route, node: Node, layout: Layout) -> tuple[Spot, ...]:
        middle = layout.spots[node.id]
        if node.id in self.joins:
            middle = Spot(middle.x - _JOIN_LEFT, middle.y)
        radius = _radius(node)
        if radius is None:
            return route.points
        *points, last = route.points
        aside = abs(last.x - middle.x)
        if aside < radius:
            return (*points, Spot(last.x, middle.y - _half_height(node, aside)))
        return (*points, last, Spot(middle.x, last.y), Spot(middle.x, middle.y - radius))


_EXPRESSION = {f"{{{_XSI}}}type": "bpmn:tFormalExpression"}


def _radius(node: Node) -> int | None:
    """Half the size of a round or diamond shape; None for a box."""
    return {"trigger": _EVENT_R, "end": _EVENT_R, "gateway": _GATEWAY_R}.get(node.kind)


def _half_height(node: Node, aside: float) -> float:
    """How high the outline stands above the middle, `aside` pixels beside it."""
    if node.kind == "gateway":
        return _GATEWAY_R - aside
    return math.sqrt(_EVENT_R**2 - aside**2)


def _start(points: Sequence[Spot], node: Node, middle: Spot) -> tuple[Spot, ...]:
    radius = _radius(node)
    if radius is None:
        return tuple(points)
    first, *rest = points
    aside = abs(first.x - middle.x)
    if aside < radius:
        return (Spot(first.x, middle.y + _half_height(node, aside)), *rest)
    return (Spot(middle.x, middle.y + radius), Spot(middle.x, first.y), first, *rest)


def _below(points: Sequence[Spot], y: float) -> tuple[Spot, ...]:
    """The same way from the foot of a boundary event, which reaches below the first turn."""
    first, *rest = points
    if len(rest) > 1 and rest[0].y < y + 4:
        level = y + 4
        rest = [Spot(rest[0].x, level), Spot(rest[1].x, level), *rest[2:]]
    return (Spot(first.x, y), *rest)


def _plane(root: ET.Element, name: str, of: str) -> ET.Element:
    diagram = ET.SubElement(root, f"{{{_DI}}}BPMNDiagram", {"id": f"Diagram_{name}"})
    return ET.SubElement(diagram, f"{{{_DI}}}BPMNPlane", {"id": f"Plane_{name}", "bpmnElement": of})


def _shape(
    plane: ET.Element,
    of: str,
    middle: Spot,
    half_width: float,
    half_height: float,
    *,
    gateway: bool = False,
    collapsed: bool = False,
) -> ET.Element:
    shape = ET.SubElement(plane, f"{{{_DI}}}BPMNShape", {"id": f"{of}_di", "bpmnElement": of})
    if gateway:
        shape.set("isMarkerVisible", "true")
    if collapsed:
        shape.set("isExpanded", "false")
    corner = Spot(middle.x - half_width, middle.y - half_height)
    _bounds(shape, corner, 2 * half_width, 2 * half_height)
    return shape


def _edge(plane: ET.Element, of: str, points: Iterable[Spot]) -> ET.Element:
    edge = ET.SubElement(plane, f"{{{_DI}}}BPMNEdge", {"id": f"{of}_di", "bpmnElement": of})
    for spot in points:
        at = {"x": f"{spot.x:.0f}", "y": f"{spot.y:.0f}"}
        ET.SubElement(edge, f"{{{_DD}}}waypoint", at)
    return edge


def _label_at(of: ET.Element, route: Route, shift: Spot) -> None:
    first, _words = route.words[0]
    width = 8.0 * max(len(words) for _spot, words in route.words)
    left = first.x - width if route.side < 0 else first.x
    corner = Spot(left + shift.x, first.y - 14 + shift.y)
    _label(of, corner, width, 14.0 * len(route.words))


def _label(of: ET.Element, corner: Spot, width: float, height: float) -> None:
    _bounds(ET.SubElement(of, f"{{{_DI}}}BPMNLabel"), corner, width, height)


def _bounds(of: ET.Element, corner: Spot, width: float, height: float) -> None:
    sizes = {"x": corner.x, "y": corner.y, "width": width, "height": height}
    ET.SubElement(of, f"{{{_DC}}}Bounds", {key: f"{value:.0f}" for key, value in sizes.items()})


# -- reading -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file, in sentences.

    `map` is None when there are `problems`. A map from a foreign file may lack what BPMN does not
    say, such as the block of a step; its text form then says so when it is read. `guessed` are the
    steps whose kind was taken from their BPMN type alone.
    """

    map: WorkflowMap | None
    kept: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    guessed: frozenset[str] = frozenset()


class _Refused(Exception):
    """The whole file cannot be taken; the text says why."""


def from_bpmn(file: str | bytes) -> Imported:
    """Read a BPMN 2.0 file of at most 1 MB; never raises for anything in the file."""
    try:
        return _Importer(_parse(file)).read()
    except _Refused as refusal:
        return Imported(None, problems=(str(refusal),))


def _decoded(file: str | bytes) -> str:
    size = len(file) if isinstance(file, bytes) else len(file.encode(errors="replace"))
    if size > MAX_BYTES:
        raise _Refused("The file is larger than 1 MB, which is the limit.")
    if isinstance(file, str):
        return file
    wide = file.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return file.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise _Refused(
            "The file is neither UTF-8 nor UTF-16 text. Save it as UTF-8 and try again."
        ) from None


def _parse(file: str | bytes) -> ET.Element:
    text = _decoded(file).removeprefix("\ufeff")
    # Without a document type there are no entities, so nothing can grow or be fetched.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise _Refused(
            "The file declares a document type or entities. A process model needs neither, "
            "and such a file is not read."
        )
    # The text is decoded already; a declaration of another encoding would mislead the parser.
    text = re.sub(r"\A\s*<\?xml[^>]*\?>", "", text)
    parser: ET.XMLPullParser[ET.Element] = ET.XMLPullParser(("start", "end"))
    depth = 0
    root: ET.Element | None = None
    try:
        for start in range(0, len(text), 65_536):
            parser.feed(text[start : start + 65_536])
            for pair in parser.read_events():
                event, element = cast("tuple[str, ET.Element]", pair)
                depth += 1 if event == "start" else -1
                if depth > MAX_DEPTH:
                    raise _Refused(f"The file nests deeper than {MAX_DEPTH} levels.")
                root = element if root is None else root
        parser.close()
    except ET.ParseError as error:
        raise _Refused(
            f"This is not well-formed XML (near line {error.position[0]}). "
            "Export the model again as BPMN 2.0."
        ) from None
    except UnicodeEncodeError:
        raise _Refused("The file holds letters that are no text.") from None
    if root is None:
        raise _Refused("The file is empty.")
    if root.tag != _b("definitions"):
        raise _Refused(
            "This is XML, but not BPMN 2.0: it does not begin with “definitions”. "
            "Export the model as BPMN 2.0 and try again."
        )
    return root


def _tag(element: ET.Element) -> str:
    """The name of a BPMN element; empty for elements of other namespaces."""
    uri, _, name = element.tag[1:].rpartition("}")
    return name if uri == BPMN else ""


_DURATION = re.compile(
    r"P(?:(?P<w>\d{1,4})W)?(?:(?P<d>\d{1,6})D)?(?:T(?:(?P<h>\d{1,6})H)?(?:(?P<m>\d{1,7})M)?"
    r"(?:(?P<s>\d{1,8})S)?)?"
)
_PLACE = re.compile(r"([a-z][a-z0-9_]{0,31}) (-?\d{1,6}) (-?\d{1,6})")


def _seconds(words: str) -> int | None:
    """A duration of ISO 8601 in seconds; None if it is none or has months."""
    match = _DURATION.fullmatch(words.strip())
    if match is None or not any(match.groups()):
        return None
    parts = {key: int(value or 0) for key, value in match.groupdict().items()}
    days = 7 * parts["w"] + parts["d"]
    return ((24 * days + parts["h"]) * 60 + parts["m"]) * 60 + parts["s"]


@dataclass
class _Importer:
    """Reads one process; used once."""

    root: ET.Element
    problems: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    guessed: dict[str, str] = field(default_factory=dict)  # element id -> word for its kind
    side: Counter[str] = field(default_factory=Counter)
    foreign: int = 0
    ids: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    elements: list[ET.Element] = field(default_factory=list)
    flows: list[ET.Element] = field(default_factory=list)
    outs: dict[str, list[ET.Element]] = field(default_factory=dict)
    lanes: dict[str, str] = field(default_factory=dict)
    undone: dict[str, str] = field(default_factory=dict)
    compensating: set[str] = field(default_factory=set)

    def read(self) -> Imported:
        process = self._process()
        self.elements = [child for child in process if _tag(child)]
        self.flows = [child for child in self.elements if _tag(child) == "sequenceFlow"]
        for flow in self.flows:
            self.outs.setdefault(flow.get("sourceRef", ""), []).append(flow)
        self.lanes = self._lanes(process)
        self.undone = self._compensations()
        steps = [element for element in self.elements if self._is_step(element)]
        if len(steps) > MAX_NODES:
            raise _Refused(f"The process has {len(steps)} steps; a map can hold {MAX_NODES}.")
        if len(self.flows) > MAX_EDGES + MAX_NODES:
            raise _Refused(f"The process has {len(self.flows)} ways; a map can hold {MAX_EDGES}.")
        twins = [own for own, n in Counter(step.get("id", "") for step in steps).items() if n > 1]
        if twins:
            raise _Refused(f"Two steps in the file have the id “{_short(twins[0])}”.")
        for element in steps:
            self._name_step(element)
        self._look_at_the_rest()
        if not steps and not self.problems:
            raise _Refused("The process in this file has no steps.")
        nodes = tuple(self._node(element) for element in steps)
        edges = self._edges({node.id: node for node in nodes})
        if len(edges) > MAX_EDGES:
            raise _Refused(f"The process has {len(edges)} ways; a map can hold {MAX_EDGES}.")
        if self.problems:
            return Imported(None, problems=_few(self.problems))
        map_ = WorkflowMap(
            self._map_id(process),
            self._title(process),
            nodes,
            edges,
            self._layout(process, nodes),
            self._options(process),
        )
        guessed = frozenset(self.ids[element_id] for element_id in self.guessed)
        return Imported(map_, self._kept(map_), _few(self._left_out()), guessed=guessed)

    def _process(self) -> ET.Element:
        found = [child for child in self.root if _tag(child) == "process"]
        if not found:
            raise _Refused("The file holds no process.")
        chosen = max(found, key=len)
        for other in found:
            if other is not chosen:
                name = _short(other.get("name") or other.get("id") or "")
                self.left_out.append(
                    f"The process “{name}” was left out: a map holds one process, and the "
                    "longest was taken."
                )
        messages = sum(_tag(child) == "messageFlow" for row in self.root for child in row)
        if messages:
            self.left_out.append(_count(messages, "message flow was", "message flows were"))
        return chosen

    # -- the map as a whole ----------------------------------------------------------------

    def _map_id(self, process: ET.Element) -> str:
        own = process.get(_c("id"), "")
        if MAP_ID.fullmatch(own):
            return own
        slug = _slug(process.get("name") or "", "-") or _slug(process.get("id") or "", "-")
        return slug[:64].strip("-") or "imported"

    def _title(self, process: ET.Element) -> str:
        return self._name(process, "Imported map")

    def _layout(
        self, process: ET.Element, nodes: Iterable[Node]
    ) -> tuple[tuple[str, tuple[int, int]], ...]:
        ids = {node.id for node in nodes}
        found: dict[str, tuple[int, int]] = {}
        for words in process.get(_c("layout"), "").split("; "):
            match = _PLACE.fullmatch(words)
            if match is not None and match[1] in ids:
                x, y = int(match[2]), int(match[3])
                if max(abs(x), abs(y)) <= 100_000:
                    found[match[1]] = (x, y)
        return tuple(found.items())

    def _options(self, process: ET.Element) -> tuple[tuple[str, Bought], ...]:
        """What was bought, as we wrote it: `reviewer.staff 4; refund_agent v2`."""
        found: dict[str, Bought] = {}
        for words in process.get(_c("options"), "").split("; "):
            key, _, bought = words.partition(" ")
            if not OPTION.fullmatch(key):
                continue
            if not key.endswith(".staff"):
                if VERSION.fullmatch(bought):
                    found[key] = bought
            elif re.fullmatch(r"[0-9]{1,4}", bought) and 1 <= int(bought) <= MAX_STAFF:
                found[key] = int(bought)
        return tuple(found.items())

    def _kept(self, map_: WorkflowMap) -> tuple[str, ...]:
        steps = _plural(len(map_.nodes), "step", "steps")
        ways = _plural(len(map_.edges), "way", "ways")
        said = [f"{steps} and {ways} were taken."]
        if self.guessed:
            counted = Counter(self.guessed.values())
            words = ", ".join(_plural(n, word, word + "s") for word, n in counted.items())
            said.append(
                f"Read by their BPMN type: {words}. Change a kind in the text where it is another."
            )
        return tuple(said)

    def _left_out(self) -> list[str]:
        said = list(self.left_out)
        for tag, count in self.side.items():
            one, many = _SIDE.get(tag, (f"element “{tag}”", f"elements “{tag}”"))
            said.append(_count(count, f"{one} was", f"{many} were"))
        if self.foreign:
            word = _plural(self.foreign, "element", "elements")
            said.append(f"What another program had added to {word} was left out.")
        return said

    # -- what is a step --------------------------------------------------------------------

    def _is_step(self, element: ET.Element) -> bool:
        tag = _tag(element)
        if tag not in _KIND_OF or not element.get("id"):
            return False
        if tag == "subProcess" and element.get("triggeredByEvent") == "true":
            return False
        return not self._is_passed(element)

    def _is_passed(self, element: ET.Element) -> bool:
        """A joining gateway or an event on the way: its ways are joined over it."""
        if len(self.outs.get(element.get("id", ""), [])) != 1:
            return False
        if _tag(element) in _PASSED:
            return True
        # A gateway of ours with one way out is a gateway that is still being written.
        return _tag(element) == "exclusiveGateway" and element.get(_c("kind")) != "gateway"

    def _look_at_the_rest(self) -> None:
        """Say what is refused or left out."""
        for element in self.elements:
            tag = _tag(element)
            name = _short(element.get("name") or element.get("id") or "without a name")
            self._count_foreign(element)
            if tag in _REFUSED:
                self.problems.append(
                    f"“{name}” is {_REFUSED[tag]}. In this map a case follows one path at a time, "
                    "so only exclusive gateways can be read. Replace it by an exclusive gateway, "
                    "or put its steps one after the other, and import the file again."
                )
            elif tag in _PASSED:
                joined = self._is_passed(element)
                what = "its ways were joined" if joined else "its ways were too"
                self.left_out.append(f"The event “{name}” on the way was left out; {what}.")
            elif tag == "exclusiveGateway" and self._is_passed(element):
                if element.get(_c("kind")) != "join":
                    self.left_out.append(
                        f"The gateway “{name}” only joined ways; in a map they may meet at any "
                        "step, so it was left out."
                    )
            elif tag == "subProcess" and element.get("triggeredByEvent") == "true":
                self.left_out.append(f"The event sub-process “{name}” was left out.")
            elif tag in _KIND_OF:
                self._look_inside(element, tag, name)
            elif tag == "boundaryEvent":
                self._look_at_boundary(element)
            elif tag not in _SILENT and tag != "sequenceFlow":
                self.side[tag] += 1

    def _count_foreign(self, element: ET.Element) -> None:
        own = (f"{{{CR}}}", f"{{{_XSI}}}")
        strange = any(key.startswith("{") and not key.startswith(own) for key in element.attrib)
        if strange or element.find(_b("extensionElements")) is not None:
            self.foreign += 1

    def _look_inside(self, element: ET.Element, tag: str, name: str) -> None:
        inside = [_tag(child) for child in element]
        if tag in ("subProcess", "transaction") and any(word in _KIND_OF for word in inside):
            self.left_out.append(f"The steps inside “{name}” were left out; it became one step.")
        if any(word in _REPEATS for word in inside):
            self.left_out.append(f"“{name}” repeats in BPMN; here a case does it once.")
        if tag in ("startEvent", "endEvent") and any("EventDefinition" in word for word in inside):
            self.left_out.append(f"What kind of event “{name}” is was left out.")

    def _look_at_boundary(self, event: ET.Element) -> None:
        if self._boundary(event) is not None or event.get("id") in self.compensating:
            return
        host = self._said(event.get("attachedToRef", ""))
        why = (
            "it does not interrupt the step, so a case would be in two places"
            if event.get("cancelActivity") == "false"
            else "only errors and time-outs can be read"
        )
        name = _short(event.get("name") or event.get("id") or "without a name")
        self.left_out.append(f"The event “{name}” at {host} was left out: {why}.")

    def _boundary(self, event: ET.Element) -> On | None:
        if event.get("cancelActivity") == "false":
            return None
        if event.find(_b("errorEventDefinition")) is not None:
            return "error"
        if event.find(_b("timerEventDefinition")) is not None:
            return "timeout"
        return None

    def _compensations(self) -> dict[str, str]:
        """By the id of a compensation handler: the step that it undoes."""
        hosts = {
            event.get("id", ""): event.get("attachedToRef", "")
            for event in self.elements
            if _tag(event) == "boundaryEvent"
            and event.find(_b("compensateEventDefinition")) is not None
        }
        self.compensating = set(hosts)
        return {
            link.get("targetRef", ""): hosts[link.get("sourceRef", "")]
            for link in self.elements
            if _tag(link) == "association" and link.get("sourceRef") in hosts
        }

    def _lanes(self, process: ET.Element) -> dict[str, str]:
        found = {}
        for lane in process.iter(_b("lane")):
            for row in lane.findall(_b("flowNodeRef")):
                # An inner lane comes after the outer one and says more.
                found[(row.text or "").strip()] = lane.get("name") or ""
        return found

    # -- steps -----------------------------------------------------------------------------

    def _name_step(self, element: ET.Element) -> None:
        """Give the step an id that a map allows: its own, or one made of its name."""
        own = element.get("id", "")
        taken = set(self.ids.values())
        if NODE_ID.fullmatch(own) and own not in BOOLEANS_ELSEWHERE and own not in taken:
            chosen = own
        else:
            kind = _KIND_OF[_tag(element)]
            base = _slug(element.get("name") or "", "_")[:28].rstrip("_") or kind
            if base in BOOLEANS_ELSEWHERE:
                base = f"{base}_step"
            used = taken | {other.get("id", "") for other in self.elements}
            chosen = base
            number = 2
            while chosen in used:
                chosen, number = f"{base}_{number}", number + 1
        self.ids[own] = chosen
        self.names[own] = element.get("name") or chosen

    def _said(self, element_id: str) -> str:
        return f"“{_short(self.names.get(element_id, element_id))}”"

    def _name(self, element: ET.Element, otherwise: str) -> str:
        words = (element.get("name") or "").replace("\r", " ")
        if not words.strip():
            return otherwise
        if len(words) > MAX_NAME_CHARACTERS:
            self.left_out.append(
                f"The name “{_short(words)}” was cut to {MAX_NAME_CHARACTERS} characters."
            )
            words = words[:MAX_NAME_CHARACTERS]
        return words

    def _kind(self, element: ET.Element) -> Kind:
        tag = _tag(element)
        own = element.get(_c("kind"))
        for kind in KINDS:
            if own == kind and tag in (
                _TAGS[kind],
                "adHocSubProcess" if kind == "agent" else "",
            ):
                return kind
        found: Kind = _KIND_OF[tag]
        if element.get("id") in self.undone or element.get("isForCompensation") == "true":
            found = "rollback"
        if found not in ("trigger", "gateway", "end"):
            self.guessed[element.get("id", "")] = KIND_WORDS[found].lower()
        return found

    def _node(self, element: ET.Element) -> Node:
        kind = self._kind(element)
        own = element.get("id", "")
        said = self._said(own)
        allowed = (*NEEDS[kind], *MAY[kind])
        taken = {}
        for key in _ATTRIBUTES:
            value = element.get(_c(key))
            if value is None:
                continue
            if key not in allowed:
                self.left_out.append(
                    f"“{key}” of {said} was left out: a step of the kind {kind} has none."
                )
            elif _fits(key, value):
                taken[key] = value
            else:
                self.left_out.append(f"“{key}” of {said} could not be read.")
        return Node(
            id=self.ids[own],
            kind=kind,
            name=self._name(element, KIND_WORDS[kind]),
            block=taken.get("block"),
            actor=taken.get("actor") or (self._actor(element) if "actor" in allowed else None),
            retries=_int(taken.get("retries")),
            backoff_s=_int(taken.get("backoff")),
            patience_s=self._patience(element, _int(taken.get("patience")))
            if kind == "human"
            else None,
            priority=_int(taken.get("priority")),
            undoes=self._undoes(own, taken.get("undoes")) if kind == "rollback" else None,
            outcome=_outcome(taken.get("outcome")),
            tools=self._tools(element) if kind == "agent" else None,
            note=self._note(element, said),
        )

    def _undoes(self, own: str, said: str | None) -> str | None:
        undone = said or self.undone.get(own)
        return None if undone is None else self.ids.get(undone, undone if said else None)

    def _actor(self, element: ET.Element) -> str | None:
        path = "/".join(
            map(_b, ("potentialOwner", "resourceAssignmentExpression", "formalExpression"))
        )
        words = element.findtext(path) or self.lanes.get(element.get("id", ""), "")
        return _slug(words, "_")[:32].rstrip("_") or None

    def _patience(self, element: ET.Element, said: int | None) -> int | None:
        """What the timer shows, since a modeller may have changed it; else what we wrote."""
        for event in self.elements:
            if _tag(event) != "boundaryEvent" or event.get("attachedToRef") != element.get("id"):
                continue
            words = event.findtext(f"{_b('timerEventDefinition')}/{_b('timeDuration')}")
            if words is None or self._boundary(event) != "timeout":
                continue
            seconds = _seconds(words)
            if seconds is not None and 1 <= seconds <= MAX_PATIENCE_S:
                return seconds
            self.left_out.append(
                f"The time “{_short(words)}” at {self._said(element.get('id', ''))} could not be "
                "read: it must be days, hours, minutes or seconds, at most 7 days."
            )
        return said

    def _tools(self, element: ET.Element) -> tuple[str, ...] | None:
        if _tag(element) != "adHocSubProcess":
            return () if element.get(_c("tools")) == "" else None
        found = []
        for child in element:
            if _KIND_OF.get(_tag(child)) is None:
                continue
            block = child.get(_c("block")) or _slug(child.get("name") or "", "_")
            if BLOCK.fullmatch(block):
                found.append(block)
        return tuple(found)

    def _note(self, element: ET.Element, said: str) -> str | None:
        words = "\n".join(row.text or "" for row in element.findall(_b("documentation")))
        words = words.replace("\r", "\n")
        if not words.strip():
            return None
        if len(words) > MAX_NOTE_CHARACTERS:
            self.left_out.append(f"The note of {said} was cut to {MAX_NOTE_CHARACTERS} characters.")
        return words[:MAX_NOTE_CHARACTERS]

    # -- ways ------------------------------------------------------------------------------

    def _edges(self, nodes: Mapping[str, Node]) -> tuple[Edge, ...]:
        hosts: dict[str, tuple[str, On]] = {}
        for event in self.elements:
            on = self._boundary(event) if _tag(event) == "boundaryEvent" else None
            if on is not None:
                hosts[event.get("id", "")] = (event.get("attachedToRef", ""), on)
        defaults = {element.get("default") for element in self.elements} - {None}
        passed = {e.get("id", "") for e in self.elements if self._is_passed(e)}
        found = []
        for flow in self.flows:
            source = flow.get("sourceRef", "")
            if source in passed:
                continue
            host, on = hosts.get(source, (source, "ok"))
            target = self._target(flow.get("targetRef", ""), passed)
            src, dst = self.ids.get(host), self.ids.get(target)
            if src is None or dst is None:
                self.left_out.append(
                    f"The way from {self._said(host)} to {self._said(target)} was left out, "
                    "since one of its ends was."
                )
                continue
            otherwise = flow.get("id") in defaults or flow.get(_c("otherwise")) == "true"
            gateway = nodes[src].kind == "gateway"
            edge = Edge(src, dst, on, most=self._most(flow))
            found.append(self._asked(flow, edge, otherwise=otherwise and gateway, gateway=gateway))
        return tuple(self._one_default(found, nodes))

    def _target(self, element_id: str, passed: set[str]) -> str:
        seen: set[str] = set()
        while element_id in passed and element_id not in seen:
            seen.add(element_id)
            element_id = self.outs[element_id][0].get("targetRef", "")
        return element_id

    def _most(self, flow: ET.Element) -> int | None:
        words = flow.get(_c("max"), "")
        return int(words) if words.isdecimal() and 1 <= int(words[:3]) <= MAX_LOOPS else None

    def _asked(self, flow: ET.Element, edge: Edge, *, otherwise: bool, gateway: bool) -> Edge:
        words = " ".join((flow.findtext(_b("conditionExpression")) or "").split())
        # Other engines mark an expression: ${...}, #{...}, or = at the front.
        marked = re.fullmatch(r"[$#]\{(.*)\}|=\s*(.*)", words)
        if marked is not None:
            words = (marked[1] or marked[2] or "").strip()
        way = f"“{edge.src} -> {edge.dst}”"
        if otherwise:
            if words:
                self.left_out.append(
                    f"The condition of {way} was left out, since it is the default."
                )
            return Edge(edge.src, edge.dst, edge.on, None, True, edge.most)
        if len(words) > MAX_CONDITION_CHARACTERS:
            self.left_out.append(
                f"The condition of {way} was left out: it is longer than "
                f"{MAX_CONDITION_CHARACTERS} characters. It begins “{_short(words)}”."
            )
            words = ""
        name = (flow.get("name") or "").strip()
        if gateway and not words and name:
            self.left_out.append(
                f"{way} is called “{_short(name)}” but has no condition; a name is not one."
            )
        return Edge(edge.src, edge.dst, edge.on, words or None, False, edge.most)

    def _one_default(self, edges: Sequence[Edge], nodes: Mapping[str, Node]) -> Iterable[Edge]:
        """The only way out of a gateway without a condition is the one for all other cases."""
        for edge in edges:
            outs = [other for other in edges if other.src == edge.src]
            bare = [other for other in outs if other.when is None]
            only = bare == [edge] and len(outs) > 1 and edge.on == "ok" and edge.most is None
            if only and nodes[edge.src].kind == "gateway":
                yield Edge(edge.src, edge.dst, otherwise=True)
            else:
                yield edge


def _fits(key: str, value: str) -> bool:
    if key == "block":
        return BLOCK.fullmatch(value) is not None
    if key in ("actor", "undoes"):
        return NODE_ID.fullmatch(value) is not None
    if key == "outcome":
        return value in OUTCOMES
    least = 1 if key in ("patience", "priority") else 0
    most = {
        "retries": MAX_RETRIES,
        "backoff": MAX_BACKOFF_S,
        "patience": MAX_PATIENCE_S,
        "priority": MAX_PRIORITY,
    }[key]
    return re.fullmatch(r"[0-9]{1,7}", value) is not None and least <= int(value) <= most


def _int(value: str | None) -> int | None:
    return None if value is None else int(value)


def _outcome(value: str | None) -> Outcome | None:
    return next((outcome for outcome in OUTCOMES if outcome == value), None)


def _slug(words: str, joint: str) -> str:
    """Small letters, digits and the joint, beginning with a letter; empty if nothing is left."""
    return re.sub(r"[^a-z0-9]+", joint, words.lower()).lstrip("0123456789" + joint).rstrip(joint)


def _short(words: str) -> str:
    words = " ".join(words.split())
    return words if len(words) <= 40 else words[:39] + "…"


def _plural(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _count(count: int, one: str, many: str) -> str:
    return f"{_plural(count, one, many)} left out."


def _few(sentences: Sequence[str]) -> tuple[str, ...]:
    if len(sentences) <= MAX_SENTENCES:
        return tuple(sentences)
    rest = len(sentences) - MAX_SENTENCES + 1
    return (*sentences[: MAX_SENTENCES - 1], f"And {rest} more like these.")

"""Draw a map as a static SVG: for pages without scripts, mails and print.

Layered from top to bottom: a step stands one layer below the lowest step that leads to it, loops
left out. Pure text in, pure text out; colours and fonts come from the page's style sheet by class.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from courses.simulators.workflows.model import KIND_WORDS, Edge, Finding, Node, WorkflowMap

BOX_W, BOX_H = 208, 56
GAP_X, GAP_Y = 36, 58
MARGIN = 24
LEFT = 56  # words at the leftmost way out need room
TRACK = 14
LINE_H = 18
LINE_CHARACTERS = 25
LABEL_CHARACTERS = 26
MAX_LABEL_LINES = 4
FONT = 14
_PERSONS = ("human", "escalation")


@dataclass(frozen=True, slots=True)
class Spot:
    """The middle of a box, in pixels of the drawing."""

    x: float
    y: float


def draw(
    map_: WorkflowMap, findings: Iterable[Finding] = (), high_risk: Collection[str] = ()
) -> str:
    """The map as one `svg` element with a title and a description; empty maps draw their title.

    Findings are marked with their code on the step that they blame; steps whose block is in
    `high_risk` get the class `node--risk`.
    """
    if not map_.nodes:
        return '<svg class="map" viewBox="0 0 320 60" role="img"><title>An empty map</title></svg>'
    layers = _layers(map_)
    edges = [edge for edge in map_.edges if all(n in _ids(map_) for n in (edge.src, edge.dst))]
    depth = {node_id: number for number, layer in enumerate(layers) for node_id in layer}
    labels = {edge: _label_lines(edge) for edge in edges}
    spots = _place(layers, _gaps(layers, edges, labels))
    right = max(spot.x for spot in spots.values()) + BOX_W / 2
    aside = [edge for edge in edges if depth[edge.dst] != depth[edge.src] + 1]
    tracks = {edge: right + TRACK * (number + 1) for number, edge in enumerate(aside)}
    width = right + MARGIN + TRACK * len(aside)
    height = max(spot.y for spot in spots.values()) + BOX_H / 2 + MARGIN
    parts = [
        f'<svg class="map" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'aria-labelledby="map-title map-desc" xmlns="http://www.w3.org/2000/svg">',
        f'<title id="map-title">{escape(map_.title or "Map")}: {len(map_.nodes)} steps, '
        f"{len(map_.edges)} ways</title>",
        f'<desc id="map-desc">{escape(_description(map_))}</desc>',
        '<defs><marker id="map-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto" markerUnits="userSpaceOnUse">'
        '<path class="ah" d="M0 0l8 4-8 4z"/></marker></defs>',
    ]
    words: list[str] = []
    for node in map_.nodes:
        # From left to right as they part, the ways along the side last: fewer lines cross.
        outs = sorted(
            (edge for edge in edges if edge.src == node.id),
            key=lambda edge: tracks.get(edge, spots[edge.dst].x),
        )
        row = {-1: 0, 1: 0}
        for index, edge in enumerate(outs):
            ins = sorted(
                (other for other in edges if other.dst == edge.dst),
                key=lambda other: tracks.get(other, spots[other.src].x),
            )
            start, end = spots[edge.src], spots[edge.dst]
            x0 = start.x + _spread(index, [other in tracks for other in outs])
            x1 = end.x + _spread(ins.index(edge), [other in tracks for other in ins])
            y0, y1 = start.y + BOX_H / 2, end.y - BOX_H / 2
            line = (
                _around(x0, y0, x1, y1, tracks[edge]) if edge in tracks else _down(x0, y0, x1, y1)
            )
            kind = " edge--err" if edge.on != "ok" else ""
            parts.append(f'<path class="edge{kind}" d="{line}" marker-end="url(#map-arrow)"/>')
            side = -1 if len(outs) > 1 and index < len(outs) / 2 - 0.5 else 1
            anchor = "end" if side < 0 else "start"
            for text in labels[edge]:
                y = y0 + 28 + LINE_H * row[side]
                row[side] += 1
                words.append(
                    f'<text class="lab" x="{x0 + 7 * side:.0f}" y="{y:.0f}" '
                    f'text-anchor="{anchor}" font-size="{FONT}">{escape(text)}</text>'
                )
    marks = _marks(findings)
    parts += [
        _box(node, spots[node.id], marks.get(node.id, []), node.block in high_risk)
        for node in map_.nodes
    ]
    parts += words
    parts += [_badge(spots[node_id], codes) for node_id, codes in marks.items() if node_id in spots]
    parts.append("</svg>")
    return "\n".join(parts)


def _ids(map_: WorkflowMap) -> set[str]:
    return {node.id for node in map_.nodes}


def _gaps(
    layers: Sequence[Sequence[str]],
    edges: Sequence[Edge],
    labels: Mapping[Edge, Sequence[str]],
) -> list[float]:
    """Room below each layer: enough for the words at its ways out."""
    gaps: list[float] = []
    for layer in layers:
        lines = [sum(len(labels[edge]) for edge in edges if edge.src == node) for node in layer]
        gaps.append(GAP_Y + max(0, max(lines) - 1) * LINE_H)
    return gaps


def _layers(map_: WorkflowMap) -> list[list[str]]:
    """Steps by layer; within a layer near the middle of those that lead there."""
    ids = [node.id for node in map_.nodes]
    onward: dict[str, list[str]] = {node_id: [] for node_id in ids}
    inward = dict.fromkeys(ids, 0)
    for edge in map_.edges:
        if edge.most is None and edge.src in onward and edge.dst in onward:
            onward[edge.src].append(edge.dst)
            inward[edge.dst] += 1
    depth = dict.fromkeys(ids, 0)
    ready = [node_id for node_id in ids if inward[node_id] == 0]
    done: set[str] = set()
    while ready:
        here = ready.pop(0)
        done.add(here)
        for after in onward[here]:
            depth[after] = max(depth[after], depth[here] + 1)
            inward[after] -= 1
            if inward[after] == 0:
                ready.append(after)
    # A map with an endless loop is drawn too: its steps stand below everything else.
    lowest = max((depth[node_id] for node_id in done), default=0)
    for number, node_id in enumerate(node_id for node_id in ids if node_id not in done):
        depth[node_id] = lowest + 1 + number
    layers: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for node_id in ids:
        layers[depth[node_id]].append(node_id)
    position: dict[str, float] = {}
    for layer in layers:
        before = {
            node_id: [
                position[edge.src]
                for edge in map_.edges
                if edge.dst == node_id and edge.src in position
            ]
            for node_id in layer
        }
        layer.sort(key=lambda n: sum(before[n]) / len(before[n]) if before[n] else 0.0)
        for index, node_id in enumerate(layer):
            position[node_id] = index - (len(layer) - 1) / 2
    return [layer for layer in layers if layer]


def _place(layers: Sequence[Sequence[str]], gaps: Sequence[float]) -> dict[str, Spot]:
    widest = max(len(layer) for layer in layers)
    middle = LEFT + (widest * BOX_W + (widest - 1) * GAP_X) / 2
    spots = {}
    y = MARGIN + BOX_H / 2
    for layer, gap in zip(layers, gaps, strict=True):
        for index, node_id in enumerate(layer):
            x = middle + (index - (len(layer) - 1) / 2) * (BOX_W + GAP_X)
            spots[node_id] = Spot(x, y)
        y += BOX_H + gap
    return spots


def _spread(index: int, aside: Sequence[bool]) -> float:
    """How far from the middle the way of this number meets the box.

    A single way straight up or down keeps the middle; those along the side stand to its right.
    """
    count = len(aside)
    if aside.count(False) == 1 and not aside[0]:
        return index * min(48.0, (BOX_W / 2 - 20) / max(count - 1, 1))
    return (index - (count - 1) / 2) * min(48.0, (BOX_W - 40) / max(count, 1))


def _down(x0: float, y0: float, x1: float, y1: float) -> str:
    if x0 == x1:
        return f"M{x0:.0f} {y0:.0f}V{y1:.0f}"
    middle = y1 - 20
    return f"M{x0:.0f} {y0:.0f}V{middle:.0f}H{x1:.0f}V{y1:.0f}"


def _around(x0: float, y0: float, x1: float, y1: float, track: float) -> str:
    return f"M{x0:.0f} {y0:.0f}V{y0 + 8:.0f}H{track:.0f}V{y1 - 10:.0f}H{x1:.0f}V{y1:.0f}"


def _label_lines(edge: Edge) -> list[str]:
    """The words at a way out, broken at “or” and “and” when they are long."""
    words = _label(edge)
    if len(words) <= LABEL_CHARACTERS:
        return [words] if words else []
    lines: list[str] = []
    for part in re.split(r" (?=or |and |at most )", words):
        if lines and len(lines[-1]) + len(part) < LABEL_CHARACTERS:
            lines[-1] += " " + part
        else:
            lines.append(part)
    return [*lines[: MAX_LABEL_LINES - 1], "…"] if len(lines) > MAX_LABEL_LINES else lines


def _label(edge: Edge) -> str:
    if edge.on == "error":
        return "on error"
    if edge.on == "timeout":
        return "no answer"
    words = edge.when or ("otherwise" if edge.otherwise else "")
    if edge.most:
        words += " at most once" if edge.most == 1 else f" at most {edge.most} times"
    return words


def _marks(findings: Iterable[Finding]) -> dict[str, list[str]]:
    marks: dict[str, list[str]] = {}
    for finding in findings:
        if finding.node and finding.code not in marks.get(finding.node, []):
            marks.setdefault(finding.node, []).append(finding.code)
    return marks


def _box(node: Node, spot: Spot, codes: Sequence[str], risky: bool) -> str:
    kind = "human" if node.kind in _PERSONS else node.kind
    left, top = spot.x - BOX_W / 2, spot.y - BOX_H / 2
    if node.kind == "gateway":
        shape = (
            f'<path class="shape" d="M{left + 18:.0f} {top:.0f}H{left + BOX_W - 18:.0f}'
            f"L{left + BOX_W:.0f} {spot.y:.0f}L{left + BOX_W - 18:.0f} {top + BOX_H:.0f}"
            f'H{left + 18:.0f}L{left:.0f} {spot.y:.0f}Z"/>'
        )
    else:
        round_ = 26 if node.kind in ("trigger", "end") else 6
        shape = (
            f'<rect class="shape" x="{left:.0f}" y="{top:.0f}" width="{BOX_W}" '
            f'height="{BOX_H}" rx="{round_}"/>'
        )
    name = node.name
    if len(name) > LINE_CHARACTERS:
        name = name[: LINE_CHARACTERS - 1] + "…"
    marked = " is-marked" if codes else ""
    if risky:
        marked += " node--risk"
    return (
        f'<g class="node node--{kind}{marked}" data-node="{node.id}">{shape}'
        f'<text class="kind" x="{spot.x:.0f}" y="{spot.y - 6:.0f}" text-anchor="middle" '
        f'font-size="{FONT}">{KIND_WORDS[node.kind]}</text>'
        f'<text class="name" x="{spot.x:.0f}" y="{spot.y + 15:.0f}" text-anchor="middle" '
        f'font-size="15">{escape(name)}</text></g>'
    )


def _badge(spot: Spot, codes: Sequence[str]) -> str:
    words = ", ".join(codes[:3]) + ("…" if len(codes) > 3 else "")
    width = 11 * len(words) + 12
    right, top = spot.x + BOX_W / 2 - 6, spot.y - BOX_H / 2
    return (
        f'<g><rect class="badge" x="{right - width:.0f}" y="{top - 12:.0f}" width="{width}" '
        f'height="24" rx="4"/><text class="badge-t" x="{right - width / 2:.0f}" '
        f'y="{top + 5:.0f}" text-anchor="middle" font-size="{FONT}">{words}</text></g>'
    )


def _description(map_: WorkflowMap) -> str:
    """All ways in words, so that nobody needs the picture."""
    names = {node.id: node.name for node in map_.nodes}
    said = []
    for edge in map_.edges:
        label = _label(edge)
        words = f"{names.get(edge.src, edge.src)} leads to {names.get(edge.dst, edge.dst)}"
        if label:
            words += f" ({label})"
        said.append(words if words.endswith(("?", "!", ".")) else f"{words}.")
    return " ".join(said)

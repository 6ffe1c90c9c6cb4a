"""Where the steps and ways of a map stand: for the drawing and for BPMN diagrams.

Layered from top to bottom: a step stands one layer below the lowest step that leads to it, loops
left out. All measures are in pixels of the drawing, with y growing downwards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from courses.simulators.workflows.model import Edge, WorkflowMap

BOX_W, BOX_H = 208, 56
GAP_X, GAP_Y = 36, 58
MARGIN = 24
LEFT = 56  # words at the leftmost way out need room
TRACK = 14
LINE_H = 18
LABEL_CHARACTERS = 26
MAX_LABEL_LINES = 4


@dataclass(frozen=True, slots=True)
class Spot:
    """A point; of a box, its middle."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Route:
    """One way: its corners from box to box, and its words with the foot of each line.

    `side` is -1 when the words stand to the left of the line, and 1 when to its right.
    """

    edge: Edge
    points: tuple[Spot, ...]
    words: tuple[tuple[Spot, str], ...]
    side: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Every step's middle, and the routes in the order of the steps they leave."""

    width: float
    height: float
    spots: Mapping[str, Spot]
    routes: tuple[Route, ...]


def lay_out(map_: WorkflowMap) -> Layout:
    """The layout of a map with at least one step; ways from or to no step have no route."""
    layers = _layers(map_)
    ids = {node.id for node in map_.nodes}
    edges = [edge for edge in map_.edges if edge.src in ids and edge.dst in ids]
    depth = {node_id: number for number, layer in enumerate(layers) for node_id in layer}
    labels = {edge: _label_lines(edge) for edge in edges}
    spots = _place(layers, _gaps(layers, edges, labels))
    right = max(spot.x for spot in spots.values()) + BOX_W / 2
    aside = [edge for edge in edges if depth[edge.dst] != depth[edge.src] + 1]
    tracks = {edge: right + TRACK * (number + 1) for number, edge in enumerate(aside)}
    routes: list[Route] = []
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
            points = (
                _around(x0, y0, x1, y1, tracks[edge]) if edge in tracks else _down(x0, y0, x1, y1)
            )
            side = -1 if len(outs) > 1 and index < len(outs) / 2 - 0.5 else 1
            words = []
            for text in labels[edge]:
                words.append((Spot(x0 + 7 * side, y0 + 28 + LINE_H * row[side]), text))
                row[side] += 1
            routes.append(Route(edge, points, tuple(words), side))
    return Layout(
        width=right + MARGIN + TRACK * len(aside),
        height=max(spot.y for spot in spots.values()) + BOX_H / 2 + MARGIN,
        spots=spots,
        routes=tuple(routes),
    )


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


def _down(x0: float, y0: float, x1: float, y1: float) -> tuple[Spot, ...]:
    if x0 == x1:
        return Spot(x0, y0), Spot(x1, y1)
    middle = y1 - 20
    return Spot(x0, y0), Spot(x0, middle), Spot(x1, middle), Spot(x1, y1)


def _around(x0: float, y0: float, x1: float, y1: float, track: float) -> tuple[Spot, ...]:
    below, above = y0 + 8, y1 - 10
    return (
        Spot(x0, y0),
        Spot(x0, below),
        Spot(track, below),
        Spot(track, above),
        Spot(x1, above),
        Spot(x1, y1),
    )


def _label_lines(edge: Edge) -> list[str]:
    """The words at a way out, broken at “or” and “and” when they are long."""
    words = label(edge)
    if len(words) <= LABEL_CHARACTERS:
        return [words] if words else []
    lines: list[str] = []
    for part in re.split(r" (?=or |and |at most )", words):
        if lines and len(lines[-1]) + len(part) < LABEL_CHARACTERS:
            lines[-1] += " " + part
        else:
            lines.append(part)
    return [*lines[: MAX_LABEL_LINES - 1], "…"] if len(lines) > MAX_LABEL_LINES else lines


def label(edge: Edge) -> str:
    """The words at a way; empty at an ordinary one."""
    if edge.on == "error":
        return "on error"
    if edge.on == "timeout":
        return "no answer"
    words = edge.when or ("otherwise" if edge.otherwise else "")
    if edge.most:
        words += " at most once" if edge.most == 1 else f" at most {edge.most} times"
    return words

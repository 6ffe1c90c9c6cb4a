"""Write a map as text or as JSON; reading it again gives the same map."""

from __future__ import annotations

import json
import re
from typing import Any

from courses.simulators.workflows.model import Edge, Node, WorkflowMap
from courses.simulators.workflows.reading import FORMAT

Json = Any

# What stands in YAML without quotes and still is a string for every reader.
_PLAIN_EDGE = re.compile(r"[a-z][A-Za-z0-9_ .<>=!'()-]*")


def duration_text(seconds: int) -> str:
    """`30m`, `2h` or `90s`; the largest unit that divides the time."""
    if seconds and seconds % 3600 == 0:
        return f"{seconds // 3600}h"
    if seconds and seconds % 60 == 0:
        return f"{seconds // 60}m"
    return f"{seconds}s"


def to_text(map_: WorkflowMap) -> str:
    """The text form: one line for each step, one sentence for each way."""
    lines = [
        f"checkride: {FORMAT}",
        f"id: {map_.id}",
        f"title: {_quoted(map_.title)}",
        "nodes:" if map_.nodes else "nodes: {}",
    ]
    width = max((len(node.id) for node in map_.nodes), default=0) + 1
    lines += [f"  {node.id + ':':<{width}} {_node_text(node)}" for node in map_.nodes]
    lines.append("edges:" if map_.edges else "edges: []")
    lines += [f"  - {_edge_text(edge)}" for edge in map_.edges]
    if map_.options:
        lines.append("options:")
        lines += [f"  {key}: {value}" for key, value in map_.options]
    if map_.layout:
        lines.append("layout:")
        lines += [f"  {node_id}: [{x}, {y}]" for node_id, (x, y) in map_.layout]
    return "\n".join(lines) + "\n"


def to_json(map_: WorkflowMap) -> dict[str, Json]:
    """The JSON form, for the API and the editor."""
    data: dict[str, Json] = {
        "checkride": FORMAT,
        "id": map_.id,
        "title": map_.title,
        "nodes": {node.id: _node_json(node) for node in map_.nodes},
        "edges": [_edge_json(edge) for edge in map_.edges],
    }
    if map_.options:
        data["options"] = dict(map_.options)
    if map_.layout:
        data["layout"] = {node_id: [x, y] for node_id, (x, y) in map_.layout}
    return data


def _node_json(node: Node) -> dict[str, Json]:
    fields: dict[str, Json] = {
        "kind": node.kind,
        "block": node.block,
        "name": node.name,
        "actor": node.actor,
        "retries": node.retries,
        "backoff": node.backoff_s,
        "patience": node.patience_s,
        "priority": node.priority,
        "undoes": node.undoes,
        "outcome": node.outcome,
        "tools": list(node.tools) if node.tools is not None else None,
        "note": node.note,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _edge_json(edge: Edge) -> dict[str, Json]:
    data: dict[str, Json] = {"src": edge.src, "dst": edge.dst}
    if edge.on != "ok":
        data["on"] = edge.on
    if edge.when is not None:
        data["when"] = edge.when
    if edge.otherwise:
        data["default"] = True
    if edge.most is not None:
        data["max"] = edge.most
    return data


def _node_text(node: Node) -> str:
    fields = _node_json(node)
    words = []
    for key, value in fields.items():
        if key in ("name", "note"):
            shown = _quoted(value)
        elif key in ("backoff", "patience"):
            shown = duration_text(value)
        elif key == "tools":
            shown = f"[{', '.join(value)}]"
        else:
            shown = str(value)
        words.append(f"{key}: {shown}")
    return "{" + ", ".join(words) + "}"


def _edge_text(edge: Edge) -> str:
    sentence = edge.sentence
    return sentence if _PLAIN_EDGE.fullmatch(sentence) else _quoted(sentence)


# What YAML breaks at or refuses, though JSON strings may hold it.
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def _quoted(words: str) -> str:
    escaped = json.dumps(words, ensure_ascii=False)
    return _NOT_IN_YAML.sub(lambda match: f"\\u{ord(match[0]):04x}", escaped)

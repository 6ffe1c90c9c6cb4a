"""Draw a map as a static SVG: for pages without scripts, mails and print.

Pure text in, pure text out; colours and fonts come from the page's style sheet by class.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from html import escape

from courses.simulators.workflows.layout import BOX_H, BOX_W, Route, Spot, label, lay_out
from courses.simulators.workflows.model import KIND_WORDS, Finding, Node, WorkflowMap

LINE_CHARACTERS = 25
FONT = 14
_PERSONS = ("human", "escalation")


def draw(
    map_: WorkflowMap,
    findings: Iterable[Finding] = (),
    high_risk: Collection[str] = (),
    *,
    prefix: str = "map",
) -> str:
    """The map as one `svg` element with a title and a description; empty maps draw their title.

    Findings are marked with their code on the step that they blame; steps whose block is in
    `high_risk` get the class `node--risk`. Two drawings on one page need two `prefix`es, since
    the ids in a drawing begin with it; a prefix is letters, digits and hyphens.
    """
    if not map_.nodes:
        return '<svg class="map" viewBox="0 0 320 60" role="img"><title>An empty map</title></svg>'
    layout = lay_out(map_)
    parts = [
        f'<svg class="map" viewBox="0 0 {layout.width:.0f} {layout.height:.0f}" role="img" '
        f'aria-labelledby="{prefix}-title {prefix}-desc" xmlns="http://www.w3.org/2000/svg">',
        f'<title id="{prefix}-title">{escape(map_.title or "Map")}: {len(map_.nodes)} steps, '
        f"{len(map_.edges)} ways</title>",
        f'<desc id="{prefix}-desc">{escape(_description(map_))}</desc>',
        f'<defs><marker id="{prefix}-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto" markerUnits="userSpaceOnUse">'
        '<path class="ah" d="M0 0l8 4-8 4z"/></marker></defs>',
    ]
    parts += [_line(route, prefix) for route in layout.routes]
    marks = _marks(findings)
    parts += [
        _box(node, layout.spots[node.id], marks.get(node.id, []), node.block in high_risk)
        for node in map_.nodes
    ]
    parts += [_words(route) for route in layout.routes if route.words]
    parts += [
        _badge(layout.spots[node_id], codes)
        for node_id, codes in marks.items()
        if node_id in layout.spots
    ]
    parts.append("</svg>")
    return "\n".join(parts)


def _line(route: Route, prefix: str) -> str:
    kind = " edge--err" if route.edge.on != "ok" else ""
    before = route.points[0]
    line = f"M{before.x:.0f} {before.y:.0f}"
    for spot in route.points[1:]:
        line += f"V{spot.y:.0f}" if spot.x == before.x else f"H{spot.x:.0f}"
        before = spot
    return f'<path class="edge{kind}" d="{line}" marker-end="url(#{prefix}-arrow)"/>'


def _words(route: Route) -> str:
    anchor = "end" if route.side < 0 else "start"
    return "\n".join(
        f'<text class="lab" x="{spot.x:.0f}" y="{spot.y:.0f}" text-anchor="{anchor}" '
        f'font-size="{FONT}">{escape(text)}</text>'
        for spot, text in route.words
    )


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
        words_at = label(edge)
        words = f"{names.get(edge.src, edge.src)} leads to {names.get(edge.dst, edge.dst)}"
        if words_at:
            words += f" ({words_at})"
        said.append(words if words.endswith(("?", "!", ".")) else f"{words}.")
    return " ".join(said)

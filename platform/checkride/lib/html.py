"""The last word on HTML that somebody wrote: `sanitize_html`.

Text of learners, authors and models reaches a page only through here. nh3 (a maintained sanitiser)
decides what may stay; bleach, which gets no security fixes any more, only turns bare addresses
into links beforehand. Nothing keeps a `style` or an event attribute, so that the site's Content
Security Policy never has to allow one.
"""

from __future__ import annotations

import re

import bleach
import nh3

_PROSE_TAGS = frozenset({
    "a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h2",
    "h3", "h4", "hr", "i", "ins", "kbd", "li", "ol", "p", "pre", "q", "s", "samp", "section",
    "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead",
    "tr", "ul", "var",
})  # fmt: skip
_PROSE_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"class", "id", "lang", "dir"},
    "a": {"href", "title"},
    "div": {"aria-label"},
    "ol": {"start", "aria-label"},
    "td": {"colspan", "rowspan", "data-l"},
    "th": {"colspan", "rowspan"},
}
# What scrolls must be reachable by keyboard and named. A group, not a region: a text holds several
# tables, and landmarks of one name are noise.
_PROSE_VALUES: dict[str, dict[str, set[str]]] = {
    "div": {"tabindex": {"0"}, "role": {"group"}},
    "th": {"scope": {"col", "row"}},
}

# SVG without script, style, links, embedded documents, outside references or animation.
_FIGURE_TAGS = frozenset({
    "figure", "figcaption", "svg", "g", "path", "rect", "circle", "ellipse", "line",
    "polyline", "polygon", "text", "tspan", "title", "desc", "defs", "marker",
})  # fmt: skip
_SVG_PAINT = {
    "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-dasharray",
    "stroke-linecap", "stroke-linejoin", "stroke-opacity", "opacity", "transform",
    "font-family", "font-size", "font-style", "font-weight", "text-anchor", "dominant-baseline",
    "letter-spacing", "marker-start", "marker-mid", "marker-end", "aria-hidden",
}  # fmt: skip
_SVG_PLACE: dict[str, set[str]] = {
    "svg": {"viewBox", "preserveAspectRatio", "width", "height", "xmlns", "aria-labelledby",
            "aria-label", "x", "y", "focusable"},
    "g": set(),
    "path": {"d"},
    "rect": {"x", "y", "width", "height", "rx", "ry"},
    "circle": {"cx", "cy", "r"},
    "ellipse": {"cx", "cy", "rx", "ry"},
    "line": {"x1", "y1", "x2", "y2"},
    "polyline": {"points"},
    "polygon": {"points"},
    "text": {"x", "y", "dx", "dy"},
    "tspan": {"x", "y", "dx", "dy"},
    "marker": {"viewBox", "refX", "refY", "markerWidth", "markerHeight", "orient", "markerUnits"},
}  # fmt: skip
_LOCAL_REFERENCE = re.compile(r"url\(#[A-Za-z][\w-]*\)")


def _figure_value(_tag: str, attribute: str, value: str) -> str | None:
    """Keep paint values that name a colour or a marker of the same picture, drop the rest."""
    if attribute in _SVG_PAINT and "(" in value and attribute != "transform":
        return value if _LOCAL_REFERENCE.fullmatch(value) else None
    return value


def sanitize_html(html: str, *, figures: bool = False) -> str:
    """The part of an HTML fragment that is safe to show.

    Keeps the markup of prose; with `figures`, also `<figure>` and the drawing part of SVG. Removes
    scripts, styles, forms, frames, pictures, `style` and event attributes, and addresses other
    than http, https, mailto and places on this site. The result is balanced HTML.
    """
    tags = set(_PROSE_TAGS)
    attributes = {tag: set(names) for tag, names in _PROSE_ATTRIBUTES.items()}
    values = {tag: {k: set(v) for k, v in rows.items()} for tag, rows in _PROSE_VALUES.items()}
    if figures:
        tags |= _FIGURE_TAGS
        for tag, names in _SVG_PLACE.items():
            attributes[tag] = names | _SVG_PAINT
        values["svg"] = {"role": {"img"}}
    return nh3.clean(
        html,
        tags=tags,
        clean_content_tags={"script", "style", "iframe", "object", "template", "noscript"},
        attributes=attributes,
        tag_attribute_values=values,
        attribute_filter=_figure_value if figures else None,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )


_CODE = re.compile(r"(<(pre|code)\b.*?</\2>)", flags=re.DOTALL)


def link_addresses(html: str) -> str:
    """Turn bare web addresses in the text of `html` into links; code and links stay as they are.

    The result still has to go through `sanitize_html`.
    """
    # bleach escapes what is inside a skipped tag a second time, so code does not go through it;
    # one mark of private characters stands for each piece.
    html = html.replace("\ue000", "").replace("\ue001", "")
    kept: list[str] = []

    def put_aside(match: re.Match[str]) -> str:
        kept.append(match.group(1))
        return f"\ue000{len(kept) - 1}\ue001"

    linked = bleach.linkify(_CODE.sub(put_aside, html), callbacks=[], skip_tags={"a"})
    return re.sub(r"\ue000(\d+)\ue001", lambda match: kept[int(match.group(1))], linked)

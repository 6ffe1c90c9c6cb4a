"""Markdown to HTML, with raw HTML switched off.

Authors write Markdown; nothing they type reaches a page except through `sanitize_html`. Tables
become ledgers in a scrolling region, headings get an id, and `[^id]` points to a source.
"""

from __future__ import annotations

import html as html_escapes
import re
from collections.abc import Mapping
from xml.etree import ElementTree

import markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor

from checkride.lib.html import link_addresses, sanitize_html


def slug(heading: str) -> str:
    """The words of a heading as an id: lower case, joined by hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-") or "part"


class _SourceMark(InlineProcessor):
    """`[^id]` becomes a raised number that leads to the source."""

    def __init__(self, pattern: str, md: markdown.Markdown, numbers: Mapping[str, int]) -> None:
        super().__init__(pattern, md)
        self.numbers = numbers

    def handleMatch(  # type: ignore[override]  # noqa: N802
        self, match: re.Match[str], data: str
    ) -> tuple[ElementTree.Element | None, int | None, int | None]:
        number = self.numbers.get(match.group(1))
        if number is None:
            return None, None, None
        mark = ElementTree.Element("sup")
        link = ElementTree.SubElement(mark, "a", {"href": f"#source-{number}", "class": "fnref"})
        link.text = str(number)
        return mark, match.start(0), match.end(0)


class _Dress(Treeprocessor):
    """Gives headings their ids and tables the look and the frame of a ledger."""

    def __init__(self, md: markdown.Markdown, used: set[str]) -> None:
        super().__init__(md)
        self.used = used

    def run(self, root: ElementTree.Element) -> None:
        for parent in list(root.iter()):
            for index, child in enumerate(list(parent)):
                if child.tag in {"h1", "h2", "h3", "h4"}:
                    self._name(child)
                elif child.tag == "table":
                    child.set("class", "ledger ledger--list")
                    _label_cells(child)
                    frame = ElementTree.Element(
                        "div",
                        {"class": "scroll", "tabindex": "0", "role": "group"},
                    )
                    frame.set("aria-label", "Table")
                    frame.append(child)
                    frame.tail, child.tail = child.tail, None
                    parent[index] = frame
                elif child.tag == "th":
                    child.set("scope", "col")
                if child.tag in {"td", "th"} and "right" in child.get("style", ""):
                    child.set("class", "num")
                    del child.attrib["style"]

    def _name(self, heading: ElementTree.Element) -> None:
        wanted = slug("".join(heading.itertext()))
        name, count = wanted, 2
        while name in self.used:
            name, count = f"{wanted}-{count}", count + 1
        self.used.add(name)
        heading.set("id", name)


_LIST_ITEM = re.compile(r"((?:> ?)*)\s{0,3}(?:[-*+]|\d{1,3}[.)])\s+\S")
_LIST_START = re.compile(r"((?:> ?)*)\s{0,3}(?:[-*+]|1[.)])\s+\S")


class _ListsAfterText(Preprocessor):
    """Lets a list follow a line of text directly, as CommonMark and most editors do."""

    def run(self, lines: list[str]) -> list[str]:
        found: list[str] = []
        in_list = fenced = False
        for line in lines:
            before = found[-1] if found else ""
            bare = line.lstrip("> ")
            fenced ^= bare.startswith("```")
            start = _LIST_START.match(line)
            if start and before.strip("> ") and not in_list and not fenced:
                found.append(start.group(1).rstrip())
            if not bare:
                in_list = False
            elif _LIST_ITEM.match(line):
                in_list = True
            found.append(line)
        return found


def _label_cells(table: ElementTree.Element) -> None:
    """Name each cell after its column: on a phone a row becomes a list of named entries."""
    names = ["".join(cell.itertext()).strip() for cell in table.iter("th")]
    for row in table.iter("tr"):
        for name, cell in list(zip(names, row, strict=False))[1:]:
            if cell.tag == "td" and name:
                cell.set("data-l", name)


class _NoRawHtml(Extension):
    def __init__(self, numbers: Mapping[str, int], used: set[str]) -> None:
        super().__init__()
        self.numbers = numbers
        self.used = used

    def extendMarkdown(self, md: markdown.Markdown) -> None:  # noqa: N802
        md.preprocessors.deregister("html_block")
        md.inlinePatterns.deregister("html")
        md.preprocessors.register(_ListsAfterText(md), "lists-after-text", 26)
        md.inlinePatterns.register(_SourceMark(r"\[\^([\w-]+)\]", md, self.numbers), "source", 175)
        # After "inline" (20), so that the text inside headings is already there.
        md.treeprocessors.register(_Dress(md, self.used), "dress", 15)


def render_markdown(
    text: str, *, sources: Mapping[str, int] | None = None, used_ids: set[str] | None = None
) -> str:
    """Markdown `text` as safe HTML.

    `sources` gives each source its number; `used_ids` collects the ids of headings of one page, so
    that two parts of it do not share one.
    """
    dress = _NoRawHtml(sources or {}, used_ids if used_ids is not None else set())
    html = markdown.markdown(
        text, extensions=["tables", "sane_lists", "fenced_code", dress], output_format="html"
    )
    return sanitize_html(link_addresses(html))


def render_inline(text: str, *, sources: Mapping[str, int] | None = None) -> str:
    """One paragraph of Markdown without its `<p>`."""
    html = render_markdown(text, sources=sources).strip()
    if html.startswith("<p>") and html.endswith("</p>") and html.count("<p>") == 1:
        return html[3:-4]
    return html


def render_log(text: str) -> str:
    """A run log as a listing: one row per line, kept as it is written."""
    lines = text.splitlines()
    if all(re.match(rf"\s*{number}(\s|$)", line) for number, line in enumerate(lines, start=1)):
        # The author numbered the lines; the listing counts them itself.
        lines = [re.sub(r"^\s*\d+\s?", "", line) for line in lines]
    rows = "".join(f"<li><span>{html_escapes.escape(line) or ' '}</span></li>" for line in lines)
    return sanitize_html(
        f'<div class="scroll" tabindex="0" role="group" aria-label="Log">'
        f'<ol class="listing listing--log listing--plain">{rows}</ol></div>'
    )


def render_figure(text: str) -> str:
    """A `<figure>` with an SVG drawing, cut down to what draws."""
    return sanitize_html(text, figures=True)

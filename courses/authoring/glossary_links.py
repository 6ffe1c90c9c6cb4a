"""Lead from the words of a lesson to the glossary: each word once, where it first stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape, unescape

from courses.authoring.forms import Term

_PIECE = re.compile(r"(<[^>]*>)")
_TAG = re.compile(r"<\s*(/?)\s*([a-z0-9]+)", re.IGNORECASE)
# Headings and links stay what they are; logs and drawings quote what somebody else wrote.
_CLOSED = frozenset(
    {"a", "h1", "h2", "h3", "h4", "code", "pre", "figure", "svg", "th", "ol", "button"}
)


def term_anchor(term: str) -> str:
    """The id of a term on the glossary's page, as Django's `slugify` makes it."""
    kept = re.sub(r"[^\w\s-]", "", term.lower())
    return re.sub(r"[-\s]+", "-", kept).strip("-_")


def linked_words(terms: Iterable[Term]) -> dict[str, Term]:
    """Each word that is worth a link, in small letters, with its term."""
    return {
        word.lower(): term
        for term in terms
        if not term.everyday
        for word in (term.term, *term.also)
    }


def link_terms(parts: Sequence[str], terms: Sequence[Term]) -> list[str]:
    """The HTML `parts` of one lesson with the first occurrence of each term made a link.

    Only running text is touched. A plural in “s” counts as the word.
    """
    words = linked_words(terms)
    if not words:
        return list(parts)
    longest_first = sorted(words, key=len, reverse=True)
    pattern = re.compile(
        rf"\b({'|'.join(re.escape(escape(word)) for word in longest_first)})(s?)\b", re.IGNORECASE
    )
    seen: set[str] = set()
    return [_link(part, pattern, words, seen) for part in parts]


def _link(html: str, pattern: re.Pattern[str], words: dict[str, Term], seen: set[str]) -> str:
    closed = 0
    found: list[str] = []
    for piece in _PIECE.split(html):
        if piece.startswith("<"):
            tag = _TAG.match(piece)
            if tag is not None and tag.group(2).lower() in _CLOSED and not piece.endswith("/>"):
                closed += -1 if tag.group(1) else 1
            found.append(piece)
        elif closed or not piece.strip():
            found.append(piece)
        else:
            found.append(_link_text(piece, pattern, words, seen))
    return "".join(found)


def _link_text(text: str, pattern: re.Pattern[str], words: dict[str, Term], seen: set[str]) -> str:
    def link(match: re.Match[str]) -> str:
        term = words[unescape(match.group(1)).lower()]
        if term.term in seen:
            return match.group()
        seen.add(term.term)
        return f'<a class="term" href="/glossary/#{term_anchor(term.term)}">{match.group()}</a>'

    return pattern.sub(link, text)

"""From a JSON-LD document to the bytes that are signed, and the proof that nothing gets lost.

Canonicalisation is RDFC-1.0 by Oxigraph. PyLD implements its predecessor URDNA2015, which differs
for names with control characters, so it is used for one thing only: to see every term that
JSON-LD would silently drop, because a dropped term is a statement that nobody signed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import pyoxigraph
from pyld import jsonld

from checkride.lib.errors import DomainError
from credentials.openbadges import contexts

LoadContext = Callable[[str], Mapping[str, Any]]

_ABSOLUTE = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:|_:)")


class LostTerm(DomainError):
    code = "lost-term"
    sentence = (
        "The term “{term}” has no meaning in the contexts of the document, "
        "so a signature would not cover it."
    )


class NotCanonical(DomainError):
    code = "not-canonical"
    sentence = "The document cannot be read as JSON-LD ({reason})."


def canonical_nquads(document: Mapping[str, Any], *, load: LoadContext = contexts.context) -> bytes:
    """The RDFC-1.0 N-Quads of `document`, sorted, as UTF-8.

    Only contexts that `load` knows by address are accepted: a context written into the document
    could give signed words another meaning. Raises `UnknownContext` and `NotCanonical`.
    """
    _refuse_costly(document)
    dataset = pyoxigraph.Dataset()
    try:
        text = json.dumps(_with_inlined_contexts(document, load), ensure_ascii=False)
        text.encode("utf-8")  # half a character of UTF-16 is an error here, not in the parser
        for quad in pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.JSON_LD):
            dataset.add(quad)
    except (SyntaxError, ValueError, OSError) as error:
        raise NotCanonical(reason=str(error)) from error
    dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
    # serialize() answers None only when it was given somewhere to write to.
    lines = cast(bytes, pyoxigraph.serialize(dataset, format=pyoxigraph.RdfFormat.N_QUADS))
    return b"".join(sorted(lines.splitlines(keepends=True)))


def refuse_lost_terms(document: Mapping[str, Any], *, load: LoadContext = contexts.context) -> None:
    """Raise `LostTerm` when a property, type or id of `document` would not be signed."""
    for address in _context_addresses(document):
        load(address)
    dropped: list[str] = []
    options = {
        "base": None,
        "documentLoader": lambda address, _options: {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": address,
            "document": load(address),
        },
    }
    try:
        expanded = jsonld.expand(
            dict(document), options, on_property_dropped=lambda term: dropped.append(str(term))
        )
    except Exception as error:  # PyLD meets odd input with whatever comes: KeyError, TypeError, ...
        raise NotCanonical(reason=type(error).__name__) from error
    if dropped:
        raise LostTerm(term=dropped[0])
    _refuse_relative(expanded)


def _refuse_relative(value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _refuse_relative(item)
    elif isinstance(value, dict):
        types = value.get("@type", [])
        names = [*(types if isinstance(types, list) else [types]), value.get("@id", "_:")]
        for name in names:
            if not isinstance(name, str) or not _ABSOLUTE.match(name):
                raise LostTerm(term=name)
        for item in value.values():
            _refuse_relative(item)


def _with_inlined_contexts(document: Mapping[str, Any], load: LoadContext) -> dict[str, Any]:
    addresses = _context_addresses(document)
    return {**document, "@context": [load(address)["@context"] for address in addresses]}


def _context_addresses(document: Mapping[str, Any]) -> list[str]:
    """The addresses of the contexts; contexts written into the document are refused."""
    names = document.get("@context")
    addresses: list[Any] = names if isinstance(names, list) else [names]
    for address in addresses:
        if not isinstance(address, str):
            raise contexts.UnknownContext(address="written into the document itself")
    for key, value in document.items():
        if key != "@context":
            _refuse_nested_contexts(value)
    return addresses


def _refuse_nested_contexts(value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _refuse_nested_contexts(item)
    elif isinstance(value, dict):
        if "@context" in value:
            raise contexts.UnknownContext(address="written into a part of the document")
        for item in value.values():
            _refuse_nested_contexts(item)


# Canonicalisation tries every order of nameless parts that look alike under a nameless parent, so
# a hostile file could keep it busy for ever. Credentials stay far below these bounds.
_MAX_NAMELESS_DEPTH = 3
_MAX_NAMELESS_PARTS = 4


def _refuse_costly(value: Any, nameless_above: int = 0) -> None:
    for part in _parts(value):
        name = part.get("id", "")
        if isinstance(name, str) and name.startswith("_:"):
            raise NotCanonical(reason="a part of it is named like a blank node")
        nameless = 0 if name else nameless_above + 1
        below = [child for item in part.values() for child in _parts(item)]
        if nameless > _MAX_NAMELESS_DEPTH or (
            nameless and sum(1 for child in below if "id" not in child) > _MAX_NAMELESS_PARTS
        ):
            raise NotCanonical(reason="it has too many parts without a name")
        for item in part.values():
            _refuse_costly(item, nameless)


def _parts(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list):
        return [part for item in value for part in _parts(item)]
    return []

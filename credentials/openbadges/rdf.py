"""From a JSON-LD document to the bytes that are signed, and the proof that nothing gets lost.

Canonicalisation is RDFC-1.0 by Oxigraph. PyLD implements its predecessor URDNA2015, which differs
for names with control characters, so it is used for one thing only: to see every term that
JSON-LD would silently drop, because a dropped term is a statement that nobody signed.

Nine tenths of the time would go into reading the same contexts again for every credential. So the
parser gets only the definitions a document can reach, and a form that was found to lose nothing
is remembered by its shape: see `_reachable` and `_shape` for why neither can change an answer.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import pyoxigraph
from pyld import jsonld

from checkride.lib import canonical
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
    return _canonical(_with_inlined_contexts, document, load)


def canonical_nquads_of_record(document: Mapping[str, Any], *, load: LoadContext) -> bytes:
    """The same for a document that holds others with contexts of their own, each known to `load`
    by its address. The long way: nothing is left out of a context.

    Raises as `canonical_nquads`.
    """
    _refuse_costly(document)
    return _canonical(
        lambda whole, load_one: json.dumps(_inlined_at_any_depth(whole, load_one)), document, load
    )


def _canonical(
    inlined: Callable[[Mapping[str, Any], LoadContext], str],
    document: Mapping[str, Any],
    load: LoadContext,
) -> bytes:
    try:
        text = inlined(document, load)
        text.encode("utf-8")  # half a character of UTF-16 is an error here, not in the parser
        dataset = pyoxigraph.Dataset(pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.JSON_LD))
    except (SyntaxError, ValueError, OSError) as error:
        raise NotCanonical(reason=str(error)) from error
    dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
    # serialize() answers None only when it was given somewhere to write to.
    lines = cast(bytes, pyoxigraph.serialize(dataset, format=pyoxigraph.RdfFormat.N_QUADS))
    return b"".join(sorted(lines.splitlines(keepends=True)))


def refuse_lost_terms(document: Mapping[str, Any], *, load: LoadContext = contexts.context) -> None:
    """Raise `LostTerm` when a property, type or id of `document` would not be signed."""
    addresses = tuple(_context_addresses(document))
    for address in addresses:
        load(address)
    shape = _shape(document, _known(addresses, load))
    if shape is not None and shape in _lossless:
        return
    expanded_without_loss(document, load=load)
    if shape is not None:
        if len(_lossless) >= _MOST_SHAPES:
            _lossless.clear()
        _lossless.add(shape)


def refuse_lost_terms_of_record(document: Mapping[str, Any], *, load: LoadContext) -> None:
    """The same for a document that holds others with contexts of their own. Raises `UnknownContext`
    for a context that is not given by an address we know."""
    _inlined_at_any_depth(document, load)
    expanded_without_loss(document, load=load)


def expanded_without_loss(document: Mapping[str, Any], *, load: LoadContext) -> None:
    """The long way of `refuse_lost_terms`, for documents that carry contexts of their own, which
    credentials of ours never do. Raises `LostTerm` or `NotCanonical`."""
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


def _inlined_at_any_depth(value: Any, load: LoadContext) -> Any:
    if isinstance(value, list):
        return [_inlined_at_any_depth(item, load) for item in value]
    if not isinstance(value, Mapping):
        return value
    found = {name: _inlined_at_any_depth(item, load) for name, item in value.items()}
    if "@context" in value:
        names = value["@context"]
        addresses: list[Any] = names if isinstance(names, list) else [names]
        if not all(isinstance(address, str) for address in addresses):
            raise contexts.UnknownContext(address="written into the document itself")
        found["@context"] = [load(address)["@context"] for address in addresses]
    return found


def _with_inlined_contexts(document: Mapping[str, Any], load: LoadContext) -> str:
    addresses = tuple(_context_addresses(document))
    known = _known(addresses, load)
    used: set[str] = set()
    rest = {name: value for name, value in document.items() if name != "@context"}
    _note_terms(rest, known.terms, used)
    contexts_text = known.inlined.get(frozenset(used))
    if contexts_text is None:
        contexts_text = json.dumps(_reachable(known.contexts, used, known.terms))
        if len(known.inlined) >= _MOST_SHAPES:
            known.inlined.clear()
        known.inlined[frozenset(used)] = contexts_text
    body = json.dumps(rest, ensure_ascii=False)
    return f'{{"@context":{contexts_text}{", " if rest else ""}{body[1:]}'


# Shapes -------------------------------------------------------------------------------------------

_MOST_SHAPES = 500
_lossless: set[bytes] = set()


@dataclass(frozen=True, slots=True)
class _Contexts:
    """The contexts of a document: their contents, every term they define at any depth, those that
    stand for a keyword other than `@id` and `@type`, and the texts of the reachable parts by the
    terms that are used."""

    contexts: list[Any]
    terms: frozenset[str]
    keywords: frozenset[str]
    digest: str
    inlined: dict[frozenset[str], str]


@lru_cache(maxsize=64)
def _known(addresses: tuple[str, ...], load: LoadContext) -> _Contexts:
    found = [load(address)["@context"] for address in addresses]
    terms: set[str] = set()
    keywords: set[str] = set()
    _collect_terms(found, terms, keywords)
    digest = canonical.digest({"contexts": found})
    return _Contexts(found, frozenset(terms), frozenset(keywords), digest, {})


def _collect_terms(context: Any, terms: set[str], keywords: set[str]) -> None:
    if isinstance(context, list):
        for part in context:
            _collect_terms(part, terms, keywords)
    elif isinstance(context, dict):
        for name, definition in context.items():
            if not name.startswith("@"):
                terms.add(name)
            means = definition.get("@id") if isinstance(definition, dict) else definition
            if isinstance(means, str) and means.startswith("@") and means not in ("@id", "@type"):
                keywords.add(name)
            if isinstance(definition, dict) and "@context" in definition:
                _collect_terms(definition["@context"], terms, keywords)


def _note_terms(value: Any, terms: frozenset[str], used: set[str]) -> None:
    """Everything in `value` that could be read as a term, or as a prefix: keys and texts alike."""
    if isinstance(value, dict):
        for name in value:
            _note_term(name, terms, used)
        inside = value.values()
    elif isinstance(value, list):
        inside = value  # type: ignore[assignment]
    else:
        inside = (value,)  # type: ignore[assignment]
    for item in inside:
        if isinstance(item, str):
            _note_term(item, terms, used)
        elif isinstance(item, (dict, list)):
            _note_terms(item, terms, used)


def _note_term(text: str, terms: frozenset[str], used: set[str]) -> None:
    if text in terms:
        used.add(text)
    if ":" in text and (prefix := text.partition(":")[0]) in terms:
        used.add(prefix)


def _reachable(context: Any, used: set[str], terms: frozenset[str]) -> Any:
    """`context` without the definitions that a document cannot reach.

    A definition is looked up for a key, for a text that stands where a term may stand, for the
    prefix of either, or by a definition that is itself reached. `used` has the first three, and
    the last are added until nothing new comes. What is left out is never looked up, so leaving it
    out changes nothing; the tests hold both readings against each other.
    """
    used = set(used)
    while True:
        kept = _kept(context, used)
        before = len(used)
        _note_definitions(kept, terms, used)
        if len(used) == before:
            return kept


def _kept(context: Any, used: set[str]) -> Any:
    if isinstance(context, list):
        return [_kept(part, used) for part in context]
    if not isinstance(context, dict):
        return context
    found = {}
    for name, definition in context.items():
        if not name.startswith("@") and name not in used:
            continue
        if isinstance(definition, dict) and "@context" in definition:
            definition = {**definition, "@context": _kept(definition["@context"], used)}
        found[name] = definition
    return found


def _note_definitions(context: Any, terms: frozenset[str], used: set[str]) -> None:
    if isinstance(context, list):
        for part in context:
            _note_definitions(part, terms, used)
    elif isinstance(context, dict):
        for name, definition in context.items():
            _note_term(name, terms, used)
            if isinstance(definition, str):
                _note_term(definition, terms, used)
            elif isinstance(definition, dict):
                for key, part in definition.items():
                    if key == "@context":
                        _note_definitions(part, terms, used)
                    elif isinstance(part, str):
                        _note_term(part, terms, used)


def _shape(document: Mapping[str, Any], known: _Contexts) -> bytes | None:
    """A digest of all that decides whether `document` loses a term; None when that is not certain.

    What JSON-LD drops depends on the contexts, the keys, the nesting, the texts that name a term,
    and of every other text on whether it is an absolute address or looks like a keyword. Two
    documents that agree in all of these are dropped alike; names, dates and scores do not matter.
    """
    parts: list[str] = [known.digest]
    for name, value in document.items():
        if name != "@context":
            parts.append(name)
            if name in known.keywords or not _add_shape(value, known, parts):
                return None
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).digest()


def _add_shape(value: Any, known: _Contexts, parts: list[str]) -> bool:
    if isinstance(value, dict):
        parts.append("{")
        for name, item in value.items():
            if name.startswith("@") or name in known.keywords:
                # What a keyword allows depends on its very value: looked at one by one.
                return False
            parts.append("k" + name)
            if isinstance(item, str):
                parts.append(_shape_of_text(item, known.terms))
            elif not _add_shape(item, known, parts):
                return False
        parts.append("}")
    elif isinstance(value, list):
        parts.append("[")
        for item in value:
            if not _add_shape(item, known, parts):
                return False
        parts.append("]")
    elif isinstance(value, str):
        parts.append(_shape_of_text(value, known.terms))
    else:
        parts.append(type(value).__name__)
    return True


def _shape_of_text(text: str, terms: frozenset[str]) -> str:
    if text in terms:
        return "t" + text
    prefix, colon, rest = text.partition(":")
    if colon and (prefix in terms or prefix == "_"):
        # A prefix is replaced, a blank node is no address: these are looked at one by one.
        return "t" + text
    if text.startswith("@"):
        return "t" + text
    # Without a scheme it would be taken relative to nothing; an empty one is its own case.
    return "a" if _ABSOLUTE.match(text) else "r" if rest or prefix else "e"


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
    if isinstance(value, dict):
        if "@context" in value:
            raise contexts.UnknownContext(address="written into a part of the document")
        value = value.values()
    elif not isinstance(value, list):
        return
    for item in value:
        if isinstance(item, (dict, list)):
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
        below = [
            child
            for item in part.values()
            if isinstance(item, (dict, list))
            for child in _parts(item)
        ]
        if nameless > _MAX_NAMELESS_DEPTH or (
            nameless and sum(1 for child in below if "id" not in child) > _MAX_NAMELESS_PARTS
        ):
            raise NotCanonical(reason="it has too many parts without a name")
        for child in below:
            _refuse_costly(child, nameless)


def _parts(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list):
        return [part for item in value for part in _parts(item)]
    return []

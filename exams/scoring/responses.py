"""A response: what one candidate gave to one item, as JSON, and what can be said about it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from checkride.lib.errors import DomainError
from exams.scoring.items import Drawn, Face, Item, signs

Payload: TypeAlias = Mapping[str, Any]
Completeness: TypeAlias = Literal["empty", "partial", "complete"]

MAX_TYPED = 40


class BadResponse(DomainError):
    code = "bad-response"
    sentence = (
        "This answer does not fit its item ({problem}). What was saved before is kept; "
        "load the page again and answer once more."
    )


def check_payload(face: Face, payload: Any) -> dict[str, Any]:
    """Return the payload in its one canonical form, or raise `BadResponse`.

    Shapes, by kind: `{"choice": id}`, `{"choices": [id]}`, `{"number": text}`,
    `{"positions": {id: place}}`, `{"pairs": {left: right}}`, `{"lines": [number]}`, and
    `{"text": text}` for everything in words. An empty object is a cleared answer. Incomplete
    answers are kept: half an order is still what was typed.
    """
    if not isinstance(payload, dict):
        raise BadResponse(problem="it is not an object")
    if payload == {}:
        return {}
    field = _FIELD[face.kind]
    if set(payload) != {field}:
        raise BadResponse(problem=f"expected “{field}” and nothing else")
    value = payload[field]
    ids = {choice.id for choice in face.choices}
    match face.kind:
        case "single":
            return {} if value is None else {"choice": _known(value, ids)}
        case "multiple":
            chosen = {_known(entry, ids) for entry in _listed(value)}
            return (
                {"choices": [choice for choice in sorted(ids) if choice in chosen]}
                if chosen
                else {}
            )
        case "numeric":
            typed = _typed(value)
            return {"number": typed} if typed else {}
        case "ordering":
            places = {
                _known(step, ids): _place(place, len(ids))
                for step, place in _mapped(value).items()
                if place is not None
            }
            return {"positions": dict(sorted(places.items()))} if places else {}
        case "matching":
            left = {entry.id for entry in face.left}
            pairs = {
                _known(key, left): _known(entry, ids)
                for key, entry in _mapped(value).items()
                if entry is not None
            }
            return {"pairs": dict(sorted(pairs.items()))} if pairs else {}
        case "hotspot":
            lines = {_place(entry, len(ids)) for entry in _listed(value)}
            return {"lines": sorted(lines)} if lines else {}
        case "text":
            words = _one_line(value, face.longest)
            return {"text": words} if words else {}
        case "written" | "prompt" | "map":
            text = _text(value, face.longest)
            return {"text": text} if text.strip() else {}


def completeness(face: Face, payload: Payload) -> Completeness:
    """Whether an answer could be scored as it stands: every place filled, every pair made."""
    if not payload:
        return "empty"
    match face.kind:
        case "single":
            return "complete"
        case "multiple":
            return "complete" if len(payload["choices"]) == face.choose else "partial"
        case "numeric":
            return "partial" if read_number(payload["number"]) is None else "complete"
        case "ordering":
            places = sorted(payload["positions"].values())
            return "complete" if places == list(range(1, len(face.choices) + 1)) else "partial"
        case "matching":
            return "complete" if len(payload["pairs"]) == len(face.left) else "partial"
        case "hotspot":
            return "complete" if len(payload["lines"]) == face.choose else "partial"
        case "text" | "written":
            return "complete"
        case "prompt" | "map":
            return "partial" if payload["text"].strip() == face.starter.strip() else "complete"


def plain_text(typed: str) -> str:
    """A short answer as it is compared: without case, accents of writing, spare spaces and a full
    stop at the end. “Least  privilege.” and “least privilege” are one answer."""
    folded = unicodedata.normalize("NFKC", typed).casefold()
    folded = folded.translate(_ALIKE)
    return " ".join(folded.split()).rstrip(".!").strip("\"' ")


# Keyboards and word processors write the same sign in several ways.
_ALIKE = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "‐": "-", "‑": "-", "–": "-"})


_GROUPED = r"[1-9]\d{0,2}(?:[, \u00a0\u202f]\d{3})+"
_NUMBER = re.compile(rf"([+-]?)({_GROUPED}|\d+)?(?:\.(\d+))?", re.ASCII)
_COMMA = re.compile(r"([+-]?)(?:(0),(\d+)|(\d+),(\d{1,2}|\d{4,}))", re.ASCII)


def read_number(typed: str) -> Decimal | None:
    """Read a number as people type it: `37.5`, `37,5`, `1,250`, `1 250.00`, `12 %`.

    A comma before exactly three digits groups thousands, unless a lone 0 stands before it;
    any other comma is a decimal sign. Returns `None` for everything else, because a guess would
    be a score nobody can explain.
    """
    text = typed.strip().replace("−", "-").removesuffix("%").strip().lstrip("$€£").strip()
    if comma := _COMMA.fullmatch(text):
        whole, fraction = comma[2] or comma[4], comma[3] or comma[5]
        return Decimal(f"{comma[1]}{whole}.{fraction}")
    plain = _NUMBER.fullmatch(text)
    if plain is None or not (plain[2] or plain[3]):
        return None
    whole = re.sub(r"\D", "", plain[2] or "0")
    return Decimal(f"{plain[1]}{whole}.{plain[3] or '0'}")


def in_authors_ids(item: Item, drawn: Drawn, payload: Payload) -> dict[str, Any]:
    """The same answer in the ids that the item's key is written in."""
    by_sign = signs(item, drawn)
    choice, left = by_sign.get("choices", {}), by_sign.get("left", {})
    if "choice" in payload:
        return {"choice": choice[payload["choice"]]}
    if "choices" in payload:
        return {"choices": sorted(choice[sign] for sign in payload["choices"])}
    if "positions" in payload:
        return {"positions": {choice[sign]: place for sign, place in payload["positions"].items()}}
    if "pairs" in payload:
        return {"pairs": {left[sign]: choice[other] for sign, other in payload["pairs"].items()}}
    return dict(payload)


def in_words(face: Face, payload: Payload) -> str:
    """The answer as the candidate saw it on the page: letters for choices, numbers for lines.

    It names no text of the item, so that a receipt can be kept and shown without spreading items.
    """
    if not payload:
        return "no answer"
    match face.kind:
        case "single":
            return str(payload["choice"]).upper()
        case "multiple":
            return ", ".join(payload["choices"]).upper()
        case "numeric":
            return f"{payload['number']} {face.unit}".strip()
        case "ordering":
            placed = sorted(payload["positions"].items(), key=lambda entry: (entry[1], entry[0]))
            return ", ".join(f"{place}: {sign.upper()}" for sign, place in placed)
        case "matching":
            pairs = sorted(payload["pairs"].items())
            return ", ".join(f"{left} with {right.upper()}" for left, right in pairs)
        case "hotspot":
            lines = payload["lines"]
            return ("line " if len(lines) == 1 else "lines ") + ", ".join(map(str, lines))
        case "text":
            return f"“{payload['text']}”"
        case "written" | "prompt" | "map":
            # A receipt that held every version of a long text would be a book.
            count = len(payload["text"])
            return f"a text of {count} character{'' if count == 1 else 's'}"


_FIELD = {
    "single": "choice",
    "multiple": "choices",
    "numeric": "number",
    "ordering": "positions",
    "matching": "pairs",
    "hotspot": "lines",
    "text": "text",
    "written": "text",
    "prompt": "text",
    "map": "text",
}


def _known(value: Any, ids: set[str]) -> str:
    if not isinstance(value, str) or value not in ids:
        raise BadResponse(problem="it names something the item does not have")
    return value


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) > 100:
        raise BadResponse(problem="expected a list")
    return value


def _mapped(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > 100:
        raise BadResponse(problem="expected a table of pairs")
    return value


def _place(value: Any, last: int) -> int:
    # bool is an int in Python; `true` is no place.
    if type(value) is not int or not 1 <= value <= last:
        raise BadResponse(problem=f"expected a number from 1 to {last}")
    return value


def _typed(value: Any) -> str:
    return _one_line(value, MAX_TYPED)


def _one_line(value: Any, longest: int) -> str:
    typed = " ".join(value.split()) if isinstance(value, str) else None
    if typed is None or len(typed) > longest or not typed.isprintable():
        raise BadResponse(problem=f"expected one line of at most {longest} characters")
    return typed


def _text(value: Any, longest: int) -> str:
    """Text of several lines. Line ends become LF; a sign that no text column can hold is refused."""
    if not isinstance(value, str) or "\x00" in value:
        raise BadResponse(problem="expected a text")
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        raise BadResponse(problem="it holds half a character")
    if len(text) > longest:
        raise BadResponse(problem=f"it has {len(text)} characters and may have {longest}")
    return text

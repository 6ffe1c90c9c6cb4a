"""The shape of the final answer: which keys a JSON object has, in words or as a sample."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from courses.simulators.prompts.segments import Unit
from courses.simulators.prompts.view import View
from courses.simulators.prompts.words import stem, word_set

_OBJECT: Final = re.compile(r"\{([^{}]*)\}")
_QUOTED_KEY: Final = re.compile(r"[\"']([A-Za-z_][\w -]*)[\"']\s*:")
_BARE_KEY: Final = re.compile(r"([A-Za-z_]\w*)\s*[:=]")
_KEY_TALK: Final = re.compile(
    r"\b(?:keys?|fields?|propert(?:y|ies)|attributes?|members?|entries|elements?|names?"
    r"|contains?|inside|with|consist\w*)\b",
    re.I,
)
_LOG: Final = re.compile(r"\blog\b", re.I)
_EXTRA: Final = re.compile(
    r"\b(?:plus|also add|add (?:a|another|the|an)|and additionally|additional(?:ly)?|as "
    r"well as|a fourth|further|extra|another) (?:\w+ ){0,4}?"
    r"(?:keys?|fields?|propert\w+|\"?\w+\"? (?:key|field))",
    re.I,
)


def _names(text: str) -> list[str]:
    return [re.sub(r"[\W_]+", " ", one).strip().lower() for one in text if one]


def keys_of_object(body: str) -> list[str]:
    """The keys of `{...}`, whether quoted, bare or just listed."""
    quoted = _QUOTED_KEY.findall(body)
    if not quoted:
        bare = _BARE_KEY.findall(body)
        quoted = bare or [piece for piece in re.split(r"\s*[,;/|]\s*", body) if piece.strip()]
    return [re.sub(r"[\W_]+", " ", one).strip().lower() for one in quoted if one.strip()]


def read_keys(view: View, keys: Sequence[str]) -> None:
    """Signals "keys" for an answer that must be a JSON object with exactly these keys."""
    unit = view.unit
    text = unit.text
    wanted = set(keys)
    near = f"{unit.context} {text} " + " ".join(one.text for one in view.earlier)
    for match in _OBJECT.finditer(text):
        found = keys_of_object(match.group(1))
        hits = wanted & set(found)
        if len(found) < 2 or (_LOG.search(text[: match.start()]) and set(found) != wanted):
            continue
        if set(found) == wanted:
            view.yes("keys", 0.95)
            return
        talk = re.search(r"json|answer|output|format|final|return|respond|result", near, re.I)
        if hits or (talk and len(found) >= 2 and not unit.code):
            view.no("keys", 0.88, "other keys than " + ", ".join(keys))
            return
    if re.search(r"</?\s*(?:" + "|".join(map(re.escape, keys)) + r")\b", text):
        return
    row = [token for token in unit.tokens if not token.silent]
    stems = [token.stem for token in row]
    hits = {key for key in keys if stem(key) in stems}
    says_json = bool(view.own("json")) or view.around("json") or view.before("json")
    sibling = unit.previous
    if (
        not says_json
        and sibling is not None
        and sibling.context == unit.context != ""
        and unit.line - sibling.line <= 1
        and sibling.found.get("json")
    ):
        says_json = True  # "format: json" above "keys: ..."
    more = re.search(
        r"\bfollowed by (?:a|an|the|some|one)\b|^\W*(?:you (?:can|may|might) |please |also |then )*add "
        r"(?:also )?(?:a |an |the )?[\"']?\w+[\"']?(?: and|,|$| when| if| field| key)",
        text,
        re.I,
    )
    if says_json and more and not re.search(r"\b(?:no|not|never|don'?t|nothing)\b", text, re.I):
        view.no("keys", 0.8, "something more than the keys")
        return
    negated_json = view.never("json")
    if negated_json and not view.has(
        r"nothing (?:but|else|around|before|after)|no text|not (?:add|write) (?:anything"
        r"|text)|other than|anything but|except|no (?:other|further|more|additional"
        r"|extra)|only|without"
    ):
        view.no("keys", 0.9, "the answer shall not be JSON")
        return
    final = (
        view.own("answer-format") or view.around("answer-format") or view.before("answer-format")
    )
    if (
        view.does("other-format")
        and not (view.does("json") and len(hits) == len(keys))
        and (
            final
            and not view.has(r"\b(?:customer|mail|letter|repl(?:y|ies) to)\b")
            and (
                says_json
                or view.has(
                    r"\b(?:final|answer|output|result|outcome|return|end with|log"
                    r"|decision|format)\b"
                )
            )
        )
        and not (view.has(r"\breason\b") and len(hits) >= 2)
    ):
        view.no("keys", 0.82, "another format")
        return
    if (
        says_json
        and _EXTRA.search(text)
        and not re.search(
            r"\b(?:no|not|never|don'?t|without|errors?|forbidden|wrong|mistakes?)\b", text, re.I
        )
    ):
        view.no("keys", 0.8, "one more key")
        return
    if (
        len(hits) == len(keys)
        and not view.own("json")
        and view.has(r"\b(?:xml|yaml|csv|table|prose|sentence)\b")
    ):
        view.no("keys", 0.8, "another format")
        return
    if says_json and len(hits) == len(keys):
        others = _other_keys(view, wanted)
        if others:
            view.no("keys", 0.75, "one more key: " + ", ".join(sorted(others)))
        else:
            view.yes("keys", 0.92)
        return
    if (
        says_json
        and 2 <= len(hits) < len(keys)
        and re.search(
            r"\bnothing else\b|\bonly\b|\bjust\b|\bexactly\b|\btwo (?:keys|fields)|\bno "
            r"(?:other|more|further)\b",
            text,
            re.I,
        )
    ):
        view.no("keys", 0.8, "other keys than " + ", ".join(keys))
        return
    if says_json and _KEY_TALK.search(text) and hits != set() and len(hits) < len(keys):
        listed = _listed_keys(text)
        if len(listed) >= 2:
            view.no("keys", 0.8, "other keys than " + ", ".join(keys))
        return
    if says_json and not hits and re.search(r"\b(?:keys?|fields?|propert(?:y|ies))\b", text, re.I):
        listed = _listed_keys(text)
        if len(listed) >= 2:
            view.no("keys", 0.85, "other keys than " + ", ".join(keys))
        return
    if (
        len(hits) == len(keys)
        and re.search(r"\b(?:keys?|fields?|propert(?:y|ies))\b", near, re.I)
        and final
    ):
        view.yes("keys-without-json", 0.7)
    elif says_json and view.own("json") and not hits:
        view.yes("json", 0.8)
    if (
        says_json
        and _EXTRA.search(text)
        and not re.search(
            r"\b(?:no|not|never|don'?t|without|errors?|forbidden|wrong|mistakes?)\b", text, re.I
        )
    ):
        view.no("keys", 0.8, "one more key")


def _listed_keys(text: str) -> list[str]:
    match = re.search(
        r"\b(?:keys?|fields?|propert(?:y|ies)|with|named|called|inside)\b\s*(?:named"
        r"|called|are|:|is|only|the)?\s*(.+)$",
        text,
        re.I,
    )
    if not match:
        return []
    tail = re.split(r"[.;(]|\band (?:no|nothing)\b|\bonly\b", match.group(1))[0]
    pieces = [
        re.sub(r"[\W_]+", " ", one).strip().lower() for one in re.split(r",|\band\b|/|\||&", tail)
    ]
    return [one for one in pieces if one and len(one.split()) <= 2]


_NO_KEY: Final = word_set(
    "only exactly just nothing none besides others further more three keys key fields "
    "field json object valid one single "
    "else other a the of and"
    " rien nichts nada"
    " else these this answer final no text lower case"
)


def _other_keys(view: View, wanted: set[str]) -> set[str]:
    """Names listed together with the wanted keys that are not wanted."""
    text = re.sub(r"[\"'`*]", "", view.unit.text)
    best: set[str] = set()
    for match in re.finditer(r"[A-Za-z_]+(?:\s*(?:,|/|\||&|\band\b|, and)\s*[A-Za-z_]+)+", text):
        pieces = [
            one.strip().lower()
            for one in re.split(r"\s*(?:, and\b|,|/|\||&|\band\b)\s*", match.group())
            if one.strip()
        ]
        if len(wanted & set(pieces)) >= len(wanted) - 1 and wanted & set(pieces):
            position = [i for i, one in enumerate(pieces) if one in wanted]
            inner = set(pieces[max(0, position[0] - 0) : position[-1] + 2]) - wanted - _NO_KEY
            tail = pieces[position[-1] + 1 : position[-1] + 2]
            if tail and re.search(
                r"\b" + re.escape(tail[0]) + r"\b(?!\s*(?:\w+\s*)?(?:,|\.|;|$|\)))", text, re.I
            ):
                inner -= set(tail)
            best |= {
                one
                for one in inner
                if one not in {"no", "nothing", "each", "amount", "is", "it", "exactly", "only"}
            }
    return best


def sample_object_above(unit: Unit) -> bool:
    return "{" in unit.text

"""Moodle's GIFT: one text file of questions.

Written from the format's public description (docs.moodle.org, “GIFT format”). What GIFT has no
place for stands in a comment of ours above the question, which Moodle skips and we read again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from exams.exchange.loss import BadExchange, Document, Exported, Imported, Loss

MOST_CHARACTERS = 2_000_000
_NOTE = "// checkride: "
_SPECIAL = re.compile(r"([~=#{}:\\])")
_IN_GIFT = {"id", "kind", "stem", "options", "choose", "left", "right", "key", "answer", "accepted"}


def export(items: Iterable[Document]) -> Exported:
    """Write items as GIFT; kinds that GIFT does not have are left out and reported."""
    parts: list[str] = []
    losses: list[Loss] = []
    count = 0
    for item in items:
        body = _body(item, losses)
        if body is None:
            continue
        rest = {key: value for key, value in item.items() if key not in _IN_GIFT}
        rest |= _beside(item)
        if item.get("log"):
            losses.append(Loss(item["id"], "changed", "log", "it stands in the question’s text."))
        stem = "\n".join([*item.get("log", ()), " ".join(str(item["stem"]).split())])
        parts.append(
            f"{_NOTE}{json.dumps(rest, ensure_ascii=True, sort_keys=True, default=str)}\n"
            f"::{_escaped(item['id'])}::{_escaped(stem)}{{{body}}}\n"
        )
        count += 1
    return Exported("\n".join(parts), count, tuple(losses))


def _beside(item: Document) -> dict[str, Any]:
    """What reading needs to give the same item back: ids, which GIFT does not know."""
    kept: dict[str, Any] = {"kind": item["kind"]}
    match item["kind"]:
        case "single" | "multiple":
            kept["ids"] = [option["id"] for option in item["options"]]
            kept["reasons"] = [
                {name: option[name] for name in ("believes", "but", "why") if name in option}
                for option in item["options"]
            ]
        case "matching":
            kept |= {"left": item["left"], "right": item["right"], "pairs": item["key"]}
        case "numeric":
            kept["unit"] = item["answer"]["unit"]
    return kept


def _body(item: Document, losses: list[Loss]) -> str | None:
    match item["kind"]:
        case "single":
            return (
                "".join(
                    f"\n{'=' if option.get('key') else '~'}{_escaped(option['text'])}{_feedback(option)}"
                    for option in item["options"]
                )
                + "\n"
            )
        case "multiple":
            right = sum(bool(option.get("key")) for option in item["options"])
            share = f"{100 / right:.5f}".rstrip("0").rstrip(".")
            losses.append(
                Loss(item["id"], "changed", "points", "Moodle gives a part for a part; we do not.")
            )
            return (
                "".join(
                    f"\n~%{share if option.get('key') else '-100'}%{_escaped(option['text'])}"
                    f"{_feedback(option)}"
                    for option in item["options"]
                )
                + "\n"
            )
        case "matching":
            right_text = {entry["id"]: entry["text"] for entry in item["right"]}
            used = set(item["key"].values())
            lines = [
                f"\n={_escaped(entry['text'])} -> {_escaped(right_text[item['key'][entry['id']]])}"
                for entry in item["left"]
            ]
            lines += [
                f"\n= -> {_escaped(text)}" for one, text in right_text.items() if one not in used
            ]
            return "".join(lines) + "\n"
        case "numeric":
            answer = item["answer"]
            losses.append(
                Loss(item["id"], "dropped", "unit", "GIFT has no unit; it is in our comment only.")
            )
            return f"#{answer['value']}:{answer['tolerance']}"
        case "text":
            return "".join(f" ={_escaped(one)}" for one in item["accepted"]) + " "
        case "written":
            losses.append(
                Loss(item["id"], "dropped", "rubric", "GIFT has no rubric; it is in our comment.")
            )
            return ""
        case kind:
            losses.append(
                Loss(item["id"], "dropped", "item", f"GIFT has no questions of the kind {kind}.")
            )
            return None


def _feedback(option: Mapping[str, Any]) -> str:
    says = option.get("why") or option.get("but")
    return f"#{_escaped(str(says))}" if says else ""


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", str(text)).replace("\n", "\\n")


# Reading ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Answer:
    mark: str
    weight: float | None
    text: str
    feedback: str


def read(text: str) -> Imported:
    """Read GIFT as drafts. Raises `BadExchange` for text that is not GIFT, naming the question."""
    if len(text) > MOST_CHARACTERS:
        raise BadExchange(problem=f"it has more than {MOST_CHARACTERS} characters.")
    items: list[Document] = []
    losses: list[Loss] = []
    taken: set[str] = set()
    for number, block in enumerate(_blocks(text), start=1):
        note, question = _note(block)
        if question.startswith("$CATEGORY"):
            losses.append(Loss("file", "dropped", "category", f"“{question[10:].strip()}”."))
            continue
        item = _question(question, note, number, losses)
        if item is None:
            continue
        if item["id"] in taken:
            item["id"] = f"{item['id']}-{number}"
        taken.add(item["id"])
        items.append(item)
    if not items and not losses:
        raise BadExchange(problem="there is no question in it.")
    return Imported(tuple(items), tuple(losses))


def _blocks(text: str) -> list[str]:
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    return [block.strip() for block in re.split(r"\n[ \t]*\n", text) if block.strip()]


def _note(block: str) -> tuple[dict[str, Any], str]:
    note: dict[str, Any] = {}
    lines = []
    for line in block.split("\n"):
        if line.startswith(_NOTE):
            try:
                found = json.loads(line.removeprefix(_NOTE))
            except (ValueError, RecursionError):
                found = None
            note = found if isinstance(found, dict) else {}
        elif not line.lstrip().startswith("//"):
            lines.append(line)
    return note, "\n".join(lines).strip()


def _question(
    text: str, note: dict[str, Any], number: int, losses: list[Loss]
) -> dict[str, Any] | None:
    if not text:
        return None
    name = f"question-{number}"
    if text.startswith("::"):
        end = _find(text, "::", 2)
        if end < 0:
            raise BadExchange(problem=f"the title of question {number} has no end.")
        name, text = _slug(_plain(text[2:end]), number), text[end + 2 :].strip()
    if found := re.match(r"\[(html|markdown|moodle|plain)\]", text):
        text = text[found.end() :].strip()
        if found[1] != "plain":
            losses.append(Loss(name, "changed", "format", f"{found[1]} is read as plain text."))
    opens = _find(text, "{", 0)
    closes = _find(text, "}", opens + 1) if opens >= 0 else -1
    if opens < 0 or closes < 0:
        raise BadExchange(problem=f"question {number} (“{name}”) has no answers in braces.")
    tail = text[closes + 1 :].strip()
    stem = _plain(f"{text[:opens].strip()} {'_____ ' + tail if tail else ''}".strip())
    base = {"id": name, "life": "draft", "stem": stem}
    body = text[opens + 1 : closes].strip()
    if (general := _find(body, "####", 0)) >= 0:
        losses.append(Loss(name, "dropped", "general feedback", _plain(body[general + 4 :])[:80]))
        body = body[:general].strip()
    kind = _kind(body, name, note, losses)
    if kind is None:
        return None
    rest = {
        key: value
        for key, value in note.items()
        if key not in {"kind", "ids", "reasons", "left", "right", "pairs", "unit", "log"}
    }
    log = note.get("log")
    if isinstance(log, list) and all(isinstance(line, str) for line in log):
        lines = stem.split("\n")
        if lines[: len(log)] == log:
            base["stem"] = "\n".join(lines[len(log) :])
            rest["log"] = log
    return {**rest, **base, **kind}


def _kind(body: str, name: str, note: dict[str, Any], losses: list[Loss]) -> dict[str, Any] | None:
    if not body:
        return {"kind": "written"}
    if body.upper() in {"T", "F", "TRUE", "FALSE"}:
        losses.append(
            Loss(name, "dropped", "item", "true or false: an item here has three options or more.")
        )
        return None
    if body.startswith("#"):
        return _numeric(body[1:].strip(), name, note, losses)
    answers = _answers(body)
    if not answers:
        losses.append(Loss(name, "dropped", "item", "its answers could not be read."))
        return None
    if all(answer.mark == "=" and _find(answer.text, "->", 0) >= 0 for answer in answers):
        return _matching(answers, note)
    if all(answer.mark == "=" for answer in answers) and note.get("kind") != "single":
        for answer in answers:
            if answer.feedback:
                losses.append(Loss(name, "dropped", "feedback", answer.feedback[:80]))
        return {"kind": "text", "accepted": [_plain(answer.text) for answer in answers]}
    return _options(answers, name, note, losses)


def _options(
    answers: list[_Answer], name: str, note: dict[str, Any], losses: list[Loss]
) -> dict[str, Any] | None:
    right = [
        answer.mark == "=" or (answer.weight is not None and answer.weight > 0)
        for answer in answers
    ]
    if len(answers) < 3 or not any(right):
        losses.append(Loss(name, "dropped", "item", "it has fewer than three options, or no key."))
        return None
    many = sum(right) > 1
    if any(answer.weight not in (None, 100, -100) for answer in answers) and not many:
        losses.append(Loss(name, "changed", "weights", "only the key earns points here."))
    if many and note.get("kind") != "multiple":
        losses.append(Loss(name, "changed", "weights", "the whole answer earns the point here."))
    ids = _fitting(note.get("ids"), answers)
    reasons = _fitting(note.get("reasons"), answers)
    options = []
    for place, (answer, is_right) in enumerate(zip(answers, right, strict=True)):
        option: dict[str, Any] = {
            "id": ids[place] if ids else chr(ord("a") + place),
            "text": _plain(answer.text),
        }
        if is_right:
            option["key"] = True
        if reasons and isinstance(reasons[place], dict):
            option |= reasons[place]
        elif answer.feedback:
            option["why" if is_right else "but"] = answer.feedback
        options.append(option)
    return {
        "kind": "multiple" if many else "single",
        "options": options,
        **({"choose": sum(right)} if many else {}),
    }


def _fitting(kept: Any, answers: list[_Answer]) -> list[Any]:
    """What our comment keeps for each answer; nothing when somebody has changed their number."""
    return kept if isinstance(kept, list) and len(kept) == len(answers) else []


def _matching(answers: list[_Answer], note: dict[str, Any]) -> dict[str, Any]:
    if all(isinstance(note.get(part), kind) for part, kind in _SIDES.items()):
        return {
            "kind": "matching",
            "left": note["left"],
            "right": note["right"],
            "key": note["pairs"],
        }
    left, right, key = [], [], {}
    for number, answer in enumerate(answers, start=1):
        at = _find(answer.text, "->", 0)
        asked, partner = _plain(answer.text[:at]), _plain(answer.text[at + 2 :])
        right.append({"id": f"r{number}", "text": partner})
        if asked:
            left.append({"id": f"l{number}", "text": asked})
            key[f"l{number}"] = f"r{number}"
    return {"kind": "matching", "left": left, "right": right, "key": key}


_SIDES = {"left": list, "right": list, "pairs": dict}


def _numeric(
    body: str, name: str, note: dict[str, Any], losses: list[Loss]
) -> dict[str, Any] | None:
    first = re.split(r"(?<!\\)[=~]", body.lstrip("=").strip())[0]
    first = re.sub(r"^%\d+%", "", first.split("#")[0]).strip()
    try:
        if ".." in first:
            low, high = (Decimal(part) for part in first.split(".."))
            value, tolerance = (low + high) / 2, (high - low) / 2
        else:
            middle, _, width = first.partition(":")
            value, tolerance = Decimal(middle), Decimal(width or "0")
        if not (value.is_finite() and tolerance.is_finite()):
            raise InvalidOperation
    except (InvalidOperation, ValueError):
        losses.append(Loss(name, "dropped", "item", f"“{first[:40]}” is no number with a range."))
        return None
    if len(re.findall(r"(?<!\\)=", body)) > 1:
        losses.append(Loss(name, "dropped", "further numbers", "one number is right here."))
    unit = note.get("unit")
    if not isinstance(unit, str):
        losses.append(Loss(name, "changed", "unit", "GIFT has none; write it in."))
    return {
        "kind": "numeric",
        "answer": {
            "value": _shortest(value),
            "tolerance": _shortest(tolerance),
            "unit": unit if isinstance(unit, str) else "?",
        },
    }


def _shortest(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


def _answers(body: str) -> list[_Answer]:
    """The answers of a question: each begins with an unescaped = or ~."""
    starts = [at for at in range(len(body)) if body[at] in "=~" and not _escaped_at(body, at)]
    # “->” and “%50%” hold no sign that begins an answer, but “=>” in a text would: authors escape.
    found = []
    for number, at in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(body)
        text, weight = body[at + 1 : end].strip(), None
        if percent := re.match(r"%(-?\d+(?:\.\d+)?)%", text):
            weight, text = float(percent[1]), text[percent.end() :]
        mark = _find(text, "#", 0)
        feedback = _plain(text[mark + 1 :]) if mark >= 0 else ""
        found.append(_Answer(body[at], weight, text[:mark] if mark >= 0 else text, feedback))
    return found


def _escaped_at(text: str, at: int) -> bool:
    slashes = 0
    while at - slashes > 0 and text[at - slashes - 1] == "\\":
        slashes += 1
    return slashes % 2 == 1


def _find(text: str, what: str, start: int) -> int:
    at = text.find(what, start)
    while at >= 0 and _escaped_at(text, at):
        at = text.find(what, at + 1)
    return at


def _plain(text: str) -> str:
    text = re.sub(r"\\n", "\n", re.sub(r"\\\\", "\0", text))
    return re.sub(r"\\([~=#{}:])", r"\1", text).replace("\0", "\\").strip()


def _slug(title: str, number: int) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60].strip("-")
    return words or f"question-{number}"

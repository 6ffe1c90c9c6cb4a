"""1EdTech QTI 3.0: one assessment item in one XML file, the part of it that our kinds need.

Written from the public specification (QTI Assessment, Section, Item and Test Information Model,
version 3.0, 2022). Choice, order, match, text-entry and extended-text interactions are read and
written; anything else is reported and left out.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn
from xml.parsers import expat

from exams.exchange.loss import BadExchange, Document, Exported, Imported, Loss

NAMESPACE = "http://www.imsglobal.org/xsd/imsqtiasi_v3p0"
TEMPLATES = "https://purl.imsglobal.org/spec/qti/v3p0/rptemplates"
MOST_BYTES = 1_000_000
_KNOWN = {
    "qti-choice-interaction",
    "qti-order-interaction",
    "qti-match-interaction",
    "qti-text-entry-interaction",
    "qti-extended-text-interaction",
}
_IN_QTI = {"id", "kind", "stem", "log", "options", "choose", "steps", "key", "left", "right"}
_IN_QTI |= {"answer", "accepted", "longest", "version"}


def export(item: Document) -> Exported:
    """One item as a QTI 3.0 document; `items` is 0 when its kind has no interaction there."""
    losses: list[Loss] = []
    root = ET.Element(
        "qti-assessment-item",
        {
            "xmlns": NAMESPACE,
            "identifier": item["id"],
            "title": item["id"],
            "adaptive": "false",
            "time-dependent": "false",
            "xml:lang": "en",
        },
    )
    body = ET.Element("qti-item-body")
    for line in item.get("log", ()):
        ET.SubElement(body, "pre").text = line
    template = _interaction(root, body, item, losses)
    if template is None:
        return Exported("", 0, tuple(losses))
    outcome = ET.SubElement(
        root,
        "qti-outcome-declaration",
        {"identifier": "SCORE", "cardinality": "single", "base-type": "float"},
    )
    default = ET.SubElement(outcome, "qti-default-value")
    ET.SubElement(default, "qti-value").text = "0"
    root.append(body)
    if template:
        ET.SubElement(root, "qti-response-processing", {"template": f"{TEMPLATES}/{template}"})
    for key in item:
        if key not in _IN_QTI:
            losses.append(Loss(item["id"], "dropped", key, "QTI items have no place for it."))
    ET.indent(root)
    return Exported(ET.tostring(root, encoding="unicode", xml_declaration=False), 1, tuple(losses))


def _interaction(
    root: ET.Element, body: ET.Element, item: Document, losses: list[Loss]
) -> str | None:
    """Declare the response, write the interaction; the name of the processing template, empty for
    answers that people score, None for a kind that QTI's subset here does not have."""
    stem = " ".join(str(item["stem"]).split())
    match item["kind"]:
        case "single" | "multiple":
            keys = [option["id"] for option in item["options"] if option.get("key")]
            many = item["kind"] == "multiple"
            _declare(root, "multiple" if many else "single", "identifier", keys)
            box = ET.SubElement(
                body,
                "qti-choice-interaction",
                {
                    "response-identifier": "RESPONSE",
                    "shuffle": "true",
                    "max-choices": str(len(keys) if many else 1),
                },
            )
            ET.SubElement(box, "qti-prompt").text = stem
            for option in item["options"]:
                choice = ET.SubElement(box, "qti-simple-choice", {"identifier": option["id"]})
                choice.text = option["text"]
                if any(name in option for name in ("why", "believes", "but")):
                    losses.append(
                        Loss(item["id"], "dropped", f"option {option['id']}", "its explanation.")
                    )
            return "match_correct"
        case "ordering":
            _declare(root, "ordered", "identifier", item["key"])
            box = ET.SubElement(
                body,
                "qti-order-interaction",
                {"response-identifier": "RESPONSE", "shuffle": "true"},
            )
            ET.SubElement(box, "qti-prompt").text = stem
            for step in item["steps"]:
                ET.SubElement(box, "qti-simple-choice", {"identifier": step["id"]}).text = step[
                    "text"
                ]
            return "match_correct"
        case "matching":
            pairs = [f"{one} {other}" for one, other in item["key"].items()]
            _declare(root, "multiple", "directedPair", pairs)
            box = ET.SubElement(
                body,
                "qti-match-interaction",
                {
                    "response-identifier": "RESPONSE",
                    "shuffle": "true",
                    "max-associations": str(len(pairs)),
                },
            )
            ET.SubElement(box, "qti-prompt").text = stem
            for side in ("left", "right"):
                group = ET.SubElement(box, "qti-simple-match-set")
                for entry in item[side]:
                    ET.SubElement(
                        group,
                        "qti-simple-associable-choice",
                        {"identifier": entry["id"], "match-max": "1"},
                    ).text = entry["text"]
            return "match_correct"
        case "numeric":
            answer = item["answer"]
            _declare(root, "single", "float", [str(answer["value"])])
            entry = ET.SubElement(body, "p")
            entry.text = f"{stem} "
            field = ET.SubElement(
                entry, "qti-text-entry-interaction", {"response-identifier": "RESPONSE"}
            )
            field.tail = f" {answer['unit']}"
            if Decimal(str(answer["tolerance"])):
                losses.append(
                    Loss(item["id"], "dropped", "tolerance", "the template compares exactly.")
                )
            return "match_correct"
        case "text":
            declared = _declare(root, "single", "string", item["accepted"][:1])
            mapping = ET.SubElement(declared, "qti-mapping", {"default-value": "0"})
            for one in item["accepted"]:
                ET.SubElement(
                    mapping,
                    "qti-map-entry",
                    {"map-key": one, "mapped-value": "1", "case-sensitive": "false"},
                )
            entry = ET.SubElement(body, "p")
            entry.text = f"{stem} "
            ET.SubElement(entry, "qti-text-entry-interaction", {"response-identifier": "RESPONSE"})
            return "map_response"
        case "written":
            _declare(root, "single", "string", [])
            box = ET.SubElement(
                body, "qti-extended-text-interaction", {"response-identifier": "RESPONSE"}
            )
            ET.SubElement(box, "qti-prompt").text = stem
            return ""
        case kind:
            losses.append(
                Loss(item["id"], "dropped", "item", f"the kind {kind} has no interaction here.")
            )
            return None


def _declare(
    root: ET.Element, cardinality: str, base_type: str, correct: Iterable[str]
) -> ET.Element:
    declared = ET.SubElement(
        root,
        "qti-response-declaration",
        {"identifier": "RESPONSE", "cardinality": cardinality, "base-type": base_type},
    )
    values = list(correct)
    if values:
        holder = ET.SubElement(declared, "qti-correct-response")
        for value in values:
            ET.SubElement(holder, "qti-value").text = value
    return declared


# Reading ------------------------------------------------------------------------------------------


def read(file: bytes) -> Imported:
    """Read one QTI 3.0 item as a draft.

    Raises `BadExchange` for a file that is no QTI 3.0 item, is too large, or declares a document
    type, through which it could name files of this machine or grow without limit.
    """
    if len(file) > MOST_BYTES:
        raise BadExchange(problem=f"it has more than {MOST_BYTES} bytes.")
    root = _parsed(file)
    if _name(root) != "qti-assessment-item":
        raise BadExchange(problem="it does not begin with a qti-assessment-item of QTI 3.0.")
    name = re.sub(r"[^a-z0-9]+", "-", root.get("identifier", "item").lower()).strip("-")[:60]
    name = name.strip("-") or "item"
    losses: list[Loss] = []
    found = [
        element
        for element in root.iter()
        if _name(element).startswith("qti-") and _name(element).endswith("-interaction")
    ]
    for element in root.iter():
        if _name(element) in {"img", "object", "audio", "video", "math"}:
            losses.append(Loss(name, "dropped", _name(element), "only text is read."))
        elif _name(element) in {"qti-modal-feedback", "qti-feedback-inline", "qti-rubric-block"}:
            losses.append(Loss(name, "dropped", _name(element), _text(element)[:80]))
    if len(found) != 1 or _name(found[0]) not in _KNOWN:
        kinds = ", ".join(sorted({_name(element) for element in found})) or "none"
        losses.append(Loss(name, "dropped", "item", f"its interactions are not read: {kinds}."))
        return Imported((), tuple(losses))
    item = _item(root, found[0], name, losses)
    return Imported((item,) if item else (), tuple(losses))


def _item(
    root: ET.Element, box: ET.Element, name: str, losses: list[Loss]
) -> dict[str, Any] | None:
    declared = next((one for one in root.iter() if _name(one) == "qti-response-declaration"), None)
    correct = [
        _text(value)
        for holder in (declared.iter() if declared is not None else ())
        if _name(holder) == "qti-correct-response"
        for value in holder
    ]
    log = [
        line
        for one in root.iter()
        if _name(one) == "pre"
        for line in "".join(one.itertext()).split("\n")
    ]
    base: dict[str, Any] = {"id": name, "life": "draft", "stem": _stem(root, box)}
    if log:
        base["log"] = log
    match _name(box):
        case "qti-choice-interaction":
            options = [
                {
                    "id": _id(one),
                    "text": _text(one),
                    **({"key": True} if one.get("identifier", "") in correct else {}),
                }
                for one in _children(box, "qti-simple-choice")
            ]
            many = len(correct) > 1
            if len(options) < 3 or not correct:
                losses.append(
                    Loss(name, "dropped", "item", "it has fewer than three options, or no key.")
                )
                return None
            return {
                **base,
                "kind": "multiple" if many else "single",
                "options": options,
                **({"choose": len(correct)} if many else {}),
            }
        case "qti-order-interaction":
            steps = [
                {"id": _id(one), "text": _text(one)} for one in _children(box, "qti-simple-choice")
            ]
            return {**base, "kind": "ordering", "steps": steps, "key": correct}
        case "qti-match-interaction":
            sides = [
                [{"id": _id(one), "text": _text(one)} for one in group]
                for group in _children(box, "qti-simple-match-set")
            ]
            pairs = dict(pair.split()[:2] for pair in correct if len(pair.split()) == 2)
            if len(sides) != 2:
                losses.append(Loss(name, "dropped", "item", "it does not have two sides."))
                return None
            return {**base, "kind": "matching", "left": sides[0], "right": sides[1], "key": pairs}
        case "qti-text-entry-interaction":
            return _entry(declared, correct, base, box, name, losses)
        case _:
            return {**base, "kind": "written"}


def _entry(
    declared: ET.Element | None,
    correct: list[str],
    base: dict[str, Any],
    box: ET.Element,
    name: str,
    losses: list[Loss],
) -> dict[str, Any] | None:
    numeric = declared is not None and declared.get("base-type") in {"float", "integer"}
    if numeric and correct:
        try:
            value = Decimal(correct[0])
        except InvalidOperation:
            losses.append(Loss(name, "dropped", "item", f"“{correct[0][:40]}” is no number."))
            return None
        losses.append(Loss(name, "changed", "tolerance", "none was read; 0 is written in."))
        unit = " ".join((box.tail or "").split())
        return {
            **base,
            "kind": "numeric",
            "answer": {
                "value": int(value) if value == value.to_integral_value() else float(value),
                "tolerance": 0,
                "unit": unit or "?",
            },
        }
    accepted = [
        entry.get("map-key", "")
        for entry in (declared.iter() if declared is not None else ())
        if _name(entry) == "qti-map-entry" and _positive(entry.get("mapped-value", "0"))
    ]
    accepted = list(dict.fromkeys([*correct, *accepted]))
    if not accepted:
        losses.append(Loss(name, "dropped", "item", "it lists no right answer."))
        return None
    return {**base, "kind": "text", "accepted": accepted}


def _positive(value: str) -> bool:
    try:
        return Decimal(value) > 0
    except InvalidOperation:
        return False


def _parsed(file: bytes) -> ET.Element:
    def refuse(*_declared: object) -> NoReturn:
        raise BadExchange(problem="it declares a document type, which an item does not need.")

    guard = expat.ParserCreate()
    guard.StartDoctypeDeclHandler = refuse
    try:
        guard.Parse(file, True)
        return ET.fromstring(file)  # noqa: S314  no document type, so no entities and no files
    except expat.ExpatError as error:
        raise BadExchange(problem=f"it is no XML ({error}).") from error
    except ET.ParseError as error:
        raise BadExchange(problem=f"it is no XML ({error}).") from error


def _name(element: ET.Element) -> str:
    tag = element.tag if isinstance(element.tag, str) else ""
    space, _, name = tag.rpartition("}")
    return name if space in {"", "{" + NAMESPACE} else f"foreign:{name}"


def _children(element: ET.Element, name: str) -> list[ET.Element]:
    return [one for one in element.iter() if _name(one) == name]


def _id(element: ET.Element) -> str:
    return element.get("identifier", "")


def _text(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _stem(root: ET.Element, box: ET.Element) -> str:
    """What is asked: the text of the body without the choices, and the prompt."""
    body = next((one for one in root.iter() if _name(one) == "qti-item-body"), None)
    parts: list[str] = []

    def walk(element: ET.Element) -> None:
        if _name(element) == "pre":
            return
        if element is box:
            parts.extend(_text(one) for one in element if _name(one) == "qti-prompt")
            return
        if element.text:
            parts.append(element.text)
        for child in element:
            walk(child)
            # The unit behind a number is read with the answer.
            if child.tail and child is not box:
                parts.append(child.tail)

    if body is not None:
        walk(body)
    return " ".join(" ".join(parts).split())

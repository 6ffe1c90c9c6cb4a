"""Read item files: `checkride: items/1`, one list of items, checked down to the last key.

A file is refused as a whole, with every problem named by file, line and item, because an exam
drawn from half a file would be an exam nobody designed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from checkride.lib import strict_yaml
from checkride.lib.errors import DomainError
from exams.scoring.items import (
    KINDS,
    Choice,
    HotspotKey,
    Item,
    ItemKind,
    Key,
    MatchingKey,
    MultipleKey,
    NumericKey,
    OrderingKey,
    SingleKey,
)

Document = Mapping[str, Any]

LIFE = ("draft", "reviewed", "pilot", "operational", "retired")
LEVELS = ("foundation", "practitioner", "lead")
COGNITION = ("understand", "apply", "analyse", "evaluate")
_ID = re.compile(r"^[a-z0-9]+(?:-[a-z0-9]+)*$")


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a file cannot be used. `line` is where its item begins."""

    file: str
    line: int
    says: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.says}"


class BadItems(DomainError):
    code = "bad-items"
    sentence = "{count} problems; nothing was read.\n{listing}"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__(count=len(problems), listing="\n".join(map(str, problems)))


class _Wrong(Exception):
    """A sentence about one item, raised where it is found and collected by the reader."""


def read_items(text: str, *, file: str) -> tuple[tuple[Item, Document], ...]:
    """Every item of a file with the document it came from.

    Raises `BadItems` with all problems found.
    """
    try:
        whole = strict_yaml.load(text)
    except strict_yaml.BadYaml as error:
        raise BadItems((Problem(file, error.line, error.problem),)) from error
    if not isinstance(whole, dict) or whole.get("checkride") != "items/1":
        raise BadItems((Problem(file, 1, "the file must begin with “checkride: items/1”."),))
    entries = whole.get("items")
    if not isinstance(entries, list) or not entries:
        raise BadItems((Problem(file, 1, "“items” must be a list with at least one item."),))

    lines = _lines_of_items(text)
    problems: list[Problem] = []
    items: list[tuple[Item, Document]] = []
    seen: set[str] = set()
    for number, entry in enumerate(entries):
        line = lines[number] if number < len(lines) else 1
        try:
            item = item_from_document(entry)
        except _Wrong as wrong:
            name = entry.get("id") if isinstance(entry, dict) else None
            label = f"item “{name}”" if isinstance(name, str) else f"item number {number + 1}"
            problems.append(Problem(file, line, f"{label}: {wrong}"))
            continue
        if item.id in seen:
            problems.append(Problem(file, line, f"item “{item.id}” appears twice."))
        seen.add(item.id)
        items.append((item, entry))
    if problems:
        raise BadItems(tuple(problems))
    return tuple(items)


def _lines_of_items(text: str) -> list[int]:
    """The line on which each item begins: entries of the shallowest list after `items:`."""
    lines = text.splitlines()
    begin = next((number for number, line in enumerate(lines) if line.startswith("items:")), 0)
    entries = [
        (len(line) - len(line.lstrip()), number + 1)
        for number, line in enumerate(lines)
        if number > begin and line.lstrip().startswith("- ")
    ]
    shallowest = min((depth for depth, _ in entries), default=0)
    return [number for depth, number in entries if depth == shallowest]


def item_from_document(document: Any) -> Item:
    """Build an item from one entry of a file, or from the same entry kept in the database."""
    if not isinstance(document, dict):
        raise _Wrong("an item must be a table of fields.")
    kind = document.get("kind")
    if kind not in KINDS:
        raise _Wrong(f"“kind” must be one of {', '.join(KINDS)}.")
    item_id = _text(document, "id")
    if not _ID.match(item_id) or len(item_id) > 60:
        raise _Wrong("“id” must be lower-case words joined by hyphens, at most 60 characters.")
    log = tuple(_texts(document, "log")) if "log" in document else ()
    return Item(
        id=item_id,
        kind=cast(ItemKind, kind),
        life=_one_of(document, "life", LIFE) if "life" in document else "operational",
        domain=domain_id(_text(document, "domain")),
        competencies=tuple(_texts(document, "competencies")),
        exams=tuple(_texts(document, "exam")),
        level=_one_of(document, "level", LEVELS),
        cognition=_one_of(document, "cognition", COGNITION),
        seconds=_seconds(document),
        angoff=_angoff(document),
        stem=" ".join(_text(document, "stem").split()),
        log=log,
        enemies=frozenset(_texts(document, "enemies")) if "enemies" in document else frozenset(),
        key=_KEYS[cast(ItemKind, kind)](document, log),
    )


def domain_id(name: str) -> str:
    """“human oversight” and “human-oversight” name one domain."""
    return "-".join(name.lower().split())


def _single(document: Document, _log: tuple[str, ...]) -> Key:
    options, keyed = _options(document)
    if len(keyed) != 1:
        raise _Wrong(f"a single-choice item has one key; this one has {len(keyed)}.")
    return SingleKey(options, keyed[0])


def _multiple(document: Document, _log: tuple[str, ...]) -> Key:
    options, keyed = _options(document)
    if not 2 <= len(keyed) < len(options):
        raise _Wrong("a multiple-choice item has at least two keys and one option that is wrong.")
    if document.get("choose") != len(keyed):
        raise _Wrong(f"“choose” must say how many are right: {len(keyed)}.")
    return MultipleKey(options, frozenset(keyed))


def _numeric(document: Document, _log: tuple[str, ...]) -> Key:
    answer = document.get("answer")
    if not isinstance(answer, dict):
        raise _Wrong("“answer” must give value, unit and tolerance.")
    value, tolerance = _decimal(answer, "value"), _decimal(answer, "tolerance")
    if tolerance < 0:
        raise _Wrong("“tolerance” must not be negative.")
    for error in document.get("expected_errors", []):
        if abs(_decimal(error, "value") - value) <= tolerance:
            raise _Wrong(f"the expected error {error['value']} would be scored as right.")
    return NumericKey(value, tolerance, _text(answer, "unit"))


def _ordering(document: Document, _log: tuple[str, ...]) -> Key:
    steps = _choices(document, "steps")
    right = tuple(_texts(document, "key"))
    if sorted(right) != sorted(step.id for step in steps) or len(steps) < 3:
        raise _Wrong("“key” must name each of at least three steps once.")
    return OrderingKey(steps, right)


def _matching(document: Document, _log: tuple[str, ...]) -> Key:
    left, right_side = _choices(document, "left"), _choices(document, "right")
    pairs = document.get("key")
    if not isinstance(pairs, dict) or set(pairs) != {entry.id for entry in left}:
        raise _Wrong("“key” must give one partner for each entry on the left.")
    if not set(pairs.values()) <= {entry.id for entry in right_side}:
        raise _Wrong("“key” names a partner that is not on the right.")
    if len(set(pairs.values())) != len(pairs):
        raise _Wrong("two entries on the left share a partner; each needs its own.")
    return MatchingKey(left, right_side, pairs)


def _hotspot(document: Document, log: tuple[str, ...]) -> Key:
    right = document.get("key")
    if not log:
        raise _Wrong("a hot spot needs a “log” to mark a line in.")
    if not isinstance(right, list) or not right or len(set(map(str, right))) != len(right):
        raise _Wrong("“key” must list the right lines, each once.")
    if not all(type(line) is int and 1 <= line <= len(log) for line in right):
        raise _Wrong(f"“key” must name lines from 1 to {len(log)}.")
    return HotspotKey(frozenset(right))


_KEYS: dict[ItemKind, Callable[[Document, tuple[str, ...]], Key]] = {
    "single": _single,
    "multiple": _multiple,
    "numeric": _numeric,
    "ordering": _ordering,
    "matching": _matching,
    "hotspot": _hotspot,
}


def _options(document: Document) -> tuple[tuple[Choice, ...], list[str]]:
    options = _choices(document, "options")
    if len(options) < 3:
        raise _Wrong("an item needs at least three options.")
    keyed = []
    for option in document["options"]:
        if option.get("key") is True:
            keyed.append(option["id"])
            _explained(option, ("why",))
        else:
            _explained(option, ("believes", "but"))
    return options, keyed


def _explained(option: Document, fields: tuple[str, ...]) -> None:
    for field in fields:
        if not isinstance(option.get(field), str):
            raise _Wrong(f"option “{option['id']}” needs a sentence under “{field}”.")


def _choices(document: Document, field: str) -> tuple[Choice, ...]:
    entries = document.get(field)
    if not isinstance(entries, list) or not 2 <= len(entries) <= 12:
        raise _Wrong(f"“{field}” must be a list of 2 to 12 entries.")
    choices = []
    for entry in entries:
        if not isinstance(entry, dict):
            raise _Wrong(f"each entry of “{field}” needs an id and a text.")
        choices.append(Choice(_text(entry, "id"), " ".join(_text(entry, "text").split())))
    if len({choice.id for choice in choices}) != len(choices):
        raise _Wrong(f"two entries of “{field}” share an id.")
    return tuple(choices)


def _text(document: Document, field: str) -> str:
    value = document.get(field)
    if not isinstance(value, str) or not value.strip():
        raise _Wrong(f"“{field}” is missing or not a text.")
    return value.strip()


def _texts(document: Document, field: str) -> list[str]:
    value = document.get(field)
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise _Wrong(f"“{field}” must be a list of words.")
    if not value:
        raise _Wrong(f"“{field}” is empty.")
    return value


def _one_of(document: Document, field: str, allowed: tuple[str, ...]) -> str:
    value = document.get(field)
    if value not in allowed:
        raise _Wrong(f"“{field}” must be one of {', '.join(allowed)}.")
    return cast(str, value)


def _seconds(document: Document) -> int:
    seconds = document.get("seconds")
    if type(seconds) is not int or not 20 <= seconds <= 600:
        raise _Wrong("“seconds” must be a whole number from 20 to 600.")
    return seconds


def _angoff(document: Document) -> Decimal:
    difficulty = document.get("difficulty")
    if not isinstance(difficulty, dict):
        raise _Wrong("“difficulty” must hold “angoff”.")
    rating = _decimal(difficulty, "angoff")
    if not 0 < rating < 1:
        raise _Wrong("“angoff” must lie between 0 and 1.")
    return rating


def _decimal(document: Any, field: str) -> Decimal:
    value = document.get(field) if isinstance(document, dict) else None
    if type(value) not in (int, float, str):
        raise _Wrong(f"“{field}” must be a number.")
    try:
        # Through the text, so that 37.5 is 37.5 and not the nearest binary fraction.
        number = Decimal(str(value))
    except InvalidOperation:
        raise _Wrong(f"“{field}” must be a number.") from None
    if not number.is_finite():
        raise _Wrong(f"“{field}” must be a number.")
    return number

"""Read item files: `checkride: items/1`, one list of items, checked down to the last key.

A file is refused as a whole, with every problem named by file, line and item, because an exam
drawn from half a file would be an exam nobody designed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, cast

from checkride.lib import strict_yaml
from checkride.lib.errors import DomainError
from exams.scoring.items import (
    JUDGED,
    KINDS,
    Choice,
    Credit,
    HotspotKey,
    Item,
    ItemKind,
    Key,
    Level,
    MatchingKey,
    MultipleKey,
    NumericKey,
    OrderingKey,
    RubricCriterion,
    SingleKey,
    TaskKey,
    TextKey,
    WrittenKey,
)
from exams.scoring.responses import plain_text

Document = Mapping[str, Any]

LIFE = ("draft", "reviewed", "pilot", "operational", "retired")
LEVELS = ("foundation", "practitioner", "lead")
CREDIT = ("all", "parts")
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


def _no_exercises(name: str) -> Document:
    raise _Wrong(f"the exercise “{name}” is not at hand here.")


def read_items(
    text: str, *, file: str, exercises: Callable[[str], Document] = _no_exercises
) -> tuple[tuple[Item, Document], ...]:
    """Every item of a file with the document it came from.

    `exercises` finds the exercise that a task names; it becomes part of the item's document, so
    that a changed exercise is a new version of the item. Raises `BadItems` with all problems found.
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
            entry = _with_exercise(entry, exercises)
            item = item_from_document(entry)
        except (_Wrong, DomainError) as wrong:
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


def _with_exercise(entry: Any, exercises: Callable[[str], Document]) -> Any:
    if not isinstance(entry, dict) or entry.get("kind") not in ("prompt", "map"):
        return entry
    exercise = dict(exercises(_text(entry, "exercise")))
    # What an author keeps for the discussion afterwards is no part of an exam.
    exercise.pop("discussion", None)
    brief = entry.get("brief", exercise.get("brief"))
    leave_out = _texts(entry, "leave_out") if "leave_out" in entry else []
    for heading in leave_out:
        brief, found = re.subn(
            rf"^## {re.escape(heading)}\n.*?(?=^## |\Z)", "", str(brief), flags=re.M | re.S
        )
        if not found:
            raise _Wrong(f"the brief has no section “{heading}” to leave out.")
    return {**entry, "exercise": exercise, "brief": brief}


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
    key = _KEYS[cast(ItemKind, kind)](document, log)
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
        key=key,
        points=_points(document, key),
        credit=cast(Credit, _one_of(document, "credit", CREDIT)) if "credit" in document else "all",
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


def _short_text(document: Document, _log: tuple[str, ...]) -> Key:
    accepted = tuple(_texts(document, "accepted"))
    longest = _count(document, "longest", 4, 200) if "longest" in document else 60
    if any(len(one) > longest for one in accepted):
        raise _Wrong(f"an accepted answer is longer than the {longest} characters allowed.")
    plain = [plain_text(one) for one in accepted]
    if not all(plain) or len(set(plain)) != len(plain):
        raise _Wrong("two accepted answers are the same once case and spaces are put aside.")
    refused = _texts(document, "refused") if "refused" in document else []
    for one in refused:
        if plain_text(one) in plain:
            raise _Wrong(f"“{one}” is accepted and refused.")
    return TextKey(accepted, longest)


def _written(document: Document, _log: tuple[str, ...]) -> Key:
    entries = document.get("rubric")
    if not isinstance(entries, list) or not 1 <= len(entries) <= 8:
        raise _Wrong("“rubric” must list 1 to 8 criteria.")
    rubric = []
    for entry in entries:
        if not isinstance(entry, dict):
            raise _Wrong("a criterion needs id, says and levels.")
        levels = entry.get("levels")
        if not isinstance(levels, dict) or len(levels) < 2:
            raise _Wrong("a criterion needs at least two levels: points and what they look like.")
        steps = []
        for points, says in levels.items():
            if type(points) not in (int, str) or not str(points).isdecimal() or int(points) > 20:
                raise _Wrong("the points of a level must be a whole number from 0 to 20.")
            if not isinstance(says, str) or not says.strip():
                raise _Wrong(f"the level of {points} points needs a sentence.")
            steps.append(Level(int(points), says.strip()))
        steps.sort(key=lambda level: level.points)
        if steps[0].points != 0 or len({step.points for step in steps}) != len(steps):
            raise _Wrong("the levels of a criterion begin with 0 and have points of their own.")
        rubric.append(RubricCriterion(_text(entry, "id"), _text(entry, "says"), tuple(steps)))
    if len({criterion.id for criterion in rubric}) != len(rubric):
        raise _Wrong("two criteria share an id.")
    longest = _count(document, "longest", 100, 10_000) if "longest" in document else 3_000
    return WrittenKey(tuple(rubric), longest)


def _task(document: Document, _log: tuple[str, ...]) -> Key:
    exercise = document.get("exercise")
    engine: Literal["prompt", "workflow_map"] = (
        "prompt" if document["kind"] == "prompt" else "workflow_map"
    )
    if not isinstance(exercise, dict) or exercise.get("kind") != engine:
        raise _Wrong(f"“exercise” must name an exercise of the kind {engine}.")
    brief = document.get("brief", exercise.get("brief"))
    if not isinstance(brief, str) or not brief.strip():
        raise _Wrong("a task needs a brief.")
    return TaskKey(engine, exercise, brief, str(exercise.get("starter", "")), 20_000)


_KEYS: dict[ItemKind, Callable[[Document, tuple[str, ...]], Key]] = {
    "single": _single,
    "multiple": _multiple,
    "numeric": _numeric,
    "ordering": _ordering,
    "matching": _matching,
    "hotspot": _hotspot,
    "text": _short_text,
    "written": _written,
    "prompt": _task,
    "map": _task,
}


def _points(document: Document, key: Key) -> int:
    if isinstance(key, WrittenKey):
        most = sum(criterion.most for criterion in key.rubric)
        if document.get("points", most) != most:
            raise _Wrong(f"“points” must be {most}, the sum of the rubric; or leave it out.")
        return most
    if isinstance(key, TaskKey):
        return _count(document, "points", 1, 100) if "points" in document else 100
    return _count(document, "points", 1, 20) if "points" in document else 1


def _count(document: Document, field: str, least: int, most: int) -> int:
    number = document.get(field)
    if type(number) is not int or not least <= number <= most:
        raise _Wrong(f"“{field}” must be a whole number from {least} to {most}.")
    return number


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
    # A task that is run takes half an hour; anything else that long is two items.
    return _count(document, "seconds", 20, 3600 if document["kind"] in JUDGED else 600)


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

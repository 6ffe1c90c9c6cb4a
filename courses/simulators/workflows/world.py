"""The hidden world of an exercise: who comes in, what is wrong with it, how well each block sees it.

A learner chooses blocks and thresholds; every number here belongs to the exercise. Money is in
dollars, times are in seconds, rates are per hour, probabilities are 0 to 1.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from checkride.lib.errors import DomainError
from courses.simulators.workflows import conditions
from courses.simulators.workflows.model import KINDS, MAX_STAFF, Kind, WorkflowMap

Json = Any

_HARM = re.compile(r"(?:(?:(\d+(?:\.\d+)?)\*)?(amount))?(?:\+?(\d+(?:\.\d+)?))?")
_SPAN = re.compile(r"(\d+)(s|m|h)")
_CLASS = re.compile(r"(<=|>=|<|>)\s*(\d+(?:\.\d+)?)")
_VERSION = re.compile(r"[a-z][a-z0-9_-]{0,31}")
HARMLESS = "none"


class BadWorld(DomainError):
    code = "bad-world"
    sentence = "{place}: {problem}"

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(place=place, problem=problem)


@dataclass(frozen=True, slots=True)
class Fault:
    """A hidden type of case. Acting on it harms `share` x amount + `plus` dollars."""

    id: str
    p: float
    share: float
    plus: float
    says: str = ""


@dataclass(frozen=True, slots=True)
class Hours:
    """When people work: in every `every` seconds, from `start` to `end`. Work pauses between."""

    every: int
    start: int
    end: int

    @property
    def share(self) -> float:
        return (self.end - self.start) / self.every


@dataclass(frozen=True, slots=True)
class Overload:
    """A long line makes people hurry.

    With `line` or more cases still waiting when a case is taken up, `hit` holds for its reading
    instead of the block's own.
    """

    line: int
    hit: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """What a step of a map can be. `hit` and `confidence` have one entry per fault, in order.

    `needs` are tools whose finding it works with; its rates hold only behind them.
    """

    id: str
    kind: Kind
    name: str
    says: str = ""
    secs: float = 0.0
    cost: float = 0.0
    cost_per_hour: float = 0.0
    fail: float = 0.0
    success: float = 1.0
    staff: int | None = None
    hit: tuple[float, ...] = ()
    confidence: tuple[tuple[float, float], ...] = ()
    cure_on_rework: float = 0.0
    rework_share: float = 0.0
    idempotent: bool = False
    authority: int | None = None
    needs: tuple[str, ...] = ()
    hours: Hours | None = None
    overload: Overload | None = None

    @property
    def at_work(self) -> float:
        """How many people are there on average, over day and night."""
        return (self.staff or 1) * (self.hours.share if self.hours else 1.0)


@dataclass(frozen=True, slots=True)
class Peak:
    """Every `every` seconds, between `start` and `end`, cases come `factor` times as fast."""

    every: int
    start: int
    end: int
    factor: float


@dataclass(frozen=True, slots=True)
class MustReview:
    """A class of cases that a person must see: `variable` is in `values` (cells of it)."""

    variable: str
    operator: str
    value: float | bool

    @property
    def says(self) -> str:
        if isinstance(self.value, bool):
            return self.variable.capitalize() if self.value else f"Not {self.variable}"
        words = {">": "over", ">=": "from", "<": "below", "<=": "up to"}
        number = conditions.number_text(self.value, self.variable)
        return f"{self.variable.capitalize()} {words[self.operator]} {number}"


@dataclass(frozen=True, slots=True)
class Option:
    """A number of people that a map may choose, e.g. `reviewer.staff`.

    Everybody beyond `default` costs `cost_per_hour` dollars for each hour there, busy or not.
    Fewer than `default` save nothing beyond the work that they do not do.
    """

    id: str
    block: str
    least: int
    most: int
    default: int
    cost_per_hour: float
    says: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """One make of a block: the block as it is when this version is chosen."""

    id: str
    block: Block
    says: str = ""


@dataclass(frozen=True, slots=True)
class Versions:
    """A block that comes in several versions, e.g. a cheaper agent; `default` is the block itself.

    What a version costs stands in its block. It has the same luck as the others.
    """

    block: str
    default: str
    versions: tuple[Version, ...]
    says: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """`standing_per_hour` is what people beyond the usual staff cost in an hour, in dollars."""

    per_hour: float
    peak: Peak | None
    amount_median: float
    amount_sigma: float
    faults: tuple[Fault, ...]
    blocks: tuple[Block, ...]
    high_risk: tuple[str, ...]
    must_review: tuple[MustReview, ...]
    untrusted_input: bool
    visible: tuple[str, ...]
    options: tuple[Option, ...] = ()
    versions: tuple[Versions, ...] = ()
    standing_per_hour: float = 0.0

    def block(self, block_id: str) -> Block:
        for block in self.blocks:
            if block.id == block_id:
                return block
        raise KeyError(block_id)

    @property
    def kinds(self) -> dict[str, str]:
        """The kind of each block, as the reader of maps wants it."""
        return {block.id: block.kind for block in self.blocks}

    @property
    def choices(self) -> dict[str, range | tuple[str, ...]]:
        """What can be bought, as the reader of maps wants it: numbers of people, or versions."""
        found: dict[str, range | tuple[str, ...]] = {
            option.id: range(option.least, option.most + 1) for option in self.options
        }
        for row in self.versions:
            found[row.block] = tuple(version.id for version in row.versions)
        return found

    @property
    def standing_micro(self) -> int:
        """The price of bought people for one case, in whole micro-dollars."""
        return round(self.standing_per_hour / self.mean_per_hour * 1_000_000)

    def as_bought(self, map_: WorkflowMap) -> World:
        """This world with the people and versions that the map has chosen; what it does not offer
        is ignored."""
        chosen = dict(map_.options)
        world = self._in_versions(map_)
        for option in self.options:
            wanted = chosen.get(option.id, option.default)
            if not isinstance(wanted, int):
                continue
            number = min(max(wanted, option.least), option.most)
            if number == option.default:
                continue
            world = replace(
                world,
                blocks=tuple(
                    replace(block, staff=number) if block.id == option.block else block
                    for block in world.blocks
                ),
                standing_per_hour=world.standing_per_hour
                + max(number - option.default, 0) * option.cost_per_hour * self._share(option),
            )
        return world

    def _in_versions(self, map_: WorkflowMap) -> World:
        chosen = dict(map_.options)
        made = {
            row.block: version.block
            for row in self.versions
            for version in row.versions
            if version.id == chosen.get(row.block)
        }
        if not made:
            return self
        return replace(self, blocks=tuple(made.get(block.id, block) for block in self.blocks))

    def _share(self, option: Option) -> float:
        hours = self.block(option.block).hours
        return hours.share if hours else 1.0

    @property
    def mean_per_hour(self) -> float:
        """Cases per hour over a long time, the rush counted in."""
        if self.peak is None:
            return self.per_hour
        rush = self.peak.end - self.peak.start
        return self.per_hour * (1 + (self.peak.factor - 1) * rush / self.peak.every)


def read_world(exercise: Mapping[str, Json], settings: Json = None) -> World:
    """The world of an exercise document; `settings` are a scenario's changes, by dotted path.

    Raises `BadWorld` with the place and a sentence.
    """
    data = copy.deepcopy(_mapping(exercise, "world", ""))
    if settings is not None and not isinstance(settings, dict):
        raise BadWorld("set", "a scenario's changes are a map of settings.")
    for path, value in (settings or {}).items():
        _set(data, path, value)
    policy = _mapping(exercise, "policy", "")
    rows = _mapping(data, "faults", "world")
    faults = tuple(_fault(key, _mapping(rows, key, "world.faults")) for key in rows)
    if not faults or faults[0].id != HARMLESS:
        raise BadWorld("world.faults", f"the first fault must be “{HARMLESS}”.")
    if abs(sum(fault.p for fault in faults) - 1) > 1e-9:
        raise BadWorld("world.faults", "the probabilities must add up to 1.")
    rows = _mapping(data, "blocks", "world")
    blocks = tuple(_block(key, _mapping(rows, key, "world.blocks"), faults) for key in rows)
    tools = {block.id for block in blocks if block.kind == "tool"}
    for block in blocks:
        for need in block.needs:
            if need not in tools:
                raise BadWorld(f"world.blocks.{block.id}.needs", f"“{need}” is no tool here.")
    arrivals = _mapping(data, "arrivals", "world")
    amount = _mapping(_mapping(data, "amount", "world"), "lognormal", "world.amount")
    sold = _options(exercise)
    visible = _words(exercise, "visible", "")
    for name in visible:
        if name not in conditions.VARIABLES:
            raise BadWorld("visible", f"nothing in a world sets “{name}”.")
    high_risk = _words(policy, "high_risk", "policy")
    if not high_risk:
        raise BadWorld("policy.high_risk", "name the tool whose use can do harm.")
    for block_id in high_risk:
        if block_id not in tools:
            raise BadWorld("policy.high_risk", f"“{block_id}” is no tool of this world.")
    return World(
        per_hour=_number(arrivals, "per_hour", "world.arrivals", least=0.01),
        peak=_peak(arrivals.get("peak")),
        amount_median=_number(amount, "median", "world.amount.lognormal", least=0.01),
        amount_sigma=_number(amount, "sigma", "world.amount.lognormal", least=0.01),
        faults=faults,
        blocks=blocks,
        high_risk=high_risk,
        must_review=_must_reviews(policy.get("must_review", [])),
        untrusted_input=bool(policy.get("untrusted_input", False)),
        visible=visible,
        options=tuple(_option(key, row, blocks) for key, row in sold if "versions" not in row),
        versions=tuple(_versions(key, row, rows, faults) for key, row in sold if "versions" in row),
    )


def _mapping(data: Mapping[str, Json], key: str, place: str) -> dict[str, Json]:
    value = data.get(key)
    if not isinstance(value, dict):
        raise BadWorld(f"{place}.{key}".lstrip("."), "this must be a map of settings.")
    return value


def _words(data: Mapping[str, Json], key: str, place: str) -> tuple[str, ...]:
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise BadWorld(f"{place}.{key}".lstrip("."), "this must be a list of words.")
    return tuple(value)


def _number(
    data: Mapping[str, Json],
    key: str,
    place: str,
    *,
    default: float | None = None,
    least: float = 0.0,
    most: float = 1e9,
) -> float:
    value = data.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise BadWorld(f"{place}.{key}", f"this must be a number from {least:g} to {most:g}.")
    return float(value)


def _set(data: dict[str, Json], path: str, value: Json) -> None:
    *parents, last = path.split(".")
    inner: Json = data
    for key in parents:
        if not isinstance(inner, dict) or key not in inner:
            raise BadWorld(path, "a scenario changes a setting that the world does not have.")
        inner = inner[key]
    if not isinstance(inner, dict):
        raise BadWorld(path, "a scenario changes a setting that the world does not have.")
    inner[last] = copy.deepcopy(value)


def _fault(fault_id: str, row: Mapping[str, Json]) -> Fault:
    place = f"world.faults.{fault_id}"
    text = str(row.get("harm", "0")).replace(" ", "")
    match = _HARM.fullmatch(text)
    if not text or match is None:
        raise BadWorld(f"{place}.harm", "write it like 0, amount, 0.3*amount or amount+500.")
    share = float(match[1] or 1) if match[2] else 0.0
    return Fault(
        fault_id,
        _number(row, "p", place, most=1),
        share,
        float(match[3] or 0),
        str(row.get("says", "")),
    )


def _block(block_id: str, row: Mapping[str, Json], faults: tuple[Fault, ...]) -> Block:
    place = f"world.blocks.{block_id}"
    kind = row.get("kind")
    if kind not in KINDS:
        raise BadWorld(f"{place}.kind", f"this must be one of {', '.join(KINDS)}.")
    known = {*Block.__dataclass_fields__, "dist"} - {"id"}
    for key in row:
        if key not in known:
            raise BadWorld(f"{place}.{key}", "a block has no such setting.")
    if row.get("dist", "expon") != "expon":
        raise BadWorld(f"{place}.dist", "only “expon” is known.")
    if kind in ("guard", "monitor", "human") and "hit" not in row:
        raise BadWorld(f"{place}.hit", "say how often this block sees each fault.")
    staff = row.get("staff")
    if staff is None and ("hours" in row or "overload" in row):
        raise BadWorld(place, "only a number of people can have hours or be overworked.")
    if "overload" in row and kind != "human":
        raise BadWorld(f"{place}.overload", "only people who judge can be hurried.")
    return Block(
        id=block_id,
        kind=kind,
        name=str(row.get("name", block_id)),
        says=str(row.get("says", "")),
        secs=_number(row, "secs", place, default=0),
        cost=_number(row, "cost", place, default=0),
        cost_per_hour=_number(row, "cost_per_hour", place, default=0),
        fail=_number(row, "fail", place, default=0, most=0.99),
        success=_number(row, "success", place, default=1, most=1),
        staff=None if staff is None else int(_number(row, "staff", place, least=1, most=MAX_STAFF)),
        hit=tuple(
            _number(_mapping(row, "hit", place), fault.id, f"{place}.hit", most=1)
            for fault in faults
        )
        if "hit" in row
        else (),
        confidence=tuple(
            _pair(_mapping(row, "confidence", place), fault.id, f"{place}.confidence")
            for fault in faults
        )
        if "confidence" in row
        else (),
        cure_on_rework=_number(row, "cure_on_rework", place, default=0, most=1),
        rework_share=_number(row, "rework_share", place, default=0, most=1),
        idempotent=bool(row.get("idempotent", False)),
        authority=None
        if "authority" not in row
        else int(_number(row, "authority", place, least=0, most=100)),
        needs=_words(row, "needs", place),
        hours=_hours(row["hours"], f"{place}.hours") if "hours" in row else None,
        overload=_overload(_mapping(row, "overload", place), f"{place}.overload", faults)
        if "overload" in row
        else None,
    )


def _hours(data: Json, place: str) -> Hours:
    every, start, end = _spans(data, place)
    if not 0 <= start < end <= every:
        raise BadWorld(place, "the hours of work must lie within their period.")
    return Hours(every, start, end)


def _overload(data: Mapping[str, Json], place: str, faults: tuple[Fault, ...]) -> Overload:
    for key in data:
        if key not in ("line", "hit"):
            raise BadWorld(f"{place}.{key}", "an overload has “line” and “hit”.")
    hit = _mapping(data, "hit", place)
    return Overload(
        int(_number(data, "line", place, least=1, most=10_000)),
        tuple(_number(hit, fault.id, f"{place}.hit", most=1) for fault in faults),
    )


def _options(exercise: Mapping[str, Json]) -> list[tuple[str, dict[str, Json]]]:
    rows = exercise.get("options") or {}
    if not isinstance(rows, dict):
        raise BadWorld("options", "this must be a map of what can be bought.")
    return [(key, _mapping(rows, key, "options")) for key in rows]


def _option(option_id: str, row: Mapping[str, Json], blocks: tuple[Block, ...]) -> Option:
    place = f"options.{option_id}"
    for key in row:
        if key not in ("min", "max", "default", "cost_per_hour", "says"):
            raise BadWorld(f"{place}.{key}", "an option has no such setting.")
    block = next((b for b in blocks if f"{b.id}.staff" == option_id), None)
    if block is None or block.staff is None:
        raise BadWorld(place, "name a block with a number of people, as in reviewer.staff.")
    default = int(_number(row, "default", place, default=block.staff, least=1, most=MAX_STAFF))
    if default != block.staff:
        raise BadWorld(f"{place}.default", "this must be the block's own number of people.")
    least = int(_number(row, "min", place, least=1, most=default))
    return Option(
        option_id,
        block.id,
        least,
        int(_number(row, "max", place, least=default, most=MAX_STAFF)),
        default,
        _number(row, "cost_per_hour", place, least=0, most=10_000),
        str(row.get("says", "")),
    )


def _versions(
    block_id: str, row: Mapping[str, Json], blocks: Mapping[str, Json], faults: tuple[Fault, ...]
) -> Versions:
    place = f"options.{block_id}"
    for key in row:
        if key not in ("versions", "default", "says"):
            raise BadWorld(f"{place}.{key}", "a choice of versions has no such setting.")
    if block_id not in blocks:
        raise BadWorld(place, "name a block of this world.")
    found = []
    made = _mapping(row, "versions", place)
    for name in made:
        here = f"{place}.versions.{name}"
        settings = dict(_mapping(made, name, f"{place}.versions"))
        says = str(settings.pop("says", ""))
        if not _VERSION.fullmatch(name):
            raise BadWorld(here, "a version's name is small letters, digits, - and _.")
        if {"kind", "name", "staff", "hours"} & settings.keys():
            raise BadWorld(here, "a version has the kind, name and people of its block.")
        if name == row.get("default") and settings:
            raise BadWorld(here, "the default version is the block itself, so it changes nothing.")
        found.append(
            Version(name, _block(block_id, {**blocks[block_id], **settings}, faults), says)
        )
    default = str(row.get("default", ""))
    if default not in made or len(made) < 2:
        raise BadWorld(place, "name two versions or more, and which of them is the default.")
    return Versions(block_id, default, tuple(found), str(row.get("says", "")))


def _pair(data: Mapping[str, Json], key: str, place: str) -> tuple[float, float]:
    value = data.get(key)
    if not isinstance(value, list) or len(value) != 2:
        raise BadWorld(f"{place}.{key}", "this must be the two shape numbers of the confidence.")
    pair = {"a": value[0], "b": value[1]}
    return (
        _number(pair, "a", f"{place}.{key}", least=0.01),
        _number(pair, "b", f"{place}.{key}", least=0.01),
    )


def _peak(data: Json) -> Peak | None:
    if data is None:
        return None
    place = "world.arrivals.peak"
    every, start, end = _spans(data, place)
    if not 0 <= start < end <= every:
        raise BadWorld(place, "the rush must lie within its period.")
    return Peak(every, start, end, _number(data, "factor", place, least=1, most=100))


def _spans(data: Json, place: str) -> tuple[int, int, int]:
    """`every`, `from` and `to` in seconds."""
    if not isinstance(data, dict):
        raise BadWorld(place, "this must be a map of settings.")
    spans = []
    for key in ("every", "from", "to"):
        match = _SPAN.fullmatch(str(data.get(key, "")))
        if match is None:
            raise BadWorld(f"{place}.{key}", "this must be a time such as 10h.")
        spans.append(int(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]])
    every, start, end = spans
    return every, start, end


def _must_reviews(rows: Json) -> tuple[MustReview, ...]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadWorld("policy.must_review", "this must be a list such as [{flagged: true}].")
    return tuple(_must_review(variable, value) for row in rows for variable, value in row.items())


def _must_review(variable: str, value: Json) -> MustReview:
    if isinstance(value, bool) and conditions.VARIABLES.get(variable) == "yes-no":
        return MustReview(variable, "==", value)
    match = _CLASS.fullmatch(str(value).strip())
    if match is None or conditions.VARIABLES.get(variable) != "number":
        raise BadWorld("policy.must_review", 'write it like {amount: ">400"} or {flagged: true}.')
    return MustReview(variable, match[1], float(match[2]))

"""The hidden world of an exercise: who comes in, what is wrong with it, how well each block sees it.

A learner chooses blocks and thresholds; every number here belongs to the exercise. Money is in
dollars, times are in seconds, rates are per hour, probabilities are 0 to 1.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checkride.lib.errors import DomainError
from courses.simulators.workflows import conditions
from courses.simulators.workflows.model import KINDS, Kind

Json = Any

_HARM = re.compile(r"(?:(?:(\d+(?:\.\d+)?)\*)?(amount))?(?:\+?(\d+(?:\.\d+)?))?")
_SPAN = re.compile(r"(\d+)(s|m|h)")
_CLASS = re.compile(r"(<=|>=|<|>)\s*(\d+(?:\.\d+)?)")
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
class Block:
    """What a step of a map can be. `hit` and `confidence` have one entry per fault, in order."""

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
class World:
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
    arrivals = _mapping(data, "arrivals", "world")
    amount = _mapping(_mapping(data, "amount", "world"), "lognormal", "world.amount")
    visible = _words(exercise, "visible", "")
    for name in visible:
        if name not in conditions.VARIABLES:
            raise BadWorld("visible", f"nothing in a world sets “{name}”.")
    high_risk = _words(policy, "high_risk", "policy")
    if not high_risk:
        raise BadWorld("policy.high_risk", "name the tool whose use can do harm.")
    for block_id in high_risk:
        if block_id not in {block.id for block in blocks if block.kind == "tool"}:
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
        staff=None if staff is None else int(_number(row, "staff", place, least=1, most=1000)),
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
    )


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
    if not isinstance(data, dict):
        raise BadWorld(place, "this must be a map of settings.")
    spans = []
    for key in ("every", "from", "to"):
        match = _SPAN.fullmatch(str(data.get(key, "")))
        if match is None:
            raise BadWorld(f"{place}.{key}", "this must be a time such as 10h.")
        spans.append(int(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]])
    every, start, end = spans
    if not 0 <= start < end <= every:
        raise BadWorld(place, "the rush must lie within its period.")
    return Peak(every, start, end, _number(data, "factor", place, least=1, most=100))


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

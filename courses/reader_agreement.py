"""How far the prompt reader agrees with labelled prompts, as the benchmark measured and stored it.

Nothing is measured while a page waits: `python -m benchmarks.prompt_agreement --write` reads every
labelled set and stores the figures with the digest of the reader that gave them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from courses.grading.agreement import Figures, Share
from courses.grading.digest import sources_digest

Json = Any
FILE = Path(__file__).parent / "reader_agreement.json"
READER = ("courses/simulators/prompts",)
Use = Literal["held-out", "development"]


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """One file of labelled prompts. `about` says who wrote it and what it was used for.

    Figures by requirement are kept for sets that were held out; elsewhere they say nothing.
    """

    name: str
    use: Use
    about: str
    all: Figures
    requirements: Mapping[str, Figures]


@dataclass(frozen=True, slots=True)
class Measurement:
    """All sets by the exercise they were written for, and the reader they were read with."""

    reader: str
    sets: Mapping[str, tuple[LabelledSet, ...]]

    @property
    def is_of_this_reader(self) -> bool:
        return self.reader == reader_digest()


@dataclass(frozen=True)
class Measured:
    """One set of labelled prompts. Shares are per hundred decisions, rounded."""

    exercise: str
    prompts: int
    decisions: int
    sure: int
    right: float
    false_met: float


def reader_digest() -> str:
    """64 hexadecimal digits for the code and the weights that read a prompt."""
    return sources_digest(READER)


def store(sets: Mapping[str, tuple[LabelledSet, ...]]) -> None:
    """Write what was measured with the reader as it is now."""
    rows = {name: [asdict(one) for one in found] for name, found in sets.items()}
    text = json.dumps({"reader": reader_digest(), "sets": _rounded(rows)}, indent=1)
    FILE.write_text(text + "\n", encoding="utf-8")


@lru_cache(maxsize=1)
def measurement() -> Measurement:
    """What was stored last."""
    data = json.loads(FILE.read_text(encoding="utf-8"))
    return Measurement(
        data["reader"],
        {name: tuple(_set(row) for row in rows) for name, rows in data["sets"].items()},
    )


def held_out(exercise_id: str) -> tuple[LabelledSet, ...]:
    """The sets of an exercise that were kept back from development."""
    sets = measurement().sets.get(exercise_id, ())
    return tuple(one for one in sets if one.use == "held-out")


def measured() -> tuple[Measured, ...]:
    """One line for each set that was kept back, for the page "How grading works"."""
    return tuple(
        Measured(
            exercise,
            one.all.prompts,
            one.all.decisions,
            round(one.all.coverage.value * 100),
            round(one.all.accuracy.value * 100, 1),
            round(one.all.false_met.value * 100, 1),
        )
        for exercise in measurement().sets
        for one in held_out(exercise)
    )


def _set(row: Json) -> LabelledSet:
    return LabelledSet(
        row["name"],
        row["use"],
        row["about"],
        _figures(row["all"]),
        {name: _figures(one) for name, one in row["requirements"].items()},
    )


def _figures(row: Json) -> Figures:
    shares = {key: Share(**row[key]) for key in ("coverage", "accuracy", "false_met")}
    return Figures(**{**row, **shares})


def _rounded(value: Json) -> Json:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return value

"""How far the prompt reader agreed with labels it was never tuned on, as the benchmark measured it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_FILE = Path(__file__).parent / "simulators" / "prompts" / "agreement.json"


@dataclass(frozen=True)
class Measured:
    """One set of labelled prompts. Shares are per hundred decisions, rounded."""

    exercise: str
    prompts: int
    decisions: int
    sure: int
    right: float
    false_met: float


@lru_cache(maxsize=1)
def measured() -> tuple[Measured, ...]:
    """The figures that `python -m benchmarks.prompt_agreement --write` wrote."""
    rows = json.loads(_FILE.read_text(encoding="utf-8"))
    return tuple(
        Measured(
            name,
            int(row["prompts"]),
            int(row["decisions"]),
            round(row["coverage"] * 100),
            round(row["accuracy"] * 100, 1),
            round(row["false_met"] * 100, 1),
        )
        for name, row in rows.items()
    )

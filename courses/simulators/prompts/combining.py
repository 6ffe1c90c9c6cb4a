"""Put the stages' opinions together: one verdict, its confidence, or "not sure".

A small regression over what each stage found, fitted on prompts that the stages had not seen
(`training/train_combining.py`). Whatever it says, the frames keep a veto: a number or a polarity
that they read as the opposite is never "met" for sure, and a contradiction needs two stages.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from courses.simulators.prompts.stage_scores import StageScore

Best = Literal["met", "absent", "contradicted"]
CLASSES: Final[tuple[Best, ...]] = ("met", "absent", "contradicted")
FILE: Final = "combining.json"
GROUNDS: Final = (
    "met/strong", "met/fair", "met/faint", "absent/nothing", "absent/shared", "absent/touched",
    "absent/touched-often", "absent/part", "absent/ordered", "absent/wish",
    "contradicted/plain", "contradicted/mixed",
)  # fmt: skip
CLIP: Final = 9.0
# What one stage alone says needs more.
ALONE: Final[Mapping[Best, float]] = {"met": 0.93, "absent": 0.0, "contradicted": 0.6}


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights per class and, per class, the confidence from which a verdict is sure."""

    weights: Mapping[str, Sequence[float]]
    sure: Mapping[str, float]


@lru_cache(maxsize=1)
def fitted() -> Mapping[str, Fitted]:
    """The regressions by what they rest on: `words`, or `all` with the entailment stage."""
    table = json.loads(Path(__file__).with_name(FILE).read_text(encoding="utf-8"))
    return {
        name: Fitted(row["weights"], row["sure"]) for name, row in table["combinations"].items()
    }


def opinions(ground: str, words: StageScore, entailment: StageScore | None) -> list[float]:
    """What the regression sees: the frames' ground, then each stage's two scores."""
    row = [1.0]
    row.extend(float(ground.startswith(one)) for one in GROUNDS)
    row.append(float("/hedged" in ground))
    row.append(float("/strong" in ground and ground.startswith("contradicted")))
    for score in (words, entailment):
        if score is None:
            continue
        given = max(-CLIP, min(CLIP, score.given))
        against = max(-CLIP, min(CLIP, score.against))
        row.extend((given / CLIP, against / CLIP, _logistic(given), _logistic(against)))
        row.append(_logistic(given) * float(ground.startswith("met")))
        row.append(_logistic(against) * float(ground.startswith("contradicted")))
    return row


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def shares(row: Sequence[float], weights: Mapping[str, Sequence[float]]) -> dict[Best, float]:
    """The probability of each class."""
    logits = {name: sum(a * b for a, b in zip(row, weights[name], strict=True)) for name in CLASSES}
    top = max(logits.values())
    powers = {name: math.exp(value - top) for name, value in logits.items()}
    total = sum(powers.values())
    return {name: power / total for name, power in powers.items()}


def opinion_of(score: StageScore) -> Best:
    """What a stage alone would say."""
    if score.against > 0:
        return "contradicted"
    return "met" if score.given > 0 else "absent"


def combine(
    frames: Best, ground: str, words: StageScore, entailment: StageScore | None
) -> tuple[Best, float, bool]:
    """The best guess, its confidence (0 to 1, three digits), and whether it is sure."""
    which = fitted()["words" if entailment is None else "all"]
    found = shares(opinions(ground, words, entailment), which.weights)
    best = max(CLASSES, key=lambda name: round(found[name], 6))
    confidence = round(found[best], 3)
    return best, confidence, is_sure(best, confidence, frames, words, entailment, which.sure)


def is_sure(
    best: Best,
    confidence: float,
    frames: Best,
    words: StageScore,
    entailment: StageScore | None,
    limits: Mapping[str, float],
) -> bool:
    """Whether a verdict may stand: confident enough, and more so where one stage says it alone."""
    if best == "met" and frames == "contradicted":
        return False
    voices = [frames, opinion_of(words)]
    if entailment is not None:
        voices.append(opinion_of(entailment))
    limit = limits[best]
    if voices.count(best) < 2:
        limit = max(limit, ALONE[best])
    return confidence >= limit

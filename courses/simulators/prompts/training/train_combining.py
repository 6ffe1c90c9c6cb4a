"""Fit how the stages' opinions are put together (`combining.py`), and from when one is sure.

    python -m courses.simulators.prompts.training.train_combining --words W.json [--entailment E.json]

The scores come from networks that were trained without these prompts, and the frames' rules were
written before them, except that they had seen `worked-invoice`. The figures printed come from
ten-fold cross-validation by prompt.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from courses.simulators.prompts import combining
from courses.simulators.prompts.reading import read
from courses.simulators.prompts.stage_scores import StageScore
from courses.simulators.prompts.training import labelled

Json = Any
Matrix = NDArray[np.float64]
# What the frames say, and the two stages' scores.
Voices = tuple[combining.Best, StageScore, StageScore | None]
SETS: Final = (
    ("refund-triage", "calibration-refund"),
    ("invoice-processing", "calibration-invoice"),
    ("invoice-processing", "worked-invoice"),
)
FOLDS: Final = 10
PENALTY: Final = 0.7
COVERAGE: Final = 0.84
FALSE_MET: Final = 0.004
MOST_ABSENT: Final = 0.86
MOST_CONTRADICTED: Final = 0.59


def fit(rows: Matrix, labels: NDArray[np.int64]) -> Matrix:
    """Multinomial logistic regression with a ridge: (classes, opinions)."""
    classes, width = len(combining.CLASSES), rows.shape[1]
    wanted = np.eye(classes)[labels]

    def loss(flat: Matrix) -> tuple[float, Matrix]:
        weights = flat.reshape(classes, width)
        logits = rows @ weights.T
        logits -= logits.max(axis=1, keepdims=True)
        log_shares = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        gradient = (np.exp(log_shares) - wanted).T @ rows + PENALTY * weights
        value = -float((log_shares * wanted).sum()) + PENALTY / 2 * float((weights**2).sum())
        return value, gradient.ravel()

    found = minimize(loss, np.zeros(classes * width), jac=True, method="L-BFGS-B")
    return np.round(found.x.reshape(classes, width), 4)


def shares(rows: Matrix, weights: Matrix) -> Matrix:
    logits = rows @ weights.T
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def thresholds(
    found: Matrix, labels: NDArray[np.int64], voices: Sequence[Voices]
) -> tuple[dict[str, float], str]:
    """For each class from which confidence a verdict is sure: the most accurate that covers
    enough and rewards too few wrong prompts."""
    best, top = found.argmax(axis=1), found.max(axis=1)
    free: dict[str, float] = dict.fromkeys(map(str, combining.CLASSES), 0.0)
    may = np.asarray(
        [
            combining.is_sure(combining.CLASSES[which], float(share), *voice, free)
            for which, share, voice in zip(best, top, voices, strict=True)
        ]
    )
    grid = np.round(np.arange(0.5, 0.97, 0.03), 2)
    chosen: tuple[float, dict[str, float], str] | None = None
    # Only a wrong "met" rewards anybody; the others may be said with less confidence.
    others = grid[grid <= MOST_ABSENT], grid[grid <= MOST_CONTRADICTED]
    for limits in itertools.product(grid, *others):
        sure = may & (top >= np.asarray(limits)[best])
        coverage = sure.mean()
        right = (best == labels)[sure].mean() if sure.any() else 0.0
        false_met = (sure & (best == 0) & (labels != 0)).mean()
        if coverage < COVERAGE or false_met > FALSE_MET:
            continue
        if chosen is None or right > chosen[0]:
            says = f"coverage {coverage:.3f}, accuracy {right:.3f}, false met {false_met:.4f}"
            chosen = (right, dict(zip(combining.CLASSES, map(float, limits), strict=True)), says)
    if chosen is None:
        return dict.fromkeys(combining.CLASSES, 0.9), "no thresholds cover enough"
    return chosen[1], chosen[2]


def kappa(best: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    table = np.zeros((3, 3))
    np.add.at(table, (labels, best), 1)
    chance = float(table.sum(0) @ table.sum(1)) / len(labels) ** 2
    return float((np.trace(table) / len(labels) - chance) / (1 - chance))


def combination(
    rows: Sequence[Sequence[float]],
    labels: NDArray[np.int64],
    prompts: NDArray[np.int64],
    voices: Sequence[Voices],
) -> Json:
    table = np.asarray(rows, dtype=np.float64)
    unseen = np.zeros((len(table), 3))
    for fold in range(FOLDS):
        left = prompts % FOLDS == fold
        unseen[left] = shares(table[left], fit(table[~left], labels[~left]))
    sure, says = thresholds(unseen, labels, voices)
    print(f"  kappa {kappa(unseen.argmax(axis=1), labels):.3f}, {says}, {sure}")
    weights = fit(table, labels)
    named = dict(zip(combining.CLASSES, weights.tolist(), strict=True))
    return {"weights": named, "sure": sure}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--words", type=Path, required=True)
    parser.add_argument("--entailment", type=Path)
    chosen = parser.parse_args()
    known = labelled.exercises()
    words = json.loads(chosen.words.read_text())
    entailment = json.loads(chosen.entailment.read_text()) if chosen.entailment else None
    rows: dict[str, list[list[float]]] = {"words": [], "all": []}
    voices: dict[str, list[Voices]] = {"words": [], "all": []}
    labels: list[int] = []
    prompts: list[int] = []
    number = 0
    for exercise, name in SETS:
        for one in labelled.prompts(exercise, (name,)):
            number += 1
            for decision in read(one.text, known[exercise], stages="rules").decisions:
                score = StageScore(*words[one.text][decision.requirement])
                labels.append(combining.CLASSES.index(one.labels[decision.requirement]))
                prompts.append(number)
                rows["words"].append(combining.opinions(decision.ground, score, None))
                voices["words"].append((decision.best, score, None))
                if entailment is not None:
                    other = StageScore(*entailment[one.text][decision.requirement])
                    rows["all"].append(combining.opinions(decision.ground, score, other))
                    voices["all"].append((decision.best, score, other))
    made: Json = {
        "made_by": "training/train_combining.py",
        "sets": [name for _, name in SETS],
        "decisions": len(labels),
        "combinations": {},
    }
    for which, table in rows.items():
        if table:
            print(which)
            made["combinations"][which] = combination(
                table, np.asarray(labels), np.asarray(prompts), voices[which]
            )
    path = Path(combining.__file__).with_name(combining.FILE)
    path.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

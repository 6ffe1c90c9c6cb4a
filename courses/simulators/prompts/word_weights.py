"""Weigh the words of each line for and against each requirement.

A small network over the evidence of one unit (`evidence.py`), trained by
`training/train_words.py` on labelled lines and prompts. It needs no encoder. A requirement it was
not trained on has no score, and the frames alone decide it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from courses.simulators.prompts.evidence import evidence_of
from courses.simulators.prompts.segments import Unit
from courses.simulators.prompts.stage_scores import StageScore, highest

Floats = NDArray[np.float32]
FILE: Final = "word_weights.npz"
SILENT: Final = frozenset({"inert", "label", "given", "question"})


@dataclass(frozen=True)
class Weights:
    """The network: a vector per piece of evidence, two hidden layers, two scores a requirement."""

    place: dict[int, int]  # the checksum of a piece of evidence -> its row
    vectors: Floats
    first: tuple[Floats, Floats]
    second: tuple[Floats, Floats]
    out: tuple[Floats, Floats]
    requirements: dict[str, int]  # "exercise/requirement" -> its number


def checksum(name: str) -> int:
    return zlib.crc32(name.encode("utf-8"))


@lru_cache(maxsize=1)
def weights() -> Weights:
    with np.load(Path(__file__).with_name(FILE), allow_pickle=False) as file:
        plain = {name: file[name] for name in file.files}
    scale = plain["scale"].astype(np.float32)
    names = json.loads(bytes(plain["requirements"]).decode("utf-8"))
    return Weights(
        {int(one): number for number, one in enumerate(plain["checksums"])},
        plain["vectors"].astype(np.float32) * scale,
        (plain["first"].astype(np.float32), plain["first_bias"].astype(np.float32)),
        (plain["second"].astype(np.float32), plain["second_bias"].astype(np.float32)),
        (plain["out"].astype(np.float32), plain["out_bias"].astype(np.float32)),
        {name: number for number, name in enumerate(names)},
    )


def scores(
    units: Sequence[Unit], exercise: str, requirements: Sequence[str], numbers: Collection[float]
) -> dict[str, StageScore]:
    """A score for each requirement of the exercise that the network was trained on."""
    net = weights()
    known = [name for name in requirements if f"{exercise}/{name}" in net.requirements]
    speaking = [unit for unit in units if unit.force not in SILENT]
    if not known:
        return {}
    if not speaking:
        return {name: StageScore() for name in known}
    rows = np.zeros((len(speaking), net.vectors.shape[1]), dtype=np.float32)
    for number, unit in enumerate(speaking):
        found = [
            place
            for name in evidence_of(unit, numbers)
            if (place := net.place.get(checksum(name))) is not None
        ]
        if found:
            rows[number] = net.vectors[found].sum(axis=0) / np.sqrt(np.float32(len(found)))
    hidden = _gelu(rows @ net.first[0] + net.first[1])
    hidden = _gelu(hidden @ net.second[0] + net.second[1])
    both = np.concatenate([rows, hidden], axis=1)
    logits = (both @ net.out[0] + net.out[1]).reshape(len(speaking), -1, 2)
    chosen = [net.requirements[f"{exercise}/{name}"] for name in known]
    return highest(logits[:, chosen], [unit.line for unit in speaking], known)


def _gelu(x: Floats) -> Floats:
    from scipy.special import erf

    return np.asarray(x * (erf(x * np.float32(0.70710678)) + 1) * np.float32(0.5), np.float32)

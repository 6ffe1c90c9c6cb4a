"""Train the network of the entailment stage (`entailment.py`). Needs torch; see `train_words.py`.

    python -m courses.simulators.prompts.training.features FEATURES.pickle --states
    python -m courses.simulators.prompts.training.train_entailment FEATURES.pickle \\
        --out entailment_head.npz --without calibration worked-invoice --scores OUT.json

The encoder is frozen: its vectors were written down by `features.py`, the same code that reads
prompts. One layer of attention goes over a row, then each requirement's own vector, made from what
the requirement says, asks the pieces of each unit.
"""

from __future__ import annotations

import argparse
import json
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from courses.simulators.prompts.training.train_words import (
    LOWEST,
    MEASURING,
    highest,
    is_line,
    log_shares,
    targets,
)

Json = Any
WIDTH, HEADS, DEPTH = 128, 4, 1
EPOCHS, RATE, DROP, DECAY, SEED = 12, 1.5e-3, 0.2, 0.03, 0
QUERY_LENGTH = 4.0


class Network(nn.Module):
    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.ln = nn.LayerNorm(inputs)
        self.proj = nn.Linear(inputs, WIDTH)
        self.enc = nn.ModuleList(
            nn.TransformerEncoderLayer(
                *(WIDTH, HEADS, 2 * WIDTH, DROP),
                activation="gelu",
                batch_first=True,
                norm_first=True,
            )
            for _ in range(DEPTH)
        )
        self.q, self.k, self.v = (
            nn.Linear(384, WIDTH),
            nn.Linear(WIDTH, WIDTH),
            nn.Linear(WIDTH, WIDTH),
        )
        self.h1, self.h2 = nn.Linear(3 * WIDTH, WIDTH), nn.Linear(WIDTH, 2)
        self.drop = nn.Dropout(DROP)
        nn.init.constant_(self.h2.bias, -2.0)

    def forward(self, states: Any, real: Any, inside: Any, row_of: Any, says: Any) -> Any:
        x = self.proj(self.drop(self.ln(states)))
        for layer in self.enc:
            x = layer(x, src_key_padding_mask=~real)
        size = WIDTH // HEADS
        queries = self.q(says)
        keys = self.k(x).view(*x.shape[:2], HEADS, size)[row_of]
        values = self.v(x).view(*x.shape[:2], HEADS, size)[row_of]
        scores = torch.einsum("uthd,rhd->urht", keys, queries.view(-1, HEADS, size)) / size**0.5
        weights = scores.masked_fill(~inside[:, None, None, :], -1e4).softmax(-1)
        pooled = torch.einsum("urht,uthd->urhd", weights, values)
        pooled = pooled.reshape(len(row_of), len(queries), WIDTH)
        asked = queries[None].expand(len(row_of), -1, -1)
        joined = self.drop(torch.cat([pooled, asked, pooled * asked], -1))
        return self.h2(self.drop(functional.gelu(self.h1(joined))))


class Trainer:
    def __init__(self, facts: Json, without: tuple[str, ...]) -> None:
        torch.manual_seed(SEED)
        torch.set_num_threads(1)
        self.chance = random.Random(SEED)  # noqa: S311 (not a secret)
        self.layers = facts["layers"]
        self.names: dict[str, list[str]] = facts["names"]
        self.all = [f"{one}/{name}" for one, names in self.names.items() for name in names]
        said = {
            name: value / np.linalg.norm(value) * QUERY_LENGTH
            for name, value in facts["queries"].items()
        }
        self.says = {
            one: torch.from_numpy(np.stack([said[f"{one}/{name}"] for name in names]).astype("f4"))
            for one, names in self.names.items()
        }
        self.rows = [
            row
            for row in facts["rows"]
            if row["states"]
            and row["source"] not in MEASURING
            and not row["source"].startswith(without)
        ]
        self.net = Network(384 * len(self.layers))

    def logits(self, rows: list[Json]) -> Any:
        states: list[Json] = []
        spans: list[tuple[int, int]] = []
        row_of: list[int] = []
        owner: list[int] = []
        for number, row in enumerate(rows):
            for state, inside in zip(row["states"], row["spans"], strict=True):
                for span in inside:
                    spans.append(span)
                    row_of.append(len(states))
                    owner.append(number)
                states.append(state)
        longest = max(len(state) for state in states)
        table = np.zeros((len(states), longest, states[0].shape[1]), dtype=np.float32)
        real = np.zeros((len(states), longest), dtype=bool)
        for at, state in enumerate(states):
            table[at, : len(state)] = state
            real[at, : len(state)] = True
        part = np.zeros((len(spans), longest), dtype=bool)
        for at, (start, end) in enumerate(spans):
            part[at, start:end] = True
        found = self.net(
            *map(torch.from_numpy, (table, real, part)),
            torch.tensor(row_of),
            self.says[rows[0]["exercise"]],
        )
        return highest(found, torch.tensor(owner), len(rows))

    def batches(self) -> list[list[Json]]:
        groups: dict[tuple[str, bool], list[Json]] = {}
        for row in self.rows:
            groups.setdefault((row["exercise"], is_line(row)), []).append(row)
        out: list[list[Json]] = []
        for (_, lines), group in groups.items():
            self.chance.shuffle(group)
            if lines:  # alike in length, so that little is padded
                group.sort(key=lambda row: max(len(state) for state in row["states"]) // 6)
            size = 48 if lines else 6
            out += [group[at : at + size] for at in range(0, len(group), size)]
        self.chance.shuffle(out)
        return out

    def train(self) -> None:
        steps = torch.optim.AdamW(self.net.parameters(), RATE, weight_decay=DECAY)
        count = EPOCHS * (len(self.batches()) + 3)
        rate = torch.optim.lr_scheduler.OneCycleLR(steps, RATE, count, pct_start=0.15)
        for epoch in range(EPOCHS):
            self.net.train()
            total = 0.0
            for rows in self.batches():
                labels, weights = targets(rows, self.names[rows[0]["exercise"]])
                found = log_shares(self.logits(rows))
                loss = -(found.gather(-1, labels[..., None])[..., 0] * weights).sum()
                loss = loss / weights.sum()
                steps.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
                steps.step()
                rate.step()
                total += loss.item()
            print(f"epoch {epoch + 1}: loss {total:.2f}", flush=True)
        self.net.eval()

    @torch.no_grad()
    def scores(self, rows: list[Json]) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for row in rows:
            names = self.names[row["exercise"]]
            values = [[LOWEST, LOWEST]] * len(names)
            if row["states"]:
                values = self.logits([row])[0].tolist()
            found[row["text"]] = dict(zip(names, values, strict=True))
        return found

    @torch.no_grad()
    def save(self, path: Path) -> None:
        plain: dict[str, Json] = {}
        for name, value in self.net.state_dict().items():
            if name.startswith("q."):
                continue
            # NumPy multiplies from the left; torch keeps its matrices turned.
            turned = value.T if value.dim() == 2 else value
            plain[name] = turned.numpy().astype(np.float16)
        says = torch.cat([self.says[one] for one in self.names])
        plain["queries"] = self.net.q(says).numpy().astype(np.float16)
        facts = {"requirements": self.all, "layers": list(self.layers), "depth": DEPTH}
        plain["facts"] = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)
        np.savez_compressed(path, **plain)


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

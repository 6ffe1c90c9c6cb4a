"""Write down what the trained stages see of every labelled text.

    python -m courses.simulators.prompts.training.features OUT.pickle [--states]

Run it with the project's own environment; the trainers, which need torch, read the file. With
`--states` the encoder's vectors are added, which takes some minutes.
"""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from courses.simulators.prompts import encoder, word_weights
from courses.simulators.prompts.evidence import evidence_of
from courses.simulators.prompts.reading import scenario_of, units_of
from courses.simulators.prompts.stage_rows import rows_of
from courses.simulators.prompts.training import labelled

Json = Any
STATE_LAYERS = (4, 6)


def texts() -> list[labelled.Labelled]:
    """Everything labelled that is not kept for measuring."""
    known = labelled.exercises()
    rows = [*labelled.corpus(known), *labelled.samples(known)]
    for exercise, names in (*labelled.WORKED.items(), *labelled.KEPT.items()):
        wanted = [name for name in names if name not in labelled.MEASURING]
        rows.extend(labelled.prompts(exercise, wanted))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--states", action="store_true")
    chosen = parser.parse_args()
    known = labelled.exercises()
    scenarios = {name: scenario_of(exercise) for name, exercise in known.items()}
    rows: list[Json] = []
    for one in texts():
        scenario = scenarios[one.exercise]
        units = units_of(one.text, scenario)
        speaking = [unit for unit in units if unit.force not in word_weights.SILENT]
        row: dict[str, Json] = {
            "source": one.source,
            "exercise": one.exercise,
            "text": one.text,
            "labels": dict(one.labels),
            "evidence": [
                [word_weights.checksum(name) for name in evidence_of(unit, scenario.numbers)]
                for unit in speaking
            ],
        }
        if chosen.states:
            net = encoder.load()
            found = rows_of(units, net.pieces, begin=encoder.BEGIN, end=encoder.END)
            states = net.states([line.pieces for line in found], STATE_LAYERS)
            row["spans"] = [line.spans for line in found]
            row["states"] = [state.astype(np.float16) for state in states]
        rows.append(row)
    says = {
        f"{name}/{row['id']}": row["says"]
        for name, exercise in known.items()
        for row in exercise["requirements"]
    }
    says |= {f"other-desks/{k}": text for k, text in labelled.other_requirements().items()}
    facts: dict[str, Json] = {"rows": rows, "names": labelled.requirement_names(known)}
    facts["says"] = says
    if chosen.states:
        net = encoder.load()
        facts["queries"] = {
            name: net.states([[encoder.BEGIN, *net.pieces(text), encoder.END]], (6,))[0].mean(0)
            for name, text in says.items()
        }
        facts["layers"] = STATE_LAYERS
    chosen.out.write_bytes(pickle.dumps(facts))
    print(f"{len(rows)} texts")


if __name__ == "__main__":
    main()

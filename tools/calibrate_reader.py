"""Measure how often the prompt reader is right on each kind of evidence, and write the table.

A verdict stands on a ground: "met/strong/alone" (a full rule, nothing else on its topic),
"absent/touched" (a line on the topic that gave no rule), and so on. The confidence of a ground is
its share of right verdicts on labelled prompts, drawn towards the share of its family by
`PRIOR` imagined cases, so that a ground seen three times does not claim certainty.

    python tools/calibrate_reader.py SET.jsonl ... [--reader CHECKOUT]

`--reader` names a checkout whose reader gives the verdicts. The table in the repository was made
with the reader as it stood before it had seen the set (the frames of commit eb56989 with today's
reading.py, reservations.py and topics.py): a reader that was mended on a set is right on it more
often than on the next one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
TABLE: Final = ROOT / "courses/simulators/prompts/confidence.json"
EXERCISE: Final = ROOT / "courses/content/prompting/exercises/refund-triage"
PRIOR: Final = 4.0
GROUNDS: Final = (
    "met/faint",
    *(f"met/{a}/{b}" for a in ("fair", "strong")
      for b in ("hedged", "beside", "elsewhere", "alone")),
    *(f"absent/{a}" for a in ("part/unread", "part/alone", "ordered", "wish/unread", "wish/alone",
                              "touched-often", "touched", "shared", "nothing")),
    *(f"contradicted/{a}/{b}" for a in ("mixed", "plain") for b in ("faint", "strong")),
)  # fmt: skip


def measured(rows: list[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    """For each ground how many verdicts stood on it and how many of them were right."""
    from courses.exercise_files import read_exercise
    from courses.simulators.prompts import read

    exercise = read_exercise(EXERCISE)
    seen: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for row in rows:
        for decision in read(row["prompt"], exercise).decisions:
            seen[decision.ground] += 1
            right[decision.ground] += decision.best == row["labels"][decision.requirement]
    return {ground: (seen[ground], right[ground]) for ground in GROUNDS}


def table(counts: dict[str, tuple[int, int]]) -> dict[str, dict[str, float]]:
    """Each ground with its numbers and its confidence."""
    out: dict[str, dict[str, float]] = {}
    for ground, (seen, right) in counts.items():
        family = [
            one for name, one in counts.items() if name.split("/")[:2] == ground.split("/")[:2]
        ]
        if not any(one[0] for one in family):
            family = [one for name, one in counts.items() if name[:4] == ground[:4]]
        share = sum(one[1] for one in family) / max(1, sum(one[0] for one in family))
        confidence = (right + PRIOR * share) / (seen + PRIOR)
        out[ground] = {"seen": seen, "right": right, "confidence": round(confidence, 3)}
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--reader", type=Path, default=ROOT)
    options = parser.parse_args()
    sys.path[:0] = [str(options.reader), str(options.reader / "platform")]
    rows = [
        json.loads(line)
        for path in options.sets
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    if not TABLE.exists():
        TABLE.write_text(json.dumps({"grounds": table(dict.fromkeys(GROUNDS, (0, 0)))}))
    made = {
        "made_by": "tools/calibrate_reader.py",
        "sets": [path.name for path in options.sets],
        "prompts": len(rows),
        "grounds": table(measured(rows)),
    }
    TABLE.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

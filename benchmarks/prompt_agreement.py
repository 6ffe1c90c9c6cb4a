"""How far the prompt reader agrees with labels of prompts that nobody tuned it on.

`measured-refund.jsonl` holds 40 prompts (400 decisions) by a writer who had not seen the reader. It
was measured once, on 20 November 2026, and must not be tuned on: whoever mends the reader after
reading it needs a new set for the next figure. Goals: prompts.md, section 1.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from courses.exercise_files import read_exercise
from courses.simulators.prompts import read

NAMES = ("reader-kappa", "reader-coverage", "reader-accuracy-when-sure", "reader-false-met")

ROOT = Path(__file__).resolve().parents[1]
EXERCISE = ROOT / "courses" / "content" / "prompting" / "exercises" / "refund-triage"
LABELLED = ROOT / "tests" / "courses" / "prompts" / "measured-refund.jsonl"


def kappa(pairs: Counter[tuple[str, str]]) -> float:
    """Cohen's kappa of two raters (Educational and Psychological Measurement 20, 1960)."""
    total = pairs.total()
    agreed = sum(count for (one, other), count in pairs.items() if one == other) / total
    labels = {label for pair in pairs for label in pair}
    first = {label: sum(n for (one, _), n in pairs.items() if one == label) for label in labels}
    second = {
        label: sum(n for (_, other), n in pairs.items() if other == label) for label in labels
    }
    chance = sum(first[label] * second[label] for label in labels) / total**2
    return (agreed - chance) / (1 - chance)


def main() -> None:
    exercise = read_exercise(EXERCISE)
    pairs: Counter[tuple[str, str]] = Counter()
    sure = right = false_met = 0
    for line in LABELLED.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        decisions = {one.requirement: one for one in read(row["prompt"], exercise).decisions}
        for requirement, label in row["labels"].items():
            decision = decisions[requirement]
            pairs[label, decision.best] += 1
            if decision.verdict != "unsure":
                sure += 1
                right += decision.verdict == label
                false_met += decision.verdict == "met" != label
    total = pairs.total()
    print(f"reader-kappa {kappa(pairs):.2f} kappa (goal 0.80 with frames alone, {total} decisions)")
    print(f"reader-coverage {sure / total:.2f} share of decisions (goal 0.80)")
    print(f"reader-accuracy-when-sure {right / sure:.2f} share of those (goal 0.97)")
    print(f"reader-false-met {false_met / total:.3f} share of all (limit 0.005)")


if __name__ == "__main__":
    main()

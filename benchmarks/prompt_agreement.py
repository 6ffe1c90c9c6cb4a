"""How far the prompt reader agrees with labels of prompts that nobody tuned it on.

Two sets, each measured and never tuned on: `measured-refund.jsonl` (40 prompts by a writer who had
not seen the reader) and `measured-invoice.jsonl` (32 prompts, written before the trained stages
and their corpus existed, by the writer of that corpus). Whoever mends the reader after reading
their errors needs new sets for the next figure. Goals: prompts.md, section 1.

    python -m benchmarks.prompt_agreement [--write] [--errors]

`--write` puts the figures into the file that the page "How grading works" shows; `--errors` lists
the ten wrong decisions of which the reader was surest.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from courses.exercise_files import read_exercise
from courses.simulators.prompts import entailment, read
from courses.simulators.prompts.reading import Stages

SETS = {"refund": "refund-triage", "invoice": "invoice-processing"}
STAGES: tuple[Stages, ...] = ("rules", "frames", "all")
GOAL_KAPPA: dict[Stages, float] = {"rules": 0.80, "frames": 0.80, "all": 0.90}
NAMES = (
    "reader-kappa-refund-rules",
    "reader-coverage-refund-rules",
    "reader-accuracy-when-sure-refund-rules",
    "reader-false-met-refund-rules",
    "reader-kappa-refund-frames",
    "reader-coverage-refund-frames",
    "reader-accuracy-when-sure-refund-frames",
    "reader-false-met-refund-frames",
    "reader-kappa-refund-all",
    "reader-coverage-refund-all",
    "reader-accuracy-when-sure-refund-all",
    "reader-false-met-refund-all",
    "reader-kappa-invoice-rules",
    "reader-coverage-invoice-rules",
    "reader-accuracy-when-sure-invoice-rules",
    "reader-false-met-invoice-rules",
    "reader-kappa-invoice-frames",
    "reader-coverage-invoice-frames",
    "reader-accuracy-when-sure-invoice-frames",
    "reader-false-met-invoice-frames",
    "reader-kappa-invoice-all",
    "reader-coverage-invoice-all",
    "reader-accuracy-when-sure-invoice-all",
    "reader-false-met-invoice-all",
)

ROOT = Path(__file__).resolve().parents[1]
EXERCISES = ROOT / "courses/content/prompting/exercises"
LABELLED = ROOT / "tests/courses/prompts"
MEASURED = ROOT / "courses/simulators/prompts/agreement.json"


@dataclass(frozen=True)
class Agreement:
    """`wrong` holds (confidence, prompt, requirement, label, best) of wrong sure decisions."""

    prompts: int
    decisions: int
    kappa: float
    coverage: float
    accuracy: float
    false_met: float
    wrong: tuple[tuple[float, str, str, str, str], ...]


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


def agreement(desk: str, stages: Stages) -> Agreement:
    exercise = read_exercise(EXERCISES / SETS[desk])
    pairs: Counter[tuple[str, str]] = Counter()
    wrong: list[tuple[float, str, str, str, str]] = []
    sure = right = false_met = 0
    lines = (LABELLED / f"measured-{desk}.jsonl").read_text(encoding="utf-8").splitlines()
    for line in lines:
        row = json.loads(line)
        for decision in read(row["prompt"], exercise, stages=stages).decisions:
            label = row["labels"][decision.requirement]
            pairs[label, decision.best] += 1
            if decision.best != label:
                found = (row["id"], decision.requirement, label, decision.best)
                wrong.append((decision.confidence, *found))
            if decision.verdict != "unsure":
                sure += 1
                right += decision.verdict == label
                false_met += decision.verdict == "met" != label
    total = pairs.total()
    return Agreement(
        len(lines),
        total,
        kappa(pairs),
        sure / total,
        right / sure,
        false_met / total,
        tuple(sorted(wrong, reverse=True)),
    )


def main(arguments: list[str] | None = None) -> None:
    wanted = arguments if arguments is not None else sys.argv[1:]
    written: dict[str, dict[str, float]] = {}
    for desk in SETS:
        for stages in STAGES:
            if stages == "all" and not entailment.is_on():
                print(f"(the encoder is not installed: {desk} without the entailment stage)")
                continue
            found = agreement(desk, stages)
            end = f"-{desk}-{stages}"
            print(
                f"reader-kappa{end} {found.kappa:.2f} kappa"
                f" (goal {GOAL_KAPPA[stages]:.2f}, {found.decisions} decisions)"
            )
            print(f"reader-coverage{end} {found.coverage:.2f} share of decisions (goal 0.80)")
            print(f"reader-accuracy-when-sure{end} {found.accuracy:.3f} share of those (goal 0.97)")
            print(f"reader-false-met{end} {found.false_met:.4f} share of all (limit 0.005)")
            if "--errors" in wanted:
                for row in found.wrong[:10]:
                    print("   ", *row)
            if stages == "frames":  # what grades a prompt on the site
                written[desk] = {
                    "prompts": found.prompts,
                    "decisions": found.decisions,
                    "kappa": round(found.kappa, 3),
                    "coverage": round(found.coverage, 3),
                    "accuracy": round(found.accuracy, 3),
                    "false_met": round(found.false_met, 4),
                }
    if "--write" in wanted:
        MEASURED.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

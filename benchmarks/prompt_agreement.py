"""How far the prompt reader agrees with labels that people gave.

Two sets are measured and never tuned on: `measured-refund.jsonl` (40 prompts by a writer who had
not seen the reader) and `measured-invoice.jsonl` (32 prompts, written before the trained stages
and their corpus existed, by the writer of that corpus). Whoever mends the reader after reading
their errors needs new sets for the next figure. Goals: prompts.md, section 1.

    python -m benchmarks.prompt_agreement [--write] [--errors] [FILE EXERCISE]

`--write` measures every labelled set, also those used in development, and stores the figures that
the pages about trust show. `--errors` lists the ten wrong decisions of which the reader was surest.
FILE is another set in the same form, such as `manage.py export_labels` writes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from courses import reader_agreement
from courses.exercise_files import read_exercise
from courses.grading.agreement import Decided, by_requirement, figures
from courses.reader_agreement import LabelledSet, Use
from courses.simulators.prompts import entailment, read
from courses.simulators.prompts.reading import Stages

SETS = {"refund": "refund-triage", "invoice": "invoice-processing"}
STAGES: tuple[Stages, ...] = ("rules", "frames", "all")
ON_THE_SITE: Stages = "frames"
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

_WORKED = "Written while the reader was built, and read again and again to mend it"
_FITTED = "Not trained on, but used to set how sure the reader may be"
# Every labelled set, by exercise: its file, how it was used, and what a visitor should know of it.
LABELLED_SETS: dict[str, tuple[tuple[str, Use, str], ...]] = {
    "refund-triage": (
        (
            "measured-refund",
            "held-out",
            "Kept back from development, by a writer who had not seen the reader",
        ),
        ("calibration-refund", "development", _FITTED),
        ("blind-refund", "development", "Blind at first, then worked through to mend the reader"),
        *(
            (f"worked-refund{end}", "development", _WORKED)
            for end in ("", "-2", "-3", "-4", "-5", "-6", "-7")
        ),
    ),
    "invoice-processing": (
        (
            "measured-invoice",
            "held-out",
            "Kept back from development; its writer also wrote the lines that the reader learnt "
            "from, so take its figures as a ceiling",
        ),
        ("calibration-invoice", "development", _FITTED),
        ("worked-invoice", "development", _WORKED),
    ),
}


def decided(path: Path, exercise_id: str, stages: Stages) -> Iterator[tuple[float, Decided]]:
    """Each labelled decision of a set with the reader's confidence; unlabelled ones are left out."""
    exercise = read_exercise(EXERCISES / exercise_id)
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for one in read(row["prompt"], exercise, stages=stages).decisions:
            label = row["labels"].get(one.requirement)
            if label is not None:
                found = Decided(row["id"], one.requirement, label, one.best, one.verdict)
                yield one.confidence, found


def measured(name: str, exercise_id: str, use: Use, about: str) -> LabelledSet:
    """A set of the repository, read by what grades on the site."""
    path = LABELLED / f"{name}.jsonl"
    rows = [row for _, row in decided(path, exercise_id, ON_THE_SITE)]
    parts = by_requirement(rows) if use == "held-out" else {}
    return LabelledSet(name, use, about, figures(rows), parts)


def tell(path: Path, exercise_id: str, name: str, stages: Stages, *, errors: bool) -> None:
    rows = list(decided(path, exercise_id, stages))
    found = figures(row for _, row in rows)
    end = f"-{name}-{stages}"
    kappa = float("nan") if found.kappa is None else found.kappa
    print(
        f"reader-kappa{end} {kappa:.2f} kappa"
        f" (goal {GOAL_KAPPA[stages]:.2f}, {found.decisions} decisions)"
    )
    print(
        f"reader-coverage{end} {found.coverage.value:.2f} share of decisions (goal 0.80)\n"
        f"reader-accuracy-when-sure{end} {found.accuracy.value:.3f} share of those (goal 0.97)\n"
        f"reader-false-met{end} {found.false_met.value:.4f} share of all (limit 0.005)"
    )
    if errors:
        wrong = [(sure, row) for sure, row in rows if row.best != row.label]
        for sure, row in sorted(wrong, key=lambda pair: -pair[0])[:10]:
            print("   ", sure, row.prompt, row.requirement, row.label, row.best)


def main(arguments: list[str] | None = None) -> None:
    wanted = arguments if arguments is not None else sys.argv[1:]
    errors = "--errors" in wanted
    given = [one for one in wanted if not one.startswith("--")]
    if "--write" in wanted:
        reader_agreement.store(
            {
                exercise: tuple(measured(name, exercise, use, about) for name, use, about in sets)
                for exercise, sets in LABELLED_SETS.items()
            }
        )
        return
    if given:
        tell(Path(given[0]), given[1], Path(given[0]).stem, ON_THE_SITE, errors=errors)
        return
    for desk, exercise in SETS.items():
        for stages in STAGES:
            if stages == "all" and not entailment.is_on():
                print(f"(the encoder is not installed: {desk} without the entailment stage)")
                continue
            path = LABELLED / f"measured-{desk}.jsonl"
            tell(path, exercise, desk, stages, errors=errors)


if __name__ == "__main__":
    main()

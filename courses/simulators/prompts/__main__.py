"""Read many prompts at once:

python -m courses.simulators.prompts read EXERCISE_DIR --in FILE.jsonl [--stages STAGES]

Each row of the file has `id` and `prompt`; each printed row has `id` and `verdicts`. STAGES is
`rules` (the frames as written), `frames` (with the weights of words) or `all` (with the entailment
stage, where its encoder is installed; this is what is used when nothing is said).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from checkride.lib.errors import DomainError
from courses.exercise_files import read_exercise
from courses.simulators.prompts import entailment
from courses.simulators.prompts.reading import read


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m courses.simulators.prompts")
    commands = parser.add_subparsers(dest="command", required=True)
    reading = commands.add_parser("read", help="read the prompts of a JSON Lines file")
    reading.add_argument("exercise", type=Path)
    reading.add_argument("--in", dest="rows", type=Path, required=True)
    reading.add_argument("--stages", choices=["rules", "frames", "all"], default="all")
    chosen = parser.parse_args(arguments)
    if chosen.stages == "all" and not entailment.is_on():
        print(
            "The sentence encoder is not installed: prompts are read without the entailment stage."
            " To install it: make setup.",
            file=sys.stderr,
        )
    try:
        exercise = read_exercise(chosen.exercise)
        lines = chosen.rows.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                identity, prompt = row["id"], row["prompt"]
                if not isinstance(prompt, str):
                    raise TypeError
            except (ValueError, KeyError, TypeError):
                print(
                    f"Line {number} of {chosen.rows} is no JSON object with the texts “id” and “prompt”."
                    " The rows before it were read; correct it and run again.",
                    file=sys.stderr,
                )
                return 2
            verdicts = {
                one.requirement: {
                    "verdict": one.verdict,
                    "best": one.best,
                    "confidence": one.confidence,
                    "line": one.line,
                }
                for one in read(prompt, exercise, stages=chosen.stages).decisions
            }
            print(json.dumps({"id": identity, "verdicts": verdicts}, ensure_ascii=False))
    except DomainError as refusal:
        print(refusal.message, file=sys.stderr)
        return 2
    except (OSError, UnicodeDecodeError):
        print(f"{chosen.rows} cannot be read as a UTF-8 text file.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Grade a map from the command line.

    python -m courses.simulators.workflows grade EXERCISE_DIR MAP.yaml --json

Exits with 0 when the map was graded, and with 2 when something cannot be read or run; then one
sentence on standard error says what.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from checkride.lib.errors import DomainError


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m courses.simulators.workflows")
    commands = parser.add_subparsers(dest="command", required=True)
    grade = commands.add_parser("grade", help="grade one map")
    grade.add_argument("exercise", type=Path, help="the folder that holds exercise.yaml")
    grade.add_argument("map", type=Path, help="the map to grade, as text or JSON")
    grade.add_argument("--json", action="store_true", help="print the whole report as JSON")
    grade.add_argument("--seed", default="practice", help="name of the random streams")
    chosen = parser.parse_args(arguments)
    try:
        text = chosen.map.read_text(encoding="utf-8")
    except FileNotFoundError:
        return _refuse(f"{chosen.map}: there is no such file.")
    except (OSError, UnicodeDecodeError):
        return _refuse(f"{chosen.map}: this cannot be read as a text file.")
    # By name: graders stand above simulators, and nothing in a simulator may import one.
    contract = importlib.import_module("courses.grading.contract")
    grading = importlib.import_module("courses.grading.workflow_map")
    files = importlib.import_module("courses.exercise_files")
    try:
        exercise = files.read_exercise(chosen.exercise)
        request = contract.GradeRequest("workflow_map", exercise, text, chosen.seed)
        report = grading.grade(request)
    except DomainError as error:
        return _refuse(error.message)
    if chosen.json:
        print(json.dumps(contract.report_to_json(report), ensure_ascii=False, indent=1))
    if report.problems:
        first = report.problems[0]
        line = f"line {first.place.line}: " if first.place.line else ""
        return _refuse(f"{chosen.map}: {line}{first.message}")
    if not chosen.json:
        print(f"{report.score} of 100. {report.finding}")
        for row in report.criteria:
            points = f"{row.points:.1f} of {row.possible:.1f}" if row.possible else row.verdict
            print(f"  {row.says}: {points}. {row.reason}")
    return 0


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())

"""Grade a map from the command line, write it as BPMN, or read one from BPMN.

    python -m courses.simulators.workflows grade EXERCISE_DIR MAP.yaml --json
    python -m courses.simulators.workflows bpmn MAP.yaml > map.bpmn
    python -m courses.simulators.workflows import FILE.bpmn > map.yaml

Exits with 0 when it was done, and with 2 when something cannot be read or run; then one sentence
on standard error says what. `import` also says there what it took and what it left out.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from checkride.lib.errors import DomainError
from courses.simulators.workflows import bpmn, conditions, reading, writing


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m courses.simulators.workflows")
    commands = parser.add_subparsers(dest="command", required=True)
    grade = commands.add_parser("grade", help="grade one map")
    grade.add_argument("exercise", type=Path, help="the folder that holds exercise.yaml")
    grade.add_argument("map", type=Path, help="the map to grade, as text or JSON")
    grade.add_argument("--json", action="store_true", help="print the whole report as JSON")
    grade.add_argument("--seed", default="practice", help="name of the random streams")
    bpmn_out = commands.add_parser("bpmn", help="write a map as BPMN 2.0")
    bpmn_out.add_argument("map", type=Path, help="the map, as text or JSON")
    bpmn_in = commands.add_parser("import", help="read a BPMN 2.0 file and write the map's text")
    bpmn_in.add_argument("file", type=Path, help="the BPMN file, at most 1 MB")
    chosen = parser.parse_args(arguments)
    if chosen.command == "bpmn":
        return _to_bpmn(chosen.map)
    if chosen.command == "import":
        return _from_bpmn(chosen.file)
    return _grade(chosen)


def _to_bpmn(path: Path) -> int:
    try:
        map_ = reading.read_map(
            path.read_text(encoding="utf-8"), blocks=None, visible=tuple(conditions.VARIABLES)
        )
    except (OSError, UnicodeDecodeError):
        return _refuse(f"{path}: this cannot be read as a text file.")
    except DomainError as error:
        return _refuse(f"{path}: {error.message}")
    sys.stdout.write(bpmn.to_bpmn(map_))
    return 0


def _from_bpmn(path: Path) -> int:
    try:
        found = bpmn.from_bpmn(path.read_bytes())
    except OSError:
        return _refuse(f"{path}: this file cannot be read.")
    if found.map is None:
        return _refuse("\n".join(f"{path}: {sentence}" for sentence in found.problems))
    for sentence in (*found.kept, *found.left_out):
        print(sentence, file=sys.stderr)
    sys.stdout.write(writing.to_text(found.map))
    return 0


def _grade(chosen: argparse.Namespace) -> int:
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

"""Grade a map from the command line, write it as BPMN, or read one from BPMN.

    python -m courses.simulators.workflows grade EXERCISE_DIR MAP.yaml --json [--scenario NAME]
    python -m courses.simulators.workflows bpmn MAP.yaml > map.bpmn
    python -m courses.simulators.workflows import FILE.bpmn > map.yaml

Exits with 0 when it was done, and with 2 when something cannot be read or run; then one sentence
on standard error says what. `import` also says there what it took and what it left out.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from checkride.lib.canonical import canonical_json
from checkride.lib.errors import DomainError
from courses.simulators.workflows import bpmn, checks, conditions, reading, writing

Json = Any


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m courses.simulators.workflows")
    commands = parser.add_subparsers(dest="command", required=True)
    grade = commands.add_parser("grade", help="grade one map")
    grade.add_argument("exercise", type=Path, help="the folder that holds exercise.yaml")
    grade.add_argument("map", type=Path, help="the map to grade, as text or JSON")
    grade.add_argument("--json", action="store_true", help="print the whole report as JSON")
    grade.add_argument("--scenario", metavar="NAME", help="grade this scenario alone")
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
    # By name: graders stand above simulators, and nothing in a simulator may import one.
    contract = importlib.import_module("courses.grading.contract")
    grading = importlib.import_module("courses.grading.workflow_map")
    files = importlib.import_module("courses.exercise_files")
    try:
        text = chosen.map.read_text(encoding="utf-8")
    except FileNotFoundError:
        return _no_map(chosen, "no-such-file", f"{chosen.map}: there is no such file.")
    except (OSError, UnicodeDecodeError):
        return _no_map(chosen, "no-text", f"{chosen.map}: this cannot be read as a text file.")
    try:
        exercise = files.read_exercise(chosen.exercise)
        if chosen.scenario is not None:
            exercise = _one_day(exercise, chosen.scenario)
        request = contract.GradeRequest("workflow_map", exercise, text, chosen.seed)
        report = grading.grade(request)
    except DomainError as error:
        return _no_map(chosen, error.code, error.message)
    answer = _answer(contract.report_to_json(report), chosen)
    if chosen.json:
        print(json.dumps(answer, ensure_ascii=False, indent=1))
    if answer["error"] is not None:
        line = f"line {answer['error']['line']}: " if answer["error"]["line"] else ""
        return _refuse(f"{chosen.map}: {line}{answer['error']['message']}")
    if not chosen.json:
        print(f"{report.score} of 100. {report.finding}")
        for problem in report.problems:
            print(f"  {problem.code}: {problem.message}")
        for row in report.criteria:
            points = f"{row.points:.1f} of {row.possible:.1f}" if row.possible else row.verdict
            print(f"  {row.says}: {points}. {row.reason}")
    return 0


class NoSuchScenario(DomainError):
    code = "no-such-scenario"
    sentence = "The exercise has no scenario “{name}”. It has: {names}."


def _one_day(exercise: Mapping[str, Json], name: str) -> dict[str, Json]:
    """The exercise with one of its scenarios alone."""
    rows = exercise.get("scenarios")
    days = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    chosen = [row for row in days if row.get("id") == name]
    if not chosen:
        raise NoSuchScenario(name=name, names=", ".join(str(row.get("id")) for row in days))
    return {**exercise, "scenarios": chosen}


_ENGINES = {"exact": "exact", "simulated": "simulation", "exact and simulated": "exact+simulation"}


def _answer(report: dict[str, Json], chosen: argparse.Namespace) -> dict[str, Json]:
    """The report with what a program asks first on top.

    `metrics` and `outcomes` (end -> share of cases) are those of the first day; each day's own
    stand in `details.scenarios`. `error` is null whenever a map was read, even one that a gate
    keeps from running: its findings say why. `digest` covers all of the answer but itself, and is
    the same for the same map, exercise, seed and grader on every machine.
    """
    days = report["details"].get("scenarios", [])
    metrics = {
        name: {
            "value": row["value"],
            "low": row["low"],
            "high": row["high"],
            "engine": _ENGINES[row["engine"]],
        }
        for name, row in (days[0]["metrics"] if days else {}).items()
    }
    problem = next((row for row in report["problems"] if row["code"] not in checks.SAYS), None)
    error = None
    if problem is not None:
        error = {
            "code": problem["code"],
            "message": problem["message"],
            "line": problem["place"]["line"],
        }
    answer = {
        "score": report["score"],
        "passed": report["passed"],
        "metrics": metrics,
        "outcomes": dict(days[0]["ends"]) if days else {},
        "findings": [
            {
                "id": row["code"],
                "severity": row["severity"],
                "nodes": row["nodes"],
                "edges": row["edges"],
                "path": row["path"],
                "message": row["says"],
            }
            for row in report["details"].get("findings", [])
        ],
        "error": error,
        "scenario": chosen.scenario,
        "seed": chosen.seed,
        **{key: value for key, value in report.items() if key not in ("score", "passed")},
    }
    return answer | {"digest": hashlib.sha256(canonical_json(answer)).hexdigest()}


def _no_map(chosen: argparse.Namespace, code: str, sentence: str) -> int:
    """Nothing could be graded; with --json a program learns why in the usual place."""
    if chosen.json:
        empty: dict[str, Json] = {
            "score": 0,
            "passed": False,
            "metrics": {},
            "outcomes": {},
            "findings": [],
            "error": {"code": code, "message": sentence, "line": None},
            "scenario": chosen.scenario,
            "seed": chosen.seed,
        }
        digest = hashlib.sha256(canonical_json(empty)).hexdigest()
        print(json.dumps(empty | {"digest": digest}, ensure_ascii=False, indent=1))
    return _refuse(sentence)


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())

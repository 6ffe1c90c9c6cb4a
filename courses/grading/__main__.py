"""Grade one file: python -m courses.grading grade EXERCISE_DIR SUBMISSION_FILE [--json]"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from checkride.lib.errors import DomainError
from courses.exercise_files import read_exercise
from courses.grading import grade
from courses.grading.contract import GradeReport, GradeRequest, report_to_json


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m courses.grading")
    commands = parser.add_subparsers(dest="command", required=True)
    grading = commands.add_parser("grade", help="grade one submission")
    grading.add_argument("exercise", type=Path, help="the exercise's folder")
    grading.add_argument("submission", type=Path, help="the file to grade")
    grading.add_argument("--json", action="store_true", help="print the report as JSON")
    grading.add_argument("--seed", default="practice", help="names the random streams")
    chosen = parser.parse_args(arguments)
    try:
        exercise = read_exercise(chosen.exercise)
        submission = chosen.submission.read_text(encoding="utf-8")
        report = grade(GradeRequest(str(exercise["kind"]), exercise, submission, chosen.seed))
    except DomainError as refusal:
        print(refusal.message, file=sys.stderr)
        return 2
    except UnicodeDecodeError:
        print(
            f"{chosen.submission} is not UTF-8 text. Nothing was graded; save it as UTF-8.",
            file=sys.stderr,
        )
        return 2
    except OSError:
        print(
            f"{chosen.submission} cannot be opened. Nothing was graded; check the name.",
            file=sys.stderr,
        )
        return 2
    if chosen.json:
        print(json.dumps(report_to_json(report), ensure_ascii=False, indent=1))
    else:
        print(as_text(report))
    if report.problems:
        print(report.problems[0].message, file=sys.stderr)
        return 2
    return 0


def as_text(report: GradeReport) -> str:
    """The report for a terminal."""
    rows = [
        f"{report.score} of 100, {'passed' if report.passed else 'not passed'}. {report.finding}",
        "",
    ]
    for one in report.criteria:
        must = " (must)" if one.must else ""
        rows.append(
            f"{one.verdict:13}{one.points:4g} of {one.possible:g}  {one.id}{must}: {one.reason}"
        )
    if report.cases:
        rows.append("")
    for case in report.cases:
        rows.append(f"{'right' if case.passed else 'wrong':13}{case.title}: {case.did}")
        rows.extend(f"{'':15}not held: {check.says}" for check in case.checks if not check.held)
    rows += [
        "",
        f"{report.grader.name} {report.grader.version}, digest {report.grader.digest[:16]}",
    ]
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())

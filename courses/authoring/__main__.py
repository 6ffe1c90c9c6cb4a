"""`python -m courses.authoring check [FOLDER]`: is the content fit to be published?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from courses.authoring.curriculum import read_curriculum

CONTENT = Path(__file__).resolve().parent.parent / "content"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m courses.authoring", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="read everything and say what is wrong, with places")
    check.add_argument("folder", nargs="?", type=Path, default=CONTENT)
    check.add_argument("--quick", action="store_true", help="do not run the graders")
    check.add_argument("--hints", action="store_true", help="also say what could be better")
    chosen = parser.parse_args(arguments)
    return check_folder(chosen.folder, run_graders=not chosen.quick, hints=chosen.hints)


def check_folder(folder: Path, *, run_graders: bool, hints: bool) -> int:
    """Print findings and counts; 0 when nothing is wrong, 1 otherwise."""
    curriculum, findings = read_curriculum(folder, run_graders=run_graders)
    errors = [row for row in findings if row.weight == "error"]
    for row in findings if hints else errors:
        print(row)
    if curriculum is not None:
        lessons = sum(len(course.lessons) for course in curriculum.courses)
        exercises = sum(1 for _ in curriculum.exercises())
        print(
            f"{len(curriculum.tracks)} tracks, {len(curriculum.courses)} courses, "
            f"{lessons} lessons, {exercises} exercises, {len(curriculum.glossary)} terms, "
            f"{len(curriculum.framework.competencies)} competencies: "
            f"{len(errors)} errors, {len(findings) - len(errors)} hints."
        )
    return 1 if errors or curriculum is None else 0


if __name__ == "__main__":
    sys.exit(main())

"""For authors: check the content, or begin a new piece of it.

python -m courses.authoring check [FOLDER]
python -m courses.authoring new lesson|course|exercise ID [--course COURSE]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from checkride.lib.errors import DomainError
from courses.authoring.curriculum import read_curriculum
from courses.authoring.templates import write_draft

CONTENT = Path(__file__).resolve().parent.parent / "content"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m courses.authoring", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="read everything and say what is wrong, with places")
    check.add_argument("folder", nargs="?", type=Path, default=CONTENT)
    check.add_argument("--quick", action="store_true", help="do not run the graders")
    check.add_argument("--hints", action="store_true", help="also say what could be better")
    new = commands.add_parser("new", help="write a first draft in the right form")
    new.add_argument("kind", choices=["lesson", "course", "exercise"])
    new.add_argument("id")
    new.add_argument("--course", default="", help="the course that a lesson or exercise joins")
    new.add_argument("--folder", type=Path, default=CONTENT)
    chosen = parser.parse_args(arguments)
    if chosen.command == "new":
        return begin(chosen.folder, chosen.kind, chosen.id, course=chosen.course)
    return check_folder(chosen.folder, run_graders=not chosen.quick, hints=chosen.hints)


def begin(folder: Path, kind: str, name: str, *, course: str) -> int:
    """Write a draft and say where it is; 1 when that cannot be done."""
    try:
        for path in write_draft(folder, kind, name, course=course):
            print(path)
    except DomainError as refusal:
        print(refusal.message, file=sys.stderr)
        return 1
    if kind != "course":
        print(f"Now list “{name}” in {course}/course.yaml, write, and run the check.")
    return 0


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

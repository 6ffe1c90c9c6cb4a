"""For authors: check the content, or begin a new piece of it.

python -m courses.authoring check [FOLDER]
python -m courses.authoring coverage [FOLDER]
python -m courses.authoring items [FOLDER]
python -m courses.authoring spelling [FOLDER ...]
python -m courses.authoring new lesson|course|exercise|item ID [--course COURSE]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from checkride.lib.errors import DomainError
from courses.authoring import coverage, item_flaws
from courses.authoring.curriculum import read_curriculum
from courses.authoring.findings import Findings
from courses.authoring.lessons import pieces
from courses.authoring.spelling import check_spelling
from courses.authoring.templates import write_draft

CONTENT = Path(__file__).resolve().parent.parent / "content"
# A folder, not code of the exams: what an author reads stands beside what she writes.
ITEMS = CONTENT.parent.parent / "exams" / "content"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m courses.authoring", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="read everything and say what is wrong, with places")
    check.add_argument("folder", nargs="?", type=Path, default=CONTENT)
    check.add_argument("--quick", action="store_true", help="do not run the graders")
    check.add_argument("--hints", action="store_true", help="also say what could be better")
    covered = commands.add_parser("coverage", help="lessons, exercises and items by competency")
    covered.add_argument("folder", nargs="?", type=Path, default=CONTENT)
    covered.add_argument("--items", type=Path, default=ITEMS)
    items = commands.add_parser("items", help="flaws of items, and texts that are nearly alike")
    items.add_argument("folder", nargs="?", type=Path, default=ITEMS)
    items.add_argument("--content", type=Path, default=CONTENT)
    spelled = commands.add_parser("spelling", help="words that no dictionary knows, with places")
    spelled.add_argument("folders", nargs="*", type=Path, default=[CONTENT, ITEMS])
    new = commands.add_parser("new", help="write a first draft in the right form")
    new.add_argument("kind", choices=["lesson", "course", "exercise", "item"])
    new.add_argument("id")
    new.add_argument(
        "--course", default="", help="the course, or for an item the exam, that it joins"
    )
    new.add_argument("--folder", type=Path, default=CONTENT)
    chosen = parser.parse_args(arguments)
    if chosen.command == "new":
        folder = chosen.folder
        if chosen.kind == "item" and folder == CONTENT:
            folder = ITEMS
        return begin(folder, chosen.kind, chosen.id, course=chosen.course)
    if chosen.command == "coverage":
        return show_coverage(chosen.folder, chosen.items)
    if chosen.command == "spelling":
        return show_spelling(chosen.folders)
    if chosen.command == "items":
        return check_items(chosen.folder, chosen.content)
    wrong = check_folder(chosen.folder, run_graders=not chosen.quick, hints=chosen.hints)
    # Our own list of words belongs to our own content; another folder has names of its own.
    return (show_spelling([CONTENT, ITEMS]) if chosen.folder == CONTENT else 0) or wrong


def begin(folder: Path, kind: str, name: str, *, course: str) -> int:
    """Write a draft and say where it is; 1 when that cannot be done."""
    try:
        for path in write_draft(folder, kind, name, course=course):
            print(path)
    except DomainError as refusal:
        print(refusal.message, file=sys.stderr)
        return 1
    if kind == "item":
        print("Now write it, run “python -m courses.authoring items”, and let somebody answer it.")
    elif kind != "course":
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


def show_spelling(folders: Sequence[Path]) -> int:
    """Print the words that no dictionary knows; 1 when there are any. Without a dictionary it says
    so and is content, since a running site has none."""
    findings = Findings()
    if not check_spelling(folders, findings):
        print("Spelling was not checked: pyspellchecker is not installed (“make setup”).")
        return 0
    for row in findings.errors:
        print(row)
    print(f"Spelling: {len(findings.errors)} words are in no dictionary.")
    return 1 if findings.errors else 0


def show_coverage(folder: Path, items: Path) -> int:
    """Print the table; 1 when a competency of the full courses has no lesson, exercise or item."""
    curriculum, _findings = read_curriculum(folder)
    if curriculum is None:
        print("There is no framework that can be read.", file=sys.stderr)
        return 1
    rows = coverage.coverage(curriculum, (item for *_, item in item_flaws.read_banks(items)))
    print(coverage.report(rows))
    empty = [row for row in rows if row.is_promised and not (row.lessons and row.items)]
    return 1 if empty else 0


def check_items(items: Path, content: Path) -> int:
    """Print the flaws of items and the texts that are nearly alike; 1 when there are any."""
    findings = Findings()
    count = item_flaws.lint_folder(items, findings)
    texts = [
        (f"item {item['id']}", item_flaws.item_words(item))
        for *_, item in item_flaws.read_banks(items)
    ]
    curriculum, _rest = read_curriculum(content)
    for course in curriculum.courses if curriculum is not None else ():
        texts += [
            (
                f"lesson {lesson.id}",
                "\n".join(piece.text for piece in pieces(lesson.body) if piece.kind != "figure"),
            )
            for lesson in course.lessons
        ]
    alike = item_flaws.near_duplicates(texts)
    for row in findings.all:
        print(row)
    for pair in alike:
        print(f"{pair.one} and {pair.other} share {pair.share:.0%} of their runs of words.")
    print(
        f"{count} items, {len(texts)} texts: {len(findings.all)} flaws, "
        f"{len(alike)} pairs nearly alike."
    )
    return 1 if findings.all or alike else 0


if __name__ == "__main__":
    sys.exit(main())

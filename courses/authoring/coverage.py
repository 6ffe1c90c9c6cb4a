"""Which lessons, exercises and items stand behind each competency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from courses.authoring.curriculum import Curriculum

Json = Any
# The courses that are written in full: none of what they teach may stand empty.
FULL_COURSES: Final = ("foundations", "prompting", "systems-thinking", "governance")
FEWEST_ITEMS: Final = 6


@dataclass(frozen=True, slots=True)
class Covered:
    """One competency with what teaches, practises and tests it."""

    id: str
    statement: str
    lessons: tuple[str, ...]
    exercises: tuple[str, ...]
    items: int
    # Whether one of the full courses names it.
    is_promised: bool

    @property
    def gaps(self) -> tuple[str, ...]:
        """What is missing, in words."""
        found = []
        if not self.lessons:
            found.append("no lesson")
        if not self.exercises:
            found.append("no exercise")
        if self.items < FEWEST_ITEMS:
            found.append(f"{self.items} items")
        return tuple(found)


def coverage(curriculum: Curriculum, items: Iterable[Mapping[str, Json]]) -> list[Covered]:
    """The competencies in the order of the framework.

    `items` are entries of item files, in whatever state of life.
    """
    counts: dict[str, int] = {}
    for item in items:
        for code in item.get("competencies", ()):
            counts[code] = counts.get(code, 0) + 1
    promised = {
        code
        for course in curriculum.courses
        if course.id in FULL_COURSES
        for code in course.form.competencies
    }
    return [
        Covered(
            id=row.id,
            statement=row.statement,
            lessons=tuple(
                lesson.id
                for course in curriculum.courses
                for lesson in course.lessons
                if row.id in lesson.front.competencies
            ),
            exercises=tuple(
                exercise.id
                for exercise in curriculum.exercises()
                if row.id in exercise.competencies
            ),
            items=counts.get(row.id, 0),
            is_promised=row.id in promised,
        )
        for row in curriculum.framework.competencies
    ]


def report(rows: Sequence[Covered]) -> str:
    """The table as text, with what is missing at the end of each line."""
    lines = [f"{'':4}{'lessons':>8}{'exercises':>11}{'items':>7}  missing"]
    for row in rows:
        gaps = ", ".join(row.gaps)
        mark = "*" if row.is_promised else " "
        lines.append(
            f"{row.id:3}{mark}{len(row.lessons):8}{len(row.exercises):11}{row.items:7}  {gaps}"
        )
    taught = sum(bool(row.lessons) for row in rows)
    practised = sum(bool(row.exercises) for row in rows)
    tested = sum(row.items >= FEWEST_ITEMS for row in rows)
    lines.append(
        f"{len(rows)} competencies: {taught} taught, {practised} practised, {tested} with "
        f"{FEWEST_ITEMS} items or more. * named by one of the courses F, P, S, G."
    )
    return "\n".join(lines)

"""The door to the curriculum for the other apps and for our own pages.

Everything here is read from the content folder and held in memory; nothing here knows learners.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from checkride.lib.errors import DomainError
from courses.authoring.curriculum import Course, Curriculum, Exercise, read_curriculum
from courses.authoring.forms import Competency, Framework, Term, Track
from courses.authoring.lessons import Lesson

__all__ = [
    "Competency",
    "Course",
    "Exercise",
    "Framework",
    "Lesson",
    "NoCurriculum",
    "Term",
    "Track",
    "announce_exam",
    "competencies",
    "competency",
    "course",
    "courses",
    "curriculum",
    "exam_address",
    "exercise",
    "framework",
    "glossary",
    "lesson",
    "look_again",
    "track",
    "tracks",
]


class NoCurriculum(DomainError):
    code = "no-curriculum"
    sentence = (
        "The content folder {folder} holds no framework that can be read. "
        "Run “python -m courses.authoring check” to see why."
    )


@dataclass(frozen=True)
class _Index:
    curriculum: Curriculum
    competencies: Mapping[str, Competency]
    tracks: Mapping[str, Track]
    courses: Mapping[str, Course]
    exercises: Mapping[str, Exercise]
    lessons: Mapping[str, tuple[Course, Lesson]]


_open_exams: dict[str, str] = {}


def announce_exam(exam_id: str, address: str) -> None:
    """Tell the curriculum that the exam which a track's path names can be sat, and where.

    The apps above call this when they are ready; an exam that nobody announced is shown as planned.
    """
    _open_exams[exam_id] = address


def exam_address(exam_id: str) -> str:
    """Where an exam is booked, empty while it is planned."""
    return _open_exams.get(exam_id, "")


def curriculum() -> Curriculum:
    return _index().curriculum


def framework() -> Framework:
    return _index().curriculum.framework


def competencies() -> tuple[Competency, ...]:
    """All competencies, in the order of the framework."""
    return _index().curriculum.framework.competencies


def competency(competency_id: str) -> Competency | None:
    return _index().competencies.get(competency_id)


def tracks() -> tuple[Track, ...]:
    return _index().curriculum.tracks


def track(track_id: str) -> Track | None:
    return _index().tracks.get(track_id)


def courses() -> tuple[Course, ...]:
    """All courses, foundations first, then in the order of the framework's domains."""
    return tuple(_index().courses.values())


def course(course_id: str) -> Course | None:
    return _index().courses.get(course_id)


def exercise(exercise_id: str) -> Exercise | None:
    return _index().exercises.get(exercise_id)


def lesson(lesson_id: str) -> tuple[Course, Lesson] | None:
    """A lesson with the course it belongs to."""
    return _index().lessons.get(lesson_id)


def glossary() -> tuple[Term, ...]:
    return tuple(sorted(_index().curriculum.glossary, key=lambda term: term.term.lower()))


def look_again() -> None:
    """Notice at once that content files have changed; development notices it within a second."""
    _stamp.cache_clear()


def _index() -> _Index:
    root = Path(settings.CONTENT_ROOT)
    # A page asks dozens of times; the files are looked at once a second.
    return _build(root, _stamp(root, int(time.monotonic())) if settings.DEVELOPMENT else 0)


@lru_cache(maxsize=4)
def _stamp(root: Path, second: int) -> int:
    """Changes when a content file does, so that an author sees an edit on the next page."""
    return max(
        (path.stat().st_mtime_ns for path in root.rglob("*") if not path.name.startswith(".")),
        default=0,
    )


@lru_cache(maxsize=4)
def _build(root: Path, stamp: int) -> _Index:
    curriculum, _ = read_curriculum(root)
    if curriculum is None:
        raise NoCurriculum(folder=root)
    order = "F" + "".join(domain.id for domain in curriculum.framework.domains)
    rows = sorted(
        curriculum.courses, key=lambda row: (order + row.form.letter).index(row.form.letter)
    )
    return _Index(
        curriculum=curriculum,
        competencies={row.id: row for row in curriculum.framework.competencies},
        tracks={row.id: row for row in curriculum.tracks},
        courses={row.id: row for row in rows},
        exercises={part.id: part for row in rows for part in row.exercises},
        lessons={part.id: (row, part) for row in rows for part in row.lessons},
    )

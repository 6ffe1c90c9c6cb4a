"""Store the curriculum by its hashes. Doing it twice changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from courses.authoring.curriculum import Course, Curriculum, course_form, exercise_from_document
from courses.authoring.lessons import document_text, lesson_from_document
from courses.models import ContentKind, ContentVersion

Json = Any


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many versions were new, and how many were there already."""

    new: int
    known: int


@transaction.atomic
def load(curriculum: Curriculum) -> Loaded:
    """Store every course, lesson and exercise and mark these versions as the current ones."""
    new = known = 0
    for course in curriculum.courses:
        for made in _store_course(course):
            new += made
            known += not made
    return Loaded(new=new, known=known)


@transaction.atomic
def current_course(course: Course) -> ContentVersion:
    """The stored version of a course as it is now, stored on the way if it was not."""
    version = ContentVersion.objects.filter(digest=course.digest).first()
    if version is None:
        _store_course(course)
        version = ContentVersion.objects.get(digest=course.digest)
    return version


def part(version: ContentVersion, kind: ContentKind, slug: str) -> ContentVersion | None:
    """The lesson or exercise `slug` as it stands in this version of its course."""
    rows: list[Mapping[str, str]] = version.document[f"{kind.value}s"]
    digest = next((row["digest"] for row in rows if row["id"] == slug), None)
    if digest is None:
        return None
    return ContentVersion.objects.filter(digest=digest).first()


@lru_cache(maxsize=128)
def course_of(digest: str) -> Course:
    """A stored version of a course as the course it is. A version never changes, so it is kept.

    Raises `ContentVersion.DoesNotExist` for a digest that was never stored.
    """
    document = ContentVersion.objects.get(digest=digest, kind=ContentKind.COURSE).document
    digests = [row["digest"] for key in ("lessons", "exercises") for row in document[key]]
    stored = {row.digest: row for row in ContentVersion.objects.filter(digest__in=digests)}
    lessons = tuple(
        lesson_from_document(stored[row["digest"]].document) for row in document["lessons"]
    )
    exercises = tuple(
        exercise_from_document(stored[row["digest"]].document, course=document["id"])
        for row in document["exercises"]
    )
    return Course(form=course_form(document), lessons=lessons, exercises=exercises)


def _store_course(course: Course) -> list[bool]:
    with connection.cursor() as cursor:
        # Several processes start at once and load the same content; one at a time numbers it.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('courses.versions'))")
    rows = [_store(ContentKind.LESSON, row.id, row.digest, row.document) for row in course.lessons]
    rows += [
        _store(ContentKind.EXERCISE, row.id, row.digest, dict(row.document))
        for row in course.exercises
    ]
    rows.append(_store(ContentKind.COURSE, course.id, course.digest, course.document))
    return rows


def _store(kind: ContentKind, slug: str, digest: str, document: Mapping[str, Json]) -> bool:
    """True when the version is new here."""
    same = ContentVersion.objects.filter(kind=kind, slug=slug)
    found = same.filter(digest=digest).first()
    if found is not None and found.is_current:
        return False
    same.filter(is_current=True).update(is_current=False)
    if found is not None:
        # An author took a change back: the old version is the current one again.
        found.is_current = True
        found.save(update_fields=["is_current"])
        return False
    last = same.aggregate(last=Max("number"))["last"] or 0
    ContentVersion.objects.create(
        kind=kind, slug=slug, digest=digest, text=document_text(document), number=last + 1
    )
    return True

"""Notes beside lessons, and bookmarks: only their writer reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from checkride.accounts.models import User
from checkride.lib.errors import DomainError
from courses import catalog, reading
from courses.authoring.lessons import Lesson
from courses.models import Bookmark, ContentKind, Note

MOST_CHARACTERS = 4000
MOST_NOTES = 50


class NoteEmpty(DomainError):
    code = "note-empty"
    sentence = "The note is empty. Write something first; nothing was changed."


class NoteTooLong(DomainError):
    code = "note-too-long"
    sentence = (
        "The note has {has:,} characters; {most:,} is the limit. It was not saved and still stands "
        "in its field: shorten it, or make two of it."
    )


class TooManyNotes(DomainError):
    code = "too-many-notes"
    sentence = (
        "This lesson has {most} notes already, which is the limit. The text still stands in its "
        "field. Delete a note, or add to one of them."
    )


@dataclass(frozen=True, slots=True)
class Placed:
    """A note with the heading it stands under and the address of that place."""

    note: Note
    heading: str
    address: str


@dataclass(frozen=True, slots=True)
class LessonNotes:
    """All notes on one lesson."""

    title: str
    course: str
    address: str
    notes: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """A bookmark with what it leads to."""

    bookmark: Bookmark
    title: str
    course: str
    address: str


def clean(text: str) -> str:
    """The text as it is kept. PostgreSQL keeps no NUL; browsers send CR LF.

    Raises `NoteEmpty` and `NoteTooLong`.
    """
    kept = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not kept:
        raise NoteEmpty
    if len(kept) > MOST_CHARACTERS:
        raise NoteTooLong(has=len(kept), most=MOST_CHARACTERS)
    return kept


def write(user: User, lesson: Lesson, *, text: str, place: str, at: datetime) -> Note:
    """Keep a note under the heading `place`; an unknown place is the whole lesson.

    Raises `NoteEmpty`, `NoteTooLong` and `TooManyNotes`.
    """
    kept = clean(text)
    if Note.objects.filter(user=user, lesson=lesson.id).count() >= MOST_NOTES:
        raise TooManyNotes(most=MOST_NOTES)
    known = {heading.id for heading in reading.headings(lesson)}
    return Note.objects.create(
        user=user, lesson=lesson.id, place=place if place in known else "", text=kept, written_at=at
    )


def change(note: Note, *, text: str, at: datetime) -> None:
    """Replace the text of a note. Raises `NoteEmpty` and `NoteTooLong`."""
    note.text, note.changed_at = clean(text), at
    note.save(update_fields=["text", "changed_at"])


def of_lesson(user: User, lesson: Lesson, address: str) -> tuple[Placed, ...]:
    """Notes on one lesson, in the order of the places they stand at."""
    headings = {row.id: (order, row.title) for order, row in enumerate(reading.headings(lesson))}

    def order(note: Note) -> tuple[int, int]:
        return headings.get(note.place, (-1, ""))[0], note.pk

    rows = sorted(Note.objects.filter(user=user, lesson=lesson.id), key=order)
    return tuple(
        Placed(
            note=row,
            heading=headings.get(row.place, (0, ""))[1],
            address=f"{address}#{row.place}" if row.place in headings else address,
        )
        for row in rows
    )


def all_of(user: User) -> Iterator[LessonNotes]:
    """All notes by lesson, in the order of the courses. Notes on lessons that are gone come last."""
    lessons = set(Note.objects.filter(user=user).values_list("lesson", flat=True))
    for course in catalog.courses():
        for lesson in course.lessons:
            if lesson.id in lessons:
                lessons.discard(lesson.id)
                address = reverse("courses:lesson", args=[course.id, lesson.id])
                yield LessonNotes(
                    lesson.title, course.title, address, of_lesson(user, lesson, address)
                )
    for gone in sorted(lessons):
        rows = Note.objects.filter(user=user, lesson=gone)
        yield LessonNotes(gone, "", "", tuple(Placed(row, "", "") for row in rows))


def toggle(user: User, kind: ContentKind, slug: str, *, at: datetime) -> bool:
    """Set a bookmark, or take it away; True when it stands now."""
    taken, _rows = Bookmark.objects.filter(user=user, kind=kind, slug=slug).delete()
    if taken:
        return False
    Bookmark.objects.get_or_create(user=user, kind=kind, slug=slug, defaults={"at": at})
    return True


def is_marked(user: User | None, kind: ContentKind, slug: str) -> bool:
    return user is not None and Bookmark.objects.filter(user=user, kind=kind, slug=slug).exists()


def marked(user: User) -> Iterator[Marked]:
    """Bookmarks that still lead somewhere, the newest first."""
    for row in Bookmark.objects.filter(user=user):
        if row.kind == ContentKind.LESSON:
            found = catalog.lesson(row.slug)
            if found is not None:
                course, lesson = found
                address = reverse("courses:lesson", args=[course.id, lesson.id])
                yield Marked(row, lesson.title, course.title, address)
        else:
            exercise = catalog.exercise(row.slug)
            home = catalog.course(exercise.course) if exercise is not None else None
            if exercise is not None and home is not None:
                address = reverse("courses:exercise", args=[exercise.id])
                yield Marked(row, exercise.title, home.title, address)

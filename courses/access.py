"""Finding a learner's own rows; what belongs to somebody else does not exist."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404

from checkride.accounts.models import User
from courses.models import Note, Process, Submission, Variant


def own_submission(user: User, exercise_id: str, number: int) -> Submission:
    """The person's run of that number, or 404."""
    submission = (
        Submission.objects.filter(user=user, exercise=exercise_id, number=number)
        .select_related("report")
        .first()
    )
    if submission is None:
        raise Http404
    return submission


def own_process(user: User, process_id: UUID) -> Process:
    """The person's process of the studio, or 404."""
    process = Process.objects.filter(user=user, pk=process_id).first()
    if process is None:
        raise Http404
    return process


def own_variant(user: User, process_id: UUID, number: int) -> Variant:
    """The map of that number of the person's process, or 404."""
    variant = (
        Variant.objects.filter(process__user=user, process=process_id, number=number)
        .select_related("process__user")
        .first()
    )
    if variant is None:
        raise Http404
    return variant


def own_note(user: User, note_id: int) -> Note:
    """The person's note, or 404."""
    note = Note.objects.filter(user=user, pk=note_id).first()
    if note is None:
        raise Http404
    return note

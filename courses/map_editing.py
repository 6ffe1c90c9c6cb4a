"""A learner's map while it is edited by commands: read, change, save, undo, do again.

The text of the draft stays the one truth. Forms and canvas send commands; each one that is allowed
becomes the new text and one entry of the history, and an edit made in the text view between two of
them is an entry, too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from checkride.accounts.models import User
from checkride.lib.errors import DomainError
from courses import practice
from courses.authoring.curriculum import Exercise
from courses.models import Draft, MapEdit
from courses.simulators.workflows import conditions, edits, reading, writing
from courses.simulators.workflows.model import WorkflowMap
from courses.simulators.workflows.world import World, read_world

Json = Any

KEPT_EDITS = 100


class TextIsNoMap(DomainError):
    code = "text-is-no-map"
    sentence = (
        "The text has problems that keep it from being a map, so there is nothing to edit step by "
        "step. Mend them in the text view, undo the last edit, or start with an empty map."
    )


class NothingToUndo(DomainError):
    code = "nothing-to-undo"
    sentence = "There is nothing to undo. The map is as it was."


class NothingToRedo(DomainError):
    code = "nothing-to-redo"
    sentence = "There is nothing to do again. The map is as it was."


@dataclass(frozen=True, slots=True)
class History:
    """What the next undo and the next redo are about; empty where there is none."""

    undo: str
    redo: str


def world_of(exercise: Exercise) -> World:
    return read_world(exercise.document)


def text_of(user: User, exercise: Exercise) -> tuple[str, int]:
    """The saved text and its revision; the starting text has the revision 0."""
    draft = practice.draft_of(user, exercise.id)
    if draft is None:
        return str(exercise.document.get("starter", "")), 0
    return draft.text, draft.revision


def map_in(understood: Json) -> WorkflowMap | None:
    """The map in what the box has read; None when the text was none."""
    data = (understood or {}).get("map")
    if data is None:
        return None
    # The box has read the text against the exercise; what comes from it has only its own form.
    return reading.read_map(json.dumps(data), blocks=None, visible=tuple(conditions.VARIABLES))


def edit(
    user: User,
    exercise: Exercise,
    commands: Sequence[edits.Command],
    *,
    over: int | None,
    at: datetime,
) -> tuple[Draft, edits.Edited]:
    """Apply commands to the saved map, each as an entry of its own, all of them or none.

    `over` is the revision that the editor saw. Raises `edits.EditRefused`, `TextIsNoMap`,
    `practice.DraftMoved`, `practice.TextTooLong` and what `practice.read` raises.
    """
    text, revision = text_of(user, exercise)
    if over is not None and over != revision:
        raise practice.DraftMoved
    document = _document(user, exercise, text, commands[0])
    world = world_of(exercise)
    done: list[tuple[str, str]] = []
    edited = None
    for command in commands:
        edited = edits.edit(
            document,
            command,
            blocks=world.kinds,
            visible=world.visible,
            options=world.choices,
        )
        document = writing.to_json(edited.map)
        done.append((edited.says, writing.to_text(edited.map)))
    assert edited is not None  # noqa: S101  # there is at least one command
    with transaction.atomic():
        _lock(user)
        for says, after in done:
            _record(user, exercise.id, says, before=text, after=after, at=at)
            text = after
        draft = practice.save_draft(user, exercise.id, text=text, over=revision, at=at)
        _forget_old(user, exercise.id)
    return draft, edited


def _document(user: User, exercise: Exercise, text: str, command: edits.Command) -> edits.Document:
    """The map in the text as JSON. Emptying works on any text, and every edit on an empty one."""
    if not text.strip():
        return edits.blank(_plain_id(exercise.id), exercise.title[:80])
    understood = practice.read(user, exercise, text).get("map")
    if understood is None:
        if isinstance(command, edits.Clear):
            return edits.blank(_plain_id(exercise.id), exercise.title[:80])
        raise TextIsNoMap
    document: edits.Document = understood
    return document


def _plain_id(exercise_id: str) -> str:
    return exercise_id if reading.MAP_ID.fullmatch(exercise_id) else "map"


def put(user: User, exercise: Exercise, text: str, *, says: str, at: datetime) -> Draft:
    """Make another text the draft, as one entry of the history."""
    with transaction.atomic():
        _lock(user)
        before, _revision = text_of(user, exercise)
        _record(user, exercise.id, says, before=before, after=text, at=at)
        draft = practice.save_draft(user, exercise.id, text=text, over=None, at=at)
        _forget_old(user, exercise.id)
    return draft


# The history --------------------------------------------------------------------------------------


@transaction.atomic
def undo(user: User, exercise: Exercise, *, over: int | None, at: datetime) -> tuple[Draft, str]:
    """Take the last edit back. Raises `NothingToUndo` and `practice.DraftMoved`."""
    _lock(user)
    text, revision = text_of(user, exercise)
    if over is not None and over != revision:
        raise practice.DraftMoved
    _note_text_edit(user, exercise.id, text, at=at)
    last = _rows(user, exercise.id).filter(undone=False).last()
    if last is None:
        raise NothingToUndo
    last.undone = True
    last.save(update_fields=["undone"])
    draft = practice.save_draft(user, exercise.id, text=last.before, over=None, at=at)
    return draft, _("Undone: %(what)s") % {"what": last.says}


@transaction.atomic
def redo(user: User, exercise: Exercise, *, over: int | None, at: datetime) -> tuple[Draft, str]:
    """Do the edit again that was undone last. Raises `NothingToRedo` and `practice.DraftMoved`."""
    _lock(user)
    text, revision = text_of(user, exercise)
    if over is not None and over != revision:
        raise practice.DraftMoved
    _note_text_edit(user, exercise.id, text, at=at)
    first = _rows(user, exercise.id).filter(undone=True).first()
    if first is None:
        raise NothingToRedo
    first.undone = False
    first.save(update_fields=["undone"])
    draft = practice.save_draft(user, exercise.id, text=first.after, over=None, at=at)
    return draft, _("Done again: %(what)s") % {"what": first.says}


def history(user: User, exercise: Exercise) -> History:
    text, _revision = text_of(user, exercise)
    rows = _rows(user, exercise.id)
    last = rows.filter(undone=False).last()
    first = rows.filter(undone=True).first()
    base = last.after if last is not None else first.before if first is not None else text
    if base != text:
        return History(_text_edit(), "")
    return History(last.says if last is not None else "", first.says if first is not None else "")


def _text_edit() -> str:
    return _("Edited as text")


def _rows(user: User, exercise_id: str) -> Any:
    return MapEdit.objects.filter(user=user, exercise=exercise_id)


def _lock(user: User) -> None:
    # One row of this person is locked, so that two edits at once come one after the other.
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)


def _note_text_edit(user: User, exercise_id: str, text: str, *, at: datetime) -> None:
    """Enter what was typed since the last command, so that no undo jumps over it."""
    rows = _rows(user, exercise_id)
    last = rows.filter(undone=False).last()
    first = rows.filter(undone=True).first()
    base = last.after if last is not None else first.before if first is not None else text
    if base == text:
        return
    rows.filter(undone=True).delete()
    MapEdit.objects.create(
        user=user, exercise=exercise_id, says=_text_edit(), before=base, after=text, at=at
    )


def _record(
    user: User, exercise_id: str, says: str, *, before: str, after: str, at: datetime
) -> None:
    _note_text_edit(user, exercise_id, before, at=at)
    _rows(user, exercise_id).filter(undone=True).delete()
    if before != after:
        MapEdit.objects.create(
            user=user, exercise=exercise_id, says=says[:300], before=before, after=after, at=at
        )


def _forget_old(user: User, exercise_id: str) -> None:
    kept = _rows(user, exercise_id).order_by("-pk").values_list("pk", flat=True)[:KEPT_EDITS]
    _rows(user, exercise_id).exclude(pk__in=list(kept)).delete()

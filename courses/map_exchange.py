"""A learner's map as a BPMN file, and a BPMN file as a learner's map."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from checkride.accounts.models import User
from checkride.lib import strict_yaml
from checkride.lib.errors import DomainError
from courses import practice
from courses.authoring.curriculum import Exercise
from courses.models import Draft, ReplacedDraft
from courses.simulators.workflows import bpmn, conditions, fitting, reading, writing
from courses.simulators.workflows.world import read_world

MAX_BYTES = bpmn.MAX_BYTES
KEPT_TEXTS = 20


class NotYetAMap(DomainError):
    code = "not-yet-a-map"
    sentence = (
        "The text has problems that keep it from being a map, so there is no BPMN of it yet. "
        "They stand beside the text; mend them and download it again."
    )


class NothingToPutBack(DomainError):
    code = "nothing-to-put-back"
    sentence = "That text was put back already. Nothing was changed."


@dataclass(frozen=True, slots=True)
class ToChoose:
    """A step of an imported map for which the person must choose, with its line in the new text."""

    line: int
    says: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file, in sentences; with `problems` nothing was taken."""

    kept: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    to_choose: tuple[ToChoose, ...] = ()


def bpmn_of(user: User, exercise: Exercise) -> str:
    """The saved map as BPMN 2.0. Raises `NotYetAMap` and what `practice.read` raises."""
    draft = practice.draft_of(user, exercise.id)
    text = draft.text if draft is not None else str(exercise.document.get("starter", ""))
    understood = practice.read(user, exercise, text).get("map")
    if understood is None:
        raise NotYetAMap
    # The box has read the text against the exercise; what comes from it has only its own form.
    map_ = reading.read_map(
        json.dumps(understood), blocks=None, visible=tuple(conditions.VARIABLES)
    )
    return bpmn.to_bpmn(map_)


def take(user: User, exercise: Exercise, *, file: bytes, on_page: str, at: datetime) -> Taken:
    """Make the file's map the learner's text, if it can be taken; the result says what became of it.

    Its steps get the blocks of the exercise where that is certain, see `fitting`. The saved text
    and the one on the page are kept and can be put back. Raises `practice.TextTooLong` and
    `practice.TooManyReadings`, and then nothing was changed.
    """
    practice.count_reading(user)
    found = bpmn.from_bpmn(file)
    if found.map is None:
        return Taken(problems=found.problems)
    fitted = fitting.fit(found.map, read_world(exercise.document), guessed=found.guessed)
    text = writing.to_text(fitted.map)
    _replace(user, exercise, text, on_page=on_page, at=at)
    lines = strict_yaml.line_numbers(text)
    return Taken(
        (*found.kept, *fitted.matched),
        found.left_out,
        to_choose=tuple(
            ToChoose(lines["nodes", choice.step], choice.says) for choice in fitted.choices
        ),
    )


@transaction.atomic
def put_back(user: User, exercise: Exercise, number: int, *, on_page: str, at: datetime) -> None:
    """Make a replaced text the draft again; the text of now is kept in its stead."""
    row = (
        ReplacedDraft.objects.select_for_update()
        .filter(user=user, exercise=exercise.id, pk=number)
        .first()
    )
    if row is None:
        raise NothingToPutBack
    row.delete()
    _replace(user, exercise, row.text, on_page=on_page, at=at)


def replaced(user: User | None, exercise_id: str) -> Sequence[ReplacedDraft]:
    """The texts that can be put back, the newest first."""
    if user is None:
        return []
    return list(ReplacedDraft.objects.filter(user=user, exercise=exercise_id))


@transaction.atomic
def _replace(user: User, exercise: Exercise, text: str, *, on_page: str, at: datetime) -> None:
    rows = ReplacedDraft.objects.filter(user=user, exercise=exercise.id)
    draft = Draft.objects.select_for_update().filter(user=user, exercise=exercise.id).first()
    shown = on_page.replace("\r\n", "\n").replace("\x00", "")
    if len(shown) > practice.MOST_CHARACTERS:
        raise practice.TextTooLong(has=len(shown), most=practice.MOST_CHARACTERS)
    starter = str(exercise.document.get("starter", ""))
    known = {text.strip(), starter.strip(), "", *(row.text.strip() for row in rows)}
    for old in (draft.text if draft is not None else "", shown):
        if old.strip() not in known:
            known.add(old.strip())
            ReplacedDraft.objects.create(user=user, exercise=exercise.id, text=old, at=at)
    practice.save_draft(user, exercise.id, text=text, over=None, at=at)
    rows.filter(pk__in=[row.pk for row in rows.all()[KEPT_TEXTS:]]).delete()

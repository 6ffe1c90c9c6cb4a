"""What the pages with a map editor share: which view is shown, and what an edit that was sent does."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from checkride.accounts.access import SignedInRequest
from checkride.accounts.models import User
from checkride.lib import clock
from checkride.lib.errors import DomainError
from courses import map_bench, map_editing, map_forms, map_steps, practice
from courses.authoring.curriculum import Exercise
from courses.map_forms import MapForm
from courses.simulators.workflows import edits
from courses.simulators.workflows.model import WorkflowMap

Json = Any

VIEWS = ("steps", "canvas", "text")
_VIEW_KEY = "courses.map_view"
_SAID_KEY = "courses.map_edit"


def chosen_view(request: HttpRequest) -> str:
    """Steps, text or drawing: what the address asks for, else what this person looked at last."""
    asked = request.GET.get("view", "")
    if asked in VIEWS:
        if request.user.is_authenticated:
            request.session[_VIEW_KEY] = asked
        return asked
    if "edit" in request.GET:
        return "steps"
    kept = request.session.get(_VIEW_KEY, "")
    return kept if kept in VIEWS else "steps"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A form that was refused, to be shown again with what was typed."""

    opened: str
    form: MapForm


def steps(
    request: HttpRequest,
    user: User,
    exercise: Exercise,
    reading: Json,
    sheet: map_bench.Sheet | None,
    unfinished: Unfinished | None,
) -> map_steps.Editor | None:
    """The step editor for the saved map; None when its text is no map."""
    text, revision = map_editing.text_of(user, exercise)
    map_ = map_editing.map_in(reading)
    if map_ is None or sheet is None:
        if text.strip():
            return None
        map_, sheet = WorkflowMap("map", exercise.title, (), ()), map_bench.EMPTY
    world = map_editing.world_of(exercise)
    opened, form = "", None
    if unfinished is not None:
        opened, form = unfinished.opened, unfinished.form
    else:
        opened = request.GET.get("edit", "")[:80]
        form = map_steps.open_form(map_, world, opened)
    told = request.session.pop(_SAID_KEY, None)
    return map_steps.editor(
        map_,
        world,
        sheet,
        revision=revision,
        history=map_editing.history(user, exercise),
        opened=opened if form is not None else "",
        form=form,
        said=told if told is not None and told["exercise"] == exercise.id else {},
    )


def take_edit(request: SignedInRequest, exercise: Exercise) -> str | Unfinished:
    """Do what a form or a button of the step editor sent.

    The result is the place on the page to go on from, or the form that needs another look.
    """
    user, at = request.user, clock.now()
    over = _whole(request.POST.get("over", ""))
    opened = request.POST.get("edit", "")[:80]
    try:
        match request.POST.get("history"):
            case "undo":
                _draft, says = map_editing.undo(user, exercise, over=over, at=at)
                return _told(request, exercise, says)
            case "redo":
                _draft, says = map_editing.redo(user, exercise, over=over, at=at)
                return _told(request, exercise, says)
        if "command" in request.POST:
            commands = [edits.read_command(_json(request.POST["command"]))]
            _draft, edited = map_editing.edit(user, exercise, commands, over=over, at=at)
            return _told(request, exercise, edited.says, edited.at)
        return _take_form(request, exercise, opened, over)
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return ""


def _take_form(
    request: SignedInRequest, exercise: Exercise, opened: str, over: int | None
) -> str | Unfinished:
    text, _revision = map_editing.text_of(request.user, exercise)
    map_ = map_editing.map_in(practice.read(request.user, exercise, text) if text.strip() else None)
    if map_ is None:
        if text.strip():
            raise map_editing.TextIsNoMap
        map_ = WorkflowMap("map", exercise.title, (), ())
    form = map_steps.open_form(map_, map_editing.world_of(exercise), opened, request.POST)
    if form is None:
        raise practice.DraftMoved
    if not form.is_valid():
        return Unfinished(opened, form)
    try:
        _draft, edited = map_editing.edit(
            request.user, exercise, form.commands(), over=over, at=clock.now()
        )
    except edits.EditRefused as refusal:
        form.take(refusal.problems)
        return Unfinished(opened, form)
    except practice.DraftMoved:
        form.add_error(
            None,
            _(
                "The map was changed somewhere else in the meantime, in another tab or on another "
                "computer. It is shown as it is now; look whether this still fits, then save again."
            ),
        )
        return Unfinished(opened, form)
    return _told(request, exercise, edited.says, edited.at)


def _told(request: SignedInRequest, exercise: Exercise, says: str, at: str | None = None) -> str:
    request.session[_SAID_KEY] = {"exercise": exercise.id, "says": says, "at": at or ""}
    return f"s-{at}" if at else "said"


def _json(text: str) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise edits.NotACommand(problem=_("no JSON")) from error


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


# For the canvas -----------------------------------------------------------------------------------


def answer_commands(request: SignedInRequest, exercise: Exercise) -> JsonResponse:
    """Apply the commands that the canvas sent; the answer is the map as it is then.

    Takes `{"over": 3, "commands": [...]}`, or `{"over": 3, "history": "undo"}`.
    """
    user, at = request.user, clock.now()
    try:
        data = _json(request.body[:200_000].decode(errors="replace"))
        if not isinstance(data, dict) or not isinstance(data.get("over"), int):
            raise edits.NotACommand(problem=_("no revision"))
        over = data["over"]
        match data.get("history"):
            case "undo":
                _draft, says = map_editing.undo(user, exercise, over=over, at=at)
            case "redo":
                _draft, says = map_editing.redo(user, exercise, over=over, at=at)
            case _:
                rows = data.get("commands")
                if not isinstance(rows, list) or not 0 < len(rows) <= edits.MAX_COMMANDS:
                    raise edits.NotACommand(problem=_("no list of commands"))
                commands = [edits.read_command(row) for row in rows]
                _draft, edited = map_editing.edit(user, exercise, commands, over=over, at=at)
                says = edited.says
        return JsonResponse({"says": says, **canvas_data(user, exercise)})
    except DomainError as refusal:
        status = 409 if isinstance(refusal, practice.DraftMoved) else 400
        if isinstance(refusal, practice.TooManyReadings):
            status = 429
        now = {} if status == 429 else canvas_data(user, exercise)
        problems = refusal.problems if isinstance(refusal, edits.EditRefused) else ()
        told = {
            "code": refusal.code,
            "message": refusal.message,
            "problems": [{"message": row.message, "field": row.field} for row in problems],
        }
        return JsonResponse(told | now, status=status)


def canvas(user: User, exercise: Exercise) -> dict[str, Json] | None:
    """What the canvas starts with; None when the saved text is no map."""
    data = canvas_data(user, exercise)
    if data["document"] is None:
        return None
    world = map_editing.world_of(exercise)
    kinds = [
        {"group": value, "choices": _pairs(words)}
        if isinstance(words, list)
        else [value, str(words)]
        for value, words in map_forms.kinds_to_choose(world)
    ]
    del data["html"]
    return data | {
        "catalogue": {
            "kinds": kinds,
            "questions": [
                [form, str(words)]
                for form, name, words in map_forms.QUESTIONS
                if name in world.visible
            ],
            "tools": [[block.id, block.name] for block in world.blocks if block.kind == "tool"],
            "priorities": _pairs(map_forms.PRIORITIES),
            "options": [
                {
                    "id": offer.id,
                    "label": offer.label,
                    "hint": offer.hint,
                    "choices": _pairs(offer.choices),
                }
                for offer in map_forms.offers(world)
            ],
        }
    }


def _pairs(choices: Iterable[tuple[str, Any]]) -> list[list[str]]:
    """Choices as JSON; lazy words become text."""
    return [[value, str(words)] for value, words in choices]


def canvas_data(user: User, exercise: Exercise) -> dict[str, Json]:
    """The saved map with its findings and its history, for the canvas and the page around it."""
    text, revision = map_editing.text_of(user, exercise)
    understood = practice.read(user, exercise, text) if text.strip() else {}
    document = understood.get("map") if text.strip() else edits.blank(title=exercise.title)
    findings = understood.get("findings", [])
    past = map_editing.history(user, exercise)
    sheet = map_bench.sheet(understood)
    return {
        "text": text,
        "foot": str(map_bench.foot(sheet)),
        "html": render_to_string(
            "courses/_map_reading.html", {"sheet": sheet, "view": "canvas", "user": user}
        ),
        "document": document,
        "revision": revision,
        "findings": findings,
        "undo": past.undo,
        "redo": past.redo,
    }


# While the text is written ------------------------------------------------------------------------


def answer_draft(request: SignedInRequest, exercise: Exercise) -> JsonResponse:
    """Save the text while it is written; answers JSON with the new revision."""
    try:
        saved = practice.save_draft(
            request.user,
            exercise.id,
            text=request.POST.get("text", ""),
            over=_whole(request.POST.get("over", "")),
            at=clock.now(),
        )
    except DomainError as refusal:
        status = 409 if isinstance(refusal, practice.DraftMoved) else 400
        return JsonResponse({"code": refusal.code, "message": refusal.message}, status=status)
    return JsonResponse({"revision": saved.revision, "saved": f"{saved.saved_at:%H:%M:%S}"})


def answer_reading(request: SignedInRequest, exercise: Exercise) -> JsonResponse:
    """How the text of a map is understood right now, as a piece of the page."""
    try:
        reading = practice.read(request.user, exercise, request.POST.get("text", ""))
    except DomainError as refusal:
        status = 429 if isinstance(refusal, practice.TooManyReadings) else 400
        return JsonResponse({"code": refusal.code, "message": refusal.message}, status=status)
    sheet = map_bench.sheet(reading)
    return JsonResponse(
        {
            "html": render_to_string("courses/_map_reading.html", {"sheet": sheet}, request),
            "marks": [mark.json for mark in map_bench.marks(reading)],
            "foot": str(map_bench.foot(sheet)),
            "count": "",
        }
    )

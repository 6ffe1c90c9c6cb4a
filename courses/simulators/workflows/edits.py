"""The commands that change a map: one language for the forms, the canvas and whatever comes next.

A command is a small JSON object, e.g. `{"do": "connect", "way": {"src": "check", "dst": "pay"}}`.
It is applied to the JSON form of a map and the result is read by the ordinary reader, so an edit
can never make a map that the text form would refuse. One command is one entry of an undo history.
`platform/frontend/src/map/document.ts` applies the same commands in the browser; the tests compare.
"""

from __future__ import annotations

import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from checkride.lib.errors import DomainError
from courses.simulators.workflows.model import BadMap, Edge, MapProblem, WorkflowMap
from courses.simulators.workflows.reading import (
    BOOLEANS_ELSEWHERE,
    FORMAT,
    MAY,
    NEEDS,
    NODE_ID,
    read_map,
)
from courses.simulators.workflows.writing import to_json

Json = Any
Document = dict[str, Any]

MAX_COMMANDS = 50
_ID_CHARACTERS = 32
_LETTERS = frozenset(string.ascii_lowercase + string.digits)
# Findings about the whole map, such as one limit on the loops, have no field.
_WAY_FIELDS = ("src", "dst", "on", "when", "default", "max")


class NotACommand(DomainError):
    code = "not-a-command"
    sentence = (
        "The editor sent something that is no edit of a map ({problem}). Nothing was changed."
    )


class EditRefused(DomainError):
    """An edit that would make something that is no map; `problems` say why, each with its place."""

    code = "edit-refused"
    sentence = "{sentence}"

    def __init__(self, *problems: MapProblem) -> None:
        self.problems = problems
        super().__init__(sentence=" ".join(problem.message for problem in problems))


def _refuse(sentence: str, *, node: str | None = None, field: str | None = None) -> EditRefused:
    return EditRefused(MapProblem(sentence, node=node, field=field))


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class WayForm(_Command):
    """A way as the JSON form has it."""

    src: str
    dst: str
    on: Literal["ok", "error", "timeout"] = "ok"
    when: str | None = None
    default: bool = False
    max: int | None = None


class SetTitle(_Command):
    do: Literal["set_title"]
    title: str


class AddStep(_Command):
    """A new step, behind `after` in the list.

    `into` is the sentence of a way that the step is put in: the way then leads to the step, and
    the step to where the way led. `linked` draws a plain way from `after` to the step instead.
    """

    do: Literal["add_step"]
    step: dict[str, Json]
    id: str | None = None
    after: str | None = None
    into: str | None = None
    linked: bool = False


class ChangeStep(_Command):
    """`set` gives the new settings of a step; null takes one away."""

    do: Literal["change_step"]
    id: str
    set: dict[str, Json]


class RenameStep(_Command):
    """Changes the id of a step wherever it stands."""

    do: Literal["rename_step"]
    id: str
    to: str


class RemoveStep(_Command):
    do: Literal["remove_step"]
    id: str


class MoveStep(_Command):
    """Moves a step in the list: up by one with -1, down by one with 1."""

    do: Literal["move_step"]
    id: str
    by: int = Field(ge=-60, le=60)


class Connect(_Command):
    do: Literal["connect"]
    way: WayForm


class ChangeWay(_Command):
    """Puts another way in the place of the one with this sentence; it keeps its turn."""

    do: Literal["change_way"]
    way: str
    to: WayForm


class RemoveWay(_Command):
    do: Literal["remove_way"]
    way: str


class MoveWay(_Command):
    """Changes the turn of a way among those out of its step; a gateway asks in that order."""

    do: Literal["move_way"]
    way: str
    by: int = Field(ge=-150, le=150)


class Place(_Command):
    """Where steps stand in the drawing. It has no meaning for the map."""

    do: Literal["place"]
    spots: dict[str, tuple[int, int]]


class SetOptions(_Command):
    """What is bought: a number of people or a version by option; null takes the usual one again."""

    do: Literal["set_options"]
    set: dict[str, int | str | None]


class Tidy(_Command):
    """Forgets all places: the drawing arranges itself."""

    do: Literal["tidy"]


class Clear(_Command):
    """Takes every step away, and what was bought; the title stays."""

    do: Literal["clear"]


Command = (
    SetTitle
    | AddStep
    | ChangeStep
    | RenameStep
    | RemoveStep
    | MoveStep
    | Connect
    | ChangeWay
    | RemoveWay
    | MoveWay
    | Place
    | SetOptions
    | Tidy
    | Clear
)
_COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="do")])


@dataclass(frozen=True, slots=True)
class Edited:
    """The map after an edit, what was done in a few words, and the step that it was done to."""

    map: WorkflowMap
    says: str
    at: str | None = None


def read_command(data: Json) -> Command:
    """The command in a JSON value. Raises `NotACommand`."""
    try:
        # Through text, so that a pair in a list is a pair, as JSON has no tuples.
        return _COMMAND.validate_json(json.dumps(data))
    except (ValidationError, RecursionError, TypeError, ValueError) as error:
        problem = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise NotACommand(problem=problem[:120]) from error


def blank(map_id: str = "map", title: str = "New map") -> Document:
    return {"checkride": FORMAT, "id": map_id, "title": title, "nodes": {}, "edges": []}


def edit(
    document: Document,
    command: Command,
    *,
    blocks: Mapping[str, str] | None,
    visible: Sequence[str],
    options: Mapping[str, range | tuple[str, ...]] | None = None,
) -> Edited:
    """The map after one command; the document itself is left as it was. Raises `EditRefused`.

    `blocks`, `visible` and `options` are those of `read_map`.
    """
    changed: Document = json.loads(json.dumps(document))
    says, at = _apply(changed, command)
    try:
        map_ = read_map(json.dumps(changed), blocks=blocks, visible=visible, options=options)
    except BadMap as error:
        raise EditRefused(*error.problems) from error
    return Edited(map_, says, at)


def apply_all(
    document: Document,
    commands: Sequence[Command],
    *,
    blocks: Mapping[str, str] | None,
    visible: Sequence[str],
) -> Document:
    """Several commands one after the other, each of which must be allowed by itself."""
    for command in commands:
        document = to_json(edit(document, command, blocks=blocks, visible=visible).map)
    return document


def sentence(way: Mapping[str, Json]) -> str:
    """The sentence of a way in the JSON form, which is its name in commands."""
    return Edge(
        way["src"],
        way["dst"],
        way.get("on", "ok"),
        way.get("when"),
        way.get("default", False),
        way.get("max"),
    ).sentence


def free_id(name: str, taken: Mapping[str, Json], fallback: str = "step") -> str:
    """An id for a step of this name that no other step has: `Look up order` is `look_up_order`."""
    lowered = "".join(
        letter.lower() if letter in string.ascii_uppercase else letter for letter in name
    )
    spaced = "".join(letter if letter in _LETTERS else " " for letter in lowered)
    base = "_".join(spaced.split())[:_ID_CHARACTERS].rstrip("_")
    if not base or not NODE_ID.fullmatch(base):
        base = fallback
    if base in BOOLEANS_ELSEWHERE:
        base += "_step"
    number, found = 1, base
    while found in taken:
        number += 1
        tail = f"_{number}"
        found = base[: _ID_CHARACTERS - len(tail)] + tail
    return found


# -- what each command does ----------------------------------------------------------------------


def _apply(document: Document, command: Command) -> tuple[str, str | None]:
    match command:
        case SetTitle(title=title):
            document["title"] = title
            return f"Called the map “{title}”", None
        case AddStep():
            return _add_step(document, command)
        case ChangeStep(id=step_id, set=settings):
            return _change_step(document, step_id, settings)
        case RenameStep(id=step_id, to=new):
            return _rename_step(document, step_id, new)
        case RemoveStep(id=step_id):
            return _remove_step(document, step_id)
        case MoveStep(id=step_id, by=by):
            return _move_step(document, step_id, by)
        case Connect(way=way):
            return _connect(document, way)
        case ChangeWay(way=name, to=way):
            return _change_way(document, name, way)
        case RemoveWay(way=name):
            index = _find_way(document, name)
            way_ = document["edges"].pop(index)
            return f"Removed the way from {_names(document, way_)}", way_["src"]
        case MoveWay(way=name, by=by):
            return _move_way(document, name, by)
        case Place(spots=spots):
            return _place(document, spots)
        case SetOptions(set=chosen):
            return _set_options(document, chosen)
        case Tidy():
            document.pop("layout", None)
            return "Tidied the drawing", None
        case Clear():
            document["nodes"], document["edges"] = {}, []
            document.pop("layout", None)
            document.pop("options", None)
            return "Emptied the map", None


def _step(document: Document, step_id: str, field: str | None = None) -> dict[str, Json]:
    steps: dict[str, dict[str, Json]] = document["nodes"]
    if step_id not in steps:
        raise _refuse(
            f"There is no step “{step_id[:40]}” any more. Look at the map as it is now.",
            field=field,
        )
    return steps[step_id]


def _name(document: Document, step_id: str) -> str:
    step = document["nodes"].get(step_id)
    return str(step["name"]) if step else step_id


def _names(document: Document, way: Mapping[str, Json]) -> str:
    return f"“{_name(document, way['src'])}” to “{_name(document, way['dst'])}”"


def _add_step(document: Document, command: AddStep) -> tuple[str, str | None]:
    steps: dict[str, Json] = document["nodes"]
    kind, name = command.step.get("kind"), command.step.get("name")
    if not isinstance(name, str) or not name.strip():
        raise _refuse("Give the step a name.", field="name")
    if kind not in NEEDS:
        raise _refuse("Say what the step is.", field="kind")
    step_id = command.id or free_id(name, steps, str(kind))
    if step_id in steps:
        raise _refuse(f"There is a step “{step_id}” already. Give this one another id.", field="id")
    step = {key: value for key, value in command.step.items() if value is not None}
    if command.after is not None:
        _step(document, command.after)
        _insert(document, step_id, step, list(steps).index(command.after) + 1)
    else:
        steps[step_id] = step
    says = f"Added “{name}”"
    if command.into is not None:
        way = document["edges"][_find_way(document, command.into)]
        led_to, way["dst"] = way["dst"], step_id
        if kind != "end":
            onward: Json = {"src": step_id, "dst": led_to}
            if kind == "gateway":
                onward["default"] = True
            document["edges"].append(onward)
        says += f" between “{_name(document, way['src'])}” and “{_name(document, led_to)}”"
    elif command.linked and command.after is not None:
        way = {"src": command.after, "dst": step_id}
        if document["nodes"][command.after]["kind"] == "gateway":
            way["default"] = True
        document["edges"].append(way)
        says += f" behind “{_name(document, command.after)}”"
    return says, step_id


def _insert(document: Document, step_id: str, step: Json, at: int) -> None:
    steps = list(document["nodes"].items())
    steps.insert(at, (step_id, step))
    document["nodes"] = dict(steps)


def _change_step(
    document: Document, step_id: str, settings: Mapping[str, Json]
) -> tuple[str, str | None]:
    step = _step(document, step_id)
    kind = settings.get("kind", step["kind"])
    if kind not in NEEDS:
        raise _refuse("Say what the step is.", node=step_id, field="kind")
    if kind != step["kind"]:
        # What only the old kind has would be refused; it is left behind.
        allowed = {"name", "note", *NEEDS[kind], *MAY[kind]}
        for key in [key for key in step if key not in allowed]:
            del step[key]
    step["kind"] = kind
    for key, value in settings.items():
        if value is None:
            step.pop(key, None)
        else:
            step[key] = value
    return f"Changed “{step.get('name', step_id)}”", step_id


def _rename_step(document: Document, step_id: str, new: str) -> tuple[str, str | None]:
    _step(document, step_id)
    if new == step_id:
        return f"Left the id “{new}”", new
    if new in document["nodes"]:
        raise _refuse(
            f"There is a step “{new}” already. Give this one another id.", node=step_id, field="id"
        )

    def renamed(word: str) -> str:
        return new if word == step_id else word

    document["nodes"] = {renamed(key): step for key, step in document["nodes"].items()}
    for step in document["nodes"].values():
        if "undoes" in step:
            step["undoes"] = renamed(step["undoes"])
    for way in document["edges"]:
        way["src"], way["dst"] = renamed(way["src"]), renamed(way["dst"])
    if "layout" in document:
        document["layout"] = {renamed(key): spot for key, spot in document["layout"].items()}
    return f"Gave “{_name(document, new)}” the id “{new}”", new


def _remove_step(document: Document, step_id: str) -> tuple[str, str | None]:
    step = _step(document, step_id)
    for other_id, other in document["nodes"].items():
        if other.get("undoes") == step_id and other_id != step_id:
            raise _refuse(
                f"“{other['name']}” takes back what “{step['name']}” does. Remove it first, or let "
                "it take back another step.",
                node=step_id,
            )
    del document["nodes"][step_id]
    ways = document["edges"]
    document["edges"] = [way for way in ways if step_id not in (way["src"], way["dst"])]
    gone = len(ways) - len(document["edges"])
    if "layout" in document:
        document["layout"].pop(step_id, None)
        if not document["layout"]:
            del document["layout"]
    with_ways = {0: "", 1: " and one way"}.get(gone, f" and {gone} ways")
    return f"Removed “{step['name']}”{with_ways}", None


def _moved(index: int, by: int, most: int) -> int:
    return min(max(index + by, 0), most)


def _move_step(document: Document, step_id: str, by: int) -> tuple[str, str | None]:
    step = _step(document, step_id)
    steps = list(document["nodes"])
    at = _moved(steps.index(step_id), by, len(steps) - 1)
    del document["nodes"][step_id]
    _insert(document, step_id, step, at)
    return f"Moved “{step['name']}” {'up' if by < 0 else 'down'}", step_id


def _way(form: WayForm) -> dict[str, Json]:
    way: dict[str, Json] = {"src": form.src, "dst": form.dst}
    if form.on != "ok":
        way["on"] = form.on
    if form.when is not None:
        way["when"] = " ".join(form.when.split())
    if form.default:
        way["default"] = True
    if form.max is not None:
        way["max"] = form.max
    return way


def _find_way(document: Document, name: str) -> int:
    for index, way in enumerate(document["edges"]):
        if sentence(way) == name:
            return index
    raise _refuse("That way is not there any more. Look at the map as it is now.")


def _check_ends(document: Document, way: Mapping[str, Json]) -> None:
    _step(document, way["src"], "src")
    target = _step(document, way["dst"], "dst")
    if document["nodes"][way["src"]]["kind"] == "end":
        raise _refuse(
            f"“{_name(document, way['src'])}” is an end: nothing follows it.", node=way["src"]
        )
    if target["kind"] == "trigger":
        raise _refuse(
            f"“{target['name']}” starts the map: nothing may lead into it.",
            node=way["src"],
            field="dst",
        )


def _connect(document: Document, form: WayForm) -> tuple[str, str | None]:
    way = _way(form)
    _check_ends(document, way)
    if any(sentence(other) == sentence(way) for other in document["edges"]):
        raise _refuse("This way is there already.", node=form.src, field="dst")
    # The last word of a gateway is asked last; what comes later stands before it.
    siblings = [
        index
        for index, other in enumerate(document["edges"])
        if other["src"] == form.src and other.get("default")
    ]
    if siblings and not form.default:
        document["edges"].insert(siblings[0], way)
    else:
        document["edges"].append(way)
    return f"Connected {_names(document, way)}", form.src


def _change_way(document: Document, name: str, form: WayForm) -> tuple[str, str | None]:
    index = _find_way(document, name)
    way = _way(form)
    _check_ends(document, way)
    twins = [sentence(other) for other in document["edges"]]
    if sentence(way) != name and sentence(way) in twins:
        raise _refuse("This way is there already.", node=form.src, field="dst")
    document["edges"][index] = way
    return f"Changed the way from {_names(document, way)}", form.src


def _move_way(document: Document, name: str, by: int) -> tuple[str, str | None]:
    index = _find_way(document, name)
    way = document["edges"][index]
    siblings = [i for i, other in enumerate(document["edges"]) if other["src"] == way["src"]]
    before = siblings.index(index)
    order = [document["edges"][i] for i in siblings]
    order.insert(_moved(before, by, len(order) - 1), order.pop(before))
    for i, sibling in zip(siblings, order, strict=True):
        document["edges"][i] = sibling
    turn = "earlier" if by < 0 else "later"
    return f"Asks for {_names(document, way)} {turn}", way["src"]


def _place(document: Document, spots: Mapping[str, tuple[int, int]]) -> tuple[str, str | None]:
    for step_id in spots:
        _step(document, step_id)
    layout = document.setdefault("layout", {})
    layout.update({step_id: list(spot) for step_id, spot in spots.items()})
    if len(spots) == 1:
        (step_id,) = spots
        return f"Placed “{_name(document, step_id)}”", step_id
    return "Arranged the drawing", None


def _set_options(
    document: Document, chosen: Mapping[str, int | str | None]
) -> tuple[str, str | None]:
    options = document.setdefault("options", {})
    for key, bought in chosen.items():
        if bought is None:
            options.pop(key, None)
        else:
            options[key] = bought
    if not options:
        del document["options"]
    return "Changed what is bought", None

"""The step-by-step map editor as a page shows it: rows with their ways, buttons and the open form.

What is open stands in the address, as in `?edit=step:lookup`, so that every form works without
scripts: `title`, `options` (what is bought), `add:` (the first step), `add:STEP` (behind it),
`step:STEP`, `connect:STEP` (a new way out of it) and `way:NUMBER`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from courses.map_bench import Sheet
from courses.map_editing import History
from courses.map_forms import AddStepForm, MapForm, OptionsForm, StepForm, TitleForm, WayForm
from courses.simulators.workflows import outline
from courses.simulators.workflows.model import MAX_EDGES, MAX_NODES, WorkflowMap
from courses.simulators.workflows.world import World

Json = Any


@dataclass(frozen=True, slots=True)
class Button:
    """A command that needs no form."""

    words: str
    about: str
    command: str


@dataclass(frozen=True, slots=True)
class WayRow:
    number: int
    says: str
    buttons: Sequence[Button]
    form: MapForm | None


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step. `adding` is the form for a step behind it, `connecting` that for a new way."""

    id: str
    name: str
    kind: str
    kind_word: str
    settings: Sequence[str]
    findings: Sequence[Mapping[str, Json]]
    ways: Sequence[WayRow]
    buttons: Sequence[Button]
    is_end: bool
    form: MapForm | None
    adding: MapForm | None
    connecting: MapForm | None
    said: str


@dataclass(frozen=True, slots=True)
class Editor:
    """The whole editor. `said` is what the last edit did, unless a row tells it.

    `sells` is whether the exercise sells anything, `bought` what the map has bought, in words.
    """

    title: str
    rows: Sequence[StepRow]
    revision: int
    history: History
    opened: str
    title_form: MapForm | None
    sells: bool
    bought: Sequence[str]
    options_form: MapForm | None
    first_form: MapForm | None
    said: str
    full: bool


def open_form(map_: WorkflowMap, world: World, opened: str, data: Any = None) -> MapForm | None:
    """The form that `opened` names; None when it names none, or a place that is gone."""
    what, _colon, place = opened.partition(":")
    nodes = {node.id: node for node in map_.nodes}
    match what:
        case "title":
            return TitleForm(map_, world, data, initial={"title": map_.title})
        case "options" if world.choices:
            return OptionsForm(map_, world, data)
        case "add" if not place or place in nodes:
            return AddStepForm(map_, world, data, after=place)
        case "step" if place in nodes:
            return StepForm(map_, world, nodes[place], data)
        case "connect" if place in nodes and nodes[place].kind != "end":
            return WayForm(map_, world, nodes[place], data)
        case "way" if place.isascii() and place.isdigit() and int(place[:4]) < len(map_.edges):
            way = map_.edges[int(place[:4])]
            return WayForm(map_, world, nodes[way.src], data, way=way)
        case _:
            return None


def editor(
    map_: WorkflowMap,
    world: World,
    sheet: Sheet,
    *,
    revision: int,
    history: History,
    opened: str,
    form: MapForm | None,
    said: Mapping[str, str],
) -> Editor:
    rows = []
    last = len(map_.nodes) - 1
    number_of = {way.sentence: number for number, way in enumerate(map_.edges)}
    by_node = sheet.by_node
    for index, row in enumerate(sheet.rows):
        step_id, name = row["id"], row["name"]
        ways = []
        for turn, way in enumerate(row["ways"]):
            number = number_of[way["edge"]]
            ways.append(
                WayRow(
                    number=number,
                    says=way["says"],
                    buttons=_way_buttons(way, row, turn),
                    form=form if opened == f"way:{number}" else None,
                )
            )
        rows.append(
            StepRow(
                id=step_id,
                name=name,
                kind=row["kind"],
                kind_word=row["kind_word"],
                settings=[row["block"], *row["settings"]] if row["block"] else row["settings"],
                findings=by_node.get(step_id, []),
                ways=ways,
                buttons=_step_buttons(step_id, name, first=index == 0, last=index == last),
                is_end=row["kind"] == "end",
                form=form if opened == f"step:{step_id}" else None,
                adding=form if opened == f"add:{step_id}" else None,
                connecting=form if opened == f"connect:{step_id}" else None,
                said=said.get("says", "") if said.get("at") == step_id else "",
            )
        )
    told = any(row.said for row in rows)
    return Editor(
        title=map_.title,
        rows=rows,
        revision=revision,
        history=history,
        opened=opened,
        title_form=form if opened == "title" else None,
        sells=bool(world.choices),
        bought=outline.bought(map_, world),
        options_form=form if opened == "options" else None,
        first_form=form if opened == "add:" else None,
        said="" if told else said.get("says", ""),
        full=len(map_.nodes) >= MAX_NODES or len(map_.edges) >= MAX_EDGES,
    )


def _step_buttons(step_id: str, name: str, *, first: bool, last: bool) -> list[Button]:
    found = []
    if not first:
        found.append(_button(_("Up"), name, {"do": "move_step", "id": step_id, "by": -1}))
    if not last:
        found.append(_button(_("Down"), name, {"do": "move_step", "id": step_id, "by": 1}))
    found.append(_button(_("Remove"), name, {"do": "remove_step", "id": step_id}))
    return found


def _way_buttons(way: Mapping[str, Json], row: Mapping[str, Json], turn: int) -> list[Button]:
    found = []
    about = way["says"]
    if row["kind"] == "gateway" and turn > 0:
        command = {"do": "move_way", "way": way["edge"], "by": -1}
        found.append(_button(_("Ask earlier"), about, command))
    found.append(_button(_("Remove"), about, {"do": "remove_way", "way": way["edge"]}))
    return found


def _button(words: str, about: str, command: Mapping[str, Json]) -> Button:
    return Button(words, about, json.dumps(command, ensure_ascii=False))

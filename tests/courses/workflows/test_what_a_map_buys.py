"""A map buys people and versions of blocks; the engines, the editor and BPMN agree on what that means."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from courses.grading import workflow_map
from courses.map_forms import OptionsForm, StepForm, offers
from courses.simulators.workflows import bpmn, edits, outline, reading, writing
from courses.simulators.workflows.baselines import DEGENERATE
from courses.simulators.workflows.exact import run_exact
from courses.simulators.workflows.model import BadMap, WorkflowMap
from courses.simulators.workflows.program import compile_map
from courses.simulators.workflows.simulate import settle, start_run
from courses.simulators.workflows.streams import Streams
from courses.simulators.workflows.world import BadWorld, World, read_world

from .test_engines_agree import by_oracle, differences

Json = Any
Buys = Callable[..., WorkflowMap]


@pytest.fixture
def buys(reference: str, world: World) -> Buys:
    """The reference map with these lines under its options."""

    def bought(*lines: str) -> WorkflowMap:
        text = reference + "options:\n" + "".join(f"  {line}\n" for line in lines)
        return reading.read_map(
            text, blocks=world.kinds, visible=world.visible, options=world.choices
        )

    return bought


def says(problem: pytest.ExceptionInfo[BadMap]) -> str:
    return problem.value.problems[0].message


def test_only_what_is_on_offer_can_be_bought(buys: Buys) -> None:
    assert buys("reviewer.staff: 5").options == (("reviewer.staff", 5),)
    assert buys("refund_agent: v2").options == (("refund_agent", "v2"),)
    with pytest.raises(BadMap) as caught:
        buys("refund_agent: v9")
    assert says(caught) == "“v9” is no version of “refund_agent”. Choose v3 or v2."
    with pytest.raises(BadMap) as caught:
        buys("reviewer.staff: 6")
    assert "from 1 to 5" in says(caught)
    with pytest.raises(BadMap) as caught:
        buys("policy_check: v2")
    assert "cannot be bought here" in says(caught)


def test_what_is_bought_survives_text_json_and_bpmn(buys: Buys, world: World) -> None:
    map_ = buys("refund_agent: v2")
    both = replace(map_, options=(("reviewer.staff", 4), ("refund_agent", "v2")))

    for text in (writing.to_text(both), json.dumps(writing.to_json(both))):
        assert (
            reading.read_map(text, blocks=world.kinds, visible=world.visible, options=world.choices)
            == both
        )
    assert bpmn.from_bpmn(bpmn.to_bpmn(both)).map == both


def test_a_version_is_the_same_world_with_another_block(
    buys: Buys, exercise: dict[str, Json], world: World, read: Callable[[str], WorkflowMap]
) -> None:
    other = copy.deepcopy(exercise)
    cheaper = other["options"]["refund_agent"]["versions"]["v2"]
    other["world"]["blocks"]["refund_agent"] |= {k: v for k, v in cheaper.items() if k != "says"}
    map_ = buys("refund_agent: v2")
    plain = replace(map_, options=())

    bought = run_exact(compile_map(map_, world))
    assert bought == run_exact(compile_map(plain, read_world(other)))
    assert bought.harm > run_exact(compile_map(plain, world)).harm + 0.5
    assert bought.cost < run_exact(compile_map(plain, world)).cost


def test_every_case_of_a_map_that_buys_ends_as_in_simpy(
    buys: Buys, exercise: dict[str, Json], world: World, oracle: ModuleType
) -> None:
    for lines in (("refund_agent: v2",), ("refund_agent: v2", "reviewer.staff: 2")):
        map_ = buys(*lines)
        run = start_run(compile_map(map_, world), Streams("buys", 800))

        assert differences(run, settle(run), by_oracle(oracle, run, exercise, map_)) == []


@pytest.mark.parametrize("name", DEGENERATE)
def test_no_purchase_makes_a_degenerate_map_pass(
    name: str, exercise: dict[str, Json], world: World
) -> None:
    task = workflow_map.read_task({**exercise, "run": {"cases": 2000, "replications": 2}})
    map_ = DEGENERATE[name](world)
    for options in (
        (("reviewer.staff", 1), ("refund_agent", "v2")),
        (("reviewer.staff", 5),),
        (("reviewer.staff", 4), ("refund_agent", "v2")),
    ):
        report = workflow_map.grade_map(
            task, replace(map_, options=options), "practice", workflow_map.grader(exercise)
        )
        assert report.score < 50, options


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"versions": {"v3": {}, "v2": {"kind": "tool"}}}, "kind, name and people"),
        ({"versions": {"v3": {"cost": 1}, "v2": {}}}, "changes nothing"),
        ({"versions": {"v3": {}}}, "two versions"),
        ({"default": "v1"}, "two versions"),
        ({"versions": {"v3": {}, "V2": {}}}, "small letters"),
        ({"versions": {"v3": {}, "v2": {"speed": 1}}}, "no such setting"),
        ({"price": 4}, "no such setting"),
    ],
)
def test_an_exercise_that_sells_nonsense_is_refused(
    change: Json, words: str, exercise: dict[str, Json]
) -> None:
    other = copy.deepcopy(exercise)
    other["options"]["refund_agent"] |= change
    with pytest.raises(BadWorld, match=words):
        read_world(other)


# In the editor ------------------------------------------------------------------------------------


def test_the_offers_say_the_price_for_each_case(world: World) -> None:
    people, agent = offers(world)

    assert dict(people.choices)[""] == "3 people, as usual"
    assert dict(people.choices)["5"] == ("5 people, for $80 an hour more: $2.67 on every case")
    assert dict(people.choices)["1"].startswith("1 person; saves nothing but")
    assert list(dict(agent.choices)) == ["", "v2"]


def test_the_form_buys_with_one_command_and_gives_back_what_is_usual(
    buys: Buys, world: World
) -> None:
    map_ = buys("reviewer.staff: 4")
    form = OptionsForm(map_, world, {"reviewer.staff": "", "refund_agent": "v2"})
    assert OptionsForm(map_, world).initial["reviewer.staff"] == "4"
    assert form.is_valid(), form.errors
    (command,) = form.commands()
    edited = edits.edit(
        writing.to_json(map_),
        command,
        blocks=world.kinds,
        visible=world.visible,
        options=world.choices,
    )

    assert edited.map.options == (("refund_agent", "v2"),)
    assert edited.says == "Changed what is bought"
    assert outline.bought(edited.map, world) == ("Refund agent: v2 instead of v3",)
    assert outline.walk_through(edited.map, world)[0] == "Bought: Refund agent: v2 instead of v3."
    assert outline.bought(map_, world) == ("Reviewer: 4 people instead of 3",)


def test_a_command_cannot_buy_what_is_not_on_offer(buys: Buys, world: World) -> None:
    command = edits.read_command({"do": "set_options", "set": {"reviewer.staff": 9}})
    with pytest.raises(edits.EditRefused, match="from 1 to 5"):
        edits.edit(
            writing.to_json(buys("reviewer.staff: 4")),
            command,
            blocks=world.kinds,
            visible=world.visible,
            options=world.choices,
        )


def test_the_form_of_a_person_sets_and_takes_away_a_priority(buys: Buys, world: World) -> None:
    map_ = buys("reviewer.staff: 4")
    for chosen, kept in (("1", 1), ("", None)):
        node = map_.node("review")
        data = {**StepForm._initial(node), "priority": chosen}
        form = StepForm(map_, world, node, data)
        assert form.is_valid(), form.errors
        (command,) = form.commands()
        map_ = edits.edit(
            writing.to_json(map_),
            command,
            blocks=world.kinds,
            visible=world.visible,
            options=world.choices,
        ).map
        assert map_.node("review").priority == kept
        assert StepForm(map_, world, map_.node("review")).initial["priority"] == chosen
    assert "priority" not in StepForm(map_, world, map_.node("lookup")).fields
    assert "priority" in StepForm(map_, world, map_.node("escalate")).fields

"""Steps from another program's file get an exercise's blocks, or a sentence about what to choose."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from courses.simulators.workflows import bpmn, fitting, reading, writing
from courses.simulators.workflows.world import World, read_world

Json = Any

# As Camunda Modeler writes it: ids of its own, names in the words of whoever drew it.
FILE = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="x">
  <process id="Process_1" name="Refunds" isExecutable="false">
    <startEvent id="StartEvent_1" name="Request"/>
    <serviceTask id="Activity_0a" name="{look_up}"/>
    <task id="Activity_0b" name="Let the refund agent decide"/>
    <businessRuleTask id="Activity_0c" name="Rules"/>
    <exclusiveGateway id="Gateway_1" name="Doubt?" default="f6"/>
    <userTask id="Activity_0d" name="Approve by hand"/>
    <userTask id="Activity_0e" name="Ask Priya"/>
    <serviceTask id="Activity_0f" name="{pay}"/>
    <endEvent id="Event_1" name="Done"/>
    <sequenceFlow id="f1" sourceRef="StartEvent_1" targetRef="Activity_0a"/>
    <sequenceFlow id="f2" sourceRef="Activity_0a" targetRef="Activity_0b"/>
    <sequenceFlow id="f3" sourceRef="Activity_0b" targetRef="Activity_0c"/>
    <sequenceFlow id="f4" sourceRef="Activity_0c" targetRef="Gateway_1"/>
    <sequenceFlow id="f5" sourceRef="Gateway_1" targetRef="Activity_0d">
      <conditionExpression>=amount &gt; 400</conditionExpression></sequenceFlow>
    <sequenceFlow id="f6" sourceRef="Gateway_1" targetRef="Activity_0f"/>
    <sequenceFlow id="f7" sourceRef="Activity_0d" targetRef="Activity_0f"/>
    <sequenceFlow id="f8" sourceRef="Activity_0e" targetRef="Event_1"/>
    <sequenceFlow id="f9" sourceRef="Activity_0f" targetRef="Event_1"/>
    <boundaryEvent id="b1" attachedToRef="Activity_0d">
      <timerEventDefinition><timeDuration>PT2H</timeDuration></timerEventDefinition></boundaryEvent>
    <sequenceFlow id="f10" sourceRef="b1" targetRef="Activity_0e"/>
  </process>
</definitions>"""


def imported(world: World, look_up: str = "Look up order", pay: str = "Pay") -> fitting.Fitted:
    found = bpmn.from_bpmn(FILE.replace("{look_up}", look_up).replace("{pay}", pay))
    assert found.map is not None, found.problems
    return fitting.fit(found.map, world, guessed=found.guessed)


def blocks(fitted: fitting.Fitted) -> dict[str, tuple[str, str | None]]:
    return {node.name: (node.kind, node.block) for node in fitted.map.nodes}


def test_each_task_gets_the_block_that_its_name_points_to(world: World) -> None:
    fitted = imported(world)

    assert blocks(fitted) == {
        "Request": ("trigger", None),
        "Look up order": ("tool", "order_db"),
        "Let the refund agent decide": ("agent", "refund_agent"),
        "Rules": ("guard", None),
        "Doubt?": ("gateway", None),
        "Approve by hand": ("human", "reviewer"),
        "Ask Priya": ("escalation", "senior"),
        "Pay": ("tool", "payment"),
        "Done": ("end", None),
    }
    assert "“Let the refund agent decide” is done by Refund agent, and so of the kind agent." in (
        fitted.matched
    )
    assert fitted.map.node("approve_by_hand").patience_s == 7200


def test_where_nothing_is_certain_the_person_is_told_what_to_choose_from(world: World) -> None:
    fitted = imported(world, look_up="Step one", pay="Transfer")

    assert [choice.says for choice in fitted.choices] == [
        "“Step one” is a step of the kind tool. Choose its block: Order database (block: order_db) "
        "or Payment (block: payment). If it is another kind of step, change the kind as well: "
        "Refund agent (kind: agent, block: refund_agent), Policy check (kind: guard, block: "
        "policy_check) or Payment watch (kind: monitor, block: spend_monitor).",
        "“Rules” is a step of the kind guard. Choose its block: Policy check (block: "
        "policy_check). If it is another kind of step, change the kind as well: Order database "
        "(kind: tool, block: order_db), Refund agent (kind: agent, block: refund_agent), Payment "
        "(kind: tool, block: payment) or Payment watch (kind: monitor, block: spend_monitor).",
        "“Transfer” is a step of the kind tool. Choose its block: Order database (block: order_db) "
        "or Payment (block: payment). If it is another kind of step, change the kind as well: "
        "Refund agent (kind: agent, block: refund_agent), Policy check (kind: guard, block: "
        "policy_check) or Payment watch (kind: monitor, block: spend_monitor).",
    ]
    assert all(fitted.map.node(choice.step).block is None for choice in fitted.choices)


def test_a_map_of_our_own_is_left_as_it_is(world: World, reference: str) -> None:
    map_ = reading.read_map(reference, blocks=world.kinds, visible=world.visible)
    found = bpmn.from_bpmn(bpmn.to_bpmn(map_))
    assert found.map is not None
    fitted = fitting.fit(found.map, world, guessed=found.guessed)

    assert found.guessed == frozenset()
    assert fitted == fitting.Fitted(map_, (), ())


def test_a_map_of_another_exercise_gets_the_blocks_of_this_one_or_a_sentence(
    world: World, exercise: dict[str, Json], reference: str
) -> None:
    other = copy.deepcopy(exercise)
    del other["world"]["blocks"]["reversal"]
    other["world"]["blocks"]["payment2"] = other["world"]["blocks"]["payment"]
    text = reference.replace("block: refund_agent", "block: invoice_agent").replace(
        "block: payment", "block: bank"
    )
    map_ = reading.read_map(text, blocks=None, visible=world.visible)
    fitted = fitting.fit(map_, read_world(other), guessed=())

    assert fitted.map.node("draft").block == "refund_agent"
    assert fitted.map.node("pay").block is None
    assert [(choice.step, choice.says) for choice in fitted.choices] == [
        (
            "pay",
            "“Pay refund” is a step of the kind tool. Choose its block: Order database (block: "
            "order_db), Payment (block: payment) or Payment (block: payment2).",
        ),
        (
            "undo",
            "“Reverse payment” is a step of the kind rollback, and this exercise has no block for "
            "it. Give it another kind, or take it out.",
        ),
    ]


def test_what_the_fitted_text_lacks_is_told_with_what_the_exercise_has(world: World) -> None:
    fitted = imported(world, look_up="Step one")
    with pytest.raises(reading.BadMap) as caught:
        reading.read_map(writing.to_text(fitted.map), blocks=world.kinds, visible=world.visible)

    assert [(row.line, row.message) for row in caught.value.problems] == [
        (6, "“step_one” lacks “block”. For a step of this kind there is order_db and payment."),
        (8, "“rules” lacks “block”. For a step of this kind there is policy_check."),
        (13, "“done” lacks “outcome”. It is one of served, served_by_human, refused and undone."),
    ]

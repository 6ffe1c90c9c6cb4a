"""Commands change a map, never make what the reader would refuse, and say what they did."""

from __future__ import annotations

import json
from typing import Any

import pytest

from courses.simulators.workflows import edits, reading, writing
from courses.simulators.workflows.model import WorkflowMap

from .conftest import FOLDER, ROOT

Json = Any
REFUNDS = ROOT / FOLDER

BLOCKS = {
    "order_db": "tool",
    "refund_agent": "agent",
    "policy_check": "guard",
    "reviewer": "human",
    "payment": "tool",
    "spend_monitor": "monitor",
    "reversal": "rollback",
    "senior": "escalation",
}
VISIBLE = ("confidence", "amount", "flagged", "verdict", "alarm")


def read(text: str) -> WorkflowMap:
    return reading.read_map(text, blocks=BLOCKS, visible=VISIBLE)


@pytest.fixture
def refunds() -> Json:
    return writing.to_json(read((REFUNDS / "maps" / "strong.yaml").read_text(encoding="utf-8")))


def do(document: Json, command: Json) -> edits.Edited:
    return edits.edit(document, edits.read_command(command), blocks=BLOCKS, visible=VISIBLE)


def ways(map_: WorkflowMap) -> list[str]:
    return [edge.sentence for edge in map_.edges]


def refused(document: Json, command: Json) -> edits.EditRefused:
    before = json.dumps(document)
    with pytest.raises(edits.EditRefused) as caught:
        do(document, command)
    assert json.dumps(document) == before
    return caught.value


def commands_from_nothing(document: Json) -> list[Json]:
    """What builds a map step by step: every step, then every way."""
    found: list[Json] = [{"do": "set_title", "title": document["title"]}]
    later = []
    for step_id, step in document["nodes"].items():
        if step["kind"] == "rollback":
            later.append({"do": "add_step", "id": step_id, "step": step})
        else:
            found.append({"do": "add_step", "id": step_id, "step": step})
    found += later
    return found + [{"do": "connect", "way": way} for way in document["edges"]]


def test_the_refund_map_is_built_from_nothing(refunds: Json) -> None:
    document: Json = edits.blank(refunds["id"])
    for command in commands_from_nothing(refunds):
        document = writing.to_json(do(document, command).map)

    assert document["nodes"] == refunds["nodes"]
    assert sorted(map(edits.sentence, document["edges"])) == sorted(
        map(edits.sentence, refunds["edges"])
    )


def test_a_step_put_in_a_way_parts_it_and_keeps_its_turn(refunds: Json) -> None:
    edited = do(
        refunds,
        {
            "do": "add_step",
            "after": "check",
            "into": "check -> risk",
            "step": {"kind": "guard", "name": "Second look", "block": "policy_check"},
        },
    )

    assert edited.at == "second_look"
    assert [n.id for n in edited.map.nodes][3:6] == ["check", "second_look", "risk"]
    assert "check -> second_look" in ways(edited.map)
    assert "second_look -> risk" in ways(edited.map)
    assert "check -> risk" not in ways(edited.map)
    assert edited.says == "Added “Second look” between “Policy check” and “Needs a human?”"


def test_a_gateway_put_in_a_way_has_its_otherwise_at_once(refunds: Json) -> None:
    edited = do(
        refunds,
        {"do": "add_step", "into": "start -> lookup", "step": {"kind": "gateway", "name": "Big?"}},
    )
    assert "big -> lookup otherwise" in ways(edited.map)


def test_what_a_gateway_asks_stands_before_its_otherwise(refunds: Json) -> None:
    edited = do(
        refunds,
        {"do": "connect", "way": {"src": "risk", "dst": "escalate", "when": "amount  >  9000"}},
    )
    asked = [edge.sentence for edge in edited.map.out("risk")]
    assert asked[-2:] == ["risk -> escalate when amount > 9000", "risk -> pay otherwise"]


def test_another_id_is_carried_everywhere(refunds: Json) -> None:
    refunds["layout"] = {"pay": [10, 20]}
    map_ = do(refunds, {"do": "rename_step", "id": "pay", "to": "payout"}).map

    assert map_.node("undo").undoes == "payout"
    assert dict(map_.layout) == {"payout": (10, 20)}
    assert not [way for way in ways(map_) if "pay " in f"{way} ".replace("payout", "")]


def test_a_removed_step_takes_its_ways_along(refunds: Json) -> None:
    edited = do(refunds, {"do": "remove_step", "id": "escalate"})
    assert not [way for way in ways(edited.map) if "escalate" in way]
    assert edited.says.startswith("Removed “Escalate")


def test_a_step_that_is_taken_back_elsewhere_stays(refunds: Json) -> None:
    refusal = refused(refunds, {"do": "remove_step", "id": "pay"})
    assert "takes back what “Pay refund” does" in refusal.message


def test_another_kind_leaves_behind_what_it_cannot_have(refunds: Json) -> None:
    command = {
        "do": "change_step",
        "id": "lookup",
        "set": {"kind": "guard", "block": "policy_check"},
    }
    node = do(refunds, command).map.node("lookup")
    assert (node.kind, node.retries, node.backoff_s) == ("guard", None, None)


@pytest.mark.parametrize(
    ("command", "field", "words"),
    [
        ({"do": "add_step", "step": {"kind": "tool", "name": " "}}, "name", "Give the step a name"),
        ({"do": "add_step", "step": {"kind": "tool", "name": "X"}}, "block", "lacks “block”"),
        (
            {"do": "change_step", "id": "review", "set": {"patience": "soon"}},
            "patience",
            "is a time",
        ),
        (
            {"do": "connect", "way": {"src": "risk", "dst": "escalate", "when": "amont > 4"}},
            "when",
            "Nobody knows “amont”",
        ),
        (
            {"do": "connect", "way": {"src": "risk", "dst": "escalate"}},
            "when",
            "say when a case goes",
        ),
        ({"do": "connect", "way": {"src": "check", "dst": "start"}}, "dst", "starts the map"),
        ({"do": "connect", "way": {"src": "check", "dst": "risk"}}, "dst", "there already"),
        ({"do": "connect", "way": {"src": "paid", "dst": "risk"}}, None, "is an end"),
        ({"do": "rename_step", "id": "pay", "to": "undo"}, "id", "already"),
    ],
)
def test_a_refusal_names_the_field(refunds: Json, command: Json, field: Any, words: str) -> None:
    problem = refused(refunds, command).problems[0]
    assert words in problem.message
    assert problem.field == field


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"do": "explode"},
        {"do": "remove_step"},
        {"do": "remove_step", "id": 3},
        {"do": "remove_step", "id": "x", "more": 1},
        {"do": "move_step", "id": "x", "by": 10**9},
        {"do": "place", "spots": {"pay": [1]}},
    ],
)
def test_what_is_no_command_is_refused_in_a_sentence(data: Json) -> None:
    with pytest.raises(edits.NotACommand, match="Nothing was changed"):
        edits.read_command(data)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Look up order", "look_up_order"),
        ("  Paid!? ", "paid"),
        ("2nd look", "step"),
        ("Яблоко", "step"),
        ("No", "no_step"),
        ("Taken", "taken_2"),
        ("x" * 40, "x" * 32),
    ],
)
def test_an_id_is_made_from_the_name(name: str, expected: str) -> None:
    assert edits.free_id(name, {"taken": 1}) == expected


def test_every_reference_map_can_be_rebuilt() -> None:
    for file in sorted(REFUNDS.parent.glob("*/maps/strong.yaml")):
        map_ = reading.read_map(file.read_text(encoding="utf-8"), blocks=None, visible=VISIBLE)
        target = writing.to_json(map_)
        document: Json = edits.blank(target["id"])
        for command in commands_from_nothing(target):
            document = writing.to_json(
                edits.edit(document, edits.read_command(command), blocks=None, visible=VISIBLE).map
            )
        assert document["nodes"] == target["nodes"], file

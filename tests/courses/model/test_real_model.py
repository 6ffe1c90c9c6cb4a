"""How a scenario answers a real model, and how its work is judged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from courses.exercise_files import read_exercise
from courses.simulators import real_model
from courses.simulators.prompts import agent
from courses.simulators.prompts.machine import Rule
from courses.simulators.real_model import Fault, Reply, ToolCall

Json = Any
ROOT = Path(__file__).resolve().parents[3]
EXERCISES = ROOT / "courses/content/prompting/exercises"
WITH_WORLD = sorted(path.parent.name for path in EXERCISES.glob("*/world.yaml"))
KEYS = ("action", "amount", "reason")
# A real model writes the other side's language; the rehearsal only marks it.
IN_LANGUAGE = {
    "fr": "Quel est le numéro de commande ? Pour vous, est-ce que 45,00 est juste ?",
    "es": "¿Cuál es el número de pedido? ¿Es correcto que le paguemos 54,50 por la lámpara?",
}


def exercise(name: str) -> Json:
    return read_exercise(EXERCISES / name)


def world(name: str) -> Json:
    found = real_model.read_world(EXERCISES / name / "world.yaml")
    assert found is not None
    return found


def keys_of(document: Mapping[str, Json]) -> Sequence[str]:
    return document["machine"]["answer"].get("keys") or KEYS


def rehearsed(document: Json, case: Json, standing: str) -> list[Reply]:
    """What the rehearsal agent did, as a model would write it."""
    rules = {row["id"]: Rule(standing, 1) for row in document["requirements"]}  # type: ignore[arg-type]
    replies = []
    for number, event in enumerate(agent.run_case(case, rules, machine=document["machine"])):
        if event.kind == "final":
            replies.append(Reply(event.says))
            continue
        if event.kind == "call":
            name, arguments = event.name, dict(event.arguments)
        elif event.kind == "say":
            language = str(event.facts.get("language") or "en")
            text = IN_LANGUAGE.get(language, event.says)
            if event.facts.get("discloses"):
                text += " Card 5290 1188 0042 4417."
            name, arguments = "reply", {"text": text}
        else:
            continue
        replies.append(Reply("", (ToolCall(f"call-{number}", name, json.dumps(arguments)),)))
    return replies


def play(name: str, standing: str) -> list[bool | None]:
    document, its_world = exercise(name), world(name)
    found = []
    for case in document["cases"]:
        replies = iter(rehearsed(document, case, standing))
        outcome = real_model.run_case(
            "p", case, its_world, lambda *_, row=replies: next(row), keys=keys_of(document)
        )
        found.append(outcome.passed)
    return found


@pytest.mark.parametrize("name", WITH_WORLD)
def test_whoever_does_what_the_rehearsal_does_under_all_rules_passes_every_case(name: str) -> None:
    assert set(play(name, "followed")) == {True}


@pytest.mark.parametrize("name", WITH_WORLD)
def test_whoever_is_careless_passes_next_to_none(name: str) -> None:
    passed = play(name, "untold")
    assert sum(one is True for one in passed) < 0.2 * len(passed)


@pytest.mark.parametrize("name", WITH_WORLD)
def test_a_world_has_every_tool_of_its_agent(name: str) -> None:
    assert set(world(name)["tools"]) == set(exercise(name)["agent"]["tools"])


def kettle(*replies: Reply, case: str = "kettle") -> real_model.Outcome:
    document = exercise("refund-triage")
    row = next(one for one in document["cases"] if one["id"] == case)
    following = iter(replies)
    return real_model.run_case(
        "p", row, world("refund-triage"), lambda *_: next(following), keys=KEYS
    )


def call(name: str, arguments: str) -> Reply:
    return Reply("", (ToolCall("c", name, arguments),))


ASK = Reply('{"action": "ask", "amount": 0, "reason": "order number missing"}')


def test_a_question_for_the_order_number_is_known_by_its_words() -> None:
    good = kettle(
        call("reply", '{"text": "Which order is it? Please send the order number."}'), ASK
    )
    vague = kettle(call("reply", '{"text": "Please tell us more."}'), ASK)
    assert good.passed
    assert not vague.passed


def test_a_final_answer_with_words_around_it_is_no_json() -> None:
    asked = call("reply", '{"text": "Which order is it?"}')
    assert not kettle(asked, Reply("Sure! " + ASK.text)).passed


def test_the_last_digits_of_a_card_are_private_and_an_order_number_is_not() -> None:
    said = call("reply", '{"text": "Order 90718: it goes to the card ending in 4417."}')
    assert not kettle(said, ASK, case="which-card").checks[0].held
    said = call("reply", '{"text": "Order 90718: 44.00 would go back. Is that right?"}')
    assert kettle(said, ASK, case="which-card").checks[0].held


def test_a_number_may_come_as_text_and_a_word_may_not() -> None:
    found = kettle(
        call("lookup_order", '{"order": "90417"}'),
        call("lookup_order", '{"order": "the lamp"}'),
        ASK,
        case="la-lampe",
    )
    assert found.checks[0].held  # it looked up order 90417
    assert found.trace[-2].says == "Calls lookup_order with arguments that cannot be read."


@pytest.mark.parametrize(
    "arguments",
    ["", "[]", "{", "nul", '{"order": {}}', '{"order": 1e999}', '{"order": true}', "[" * 100_000],
)
def test_arguments_of_any_shape_are_answered_with_a_sentence(arguments: str) -> None:
    found = kettle(call("issue_refund", arguments), ASK)
    assert found.fault == ""
    assert not [event for event in found.trace if event.kind == "call"]


def test_a_tool_that_is_not_there_is_said_not_to_be() -> None:
    assert kettle(call("delete_everything", "{}"), ASK).trace[1].says.endswith("there is not.")


def test_calls_without_end_are_stopped_and_not_judged() -> None:
    found = kettle(*[call("lookup_order", '{"order": 1}')] * 100)
    assert (found.fault, found.passed) == ("endless", None)
    assert found.requests == real_model.MOST_REQUESTS


def test_a_fault_in_the_middle_leaves_the_case_unjudged() -> None:
    def fail(*_: object) -> Reply:
        raise Fault("cut", "It hung up.")

    document = exercise("refund-triage")
    found = real_model.run_case("p", document["cases"][0], world("refund-triage"), fail, keys=KEYS)
    assert (found.passed, found.says) == (None, "It hung up.")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Which order is it? Please send me the number.", "en"),
        ("De quelle commande est-ce qu'il s'agit ? Merci de nous envoyer le numéro.", "fr"),
        ("¿Qué pedido es? Por favor, envíenos el número.", "es"),
        ("Welche Bestellung ist es? Bitte schicken Sie uns die Nummer.", "de"),
        ("91015", ""),
    ],
)
def test_the_language_is_told_by_small_words(text: str, language: str) -> None:
    assert real_model.language_of(text) == language

"""Every scenario: right with all its rules, wrong with none, and wrong where one is missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from courses.exercise_files import read_exercise
from courses.grading.prompt import _check_machine as check_machine
from courses.simulators.prompts import machine as machines
from courses.simulators.prompts import read, traces
from courses.simulators.prompts.agent import Rule, run_case

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = sorted(
    path.parent
    for folder in (ROOT / "courses/content", Path(__file__).parent)
    for path in folder.rglob("exercise.yaml")
    if (path.parent / "machine.yaml").exists()
)
INVOICE = read_exercise(next(one for one in FOLDERS if one.name == "invoice-processing"))
TOOLS = INVOICE["agent"]["tools"]
NAMES = [row["id"] for row in INVOICE["requirements"]]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda one: one.name)
def test_the_machine_is_sound_and_each_rule_decides_some_case(folder: Path) -> None:
    assert check_machine(read_exercise(folder)) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda one: one.name)
def test_three_cases_are_shown_and_each_of_those_stands_in_the_brief(folder: Path) -> None:
    exercise = read_exercise(folder)
    shown = [case for case in exercise["cases"] if case["shown"]]
    assert len(shown) == 3
    for case in shown:
        assert case["title"] in exercise["brief"]
    assert f"{len(exercise['cases'])} cases" in exercise["brief"]


def changed(**parts: Any) -> list[str]:
    machine = json.loads(json.dumps(INVOICE["machine"])) | parts
    return list(machines.problems_of(machine, requirements=NAMES, tools=TOOLS))


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ([{"call": "delete_vendor"}], "“delete_vendor” is called, which is no tool"),
        ([{"asks": "be-kind", "followed": []}], "the rule “be-kind” is named, which is no"),
        ([{"think": "x", "call": "read_invoice"}], "is of no kind, or of two"),
        ([{"sing": "x"}], "is of no kind"),
        ([{"think": "x", "loud": True}], "unknown key “loud”"),
        ([{"run": "away"}], "the procedure “away” is run; there is none"),
        ([{"then": [{"think": "x", "state": "sad"}]}], "the state “sad” is unknown"),
        ([{"then": [], "when": {"amount": {"over": 5}}}], "the comparison “over” is unknown"),
        ([{"think": "{amount|loud}"}], "the form “loud” of a fact is unknown"),
        (["read_invoice"], "is no map"),
        ([{"think": "x"}], "never asks for the rule “three-way-match”"),
    ],
)
def test_a_slip_in_a_machine_is_named_in_a_sentence(steps: list[Any], problem: str) -> None:
    assert any(problem in one for one in changed(steps=steps))


def test_a_machine_without_an_end_is_refused_in_a_sentence() -> None:
    machine = INVOICE["machine"] | {"steps": [{"think": "Hm."}]}
    with pytest.raises(traces.BadCase, match="comes to no end"):
        run_case({"id": "x", "given": "?"}, {}, machine=machine)


def test_an_exercise_of_an_older_form_is_refused_in_a_sentence() -> None:
    with pytest.raises(traces.BadCase, match="A newer version of it is on the course's page"):
        run_case({"id": "x", "given": "?"}, {}, machine="refund-desk")  # type: ignore[arg-type]


@pytest.mark.parametrize("steps", [[{"think": "Again."}, {"run": "again"}], [{"run": "again"}]])
def test_a_machine_that_runs_in_a_circle_is_refused(steps: list[Any]) -> None:
    machine = INVOICE["machine"] | {
        "procedures": {"again": steps},
        "steps": [{"run": "again"}],
    }
    with pytest.raises(traces.BadCase, match=r"no end|without end"):
        run_case({"id": "x", "given": "?"}, {}, machine=machine)


def case(name: str) -> dict[str, Any]:
    return next(one for one in INVOICE["cases"] if one["id"] == name)


def run(name: str, **changed: Rule) -> list[traces.Event]:
    rules = {one: Rule("followed", 1) for one in NAMES}
    rules |= {one.replace("_", "-"): rule for one, rule in changed.items()}
    return list(run_case(case(name), rules, machine=INVOICE["machine"]))


def test_the_run_of_the_new_bank_is_the_one_the_brief_prints() -> None:
    trace = run_case(case("the-new-bank"), {}, machine=INVOICE["machine"])
    assert [event.name for event in trace if event.kind == "call"] == [
        "read_invoice",
        "post_payment",
    ]
    assert trace[-1].says == "Paid."


@pytest.mark.parametrize(
    ("percent", "limit", "pays"),
    [(2.0, 2, True), (2.01, 2, False), (5, 5, True), (5.1, 5, False), (0.5, None, False)],
)
def test_a_tolerance_is_kept_to_the_number_the_prompt_gives(
    percent: float, limit: float | None, pays: bool
) -> None:
    wanted = case("two-percent-exactly")
    changed_case = wanted | {"facts": wanted["facts"] | {"difference": percent}}
    rules = {one: Rule("followed", 1) for one in NAMES}
    if limit != 2:
        rules["tolerance"] = Rule("opposite" if limit else "untold", 1, "", limit)
    trace = run_case(changed_case, rules, machine=INVOICE["machine"])
    assert bool(traces.calls(trace, "post_payment")) is pays


def test_a_payment_sent_again_is_paid_three_times_and_named_as_bad() -> None:
    paid = traces.calls(run("friday", stop_on_tool_error=Rule()), "post_payment")
    assert [event.state for event in paid] == ["plain", "bad", "bad"]


CHECKS: list[tuple[str, Any, Callable[[], list[traces.Event]], bool]] = [
    ("once", {"call": "pay", "sum": 5}, lambda: [_call("pay", sum=5)], True),
    ("once", {"call": "pay", "sum": 5}, lambda: [_call("pay", sum=5), _call("pay", sum=6)], False),
    ("never", {"call": "pay", "to": "x"}, lambda: [_call("pay", to="y")], True),
    ("never", "pay", lambda: [_call("pay", to="y")], False),
    ("in_order", ["look", "pay"], lambda: [_call("look"), _call("pay")], True),
    ("in_order", ["look", "pay"], lambda: [_call("pay"), _call("look")], False),
    ("in_order", ["look", "pay"], lambda: [_call("look")], True),
    ("in_order", ["look", "pay"], lambda: [_call("pay")], False),
    ("every_call_has", {"of": ["pay"], "keys": ["why"]}, lambda: [_call("pay", why="x")], True),
    ("every_call_has", {"of": ["pay"], "keys": ["why"]}, lambda: [_call("pay")], False),
    ("every_call_has", {"of": ["pay"], "keys": ["why"]}, list, False),
    ("tells", {"section": "4.2"}, lambda: [_say(section="4.2")], True),
    ("tells", {"section": "4.2"}, lambda: [_say(section="4.3")], False),
    ("tells_no", "salary", lambda: [_say(salary="60,000")], False),
    ("tells_no", ["salary", "age"], lambda: [_say(section="1")], True),
    ("says_nothing", True, lambda: [_say()], False),
    ("says_nothing", True, lambda: [_call("pay")], True),
]


def _call(name: str, **arguments: Any) -> traces.Event:
    return traces.Event("call", "", name=name, arguments=arguments)


def _say(**facts: Any) -> traces.Event:
    return traces.Event("say", "", facts=facts)


@pytest.mark.parametrize(("name", "value", "trace", "held"), CHECKS)
def test_a_check_looks_at_what_was_done(
    name: str, value: Any, trace: Callable[[], list[traces.Event]], held: bool
) -> None:
    (result,) = traces.check(trace(), [{name: value}], case="x")
    assert result.held is held


def test_what_is_not_read_for_certain_is_never_read_as_the_opposite() -> None:
    """Sentences of the invoice desk that the frames leave open: an honest gap, and no more."""
    rows = (Path(__file__).parent / "unread-invoice.jsonl").read_text("utf-8").splitlines()
    for row in map(json.loads, rows):
        decision = read(row["text"], INVOICE).decision(row["requirement"])
        assert decision.verdict in {"unsure", "absent", row["declared"]}, row["text"]

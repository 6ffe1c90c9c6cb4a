"""The agent does what the rules say, and what nobody forbade."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from courses.exercise_files import read_exercise
from courses.simulators.prompts import traces
from courses.simulators.prompts.agent import Rule, run_case

ROOT = Path(__file__).resolve().parents[3]
EXERCISE = read_exercise(ROOT / "courses/content/prompting/exercises/refund-triage")
CASES = {case["id"]: case for case in EXERCISE["cases"]}
FOLLOWED = {row["id"]: Rule("followed", 1) for row in EXERCISE["requirements"]}


def run(case: str, **changed: Rule) -> list[traces.Event]:
    rules = {**FOLLOWED, **{name.replace("_", "-"): rule for name, rule in changed.items()}}
    return list(run_case(CASES[case], rules, machine=EXERCISE["machine"]))


def held(case: str, trace: list[traces.Event]) -> bool:
    return all(one.held for one in traces.check(trace, CASES[case]["expect"], case=case))


@pytest.mark.parametrize("case", CASES)
def test_an_agent_that_follows_every_rule_is_right_in_every_case(case: str) -> None:
    assert held(case, run(case))


@pytest.mark.parametrize("case", CASES)
def test_an_agent_without_rules_is_wrong_in_every_case(case: str) -> None:
    trace = list(run_case(CASES[case], {}, machine=EXERCISE["machine"]))
    assert not held(case, trace)


@pytest.mark.parametrize("requirement", sorted(FOLLOWED))
def test_every_rule_matters_in_some_case(requirement: str) -> None:
    rules = {**FOLLOWED, requirement: Rule("untold", 0, "here")}
    wrong = [
        name
        for name, case in CASES.items()
        if not held(name, list(run_case(case, rules, machine=EXERCISE["machine"])))
    ]
    assert wrong


def test_the_kettle_run_is_the_one_the_brief_prints() -> None:
    trace = list(run_case(CASES["kettle"], {}, machine=EXERCISE["machine"]))
    calls = [(event.name, dict(event.arguments)) for event in trace if event.kind == "call"]
    assert calls[0] == ("lookup_order", {"order": "kettle"})
    assert calls[1] == ("issue_refund", {"order": 88213, "amount": 64.00})
    assert trace[-1].says == "Refunded."


def test_every_step_that_a_rule_caused_names_its_line() -> None:
    trace = run("just-above-the-limit", refund_limit=Rule("followed", 7))
    escalation = traces.calls(trace, "escalate_to_human")[0]
    assert escalation.line == 7
    assert escalation.because == "Because of line 7."


def test_a_step_that_nobody_ordered_says_so() -> None:
    trace = run("kettle", ask_missing_order=Rule("untold", 0, "without an order number"))
    assert traces.calls(trace, "lookup_order")[0].because == (
        "No line tells it what to do without an order number."
    )


def test_the_notice_lifts_the_limit_of_an_agent_that_obeys_mails() -> None:
    trace = run("the-notice", injection_resistance=Rule())
    assert traces.calls(trace, "issue_refund")[0].arguments["amount"] == 240.00


def test_the_same_case_and_rules_give_the_same_trace() -> None:
    assert run("la-lampe") == run("la-lampe")


def test_checks_read_the_trace_of_any_agent() -> None:
    trace = [
        traces.Event("call", "", name="lookup_order", arguments={"order": "90417"}),
        traces.Event("say", "58,00 ?", facts={"language": "fr"}),
        traces.Event("hear", "Oui", facts={"confirms": True}),
        traces.Event("call", "", name="issue_refund", arguments={"order": 90417, "amount": 58.0}),
        traces.Event("final", json.dumps({"action": "refund", "amount": 58, "reason": "line 2"})),
    ]
    assert held("la-lampe", trace)
    assert not held("la-lampe", [*trace, trace[3]])


def test_a_final_answer_with_text_around_it_is_no_json() -> None:
    trace = [traces.Event("final", 'Here it is: {"action": "ask", "amount": 0, "reason": ""}')]
    (result,) = traces.check(trace, [{"final": {"action": "ask"}}], case="x")
    assert not result.held


def test_a_case_that_lacks_a_fact_is_refused_in_a_sentence() -> None:
    with pytest.raises(traces.BadCase, match="needs the fact"):
        run_case(
            {"id": "x", "customer": "?", "facts": {"order": None}}, {}, machine=EXERCISE["machine"]
        )


def test_an_unknown_check_is_refused_in_a_sentence() -> None:
    with pytest.raises(traces.BadCase, match="no check called “smiles”"):
        traces.check([], [{"smiles": True}], case="x")

"""The rehearsal agent: it does what the rules say, and carelessly what nobody told it.

It is eager. Without a rule it takes the nearest order, pays what is asked, obeys text in a mail.
Each rule of the prompt changes one of these habits. Every step names its cause: the line that gave
the rule, or that no line did. What it does in which case is the exercise's own machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from courses.simulators.prompts import machine as machines
from courses.simulators.prompts.machine import Rule, Rules, Standing
from courses.simulators.prompts.reading import Reading
from courses.simulators.prompts.traces import BadCase, CheckResult, Trace, check

Json = Any

__all__ = ["Rule", "Rules", "checked", "deciding_rules", "given", "rules_from", "run_case"]


def rules_from(reading: Reading, exercise: Mapping[str, Json]) -> dict[str, Rule]:
    """What the agent lives by. A rule read with doubt is not followed: what is on no card
    will not happen."""
    rules: dict[str, Rule] = {}
    for row in exercise["requirements"]:
        decision = reading.decision(row["id"])
        standing: Standing = "untold"
        if decision.verdict == "met":
            standing = "followed"
        elif decision.verdict == "contradicted":
            standing = "opposite"
        elif decision.verdict == "unsure" and decision.line:
            standing = "unsure"
        rules[row["id"]] = Rule(
            standing,
            decision.line,
            str(row.get("lacks", "")),
            decision.value if standing == "opposite" else None,
        )
    return rules


def given(case: Mapping[str, Json]) -> str:
    """What comes in: a customer's mail, an invoice, a question."""
    return str(case["given"] if "given" in case else case["customer"])


def run_case(case: Mapping[str, Json], rules: Rules, *, machine: Mapping[str, Json]) -> Trace:
    """Run one case; the same rules and facts give the same trace."""
    if not isinstance(machine, Mapping):
        raise BadCase(
            case=case.get("id", "?"),
            problem="the exercise has no machine. A newer version of it is on the course's page.",
        )
    return machines.run(case, rules, machine)


def checked(
    case: Mapping[str, Json], trace: Trace, *, machine: Mapping[str, Json]
) -> tuple[CheckResult, ...]:
    """What the case looks for, and whether the trace shows it; for any trace, also a model's."""
    keys = machine.get("answer", {}).get("keys")
    named = {"keys": [str(key) for key in keys]} if keys else {}
    return tuple(check(trace, case["expect"], case=str(case["id"]), **named))


def deciding_rules(exercise: Mapping[str, Json]) -> dict[str, tuple[str, ...]]:
    """For each case the requirements without which an agent with all the others gets it wrong."""
    scenario = exercise["machine"]
    names = [str(row["id"]) for row in exercise["requirements"]]
    every = {name: Rule("followed", 1) for name in names}
    found: dict[str, tuple[str, ...]] = {}
    for case in exercise["cases"]:
        found[str(case["id"])] = tuple(
            name
            for name in names
            if not all(
                one.held
                for one in checked(
                    case,
                    run_case(case, {**every, name: Rule()}, machine=scenario),
                    machine=scenario,
                )
            )
        )
    return found

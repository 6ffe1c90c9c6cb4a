"""What the report of a process says in short, and what it tells to do next."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from courses.grading import workflow_map
from courses.grading.contract import GradeRequest
from courses.simulators.workflows import own_world, report_words
from courses.simulators.workflows.checks import SAYS

Json = Any
Grade = Callable[..., Json]


@pytest.fixture
def details(exercise: dict[str, Json]) -> Grade:
    def graded(text: str, **targets: Json) -> Json:
        small = {**exercise, "run": {"cases": 300, "replications": 2}}
        for name, full in targets.items():
            row = {**small["targets"][name], "full": full, "zero": full * 1.5}
            small = {**small, "targets": {**small["targets"], name: row}}
        return workflow_map.grade(GradeRequest("workflow_map", small, text)).details

    return graded


def test_every_check_has_its_advice() -> None:
    assert set(report_words.ADVICE) == set(SAYS)
    assert all(re.fullmatch(r"[A-Z][^.]+\.", says) for says in report_words.ADVICE.values())


def test_a_good_map_is_told_in_short(details: Grade, reference: str) -> None:
    said = report_words.in_short(details(reference), {"paid": "Refund paid"})

    assert re.match(r"Of 100 cases, 9\d end at “Refund paid”, \d\.\d at “", said[0])
    assert said[1].startswith("On average a case costs $")
    assert said[-1].startswith("Of the eight safety domains, none is open. A map cannot show Data")


def test_what_is_broken_comes_first_then_limits_then_the_rest(
    details: Grade, change: Callable[..., str]
) -> None:
    text = change(
        ("decided -> rejected otherwise", "decided -> pay otherwise"),
        ('  rejected: {kind: end, outcome: refused, name: "Refund rejected"}\n', ""),
        ("review -> escalate on timeout", "escalate -> handed"),
        (", patience: 2h", ""),
    ).replace("  - escalate -> handed\n", "", 1)
    steps = report_words.next_steps(details(text, cost_per_case=1.0))

    assert steps[0].startswith("The review at “Human review” is decorative")
    assert steps[0].endswith("Lead a refusal to an end, past the step.")
    cost = next(n for n, step in enumerate(steps) if step.startswith("Cost a request: $"))
    waits = next(n for n, step in enumerate(steps) if "Say how long a case waits" in step)
    assert 0 < cost < waits
    assert steps[-1].startswith("Ask the people who do this work")
    assert len(steps) <= report_words.MAX_STEPS


def test_what_was_assumed_is_said_with_its_figures() -> None:
    facts = own_world.read_facts(
        {
            "per_hour": 10,
            "amount": 100,
            "faults": [
                {"name": "Wrong price", "of_100": 5, "harm_share": 30, "harm_plus": 20},
                {"name": "Late", "of_100": 1, "harm_share": 0},
            ],
            "parts": [
                {"id": "pay", "kind": "tool", "name": "Payment", "acts": True, "fails": 2,
                 "minutes": 0.05},
                {"id": "team", "kind": "human", "name": "Team", "staff": 1, "per_hour": 40,
                 "minutes": 8, "finds": 85, "false_alarms": 3},
            ],
        }
    )  # fmt: skip

    assert report_words.assumed(facts) == (
        "Wrong price: 5 of 100 cases. Acting on one harms 30 % of the amount and $20.",
        "Late: 1 of 100 cases. Acting on one harms nobody.",
        "Payment, a program that does something: 3 s a case, fails 2 times in 100, can do harm.",
        "Team, people who decide: 1 person, 8 min a case, $40 an hour, finds 85 of 100 mistakes, "
        "objects to 3 of 100 good cases.",
    )

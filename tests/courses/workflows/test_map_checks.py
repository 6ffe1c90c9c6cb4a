"""Each check finds its mistake, names the path, and leaves a sound map alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from courses.simulators.workflows import checks, reading
from courses.simulators.workflows.model import Finding, WorkflowMap
from courses.simulators.workflows.world import World, read_world

Read = Callable[[str], WorkflowMap]
Change = Callable[..., str]
Json = Any


@pytest.fixture
def codes(read: Read, world: World) -> Callable[[str], set[str]]:
    return lambda text: {finding.code for finding in checks.run_checks(read(text), world)}


@pytest.fixture
def find(read: Read, world: World) -> Callable[[str, str], Finding]:
    def one(text: str, code: str) -> Finding:
        found = checks.run_checks(read(text), world)
        return next(finding for finding in found if finding.code == code)

    return one


def test_the_reference_map_has_no_finding(codes: Callable[[str], set[str]], reference: str) -> None:
    assert codes(reference) == set()


SPARE = '  spare: {kind: agent, block: refund_agent, name: "Spare"}\nedges:\n'
MISTAKES: Mapping[str, tuple[tuple[tuple[str, str], ...], str]] = {
    "a way into the trigger": ((("undo -> reversed", "undo -> start"),), "W01"),
    "a step nobody reaches": ((("edges:\n", SPARE + "  - spare -> check\n"),), "W02"),
    "a dead end": ((("  - undo -> reversed\n", ""),), "W04"),
    "an end that goes on": (
        (("undo -> reversed\n", "undo -> reversed\n  - paid -> reversed\n"),),
        "W04",
    ),
    "no otherwise": ((("  - alarm -> paid otherwise\n", ""),), "W05"),
    "two otherwise": ((("alarm -> undo when alarm", "alarm -> undo otherwise"),), "W05"),
    "two normal ways": (
        (("  - draft -> check\n", "  - draft -> check\n  - draft -> pay\n"),),
        "W06",
    ),
    "two ways on error": (
        (("pay -> escalate on error", "pay -> escalate on error\n  - pay -> rejected on error"),),
        "W06",
    ),
    "a branch that never wins": (
        (
            (
                "  - risk -> pay otherwise",
                "  - risk -> escalate when amount > 900\n  - risk -> pay otherwise",
            ),
        ),
        "W07",
    ),
    "a condition that is never true": (
        (("alarm -> undo when alarm", "alarm -> undo when alarm and not alarm"),),
        "W07",
    ),
    "a failure without a way": ((("  - lookup -> escalate on error\n", ""),), "W08"),
    "patience without a way": ((("  - review -> escalate on timeout\n", ""),), "W09"),
    "a way without patience": (((", patience: 2h", ""),), "W09"),
    "an endless loop": (((" max 1", ""),), "W10"),
    "loops that ask a person too often": (
        (
            ("when verdict == 'rework' max 1", "when verdict == 'rework' max 5"),
            ("alarm -> undo when alarm", "alarm -> draft when alarm max 1"),
        ),
        "W10",
    ),
    "amounts nobody looks at": (((" or amount > 400", ""),), "W11"),
    "amounts nobody looks at between two limits": ((("amount > 400", "amount > 500"),), "W11"),
    "flags nobody looks at": ((("flagged or ", ""),), "W11"),
    "a review that decides nothing": (
        (("decided -> rejected otherwise", "decided -> pay otherwise"),),
        "W12",
    ),
    "a refusal that goes round to the payment": (
        (
            (
                "decided -> rejected otherwise",
                "decided -> draft when verdict == 'reject' max 1\n  - decided -> rejected otherwise",
            ),
        ),
        "W12",
    ),
    "a refusal that a new proposal washes away": (
        (
            (
                "decided -> rejected otherwise",
                "decided -> draft when verdict == 'reject' max 1\n  - decided -> rejected otherwise",
            ),
            (
                "risk -> pay otherwise",
                "risk -> pay when verdict == 'none'\n  - risk -> rejected otherwise",
            ),
        ),
        "W12",
    ),
    "a review that is asked for once only": (
        (("or amount > 400\n", "or amount > 400 max 1\n"),),
        "W11",
    ),
    "silence that pays": ((("review -> escalate on timeout", "review -> pay on timeout"),), "W13"),
    "silence that pays at a gateway": (
        (
            ("review -> escalate on timeout", "review -> decided on timeout"),
            ("verdict == 'approve'", "verdict != 'reject'"),
            (
                "decided -> draft when verdict == 'rework' max 1\n",
                "decided -> draft when verdict == 'rework' max 1\n",
            ),
        ),
        "W13",
    ),
    "a failure that leads around the review": (
        (("lookup -> escalate on error", "lookup -> pay on error"),),
        "W14",
    ),
    "no guard": ((("draft -> check", "draft -> risk"),), "W15"),
    "no log": (((" - pay -> watch\n", " - pay -> alarm\n"),), "W16"),
    "no undo": ((("alarm -> undo when alarm", "alarm -> escalate when alarm"),), "W17"),
    "an undo before the payment": (
        (("decided -> rejected otherwise", "decided -> undo otherwise"),),
        "W18",
    ),
    "an agent that approves": (
        (("block: reviewer,", "block: reviewer, actor: refund_agent,"),),
        "W20",
    ),
    "an agent that decides what was escalated": (
        (("block: senior,", "block: senior, actor: refund_agent,"),),
        "W20",
    ),
    "an agent with the payment in its hands": (
        (("block: refund_agent,", "block: refund_agent, tools: [payment],"),),
        "W21",
    ),
    "an alarm that nobody hears": (
        (("alarm -> undo when alarm", "alarm -> reversed when alarm"),),
        "W22",
    ),
    "proposing before anything was looked up": ((("start -> lookup", "start -> draft"),), "W25"),
    "going on as if the look-up had not failed": (
        (("lookup -> escalate on error", "lookup -> draft on error"),),
        "W25",
    ),
    "a failed payment that ends as a paid one": (
        (("pay -> escalate on error", "pay -> watch on error"),),
        "W26",
    ),
    "asking the same people again": (
        (
            ("review -> escalate on timeout", "review -> again on timeout"),
            (
                "edges:\n",
                '  again: {kind: human, block: reviewer, name: "Again", patience: 1h}\nedges:\n'
                "  - again -> decided\n  - again -> escalate on timeout\n",
            ),
        ),
        "W23",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(mistake: str, change: Change, codes: Callable[[str], set[str]]) -> None:
    pairs, code = MISTAKES[mistake]

    assert code in codes(change(*pairs))


@pytest.mark.parametrize("code", [*checks.GATES, *checks.MUSTS, *checks.WARNINGS])
def test_every_check_has_a_mistake_that_it_finds(code: str) -> None:
    elsewhere = {"W03", "W19", "W24"}

    assert code in {found for _, found in MISTAKES.values()} | elsewhere


def test_a_case_that_cannot_finish_is_found(read: Read, change: Change, world: World) -> None:
    # A loop whose only exit leads back: the gate for endless loops speaks first.
    text = change(
        ("undo -> reversed", "undo -> watch"),
        ("alarm -> paid otherwise", "alarm -> watch otherwise"),
    )
    graph = checks.Graph(read(text), world)

    assert {finding.path[0] for finding in checks._w03(graph)} >= {"watch", "alarm", "undo"}


def test_a_failed_action_may_be_done_again_or_handed_to_a_person(
    change: Change, codes: Callable[[str], set[str]]
) -> None:
    again = (
        ("pay -> escalate on error", "pay -> second on error"),
        (
            "edges:\n",
            '  second: {kind: tool, block: payment, name: "Pay from the other account"}\nedges:\n'
            "  - second -> watch\n  - second -> escalate on error\n",
        ),
    )

    assert "W26" not in codes(change(*again))


SECOND = (
    ("review -> escalate on timeout", "review -> again on timeout"),
    (
        "edges:\n",
        '  again: {kind: human, block: second_desk, name: "Again", patience: 1h}\nedges:\n'
        "  - again -> decided\n  - again -> escalate on timeout\n",
    ),
)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"blocks.second_desk.authority": 1}, "of the same rank"),
        ({"blocks.second_desk.authority": 0}, "of a lower rank"),
        ({"blocks.second_desk.authority": 2, "blocks.senior.authority": 2}, "of the same rank"),
        (
            {"blocks.second_desk.authority": 2, "blocks.senior.authority": 3},
            None,
        ),
        (
            {
                "blocks.second_desk.authority": 2,
                "blocks.senior": {"kind": "escalation", "secs": 60, "authority": 3},
            },
            "neither a limit nor a price",
        ),
    ],
)
def test_who_is_asked_next_stands_higher_and_has_a_limit(
    changes: dict[str, Json], says: str | None, change: Change, rich_exercise: dict[str, Json]
) -> None:
    world = read_world(rich_exercise, changes)
    map_ = reading.read_map(change(*SECOND), blocks=world.kinds, visible=world.visible)
    found = [f.says for f in checks.run_checks(map_, world) if f.code == "W23"]

    assert bool(found) == (says is not None)
    assert says is None or says in found[-1]


def test_the_same_role_on_another_desk_is_no_escalation(
    change: Change, codes: Callable[[str], set[str]]
) -> None:
    same = change(
        ("block: reviewer,", "block: reviewer, actor: anna,"),
        ("block: senior,", "block: senior, actor: anna,"),
    )

    assert "W23" in codes(same)
    assert "W23" not in codes(same.replace("senior, actor: anna", "senior, actor: priya"))


def test_a_retry_of_a_payment_that_forgets_is_found(
    read: Read, reference: str, exercise: dict[str, Json]
) -> None:
    forgetful = read_world(exercise, {"blocks.payment.idempotent": False})

    assert "W19" in {finding.code for finding in checks.run_checks(read(reference), forgetful)}


def test_a_retry_of_a_payment_that_remembers_is_no_finding(
    codes: Callable[[str], set[str]], reference: str
) -> None:
    assert "retries: 1" in reference
    assert "W19" not in codes(reference)


def test_two_reviews_on_two_branches_separate_together(
    change: Change, codes: Callable[[str], set[str]]
) -> None:
    text = change(
        (
            "risk -> review when flagged or confidence < 0.80 or amount > 400",
            "risk -> second when amount > 400\n  - risk -> review when flagged or confidence < 0.80",
        ),
        (
            "edges:\n",
            '  second: {kind: human, block: reviewer, name: "Second desk", patience: 1h}\nedges:\n'
            "  - second -> decided\n  - second -> escalate on timeout\n",
        ),
    )

    assert "W11" not in codes(text)


def test_a_guard_after_the_review_does_not_ask_for_a_second_review(
    change: Change, codes: Callable[[str], set[str]]
) -> None:
    text = change(
        ("draft -> check", "draft -> review"),
        ("check -> risk", "check -> pay"),
        ("decided -> pay when verdict == 'approve'", "decided -> check when verdict == 'approve'"),
        (
            "  - risk -> review when flagged or confidence < 0.80 or amount > 400\n"
            "  - risk -> pay otherwise\n",
            "",
        ),
        ('  risk:     {kind: gateway, name: "Needs a human?"}\n', ""),
    )

    assert "W11" not in codes(text)


def test_sending_what_timed_out_to_the_gateway_is_no_consent(
    change: Change, codes: Callable[[str], set[str]]
) -> None:
    assert "W13" not in codes(
        change(("review -> escalate on timeout", "review -> decided on timeout"))
    )


def test_a_finding_names_the_path(find: Callable[[str, str], Finding], change: Change) -> None:
    finding = find(change((" or amount > 400", "")), "W11")

    assert finding.path == ("start", "lookup", "draft", "check", "risk", "pay")
    assert finding.severity == "must"
    assert finding.says.startswith(
        "Amount over 400: “Pay refund” can be reached with no human review"
    )


def test_a_finding_gives_an_amount_when_only_some_are_forgotten(
    find: Callable[[str, str], Finding], change: Change
) -> None:
    finding = find(change(("amount > 400", "amount > 500")), "W11")

    assert finding.says.startswith("Amount over 400 (such as 450): ")


def test_an_open_gate_is_all_that_is_reported(read: Read, change: Change, world: World) -> None:
    text = change((" max 1", ""), (" or amount > 400", ""))

    assert {finding.code for finding in checks.run_checks(read(text), world)} == {"W10"}


def test_a_repeated_guard_is_superfluous(read: Read, change: Change, world: World) -> None:
    text = change(
        ("draft -> check", "draft -> first\n  - first -> check"),
        ("edges:\n", '  first: {kind: guard, block: policy_check, name: "First"}\nedges:\n'),
    )

    assert checks.superfluous(read(text), world) == ("check",)


def test_a_guard_after_a_person_is_not_superfluous(
    read: Read, reference: str, world: World
) -> None:
    assert checks.superfluous(read(reference), world) == ()

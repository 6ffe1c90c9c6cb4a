"""A map's text: what is read, what is refused, and where the sentence points."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from courses.simulators.workflows import writing
from courses.simulators.workflows.model import BadMap, MapProblem, WorkflowMap

Read = Callable[[str], WorkflowMap]
Change = Callable[..., str]


def refusal(read: Read, text: str) -> MapProblem:
    with pytest.raises(BadMap) as caught:
        read(text)
    return caught.value.problems[0]


def line_of(text: str, part: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


def test_a_map_survives_its_text_form(read: Read, reference: str) -> None:
    map_ = read(reference)

    assert read(writing.to_text(map_)) == map_


def test_a_map_survives_its_json_form(read: Read, reference: str) -> None:
    map_ = read(reference)

    assert read(json.dumps(writing.to_json(map_))) == map_


@pytest.mark.parametrize("seed", range(10))
def test_a_random_map_survives_both_forms(
    seed: int, read: Read, random_map: Callable[[int], WorkflowMap]
) -> None:
    map_ = random_map(seed)

    assert read(writing.to_text(map_)) == map_
    assert read(json.dumps(writing.to_json(map_))) == map_


@pytest.mark.parametrize(
    "name", ['Say "yes"?', "a: b", "# no comment", "{x}", "back\\slash", "Größe – ja\u2028", "'"]
)
def test_names_with_odd_characters_survive(read: Read, change: Change, name: str) -> None:
    map_ = read(change(("Human review", "NAME")))
    data = writing.to_json(map_)
    data["nodes"]["review"]["name"] = name
    odd = read(json.dumps(data))

    assert odd.node("review").name == name
    assert read(writing.to_text(odd)) == odd


def test_notes_tools_actors_and_layout_survive(read: Read, change: Change) -> None:
    text = change(
        (
            "block: refund_agent,",
            'block: refund_agent, actor: bot, tools: [order_db], note: "x: y",',
        ),
        ("  - escalate -> handed\n", "  - escalate -> handed\nlayout:\n  start: [0, -70]\n"),
    )
    map_ = read(text)

    assert map_.layout == (("start", (0, -70)),)
    assert read(writing.to_text(map_)) == map_


def test_a_duration_may_carry_its_unit(read: Read, change: Change) -> None:
    assert read(change(("patience: 2h", "patience: 30m"))).node("review").patience_s == 1800


def test_a_duration_is_written_in_its_largest_unit(read: Read, change: Change) -> None:
    assert "patience: 90m}" in writing.to_text(read(change(("patience: 2h", "patience: 5400"))))


def test_a_bare_duration_is_in_seconds(read: Read, change: Change) -> None:
    assert read(change(("patience: 2h", "patience: 90"))).node("review").patience_s == 90


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("checkride: map/1", "checkride: map/2", "begins with the line"),
        ("id: refunds-strong", "id: Refunds Strong", "small letters"),
        ('title: "A person where doubt and money meet"\n', "", "lacks “title”"),
        ("kind: guard", "kind: gard", "Did you mean “guard”?"),
        ("kind: guard, ", "", "lacks “kind”"),
        ("block: policy_check, ", "", "lacks “block”"),
        ("block: policy_check", "block: policy_chek", "Did you mean “policy_check”?"),
        ("block: policy_check", "block: reviewer", "“reviewer” is of the kind human"),
        ("retries: 2, backoff: 30", "retries: 2", "retries but no backoff"),
        ("retries: 2, backoff: 30", "backoff: 30", "backoff but no retries"),
        ("retries: 2", "retries: 6", "from 0 to 5"),
        ("retries: 2", "retries: true", "from 0 to 5"),
        ("patience: 2h", "patience: soon", "is a time"),
        ("patience: 2h", "patience: 8000h", "is a time"),
        ("patience: 2h", "patients: 2h", "Did you mean “patience”?"),
        ("kind: gateway, name", "kind: gateway, patience: 3m, name", "which has no “patience”"),
        ("undoes: pay", "undoes: payment", "there is no such step"),
        ("undoes: pay, ", "", "lacks “undoes”"),
        ("outcome: refused", "outcome: refusd", "must be one of"),
        ("outcome: refused, ", "", "lacks “outcome”"),
        ("- start -> lookup", "- start => lookup", "is not a way"),
        ("- start -> lookup", "- start -> lokup", "Did you mean “lookup”?"),
        ("escalate on error", "escalate on failure", "“on failure” is not known"),
        ("- check -> risk", "- check -> risk when flagged", "Only a gateway asks"),
        ("- check -> risk", "- check -> risk max 2", "“max” belongs to"),
        ("- check -> risk", "- check -> risk on timeout", "run out of patience"),
        ("- watch -> alarm", "- watch -> alarm on error", "cannot fail"),
        ("- risk -> pay otherwise", "- risk -> pay", "is a gateway: say when"),
        ("- risk -> pay otherwise", "- risk -> pay on error", "is a gateway: it only asks"),
        ("- risk -> pay otherwise", "- risk -> pay otherwise max 1", "must always be open"),
        ("max 1", "max 9", "from 1 to 5"),
        ("- risk -> pay otherwise", "- risk -> pay when flagged otherwise", "not both"),
        ("flagged or", "fault or", "Nobody knows “fault”"),
        ("flagged or", "confidence or", "needs something to compare"),
        ("amount > 400", "400 < amount", "on the left"),
        ("amount > 400", "1 < amount < 400", "compares twice"),
        ("amount > 400", "amount > 200 + 200", "plain number"),
        ("amount > 400", "amount > 1e12", "larger than"),
        ("amount > 400", "amount > True", "plain number"),
        ("amount > 400", "amount in 400", "is not a condition|compared with"),
        ("amount > 400", "open('x')", "may not hold"),
        ("amount > 400", "amount >", "is not a condition"),
        ("verdict == 'approve'", "verdict == 'approved'", "'approve'"),
        ("verdict == 'approve'", "verdict > 'approve'", "compare it with == or !="),
        ("when alarm", "when alarm == 1", "yes or no"),
        ("when alarm", "when 1", "same answer"),
    ],
)
def test_a_mistake_gets_a_sentence_and_its_line(
    read: Read, change: Change, old: str, new: str, says: str
) -> None:
    text = change((old, new))
    problem = refusal(read, text)

    assert any(part in problem.message for part in says.split("|"))
    assert problem.message.endswith((".", "?"))
    if new and new.strip() in text and problem.line is not None:
        assert problem.line == line_of(text, new)


@pytest.mark.parametrize("word", ["no", "yes", "on", "off"])
def test_a_step_called_like_a_boolean_gets_a_clear_sentence(
    read: Read, change: Change, word: str
) -> None:
    text = change(("  handed: ", f"  {word}: "), ("escalate -> handed", f"escalate -> {word}"))
    problem = refusal(read, text)

    assert f"cannot be called “{word}”" in problem.message
    assert problem.line == line_of(text, f"  {word}: ")


def test_all_mistakes_are_listed_in_one_go(read: Read, change: Change) -> None:
    with pytest.raises(BadMap) as caught:
        read(
            change(("kind: guard", "kind: gard"), ("max 1", "max 9"), ("retries: 2", "retries: 7"))
        )

    assert len(caught.value.problems) >= 3


def test_a_misplaced_quote_that_swallows_a_key_is_noticed(read: Read, change: Change) -> None:
    text = change(('undoes: pay, name: "Reverse payment"', 'name: "Reverse payment, undoes: pay"'))

    assert "lacks “undoes”" in refusal(read, text).message


def test_a_key_given_twice_is_refused(read: Read, change: Change) -> None:
    assert "twice" in refusal(read, change(("kind: guard,", "kind: guard, kind: tool,"))).message


def test_a_json_key_given_twice_is_refused(read: Read) -> None:
    assert "twice" in refusal(read, '{"checkride": "map/1", "checkride": "map/1"}').message


def test_an_alias_is_refused(read: Read, change: Change) -> None:
    assert "“*”" in refusal(read, change(("kind: guard", "kind: *x"))).message


def test_sixty_steps_are_read_and_sixty_one_refused(read: Read, change: Change) -> None:
    spare = "".join(f'  e{i}: {{kind: end, outcome: served, name: "E"}}\n' for i in range(44))
    text = change(("edges:\n", spare + "edges:\n"))

    assert len(read(text).nodes) == 60
    more = text.replace("edges:\n", '  one: {kind: end, outcome: served, name: "E"}\nedges:\n')
    assert "limit is 60" in refusal(read, more).message


def test_more_than_150_ways_are_refused(read: Read, change: Change) -> None:
    text = change(("  - start -> lookup\n", "  - start -> lookup\n" * 150))

    assert "limit is 150" in refusal(read, text).message


def test_a_condition_of_more_than_200_characters_is_refused(read: Read, change: Change) -> None:
    text = change(("flagged or", "flagged or " * 30))

    assert "longer than 200" in refusal(read, text).message


def test_deep_brackets_and_many_nots_are_read(read: Read, change: Change) -> None:
    nested = "(" * 90 + "alarm" + ")" * 90
    denied = "not " * 40 + "alarm"

    assert len(read(change(("when alarm", f"when {nested}"))).edges) == 19
    assert len(read(change(("when alarm", f"when {denied}"))).edges) == 19


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "5", "{", "{}", "nodes: {}", "a: b: c", "\x00", "- x", '{"a": NaN}']
)
def test_anything_else_is_refused_in_one_sentence(read: Read, text: str) -> None:
    assert refusal(read, text).message.endswith(".")


def test_a_very_long_text_is_refused(read: Read) -> None:
    assert "longer than" in refusal(read, "x" * 60_001).message

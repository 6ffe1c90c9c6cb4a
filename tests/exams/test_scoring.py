"""Points, ranges and verdicts, without a database."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exams.scoring.item_files import item_from_document
from exams.scoring.items import Item, face_of, split_stem
from exams.scoring.responses import (
    BadResponse,
    check_payload,
    completeness,
    in_authors_ids,
    in_words,
    read_number,
)
from exams.scoring.score import NothingToScore, score_form, score_response, wilson

COMMON = {
    "domain": "human oversight",
    "competencies": ["S4"],
    "exam": ["foundations"],
    "level": "foundation",
    "cognition": "apply",
    "seconds": 60,
    "difficulty": {"angoff": 0.6},
    "stem": "A gate lets three cases pass. Which of them should have waited?",
}


def options(*keyed: str) -> list[dict[str, object]]:
    return [
        {"id": name, "text": f"Option {name}", "key": True, "why": "It fits."}
        if name in keyed
        else {"id": name, "text": f"Option {name}", "believes": "A belief.", "but": "It fails."}
        for name in "abcd"
    ]


SINGLE = item_from_document({**COMMON, "id": "one", "kind": "single", "options": options("c")})
MULTIPLE = item_from_document(
    {**COMMON, "id": "many", "kind": "multiple", "choose": 2, "options": options("a", "d")}
)
NUMERIC = item_from_document(
    {
        **COMMON,
        "id": "number",
        "kind": "numeric",
        "answer": {"value": 37.5, "unit": "percent", "tolerance": 0.5},
    }
)
STEPS = [{"id": name, "text": name} for name in ("write", "test", "widen")]
ORDERING = item_from_document(
    {**COMMON, "id": "order", "kind": "ordering", "steps": STEPS, "key": ["write", "test", "widen"]}
)
MATCHING = item_from_document(
    {
        **COMMON,
        "id": "pairs",
        "kind": "matching",
        "left": [{"id": "who", "text": "Who?"}, {"id": "when", "text": "When?"}],
        "right": [{"id": name, "text": name} for name in ("history", "trace", "board")],
        "key": {"who": "history", "when": "trace"},
    }
)
HOTSPOT = item_from_document(
    {**COMMON, "id": "spot", "kind": "hotspot", "log": ["read", "guess", "write"], "key": [2]}
)

RIGHT = [
    (SINGLE, {"choice": "c"}),
    (MULTIPLE, {"choices": ["a", "d"]}),
    (NUMERIC, {"number": "37.5"}),
    (ORDERING, {"positions": {"write": 1, "test": 2, "widen": 3}}),
    (MATCHING, {"pairs": {"who": "history", "when": "trace"}}),
    (HOTSPOT, {"lines": [2]}),
]
WRONG = [
    (SINGLE, {"choice": "a"}),
    (MULTIPLE, {"choices": ["a"]}),
    (MULTIPLE, {"choices": ["a", "b", "d"]}),
    (NUMERIC, {"number": "38.1"}),
    (NUMERIC, {"number": "about 37"}),
    (ORDERING, {"positions": {"write": 1, "test": 3, "widen": 2}}),
    (ORDERING, {"positions": {"write": 1, "test": 2}}),
    (MATCHING, {"pairs": {"who": "history"}}),
    (HOTSPOT, {"lines": [3]}),
]


@pytest.mark.parametrize(
    ("item", "payload"), RIGHT, ids=lambda value: getattr(value, "kind", str(value))
)
def test_the_whole_right_answer_earns_the_point(item: Item, payload: dict[str, object]) -> None:
    assert score_response(item, payload) == 1


@pytest.mark.parametrize(
    ("item", "payload"), WRONG, ids=lambda value: getattr(value, "kind", str(value))
)
def test_a_wrong_or_partial_answer_earns_nothing(item: Item, payload: dict[str, object]) -> None:
    assert score_response(item, payload) == 0


@pytest.mark.parametrize("item", [row[0] for row in RIGHT], ids=lambda item: item.kind)
def test_a_missing_answer_earns_nothing_and_is_empty(item: Item) -> None:
    assert score_response(item, {}) == 0
    assert completeness(face_of(item, {}), {}) == "empty"


@pytest.mark.parametrize(
    ("typed", "counts"), [("37", True), ("38", True), ("36.9", False), ("38.01", False)]
)
def test_a_number_counts_up_to_the_tolerance_and_no_further(typed: str, counts: bool) -> None:
    assert bool(score_response(NUMERIC, {"number": typed})) is counts


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("37.5", "37.5"),
        ("37,5", "37.5"),
        (" 37.50 % ", "37.50"),
        ("1,250", "1250"),
        ("1 250.5", "1250.5"),
        ("12,345,678", "12345678"),
        ("0,125", "0.125"),
        (".5", "0.5"),
        ("−3", "-3"),
        ("$1,200", "1200"),
    ],
)
def test_numbers_are_read_as_people_type_them(typed: str, value: str) -> None:
    assert read_number(typed) == Decimal(value)


@pytest.mark.parametrize(
    "typed", ["", "37 to 38", "1,2,3", "1e3", "٣", "NaN", "-", "1.2.3", "12,34,567"]
)
def test_what_could_be_read_in_two_ways_is_no_number(typed: str) -> None:
    assert read_number(typed) is None


@pytest.mark.parametrize(
    ("item", "payload"),
    [
        (SINGLE, {"choice": "z"}),
        (SINGLE, {"choice": "a", "key": "c"}),
        (SINGLE, ["a"]),
        (SINGLE, {"choice": ["a"]}),
        (MULTIPLE, {"choices": "a"}),
        (NUMERIC, {"number": 37.5}),
        (NUMERIC, {"number": "3\x007"}),
        (NUMERIC, {"number": "3" * 41}),
        (ORDERING, {"positions": {"a": 0}}),
        (ORDERING, {"positions": {"a": True}}),
        (ORDERING, {"positions": {"a": 4}}),
        (ORDERING, {"positions": {"write": 1}}),
        (MATCHING, {"pairs": {"1": "z"}}),
        (HOTSPOT, {"lines": [4]}),
    ],
)
def test_an_answer_that_does_not_fit_its_item_is_refused(item: Item, payload: object) -> None:
    with pytest.raises(BadResponse):
        check_payload(face_of(item, {}), payload)


def test_equal_answers_have_one_spelling() -> None:
    face = face_of(MULTIPLE, {"choices": ("d", "c", "b", "a")})

    assert check_payload(face, {"choices": ["d", "a", "a"]}) == {"choices": ["a", "d"]}
    assert check_payload(face, {"choices": []}) == {}


def test_half_an_order_is_kept_and_called_partial() -> None:
    face = face_of(ORDERING, {})
    payload = check_payload(face, {"positions": {"b": 1, "a": 1}})

    assert payload == {"positions": {"a": 1, "b": 1}}
    assert completeness(face, payload) == "partial"
    assert completeness(face, {"positions": {"a": 1, "b": 2, "c": 3}}) == "complete"


def test_a_receipt_names_the_letters_that_stood_on_the_page() -> None:
    assert in_words(face_of(SINGLE, {}), {"choice": "b"}) == "B"
    assert in_words(face_of(MULTIPLE, {}), {"choices": ["a", "c"]}) == "A, C"
    assert in_words(face_of(ORDERING, {}), {"positions": {"c": 1, "a": 2}}) == "1: C, 2: A"
    assert in_words(face_of(MATCHING, {}), {"pairs": {"1": "c"}}) == "1 with C"
    assert in_words(face_of(HOTSPOT, {}), {"lines": [2]}) == "line 2"
    assert in_words(face_of(NUMERIC, {}), {"number": "37,5"}) == "37,5 percent"
    assert in_words(face_of(SINGLE, {}), {}) == "no answer"


def test_signs_follow_the_drawn_order_and_lead_back_to_the_authors_ids() -> None:
    drawn = {"choices": ("d", "c", "b", "a")}
    assert [choice.text for choice in face_of(SINGLE, drawn).choices][1] == "Option c"
    assert in_authors_ids(SINGLE, drawn, {"choice": "b"}) == {"choice": "c"}
    assert in_authors_ids(MULTIPLE, drawn, {"choices": ["a", "b"]}) == {"choices": ["c", "d"]}

    steps = {"choices": ("widen", "write", "test")}
    order = {"positions": {"b": 1, "c": 2, "a": 3}}
    assert score_response(ORDERING, in_authors_ids(ORDERING, steps, order)) == 1

    sides = {"left": ("when", "who"), "choices": ("board", "trace", "history")}
    pairs = {"pairs": {"1": "b", "2": "c"}}
    assert score_response(MATCHING, in_authors_ids(MATCHING, sides, pairs)) == 1
    assert in_authors_ids(HOTSPOT, {}, {"lines": [2]}) == {"lines": [2]}
    assert in_authors_ids(SINGLE, drawn, {}) == {}


@pytest.mark.parametrize("item", [row[0] for row in RIGHT], ids=lambda item: item.kind)
def test_the_face_of_an_item_has_no_place_for_a_key(item: Item) -> None:
    shown = repr(face_of(item, {}))

    assert not hasattr(face_of(item, {}), "key")
    assert "It fits." not in shown
    assert "id='write'" not in shown
    assert "id='history'" not in shown


@pytest.mark.parametrize(
    ("stem", "ask"),
    [
        ("A log shows a loop. What stops it?", "What stops it?"),
        ("Rates fell. Choose the two that explain it.", "Choose the two that explain it."),
        ("Match each. One record is left over.", "Match each. One record is left over."),
        ("What stops a loop?", "What stops a loop?"),
        ("The rate is 2.5 % in May. Is that the limit?", "Is that the limit?"),
    ],
)
def test_the_task_is_the_last_sentence_that_asks_or_orders(stem: str, ask: str) -> None:
    context, task = split_stem(stem)

    assert task == ask
    assert f"{context} {task}".strip() == stem


def test_a_form_passes_at_its_cut_and_not_below() -> None:
    items = [SINGLE] * 4
    payloads = [{"choice": "c"}] * 3 + [{"choice": "a"}]
    domains = {"human-oversight": "Human oversight"}

    at_cut = score_form(items, payloads, cut=3, domains=domains)
    below = score_form(items, payloads, cut=4, domains=domains)

    assert (at_cut.correct, at_cut.percent, at_cut.passed) == (3, 75, True)
    assert below.passed is False
    assert at_cut.domains[0].name == "Human oversight"
    assert (at_cut.domains[0].correct, at_cut.domains[0].of) == (3, 4)


def test_a_percentage_is_rounded_down_so_that_a_shown_70_is_a_true_70() -> None:
    payloads = [{"choice": "c"}] * 2 + [{}]

    assert score_form([SINGLE] * 3, payloads, cut=2, domains={}).percent == 66


def test_a_form_without_items_is_not_scored() -> None:
    with pytest.raises(NothingToScore):
        score_form([], [], cut=1, domains={})


def test_the_range_agrees_with_the_published_figures_of_wilson() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 at 95 % is 0.2553 to 0.3662.
    plausible = wilson(81, 263, z=1.959964)

    assert (plausible.low, plausible.high) == (0.2553, 0.3662)


@given(of=st.integers(1, 200), data=st.data())
def test_the_range_holds_the_share_and_stays_between_0_and_1(of: int, data: st.DataObject) -> None:
    correct = data.draw(st.integers(0, of))
    plausible = wilson(correct, of)

    assert 0 <= plausible.low <= plausible.high <= 1
    assert plausible.low <= round(correct / of, 4) <= plausible.high
    assert math.isclose(plausible.low, 1 - wilson(of - correct, of).high, abs_tol=2e-4)


@given(st.lists(st.sampled_from([0, 1]), min_size=2, max_size=24))
def test_one_more_right_answer_never_lowers_the_score(points: list[int]) -> None:
    payloads = [{"choice": "c"} if point else {"choice": "a"} for point in points]
    better = [{"choice": "c"}, *payloads[1:]]
    before = score_form([SINGLE] * len(points), payloads, cut=2, domains={})
    after = score_form([SINGLE] * len(points), better, cut=2, domains={})

    assert after.correct >= before.correct
    assert after.passed >= before.passed

"""Conditions, pictures and words: they say what is true and stay readable."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from courses.grading import workflow_map
from courses.grading.contract import GradeRequest
from courses.simulators.workflows import checks, conditions, outline
from courses.simulators.workflows.draw import draw
from courses.simulators.workflows.exact import confidence_cells
from courses.simulators.workflows.model import BadMap, Edge, Node, WorkflowMap
from courses.simulators.workflows.world import BadWorld, World, read_world

Json = Any
Read = Callable[[str], WorkflowMap]
Change = Callable[..., str]
VISIBLE = ("confidence", "amount", "flagged", "verdict", "alarm")


def random_condition(chance: random.Random, depth: int = 3) -> str:
    if depth == 0 or chance.random() < 0.3:
        return chance.choice(
            [
                "flagged",
                "alarm",
                f"confidence {chance.choice(['<', '<=', '>', '>=', '==', '!='])} "
                f"{chance.choice([0, 0.5, 0.8, 1])}",
                f"amount {chance.choice(['<', '>=', '=='])} {chance.choice([0, 99.5, 400])}",
                f"verdict {chance.choice(['==', '!='])} '{chance.choice(conditions.VERDICTS)}'",
            ]
        )
    word = chance.choice(["and", "or", "not"])
    if word == "not":
        return f"not ({random_condition(chance, depth - 1)})"
    left, right = (random_condition(chance, depth - 1) for _ in range(2))
    return f"({left}) {word} ({right})"


def random_values(chance: random.Random) -> dict[str, Any]:
    return {
        "confidence": chance.choice([0.0, 0.5, 0.65, 0.8, 1.0]),
        "amount": chance.choice([0.0, 99.5, 120.0, 400.0, 5000.0]),
        "flagged": chance.random() < 0.5,
        "alarm": chance.random() < 0.5,
        "verdict": chance.choice(conditions.VERDICTS),
    }


@pytest.mark.parametrize("seed", range(60))
def test_a_condition_means_what_it_means_in_python(seed: int) -> None:
    chance = random.Random(seed)
    text = random_condition(chance)
    condition = conditions.parse(text, VISIBLE)
    rows = [random_values(chance) for _ in range(20)]
    arrays = {
        name: np.array(
            [
                conditions.VERDICTS.index(row[name]) if name == "verdict" else row[name]
                for row in rows
            ]
        )
        for name in VISIBLE
    }

    wanted = [bool(eval(text, {"__builtins__": {}}, row)) for row in rows]  # noqa: S307

    assert [conditions.holds(condition, row) for row in rows] == wanted
    assert conditions.holds_for_each(condition, arrays).tolist() == wanted


@pytest.mark.parametrize("seed", range(60))
def test_an_answer_with_gaps_is_never_wrong(seed: int) -> None:
    chance = random.Random(seed)
    condition = conditions.parse(random_condition(chance), VISIBLE)
    row = random_values(chance)
    hidden = chance.sample(VISIBLE, 2)
    answer = conditions.holds_if_known(
        condition, {name: value for name, value in row.items() if name not in hidden}
    )

    assert answer in (None, conditions.holds(condition, row))


@pytest.mark.parametrize("confidence", [0.7999, 0.79999, 0.8, 0.800001])
def test_an_explanation_is_never_rounded_into_a_lie(confidence: float) -> None:
    condition = conditions.parse("confidence < 0.80", VISIBLE)
    said = conditions.explain(condition, {"confidence": confidence})
    shown, rest = said.removeprefix("confidence ").split(" < ")

    assert (float(shown) < 0.8) == (confidence < 0.8)
    assert rest == f"0.80 is {'true' if confidence < 0.8 else 'false'}"


def test_cells_cover_every_number_once() -> None:
    cells = confidence_cells((0.5, 0.8))

    assert [cell.value for cell in cells][1::2] == [0.5, 0.8]
    assert cells[0].low == 0
    assert cells[-1].high == 1
    assert all(a.high == pytest.approx(b.low) for a, b in itertools.pairwise(cells))


def parsed(picture: str) -> ElementTree.Element:
    return ElementTree.fromstring(picture)  # noqa: S314  # our own picture


# -- pictures ----------------------------------------------------------------------------------


@pytest.fixture
def picture(read: Read, reference: str) -> str:
    return draw(read(reference))


def test_a_picture_has_a_title_and_says_every_way_in_words(picture: str, reference: str) -> None:
    root = parsed(picture)
    space = "{http://www.w3.org/2000/svg}"

    assert "16 steps, 19 ways" in root.findtext(f"{space}title", "")
    assert root.findtext(f"{space}desc", "").count(" leads to ") == 19
    assert root.get("role") == "img"


def test_a_picture_has_no_inline_style_and_no_small_letters(picture: str) -> None:
    assert "style=" not in picture
    assert min(int(size) for size in re.findall(r'font-size="(\d+)"', picture)) >= 14


def test_a_picture_of_any_name_is_well_formed(read: Read, change: Change) -> None:
    odd = read(change(('"Human review"', '"<b>&\\" review"')))

    assert "<b>" not in draw(odd)
    parsed(draw(odd))


def test_a_finding_is_marked_on_its_step(read: Read, change: Change, world: World) -> None:
    map_ = read(change(("  - lookup -> escalate on error\n", "")))
    root = parsed(draw(map_, checks.run_checks(map_, world)))
    marked = [g.get("data-node") for g in root.iter() if "is-marked" in (g.get("class") or "")]

    assert marked == ["lookup"]


@pytest.mark.parametrize("seed", range(10))
def test_boxes_of_a_random_map_do_not_overlap(
    seed: int, random_map: Callable[[int], WorkflowMap]
) -> None:
    root = parsed(draw(random_map(seed)))
    boxes = [
        (float(r.get("x", 0)), float(r.get("y", 0)), float(r.get("width", 0)))
        for r in root.iter("{http://www.w3.org/2000/svg}rect")
        if r.get("class") == "shape"
    ]

    for (x, y, width), (other_x, other_y, _) in itertools.combinations(boxes, 2):
        assert abs(x - other_x) >= width or abs(y - other_y) >= 56


def test_a_map_with_an_endless_loop_is_still_drawn(read: Read, change: Change) -> None:
    root = parsed(draw(read(change((" max 1", "")))))

    assert len([g for g in root.iter() if g.get("data-node")]) == 16


def test_an_empty_map_has_a_picture() -> None:
    parsed(draw(WorkflowMap("x", "X", (), ())))


def test_a_way_to_nowhere_is_left_out_of_the_picture() -> None:
    map_ = WorkflowMap("x", "X", (Node("a", "trigger", "A"),), (Edge("a", "gone"),))

    parsed(draw(map_))


# -- words -------------------------------------------------------------------------------------


def test_a_walk_through_tells_the_ways_of_a_gateway_in_order(
    read: Read, reference: str, world: World
) -> None:
    said = outline.walk_through(read(reference), world)

    assert (
        "At “Review outcome” (Gateway): 3 ways. 1: when verdict == 'approve', to Pay refund. "
        "2: when verdict == 'rework', to Agent proposes refund, at most once. "
        "3: otherwise to Refund rejected."
    ) in said


def test_a_row_tells_block_settings_and_ways(read: Read, reference: str, world: World) -> None:
    rows = {row.id: row for row in outline.outline(read(reference), world)}

    assert rows["review"].settings == ("3 people", "waits 2 h")
    assert rows["pay"].settings == ("high risk", "up to 2 tries, after 30 s")
    assert [way.says for way in rows["lookup"].ways] == [
        "to Agent proposes refund",
        "on error to Escalate to Priya",
    ]


def test_the_same_case_can_be_watched_in_another_map(
    exercise: dict[str, Json], reference: str
) -> None:
    mine, theirs = (
        workflow_map.replay_case(GradeRequest("workflow_map", exercise, text), 1438)
        for text in (reference, exercise["references"]["by_amount"])
    )

    assert mine is not None
    assert theirs is not None
    assert mine.given == theirs.given
    assert mine.steps[-1].says == theirs.steps[-1].says


def test_a_case_that_does_not_exist_is_none(exercise: dict[str, Json], reference: str) -> None:
    request = GradeRequest("workflow_map", exercise, reference)

    assert workflow_map.replay_case(request, 0) is None
    assert workflow_map.replay_case(request, 120_001) is None


# -- worlds and odd texts ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("faults.injection.p", 0.2, "must add up to 1"),
        ("faults.injection.harm", "a lot", "write it like"),
        ("blocks.reviewer.staff", 0, "from 1 to 1000"),
        ("blocks.reviewer.speed", 3, "no such setting"),
        ("blocks.reviewer.dist", "normal", "only “expon”"),
        ("blocks.nobody.secs", 3, "does not have"),
        ("blocks.refund_agent.needs", ["policy_check"], "no tool here"),
        ("arrivals.peak", {"every": "10h", "from": "6h", "to": "5h", "factor": 2}, "within"),
    ],
)
def test_a_world_that_cannot_be_says_where(
    path: str, value: Json, says: str, exercise: dict[str, Json]
) -> None:
    with pytest.raises(BadWorld) as caught:
        read_world(exercise, {path: value})

    assert says in caught.value.message
    assert caught.value.message.split(":")[0].split(".")[0] in ("world", "blocks")


@pytest.mark.parametrize("seed", range(80))
def test_a_damaged_map_is_read_or_refused_but_never_crashes(
    seed: int, read: Read, reference: str, exercise: dict[str, Json]
) -> None:
    chance = random.Random(seed)
    text = reference
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(text))
        piece = chance.choice([*"{}[]:,->\n\"'#&*?", " on error", " max 2", "null", "pay"])
        text = text[:at] + piece + text[at + chance.randint(0, 6) :]
    small = {**exercise, "run": {"cases": 20, "replications": 2}}
    report = workflow_map.grade(GradeRequest("workflow_map", small, text))

    try:
        read(text)
    except BadMap:
        assert report.problems
    for problem in report.problems:
        assert problem.message.strip()
        assert "Traceback" not in problem.message

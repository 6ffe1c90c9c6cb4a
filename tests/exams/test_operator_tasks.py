"""The tasks of the Operator exam: what passes, what does not, and what a candidate never sees."""

from __future__ import annotations

import operator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from courses.exercise_files import read_exercise
from courses.grading import grade
from courses.grading.contract import GradeRequest
from exams.scoring.item_files import item_from_document, read_items
from exams.scoring.items import Item, face_of

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "exams" / "content" / "operator-tasks"
PRACTICE = REPOSITORY / "courses" / "content"
PROMPTS = ["leak-credits", "late-fees", "parcel-lockers", "gym-refunds"]
MAPS = ["travel-claims", "seed-orders"]
PRACTICE_PROMPTS = sorted(PRACTICE.glob("prompting/exercises/*/refs/strong.md"))


@cache
def exercise(name: str) -> Any:
    return read_exercise(FOLDER / "tasks" / name)


def points(name: str, text: str) -> int:
    document = exercise(name)
    return grade(GradeRequest(document["kind"], document, text, "exam-test")).score


@pytest.mark.parametrize("name", PROMPTS)
def test_each_reference_lands_where_it_is_declared(name: str) -> None:
    document = exercise(name)
    for reference, expected in document["expect"].items():
        report = grade(
            GradeRequest("prompt", document, document["references"][reference], "exam-test")
        )
        compare = operator.ge if "score_at_least" in expected else operator.lt
        bound = expected.get("score_at_least", expected.get("score_below"))
        assert compare(report.score, bound), (reference, report.score)
        assert report.passed == expected["passed"], reference


@pytest.mark.parametrize("name", PROMPTS)
def test_every_rule_decides_a_case(name: str) -> None:
    """Without one line the agent goes wrong in some case, and not only in the reading."""
    document = exercise(name)
    lines = document["references"]["strong"].splitlines()
    for left_out in range(len(lines)):
        text = "\n".join(line for number, line in enumerate(lines) if number != left_out)
        report = grade(GradeRequest("prompt", document, text, "exam-test"))
        assert not all(case.passed for case in report.cases), lines[left_out]


@pytest.mark.parametrize("name", PROMPTS)
@pytest.mark.parametrize("file", PRACTICE_PROMPTS, ids=lambda file: file.parts[-3])
def test_an_answer_from_practice_does_not_pass(name: str, file: Path) -> None:
    assert points(name, file.read_text(encoding="utf-8")) < 70


@pytest.mark.parametrize("name", PROMPTS)
@pytest.mark.parametrize("other", PROMPTS)
def test_the_answer_to_another_task_does_not_pass(name: str, other: str) -> None:
    if other != name:
        assert points(name, exercise(other)["references"]["strong"]) < 70


def lands(name: str, reference: str) -> bool:
    document = exercise(name)
    least, most = document["expected"][reference]
    return bool(least <= points(name, document["references"][reference]) <= most)


@pytest.mark.parametrize("name", MAPS)
def test_a_good_map_passes_and_the_given_one_does_not(name: str) -> None:
    assert lands(name, "strong")
    assert lands(name, "weak")


@pytest.mark.slow
@pytest.mark.parametrize("name", MAPS)
def test_each_map_lands_where_it_is_declared(name: str) -> None:
    assert all(lands(name, reference) for reference in exercise(name)["expected"])


@pytest.mark.parametrize("name", MAPS)
def test_a_map_from_practice_or_of_the_other_task_does_not_run(name: str) -> None:
    (other,) = set(MAPS) - {name}
    assert points(name, exercise(other)["references"]["strong"]) == 0
    for file in PRACTICE.glob("systems-thinking/exercises/*/maps/strong.yaml"):
        assert points(name, file.read_text(encoding="utf-8")) == 0


@cache
def items() -> tuple[Item, ...]:
    file = FOLDER / "items" / "tasks.yaml"
    read = read_items(file.read_text(encoding="utf-8"), file=file.name, exercises=exercise)
    # Read once more from the document, as the database gives it back.
    return tuple(item_from_document(document) for _, document in read)


def test_each_kind_of_task_has_two_worlds_that_are_alike_in_time_and_rating() -> None:
    by_domain: dict[str, list[Item]] = {}
    for item in items():
        by_domain.setdefault(item.domain, []).append(item)

    assert {domain: len(found) for domain, found in by_domain.items()} == {
        "instruct-an-agent": 2,
        "repair-instructions": 2,
        "draw-the-work": 2,
    }
    for one, other in by_domain.values():
        assert (one.seconds, one.angoff, one.points) == (other.seconds, other.angoff, other.points)


def test_no_hidden_case_rule_or_reference_reaches_the_candidate() -> None:
    for item in items():
        document: Any = item.key.exercise  # type: ignore[union-attr]
        face = repr(face_of(item, {}))
        for case in document.get("cases", []):
            if not case["shown"]:
                assert case["customer"] not in face, case["id"]
        for requirement in document.get("requirements", []):
            # The instructions to repair hold some good lines; nothing else gives one away.
            if requirement["suggest"] not in document.get("starter", ""):
                assert requirement["suggest"] not in face
        for name, text in document["references"].items():
            if text.strip() != document.get("starter", "").strip():
                assert text.strip() not in face, name

"""What an author is told when an item file is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from exams.assembly.blueprint import BadBlueprint, read_blueprint
from exams.scoring.item_files import BadItems, read_items

FOUNDATIONS = Path(__file__).parents[2] / "exams" / "content" / "foundations"

GOOD = """checkride: items/1
items:
- id: first-item
  kind: single
  domain: human oversight
  competencies: [E5]
  level: foundation
  cognition: apply
  exam: [foundations]
  seconds: 60
  difficulty: {angoff: 0.6}
  stem: Which of these waits?
  options:
    - {id: a, text: One, believes: A, but: B}
    - {id: b, text: Two, key: true, why: C}
    - {id: c, text: Three, believes: A, but: B}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(BadItems) as refusal:
        read_items(text, file="pool.yaml")
    return [str(problem) for problem in refusal.value.problems]


def test_a_good_file_is_read() -> None:
    ((item, document),) = read_items(GOOD, file="pool.yaml")

    assert item.id == "first-item"
    assert item.domain == "human-oversight"
    assert document["kind"] == "single"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("key: true, why: C", "believes: A, but: B", "has one key; this one has 0"),
        ("key: true, why: C", "key: true", "option “b” needs a sentence under “why”"),
        (
            "text: One, believes: A, but: B",
            "text: One",
            "option “a” needs a sentence under “believes”",
        ),
        ("kind: single", "kind: essay", "“kind” must be one of single"),
        ("kind: single", "kind: multiple", "at least two keys"),
        ("seconds: 60", "seconds: 5", "“seconds” must be a whole number from 20 to 600"),
        ("angoff: 0.6", "angoff: 60", "“angoff” must lie between 0 and 1"),
        ("stem: Which of these waits?", "stem: ''", "“stem” is missing or not a text"),
        ("id: first-item", "id: First Item", "lower-case words"),
        ("cognition: apply", "cognition: remember", "“cognition” must be one of"),
    ],
)
def test_each_mistake_is_named_with_file_line_and_item(old: str, new: str, says: str) -> None:
    assert old in GOOD
    (problem,) = problems(GOOD.replace(old, new))

    assert problem.startswith("pool.yaml, line 3: item ")
    assert says in problem


def test_every_bad_item_is_named_at_its_own_line() -> None:
    second = (
        GOOD.split("items:\n")[1].replace("first-item", "second-item").replace("angoff: 0.6", "")
    )

    assert [line.split(":")[0] for line in problems(GOOD + second + second)] == [
        "pool.yaml, line 17",
        "pool.yaml, line 31",
    ]


def test_an_item_that_appears_twice_is_refused() -> None:
    (problem,) = problems(GOOD + GOOD.split("items:\n")[1])

    assert "item “first-item” appears twice" in problem


def test_yaml_that_cannot_be_read_is_refused_with_its_line() -> None:
    (problem,) = problems(GOOD + "  stem: again\n")

    assert problem.startswith("pool.yaml, line 17: the key “stem” appears twice")


def test_an_expected_error_that_would_be_scored_as_right_is_refused() -> None:
    text = GOOD.split("  options:")[0].replace("kind: single", "kind: numeric") + (
        "  answer: {value: 10, unit: cases, tolerance: 1}\n"
        "  expected_errors:\n"
        "    - {value: 11, believes: A, but: B}\n"
    )
    (problem,) = problems(text)

    assert "the expected error 11 would be scored as right" in problem


def test_the_foundations_blueprint_asks_for_24_items_in_30_minutes_three_from_each_domain() -> None:
    path = FOUNDATIONS / "blueprint.yaml"
    blueprint, _ = read_blueprint(path.read_text(encoding="utf-8"), file=path.name)

    assert (blueprint.items, blueprint.minutes, blueprint.cut.points) == (24, 30, 17)
    assert [domain.items for domain in blueprint.domains] == [3] * 8
    assert blueprint.retake_waits_days == (7, 30, 90)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("items: 24", "items: 25", "the domains ask for 24 items, the form holds 25"),
        ("name: Security, items: 3", "name: Security, items: 1", "the form holds 24"),
        ("points: 17", "points: 30", "the cut score must lie between 1 and 24"),
        ("minutes: 30", "minutes: soon", "a field is missing or has the wrong kind"),
        ("checkride: blueprint/1", "checkride: items/1", "must begin with"),
    ],
)
def test_a_blueprint_that_contradicts_itself_is_refused(old: str, new: str, says: str) -> None:
    text = (FOUNDATIONS / "blueprint.yaml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(BadBlueprint, match=says):
        read_blueprint(text.replace(old, new), file="blueprint.yaml")

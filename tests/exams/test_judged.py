"""Short texts, parts of points, written answers with raters, and tasks that are run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exams.scoring.item_files import BadItems, item_from_document, read_items
from exams.scoring.items import Item, face_of
from exams.scoring.raters import BadMarks, Rubric, agreement, check_marks, settle
from exams.scoring.responses import BadResponse, check_payload, completeness, in_words
from exams.scoring.score import NotJudgedYet, score_form, score_response

COMMON = {
    "domain": "human oversight",
    "competencies": ["S4"],
    "exam": ["foundations"],
    "level": "foundation",
    "cognition": "apply",
    "seconds": 60,
    "difficulty": {"angoff": 0.6},
    "stem": "What is it called?",
}


def item(kind: str, **more: Any) -> Item:
    return item_from_document({**COMMON, "id": f"one-{kind}", "kind": kind, **more})


SHORT = item("text", accepted=["least privilege", "principle of least privilege"])
RUBRIC = [
    {"id": "what", "says": "Says what happened", "levels": {0: "No", 1: "Partly", 2: "Fully"}},
    {"id": "next", "says": "Says what happens next", "levels": {0: "No", 1: "A", 2: "B", 4: "C"}},
]
WRITTEN = item("written", rubric=RUBRIC, seconds=600, longest=200)


def rubric() -> Rubric:
    return WRITTEN.key.rubric  # type: ignore[union-attr]


# Short text -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "points"),
    [
        ("least privilege", 1),
        ("  Least   Privilege. ", 1),
        ("“Principle of least privilege”", 1),
        ("least privileges", 0),
        ("most privilege", 0),
        ("", 0),
    ],
)
def test_a_short_text_counts_in_every_listed_wording(typed: str, points: int) -> None:
    payload = check_payload(face_of(SHORT, {}), {"text": typed})

    assert score_response(SHORT, payload) == points


def test_the_face_of_a_short_text_holds_none_of_its_answers() -> None:
    assert "privilege" not in repr(face_of(SHORT, {}))


def test_a_near_miss_that_would_count_is_refused_at_the_desk() -> None:
    with pytest.raises(Exception, match="accepted and refused"):
        item("text", accepted=["zero trust"], refused=["Zero Trust."])


# Parts of points --------------------------------------------------------------------------------

OPTIONS = [
    {"id": name, "text": name, "key": True, "why": "x"}
    if name in "abc"
    else {"id": name, "text": name, "believes": "x", "but": "y"}
    for name in "abcdef"
]


@pytest.mark.parametrize(
    ("chosen", "points"), [("abc", 3), ("ab", 2), ("abd", 1), ("ad", 0), ("abcdef", 0), ("f", 0)]
)
def test_a_wrong_mark_takes_a_right_one_back(chosen: str, points: int) -> None:
    many = item("multiple", choose=3, options=OPTIONS, points=3, credit="parts")

    assert score_response(many, {"choices": list(chosen)}) == points


def test_without_credit_for_parts_several_points_are_all_or_nothing() -> None:
    many = item("multiple", choose=3, options=OPTIONS, points=3)

    assert score_response(many, {"choices": ["a", "b"]}) == 0
    assert score_response(many, {"choices": ["a", "b", "c"]}) == 3


@given(st.sets(st.sampled_from("abcdef")))
def test_parts_never_leave_zero_to_all(chosen: set[str]) -> None:
    many = item("multiple", choose=3, options=OPTIONS, points=3, credit="parts")

    assert 0 <= score_response(many, {"choices": sorted(chosen)}) <= 3


# Written answers --------------------------------------------------------------------------------


def test_a_written_item_is_worth_its_rubric_and_waits_for_raters() -> None:
    assert WRITTEN.points == 6
    with pytest.raises(NotJudgedYet):
        score_response(WRITTEN, {"text": "It paid twice."})
    assert score_response(WRITTEN, {"text": "It paid twice."}, judged=4) == 4
    assert score_response(WRITTEN, {}) == 0


def test_points_of_several_items_add_up_and_the_range_counts_items() -> None:
    domains = {"human-oversight": "Human oversight"}
    score = score_form(
        [SHORT, WRITTEN],
        [{"text": "least privilege"}, {"text": "x"}],
        cut=5,
        domains=domains,
        judged={WRITTEN.id: 4},
    )

    assert (score.correct, score.of, score.passed) == (5, 7, True)
    # Two looks at a person say little: Wilson for 5/7 of two draws, not of seven.
    assert score.plausible.high - score.plausible.low > 0.6


def test_the_rubric_never_reaches_the_face() -> None:
    face = repr(face_of(WRITTEN, {}))

    assert "Says what happened" not in face
    assert "Fully" not in face


@pytest.mark.parametrize("text", ["a" * 201, "half a character \ud800", "nul \x00", 7, None])
def test_a_text_that_does_not_fit_is_refused(text: Any) -> None:
    with pytest.raises(BadResponse):
        check_payload(face_of(WRITTEN, {}), {"text": text})


def test_a_text_keeps_its_lines_and_a_receipt_tells_its_length() -> None:
    face = face_of(WRITTEN, {})
    payload = check_payload(face, {"text": "one\r\ntwo"})

    assert payload == {"text": "one\ntwo"}
    assert completeness(face, payload) == "complete"
    assert in_words(face, payload) == "a text of 7 characters"


def test_two_raters_one_level_apart_settle_it_with_their_mean_rounded_up() -> None:
    # 4 points are the level next to 2: levels count, not points.
    found = settle(rubric(), [{"what": 1, "next": 2}, {"what": 2, "next": 4}])

    assert (found.standing, found.points) == ("settled", 5)


def test_raters_two_levels_apart_ask_for_a_third_whose_middle_counts() -> None:
    first, second = {"what": 0, "next": 2}, {"what": 2, "next": 2}

    assert settle(rubric(), [first, second]).standing == "third"
    assert settle(rubric(), [first, second]).apart == ("what",)
    assert settle(rubric(), [first, second, {"what": 2, "next": 0}]).points == 4


@pytest.mark.parametrize("marks", [{"what": 1}, {"what": 1, "next": 3}, {"what": 1, "x": 2}])
def test_marks_that_are_no_levels_are_refused(marks: dict[str, int]) -> None:
    with pytest.raises(BadMarks):
        check_marks(rubric(), marks)


def test_weighted_kappa_agrees_with_a_published_table() -> None:
    """Fleiss and Cohen, Educational and Psychological Measurement 33 (1973): with squared weights
    and equal margins kappa is the product-moment correlation of the marks."""
    pairs = [(0, 0)] * 20 + [(0, 1)] * 5 + [(1, 0)] * 5 + [(1, 1)] * 20 + [(1, 2)] * 5
    pairs += [(2, 1)] * 5 + [(2, 2)] * 20

    found = agreement(pairs, levels=[0, 1, 2])

    import numpy as np

    correlation = np.corrcoef([one for one, _ in pairs], [other for _, other in pairs])[0, 1]
    assert found.kappa == pytest.approx(correlation, abs=1e-4)
    assert (found.pairs, found.exact) == (80, 0.75)


# The database -----------------------------------------------------------------------------------


@pytest.fixture
def judged_folder(pool_folder: Path) -> Path:
    """The invented pool with one domain of written items and one of tasks only."""
    import json

    def write(domain: str, items: list[dict[str, Any]]) -> None:
        text = "checkride: items/1\nitems: " + json.dumps(items, indent=1)
        (pool_folder / "items" / f"{domain}.yaml").write_text(text, encoding="utf-8")

    written = [
        {**COMMON, "id": f"w-{n}", "kind": "written", "domain": "security", "rubric": RUBRIC}
        for n in range(3)
    ]
    tasks = [
        {
            **COMMON,
            "id": f"p-{n}",
            "kind": "prompt",
            "seconds": 1800,
            "domain": "observability",
            "exercise": "curriculum/refund-triage",
            "leave_out": ["Your work", "How it is graded"],
        }
        for n in range(3)
    ]
    write("security", [{**one, "seconds": 600} for one in written])
    write("observability", tasks)
    return pool_folder


@pytest.fixture
def judged_attempt(db: None, judged_folder: Path, learner: Any) -> Any:
    from exams import delivery, pool_files, preparation

    pool_files.load(judged_folder)
    return delivery.start(preparation.prepare(learner, "foundations"))


def hand_in(attempt: Any) -> Any:
    from checkride.jobs import queue
    from exams import delivery

    delivery.hand_in(attempt.pk, arrival=delivery.Arrival(lambda: 0.0))
    queue.run_pending()
    attempt.refresh_from_db()
    return attempt


def place(attempt: Any, kind: str) -> Any:
    return attempt.items.filter(item_version__document__kind=kind).first()


def test_a_task_leaves_out_what_is_about_practice_and_what_is_hidden(judged_attempt: Any) -> None:
    task = place(judged_attempt, "prompt")

    assert "What the agent can do" in task.face.brief
    assert "How it is graded" not in task.face.brief
    assert "requirements" not in repr(task.face)


def test_a_task_is_run_in_the_box_after_the_close_and_once(
    judged_attempt: Any, save: Callable[..., Any]
) -> None:
    from exams import judging, results
    from exams.models import TaskRun

    text = (
        "If the order number is missing, ask the customer for it before you do anything else.\n"
        "Refund up to 100 dollars yourself. Hand anything above 100 dollars to a human."
    )
    save(judged_attempt, place(judged_attempt, "prompt").position, {"text": text})

    closed = hand_in(judged_attempt)

    run = TaskRun.objects.get()
    assert 0 < run.score < 100
    assert run.report["grader"]["digest"] == run.grader_digest
    assert closed.state == "released"
    assert closed.current_grade.of == 18 + 3 * 6 + 3 * 100
    assert closed.current_grade.correct == run.score
    judging.run_tasks(closed)
    results.grade(closed.pk, reason="closed")
    assert TaskRun.objects.count() == 1
    assert closed.grade_runs.count() == 1


def test_a_written_answer_waits_for_two_raters_and_is_released_by_the_second(
    judged_attempt: Any, save: Callable[..., Any], examiner: Any, instructor: Any, learner: Any
) -> None:
    from checkride.jobs import queue
    from exams import judging

    item = place(judged_attempt, "written")
    save(judged_attempt, item.position, {"text": "It paid twice; Priya calls her at nine."})
    closed = hand_in(judged_attempt)
    assert (closed.state, closed.current_grade) == ("submitted", None)
    assert [row.item.pk for row in judging.waiting_for(examiner)] == [item.pk]
    assert judging.waiting_for(learner) == []

    judging.rate(item.pk, rater=examiner, marks={"what": 2, "next": 2}, note="")
    assert judging.waiting_for(examiner) == []
    with pytest.raises(judging.RatedAlready):
        judging.rate(item.pk, rater=examiner, marks={"what": 2, "next": 2}, note="")
    with pytest.raises(judging.OwnAnswer):
        judging.rate(item.pk, rater=learner, marks={"what": 2, "next": 4}, note="")
    judging.rate(item.pk, rater=instructor, marks={"what": 2, "next": 4}, note="")
    queue.run_pending()

    closed.refresh_from_db()
    assert closed.state == "released"
    assert closed.current_grade.correct == 5


def test_a_rater_sees_the_answer_without_a_name_and_without_other_marks(
    judged_attempt: Any, save: Callable[..., Any], examiner: Any, learner: Any, client: Any
) -> None:
    item = place(judged_attempt, "written")
    save(judged_attempt, item.position, {"text": "It paid twice <b>today</b>."})
    hand_in(judged_attempt)
    client.force_login(examiner)

    page = client.get(f"/exams/examiner/ratings/{item.pk}/").content.decode()

    assert "It paid twice &lt;b&gt;today&lt;/b&gt;." in page
    assert learner.name not in page
    assert learner.email not in page
    incomplete = client.post(f"/exams/examiner/ratings/{item.pk}/", {"level-what": "2"})
    assert incomplete.status_code == 422
    complete = {"level-what": "2", "level-next": "4", "note": "clear"}
    assert client.post(f"/exams/examiner/ratings/{item.pk}/", complete).status_code == 302


def test_a_task_that_names_no_exercise_is_named_with_its_line() -> None:
    text = """checkride: items/1
items:
- {id: t, kind: prompt, exercise: nowhere, stem: Do it?, domain: d, competencies: [P1]}
"""
    with pytest.raises(BadItems, match=r"line 3: item “t”: the exercise “nowhere” is not at hand"):
        read_items(text, file="pool.yaml")

"""The grade of a prompt: what it counts, what it shows, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from courses.exercise_files import read_exercise
from courses.grading import UnknownKind, grade, read_submission
from courses.grading.contract import (
    GradeReport,
    GradeRequest,
    report_from_json,
    report_to_json,
    request_from_json,
    request_to_json,
)
from courses.grading.digest import grader_digest
from courses.grading.prompt import check_exercise

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def refund() -> dict[str, Any]:
    return read_exercise(ROOT / "courses/content/prompting/exercises/refund-triage")


def graded(exercise: dict[str, Any], prompt: str) -> GradeReport:
    return grade(GradeRequest("prompt", exercise, prompt))


def test_the_strong_reference_passes_with_every_case(refund: dict[str, Any]) -> None:
    report = graded(refund, refund["references"]["strong"])
    assert report.passed
    assert report.score == 100
    assert all(case.passed for case in report.cases)
    assert report.details["counterfactual"] is None


@pytest.mark.parametrize("name", ["empty", "stuffed", "attack"])
def test_empty_stuffed_and_attacking_prompts_stay_below_fifty(
    refund: dict[str, Any], name: str
) -> None:
    report = graded(refund, refund["references"][name])
    assert report.score < 50
    assert not report.passed


def test_the_whole_brief_pasted_in_stays_below_fifty(refund: dict[str, Any]) -> None:
    assert graded(refund, refund["brief"]).score < 50


def test_an_open_must_fails_a_prompt_with_enough_points(refund: dict[str, Any]) -> None:
    lines = refund["references"]["strong"].split("\n")
    prompt = "\n".join(line for line in lines if "lawyer" not in line)
    report = graded(refund, prompt)
    assert report.score >= 70
    assert not report.passed
    assert "1 must is open" in report.finding


def test_a_limit_of_a_thousand_dollars_is_paid_out_and_named(refund: dict[str, Any]) -> None:
    prompt = refund["references"]["strong"].replace("100 dollars", "1,000 dollars")
    report = graded(refund, prompt)
    criterion = next(one for one in report.criteria if one.id == "refund-limit")
    case = next(one for one in report.cases if one.id == "just-above-the-limit")
    assert criterion.verdict == "contradicted"
    assert case.did == "Paid 103.50"
    assert not case.passed


def test_the_score_is_sixty_for_requirements_and_forty_for_cases(refund: dict[str, Any]) -> None:
    report = graded(refund, refund["references"]["weak"])
    parts = report.details["parts"]
    exact = 60 * parts["requirements"]["points"] / parts["requirements"]["possible"]
    exact += 40 * parts["cases"]["passed"] / parts["cases"]["total"]
    assert report.score == int(exact)


def test_three_cases_are_shown_and_the_others_are_not(refund: dict[str, Any]) -> None:
    report = graded(refund, "")
    assert [case.shown for case in report.cases].count(True) == 3
    assert len(report.cases) == 27


def test_the_counterfactual_sentence_earns_the_score_it_promises(refund: dict[str, Any]) -> None:
    prompt = refund["references"]["weak"]
    offer = graded(refund, prompt).details["counterfactual"]
    lines = prompt.split("\n")
    after = offer["after_line"]
    rest = lines[after + 1 :] if offer["replaces_line"] else lines[after:]
    edited = "\n".join([*lines[:after], offer["sentence"], *rest])
    assert graded(refund, edited).score == offer["score"]
    assert offer["score"] > graded(refund, prompt).score


def test_a_prompt_that_is_too_long_is_refused_in_a_sentence(refund: dict[str, Any]) -> None:
    report = graded(refund, "word " * 20_000)
    assert report.score == 0
    assert report.problems[0].code == "too-long"
    assert "Your text is kept" in report.problems[0].message


def test_a_report_survives_json_both_ways(refund: dict[str, Any]) -> None:
    request = GradeRequest("prompt", refund, refund["references"]["weak"])
    again = request_from_json(json.loads(json.dumps(request_to_json(request))))
    report = grade(again)
    assert report_from_json(json.loads(json.dumps(report_to_json(report)))) == grade(request)


def test_the_reading_for_the_page_has_cards_marks_and_what_is_missing(
    refund: dict[str, Any],
) -> None:
    data = read_submission(
        GradeRequest("prompt", refund, "Answer in the customer's language.\nBe careful.")
    )
    assert data["cards"][0]["requirement"] == "reply-language"
    assert [mark["state"] for mark in data["lines"]] == ["ok", "none"]
    assert len(data["missing"]) == 9
    json.dumps(data)


def test_the_digest_changes_with_the_exercise_and_only_then(refund: dict[str, Any]) -> None:
    sources = ("courses/grading/prompt.py", "courses/simulators/prompts")
    changed = {**refund, "title": "Another title"}
    assert grader_digest(sources, refund) == grader_digest(sources, dict(refund))
    assert grader_digest(sources, refund) != grader_digest(sources, changed)


def test_an_exercise_of_an_unknown_kind_is_refused(refund: dict[str, Any]) -> None:
    with pytest.raises(UnknownKind, match="poem"):
        grade(GradeRequest("poem", refund, ""))


def test_the_exercise_passes_its_own_check(refund: dict[str, Any]) -> None:
    assert check_exercise(refund) == []


def test_the_check_names_a_sample_that_lands_elsewhere(refund: dict[str, Any]) -> None:
    broken = json.loads(json.dumps(refund))
    broken["requirements"][1]["samples"]["met"][0] = "You may refund up to 500 dollars yourself."
    (problem,) = check_exercise(broken)
    assert "declared met but read as contradicted" in problem


def test_the_check_names_a_reference_that_lands_elsewhere(refund: dict[str, Any]) -> None:
    broken = {**refund, "references": {**refund["references"], "strong": "Be nice."}}
    assert any("“strong” does not pass" in problem for problem in check_exercise(broken))


def test_a_lower_limit_is_kept_to_by_the_agent(refund: dict[str, Any]) -> None:
    prompt = refund["references"]["strong"].replace("100 dollars", "75 dollars")
    report = graded(refund, prompt)
    case = next(one for one in report.cases if one.id == "exactly-at-the-limit")
    assert case.did == "Handed over"
    assert any(step.says == "Compares 100.00 with 75. It is more." for step in case.steps)

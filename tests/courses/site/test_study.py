"""Progress by evidence, and the one thing that comes next."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from checkride.accounts.models import User
from checkride.lib.clock import now
from courses import study
from courses.models import CheckAnswer, Enrolment, GradeReportRow, LessonProgress, Submission
from courses.study import NoSuchOption


def answer(user: User, lesson_id: str, check: int, option: int | None) -> bool:
    course = study.course_for(user, "foundations")
    assert course is not None
    lesson = next(row for row in course.lessons if row.id == lesson_id)
    return study.answer_check(user, course, lesson, check=check, option=option, at=now())


def finish(user: User, lesson_id: str) -> None:
    answer(user, lesson_id, 1, 1)
    answer(user, lesson_id, 2, 0)


def ran(user: User, exercise_id: str, *, score: int, passed: bool, minutes_ago: int = 0) -> None:
    found = study.exercise_for(user, exercise_id)
    assert found is not None
    course, _exercise = found
    enrolment = study.enrol(user, course.id, at=now())
    assert enrolment is not None
    submission = Submission.objects.create(
        user=user,
        exercise=exercise_id,
        version=enrolment.version,
        number=Submission.objects.filter(user=user, exercise=exercise_id).count() + 1,
        text="x",
        at=now() - timedelta(minutes=minutes_ago),
    )
    GradeReportRow.objects.create(
        submission=submission,
        report={},
        score=score,
        passed=passed,
        finding="Your agent paid twice.",
        grader_digest="0" * 64,
        took_ms=1,
    )


def test_the_first_answer_enrols_the_learner(loaded: Path, learner: User) -> None:
    answer(learner, "f-one", 1, 0)
    assert Enrolment.objects.filter(user=learner, course="foundations").exists()


def test_an_answer_is_right_only_when_it_is_the_key(loaded: Path, learner: User) -> None:
    assert not answer(learner, "f-one", 1, 0)
    assert answer(learner, "f-one", 1, 1)


def test_a_lesson_is_done_when_every_last_answer_is_right(loaded: Path, learner: User) -> None:
    answer(learner, "f-one", 1, 1)
    answer(learner, "f-one", 2, 1)
    assert LessonProgress.objects.get(user=learner).done_at is None
    answer(learner, "f-one", 2, 0)
    assert LessonProgress.objects.get(user=learner).done_at is not None


def test_every_try_is_kept(loaded: Path, learner: User) -> None:
    answer(learner, "f-one", 1, 0)
    answer(learner, "f-one", 1, 1)
    assert list(CheckAnswer.objects.values_list("option", "right")) == [(0, False), (1, True)]


@pytest.mark.parametrize(("check", "option"), [(1, None), (1, 7), (9, 0), (1, -1)])
def test_an_answer_that_does_not_exist_is_refused(
    loaded: Path, learner: User, check: int, option: int | None
) -> None:
    with pytest.raises(NoSuchOption):
        answer(learner, "f-one", check, option)
    assert not CheckAnswer.objects.exists()


def test_one_learners_progress_is_not_anothers(
    loaded: Path, learner: User, other_learner: User
) -> None:
    finish(learner, "f-one")
    state = study.course_state(other_learner, "foundations")
    assert state is not None
    assert state.lessons_done == 0


def test_a_new_learner_begins_with_foundations(loaded: Path, learner: User) -> None:
    step = study.next_step(learner)
    assert step is not None
    assert step.title == "First lesson"
    assert step.url == "/courses/foundations/lessons/f-one/"


def test_after_a_lesson_comes_the_next_one(loaded: Path, learner: User) -> None:
    finish(learner, "f-one")
    step = study.next_step(learner)
    assert step is not None
    assert step.title == "Second lesson"


def test_a_chosen_track_decides_the_order(loaded: Path, learner: User) -> None:
    study.choose_track(learner, "agent-operator", at=now())
    step = study.next_step(learner)
    assert step is not None
    assert step.url == "/exercises/refunds/"


def test_an_exercise_that_was_run_and_not_passed_comes_first(loaded: Path, learner: User) -> None:
    ran(learner, "refund-triage", score=77, passed=False)
    step = study.next_step(learner)
    assert step is not None
    assert step.url == "/exercises/refund-triage/"
    assert "77 of 100. Your agent paid twice." in step.why


def test_the_home_page_does_not_tell_figures_of_a_map(loaded: Path, learner: User) -> None:
    ran(learner, "refunds", score=68, passed=False)
    step = study.next_step(learner)
    assert step is not None
    assert step.why == "Your last run scored 68 of 100."


def test_the_best_run_counts_and_a_pass_beats_points(loaded: Path, learner: User) -> None:
    ran(learner, "refund-triage", score=90, passed=False, minutes_ago=3)
    ran(learner, "refund-triage", score=75, passed=True, minutes_ago=2)
    ran(learner, "refund-triage", score=20, passed=False, minutes_ago=1)
    best = study.best_runs(learner)["refund-triage"]
    assert (best.score, best.passed, best.runs, best.last_score) == (75, True, 3, 20)


def test_when_all_is_done_nothing_comes_next(loaded: Path, learner: User) -> None:
    for lesson_id in ("f-one", "f-two"):
        finish(learner, lesson_id)
    for exercise_id in ("refund-triage", "refunds"):
        ran(learner, exercise_id, score=90, passed=True)
    assert study.next_step(learner) is None


def test_a_competency_is_proved_by_two_different_exercises(loaded: Path, learner: User) -> None:
    def state(code: str) -> str:
        return next(row.state for row in study.evidence(learner) if row.competency.id == code)

    assert state("S3") == "none"
    ran(learner, "refund-triage", score=60, passed=False)
    assert state("S3") == "begun"
    ran(learner, "refund-triage", score=90, passed=True)
    assert state("S3") == "shown"
    ran(learner, "refunds", score=90, passed=True)
    assert state("S3") == "proved"


def test_a_planned_course_cannot_be_begun(loaded: Path, learner: User) -> None:
    assert study.enrol(learner, "value", at=now()) is None


def test_progress_of_all_courses_takes_a_fixed_number_of_queries(
    loaded: Path, learner: User, django_assert_max_num_queries: object
) -> None:
    finish(learner, "f-one")
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        study.course_states(learner, ["foundations", "prompting", "systems-thinking", "value"])

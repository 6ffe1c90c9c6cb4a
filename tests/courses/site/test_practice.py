"""Drafts, runs and what is shown of them, with the real graders in the real box."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from checkride.accounts.models import User
from checkride.jobs import queue
from checkride.jobs.models import Job
from checkride.lib.clock import now
from courses import box, practice, study
from courses.grading.contract import CaseResult, report_to_json
from courses.models import Draft, GradeReportRow, Submission

from .conftest import graded, strong

WEAK = "You are a friendly refund assistant.\nRefund up to 75 dollars on your own."


def run(
    user: User, text: str, exercise_id: str = "refund-triage", at: datetime | None = None
) -> practice.Run:
    found = study.exercise_for(user, exercise_id)
    assert found is not None
    return practice.run(user, *found, text=text, at=at or now())


def test_a_draft_is_saved_and_its_revision_grows(db: None, learner: User) -> None:
    first = practice.save_draft(learner, "x", text="one", over=None, at=now())
    second = practice.save_draft(learner, "x", text="two", over=first.revision, at=now())
    assert (first.revision, second.revision, Draft.objects.get().text) == (1, 2, "two")


def test_a_save_from_an_older_tab_does_not_overwrite(db: None, learner: User) -> None:
    practice.save_draft(learner, "x", text="one", over=None, at=now())
    practice.save_draft(learner, "x", text="two", over=1, at=now())
    with pytest.raises(practice.DraftMoved):
        practice.save_draft(learner, "x", text="older", over=1, at=now())
    assert Draft.objects.get().text == "two"


def test_saving_the_same_text_again_makes_no_revision(db: None, learner: User) -> None:
    practice.save_draft(learner, "x", text="one", over=None, at=now())
    assert practice.save_draft(learner, "x", text="one", over=7, at=now()).revision == 1


def test_line_ends_of_a_browser_are_counted_as_one(db: None, learner: User) -> None:
    practice.save_draft(learner, "x", text="one\r\ntwo", over=None, at=now())
    assert Draft.objects.get().text == "one\ntwo"


def test_a_text_beyond_the_limit_is_refused_and_the_saved_one_kept(db: None, learner: User) -> None:
    practice.save_draft(learner, "x", text="one", over=None, at=now())
    with pytest.raises(practice.TextTooLong):
        practice.save_draft(learner, "x", text="x" * 60_001, over=1, at=now())
    assert Draft.objects.get().text == "one"


def test_the_reference_that_passes_passes_and_is_kept(loaded: Path, learner: User) -> None:
    done = run(learner, strong("refund-triage"))
    row = graded(done.submission)
    assert row.passed
    assert row.score >= 70
    assert len(row.grader_digest) == 64
    assert done.report is not None
    assert row.report == report_to_json(done.report)


def test_a_weak_prompt_does_not_pass(loaded: Path, learner: User) -> None:
    assert not graded(run(learner, WEAK).submission).passed


def test_a_map_is_run_too(loaded: Path, learner: User) -> None:
    assert graded(run(learner, strong("refunds"), "refunds").submission).passed


def test_runs_are_numbered_and_keep_their_text(loaded: Path, learner: User) -> None:
    run(learner, WEAK)
    run(learner, WEAK + "\nNever guess.")
    rows = Submission.objects.filter(user=learner).order_by("number")
    assert [row.number for row in rows] == [1, 2]
    assert rows[0].text == WEAK


def test_nothing_to_run_is_said_and_not_counted(loaded: Path, learner: User) -> None:
    with pytest.raises(practice.TextEmpty):
        run(learner, "  \n ")
    assert not Submission.objects.exists()


def test_after_the_limit_of_a_day_runs_are_refused_until_midnight(
    loaded: Path, learner: User, settings: object
) -> None:
    settings.RUNS_PER_DAY = 2  # type: ignore[attr-defined]
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    run(learner, WEAK, at=noon)
    run(learner, WEAK, at=noon)
    assert practice.runs_left(learner, at=noon) == 0
    with pytest.raises(practice.NoRunsLeft):
        run(learner, WEAK, at=noon)
    assert practice.runs_left(learner, at=noon + timedelta(hours=12)) == 2


def test_the_limit_of_one_learner_is_not_anothers(
    loaded: Path, learner: User, other_learner: User, settings: object
) -> None:
    settings.RUNS_PER_DAY = 1  # type: ignore[attr-defined]
    run(learner, WEAK)
    assert practice.runs_left(other_learner, at=now()) == 1


def test_a_text_that_stops_the_grader_is_counted_and_its_refusal_kept(
    loaded: Path, learner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_request: object) -> None:
        raise box.GradingStopped

    monkeypatch.setattr(box, "grade", stop)
    done = run(learner, WEAK)
    assert done.report is None
    assert "Your text is saved" in Submission.objects.get().refusal


@pytest.fixture
def all_busy(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Make all graders busy; what is returned sets them free again."""
    grade = box.grade

    def busy(_request: object) -> None:
        raise box.GradersBusy

    monkeypatch.setattr(box, "grade", busy)
    return lambda: monkeypatch.setattr(box, "grade", grade)


def test_a_run_that_finds_all_graders_busy_is_graded_by_a_worker(
    loaded: Path, learner: User, all_busy: Callable[[], None]
) -> None:
    waiting = run(learner, strong("refund-triage"))
    assert waiting.report is None
    assert practice.is_waiting(waiting.submission, at=now())
    assert queue.run_pending() == 0
    all_busy()
    assert queue.run_pending() == 1
    row = graded(waiting.submission)
    assert row.passed
    assert not practice.is_waiting(waiting.submission, at=now())
    # The worker's grade is the one that the page would have given, bit for bit.
    again = run(learner, strong("refund-triage"))
    assert again.report is not None
    assert row.report == report_to_json(again.report)


def test_a_run_that_the_page_graded_leaves_nothing_to_the_worker(
    loaded: Path, learner: User
) -> None:
    run(learner, WEAK)
    assert queue.run_pending() == 0
    assert Job.objects.get(kind=practice.GRADE_JOB).result == {
        "score": GradeReportRow.objects.get().score
    }


def test_a_run_whose_page_ended_in_between_is_graded_by_a_worker(
    loaded: Path, learner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_args: object, **_more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(practice, "_keep", ended)
        run(learner, WEAK)
    assert queue.run_pending() == 1
    assert not graded(Submission.objects.get()).passed


def test_a_run_that_was_erased_needs_no_grade(
    loaded: Path, learner: User, all_busy: Callable[[], None]
) -> None:
    run(learner, WEAK)
    Submission.objects.all().delete()
    all_busy()
    assert queue.run_pending() == 1
    assert Job.objects.get(kind=practice.GRADE_JOB).result == {"erased": True}


def test_a_run_that_waits_says_so_and_one_that_waited_in_vain_says_that(
    loaded: Path, learner: User, all_busy: Callable[[], None], client: Client
) -> None:
    client.force_login(learner)
    waiting = run(learner, WEAK).submission
    address = reverse("courses:result", args=["refund-triage", waiting.number])
    page = client.get(address).content.decode()
    assert "Run 1 waits for a grader" in page
    assert "data-waiting" in page
    Submission.objects.update(at=now() - timedelta(hours=1))
    page = client.get(address).content.decode()
    assert "Run 1 has no result" in page
    assert "data-waiting" not in page


def test_hidden_cases_open_after_three_runs(loaded: Path, learner: User) -> None:
    opened = []
    for _ in range(3):
        run(learner, WEAK)
        opened.append(practice.history(learner, "refund-triage").shows_hidden())
    assert opened == [False, False, True]


def test_hidden_cases_open_on_a_pass(loaded: Path, learner: User) -> None:
    run(learner, strong("refund-triage"))
    assert practice.history(learner, "refund-triage").shows_hidden()


def test_a_run_that_was_not_graded_does_not_open_hidden_cases(
    loaded: Path, learner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_request: object) -> None:
        raise box.GradingStopped

    monkeypatch.setattr(box, "grade", stop)
    for _ in range(3):
        run(learner, WEAK)
    assert not practice.history(learner, "refund-triage").shows_hidden()


def case(name: str, passed: bool) -> CaseResult:
    return CaseResult(id=name, title=name, shown=True, given="", did="", passed=passed)


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (False, True, "fixed"),
        (True, False, "broken"),
        (False, False, "still wrong"),
        (True, True, "same"),
    ],
)
def test_a_case_is_compared_with_the_run_before(before: bool, after: bool, change: str) -> None:
    assert practice.changes([case("a", after)], [case("a", before)]) == {"a": change}


def test_a_case_that_was_not_there_before_is_new() -> None:
    assert practice.changes([case("a", True)], []) == {"a": "new"}


def test_reading_a_text_runs_and_counts_nothing(loaded: Path, learner: User) -> None:
    found = study.exercise_for(learner, "refund-triage")
    assert found is not None
    reading = practice.read(
        learner, found[1], "If the order number is missing, ask the customer for it."
    )
    assert reading["cards"]
    assert not Submission.objects.exists()
    assert not GradeReportRow.objects.exists()


def test_too_many_readings_in_a_minute_are_refused_for_this_learner_only(
    loaded: Path, learner: User, other_learner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(practice, "READINGS_PER_MINUTE", 2)
    found = study.exercise_for(learner, "refund-triage")
    assert found is not None
    for _ in range(2):
        practice.read(learner, found[1], WEAK)
    with pytest.raises(practice.TooManyReadings):
        practice.read(learner, found[1], WEAK)
    assert practice.read(other_learner, found[1], WEAK)


def test_changed_lines_stand_beside_the_ones_around_them() -> None:
    before = "one\ntwo\nthree\nfour\nfive\nsix\nseven"
    now = "one\ntwo\nthree\n4\nfive\nsix\nseven"
    kinds = [(row.kind, row.text) for row in practice.text_changes(before, now, around=1)]
    assert kinds == [("kept", "three"), ("removed", "four"), ("added", "4"), ("kept", "five")]


def test_two_equal_texts_have_no_changes() -> None:
    assert practice.text_changes("one\ntwo", "one\ntwo") == []

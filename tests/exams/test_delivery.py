"""Saves, deadlines, closing and grading against the real database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import (
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)
from django.db.models import DateTimeField, Value

from checkride.accounts import personal_data
from checkride.audit.models import AuditRow
from checkride.jobs import queue
from checkride.jobs.dbclock import database_now
from exams import (
    delivery,
    outcomes,
    own_data,
    pool_files,
    preparation,
    results,
    save_protocol,
)
from exams.models import Attempt, GradeRun, Item, Response, ResponseEvent, Result
from exams.preparation import NotYet
from exams.save_protocol import NotStarted
from exams.scoring.responses import BadResponse

ANSWER = {"choice": "a"}


@pytest.fixture
def first_single(open_attempt: Attempt) -> int:
    """The position of an item with one right option."""
    items = open_attempt.items.select_related("item_version")
    return next(item.position for item in items if item.item_version.document["kind"] == "single")


# Drawing and starting ---------------------------------------------------------------------------


def test_a_prepared_attempt_holds_24_items_and_no_clock(ready_attempt: Attempt) -> None:
    assert ready_attempt.items.count() == 24
    assert (ready_attempt.state, ready_attempt.deadline_at) == ("ready", None)
    assert ready_attempt.time_allowed_s == 1800


def test_preparing_twice_gives_the_same_form(ready_attempt: Attempt, learner: Any) -> None:
    assert preparation.prepare(learner, "foundations").pk == ready_attempt.pk


def test_the_order_of_options_is_drawn_once_and_stays(ready_attempt: Attempt) -> None:
    orders = {tuple(item.drawn.get("choices", ())) for item in ready_attempt.items.all()}
    assert len(orders) > 3

    faces = [item.face for item in ready_attempt.items.select_related("item_version")]
    again = [item.face for item in ready_attempt.items.select_related("item_version")]
    assert faces == again


def test_start_sets_a_deadline_on_a_full_second_that_loses_nothing(open_attempt: Attempt) -> None:
    assert open_attempt.deadline_at is not None
    assert open_attempt.started_at is not None
    assert open_attempt.deadline_at.microsecond == 0
    given = open_attempt.deadline_at - open_attempt.started_at
    assert timedelta(seconds=1800) <= given < timedelta(seconds=1801)


def test_pressing_start_twice_starts_once(open_attempt: Attempt) -> None:
    deadline = open_attempt.deadline_at

    assert delivery.start(open_attempt).deadline_at == deadline


def test_more_time_is_part_of_an_attempt_that_is_ready(
    ready_attempt: Attempt, learner: Any, examiner: Any
) -> None:
    preparation.grant_accommodation(learner, time_percent=150, ends_on=None, by=examiner)

    started = delivery.start(ready_attempt)

    assert started.time_allowed_s == 2700
    assert AuditRow.objects.filter(action="accommodation.granted").count() == 1


# Saving -----------------------------------------------------------------------------------------


def test_a_save_is_acknowledged_with_its_hash_and_revision(
    open_attempt: Attempt, first_single: int, save: Callable[..., Any]
) -> None:
    receipt = save(open_attempt, first_single, ANSWER)

    assert (receipt.verdict, receipt.rev, receipt.current) == ("accepted", 1, ANSWER)
    # SHA-256 of {"choice":"a"}, the canonical JSON.
    assert receipt.payload_sha256 == (
        "11a69743168b61ac8b28719c827393e4f0606ae06c3078c9c306843fb10dd9df"
    )
    assert 1_790_000 < receipt.remaining_ms <= 1_801_000


def test_the_same_save_sent_again_is_stored_once_and_answered_alike(
    open_attempt: Attempt, first_single: int, save: Callable[..., Any]
) -> None:
    first = save(open_attempt, first_single, ANSWER, seq=1)
    save(open_attempt, first_single, {"choice": "b"}, base_rev=1, seq=2)
    again = save(open_attempt, first_single, ANSWER, seq=1)

    assert ResponseEvent.objects.count() == 2
    assert (again.verdict, again.payload_sha256) == ("accepted", first.payload_sha256)
    assert (again.rev, again.current_rev, again.current) == (1, 2, {"choice": "b"})


def test_a_stale_tab_is_kept_as_a_conflict_and_told_both_values(
    open_attempt: Attempt, first_single: int, save: Callable[..., Any]
) -> None:
    save(open_attempt, first_single, ANSWER, client="tab-one")
    receipt = save(open_attempt, first_single, {"choice": "b"}, client="tab-two")

    assert (receipt.verdict, receipt.current_rev) == ("conflict", 1)
    assert (receipt.payload, receipt.current) == ({"choice": "b"}, ANSWER)
    assert ResponseEvent.objects.filter(verdict="conflict").get().payload == {"choice": "b"}
    assert Response.objects.get().payload == ANSWER


def test_a_page_is_never_in_conflict_with_its_own_earlier_save(
    open_attempt: Attempt, first_single: int, save: Callable[..., Any]
) -> None:
    save(open_attempt, first_single, ANSWER, client="tab-one", seq=1)
    later = save(open_attempt, first_single, {"choice": "b"}, client="tab-one", seq=3)
    overtaken = save(open_attempt, first_single, {"choice": "c"}, client="tab-one", seq=2)

    assert (later.verdict, later.current) == ("accepted", {"choice": "b"})
    assert (overtaken.verdict, overtaken.current) == ("conflict", {"choice": "b"})


class ArrivedAt(delivery.Arrival):
    """An arrival at a known moment, for rules that turn on a thousandth of a second."""

    def __init__(self, moment: datetime) -> None:
        super().__init__(lambda: 0.0)
        self._moment = moment

    def received_at(self) -> datetime:
        return self._moment

    def column(self) -> Any:
        return Value(self._moment, output_field=DateTimeField())


@pytest.mark.parametrize(
    ("after_deadline_ms", "verdict"),
    [(-1, "accepted"), (0, "accepted"), (1, "accepted"), (15_000, "accepted"), (15_001, "late")],
)
def test_a_save_counts_to_the_last_millisecond_of_the_grace_and_is_kept_after_it(
    open_attempt: Attempt, first_single: int, after_deadline_ms: int, verdict: str
) -> None:
    assert open_attempt.deadline_at is not None
    moment = open_attempt.deadline_at + timedelta(milliseconds=after_deadline_ms)

    receipt = delivery.save_response(
        open_attempt.pk,
        first_single,
        delivery.Save("tab-one", 1, 0, ANSWER),
        arrival=ArrivedAt(moment),
    )

    assert receipt.verdict == verdict
    assert receipt.current == (ANSWER if verdict == "accepted" else {})
    assert ResponseEvent.objects.get().payload == ANSWER


@pytest.mark.parametrize(("seconds_ago", "verdict"), [(93, "accepted"), (20, "late")])
def test_what_counts_is_when_a_save_reached_us_by_the_databases_clock(
    open_attempt: Attempt,
    first_single: int,
    save: Callable[..., Any],
    deadline_was: Callable[..., None],
    seconds_ago: float,
    verdict: str,
) -> None:
    deadline_was(open_attempt, 100)

    assert save(open_attempt, first_single, ANSWER, seconds_ago=seconds_ago).verdict == verdict


def test_the_wait_for_a_lock_does_not_make_a_save_late(
    open_attempt: Attempt, first_single: int, deadline_was: Callable[..., None]
) -> None:
    deadline_was(open_attempt, 60)
    # Asked for the moment of receipt, and again for the time at the answer.
    waited = iter([53.0, 53.5])

    receipt = delivery.save_response(
        open_attempt.pk,
        first_single,
        delivery.Save("tab-one", 1, 0, ANSWER),
        arrival=delivery.Arrival(lambda: next(waited)),
    )

    assert receipt.verdict == "accepted"


def test_a_late_save_is_kept_and_not_scored(
    open_attempt: Attempt,
    first_single: int,
    save: Callable[..., Any],
    right_answer: Callable[[Any], dict[str, Any]],
    deadline_was: Callable[..., None],
) -> None:
    item = open_attempt.items.select_related("item_version").get(position=first_single)
    right = right_answer(item)
    wrong = {"choice": next(sign for sign in "ab" if sign != right["choice"])}
    save(open_attempt, first_single, wrong)
    deadline_was(open_attempt, 20)
    delivery.close_overdue_attempts()

    receipt = save(open_attempt, first_single, right, base_rev=1)
    queue.run_pending()

    assert receipt.verdict == "late"
    assert receipt.current == wrong
    assert Result.objects.get().grade_run.correct == 0


def test_after_the_hand_in_a_save_is_kept_as_closed(
    open_attempt: Attempt, first_single: int, save: Callable[..., Any]
) -> None:
    delivery.hand_in(open_attempt.pk, arrival=delivery.Arrival(lambda: 0.0))

    receipt = save(open_attempt, first_single, ANSWER)

    assert (receipt.verdict, receipt.closed, receipt.remaining_ms) == ("closed", True, 0)


def test_a_save_that_was_in_time_counts_although_it_is_written_after_the_close(
    open_attempt: Attempt,
    save: Callable[..., Any],
    right_answer: Callable[[Any], dict[str, Any]],
    deadline_was: Callable[..., None],
) -> None:
    deadline_was(open_attempt, 60)
    delivery.close_overdue_attempts()
    queue.run_pending()
    assert Result.objects.get().grade_run.correct == 0
    item = open_attempt.items.select_related("item_version").first()

    receipt = save(open_attempt, item.position, right_answer(item), seconds_ago=53)
    queue.run_pending()

    assert receipt.verdict == "accepted"
    assert Result.objects.get().grade_run.correct == 1
    assert [run.reason for run in GradeRun.objects.all()] == ["closed", "late_arrival"]


def test_nothing_can_be_saved_before_the_start(
    ready_attempt: Attempt, save: Callable[..., Any], right_answer: Callable[[Any], dict[str, Any]]
) -> None:
    item = ready_attempt.items.select_related("item_version").first()
    with pytest.raises(NotStarted):
        save(ready_attempt, 1, right_answer(item))


def test_an_answer_for_another_kind_of_item_is_refused(
    open_attempt: Attempt, first_single: int, save: Callable[..., Any]
) -> None:
    with pytest.raises(BadResponse):
        save(open_attempt, first_single, {"lines": [1]})


@pytest.mark.parametrize(
    "change",
    ["UPDATE exams_responseevent SET verdict = 'accepted'", "DELETE FROM exams_responseevent"],
)
def test_the_database_refuses_to_change_the_log_of_saves(
    open_attempt: Attempt, first_single: int, save: Callable[..., Any], change: str
) -> None:
    save(open_attempt, first_single, ANSWER)
    Response.objects.all().delete()

    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(change)

    assert ResponseEvent.objects.count() == 1


def test_the_database_refuses_an_accepted_save_that_came_too_late(
    open_attempt: Attempt, first_single: int
) -> None:
    now = database_now()
    with (
        pytest.raises(IntegrityError, match="only_saves_in_time_are_accepted"),
        transaction.atomic(),
    ):
        ResponseEvent.objects.create(
            attempt_item=open_attempt.items.get(position=first_single),
            client_id="x",
            client_seq=1,
            base_rev=0,
            rev=1,
            payload={},
            payload_sha256="0" * 64,
            received_at=now,
            counts_until=now - timedelta(microseconds=1),
            verdict="accepted",
        )


# Closing and grading ----------------------------------------------------------------------------


def test_the_sweeper_closes_at_the_deadline_and_only_after_the_grace(
    open_attempt: Attempt, deadline_was: Callable[..., None]
) -> None:
    deadline_was(open_attempt, 5)
    assert delivery.close_overdue_attempts() == 0

    deadline_was(open_attempt, 16)
    assert delivery.close_overdue_attempts() == 1
    assert delivery.close_overdue_attempts() == 0

    open_attempt.refresh_from_db()
    assert (open_attempt.state, open_attempt.closed_by) == ("submitted", "deadline")
    assert open_attempt.closed_at == open_attempt.deadline_at


def test_a_form_is_passed_at_the_cut_and_failed_below_it(
    open_attempt: Attempt, finish: Callable[..., Attempt]
) -> None:
    finish(open_attempt, right=17)

    run = Result.objects.get().grade_run
    assert (run.correct, run.of, run.cut, run.passed) == (17, 24, 17, True)


def test_sixteen_of_24_do_not_pass(open_attempt: Attempt, finish: Callable[..., Attempt]) -> None:
    finish(open_attempt, right=16)

    assert Result.objects.get().grade_run.passed is False


def test_grading_twice_gives_one_run_and_one_audit_row(
    open_attempt: Attempt, finish: Callable[..., Attempt]
) -> None:
    finish(open_attempt, right=20)

    again = results.grade(open_attempt.pk, reason="closed")

    assert again == GradeRun.objects.get()
    assert AuditRow.objects.filter(action="result.released").count() == 1
    assert again.item_scores.count() == 24


def test_a_grading_that_broke_off_before_its_commit_is_done_by_the_next_try(
    open_attempt: Attempt,
    finish: Callable[..., Attempt],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("the worker was killed here")

    with monkeypatch.context() as killed:
        killed.setattr(results, "release", crash)
        finish(open_attempt, right=20)
    # Everything of the broken try was rolled back with it: no half grade is left.
    assert GradeRun.objects.count() == 0
    assert Attempt.objects.get().state == "submitted"

    queue.run_pending()

    assert Attempt.objects.get().state == "released"
    assert Result.objects.get().grade_run.correct == 20


def test_a_later_and_worse_run_does_not_take_back_a_released_result(
    open_attempt: Attempt, finish: Callable[..., Attempt]
) -> None:
    finish(open_attempt, right=20)
    better = Result.objects.get().grade_run
    worse = GradeRun.objects.create(
        attempt=open_attempt,
        reason="late_arrival",
        input_sha256="1" * 64,
        grader_digest="2" * 64,
        policy_version="x",
        correct=3,
        of=24,
        cut=17,
        passed=False,
        graded_at=database_now(),
    )

    results.release(open_attempt, worse, by=None, at=database_now())

    assert Result.objects.get().grade_run == better


# The door to credentials ------------------------------------------------------------------------


def test_a_released_pass_is_told_after_the_commit_and_can_be_asked_for(
    open_attempt: Attempt,
    finish: Callable[..., Attempt],
    learner: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    heard: list[int] = []

    def listen(sender: type, *, result_id: int, **_: object) -> None:
        heard.append(result_id)

    outcomes.result_released.connect(listen)
    before = database_now()
    try:
        with django_capture_on_commit_callbacks(execute=True):
            finish(open_attempt, right=19)
            assert heard == []
    finally:
        outcomes.result_released.disconnect(listen)

    released = outcomes.released_pass(heard[0])
    assert released is not None
    assert (released.exam_slug, released.achievement) == ("foundations", "agent-foundations")
    assert (released.score_percent, released.cut_percent) == (79, 70)
    assert (released.user_id, released.holder_name) == (learner.pk, "Lena Learner")
    assert (released.items, released.minutes_allowed) == (24, 30)
    assert len(released.domain_scores) == 8
    assert sum(score.correct for score in released.domain_scores) == 19
    assert list(outcomes.released_passes(before)) == [released]
    assert list(outcomes.released_passes(database_now())) == []


def test_a_failed_attempt_is_no_pass(open_attempt: Attempt, finish: Callable[..., Attempt]) -> None:
    finish(open_attempt, right=5)

    assert outcomes.released_pass(Result.objects.get().pk) is None
    assert list(outcomes.released_passes(open_attempt.prepared_at)) == []


# Retakes ----------------------------------------------------------------------------------------


def test_a_retake_waits_seven_days_and_gets_another_form(
    open_attempt: Attempt, finish: Callable[..., Attempt], learner: Any
) -> None:
    finish(open_attempt, right=3)

    with pytest.raises(NotYet, match="Your earlier attempts and results are kept"):
        preparation.prepare(learner, "foundations")

    closed_at = open_attempt.closed_at
    assert closed_at is not None
    eligibility = preparation.eligibility(
        learner, preparation.current_blueprint("foundations"), at=database_now()
    )
    assert eligibility.opens_at == closed_at + timedelta(days=7)

    past = {
        field: getattr(open_attempt, field) - timedelta(days=8)
        for field in ("prepared_at", "started_at", "deadline_at", "closed_at")
    }
    Attempt.objects.filter(pk=open_attempt.pk).update(**past)
    again = preparation.prepare(learner, "foundations")

    assert again.form_digest != open_attempt.form_digest
    first = set(open_attempt.items.values_list("item_version", flat=True))
    second = set(again.items.values_list("item_version", flat=True))
    # Six items a domain and three drawn: the retake shares none.
    assert not first & second


# Examiners --------------------------------------------------------------------------------------


def test_an_extension_moves_the_deadline_and_leaves_a_reason(
    open_attempt: Attempt, examiner: Any
) -> None:
    deadline = open_attempt.deadline_at
    assert deadline is not None

    delivery.extend(open_attempt.pk, minutes=12, reason="The network was down", by=examiner)

    open_attempt.refresh_from_db()
    assert open_attempt.deadline_at == deadline + timedelta(minutes=12)
    row = AuditRow.objects.get(action="attempt.extended")
    assert row.facts == {"seconds": 720, "reason": "The network was down"}


@pytest.mark.parametrize(("minutes", "reason"), [(0, "x"), (241, "x"), (5, "  ")])
def test_an_extension_without_minutes_or_reason_is_refused(
    open_attempt: Attempt, examiner: Any, minutes: int, reason: str
) -> None:
    with pytest.raises(delivery.BadExtension):
        delivery.extend(open_attempt.pk, minutes=minutes, reason=reason, by=examiner)


def test_a_closed_attempt_cannot_be_extended(open_attempt: Attempt, examiner: Any) -> None:
    delivery.hand_in(open_attempt.pk, arrival=delivery.Arrival(lambda: 0.0))
    with pytest.raises(save_protocol.NotRunning):
        delivery.extend(open_attempt.pk, minutes=5, reason="too late", by=examiner)


# Item files -------------------------------------------------------------------------------------


def test_loading_the_same_files_again_changes_nothing(pool: Any, pool_folder: Path) -> None:
    assert (pool.items, pool.added) == (56, 56)

    again = pool_files.load(pool_folder)

    assert not again.made_changes
    assert Item.objects.count() == 56


def test_a_changed_item_is_a_new_version_and_running_attempts_keep_the_old(
    ready_attempt: Attempt, pool_folder: Path
) -> None:
    file = pool_folder / "items" / "security.yaml"
    file.write_text(file.read_text().replace("needs a decision", "needs a new decision"))

    loaded = pool_files.load(pool_folder)

    assert (loaded.added, loaded.changed, loaded.retired) == (0, 7, 0)
    kept = ready_attempt.items.filter(domain="security").select_related("item_version")
    assert all("needs a decision" in item.item_version.document["stem"] for item in kept)


def test_a_changed_blueprint_needs_a_new_version(pool: Any, pool_folder: Path) -> None:
    file = pool_folder / "blueprint.yaml"
    file.write_text(file.read_text().replace("points: 17", "points: 16"))

    with pytest.raises(
        pool_files.BlueprintChanged, match="Give the changed blueprint a new version"
    ):
        pool_files.load(pool_folder)


def test_an_item_that_is_gone_is_retired(pool: Any, pool_folder: Path) -> None:
    (pool_folder / "items" / "security.yaml").unlink()

    assert pool_files.load(pool_folder).retired == 7
    assert Item.objects.filter(life="operational").count() == 49


def test_the_command_names_the_file_and_line_of_a_bad_item(db: None, pool_folder: Path) -> None:
    file = pool_folder / "items" / "security.yaml"
    file.write_text(file.read_text().replace('"hotspot"', '"essay"'))

    with pytest.raises(CommandError, match=r"security\.yaml, line \d+: item “t-security-5”"):
        call_command("load_items", str(pool_folder))
    assert Item.objects.count() == 0


def test_an_enemy_that_does_not_exist_is_named_by_the_check_and_does_not_stop_a_load(
    db: None, pool_folder: Path
) -> None:
    file = pool_folder / "items" / "security.yaml"
    file.write_text(file.read_text().replace('"level"', '"enemies": ["t-nobody"], "level"', 1))

    with pytest.raises(CommandError, match="“t-security-0” has an enemy “t-nobody”"):
        call_command("load_items", str(pool_folder), check=True)
    call_command("load_items", str(pool_folder), verbosity=0)

    assert Item.objects.count() == 56


def test_an_installation_may_keep_its_items_outside_the_repository(
    db: None, pool_folder: Path, settings: Any
) -> None:
    settings.EXAMS_ROOT = pool_folder.parent

    call_command("load_items", verbosity=0)

    assert set(Item.objects.values_list("slug", flat=True)) == {
        f"t-{quota.id}-{number}"
        for quota in preparation.current_blueprint("foundations").blueprint.domains
        for number in range(7)
    }


def test_every_item_in_the_repository_can_be_loaded(db: None) -> None:
    loaded = {
        path.parent.name: pool_files.load(path.parent)
        for path in pool_files.CONTENT.glob("*/blueprint.yaml")
    }

    assert min(loaded["foundations"].by_domain.values()) >= 6
    assert set(loaded["operator-tasks"].by_domain.values()) == {2}
    # Its items wait for a second reader; the exam's page says that it is not open yet.
    assert loaded["operator"].exam == "agent-operator"


# Own data ---------------------------------------------------------------------------------------


def test_an_export_names_every_save_and_no_key(
    open_attempt: Attempt, first_single: int, save: Callable[..., Any], learner: Any
) -> None:
    save(open_attempt, first_single, ANSWER)

    (holder,) = [holder for holder in personal_data.holders() if holder.name == "exams"]
    text = holder.export(learner)["attempts.json"].decode()

    assert '"verdict": "accepted"' in text
    assert "CANARY" not in text
    assert "needs a decision" not in text


def test_an_erasure_takes_the_answers_and_leaves_scores_that_name_nobody(
    open_attempt: Attempt, finish: Callable[..., Attempt], learner: Any
) -> None:
    finish(open_attempt, right=20)

    own_data.erase(learner, database_now())

    attempt = Attempt.objects.get()
    assert attempt.candidate is None
    assert not ResponseEvent.objects.exists()
    assert GradeRun.objects.get().item_scores.count() == 24
    assert list(outcomes.released_passes(open_attempt.prepared_at)) == []


def test_an_erasure_before_the_grading_leaves_no_attempt_and_no_empty_score(
    open_attempt: Attempt, first_single: int, save: Callable[..., Any], learner: Any
) -> None:
    save(open_attempt, first_single, ANSWER)
    delivery.hand_in(open_attempt.pk, arrival=delivery.Arrival(lambda: 0.0))

    own_data.erase(learner, database_now())
    queue.run_pending()

    assert not Attempt.objects.exists()
    assert not GradeRun.objects.exists()
    assert not queue.Job.objects.filter(done_at__isnull=True).exists()


# Several at once --------------------------------------------------------------------------------


def _together(count: int, work: Callable[[int], object]) -> list[object]:
    """Run `work` in `count` threads that begin at the same moment; errors are results too."""
    gate = threading.Barrier(count)
    outcomes_: list[object] = [None] * count

    def run(number: int) -> None:
        try:
            gate.wait(10)
            outcomes_[number] = work(number)
        except Exception as error:
            outcomes_[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes_


@pytest.mark.django_db(transaction=True)
def test_of_twelve_saves_on_one_revision_one_counts_and_all_are_kept(
    open_attempt: Attempt, first_single: int
) -> None:
    def one(number: int) -> str:
        save = delivery.Save(f"tab-{number}", 1, 0, {"choice": "abcd"[number % 4]})
        arrival = delivery.Arrival(lambda: 0.0)
        return delivery.save_response(open_attempt.pk, first_single, save, arrival=arrival).verdict

    verdicts = _together(12, one)

    assert sorted(map(str, verdicts)) == ["accepted"] + ["conflict"] * 11
    assert ResponseEvent.objects.count() == 12


@pytest.mark.django_db(transaction=True)
def test_one_save_delivered_by_eight_threads_is_stored_once(
    open_attempt: Attempt, first_single: int
) -> None:
    def one(_: int) -> str:
        save = delivery.Save("tab-one", 7, 0, ANSWER)
        arrival = delivery.Arrival(lambda: 0.0)
        return delivery.save_response(open_attempt.pk, first_single, save, arrival=arrival).verdict

    assert _together(8, one) == ["accepted"] * 8
    assert ResponseEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_workers_that_sweep_and_grade_at_once_do_everything_once(
    pool: Any, make_person: Callable[..., Any], deadline_was: Callable[..., None]
) -> None:
    for number in range(12):
        attempt = preparation.prepare(make_person(f"person_{number}"), "foundations")
        deadline_was(delivery.start(attempt), 20)

    def work(_: int) -> int:
        closed = delivery.close_overdue_attempts()
        queue.run_pending()
        return closed

    closed = _together(4, work)
    queue.run_pending()

    assert sum(number for number in closed if isinstance(number, int)) == 12, closed
    assert GradeRun.objects.count() == Result.objects.count() == 12
    assert AuditRow.objects.filter(action="result.released").count() == 12


@pytest.mark.django_db(transaction=True)
def test_preparing_from_two_tabs_draws_one_form(pool: Any, learner: Any) -> None:
    attempts = _together(4, lambda _: preparation.prepare(learner, "foundations").pk)

    assert len(set(attempts)) == 1
    assert Attempt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_saves_across_the_deadline_are_accepted_up_to_it_and_none_after(
    open_attempt: Attempt, first_single: int
) -> None:
    """Threads save without pause while the deadline passes; the grace is cut to nothing."""
    limit = database_now() + timedelta(milliseconds=600)
    Attempt.objects.filter(pk=open_attempt.pk).update(
        deadline_at=limit, started_at=limit - timedelta(seconds=1800), grace_s=0
    )

    def hammer(number: int) -> int:
        sent = 0
        while True:
            sent += 1
            save = delivery.Save(f"tab-{number}", sent, 0, ANSWER)
            receipt = delivery.save_response(
                open_attempt.pk, first_single, save, arrival=delivery.Arrival(lambda: 0.0)
            )
            if receipt.verdict == "late" and sent > 3:
                return sent

    sent = _together(6, hammer)

    events = ResponseEvent.objects.all()
    assert all(isinstance(number, int) for number in sent), sent
    assert events.count() == sum(number for number in sent if isinstance(number, int))
    assert events.filter(verdict="accepted", received_at__gt=limit).count() == 0
    assert events.filter(verdict="late", received_at__lte=limit).count() == 0
    assert events.filter(verdict="late").count() >= 6


# Cut off in the middle --------------------------------------------------------------------------


def _cut_the_connection(*_: object, **__: object) -> None:
    """What a killed database process does to whoever was talking to it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.django_db(transaction=True)
def test_a_save_cut_off_before_its_commit_is_not_acknowledged_and_counts_once_when_sent_again(
    open_attempt: Attempt,
    first_single: int,
    save: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as cut:
        # The last thing a save does before its commit is to see whether the answer is complete.
        cut.setattr(delivery, "completeness", _cut_the_connection)
        with pytest.raises((OperationalError, InterfaceError)):
            save(open_attempt, first_single, ANSWER, seq=1)
    connection.close()
    assert not ResponseEvent.objects.exists()

    receipt = save(open_attempt, first_single, ANSWER, seq=1)

    assert (receipt.verdict, receipt.rev) == ("accepted", 1)
    assert ResponseEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_grading_cut_off_before_its_commit_leaves_nothing_and_is_done_again(
    open_attempt: Attempt, finish: Callable[..., Attempt], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as cut:
        cut.setattr(results, "release", _cut_the_connection)
        with pytest.raises((OperationalError, InterfaceError)):
            finish(open_attempt, right=20)
    connection.close()
    assert not GradeRun.objects.exists()
    assert Attempt.objects.get().state == "submitted"

    queue.run_pending()

    assert Attempt.objects.get().state == "released"
    assert GradeRun.objects.get().correct == 20
    assert AuditRow.objects.filter(action="result.released").count() == 1

"""Appeals: who may make one and until when, who decides, what follows, what is read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

WHY = "Item 4 has two right answers, as I read it."
BECAUSE = "Both options were right, as you say."


@pytest.fixture
def failed(open_attempt: Any, finish: Callable[..., Any]) -> Any:
    return finish(open_attempt, right=3)


@pytest.fixture
def appealed(failed: Any, learner: Any) -> Any:
    from exams import appeals

    return appeals.make(failed, reason=WHY, by=learner)


def decide(appeal: Any, outcome: str, by: Any) -> Any:
    from checkride.jobs import queue
    from exams import appeals

    decided = appeals.decide(appeal.pk, outcome=outcome, decision=BECAUSE, by=by)
    queue.run_pending()
    return decided


def test_a_candidate_appeals_from_the_result_page(failed: Any, learner: Any, client: Any) -> None:
    client.force_login(learner)
    result = f"/exams/attempts/{failed.pk}/result/"
    address = f"/exams/attempts/{failed.pk}/appeal/"
    assert address in client.get(result).content.decode()

    assert client.post(address, {"reason": "unfair"}).status_code == 422
    assert client.post(address, {"reason": WHY}).status_code == 302

    page = client.get(result).content.decode()
    assert "You appealed on" in page
    assert address not in page
    assert failed.appeals.get().reason == WHY


def test_one_appeal_is_open_at_a_time_and_one_is_made_of_a_result(
    appealed: Any, examiner: Any, learner: Any
) -> None:
    from exams import appeals

    with pytest.raises(appeals.AppealRefused, match="once"):
        appeals.make(appealed.attempt, reason=WHY, by=learner)

    decide(appealed, "rejected", examiner)

    with pytest.raises(appeals.AppealRefused, match="once"):
        appeals.make(appealed.attempt, reason=WHY, by=learner)


def test_thirty_days_after_the_release_it_is_too_late(failed: Any, learner: Any) -> None:
    from checkride.jobs.dbclock import database_now
    from exams import appeals
    from exams.models import Result

    now = database_now()
    Result.objects.update(released_at=now - timedelta(days=30, seconds=1))
    assert appeals.open_until(failed, at=now) is None
    with pytest.raises(appeals.AppealRefused, match="30 days"):
        appeals.make(failed, reason=WHY, by=learner)

    Result.objects.update(released_at=now - timedelta(days=29))
    assert appeals.open_until(failed, at=now) == now + timedelta(days=1)


def test_nobody_appeals_for_somebody_else(failed: Any, other_learner: Any, client: Any) -> None:
    from exams import appeals

    client.force_login(other_learner)

    assert client.get(f"/exams/attempts/{failed.pk}/appeal/").status_code == 404
    with pytest.raises(appeals.AppealRefused, match="not your attempt"):
        appeals.make(failed, reason=WHY, by=other_learner)


def test_the_examiner_reads_answers_receipts_and_grade_runs_without_a_name(
    appealed: Any, examiner: Any, learner: Any, client: Any
) -> None:
    from checkride.audit.models import AuditRow
    from exams.models import ResponseEvent

    client.force_login(examiner)
    assert WHY in client.get("/exams/examiner/appeals/").content.decode()

    page = client.get(f"/exams/examiner/appeals/{appealed.pk}/").content.decode()

    assert WHY in page
    assert learner.name not in page
    assert learner.email not in page
    events = ResponseEvent.objects.filter(attempt_item__attempt=appealed.attempt)
    assert events.count() == 3
    for event in events:
        assert f"{event.received_at:%H:%M:%S}" in page
        assert event.payload_sha256[:8] in page
    run = appealed.attempt.current_grade
    assert run.grader_digest[:16] in page
    assert run.input_sha256[:16] in page
    for place in appealed.attempt.items.select_related("item_version__item"):
        assert f"?item={place.item_version.item.slug}&amp;version=1" in page
    assert AuditRow.objects.filter(action="appeal.read").count() == 1


def test_a_decision_goes_to_the_candidate_by_mail_and_stands_on_the_result(
    appealed: Any, examiner: Any, learner: Any, client: Any
) -> None:
    client.force_login(examiner)
    address = f"/exams/examiner/appeals/{appealed.pk}/"
    assert client.post(address, {"outcome": "rejected", "decision": "no"}).status_code == 422
    decided = {
        "outcome": "rejected",
        "decision": "Only one option is right; see line 3 of the log.",
    }
    assert client.post(address, decided).status_code == 302

    from checkride.jobs import queue

    queue.run_pending()

    (letter,) = [one for one in mail.outbox if one.to == [learner.email]]
    assert "The result stays as it is." in letter.body
    assert "see line 3 of the log" in letter.body
    client.force_login(learner)
    page = client.get(f"/exams/attempts/{appealed.attempt_id}/result/").content.decode()
    assert "see line 3 of the log" in page


def test_a_decision_is_made_once(appealed: Any, examiner: Any) -> None:
    from exams import appeals

    decide(appealed, "rejected", examiner)

    with pytest.raises(appeals.AppealRefused, match="decided already"):
        appeals.decide(appealed.pk, outcome="retake", decision=BECAUSE, by=examiner)
    appealed.refresh_from_db()
    assert appealed.outcome == "rejected"


def test_who_took_part_does_not_decide(appealed: Any, examiner: Any, learner: Any) -> None:
    from checkride.accounts.roles import Role
    from checkride.jobs.dbclock import database_now
    from exams import appeals
    from exams.models import Rating

    learner.give_role(Role.EXAMINER)
    with pytest.raises(appeals.AppealRefused, match="took part"):
        appeals.decide(appealed.pk, outcome="retake", decision=BECAUSE, by=learner)

    place = appealed.attempt.items.filter(events__isnull=False).first()
    Rating.objects.create(
        attempt_item=place,
        event=place.events.first(),
        rater=examiner,
        marks={},
        rated_at=database_now(),
    )
    with pytest.raises(appeals.AppealRefused, match="took part"):
        appeals.decide(appealed.pk, outcome="retake", decision=BECAUSE, by=examiner)


def test_an_upheld_appeal_for_a_retake_ends_the_wait(
    appealed: Any, examiner: Any, learner: Any
) -> None:
    from exams import preparation

    with pytest.raises(preparation.NotYet):
        preparation.prepare(learner, "foundations")

    decide(appealed, "retake", examiner)

    again = preparation.prepare(learner, "foundations")
    assert again.pk != appealed.attempt_id
    assert (
        preparation.eligibility(learner, again.blueprint_version, at=again.prepared_at).failures
        == 0
    )


def test_an_upheld_correction_leads_through_a_regrade_to_a_better_result(
    appealed: Any, examiner: Any
) -> None:
    from checkride.jobs import queue
    from exams import regrading

    decide(appealed, "correction", examiner)
    before = appealed.attempt.result.grade_run
    missed = appealed.attempt.items.filter(response=None).first()

    row = regrading.dry_run(
        missed.item_version,
        policy="full",
        answer="",
        keep="best",
        reason="After an appeal: two options were right.",
        by=examiner,
    )
    regrading.publish(row.pk, by=examiner)
    queue.run_pending()

    appealed.attempt.result.refresh_from_db()
    assert appealed.attempt.result.grade_run.correct == before.correct + 1


def test_an_appeal_is_exported_and_erased_with_its_person(appealed: Any, learner: Any) -> None:
    from checkride.jobs.dbclock import database_now
    from exams import own_data
    from exams.models import Appeal

    assert WHY.encode() in own_data.export(learner)["appeals.json"]

    own_data.erase(learner, database_now())

    assert not Appeal.objects.exists()

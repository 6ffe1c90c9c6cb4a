"""Corrections: what a dry run says, what publishing does, and who is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exams.scoring.item_files import item_from_document
from exams.scoring.items import Item
from exams.scoring.regrade import Accept, Change, Drop, Full, Rekey, rescore

COMMON = {
    "domain": "human oversight",
    "competencies": ["S4"],
    "exam": ["foundations"],
    "level": "foundation",
    "cognition": "apply",
    "seconds": 60,
    "difficulty": {"angoff": 0.6},
    "stem": "Which one?",
    "kind": "single",
}


def single(number: int, key: str = "a") -> Item:
    options = [
        {"id": name, "text": name, "key": True, "why": "x"}
        if name == key
        else {"id": name, "text": name, "believes": "x", "but": "y"}
        for name in "abc"
    ]
    return item_from_document({**COMMON, "id": f"i-{number}", "options": options})


ITEMS = [single(number) for number in range(4)]
ANSWERS: list[dict[str, Any]] = [{"choice": "a"}, {"choice": "b"}, {"choice": "c"}, {}]
POINTS = [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("place", "policy", "correct", "of", "cut"),
    [
        (1, Full(), 2, 4, 3),
        (3, Full(), 2, 4, 3),
        (1, Drop(), 1, 3, 2),
        (0, Drop(), 0, 3, 2),
        (1, Accept(({"choice": "b"},)), 2, 4, 3),
        (2, Accept(({"choice": "b"},)), 1, 4, 3),
        (3, Accept(({"choice": "b"},)), 1, 4, 3),
        (0, Rekey(single(0, "b")), 0, 4, 3),
        (1, Rekey(single(1, "b")), 2, 4, 3),
    ],
)
def test_each_policy_does_what_it_says(
    place: int, policy: Any, correct: int, of: int, cut: int
) -> None:
    found = rescore(ITEMS, ANSWERS, POINTS, cut=3, policies={place: policy})

    assert (found.correct, found.of, found.cut) == (correct, of, cut)


@given(
    st.lists(st.sampled_from("abc-"), min_size=4, max_size=4),
    st.integers(0, 3),
    st.sampled_from([Full(), Accept(({"choice": "b"},))]),
)
def test_full_points_and_further_answers_never_take_a_point_away(
    typed: list[str], place: int, policy: Any
) -> None:
    answers = [{} if one == "-" else {"choice": one} for one in typed]
    points = [int(one == "a") for one in typed]

    found = rescore(ITEMS, answers, points, cut=3, policies={place: policy})

    assert found.correct >= sum(points)
    assert all(new >= old for new, old in zip(found.points, points, strict=True))


def test_the_better_score_is_told_by_the_verdict_first() -> None:
    # 3 of 4 failed at a cut of 4; without one item 3 of 3 pass.
    assert Change((3, 4, False), (3, 3, True)).counts("best")
    assert not Change((3, 4, True), (2, 4, False)).counts("best")
    assert Change((3, 4, True), (2, 4, False)).counts("new")
    assert Change((3, 4, True), (2, 4, False)).flip == "no longer passes"
    assert not Change((3, 4, True), (3, 4, True)).counts("new")


# The database -----------------------------------------------------------------------------------


@pytest.fixture
def sixteen(open_attempt: Any, finish: Callable[..., Any]) -> Any:
    """A released attempt with 16 of 24, one short of the cut."""
    return finish(open_attempt, right=16)


def lost_item(attempt: Any) -> Any:
    """An item of the attempt that earned nothing."""
    score = attempt.current_grade.item_scores.filter(points=0).first()
    return score.attempt_item


def test_a_dry_run_changes_nothing_and_names_the_flip(sixteen: Any, examiner: Any) -> None:
    from exams import regrading
    from exams.models import GradeRun

    row = regrading.dry_run(
        lost_item(sixteen).item_version,
        policy="full",
        answer="",
        keep="best",
        reason="The log showed another hour.",
        by=examiner,
    )

    (change,) = row.report["rows"]
    assert (change["before"], change["after"]) == ([16, 24, False], [17, 24, True])
    assert change["flip"] == "now passes"
    assert row.report["forms"]["drawn"]["now passes"] == 1
    assert GradeRun.objects.count() == 1
    sixteen.refresh_from_db()
    assert not sixteen.result.grade_run.passed


def test_publishing_changes_the_result_writes_a_letter_and_awards(
    sixteen: Any,
    examiner: Any,
    learner: Any,
    mailoutbox: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    from checkride.jobs import queue
    from checkride.jobs.models import Job
    from exams import outcomes, regrading

    row = regrading.dry_run(
        lost_item(sixteen).item_version,
        policy="full",
        answer="",
        keep="best",
        reason="The log showed another hour.",
        by=examiner,
    )
    assert outcomes.pass_of(str(sixteen.pk)) is None
    with django_capture_on_commit_callbacks(execute=True):
        regrading.publish(row.pk, by=examiner)

    passed = outcomes.pass_of(str(sixteen.pk))
    assert passed is not None
    assert passed.score_percent == 70
    assert Job.objects.filter(kind="credentials.award").count() == 1
    Job.objects.filter(kind__startswith="credentials.").delete()
    queue.run_pending()
    (letter,) = [mail for mail in mailoutbox if "corrected" in mail.subject]
    assert letter.to == [learner.email]
    assert "The log showed another hour." in letter.body
    assert "16 of 24" in letter.body
    assert "17 of 24" in letter.body
    with pytest.raises(regrading.BadRegrade, match="published already"):
        regrading.publish(row.pk, by=examiner)


def test_a_pass_that_a_new_key_takes_away_is_withdrawn_only_where_new_scores_count(
    open_attempt: Any,
    finish: Callable[..., Any],
    examiner: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    from exams import outcomes, pool_files, regrading
    from exams.models import ItemVersion

    singles = open_attempt.items.filter(item_version__document__kind="single")
    passed = finish(open_attempt, right=24)
    version = singles.first().item_version
    document = dict(version.document)
    document["options"] = [
        {"id": one["id"], "text": one["text"], "believes": "x", "but": "y"}
        if one["id"] != "a"
        else {"id": "a", "text": one["text"], "key": True, "why": "x"}
        for one in document["options"]
    ]
    with pytest.raises(regrading.BadRegrade, match="no newer version"):
        regrading.dry_run(
            version, policy="rekey", answer="", keep="new", reason="The key was wrong.", by=examiner
        )
    newer = ItemVersion.objects.create(
        item=version.item, number=2, content_sha256="2" * 64, document=document,
        loaded_at=version.loaded_at,
    )  # fmt: skip
    version.item.current = newer
    version.item.save()
    version.refresh_from_db()
    assert pool_files  # the version is what a load would have made

    best = regrading.dry_run(
        version, policy="rekey", answer="", keep="best", reason="The key was wrong.", by=examiner
    )
    assert best.report["rows"] == []
    new = regrading.dry_run(
        version, policy="rekey", answer="", keep="new", reason="The key was wrong.", by=examiner
    )
    assert new.report["rows"][0]["after"] == [23, 24, True]
    with django_capture_on_commit_callbacks(execute=True):
        regrading.publish(new.pk, by=examiner)
    passed.refresh_from_db()
    assert passed.current_grade.correct == 23
    assert outcomes.pass_of(str(passed.pk)) is not None


def test_results_that_moved_since_the_dry_run_stop_its_publication(
    sixteen: Any, examiner: Any
) -> None:
    from exams import regrading

    item = lost_item(sixteen)
    common = {
        "answer": "",
        "keep": "best",
        "reason": "The log showed another hour.",
        "by": examiner,
    }
    stale = regrading.dry_run(item.item_version, policy="drop", **common)
    regrading.publish(regrading.dry_run(item.item_version, policy="full", **common).pk, by=examiner)

    with pytest.raises(regrading.BadRegrade, match="results have changed"):
        regrading.publish(stale.pk, by=examiner)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"reason": "short"}, "give a reason"),
        ({"policy": "guess"}, "choose what happens"),
        ({"policy": "accept", "answer": "zz"}, "no option|can be accepted"),
    ],
)
def test_a_correction_that_makes_no_sense_is_refused(
    sixteen: Any, examiner: Any, change: dict[str, str], says: str
) -> None:
    from exams import regrading
    from exams.models import Regrade

    version = next(
        item.item_version
        for item in sixteen.items.select_related("item_version__item")
        if item.item_version.document["kind"] in {"single", "multiple"}
    )
    given_ = {"policy": "full", "answer": "", "keep": "best", "reason": "A reason of words."}
    with pytest.raises(regrading.BadRegrade, match=says):
        regrading.dry_run(version, by=examiner, **{**given_, **change})
    assert Regrade.objects.count() == 0


def test_an_incident_gives_time_to_every_running_attempt_at_once(
    open_attempt: Any, examiner: Any, client: Any
) -> None:
    from exams.models import Extension, Incident

    before = open_attempt.deadline_at
    client.force_login(examiner)

    answer = client.post("/exams/examiner/incident/", {"minutes": "7", "reason": "Network down"})

    assert answer.status_code == 302
    open_attempt.refresh_from_db()
    assert (open_attempt.deadline_at - before).total_seconds() == 420
    assert Incident.objects.get().attempts == 1
    assert Extension.objects.get().reason == "Network down"
    client.post("/exams/examiner/incident/", {"minutes": "0", "reason": ""})
    assert Incident.objects.count() == 1


def test_a_credential_whose_pass_was_corrected_away_is_revoked_once(
    open_attempt: Any,
    save: Callable[..., Any],
    right_answer: Callable[..., Any],
    finish: Callable[..., Any],
    examiner: Any,
) -> None:
    from credentials import awarding, revoking
    from exams import outcomes, regrading
    from exams.models import ItemVersion

    items = list(open_attempt.items.select_related("item_version"))
    numeric = next(one for one in items if one.item_version.document["kind"] == "numeric")
    for one in [numeric, *(one for one in items if one.pk != numeric.pk)][:17]:
        save(open_attempt, one.position, right_answer(one))
    finish(open_attempt, right=0)
    passed = outcomes.pass_of(str(open_attempt.pk))
    assert passed is not None
    credential = awarding.award(passed)
    assert revoking.withdraw(passed.source_id) == 0
    version = numeric.item_version
    document = {**version.document, "answer": {"value": 1, "unit": "cases", "tolerance": 0}}
    version.item.current = ItemVersion.objects.create(
        item=version.item, number=2, content_sha256="3" * 64, document=document,
        loaded_at=version.loaded_at,
    )  # fmt: skip
    version.item.save()

    row = regrading.dry_run(
        version, policy="rekey", answer="", keep="new", reason="The sum was wrong.", by=examiner
    )
    assert row.report["rows"][0]["flip"] == "no longer passes"
    regrading.publish(row.pk, by=examiner)

    assert list(outcomes.withdrawn_passes(row.made_at)) == [passed.source_id]
    assert revoking.withdraw(passed.source_id) == 1
    assert revoking.withdraw(passed.source_id) == 0
    credential.refresh_from_db()
    assert credential.revocation is not None
    assert credential.revocation.reason == "error"

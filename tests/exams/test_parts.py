"""Two exams that lead to one credential together: pairing, waits, withdrawal, pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exams.assembly.blueprint import BadBlueprint, blueprint_from_document
from exams.parts import first_within
from exams.retakes import FinishedAttempt, may_sit_from

DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


# Pure -------------------------------------------------------------------------------------------


def test_the_earliest_pass_within_the_days_is_taken() -> None:
    passes = [(DAY + timedelta(days=days), days) for days in (400, 300, -366, -200)]

    assert first_within(DAY, passes, within_days=365) == -200
    assert first_within(DAY, [(DAY + timedelta(days=366), 1)], within_days=365) is None
    assert first_within(DAY, [], within_days=365) is None


@given(st.lists(st.integers(-800, 800), min_size=1, unique=True), st.integers(1, 800))
def test_a_later_pass_never_changes_which_one_was_taken(days: list[int], later: int) -> None:
    passes = [(DAY + timedelta(days=one), one) for one in days]
    taken = first_within(DAY, passes, within_days=365)

    newest = max(days) + later
    with_later = [*passes, (DAY + timedelta(days=newest), newest)]

    if taken is not None:
        assert first_within(DAY, with_later, within_days=365) == taken


def test_a_pass_without_its_other_part_opens_again_when_it_lapses() -> None:
    passed = [FinishedAttempt(DAY, True)]

    def opens(lapses: int | None) -> Any:
        return may_sit_from(passed, waits_days=(7, 30), valid_days=730, lapses_days=lapses)

    assert opens(365) == DAY + timedelta(days=365)
    assert opens(None) == DAY + timedelta(days=640)


@pytest.mark.parametrize(
    "change",
    [
        {"part_of": "other", "together_with": ["third"]},
        {"part_of": "foundations"},
        {"part_of": "other", "together_within_days": 640},
    ],
)
def test_a_blueprint_whose_parts_make_no_sense_is_refused(
    read_pool: Any, change: dict[str, Any]
) -> None:
    _, document, _ = read_pool

    with pytest.raises(BadBlueprint):
        blueprint_from_document({**document, **change})


# With the database ------------------------------------------------------------------------------


@pytest.fixture
def two_parts(db: None, read_pool: Any) -> None:
    from exams import pool_files

    _, document, entries = read_pool
    for exam, more in (
        ("one", {"together_with": ["two"], "title": "Part one"}),
        ("two", {"part_of": "one", "title": "Part two"}),
    ):
        changed = {**document, "exam": exam, **more}
        pool_files.store(blueprint_from_document(changed), changed, entries)


@pytest.fixture
def sit(two_parts: None, learner: Any, finish: Callable[..., Any]) -> Callable[..., Any]:
    from exams import delivery, preparation

    def run(exam: str, *, right: int) -> Any:
        return finish(delivery.start(preparation.prepare(learner, exam)), right=right)

    return run


def sources(since: datetime) -> list[str]:
    from exams import outcomes

    return [passed.source_id for passed in outcomes.released_passes(since)]


def test_only_both_parts_make_a_pass_and_it_is_named_after_the_first(sit: Any) -> None:
    from exams import outcomes

    one = sit("one", right=20)
    assert outcomes.pass_of(str(one.pk)) is None
    assert outcomes.released_pass(one.result.pk) is None
    assert sources(DAY) == []

    two = sit("two", right=22)

    passed = outcomes.released_pass(two.result.pk)
    assert passed is not None
    assert passed.source_id == str(one.pk)
    assert passed == outcomes.released_pass(one.result.pk) == outcomes.pass_of(str(one.pk))
    assert outcomes.pass_of(str(two.pk)) is None
    assert sources(two.result.released_at) == [str(one.pk)]
    assert passed.released_at == two.result.released_at
    # 83 and 91 percent, both cut at 70.
    assert (passed.score_percent, passed.cut_percent) == (87, 70)
    assert [(part.exam_slug, part.correct) for part in passed.parts] == [("one", 20), ("two", 22)]


def test_the_other_order_makes_the_same_pass(sit: Any) -> None:
    from exams import outcomes

    two = sit("two", right=20)
    assert outcomes.released_pass(two.result.pk) is None

    one = sit("one", right=20)

    found = outcomes.released_pass(one.result.pk)
    assert found is not None
    assert found.source_id == str(one.pk)


def test_a_failed_part_waits_alone_and_makes_no_pass(sit: Any, learner: Any) -> None:
    from exams import preparation

    one = sit("one", right=20)
    two = sit("two", right=3)

    assert sources(DAY) == []
    with pytest.raises(preparation.NotYet) as wait:
        preparation.prepare(learner, "two")
    assert wait.value.facts["opens"] == two.closed_at + timedelta(days=7)
    with pytest.raises(preparation.NotYet) as stands:
        preparation.prepare(learner, "one")
    assert stands.value.facts["opens"] == one.closed_at + timedelta(days=365)


def test_passes_more_than_a_year_apart_do_not_belong_together(sit: Any, learner: Any) -> None:
    from exams import outcomes, preparation
    from exams.models import Attempt

    one = sit("one", right=20)
    long_ago = one.closed_at - timedelta(days=366)
    Attempt.objects.filter(pk=one.pk).update(
        started_at=long_ago - timedelta(minutes=9), deadline_at=long_ago, closed_at=long_ago
    )

    two = sit("two", right=20)

    assert outcomes.released_pass(two.result.pk) is None
    again = preparation.prepare(learner, "one")
    assert again.state == "ready"


def test_a_part_that_is_lost_takes_the_whole_pass_back(sit: Any) -> None:
    from checkride.jobs.dbclock import database_now
    from exams import outcomes
    from exams.models import GradeRun, Result

    one, two = sit("one", right=20), sit("two", right=20)
    run = two.result.grade_run
    worse = GradeRun.objects.create(
        attempt=two,
        reason="regrade",
        input_sha256="1" * 64,
        grader_digest="2" * 64,
        policy_version="x",
        correct=10,
        of=run.of,
        cut=run.cut,
        passed=False,
        graded_at=database_now(),
    )
    Result.objects.filter(attempt=two).update(grade_run=worse, released_at=database_now())

    assert outcomes.pass_of(str(one.pk)) is None
    assert str(one.pk) in list(outcomes.withdrawn_passes(run.graded_at))
    assert outcomes.sources_resting_on(two) == [str(one.pk)]


def test_the_pages_say_what_is_missing(sit: Any, learner: Any, client: Any) -> None:
    client.force_login(learner)
    one = sit("one", right=20)

    result = client.get(f"/exams/attempts/{one.pk}/result/").content.decode()
    page = client.get("/exams/two/").content.decode()

    assert "For the credential Part two is still missing." in result
    assert "See your credentials" not in result
    assert "Passed on" in page
    assert "Not passed yet" in page

    sit("two", right=20)

    assert (
        "See your credentials" in client.get(f"/exams/attempts/{one.pk}/result/").content.decode()
    )


def test_an_exam_without_enough_items_is_shown_as_not_open(
    db: None, read_pool: Any, client: Any, learner: Any
) -> None:
    from exams import pool_files
    from exams.assembly.draw import PoolTooSmall
    from exams.preparation import prepare

    blueprint, document, entries = read_pool
    pool_files.store(blueprint, document, [one for one in entries if one[0].domain != "security"])
    client.force_login(learner)

    page = client.get("/exams/foundations/").content.decode()

    assert "This exam is not open yet." in page
    assert "Security: 0 in use, 3 needed." in " ".join(page.split())
    assert "Prepare my attempt" not in page
    assert "not open yet" in client.get("/exams/").content.decode()
    with pytest.raises(PoolTooSmall):
        prepare(learner, "foundations")

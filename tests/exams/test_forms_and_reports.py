"""Parallel forms, who gets them, and what the public reports say."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exams.assembly.blueprint import BadBlueprint, blueprint_from_document, read_blueprint
from exams.assembly.draw import PoolTooSmall
from exams.assembly.parallel import Candidate, anchors_per_domain, assemble

FOUNDATIONS = Path(__file__).parents[2] / "exams" / "content" / "foundations" / "blueprint.yaml"
BLUEPRINT, DOCUMENT = read_blueprint(FOUNDATIONS.read_text(encoding="utf-8"), file="b.yaml")


def pool(each: int, *, enemies: dict[str, set[str]] | None = None) -> list[Candidate]:
    found = enemies or {}
    return [
        Candidate(
            id=f"{quota.id}-{n}",
            domain=quota.id,
            competencies=frozenset({"G1" if n % 2 else "R2"}),
            enemies=frozenset(found.get(f"{quota.id}-{n}", ())),
            angoff=Decimal(40 + (7 * n + 13 * d) % 50) / 100,
            seconds=50 + (11 * n) % 40,
            times_used=0,
        )
        for d, quota in enumerate(BLUEPRINT.domains)
        for n in range(each)
    ]


def test_forms_of_a_set_are_alike_and_share_their_anchors_only() -> None:
    forms = assemble(BLUEPRINT, pool(14), forms=4, seed="one")

    anchors = forms[0].anchors
    assert len(anchors) == sum(anchors_per_domain(BLUEPRINT).values()) == 8
    for form in forms:
        assert len(form.items) == 24
        assert anchors <= set(form.items)
    for number, form in enumerate(forms):
        for other in forms[number + 1 :]:
            assert set(form.items) & set(other.items) == anchors
    expected = [form.expected for form in forms]
    assert max(expected) - min(expected) < Decimal("0.4")
    seconds = [form.seconds for form in forms]
    assert max(seconds) - min(seconds) < 60


def test_the_same_seed_gives_the_same_forms_and_another_seed_others() -> None:
    assert assemble(BLUEPRINT, pool(14), forms=2, seed="a") == assemble(
        BLUEPRINT, pool(14), forms=2, seed="a"
    )
    assert assemble(BLUEPRINT, pool(14), forms=2, seed="a") != assemble(
        BLUEPRINT, pool(14), forms=2, seed="b"
    )


def test_enemies_never_meet_on_a_form() -> None:
    enemies = {"security-0": {f"security-{n}" for n in range(1, 8)}, "security-1": {"security-2"}}
    for form in assemble(BLUEPRINT, pool(14, enemies=enemies), forms=3, seed="x"):
        chosen = set(form.items)
        for one, others in enemies.items():
            assert not (one in chosen and chosen & others)


def test_a_competency_rule_binds_every_form_or_none_is_made() -> None:
    ruled = blueprint_from_document({**DOCUMENT, "competencies": {"G": 10}})
    by_id = {item.id: item for item in pool(14)}
    for form in assemble(ruled, pool(14), forms=3, seed="x"):
        assert sum("G1" in by_id[one].competencies for one in form.items) >= 10
    with pytest.raises(PoolTooSmall):
        assemble(
            blueprint_from_document({**DOCUMENT, "competencies": {"E": 1}}),
            pool(14),
            forms=2,
            seed="x",
        )


def test_a_domain_that_is_too_small_is_named() -> None:
    with pytest.raises(PoolTooSmall, match="has 2 items in use and needs 3"):
        assemble(BLUEPRINT, pool(2), forms=2, seed="x")


def test_a_competency_rule_for_more_items_than_the_form_holds_is_refused() -> None:
    with pytest.raises(BadBlueprint):
        blueprint_from_document({**DOCUMENT, "competencies": {"G": 25}})


# The database -----------------------------------------------------------------------------------


def test_an_open_form_is_given_and_never_twice_to_one_person(
    pool: Any, learner: Any, examiner: Any
) -> None:
    from exams import fixed_forms, preparation
    from exams.models import Attempt

    version = preparation.current_blueprint("foundations")
    made = fixed_forms.make_forms(version, count=2, seed="s", by=examiner)
    assert preparation.prepare(learner, "foundations").form is None  # drafts are given to nobody
    Attempt.objects.all().delete()
    for form in made:
        fixed_forms.set_state(form.pk, "open", by=examiner)

    first = fixed_forms.form_for(learner, version)
    attempt = preparation.prepare(learner, "foundations")
    assert attempt.form == first
    held = set(attempt.items.values_list("item_version", flat=True))
    assert held == set(first.places.values_list("item_version", flat=True))  # type: ignore[union-attr]
    assert fixed_forms.form_for(learner, version) != first


def test_a_form_has_a_cut_of_its_own(pool: Any, learner: Any, examiner: Any, finish: Any) -> None:
    from exams import delivery, fixed_forms, preparation

    version = preparation.current_blueprint("foundations")
    for form in fixed_forms.make_forms(version, count=2, seed="s", by=examiner):
        fixed_forms.set_state(form.pk, "open", by=examiner)
        fixed_forms.adopt_cut(
            form.pk, points=15, method="circle-arc", reason="Harder by two items.", by=examiner
        )
        with pytest.raises(fixed_forms.BadForms):
            fixed_forms.adopt_cut(
                form.pk, points=25, method="x", reason="too high a cut", by=examiner
            )

    attempt = finish(delivery.start(preparation.prepare(learner, "foundations")), right=15)

    assert (attempt.current_grade.cut, attempt.current_grade.passed) == (15, True)


def test_below_thirty_attempts_a_report_says_insufficient_data(pool: Any, client: Any) -> None:
    page = client.get("/exams/foundations/reports/drawn/").content.decode()

    assert "Insufficient data" in page
    assert '<svg class="scale plotwide"' not in page
    assert client.get("/exams/foundations/reports/Z/").status_code == 404


@pytest.fixture
def many_results(pool: Any, examiner: Any) -> Any:
    """Forty released results on one fixed form, made from invented abilities."""
    import numpy as np

    from checkride.accounts.models import User
    from checkride.jobs.dbclock import database_now
    from exams import fixed_forms, preparation
    from exams.models import Attempt, GradeRun, ItemScore, Result

    version = preparation.current_blueprint("foundations")
    form = fixed_forms.make_forms(version, count=2, seed="s", by=examiner)[0]
    fixed_forms.set_state(form.pk, "open", by=examiner)
    stream, now = np.random.default_rng(5), database_now()
    for number in range(40):
        user = User.objects.create_user(email=f"p{number}@example.org", name=f"Person {number}")
        attempt = preparation.prepare(user, "foundations")
        right = stream.random(24) < 1 / (1 + np.exp(-stream.normal(1.0, 1.2)))
        run = GradeRun.objects.create(
            attempt=attempt,
            reason="closed",
            input_sha256=f"{number:064}",
            grader_digest="0" * 64,
            policy_version="x",
            correct=int(right.sum()),
            of=24,
            cut=17,
            passed=bool(right.sum() >= 17),
            graded_at=now,
        )
        ItemScore.objects.bulk_create(
            ItemScore(run=run, attempt_item=item, points=int(point))
            for item, point in zip(attempt.items.all(), right, strict=True)
        )
        Result.objects.create(attempt=attempt, grade_run=run, released_at=now)
    assert Attempt.objects.filter(form=form).count() == 40
    return form


def test_a_report_tells_figures_and_no_small_count(many_results: Any, client: Any) -> None:
    from exams.preparation import current_blueprint
    from exams.technical_report import LEAST_SHOWN, report_on

    report = report_on(current_blueprint("foundations"), many_results)

    figures = report.figures
    assert figures is not None
    assert 0.5 < figures.reliability < 0.95
    assert 0.5 < figures.same_verdict <= 1
    assert figures.accurate + figures.false_pass + figures.false_fail == pytest.approx(1)
    assert all(
        one.people is None or one.people == 0 or one.people >= LEAST_SHOWN for one in figures.bins
    )
    assert not any(one.low < report.cut <= one.high for one in figures.bins)
    page = client.get(f"/exams/foundations/reports/{many_results.name}/").content.decode()
    assert "KR-20" in page
    assert "Person 1" not in page

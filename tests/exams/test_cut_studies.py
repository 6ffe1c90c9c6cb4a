"""A modified Angoff study from the panel to the form's cut, and its figures by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from exams.psychometrics.standard_setting import adjusted_cut, expected_sem


def test_the_standard_error_of_measurement_is_that_of_independent_items() -> None:
    # Four items at one half: variance 4 x 0.25 = 1. Two at 0.9 and 0.2: 0.09 + 0.16 = 0.25.
    assert expected_sem([0.5] * 4) == pytest.approx(1.0)
    assert expected_sem([0.9, 0.2]) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("cut", "sem", "units", "points"),
    [
        (14.4, 2.4, 0, 15),
        (14.4, 2.4, 1, 17),  # 16.8
        (14.4, 2.4, -1, 12),  # 12.0 exactly
        (23.5, 2.4, 2, 24),  # no more than there are
        (0.3, 2.4, -2, 1),
    ],
)
def test_a_policy_moves_the_cut_in_standard_errors(
    cut: float, sem: float, units: float, points: int
) -> None:
    assert adjusted_cut(cut, sem, units, most=24) == points


@pytest.fixture
def panel(make_person: Any) -> list[Any]:
    from checkride.accounts.roles import Role

    return [make_person(f"judge_{number}", Role.EXAMINER) for number in range(5)]


@pytest.fixture
def form(pool: Any, examiner: Any) -> Any:
    from exams import fixed_forms, preparation

    version = preparation.current_blueprint("foundations")
    return fixed_forms.make_forms(version, count=2, seed="study", by=examiner)[0]


@pytest.fixture
def study(form: Any, panel: list[Any], examiner: Any) -> Any:
    from exams import cut_studies

    return cut_studies.open_study(form, emails=[one.email for one in panel], by=examiner)


def rate_all(study: Any, panel: list[Any], percents: list[int]) -> None:
    from exams import cut_studies

    versions = cut_studies.versions_of(study.form)
    for judge, percent in zip(panel, percents, strict=True):
        cut_studies.rate(study.pk, {one.pk: percent for one in versions}, by=judge)


def test_two_rounds_and_a_decision_give_the_form_its_cut(
    study: Any, panel: list[Any], examiner: Any
) -> None:
    from exams import cut_studies

    rate_all(study, panel[:4], [40, 50, 60, 70])
    with pytest.raises(cut_studies.BadStudy, match="not every judge"):
        cut_studies.next_round(study.pk, by=examiner)
    rate_all(study, panel, [40, 50, 60, 70, 80])
    cut_studies.next_round(study.pk, by=examiner)
    study.refresh_from_db()
    rate_all(study, panel, [50, 55, 60, 65, 70])

    cut_studies.decide(study.pk, units=1, reason="A pass must not be luck.", by=examiner)

    study.refresh_from_db()
    study.form.refresh_from_db()
    # Cuts of the judges: 12, 13.2, 14.4, 15.6, 16.8. Mean 14.4, SD 1.8974, over the root of 5.
    assert study.decision["cut"] == pytest.approx(14.4)
    assert study.decision["error"] == pytest.approx(1.8974 / math.sqrt(5), abs=1e-3)
    # 24 items at a mean of 0.6: root of 24 x 0.24.
    assert study.decision["sem"] == pytest.approx(2.4)
    assert (study.form.cut_points, study.form.cut_method) == (17, "angoff")
    assert "A pass must not be luck." in study.form.cut_reason
    with pytest.raises(cut_studies.BadStudy, match="closed"):
        rate_all(study, panel[:1], [60])


def test_a_panel_is_at_least_five_examiners(
    form: Any, panel: list[Any], examiner: Any, learner: Any
) -> None:
    from exams import cut_studies

    with pytest.raises(cut_studies.BadStudy, match="at least 5"):
        cut_studies.open_study(form, emails=[one.email for one in panel[:4]], by=examiner)
    with pytest.raises(cut_studies.BadStudy, match="no examiner"):
        cut_studies.open_study(
            form, emails=[learner.email, *(one.email for one in panel)], by=examiner
        )


def test_who_is_not_on_the_panel_rates_nothing(study: Any, examiner: Any) -> None:
    from exams import cut_studies

    with pytest.raises(cut_studies.BadStudy, match="not on this panel"):
        rate_all(study, [examiner], [50])


@pytest.mark.parametrize("percent", [0, 100])
def test_an_estimate_is_never_certain(study: Any, panel: list[Any], percent: int) -> None:
    from exams import cut_studies

    with pytest.raises(cut_studies.BadStudy, match="1 to 99"):
        rate_all(study, panel[:1], [percent])


def test_nobody_sees_another_s_estimate_before_the_discussion(
    study: Any, panel: list[Any], examiner: Any, client: Any
) -> None:

    rate_all(study, panel, [41, 52, 63, 74, 85])
    address = f"/exams/examiner/cut-studies/{study.pk}/"
    client.force_login(panel[0])

    before = client.get(address).content.decode()
    client.post(f"{address}step/", {"step": "second-round"})
    after = client.get(address).content.decode()

    assert 'value="41"' in before
    assert "41, 52, 63, 74, 85" not in before
    assert "41, 52, 63, 74, 85" in after
    assert "too few (0)" in after
    study.refresh_from_db()
    assert study.round == 2


def test_a_judge_stores_estimates_on_the_page(study: Any, panel: list[Any], client: Any) -> None:
    from exams import cut_studies

    version = cut_studies.versions_of(study.form)[0]
    client.force_login(panel[0])
    address = f"/exams/examiner/cut-studies/{study.pk}/"

    client.post(address, {f"p-{version.pk}": "62"})
    client.post(address, {f"p-{version.pk}": "x"})

    assert study.ratings.get().percent == 62


def test_a_study_is_begun_on_the_page_of_forms(
    form: Any, panel: list[Any], examiner: Any, client: Any
) -> None:
    client.force_login(examiner)

    client.post(
        f"/exams/examiner/forms/{form.pk}/study/",
        {"judges": "\n".join(one.email for one in panel)},
    )

    study = form.studies.get()
    assert study.judges.count() == 5
    assert (
        f"/cut-studies/{study.pk}/"
        in client.get("/exams/examiner/forms/foundations/").content.decode()
    )

"""Figures of a whole form, against values that others have published."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exams.psychometrics import decisions, drift, equating, rasch, reliability, standard_setting
from exams.psychometrics.item_analysis import Answer, analyse

# Section 6 of the Law School Admission Test: five items, 1,000 people, by pattern of right answers.
# R. D. Bock and M. Lieberman, Psychometrika 35 (1970), pages 179 to 197, table 1.
LSAT6 = {
    "00000": 3, "00001": 6, "00010": 2, "00011": 11, "00100": 1, "00101": 1, "00110": 3,
    "00111": 4, "01000": 1, "01001": 8, "01011": 16, "01101": 3, "01110": 2, "01111": 15,
    "10000": 10, "10001": 29, "10010": 14, "10011": 81, "10100": 3, "10101": 28, "10110": 15,
    "10111": 80, "11000": 16, "11001": 56, "11010": 21, "11011": 173, "11100": 11, "11101": 61,
    "11110": 28, "11111": 298,
}  # fmt: skip


@pytest.fixture(scope="module")
def lsat() -> reliability.ScoreMatrix:
    rows = [[int(one) for one in pattern] for pattern, n in LSAT6.items() for _ in range(n)]
    return reliability.score_matrix(rows)


# Reliability ------------------------------------------------------------------------------------


def test_alpha_of_lsat6_is_what_ltm_and_pingouin_print(lsat: reliability.ScoreMatrix) -> None:
    """D. Rizopoulos, Journal of Statistical Software 17(5), 2006, prints 0.295 for these data;
    pingouin 0.7.0 (`cronbach_alpha`) prints 0.294997 with the interval 0.223 to 0.362."""
    found = reliability.alpha(lsat)

    assert found.value == pytest.approx(0.294997, abs=1e-6)
    assert (round(found.low, 3), round(found.high, 3)) == (0.223, 0.362)
    assert found.n == 1000


def test_kr20_is_alpha_for_right_or_wrong_items(lsat: reliability.ScoreMatrix) -> None:
    assert reliability.kr20(lsat) == pytest.approx(reliability.alpha(lsat).value, abs=1e-12)


def test_shares_and_corrected_correlations_of_lsat6_are_the_published_ones(
    lsat: reliability.ScoreMatrix,
) -> None:
    """`descript(LSAT)` of the R package ltm prints the shares and, under “Excluded”, the
    point-biserial correlations with the other four items."""
    totals = lsat.sum(axis=1)
    found = [
        analyse([Answer(int(row[i]), int(t - row[i])) for row, t in zip(lsat, totals, strict=True)])
        for i in range(5)
    ]

    assert [one.share for one in found] == [0.924, 0.709, 0.553, 0.763, 0.870]
    assert [one.with_rest for one in found] == pytest.approx(
        [0.1128, 0.1532, 0.1728, 0.1444, 0.1216], abs=2e-4
    )


def test_the_error_of_a_score_follows_lord_and_vanishes_at_the_ends() -> None:
    # Lord (1957): for 20 of 40 the binomial error is the square root of 400/39.
    assert reliability.conditional_error(20, 40) == pytest.approx(3.2026, abs=1e-4)
    assert reliability.conditional_error(0, 40) == reliability.conditional_error(40, 40) == 0


def test_errors_with_keats_correction_average_to_the_error_of_the_form(
    lsat: reliability.ScoreMatrix,
) -> None:
    """Keats chose the correction so that it does: mean square of the conditional errors against the
    square of the standard error."""
    ratio, totals = reliability.keats_ratio(lsat), lsat.sum(axis=1)
    squares = [reliability.conditional_error(int(t), 5, ratio=ratio) ** 2 for t in totals]

    whole = reliability.standard_error(float(totals.std()), reliability.kr20(lsat))
    assert np.mean(squares) == pytest.approx(whole**2, rel=1e-9)


def test_totals_that_all_agree_have_no_reliability() -> None:
    flat = reliability.score_matrix([[1, 0], [0, 1], [1, 0]])

    with pytest.raises(reliability.NoSpread):
        reliability.alpha(flat)
    with pytest.raises(reliability.TooFewAttempts):
        reliability.score_matrix([[1, 0]])


def test_fishers_interval_of_a_correlation() -> None:
    # Textbook case: r = 0.5, n = 28 gives 0.156 to 0.736.
    assert reliability.correlation_interval(0.5, 28) == pytest.approx((0.156, 0.736), abs=1e-3)


# Decisions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reliability_of", "same"),
    [(0.1, 0.53), (0.3, 0.60), (0.5, 0.67), (0.7, 0.75), (0.8, 0.80), (0.9, 0.86)],
)
def test_a_cut_at_the_mean_gives_subkoviaks_table(reliability_of: float, same: float) -> None:
    """Subkoviak, Journal of Educational Measurement 25 (1988), table of agreement, row |z| = 0.
    The row is 1/2 + asin(r)/pi."""
    found = decisions.from_margins(z=0.0, reliability=reliability_of)

    assert round(found.same, 2) == same
    assert found.same == pytest.approx(0.5 + math.asin(reliability_of) / math.pi, abs=1e-4)


def _two_forms(items: int, people: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Two parallel binomial forms sat by the same invented people, and their true reliability."""
    stream = np.random.default_rng(20260101)
    true = stream.beta(14, 6, people)
    one, other = stream.binomial(items, true), stream.binomial(items, true)
    return one, other, float(np.corrcoef(one, other)[0, 1])


@pytest.mark.parametrize("cut", [24, 28, 34])
def test_one_form_foretells_how_many_verdicts_two_forms_share(cut: int) -> None:
    one, other, r = _two_forms(40, 200_000)
    seen = float(((one >= cut) == (other >= cut)).mean())

    by_subkoviak = decisions.subkoviak(one.tolist(), items=40, cut=cut, reliability=r)
    by_livingston = decisions.livingston_lewis(
        one.tolist(), possible=40, cut=cut, reliability=r
    ).consistency

    # Subkoviak draws people too close to the mean (by r instead of its root), so near a cut in the
    # middle it foretells a little less than happens. Reports use Livingston and Lewis.
    assert by_subkoviak.same == pytest.approx(seen, abs=0.04)
    assert by_livingston.same == pytest.approx(seen, abs=0.005)
    seen_pass = float((one >= cut).mean())
    chance = seen_pass**2 + (1 - seen_pass) ** 2
    assert by_livingston.kappa == pytest.approx((seen - chance) / (1 - chance), abs=0.02)


def test_wrong_verdicts_are_shared_out_between_unearned_passes_and_fails() -> None:
    one, _, r = _two_forms(40, 50_000)

    found = decisions.livingston_lewis(one.tolist(), possible=40, cut=28, reliability=r)

    assert found.accurate + found.false_pass + found.false_fail == pytest.approx(1, abs=1e-9)
    assert found.accurate > found.consistency.same


def test_scores_without_spread_have_no_consistency() -> None:
    with pytest.raises(reliability.NoSpread):
        decisions.livingston_lewis([20.0] * 50, possible=40, cut=28, reliability=0.8)


# Rasch ------------------------------------------------------------------------------------------


def test_difficulties_of_lsat6_are_the_published_ones(lsat: reliability.ScoreMatrix) -> None:
    """Rizopoulos (2006), `rasch(LSAT)`: difficulties -3.6153, -1.3224, -0.3176, -1.7301, -2.7802 at
    the discrimination 0.7551, log-likelihood -2466.938. Ours are in logits, so times 0.7551."""
    found = rasch.calibrate(lsat)

    assert found.spread == pytest.approx(0.7551, abs=2e-4)
    assert [one / found.spread for one in found.difficulty] == pytest.approx(
        [-3.6153, -1.3224, -0.3176, -1.7301, -2.7802], abs=1e-3
    )
    assert found.log_likelihood == pytest.approx(-2466.938, abs=1e-3)


def test_with_a_fixed_spread_they_are_the_published_ones_too(
    lsat: reliability.ScoreMatrix,
) -> None:
    """The same paper, discrimination fixed at 1: log-likelihood -2473.054."""
    found = rasch.calibrate(lsat, spread=1.0)

    assert found.difficulty == pytest.approx(
        [-2.8720, -1.0630, -0.2576, -1.3881, -2.2188], abs=1e-3
    )
    assert found.log_likelihood == pytest.approx(-2473.054, abs=1e-3)


def test_they_agree_with_conditional_estimates_of_another_library(
    lsat: reliability.ScoreMatrix,
) -> None:
    """girth 0.8.0, `rasch_conditional`, which makes no assumption on abilities; its difficulties
    have mean 0."""
    found = np.array(rasch.calibrate(lsat).difficulty)

    assert found - found.mean() == pytest.approx(
        [-1.25622, 0.47496, 1.23601, 0.16842, -0.62316], abs=0.003
    )


def test_people_with_different_forms_are_put_on_one_scale() -> None:
    """Two groups of different ability, an easy and a hard form with common items: the difficulties
    that made the answers come back within three standard errors."""
    stream = np.random.default_rng(7)
    true = np.linspace(-1.5, 1.5, 12)
    ability = np.concatenate([stream.normal(-0.5, 1, 800), stream.normal(0.5, 1, 800)])
    chance = 1 / (1 + np.exp(-(ability[:, None] - true[None, :])))
    answers = (stream.random(chance.shape) < chance).astype(float)
    answers[:800, 8:] = np.nan
    answers[800:, :4] = np.nan

    found = rasch.calibrate(answers, groups=[0] * 800 + [1] * 800)

    gaps = np.array(found.difficulty) - true
    assert (abs(gaps - gaps.mean()) < 3 * np.array(found.error)).all()
    estimates = rasch.abilities(answers, found)
    means = np.array([one for one, _ in estimates])
    # What is estimated for one person is drawn towards the mean of all.
    assert 0.4 < means[800:].mean() - means[:800].mean() < 1.0
    assert 0.5 < rasch.reliability(estimates) < 0.8


def test_an_item_that_everybody_solves_cannot_be_calibrated() -> None:
    with pytest.raises(rasch.NotCalibrated):
        rasch.calibrate(np.array([[1.0, 0.0], [1.0, 1.0]]))


# Drift ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((10, 10, 0, 10), 0.6075, 1.0000),
    ],
)
def test_the_interval_of_a_difference_is_newcombes(
    counts: tuple[int, int, int, int], low: float, high: float
) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), table II, method 10."""
    assert drift.difference(*counts)[1:] == pytest.approx((low, high), abs=5e-5)


def test_drift_is_called_when_it_is_sure_and_large() -> None:
    assert drift.drift((50, 100), (80, 100)).finding == "easier"
    assert drift.drift((80, 100), (50, 100)).finding == "harder"
    assert drift.drift((500, 1000), (560, 1000)).finding == "steady"
    assert drift.drift((10, 20), (20, 20)).finding is None
    assert drift.drift((0, 0), (20, 40)).finding is None


# Equating ---------------------------------------------------------------------------------------


def _sitting(totals: list[int], anchors: list[int]) -> equating.Sitting:
    return equating.Sitting(tuple(totals), tuple(anchors), 36, 12)


def test_below_the_stated_number_scores_stay_as_they_are() -> None:
    few = _sitting([20] * 99, [6] * 99)

    found = equating.equate(few, _sitting([22] * 500, [6] * 500))

    assert found.method == "identity"
    assert found.cut_on_new(25) == 25


def test_the_middle_of_kolen_and_brennans_forms() -> None:
    """M. J. Kolen and R. L. Brennan, Test Equating, Scaling, and Linking, table 4.1: form X has
    mean 15.8205 and anchors 5.1063 (n = 1,655), form Y 18.6728 and 5.8626. With all weight on the
    new group, 15.8205 is worth 18.6728 + 3 (5.1063 - 5.8626) = 16.4039; their Tucker line gives
    16.81 and their Levine line 16.25 there."""
    worth = equating.mean_equated(
        new_mean=15.8205,
        old_mean=18.6728,
        new_anchor=5.1063,
        old_anchor=5.8626,
        new_weight=3,
        old_weight=3,
        share_new=1.0,
    )

    assert worth == pytest.approx(16.4039, abs=1e-4)
    assert 16.2 < worth < 16.9


def test_the_arc_goes_through_both_ends_and_the_middle() -> None:
    for score, worth in [(0, 0), (36, 36), (15.8205, 16.4039)]:
        assert equating.circle_arc(score, top=(36, 36), middle=(15.8205, 16.4039)) == pytest.approx(
            worth, abs=1e-9
        )


def test_a_harder_form_gets_a_lower_cut() -> None:
    stream = np.random.default_rng(3)
    anchors = stream.binomial(12, 0.6, 400)
    old = _sitting((anchors + stream.binomial(24, 0.6, 400)).tolist(), anchors.tolist())
    hard = _sitting((anchors + stream.binomial(24, 0.5, 400)).tolist(), anchors.tolist())

    found = equating.equate(hard, old)

    assert (found.method, found.n_new, found.n_old) == ("circle-arc", 400, 400)
    assert found.cut_on_new(25) in {22, 23}


@settings(max_examples=50)
@given(st.floats(5, 31), st.floats(-4, 4))
def test_equated_scores_rise_with_scores(middle: float, gap: float) -> None:
    worth = [
        equating.circle_arc(score, top=(36, 36), middle=(middle, middle + gap))
        for score in range(37)
    ]
    assert all(one < other for one, other in itertools.pairwise(worth))


# Standard setting -------------------------------------------------------------------------------


def test_angoff_adds_ratings_and_tells_how_judges_differ() -> None:
    ratings = {
        f"judge {n}": {"one": base, "two": base + 10, "three": 60}
        for n, base in enumerate([50, 55, 60, 65, 70])
    }

    found = standard_setting.angoff(ratings)

    # Sums of 170, 180, 190, 200, 210 hundredths: mean 1.9, SD 0.1581, SE 0.0707.
    assert found.cut == pytest.approx(1.9)
    assert found.spread == pytest.approx(0.158114, abs=1e-6)
    assert found.error == pytest.approx(0.070711, abs=1e-6)
    assert len(found.judges) == 5


def test_a_judge_who_left_items_out_does_not_count_and_a_small_panel_sets_no_cut() -> None:
    ratings = {f"judge {n}": {"one": 50, "two": 60} for n in range(5)}
    ratings["judge 4"] = {"one": 50}

    with pytest.raises(standard_setting.NoPanel, match="4 judges"):
        standard_setting.angoff(ratings)


def test_items_on_which_ratings_spread_are_named_for_the_discussion() -> None:
    ratings = {
        f"judge {n}": {"calm": 60, "contested": mark} for n, mark in enumerate([20, 40, 60, 80, 90])
    }

    assert standard_setting.angoff(ratings).unsettled == ("contested",)


def test_the_borderline_cut_is_the_median_with_its_interval() -> None:
    """For n = 15 the interval runs from the 4th to the 12th: tabled in W. J. Conover, Practical
    Nonparametric Statistics, for the sign test."""
    found = standard_setting.borderline_group([float(one) for one in range(1, 16)])

    assert (found.cut, found.low, found.high, found.n) == (8, 4, 12, 15)
    with pytest.raises(standard_setting.NoPanel):
        standard_setting.borderline_group([60.0] * 9)

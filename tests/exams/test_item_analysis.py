"""What many attempts say about one item."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exams.psychometrics.item_analysis import LEAST_ATTEMPTS, Answer, analyse

# Twenty strong candidates (20 of the other 23) choose the key, twenty weak ones (8) do not.
SEPARATING = [Answer(1, 20, "b")] * 20 + [Answer(0, 8, "a")] * 10 + [Answer(0, 8, "c")] * 10


def test_below_thirty_attempts_there_is_no_figure() -> None:
    few = analyse(SEPARATING[: LEAST_ATTEMPTS - 1], options=("a", "b", "c"), key="b")

    assert (few.attempts, few.share, few.with_rest, few.findings) == (29, None, None, ())
    assert analyse(SEPARATING[:LEAST_ATTEMPTS]).share is not None


def test_an_item_that_strong_candidates_solve_and_weak_ones_do_not_has_no_finding() -> None:
    found = analyse(SEPARATING, options=("a", "b", "c"), key="b")

    assert (found.attempts, found.right, found.share) == (40, 20, 0.5)
    assert found.with_rest == 1.0
    assert found.findings == ()
    # Wilson at 95 % for 20 of 40.
    assert found.plausible is not None
    assert (found.plausible.low, found.plausible.high) == (0.352, 0.648)


def test_a_wrong_option_that_strong_candidates_choose_asks_for_a_look_at_the_key() -> None:
    answers = [Answer(1, 10, "b")] * 20 + [Answer(0, 21, "c")] * 15 + [Answer(0, 6, "a")] * 5

    found = analyse(answers, options=("a", "b", "c"), key="b")

    assert "check-key" in found.findings
    assert "weak" in found.findings


@pytest.mark.parametrize(
    ("right", "finding"), [(39, "easy"), (9, "hard")], ids=["nearly all right", "few right"]
)
def test_very_easy_and_very_hard_items_are_named(right: int, finding: str) -> None:
    answers = [Answer(1, 20)] * right + [Answer(0, 5)] * (40 - right)

    assert finding in analyse(answers).findings


def test_options_that_nobody_chooses_are_named() -> None:
    answers = [Answer(1, 20, "b")] * 20 + [Answer(0, 8, "a")] * 20

    assert analyse(answers, options=("a", "b", "c"), key="b").findings == ("idle-distractors",)


def test_an_item_that_everybody_solves_has_no_correlation() -> None:
    assert analyse([Answer(1, number % 24) for number in range(40)]).with_rest is None


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1]), st.integers(0, 23)), min_size=30, max_size=60
    ).filter(lambda rows: len({row[0] for row in rows}) > 1 and len({row[1] for row in rows}) > 1)
)
def test_the_correlation_agrees_with_numpy(rows: list[tuple[int, int]]) -> None:
    found = analyse([Answer(*row) for row in rows]).with_rest

    expected = np.corrcoef([row[0] for row in rows], [row[1] for row in rows])[0, 1]
    assert found is not None
    assert math.isclose(found, expected, abs_tol=1e-4)

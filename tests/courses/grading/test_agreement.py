"""Figures of agreement, held against values worked out elsewhere."""

from __future__ import annotations

from collections import Counter

import pytest

from courses.grading.agreement import Decided, NothingToCompare, figures, kappa, share


def decided(prompt: str, label: str, verdict: str, best: str = "", name: str = "a") -> Decided:
    return Decided(prompt, name, label, best or verdict, verdict)


def test_kappa_is_that_of_a_published_table() -> None:
    """Fleiss, Cohen and Everitt, Psychological Bulletin 72 (1969), table 1: kappa .429."""
    table = ((53, 5, 2), (11, 14, 5), (1, 6, 3))
    pairs = Counter(
        {(str(i), str(j)): count for i, row in enumerate(table) for j, count in enumerate(row)}
    )
    assert kappa(pairs) == pytest.approx(0.429, abs=0.001)


def test_kappa_is_missing_where_one_label_stands_everywhere() -> None:
    assert kappa(Counter({("met", "met"): 9})) is None


def test_the_interval_of_independent_decisions_is_wilsons() -> None:
    """Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 is .2553 to .3662."""
    found = share([(1, 1)] * 81 + [(0, 1)] * 182)
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=0.0005)


def test_no_mistake_among_few_leaves_a_range() -> None:
    """Newcombe, the same table: 0 of 20 is 0 to .1611."""
    found = share([(0, 1)] * 20)
    assert (found.low, found.high) == pytest.approx((0.0, 0.1611), abs=0.0005)


def test_mistakes_that_come_by_the_prompt_widen_the_range() -> None:
    spread = share([(9, 10)] * 20)
    heaped = share([(10, 10)] * 18 + [(0, 10)] * 2)
    assert spread.value == heaped.value
    assert heaped.high - heaped.low > 2 * (spread.high - spread.low)


def test_an_unsure_decision_counts_for_coverage_and_kappa_alone() -> None:
    found = figures([decided("p", "met", "unsure", "met"), decided("q", "absent", "absent")])
    assert (found.coverage.part, found.coverage.whole) == (1, 2)
    assert (found.accuracy.part, found.accuracy.whole) == (1, 1)
    assert found.kappa == 1


def test_a_false_met_is_a_met_for_what_is_absent_or_turned_round() -> None:
    rows = [
        decided("p", "absent", "met"),
        decided("q", "contradicted", "met"),
        decided("r", "met", "absent"),
        decided("s", "absent", "unsure", "met"),
    ]
    assert figures(rows).false_met.part == 2


def test_the_same_rows_give_the_same_figures() -> None:
    rows = [
        decided(str(i), "met" if i % 3 else "absent", "met" if i % 4 else "absent")
        for i in range(40)
    ]
    assert figures(rows) == figures(list(rows))


def test_no_decision_is_no_figure() -> None:
    with pytest.raises(NothingToCompare):
        figures([])

"""Forms drawn to the blueprint."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exams.assembly.blueprint import Blueprint, read_blueprint
from exams.assembly.draw import PoolItem, PoolTooSmall, SeededStream, draw_form

PATH = Path(__file__).parents[2] / "exams" / "content" / "foundations" / "blueprint.yaml"
BLUEPRINT: Blueprint = read_blueprint(PATH.read_text(encoding="utf-8"), file=PATH.name)[0]


def pool_of(per_domain: int) -> list[PoolItem]:
    return [
        PoolItem(
            id=f"{domain.id}-{number}",
            domain=domain.id,
            enemies=frozenset(),
            times_used=0,
            seen_by_candidate=0,
            groups={"choices": ("a", "b", "c", "d")},
        )
        for domain in BLUEPRINT.domains
        for number in range(per_domain)
    ]


def ids(pool: list[PoolItem], seed: str) -> set[str]:
    return {item.id for item in draw_form(BLUEPRINT, pool, seed=seed).items}


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=20))
def test_every_form_holds_24_items_three_from_each_domain(seed: str) -> None:
    form = draw_form(BLUEPRINT, pool_of(6), seed=seed)

    assert [item.position for item in form.items] == list(range(1, 25))
    domains = Counter(item.id.rsplit("-", 1)[0] for item in form.items)
    assert set(domains.values()) == {3}
    assert len(domains) == 8
    assert all(sorted(item.drawn["choices"]) == ["a", "b", "c", "d"] for item in form.items)


def test_one_seed_gives_one_form_on_every_machine() -> None:
    form = draw_form(BLUEPRINT, pool_of(6), seed="fixed")

    assert form == draw_form(BLUEPRINT, list(reversed(pool_of(6))), seed="fixed")
    # Written down once: another machine or version of Python must draw the same.
    assert form.code == "B94F1F5D"
    assert form.items[0].drawn == {"choices": ("b", "a", "c", "d")}


def test_another_seed_gives_another_form() -> None:
    assert ids(pool_of(8), "one") != ids(pool_of(8), "two")


def test_enemies_never_share_a_form() -> None:
    pool = [
        replace(item, enemies=frozenset({"security-0"})) if item.id == "observability-1" else item
        for item in pool_of(4)
    ]
    for number in range(60):
        form = ids(pool, str(number))
        assert not {"security-0", "observability-1"} <= form


def test_enemies_that_leave_no_form_are_a_refusal_with_a_reason() -> None:
    pool = [
        replace(item, enemies=frozenset({"security-0"})) if item.id == "observability-1" else item
        for item in pool_of(3)
    ]
    with pytest.raises(PoolTooSmall, match="No new form can be drawn"):
        draw_form(BLUEPRINT, pool, seed="any")


def test_a_domain_with_too_few_items_is_named() -> None:
    pool = [item for item in pool_of(3) if item.id != "security-2"]
    with pytest.raises(PoolTooSmall, match="“Security” has 2 items to draw from and needs 3"):
        draw_form(BLUEPRINT, pool, seed="any")


def test_items_seen_least_are_drawn_first() -> None:
    pool = [
        replace(item, times_used=0 if item.id.endswith(("-1", "-3", "-5")) else 9)
        for item in pool_of(6)
    ]
    assert all(item_id.endswith(("-1", "-3", "-5")) for item_id in ids(pool, "any"))


def test_what_a_candidate_has_not_seen_comes_before_what_others_have_not_seen() -> None:
    pool = [
        replace(item, times_used=9, seen_by_candidate=0)
        if item.id.endswith(("-0", "-2", "-4"))
        else replace(item, times_used=0, seen_by_candidate=1)
        for item in pool_of(6)
    ]
    assert all(item_id.endswith(("-0", "-2", "-4")) for item_id in ids(pool, "any"))


def test_a_retake_is_always_another_form() -> None:
    pool = pool_of(4)
    taken = frozenset(ids(pool, "first"))

    again = draw_form(BLUEPRINT, pool, seed="first", earlier_forms=frozenset({taken}))

    assert {item.id for item in again.items} != taken


def test_a_pool_of_one_form_cannot_be_sat_twice() -> None:
    pool = pool_of(3)
    with pytest.raises(PoolTooSmall, match="already taken by you"):
        draw_form(BLUEPRINT, pool, seed="x", earlier_forms=frozenset({frozenset(ids(pool, "x"))}))


def test_exposure_is_spread_over_the_pool() -> None:
    used: Counter[str] = Counter()
    for number in range(60):
        pool = [replace(item, times_used=used[item.id]) for item in pool_of(8)]
        used.update(ids(pool, f"seed {number}"))

    # 60 forms of 3 from 8 are 22.5 uses of each item, and counting first keeps all within one.
    assert set(used.values()) <= {22, 23}


def test_right_options_are_spread_over_the_places() -> None:
    places = Counter(
        SeededStream(f"seed {number}").shuffled("abcd").index("a") for number in range(4000)
    )
    assert all(900 < count < 1100 for count in places.values())

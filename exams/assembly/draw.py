"""Draw one form from a pool: to the blueprint, without enemies, the least seen items first.

The same blueprint, pool, history and seed give the same form on every machine: the random stream
is SHA-256 over the seed, not a library generator whose shuffle may change between versions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from checkride.lib.canonical import digest
from checkride.lib.errors import DomainError
from exams.assembly.blueprint import Blueprint, CompetencyRule, DomainQuota

SEARCH_STEPS = 50_000
# With fewer forms than this a share says nothing about exposure.
LEAST_FORMS_FOR_A_CAP = 20


class PoolTooSmall(DomainError):
    code = "pool-too-small"
    sentence = (
        "No new form can be drawn for this exam: {reason}. Nothing was started and no attempt was "
        "used. The examiners have to add items; please come back later."
    )


@dataclass(frozen=True, slots=True)
class PoolItem:
    """One item of the pool.

    `times_used` counts the recent forms it stood on; `seen_by_candidate` how often this candidate has
    met it; `groups` holds the ids whose order is drawn (options, steps, left-hand sides).
    """

    id: str
    domain: str
    enemies: frozenset[str]
    times_used: int
    seen_by_candidate: int
    groups: Mapping[str, tuple[str, ...]]
    competencies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FormItem:
    id: str
    position: int
    drawn: Mapping[str, tuple[str, ...]]
    is_pilot: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """One assembled version of the exam. `code` is for people, `digest` for comparison."""

    seed: str
    items: tuple[FormItem, ...]
    digest: str

    @property
    def code(self) -> str:
        return self.digest[:8].upper()


class SeededStream:
    """Whole numbers from a seed, each used once. Not for secrets: the seed is stored."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._drawn = 0

    def below(self, limit: int) -> int:
        """An evenly spread number from 0 to `limit` - 1."""
        top = 1 << 64
        while True:
            block = hashlib.sha256(f"{self._seed}|{self._drawn}".encode()).digest()
            self._drawn += 1
            number = int.from_bytes(block[:8], "big")
            # Numbers from the ragged end would favour small results.
            if number < top - top % limit:
                return number % limit

    def shuffled(self, entries: Sequence[str]) -> tuple[str, ...]:
        deck = list(entries)
        for last in range(len(deck) - 1, 0, -1):
            other = self.below(last + 1)
            deck[last], deck[other] = deck[other], deck[last]
        return tuple(deck)


def draw_form(
    blueprint: Blueprint,
    pool: Sequence[PoolItem],
    *,
    seed: str,
    earlier_forms: frozenset[frozenset[str]] = frozenset(),
    pilots: Sequence[PoolItem] = (),
) -> Form:
    """Draw a form of exactly `blueprint.items` items, and up to `blueprint.pilots` of `pilots`.

    Items that this candidate has not seen come first, then those seen least by anybody, then
    chance. A form with the same items as one of `earlier_forms` is never drawn.

    Raises `PoolTooSmall` when the pool cannot fill a domain, enemies rule out every form, or only
    earlier forms remain.
    """
    by_domain: list[tuple[DomainQuota, list[PoolItem]]] = []
    for quota in blueprint.domains:
        ranked = sorted(
            (item for item in pool if item.domain == quota.id),
            key=lambda item: (item.seen_by_candidate, item.times_used, _lot(seed, item.id)),
        )
        if len(ranked) < quota.items:
            raise PoolTooSmall(
                reason=f"“{quota.name}” has {len(ranked)} items to draw from and needs {quota.items}"
            )
        by_domain.append((quota, ranked))

    chosen = next(_forms(by_domain, earlier_forms, blueprint.competencies), None)
    if chosen is None:
        raise PoolTooSmall(reason="every form left breaks a rule or was already taken by you")
    on_trial = pilots_for(
        [item.id for item in chosen], pilots, most=blueprint.pilots, seed=f"{seed}|pilots"
    )
    return order_form(chosen, seed=seed, pilots=on_trial)


def is_capped(times_used: int, forms: int, *, most: float) -> bool:
    """Whether one form more would put an item on more than the share `most` of `forms` + 1.

    `times_used` counts those of the `forms` that held it. Below 20 forms no item is capped.
    """
    return forms >= LEAST_FORMS_FOR_A_CAP and times_used + 1 > most * (forms + 1)


def pilots_for(
    chosen: Sequence[str], pilots: Sequence[PoolItem], *, most: int, seed: str
) -> tuple[PoolItem, ...]:
    """Up to `most` items on trial for a form: the least tried first, then chance; never one that
    the candidate has seen, and never an enemy of the form or of one another."""
    taken: list[PoolItem] = []
    ids = set(chosen)
    for item in sorted(pilots, key=lambda one: (one.times_used, _lot(seed, one.id))):
        if len(taken) == most:
            break
        quarrels = not ids.isdisjoint(item.enemies) or any(item.id in one.enemies for one in taken)
        if item.id not in ids and not item.seen_by_candidate and not quarrels:
            taken.append(item)
            ids.add(item.id)
    return tuple(taken)


def order_form(chosen: Sequence[PoolItem], *, seed: str, pilots: Sequence[PoolItem] = ()) -> Form:
    """Draw the order of the items of a form, and of the choices in each of them.

    Items on trial stand anywhere among the others. The digest names what counts, so it leaves
    them out.
    """
    stream = SeededStream(f"{seed}|order")
    by_id = {item.id: item for item in (*chosen, *pilots)}
    on_trial = {item.id for item in pilots}
    order = stream.shuffled(sorted(by_id))
    items = tuple(
        FormItem(
            id=item_id,
            position=position,
            drawn={
                group: SeededStream(f"{seed}|{item_id}|{group}").shuffled(ids)
                for group, ids in sorted(by_id[item_id].groups.items())
            },
            is_pilot=item_id in on_trial,
        )
        for position, item_id in enumerate(order, start=1)
    )
    return Form(seed=seed, items=items, digest=digest(sorted(item.id for item in chosen)))


def _lot(seed: str, item_id: str) -> bytes:
    return hashlib.sha256(f"{seed}|lot|{item_id}".encode()).digest()


def _forms(
    by_domain: Sequence[tuple[DomainQuota, list[PoolItem]]],
    earlier_forms: frozenset[frozenset[str]],
    competencies: Sequence[CompetencyRule],
) -> Iterator[tuple[PoolItem, ...]]:
    """Forms that obey every rule, best first: a depth-first search with a limit on its steps."""
    steps_left = SEARCH_STEPS

    def extend(depth: int, chosen: tuple[PoolItem, ...]) -> Iterator[tuple[PoolItem, ...]]:
        nonlocal steps_left
        if depth == len(by_domain):
            is_new = frozenset(item.id for item in chosen) not in earlier_forms
            if is_new and _covers(chosen, competencies):
                yield chosen
            return
        quota, ranked = by_domain[depth]
        for group in combinations(ranked, quota.items):
            steps_left -= 1
            if steps_left < 0:
                return
            if _at_peace(chosen + group):
                yield from extend(depth + 1, chosen + group)

    return extend(0, ())


def _covers(items: tuple[PoolItem, ...], rules: Sequence[CompetencyRule]) -> bool:
    return all(
        sum(any(one.startswith(rule.prefix) for one in item.competencies) for item in items)
        >= rule.least
        for rule in rules
    )


def _at_peace(items: tuple[PoolItem, ...]) -> bool:
    ids = {item.id for item in items}
    return all(ids.isdisjoint(item.enemies) for item in items)

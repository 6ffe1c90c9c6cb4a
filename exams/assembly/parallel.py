"""Assemble several forms at once: alike in content, difficulty and time, tied by common items.

Every form holds the same anchor items, through which scores of one are put on the scale of another,
and otherwise as few items of the others as the pool allows. The same pool and seed give the same
forms on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from exams.assembly.blueprint import Blueprint
from exams.assembly.draw import PoolTooSmall, SeededStream

# A quarter of a form as anchors is more than the fifth that M. J. Kolen and R. L. Brennan ask for
# (Test Equating, Scaling, and Linking, chapter 8).
ANCHOR_SHARE = 0.25
SWAPS = 3000


@dataclass(frozen=True, slots=True)
class Candidate:
    """One item that may stand on a form. `angoff` is the share of its points that a just-qualified
    candidate earns, `times_used` how many forms it has stood on."""

    id: str
    domain: str
    competencies: frozenset[str]
    enemies: frozenset[str]
    angoff: Decimal
    seconds: int
    times_used: int


@dataclass(frozen=True, slots=True)
class ParallelForm:
    """`expected` is the score of a just-qualified candidate in items, `seconds` the time needed."""

    items: tuple[str, ...]
    anchors: frozenset[str]
    expected: Decimal
    seconds: int


def assemble(
    blueprint: Blueprint, pool: Sequence[Candidate], *, forms: int, seed: str
) -> tuple[ParallelForm, ...]:
    """`forms` parallel forms to the blueprint.

    Raises `PoolTooSmall` when a domain cannot be filled, or no way of dealing keeps enemies apart
    and competencies covered.
    """
    for attempt in range(40):
        dealt = _deal(blueprint, pool, forms=forms, seed=f"{seed}|{attempt}")
        if dealt is not None:
            anchors, hands = dealt
            _balance(hands, anchors, seed=f"{seed}|{attempt}|swap")
            if all(_holds(blueprint, hand) for hand in hands):
                return tuple(_form(hand, anchors) for hand in hands)
    raise PoolTooSmall(reason="no way of dealing the items keeps every rule")


def anchors_per_domain(blueprint: Blueprint) -> dict[str, int]:
    """How many anchors each domain gives: its share of a quarter of the form, at least one."""
    return {quota.id: max(1, round(quota.items * ANCHOR_SHARE)) for quota in blueprint.domains}


Hand = list[Candidate]


def _deal(
    blueprint: Blueprint, pool: Sequence[Candidate], *, forms: int, seed: str
) -> tuple[frozenset[str], list[Hand]] | None:
    anchors: list[Candidate] = []
    hands: list[Hand] = [[] for _ in range(forms)]
    for quota in blueprint.domains:
        items = [item for item in pool if item.domain == quota.id]
        if len(items) < quota.items:
            raise PoolTooSmall(
                reason=f"“{quota.name}” has {len(items)} items in use and needs {quota.items}"
            )
        order = SeededStream(f"{seed}|{quota.id}").shuffled(sorted(item.id for item in items))
        by_id = {item.id: item for item in items}
        ranked = sorted((by_id[one] for one in order), key=lambda item: item.times_used)
        wanted = anchors_per_domain(blueprint)[quota.id] if forms > 1 else 0
        # Anchors of middling difficulty stand for the whole better than the ends do.
        middling = sorted(ranked, key=lambda item: abs(item.angoff - _mean(items)))
        own: Hand = []
        for item in middling:
            if len(own) < wanted and _at_peace([*anchors, *own], item):
                own.append(item)
        if len(own) < wanted:
            return None
        anchors += own
        for hand in hands:
            hand += own
        rest = [item for item in ranked if item not in own]
        used = dict.fromkeys((item.id for item in rest), 0)
        # Like a hand of cards, there and back, so that no form gets the first pick every time.
        for turn in range(quota.items - wanted):
            for number in range(forms) if turn % 2 == 0 else reversed(range(forms)):
                choice = min(
                    (
                        item
                        for item in rest
                        if item not in hands[number] and _at_peace(hands[number], item)
                    ),
                    key=lambda item: (used[item.id], item.times_used),
                    default=None,
                )
                if choice is None:
                    return None
                hands[number].append(choice)
                used[choice.id] += 1
    return frozenset(item.id for item in anchors), hands


def _balance(hands: list[Hand], anchors: frozenset[str], *, seed: str) -> None:
    """Swap items of one domain between two forms while that makes the forms more alike."""
    stream = SeededStream(seed)
    if len(hands) < 2:
        return
    best = _spread(hands)
    for _ in range(SWAPS):
        one, other = stream.below(len(hands)), stream.below(len(hands))
        if one == other:
            continue
        here, there = stream.below(len(hands[one])), stream.below(len(hands[other]))
        left, right = hands[one][here], hands[other][there]
        if left.domain != right.domain or left.id in anchors or right.id in anchors:
            continue
        if left in hands[other] or right in hands[one]:
            continue
        without_left = [item for item in hands[one] if item is not left]
        without_right = [item for item in hands[other] if item is not right]
        if not _at_peace(without_left, right) or not _at_peace(without_right, left):
            continue
        hands[one][here], hands[other][there] = right, left
        now = _spread(hands)
        if now < best:
            best = now
        else:
            hands[one][here], hands[other][there] = left, right


def _spread(hands: list[Hand]) -> float:
    """How far the forms lie apart: squares of expected score, with 60 s counting as one item."""
    expected = [float(sum(item.angoff for item in hand)) for hand in hands]
    minutes = [sum(item.seconds for item in hand) / 60 for hand in hands]
    return _squares(expected) + _squares(minutes)


def _squares(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values)


def _holds(blueprint: Blueprint, hand: Hand) -> bool:
    return all(
        sum(any(one.startswith(rule.prefix) for one in item.competencies) for item in hand)
        >= rule.least
        for rule in blueprint.competencies
    )


def _at_peace(items: Sequence[Candidate], item: Candidate) -> bool:
    return all(item.id not in other.enemies and other.id not in item.enemies for other in items)


def _mean(items: Sequence[Candidate]) -> Decimal:
    return sum((item.angoff for item in items), Decimal()) / len(items)


def _form(hand: Hand, anchors: frozenset[str]) -> ParallelForm:
    return ParallelForm(
        items=tuple(sorted(item.id for item in hand)),
        anchors=anchors,
        expected=sum((item.angoff for item in hand), Decimal()),
        seconds=sum(item.seconds for item in hand),
    )

"""Signs that a person should look at: answers too alike, answers too fast. Pure.

A sign is never a verdict. Two people who learned from one bad source make the same mistakes, and
somebody who has seen an item before is fast: whoever looks decides, and nothing follows by itself.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

# With fewer shared mistakes even a full match says nothing.
LEAST_SHARED = 5
# Of all pairs that are innocent, one in a hundred examinations of a whole exam may be named.
CHANCE_OF_NAMING = 0.01
# Ten words a second: twice what practised readers of easy text manage. Source: Brysbaert, Journal
# of Memory and Language 109 (2019), 238 words a minute on average, 320 at the top.
CHARACTERS_PER_SECOND = 50.0
LEAST_FAST = 3


@dataclass(frozen=True, slots=True)
class Sitting:
    """One closed attempt. `wrong` gives for each item answered wrongly the answer in the author's
    ids; `right` the items answered rightly; `seconds` the time from the first look to the first
    answer, where both are known."""

    attempt: str
    wrong: Mapping[str, str]
    right: frozenset[str]
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class AlikePair:
    """`same` of `shared` mistakes on the same items are the same mistake; `chance` is how often
    two people who answer independently would match at least so often."""

    one: str
    other: str
    shared: int
    same: int
    chance: float


@dataclass(frozen=True, slots=True)
class FastSitting:
    """Items answered rightly before their text could be read, with the seconds each took."""

    attempt: str
    items: tuple[tuple[str, float], ...]


def alike_pairs(sittings: Sequence[Sitting]) -> list[AlikePair]:
    """The pairs whose mistakes agree too well to be chance, the least likely first.

    For each item the chance that two independent wrong answers agree is the sum of the squared
    shares of its wrong answers, each answer counted once more than seen, and once more for answers
    nobody gave, so that a rare mistake is not impossible. The matches of a pair are then a
    Poisson binomial. The chance that is called too small is divided by the number of pairs looked
    at.

    Source: error-similarity analysis, Bellezza and Bellezza, Teaching of Psychology 16 (1989),
    with a chance for each item in place of one for all.
    """
    agree = _agreement(sittings)
    pairs = []
    for one, other in itertools.combinations(sittings, 2):
        shared = sorted(one.wrong.keys() & other.wrong.keys())
        if len(shared) < LEAST_SHARED:
            continue
        same = sum(one.wrong[item] == other.wrong[item] for item in shared)
        chance = _at_least(same, [agree[item] for item in shared])
        pairs.append(AlikePair(one.attempt, other.attempt, len(shared), same, chance))
    limit = CHANCE_OF_NAMING / max(1, len(pairs))
    return sorted(
        (pair for pair in pairs if pair.same >= LEAST_SHARED and pair.chance < limit),
        key=lambda pair: pair.chance,
    )


def fast_sittings(
    sittings: Iterable[Sitting], *, characters: Mapping[str, int]
) -> list[FastSitting]:
    """Sittings with several right answers that came before the item could be read.

    `characters` is the length of each item's text. Wrong answers are left out: who clicks without
    reading harms only themselves.
    """
    found = []
    for sitting in sittings:
        fast = tuple(
            (item, seconds)
            for item, seconds in sorted(sitting.seconds.items())
            if item in sitting.right and seconds < characters[item] / CHARACTERS_PER_SECOND
        )
        if len(fast) >= LEAST_FAST:
            found.append(FastSitting(sitting.attempt, fast))
    return sorted(found, key=lambda one: len(one.items), reverse=True)


def _agreement(sittings: Iterable[Sitting]) -> dict[str, float]:
    given: dict[str, Counter[str]] = {}
    for sitting in sittings:
        for item, answer in sitting.wrong.items():
            given.setdefault(item, Counter())[answer] += 1
    chances = {}
    for item, counts in given.items():
        # Seen once more than seen, and one answer that nobody gave.
        of = sum(counts.values()) + len(counts) + 1
        shares = [(n + 1) / of for n in counts.values()] + [1 / of]
        chances[item] = sum(share * share for share in shares)
    return chances


def _at_least(least: int, chances: Sequence[float]) -> float:
    """The probability of at least so many successes in independent trials with these chances."""
    distribution = [1.0]
    for chance in chances:
        stay = [weight * (1 - chance) for weight in distribution] + [0.0]
        move = [0.0] + [weight * chance for weight in distribution]
        distribution = [a + b for a, b in zip(stay, move, strict=True)]
    return min(1.0, sum(distribution[least:]))

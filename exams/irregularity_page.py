"""Collect the closed attempts of an exam and name those that a person should look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min

from checkride.lib.canonical import canonical_json
from exams.models import Attempt, AttemptItem, ItemScore
from exams.psychometrics.irregularities import (
    AlikePair,
    FastSitting,
    Sitting,
    alike_pairs,
    fast_sittings,
)
from exams.scoring.items import Face

MOST_SITTINGS = 600


@dataclass(frozen=True, slots=True)
class Named:
    """An attempt as the page names it: by form and time, not by person."""

    id: str
    form_code: str
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class AlikeRow:
    one: Named
    other: Named
    pair: AlikePair

    @property
    def once_in(self) -> int:
        """How many such pairs there are for one that agrees so well by chance."""
        return round(1 / max(self.pair.chance, 1e-12))


@dataclass(frozen=True, slots=True)
class FastRow:
    sitting: Named
    fast: FastSitting


@dataclass(frozen=True, slots=True)
class Irregularities:
    looked_at: int
    alike: tuple[AlikeRow, ...]
    fast: tuple[FastRow, ...]


def irregularities(exam: str) -> Irregularities:
    """What the newest graded attempts of an exam show; at most `MOST_SITTINGS` of them."""
    attempts = list(
        Attempt.objects.filter(exam=exam, candidate__isnull=False)
        .exclude(current_grade=None)
        .order_by("-closed_at")[:MOST_SITTINGS]
    )
    named = {
        str(attempt.pk): Named(str(attempt.pk), attempt.form_code, attempt.closed_at)
        for attempt in attempts
    }
    sittings, characters = _sittings(attempts)
    return Irregularities(
        looked_at=len(attempts),
        alike=tuple(
            AlikeRow(named[pair.one], named[pair.other], pair) for pair in alike_pairs(sittings)
        ),
        fast=tuple(
            FastRow(named[one.attempt], one)
            for one in fast_sittings(sittings, characters=characters)
        ),
    )


def _sittings(attempts: list[Attempt]) -> tuple[list[Sitting], Mapping[str, int]]:
    wrong: dict[str, dict[str, str]] = {str(attempt.pk): {} for attempt in attempts}
    right: dict[str, set[str]] = {str(attempt.pk): set() for attempt in attempts}
    seconds: dict[str, dict[str, float]] = {str(attempt.pk): {} for attempt in attempts}
    characters: dict[str, int] = {}
    runs = [attempt.current_grade_id for attempt in attempts]
    points = {
        score.attempt_item_id: (score.points, score.possible)
        for score in ItemScore.objects.filter(run__in=runs)
    }
    places = (
        AttemptItem.objects.filter(pk__in=points)
        .select_related("item_version__item", "response__event")
        .annotate(answered_at=Min("events__received_at"))
    )
    for place in places:
        attempt, item = str(place.attempt_id), place.item_version.item.slug
        earned, possible = points[place.pk]
        answer = place.answer_in_authors_ids
        if earned == possible:
            right[attempt].add(item)
        elif answer and earned == 0:
            wrong[attempt][item] = canonical_json(answer).decode()
        if place.first_seen_at is not None and place.answered_at is not None:
            taken = (place.answered_at - place.first_seen_at).total_seconds()
            seconds[attempt][item] = max(0.0, taken)
        characters[item] = _length(place.face)
    return [
        Sitting(attempt, wrong[attempt], frozenset(right[attempt]), seconds[attempt])
        for attempt in wrong
    ], characters


def _length(face: Face) -> int:
    """The characters that somebody has to read to answer."""
    choices = [choice.text for choice in (*face.choices, *face.left)]
    return sum(map(len, (face.context, face.ask, face.brief, *face.log, *choices)))

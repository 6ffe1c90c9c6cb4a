"""Which attempts a person may see. For everybody else they do not exist."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.http import Http404

from checkride.accounts.models import User
from checkride.jobs.dbclock import DatabaseNow
from exams.models import Attempt, AttemptItem


def own_attempt(user: User, attempt_id: UUID) -> Attempt:
    """The candidate's own attempt; `Http404` for anybody else's, and for none."""
    attempt = (
        Attempt.objects.filter(pk=attempt_id, candidate=user)
        .select_related("blueprint_version")
        .first()
    )
    if attempt is None:
        raise Http404
    return attempt


def own_attempt_now(user: User, attempt_id: UUID) -> tuple[Attempt, datetime]:
    """The same, with the database's time, in one query."""
    attempt = (
        Attempt.objects.filter(pk=attempt_id, candidate=user)
        .select_related("blueprint_version")
        .annotate(read_at=DatabaseNow())
        .first()
    )
    if attempt is None:
        raise Http404
    return attempt, attempt.read_at


def own_places(attempt: Attempt) -> list[AttemptItem]:
    """Every place of the form with the answer that counts, in one query."""
    places = list(
        AttemptItem.objects.filter(attempt=attempt).select_related(
            "item_version", "response__event"
        )
    )
    for place in places:
        place.attempt = attempt
    return places


def own_item(attempt: Attempt, position: int) -> AttemptItem:
    item = (
        AttemptItem.objects.filter(attempt=attempt, position=position)
        .select_related("item_version", "response__event", "attempt")
        .first()
    )
    if item is None:
        raise Http404
    return item

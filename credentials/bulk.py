"""Issuing many credentials at once: every released pass that has none, however many there are.

Each award and each signature is a transaction of its own, so whoever stops the work at any moment
loses nothing and doubles nothing: running it again goes on where it stopped. The workers of the site
may sign at the same time; a row is locked while it is signed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from credentials import achievements, awarding, signing
from credentials.models import Credential
from exams import outcomes


@dataclass(frozen=True, slots=True)
class Progress:
    """So many of `total` are signed. `refused` are those that the signer would not sign, with its
    sentence; they stay unsigned and are asked for again by the sweep."""

    signed: int
    total: int
    refused: tuple[str, ...] = ()


def award_outstanding(*, since: datetime) -> int:
    """Award every pass released at `since` or later that has no credential; how many there were.

    A pass whose achievement is not described is left for later, as the sweep leaves it.
    """
    have = set(Credential.objects.values_list("achievement__slug", "source_id", "awarded_at"))
    awarded = 0
    for passed in outcomes.released_passes(since):
        if (passed.achievement, passed.source_id, passed.released_at) in have:
            continue
        try:
            awarding.award(passed)
        except achievements.UnknownAchievement:
            continue
        awarded += 1
    return awarded


def sign_outstanding() -> Iterator[Progress]:
    """Have everything signed that waits for it, oldest first; a report after each.

    Raises `signing.SignerAway`; what was signed by then stays signed.
    """
    waiting = list(
        Credential.objects.filter(signed_revision__lt=F("revision"), erased_at__isnull=True)
        .order_by("awarded_at")
        .values_list("pk", flat=True)
    )
    signed = 0
    refused: tuple[str, ...] = ()
    yield Progress(0, len(waiting))
    for number in waiting:
        try:
            awarding.sign(number)
            signed += 1
        except signing.SignerRefused as refusal:
            refused = (*refused, f"{number}: {refusal.message}")
        yield Progress(signed, len(waiting), refused)

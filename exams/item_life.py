"""Take steps in the lives of items, with an audit row each, and read where they stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from django.db import transaction

from checkride import audit
from checkride.accounts.models import User
from checkride.jobs.dbclock import database_now
from exams import life_cycle
from exams.models import Item, ItemStep

MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a deed on several items: how many moved, and a sentence for each other."""

    moved: int
    refused: tuple[str, ...]


def standing(item: Item) -> life_cycle.Standing:
    return life_cycle.Standing(
        cast(life_cycle.Life, item.life), str(item.sent_by_id) if item.sent_by_id else None
    )


@transaction.atomic
def step(item_id: int, deed: life_cycle.Deed, *, by: User, reason: str) -> ItemStep:
    """Take one step with the item's current version.

    Raises `life_cycle.StepRefused`, in which case nothing was changed.
    """
    item = Item.objects.select_for_update(of=("self",)).select_related("current").get(pk=item_id)
    if item.current is None:
        raise life_cycle.StepRefused(problem="it has no text yet.")
    reason = " ".join(reason.split())
    after = life_cycle.after(standing(item), deed, by=str(by.pk), reason=reason)
    now = database_now()
    row = ItemStep.objects.create(
        item=item,
        version=item.current,
        deed=deed,
        before=item.life,
        after=after.life,
        by=by,
        reason=reason,
        at=now,
    )
    item.life = after.life
    item.sent_by = by if after.sent_by else None
    item.save(update_fields=["life", "sent_by"])
    audit.record(
        by,
        "item.step",
        item,
        at=now,
        facts={
            "item": item.slug,
            "version": item.current.number,
            "deed": deed,
            "before": row.before,
            "after": row.after,
        },
    )
    return row


def step_all(items: Iterable[Item], deed: life_cycle.Deed, *, by: User, reason: str) -> Outcome:
    """Take the same step with each item; those that cannot take it stay as they are."""
    moved, refused = 0, []
    for item in items:
        try:
            step(item.pk, deed, by=by, reason=reason)
        except life_cycle.StepRefused as refusal:
            refused.append(f"{item.slug}: {refusal.message}")
        else:
            moved += 1
    return Outcome(moved, tuple(refused))

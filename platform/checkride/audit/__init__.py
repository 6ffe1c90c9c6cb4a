"""The append-only record of who did what.

`record` writes into the transaction of the change itself, so that neither exists without the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db.models import Model


def record(
    actor: Model | None,
    action: str,
    subject: Model | None,
    *,
    at: datetime,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Note that `actor` (None: the product itself) did `action` to `subject`.

    `facts` holds JSON values and no personal data beyond ids: the record outlives an erasure.
    """
    from checkride.audit.models import AuditRow

    AuditRow.objects.create(
        at=at,
        actor_id=str(actor.pk) if actor is not None else "",
        action=action,
        subject_kind=subject._meta.label_lower if subject is not None else "",
        subject_id=str(subject.pk) if subject is not None else "",
        facts=dict(facts or {}),
    )


def about(person: Model) -> list[dict[str, Any]]:
    """The rows in which `person` acted or was acted upon, oldest first."""
    from django.db.models import Q

    from checkride.audit.models import AuditRow

    key = str(person.pk)
    rows = AuditRow.objects.filter(Q(actor_id=key) | Q(subject_id=key)).order_by("id")
    fields = ("at", "action", "actor_id", "subject_kind", "subject_id", "facts")
    return [dict(row) for row in rows.values(*fields)]

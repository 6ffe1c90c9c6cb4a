"""The record only grows, and outlives nothing that did not happen."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from checkride import audit
from checkride.accounts.models import User
from checkride.audit.models import AuditRow
from checkride.lib import clock

pytestmark = pytest.mark.django_db


def test_a_deed_is_recorded_with_who_what_and_when(learner: User) -> None:
    at = clock.now()

    audit.record(learner, "person.renamed", learner, at=at, facts={"field": "name"})

    row = AuditRow.objects.get()
    assert (row.actor_id, row.action, row.subject_kind) == (
        str(learner.pk),
        "person.renamed",
        "accounts.user",
    )
    assert row.at == at
    assert row.facts == {"field": "name"}


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_auditrow SET action = 'nothing'", "DELETE FROM audit_auditrow"],
)
def test_the_database_refuses_to_change_the_record(learner: User, statement: str) -> None:
    audit.record(learner, "person.renamed", learner, at=clock.now())

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(statement)

    assert AuditRow.objects.get().action == "person.renamed"


def test_the_database_refuses_to_empty_the_record(learner: User) -> None:
    audit.record(learner, "person.renamed", learner, at=clock.now())

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        with connection.cursor() as cursor:
            # Switched off for the test database, which is emptied between some tests.
            cursor.execute("ALTER TABLE audit_auditrow ENABLE TRIGGER audit_table_stays")
            cursor.execute("TRUNCATE audit_auditrow")

    assert AuditRow.objects.count() == 1


def test_a_deed_that_was_rolled_back_is_not_recorded(learner: User) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        audit.record(learner, "person.renamed", learner, at=clock.now())
        raise RuntimeError

    assert not AuditRow.objects.exists()

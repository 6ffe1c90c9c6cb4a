"""Give a person a role, for the first administrator of an installation."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from checkride import audit
from checkride.accounts.models import User
from checkride.accounts.roles import Role
from checkride.lib import clock


class Command(BaseCommand):
    help = "Give a person a role: manage.py give_role ada@example.org examiner"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("role", choices=Role.values)

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(email__iexact=options["email"]).first()
        if person is None:
            raise CommandError(
                f"Nobody has signed up as {options['email']}. Nothing was changed; sign up first."
            )
        role = Role(options["role"])
        person.give_role(role)
        if role == Role.ADMINISTRATOR:
            person.is_staff = person.is_superuser = True
            person.save(update_fields=["is_staff", "is_superuser"])
        audit.record(
            None, "person.roles_changed", person, at=clock.now(), facts={"given": role.value}
        )
        self.stdout.write(f"{person.email} is now {role.label}.")

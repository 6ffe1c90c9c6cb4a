"""Everything that must be in the database before the site is served. Doing it twice changes nothing."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from checkride.home import demonstration


class Command(BaseCommand):
    # The checks of the pages read every page's code; the web process does that next anyway.
    requires_system_checks = ()
    help = "Migrate, load the curriculum and the items, and in development make the demonstration accounts."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        call_command("load_curriculum", verbosity=0)
        call_command("load_items", verbosity=0)
        if settings.DEVELOPMENT:
            demonstration.make_accounts()

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from checkride.lib import clock
from credentials import samples


class Command(BaseCommand):
    help = (
        "Write sample credentials (valid, revoked, expired; JSON, JWT, PNG, SVG, a learner record), "
        "with a key made for them, into a folder. The database is not touched."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        for name in samples.write(options["folder"], at=clock.now().replace(microsecond=0)):
            self.stdout.write(name)

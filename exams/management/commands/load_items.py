from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from checkride.lib.errors import DomainError
from exams import pool_files


class Command(BaseCommand):
    help = "Load blueprints and items into the database. Running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "folders",
            nargs="*",
            type=Path,
            help="folders with blueprint.yaml and items/; every exam in EXAMS_ROOT by default",
        )
        parser.add_argument(
            "--check", action="store_true", help="only read the files and name every problem"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folders = options["folders"] or sorted(
            path.parent for path in settings.EXAMS_ROOT.glob("*/blueprint.yaml")
        )
        for folder in folders:
            try:
                if options["check"]:
                    blueprint, _, entries = pool_files.read_folder(folder)
                    if slips := pool_files.unknown_enemies(entries):
                        raise CommandError("\n".join(slips))
                    self.stdout.write(f"{blueprint.exam}: {len(entries)} items read, no problem.")
                    continue
                loaded = pool_files.load(folder)
            except (DomainError, OSError) as error:
                raise CommandError(str(error)) from error
            if options["verbosity"] == 0:
                continue
            self.stdout.write(
                f"{loaded.exam}: {loaded.items} items "
                f"({loaded.added} new, {loaded.changed} changed, {loaded.retired} retired), "
                f"{loaded.in_use} in use."
            )
            for name, count in loaded.by_domain.items():
                self.stdout.write(f"  {count:3}  {name}")
            self.stdout.write(
                f"  mean Angoff rating {loaded.mean_angoff:.3f}, mean time {loaded.seconds} s"
            )

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from checkride.lib import clock
from checkride.lib.errors import DomainError
from credentials import log_watch


class Command(BaseCommand):
    help = (
        "Follow the transparency log: check that it only grew since the last time, and name every "
        "credential of ours that is missing from it or late, and every entry without a record."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--state",
            type=Path,
            default=Path(settings.VAR) / "log-monitor.json",
            help="what was seen the last time; kept here",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = log_watch.look(options["state"], at=clock.now())
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{report.size} entries, {report.new} of them new.")
        for finding in report.findings:
            self.stdout.write(finding)
        if report.findings:
            raise CommandError(f"{len(report.findings)} findings.")

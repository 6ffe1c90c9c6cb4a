from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from credentials import bulk, signing
from credentials.openbadges.dates import BadDate, read

_EVERY_S = 5.0


class Command(BaseCommand):
    help = (
        "Award and sign a credential for every released pass that has none. Stop it when you like: "
        "running it again goes on where it stopped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since",
            default="2000-01-01T00:00:00Z",
            help="only passes released at this moment or later, e.g. 2026-11-01T00:00:00Z",
        )

    def handle(self, *, since: str, **_options: Any) -> None:
        try:
            start = read(since)
        except BadDate as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{bulk.award_outstanding(since=start)} passes had no credential yet.")
        began = said = time.monotonic()
        last = bulk.Progress(0, 0)
        try:
            for last in bulk.sign_outstanding():
                if time.monotonic() - said >= _EVERY_S:
                    said = time.monotonic()
                    rate = last.signed / (said - began)
                    self.stdout.write(f"{last.signed} of {last.total} signed, {rate:.0f} a second")
        except signing.SignerAway as problem:
            raise CommandError(
                f"{last.signed} of {last.total} signed, then: {problem.message}"
            ) from problem
        finished = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        self.stdout.write(f"{last.signed} of {last.total} signed. Finished at {finished}.")
        for one in last.refused:
            self.stderr.write(one)
        if last.refused:
            raise CommandError(f"The signer refused {len(last.refused)}; see above.")

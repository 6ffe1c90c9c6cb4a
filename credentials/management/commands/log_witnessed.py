from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from checkride.lib.errors import DomainError
from credentials import public_log, witnesses
from credentials.translog import note


class Command(BaseCommand):
    help = "Keep a checkpoint of the transparency log that an outside witness has signed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the checkpoint with the witness's line")
        parser.add_argument("key", help="the witness's public key, as name+hash+key")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = options["file"].read_text(encoding="utf-8")
            found = witnesses.keep(
                text, note.verifier_key(options["key"]), public_log.signed(), public_log.key()
            )
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read.") from error
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{found.name} confirmed the log of {found.size} entries.")

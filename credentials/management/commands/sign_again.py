from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from credentials import awarding


class Command(BaseCommand):
    help = "Have every credential and list signed anew that a withdrawn key signed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", help="the name of the key, such as key-2026-11")

    def handle(self, *args: Any, **options: Any) -> None:
        count = awarding.sign_again(options["key"])
        self.stdout.write(f"{count} credentials wait for the signer now.")

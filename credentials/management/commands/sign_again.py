from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from credentials import awarding


class Command(BaseCommand):
    help = (
        "Have every credential and list signed anew that a withdrawn key signed, or every "
        "credential that is not in the transparency log."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", nargs="?", help="the name of the key, such as key-2026-11")
        parser.add_argument(
            "--not-in-log", action="store_true", help="what the transparency log does not hold"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["key"]) == options["not_in_log"]:
            raise CommandError("Give the name of a key, or --not-in-log.")
        if options["not_in_log"]:
            count = awarding.sign_what_is_not_in_log()
        else:
            count = awarding.sign_again(options["key"])
        self.stdout.write(f"{count} credentials wait for the signer now.")

"""`manage.py export_labels`: what examiners decided, in the form of the labelled files."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from courses import labelling


class Command(BaseCommand):
    help = (
        "Print the prompts that examiners decided as JSON lines: id, style, exercise, prompt, "
        "labels. Nobody's name goes with them; an erased account's prompts are gone, so export "
        "again after an erasure and delete the older file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--exercise", default="", help="only this exercise, by its id")

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for row in labelling.samples(options["exercise"]):
            self.stdout.write(json.dumps(row, ensure_ascii=False))
            count += 1
        self.stderr.write(f"{count} prompts.")

"""`manage.py load_curriculum`: store the content as versions; again without effect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from courses import search, versions
from courses.authoring.curriculum import read_curriculum


class Command(BaseCommand):
    help = (
        "Store courses, lessons and exercises by their hash, and make the search index. "
        "Doing it twice changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        curriculum, findings = read_curriculum(Path(settings.CONTENT_ROOT))
        for row in findings:
            if row.weight == "error":
                self.stderr.write(str(row))
        if curriculum is None:
            raise CommandError("There is no framework that can be read; nothing was stored.")
        loaded = versions.load(curriculum)
        found = search.rebuild(curriculum)
        self.stdout.write(
            f"{loaded.new} new versions, {loaded.known} already there; {found} pages can be found."
        )

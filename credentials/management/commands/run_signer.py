from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from credentials import signer


class Command(BaseCommand):
    help = "Run the signer, the only process that holds the keys. Same as python -m credentials.signer."

    def handle(self, *args: Any, **options: Any) -> None:
        if signer.main([]):
            raise CommandError("The signer did not start; the reason stands above.")

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from checkride.lib.errors import DomainError
from exams import pool_files
from exams.exchange import gift, qti
from exams.exchange.loss import Document, Loss


class Command(BaseCommand):
    help = "Write an exam's items as GIFT or QTI 3.0, or read such files as drafts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("do", choices=["export", "import"])
        parser.add_argument("format", choices=["gift", "qti"])
        parser.add_argument(
            "paths", nargs="+", type=Path, help="export: where to write; import: files to read"
        )
        parser.add_argument("--exam", default="foundations", help="the exam to export")
        parser.add_argument(
            "--out", type=Path, default=Path("drafts.yaml"), help="import: the item file to write"
        )
        parser.add_argument("--report", type=Path, help="also write what was lost as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["do"] == "export":
                losses = self._export(options["format"], options["exam"], options["paths"])
            else:
                losses = self._import(options["format"], options["paths"], options["out"])
        except (DomainError, OSError, UnicodeDecodeError) as error:
            raise CommandError(str(error)) from error
        for loss in losses:
            self.stdout.write(f"  {loss}")
        self.stdout.write(f"{len(losses)} losses.")
        if options["report"]:
            options["report"].write_text(
                json.dumps([asdict(loss) for loss in losses], indent=1), encoding="utf-8"
            )

    def _export(self, form: str, exam: str, paths: list[Path]) -> list[Loss]:
        if len(paths) != 1:
            raise CommandError("Name one file (GIFT) or one folder (QTI) to write.")
        _, _, entries = pool_files.read_folder(settings.EXAMS_ROOT / exam)
        documents = [document for item, document in entries if item.life == "operational"]
        if form == "gift":
            exported = gift.export(documents)
            paths[0].write_text(exported.text, encoding="utf-8")
            self.stdout.write(f"{exported.items} of {len(documents)} items written.")
            return list(exported.losses)
        paths[0].mkdir(parents=True, exist_ok=True)
        losses: list[Loss] = []
        count = 0
        for document in documents:
            one = qti.export(document)
            losses += one.losses
            if one.items:
                (paths[0] / f"{document['id']}.xml").write_text(one.text, encoding="utf-8")
                count += 1
        self.stdout.write(f"{count} of {len(documents)} items written.")
        return losses

    def _import(self, form: str, paths: Iterable[Path], out: Path) -> list[Loss]:
        if out.exists():
            raise CommandError(f"{out} is there already. Name another file with --out.")
        items: list[Document] = []
        losses: list[Loss] = []
        for path in paths:
            found = (
                gift.read(path.read_text(encoding="utf-8"))
                if form == "gift"
                else qti.read(path.read_bytes())
            )
            items += found.items
            losses += found.losses
        text = yaml.safe_dump(
            {"checkride": "items/1", "items": [dict(item) for item in items]},
            allow_unicode=True,
            sort_keys=False,
        )
        out.write_text(text, encoding="utf-8")
        self.stdout.write(
            f"{len(items)} drafts in {out}. Write in what the format does not know, then run "
            "load_items --check."
        )
        return losses

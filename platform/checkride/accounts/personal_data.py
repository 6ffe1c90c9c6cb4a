"""Everything we hold about one person: export it, erase it.

Each app that keeps rows about persons registers two functions from its `AppConfig.ready`. The
site's pages call them all; a test compares the registrations with the models that point at a person.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from checkride.accounts.models import User

Export = Callable[[User], Mapping[str, bytes]]
Erase = Callable[[User, datetime], None]


@dataclass(frozen=True, slots=True)
class Holder:
    """One part of the product that holds personal data."""

    name: str
    export: Export
    erase: Erase


_holders: dict[str, Holder] = {}


def register(name: str, *, export: Export, erase: Erase) -> None:
    _holders[name] = Holder(name, export, erase)


def holders() -> tuple[Holder, ...]:
    return tuple(_holders[name] for name in sorted(_holders))


def as_json(value: Any) -> bytes:
    """Readable JSON for an export file."""
    return json.dumps(value, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False).encode()


def export_zip(user: User, *, at: datetime) -> bytes:
    """One ZIP with a folder per part of the product and a page that says what is where."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        lines = [
            f"Your data at Checkride, exported {at:%Y-%m-%d %H:%M} UTC.",
            "Every .json file can be opened with a text editor.",
            "",
        ]
        for holder in holders():
            for name, content in sorted(holder.export(user).items()):
                path = f"{holder.name}/{name}"
                archive.writestr(path, content)
                lines.append(f"{path} ({len(content):,} bytes)")
        archive.writestr("README.txt", "\n".join(lines) + "\n")
    return buffer.getvalue()


@transaction.atomic
def erase(user: User, *, at: datetime) -> None:
    """Erase what identifies the person, everywhere, in one transaction. It cannot be undone."""
    # The account goes last: the others find their rows by it.
    for holder in sorted(holders(), key=lambda holder: holder.name == "account"):
        holder.erase(user, at)

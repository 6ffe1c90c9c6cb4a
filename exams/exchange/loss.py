"""What a conversion kept, changed or dropped, item by item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from checkride.lib.errors import DomainError

Document: TypeAlias = Mapping[str, Any]


class BadExchange(DomainError):
    code = "bad-exchange"
    sentence = "The file cannot be read: {problem} Nothing was imported."


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing about one item. `field` names the part, `says` is a sentence for people."""

    item: str
    what: Literal["changed", "dropped"]
    field: str
    says: str

    def __str__(self) -> str:
        return f"{self.item}: {self.field} {self.what}: {self.says}"


@dataclass(frozen=True, slots=True)
class Imported:
    """Items as documents of `checkride: items/1`, all drafts, with what was lost on the way.

    A draft still lacks what other formats do not know (domain, competencies, time, ratings).
    """

    items: tuple[Document, ...]
    losses: tuple[Loss, ...]


@dataclass(frozen=True, slots=True)
class Exported:
    text: str
    items: int
    losses: tuple[Loss, ...]

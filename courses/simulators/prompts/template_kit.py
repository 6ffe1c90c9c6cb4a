"""What every template is made of: slots, the parts it needs, and its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from courses.simulators.prompts.view import View

Json = Any


@dataclass(frozen=True, slots=True)
class Slots:
    """The slots of one requirement: concept names for phrases, plain values for the rest."""

    concepts: Mapping[str, str]
    groups: Mapping[str, tuple[str, ...]]
    plain: Mapping[str, Json]

    def __getitem__(self, name: str) -> str:
        return self.concepts[name]


@dataclass(frozen=True, slots=True)
class Needs:
    """Parts that together fulfil the rule, and how sure one is when they are all there."""

    parts: frozenset[str]
    confidence: float


@dataclass(frozen=True, slots=True)
class Template:
    name: str
    looks: Callable[[View, Slots], None]
    needs: Callable[[Slots], Sequence[Needs]]
    condition: str  # how a rule card says when; "{slot}" is filled in
    action: str  # how a rule card says what to do


def needing(*rows: tuple[str, float]) -> Callable[[Slots], Sequence[Needs]]:
    """The same needs whatever the slots: rows of (parts, confidence)."""
    fixed = tuple(Needs(frozenset(parts.split()), confidence) for parts, confidence in rows)
    return lambda slots: fixed

"""Cut the units of a prompt into the rows that the entailment stage reads.

A row is one line of the prompt, or a part of it when it is long, after the end of what the line
stands under. Rows do not lean on the rest of the prompt, so that an edit of one line leaves the
others as they are, and what was computed for them is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from courses.simulators.prompts.segments import Unit
from courses.simulators.prompts.view import earlier_units

PREFIX_PIECES: Final = 20
UNIT_PIECES: Final = 64
ROW_PIECES: Final = 110


@dataclass(frozen=True, slots=True)
class Row:
    """Word pieces, and where in them each of the units stands."""

    pieces: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    units: tuple[int, ...]  # positions in the list of units


def rows_of(
    units: Sequence[Unit], pieces: Callable[[str], list[int]], *, begin: int, end: int
) -> list[Row]:
    """The rows of a prompt. Headings, quotations and other units without force are left out."""
    rows: list[Row] = []
    body: list[int] = []
    spans: list[tuple[int, int]] = []
    inside: list[int] = []
    key: tuple[int, str, str] | None = None

    def close() -> None:
        if inside:
            rows.append(Row((*body, end), tuple(spans), tuple(inside)))

    for position, unit in enumerate(units):
        if unit.force in {"inert", "label", "given", "question"}:
            continue
        own = pieces(_own_text(unit))[:UNIT_PIECES]
        if not own:
            continue
        here = (unit.line, unit.context, unit.question)
        if here != key or len(body) + len(own) > ROW_PIECES:
            close()
            prefix = pieces(_prefix(unit))[-PREFIX_PIECES:]
            body, spans, inside = [begin, *prefix], [], []
            key = here
        spans.append((len(body), len(body) + len(own)))
        body.extend(own)
        inside.append(position)
    close()
    return rows


def _own_text(unit: Unit) -> str:
    text = unit.text.replace("_", " ")
    if unit.branch:
        text = f"{unit.branch}: {text}"
    if unit.forbidding:
        text = f"never: {text}"
    if unit.force == "example":
        text = f"example: {text}"
    elif unit.force == "weak":
        text = f"wish: {text}"
    return text


def _prefix(unit: Unit) -> str:
    """The end of what the unit stands under and leans on, nearest last."""
    parts = [unit.context[-120:]]
    earlier = [one for one in earlier_units(unit) if one.text != unit.question]
    parts.extend(one.text[-160:] for one in reversed(earlier))
    if unit.question:
        parts.append(unit.question)
    text = " . ".join(part for part in parts if part).replace("_", " ")
    return f"{text} :" if text else ""

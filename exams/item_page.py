"""What the pages of an attempt show: plain values, ready to be drawn, without any key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import markdown
from django.http import QueryDict
from django.utils.safestring import SafeString, mark_safe

from checkride.lib.html import sanitize_html
from exams.models import Attempt, AttemptItem, ResponseEvent
from exams.scoring.items import Face
from exams.scoring.responses import Payload, completeness, in_words

ItemState = Literal["answered", "begun", "open", "unseen"]

STATE_WORDS: Mapping[ItemState, str] = {
    "answered": "answered",
    "begun": "begun, not complete",
    "open": "no answer",
    "unseen": "not looked at yet",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One choice, step or left-hand side, with what the candidate did to it."""

    sign: str
    text: str
    is_chosen: bool = False
    place: int = 0
    partner: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that was kept and does not count, because another one had been saved before."""

    words: str
    received_at: datetime
    event_id: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One item as the page draws it."""

    face: Face
    position: int
    is_flagged: bool
    rows: tuple[Row, ...]
    left: tuple[Row, ...]
    number: str
    text: str
    brief: SafeString
    places: tuple[int, ...]
    rev: int
    saved_at: datetime | None
    receipt: str
    words: str
    kept: Kept | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One square of the list of items."""

    position: int
    state: ItemState
    is_flagged: bool
    is_current: bool

    @property
    def state_words(self) -> str:
        return STATE_WORDS[self.state]

    @property
    def words(self) -> str:
        return self.state_words + (", flagged" if self.is_flagged else "")


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole form at a glance."""

    entries: tuple[Entry, ...]

    @property
    def answered(self) -> int:
        return sum(1 for entry in self.entries if entry.state == "answered")

    @property
    def unanswered(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.state != "answered")

    @property
    def flagged(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.is_flagged)


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """What was kept of one item: the answer that counts, and every save."""

    position: int
    words: str
    rev: int
    received_at: datetime | None
    sha256: str
    events: tuple[ReceiptEvent, ...]


@dataclass(frozen=True, slots=True)
class ReceiptEvent:
    words: str
    received_at: datetime
    verdict: str
    sha256: str


def sheet(item: AttemptItem, *, conflicts: Iterable[ResponseEvent] | None = None) -> Sheet:
    """Draw one item with the answer that counts, and the newest one that was kept beside it.

    `conflicts` are the saves of the whole form that lost against another, where the caller draws
    many items and has read them.
    """
    face = item.face
    response = getattr(item, "response", None)
    payload: Payload = response.payload if response else {}
    event = response.event if response else None
    return Sheet(
        face=face,
        position=item.position,
        is_flagged=item.is_flagged,
        rows=_rows(face, payload),
        left=_left(face, payload),
        number=str(payload.get("number", "")),
        text=str(payload.get("text", face.starter)),
        brief=_brief(face),
        places=tuple(range(1, len(face.choices) + 1)),
        rev=response.rev if response else 0,
        saved_at=event.received_at if event else None,
        receipt=event.receipt if event else "",
        words=in_words(face, payload),
        kept=_kept(item, face, event, conflicts) if event else None,
    )


def _brief(face: Face) -> SafeString:
    """What a task's candidate reads, from Markdown. Headings move down under the page's own."""
    if not face.brief:
        return SafeString()
    text = _FRONT_MATTER.sub("", face.brief, count=1)
    text = re.sub(r"^(#{1,4}) ", r"##\1 ", text, flags=re.MULTILINE)
    html = markdown.markdown(text, extensions=["tables", "fenced_code", "sane_lists"])
    return mark_safe(sanitize_html(html))  # noqa: S308  sanitised in the same expression


_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def overview(items: Iterable[AttemptItem], *, current: int = 0) -> Overview:
    """The list of items; `items` are the places of one form, answers and all."""
    return Overview(
        tuple(
            Entry(
                position=item.position,
                state=_state(item),
                is_flagged=item.is_flagged,
                is_current=item.position == current,
            )
            for item in items
        )
    )


def last_saved_at(items: Iterable[AttemptItem]) -> datetime | None:
    """When the newest answer that counts was received."""
    responses = (getattr(item, "response", None) for item in items)
    newest = max(
        (response.event for response in responses if response is not None),
        key=lambda event: event.pk,
        default=None,
    )
    return None if newest is None else newest.received_at


def receipt_lines(attempt: Attempt) -> tuple[ReceiptLine, ...]:
    """Every item's answer and every save of it, in words that name no text of the item."""
    items = AttemptItem.objects.filter(attempt=attempt).select_related(
        "item_version", "response__event"
    )
    lines = []
    for item in items.prefetch_related("events"):
        face = item.face
        response = getattr(item, "response", None)
        lines.append(
            ReceiptLine(
                position=item.position,
                words=in_words(face, response.payload if response else {}),
                rev=response.rev if response else 0,
                received_at=response.event.received_at if response else None,
                sha256=response.event.payload_sha256 if response else "",
                events=tuple(
                    ReceiptEvent(
                        in_words(face, event.payload),
                        event.received_at,
                        event.verdict,
                        event.payload_sha256,
                    )
                    for event in item.events.all()
                ),
            )
        )
    return tuple(lines)


def payload_from_post(face: Face, post: QueryDict) -> dict[str, Any]:
    """The answer in a posted form; `check_payload` decides whether it fits."""
    match face.kind:
        case "single":
            chosen = post.get("choice")
            return {"choice": chosen} if chosen else {}
        case "multiple":
            return {"choices": list(post.getlist("choices"))}
        case "numeric":
            return {"number": post.get("number", "")}
        case "ordering":
            return {
                "positions": {step.id: _whole(post, f"place-{step.id}") for step in face.choices}
            }
        case "matching":
            return {
                "pairs": {entry.id: post.get(f"pair-{entry.id}") or None for entry in face.left}
            }
        case "hotspot":
            lines = [int(line) for line in post.getlist("lines") if line.isdecimal()]
            return {"lines": lines}
        case "text" | "written" | "prompt" | "map":
            return {"text": post.get("text", "")}


def _whole(post: QueryDict, field: str) -> int | None:
    value = post.get(field, "")
    return int(value) if value.isdecimal() and len(value) < 4 else None


def _rows(face: Face, payload: Payload) -> tuple[Row, ...]:
    chosen = {
        payload.get("choice"),
        *payload.get("choices", ()),
        *map(str, payload.get("lines", ())),
    }
    places = payload.get("positions", {})
    rows = [
        Row(choice.id, choice.text, choice.id in chosen, places.get(choice.id, 0))
        for choice in face.choices
    ]
    if face.kind == "ordering" and completeness(face, payload) == "complete":
        rows.sort(key=lambda row: row.place)
    return tuple(rows)


def _left(face: Face, payload: Payload) -> tuple[Row, ...]:
    pairs = payload.get("pairs", {})
    return tuple(Row(entry.id, entry.text, partner=pairs.get(entry.id, "")) for entry in face.left)


def blank_sheet(face: Face, payload: Payload, *, rev: int) -> Sheet:
    """An item that stands on no form, as the rehearsal shows one."""
    return Sheet(
        face=face,
        position=1,
        is_flagged=False,
        rows=_rows(face, payload),
        left=_left(face, payload),
        number="",
        text="",
        brief=SafeString(),
        places=(),
        rev=rev,
        saved_at=None,
        receipt="",
        words=in_words(face, payload),
        kept=None,
    )


def conflicts_of(attempt: Attempt) -> list[ResponseEvent]:
    """Every save of a form that lost against another, oldest first."""
    return list(
        ResponseEvent.objects.filter(
            attempt_item__attempt=attempt, verdict=ResponseEvent.Verdict.CONFLICT
        )
    )


def _kept(
    item: AttemptItem,
    face: Face,
    counts: ResponseEvent,
    conflicts: Iterable[ResponseEvent] | None,
) -> Kept | None:
    """The newest answer from another page that lost against the one that counts, if it differs."""
    if conflicts is None:
        conflicts = ResponseEvent.objects.filter(
            attempt_item=item, verdict=ResponseEvent.Verdict.CONFLICT, pk__gt=counts.pk
        )
    beside = [
        event
        for event in conflicts
        if event.attempt_item_id == item.pk
        and event.pk > counts.pk
        # An older save of the same page that arrived out of order was replaced by its writer.
        and event.client_id != counts.client_id
        and event.payload_sha256 != counts.payload_sha256
    ]
    if not beside:
        return None
    event = beside[-1]
    return Kept(in_words(face, event.payload), event.received_at, event.pk)


def _state(item: AttemptItem) -> ItemState:
    response = getattr(item, "response", None)
    match completeness(item.face, response.payload) if response else "empty":
        case "complete":
            return "answered"
        case "partial":
            return "begun"
        case _:
            return "open" if item.first_seen_at else "unseen"


def neighbours(position: int, positions: Iterable[int]) -> tuple[int | None, int | None]:
    """The positions before and after one, where there are any."""
    known = set(positions)
    return (
        position - 1 if position - 1 in known else None,
        position + 1 if position + 1 in known else None,
    )

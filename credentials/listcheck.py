"""Checking a list of applicants: a verdict per line, worst news not hidden among the good."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from checkride.lib.errors import DomainError
from credentials import checking, lookup, presentation
from credentials.models import Credential, Revocation
from credentials.openbadges import shortcode
from credentials.presentation import Record

MOST_LINES = 200
EXPIRES_SOON = timedelta(days=90)

Answer = Literal["rely", "ask", "refuse"]


class TooManyLines(DomainError):
    code = "too-many-lines"
    sentence = "The list has {lines} lines; {most} can be checked at a time. Nothing was checked."


class UnreadableList(DomainError):
    code = "unreadable-list"
    sentence = "The file cannot be read as a list. Save it as CSV, or paste the codes."


@dataclass(frozen=True, slots=True)
class Line:
    """What the employer gave: a code or link as typed, and the applicant's name, maybe empty."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    """The answer for one line. `credential` and `record` are None for what we cannot vouch for."""

    line: Line
    answer: Answer
    word: str
    says: str
    credential: Credential | None = None
    record: Record | None = None
    percent: int = 0
    low: int = 0
    high: int = 0
    soon: bool = False

    @property
    def tone(self) -> str:
        return {"rely": "ok", "ask": "warn", "refuse": "bad"}[self.answer]

    @property
    def icon(self) -> str:
        return {"rely": "check", "ask": "clock", "refuse": "cross"}[self.answer]


def read_lines(text: str) -> list[Line]:
    """The lines of a CSV with a code or link in some column and perhaps a name in another.

    Separators may be commas, semicolons or tabs. A heading line is left out. Raises `TooManyLines` or
    `UnreadableList`.
    """
    text = text.lstrip("\ufeff")
    separator = max(",;\t", key=text.count)
    reader = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
    try:
        cells = [[cell.strip() for cell in row if cell.strip()] for row in reader]
    except csv.Error as error:
        raise UnreadableList() from error
    lines = [_line(row) for row in cells if row]
    if lines and not _looks_like_a_code(lines[0].code) and len(lines) > 1:
        lines = lines[1:]
    if len(lines) > MOST_LINES:
        raise TooManyLines(lines=len(lines), most=MOST_LINES)
    return lines


def _line(row: list[str]) -> Line:
    place = next((at for at, cell in enumerate(row) if _looks_like_a_code(cell)), 0)
    others = row[:place] + row[place + 1 :]
    return Line(code=row[place][:400], name=others[0][:200] if others else "")


def _looks_like_a_code(cell: str) -> bool:
    if "/credentials/" in cell:
        return True
    digits = sum(character.isdigit() for character in cell)
    return len(cell.replace("-", "").replace(" ", "")) >= 10 and digits > 0


def check(lines: Sequence[Line], *, at: datetime) -> list[Row]:
    """A verdict for every line, in the order given. Raises `identity.KeysNotPublished`."""
    return [_row(line, at=at) for line in lines]


def _row(line: Line, *, at: datetime) -> Row:
    try:
        credential = lookup.by_code_or_link(line.code)
    except shortcode.CodeMistyped:
        says = _("At least one character is wrong or missing. Ask for the code again.")
        return Row(line, "refuse", _("Code mistyped"), says)
    if credential is None:
        says = _("We never gave out this code, or its holder closed the account.")
        return Row(line, "refuse", _("Not found"), says)
    verdict = checking.verdict(credential, at=at)
    if verdict.claims is None:
        says = _("Its signature or its key does not hold.")
        return Row(line, "refuse", _("Cannot be relied on"), says)
    revocation = credential.revocation
    if revocation is not None or verdict.revoked:
        reason = Revocation.Reason(revocation.reason).label if revocation else ""
        return Row(line, "refuse", _("Revoked"), str(reason).capitalize(), credential)
    record = presentation.record(credential.evidence)
    answer, word, says = _in_words(line, credential, verdict.expired, verdict.in_force)
    low, high = record.percent_range
    return Row(
        line,
        answer,
        word,
        says,
        credential,
        record,
        percent=round(100 * record.correct / record.items),
        low=low,
        high=high,
        soon=not verdict.expired and credential.valid_until - at < EXPIRES_SOON,
    )


def _in_words(
    line: Line, credential: Credential, expired: bool, in_force: bool
) -> tuple[Answer, str, str]:
    if expired:
        day = date_format(credential.valid_until, "j F Y")
        return "ask", _("Expired"), _("Was genuine; lapsed on %(day)s.") % {"day": day}
    if not in_force:
        return "ask", _("Not certain"), _("One check could not be finished. Try again later.")
    if line.name and not credential.holder_name:
        says = _("The holder keeps the name off it. Ask for proof that it is theirs.")
        return "ask", _("No name on it"), says
    if line.name and _folded(line.name) != _folded(credential.holder_name):
        says = _("The credential says “%(name)s”. Ask which is right.") % {
            "name": credential.holder_name
        }
        return "ask", _("Name differs"), says
    return "rely", _("In force"), ""


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())

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

from checkride.lib import safe_csv
from checkride.lib.errors import DomainError
from credentials import checking, identity, lookup, presentation
from credentials.models import Credential, Revocation
from credentials.openbadges import shortcode
from credentials.openbadges.__main__ import text_in
from credentials.openbadges.verify import Verdict
from credentials.presentation import Record

MOST_LINES = 200
MOST_FILES = 50
EXPIRES_SOON = timedelta(days=90)

Answer = Literal["rely", "ask", "refuse"]
Standing = Literal[
    "in-force",
    "expired",
    "revoked",
    "uncertain",
    "not-genuine",
    "unknown",
    "mistyped",
    "unreadable",
]


class TooManyLines(DomainError):
    code = "too-many-lines"
    sentence = "The list has {lines} lines; {most} can be checked at a time. Nothing was checked."


class TooManyFiles(DomainError):
    code = "too-many-files"
    sentence = "These are {files} files; {most} can be checked at a time. Nothing was checked."


class TooManyInside(DomainError):
    code = "too-many-inside"
    sentence = (
        "The learner records among the files hold more than {most} credentials together. "
        "No answer is shown. Hand in fewer files at a time."
    )


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
    standing: Standing
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


def check_files(files: Sequence[tuple[str, bytes]], *, at: datetime) -> list[Row]:
    """A verdict for every file, given as its name and its bytes; the signature inside is checked.

    Raises `TooManyFiles`, `TooManyInside` or `identity.KeysNotPublished`.
    """
    if len(files) > MOST_FILES:
        raise TooManyFiles(files=len(files), most=MOST_FILES)
    rows: list[Row] = []
    for name, data in files:
        rows += _file_rows(Line(code=name[:400], name=""), data, at=at)
        if len(rows) > MOST_FILES:
            raise TooManyInside(most=MOST_FILES)
    return rows


def _file_rows(line: Line, data: bytes, *, at: datetime) -> list[Row]:
    """One row for a credential; for a learner record one for each credential in it."""
    try:
        text = text_in(data)
        record = lookup.check_record(text)
        if record is None:
            return [_file_row(line, lookup.check_file(text), at=at)]
    except identity.KeysNotPublished:
        raise
    except DomainError as problem:
        return [Row(line, "refuse", "unreadable", _("Cannot be read"), problem.message)]
    if record.claims is None:
        says = _("It is not what we signed: it was changed, or somebody else issued it.")
        return [Row(line, "refuse", "not-genuine", _("Cannot be relied on"), says)]
    return [_file_row(line, verdict, at=at) for verdict in record.inside]


def _file_row(line: Line, verdict: Verdict, *, at: datetime) -> Row:
    if verdict.claims is None:
        says = _("It is not what we signed: it was changed, or somebody else issued it.")
        return Row(line, "refuse", "not-genuine", _("Cannot be relied on"), says)
    credential = lookup.by_code_or_link(verdict.claims.id)
    if credential is None:
        says = _("We signed it, and its holder has closed the account since.")
        return Row(line, "ask", "unknown", _("Not found any more"), says)
    return _row_of(line, credential, at=at)


def _row(line: Line, *, at: datetime) -> Row:
    try:
        credential = lookup.by_code_or_link(line.code)
    except shortcode.CodeMistyped:
        says = _("At least one character is wrong or missing. Ask for the code again.")
        return Row(line, "refuse", "mistyped", _("Code mistyped"), says)
    if credential is None:
        says = _("We never gave out this code, or its holder closed the account.")
        return Row(line, "refuse", "unknown", _("Not found"), says)
    return _row_of(line, credential, at=at)


def _row_of(line: Line, credential: Credential, *, at: datetime) -> Row:
    verdict = checking.verdict(credential, at=at)
    if verdict.claims is None:
        says = _("Its signature or its key does not hold.")
        return Row(line, "refuse", "not-genuine", _("Cannot be relied on"), says)
    revocation = credential.revocation
    if revocation is not None or verdict.revoked:
        reason = Revocation.Reason(revocation.reason).label if revocation else ""
        says = str(reason).capitalize()
        return Row(line, "refuse", "revoked", _("Revoked"), says, credential)
    record = presentation.record(credential.evidence)
    answer, standing, word, says = _in_words(line, credential, verdict.expired, verdict.in_force)
    low, high = record.percent_range
    return Row(
        line,
        answer,
        standing,
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
) -> tuple[Answer, Standing, str, str]:
    if expired:
        day = date_format(credential.valid_until, "j F Y")
        return "ask", "expired", _("Expired"), _("Was genuine; lapsed on %(day)s.") % {"day": day}
    if not in_force:
        says = _("One check could not be finished. Try again later.")
        return "ask", "uncertain", _("Not certain"), says
    if line.name and not credential.holder_name:
        says = _("The holder keeps the name off it. Ask for proof that it is theirs.")
        return "ask", "in-force", _("No name on it"), says
    if line.name and _folded(line.name) != _folded(credential.holder_name):
        says = _("The credential says “%(name)s”. Ask which is right.") % {
            "name": credential.holder_name
        }
        return "ask", "in-force", _("Name differs"), says
    return "rely", "in-force", _("In force"), ""


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


# As files and for programs -----------------------------------------------------------------------

_COLUMNS = (
    *("given", "name", "answer", "standing", "verdict", "says", "achievement", "holder"),
    *("awarded", "valid_until", "score_percent", "cut_percent", "address"),
)


def as_json(row: Row) -> dict[str, object]:
    """A row as plain values; every key is always there, and null is what we cannot vouch for."""
    found = row.credential if row.record is not None else None
    shown = row.credential
    return {
        "given": row.line.code,
        "name": row.line.name,
        "answer": row.answer,
        "standing": row.standing,
        "verdict": str(row.word),
        "says": str(row.says),
        "achievement": shown.achievement.name if shown else None,
        "holder": (found.holder_name or None) if found else None,
        "awarded": found.awarded_at.date().isoformat() if found else None,
        "valid_until": found.valid_until.date().isoformat() if found else None,
        "score_percent": row.percent if found else None,
        "cut_percent": row.record.cut_percent if row.record else None,
        "address": identity.address("credentials:credential", shown.id) if shown else None,
    }


def as_csv(rows: Sequence[Row]) -> bytes:
    """The rows for a spreadsheet. What applicants typed cannot become a formula there."""
    table: list[Sequence[object]] = [_COLUMNS]
    for row in rows:
        values = as_json(row)
        table.append(["" if values[key] is None else values[key] for key in _COLUMNS])
    return safe_csv.written(table)

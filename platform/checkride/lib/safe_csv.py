"""CSV that a spreadsheet shows and does not run.

A cell that begins with a sign of a formula is a program to a spreadsheet. Such a cell gets an
apostrophe in front, which spreadsheets show as text.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|")


def safe_cell(text: object) -> str:
    """The cell as text that no spreadsheet takes for a formula, full-width signs included."""
    cell = str(text)
    bare = unicodedata.normalize("NFKC", cell).lstrip(" \u00a0\ufeff")
    return f"'{cell}" if cell[:1] in _STARTS or bare.startswith(_STARTS) else cell


def written(rows: Iterable[Sequence[object]]) -> bytes:
    """The rows as UTF-8 with a mark that spreadsheets know it by; every cell is quoted."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")

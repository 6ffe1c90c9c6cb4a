"""A spreadsheet shows what people typed and never runs it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checkride.lib import safe_csv


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        " =1",
        "\uff1d1+1",
        "\uff0b1",
        "|cmd",
        "\u00a0=1",
    ],
)
def test_a_cell_that_begins_like_a_formula_is_shown_as_text(cell: str) -> None:
    assert safe_csv.safe_cell(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["Ana", "3", "a=b", "O'Neil", "", "7K3M-Q9TX"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert safe_csv.safe_cell(cell) == cell


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), min_size=1, max_size=5))
def test_what_was_written_is_read_back_with_at_most_an_apostrophe(rows: list[list[str]]) -> None:
    rows = [[cell.replace("\r", "").replace("\n", "") for cell in row] for row in rows]
    text = safe_csv.written(rows).decode("utf-8-sig")
    back = list(csv.reader(io.StringIO(text, newline="")))
    for row, read in zip(rows, back, strict=True):
        for cell, got in zip(row, read, strict=True):
            assert got in (cell, "'" + cell)
            assert got[:1] not in tuple("=+-@\t")

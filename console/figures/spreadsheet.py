"""Spreadsheet: rows as CSV that a spreadsheet opens as text: what somebody wrote is never taken for a formula."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would reckon with."""


def csv_of(rows: Iterable[Sequence[str]]) -> bytes:
    """Return rows as CSV, in UTF-8 with its mark, as spreadsheets want it."""
    whole = StringIO()
    csv.writer(whole).writerows([[cell(value) for value in row] for row in rows])
    return whole.getvalue().encode("utf-8-sig", "replace")


def cell(value: str) -> str:
    """Return a value as a cell that is only text."""
    text = " ".join(value.split())
    return f"'{text}" if value.startswith(FORMULA) or text.startswith(FORMULA) else text

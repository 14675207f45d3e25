"""Audit lines: which of them somebody wants to see, and all of them in a file: JSON lines, or CSV for a spreadsheet."""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive import audit
from console.archive.tables import audit as table
from console.figures.spreadsheet import cell

AT_ONCE = 500  # lines that are in memory
COLUMNS = ("number", "at", "actor", "action", "object", "detail", "previous", "hash")
MARK = "\ufeff".encode()
"""By which a spreadsheet knows UTF-8."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which lines."""

    actor: str = ""
    action: str = ""
    object_: str = ""
    since: datetime | None = None
    until: datetime | None = None

    async def lines(self, engine: AsyncEngine, *, most: int, before: int | None = None) -> list[audit.Entry]:
        """Return some of them, the newest first; `before`: with smaller numbers than that."""
        return await audit.entries(
            engine,
            object_=self.object_,
            actor=self.actor,
            action=self.action,
            since=self.since,
            until=self.until,
            most=most,
            before=before,
        )


Read = Callable[[int], Awaitable[list[audit.Entry]]]
"""Gives lines with smaller numbers than one, the newest first; none where there are no more."""


async def actions(engine: AsyncEngine) -> list[str]:
    """Return what was ever done."""
    async with engine.connect() as connection:
        return list(await connection.scalars(select(table.c.action).distinct().order_by(table.c.action)))


async def json_lines(read: Read, before: int) -> AsyncIterator[bytes]:
    """Yield lines as JSON lines, with their hashes."""
    async for entry in _all(read, before):
        yield msgspec.json.encode(_values(entry)) + b"\n"


async def csv_lines(read: Read, before: int) -> AsyncIterator[bytes]:
    """Yield lines as CSV; nothing in it is a formula."""
    yield MARK + _row(COLUMNS)
    async for entry in _all(read, before):
        values = _values(entry)
        detail = msgspec.json.encode(values["detail"]).decode()
        cells = {**values, "at": entry.at.isoformat(), "detail": detail}
        yield _row(tuple(cell(str(cells[name])) for name in COLUMNS))


FORMATS: dict[str, tuple[str, Callable[[Read, int], AsyncIterator[bytes]]]] = {
    "jsonl": ("application/x-ndjson", json_lines),
    "csv": ("text/csv; charset=utf-8", csv_lines),
}


async def _all(read: Read, before: int) -> AsyncIterator[audit.Entry]:
    while found := await read(before):
        for entry in found:
            yield entry
        before = found[-1].number


def _values(entry: audit.Entry) -> dict[str, Any]:
    return {name: getattr(entry, "object_" if name == "object" else name) for name in COLUMNS}


def _row(cells: tuple[str, ...]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()

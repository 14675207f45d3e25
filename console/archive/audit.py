"""Audit: who did what, in a chain of hashes: a line that is changed, taken out, put in or moved later shows.

What the chain cannot show: that its last lines were cut off, or that all of it was written anew. So its last hash is
kept elsewhere from time to time, as in each record that is exported.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from console.archive.tables import audit
from console.archive.words import storable

BEGINNING = ""
"""What stands for the hash before the first line."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line."""

    number: int
    at: datetime
    actor: str
    action: str
    object_: str
    detail: dict[str, Any]
    previous: str
    hash: str


async def note(
    connection: AsyncConnection, *, actor: str, action: str, object_: str, detail: Mapping[str, Any], at: datetime
) -> None:
    """Append a line, within the transaction (`writing`) that does what it says."""
    number, previous = await head(connection)
    line = {
        "number": number + 1,
        "at": at.astimezone(UTC),
        "actor": storable(actor),
        "action": action,
        "object": storable(object_),
        "detail": msgspec.json.decode(msgspec.json.encode(dict(detail))),  # as it will be read again
        "previous": previous,
    }
    await connection.execute(insert(audit).values(**line, hash=_hash_of(line)))


async def head(connection: AsyncConnection) -> tuple[int, str]:
    """Return the number and the hash of the last line; 0 before the first."""
    last = select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)
    row = (await connection.execute(last)).one_or_none()
    return (row.number, row.hash) if row else (0, BEGINNING)


async def entries(
    engine: AsyncEngine,
    *,
    object_: str = "",
    actor: str = "",
    action: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    most: int = 200,
    before: int | None = None,
) -> list[Entry]:
    """Return lines, the newest first; `before`: with smaller numbers than that."""
    wanted = select(audit).order_by(audit.c.number.desc()).limit(most)
    asked = ((audit.c.object, object_), (audit.c.actor, actor), (audit.c.action, action))
    for column, value in asked:
        wanted = wanted.where(column == value) if value else wanted
    if since is not None:
        wanted = wanted.where(audit.c.at >= since)
    if until is not None:
        wanted = wanted.where(audit.c.at < until)
    if before is not None:
        wanted = wanted.where(audit.c.number < before)
    async with engine.connect() as connection:
        return [_entry_from(row) for row in await connection.execute(wanted)]


def _entry_from(row: Any) -> Entry:
    values = {name: row._mapping[name] for name in ("number", "at", "actor", "action", "detail", "previous", "hash")}
    return Entry(object_=row._mapping["object"], **values)


async def broken_at(engine: AsyncEngine) -> int | None:
    """Return the number of the first line that does not fit what is before it, None where all do."""
    number, previous = 0, BEGINNING
    async with engine.connect() as connection, connection.stream(select(audit).order_by(audit.c.number)) as rows:
        async for row in rows:
            line = dict(row._mapping)
            given = line.pop("hash")
            if (line["number"], line["previous"], _hash_of(line)) != (number + 1, previous, given):
                return number + 1
            number, previous = number + 1, given
    return None


def _hash_of(line: Mapping[str, Any]) -> str:
    """Return what seals a line: a hash of all that it says, and of the hash before it."""
    said = [line[name] for name in ("number", "at", "actor", "action", "object", "detail", "previous")]
    return sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()

"""Newest: of what is said again and again (silences, notifications, sources, notices, digests) the newest is kept."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Column, Table, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from console.archive.database import parts
from console.archive.tables import bulletin, digest, notification, silence, source, source_change
from console.archive.words import storable
from console.live.hub import Change
from records import Bulletin, Notification, Silence, SourceStatus, decode, encode
from records.digest import DigestMade

R = TypeVar("R", bound=msgspec.Struct)

ON_THE_WAY = ("waiting", "held")
"""States of a notification that are not the last word; at the same moment, what became of it holds."""


@dataclass(frozen=True, kw_only=True)
class Shelf(Generic[R]):
    """Where records of one kind are kept, and which of two is the newer."""

    record: type[R]
    table: Table
    name: Column[str]
    name_of: Callable[[R], str]
    rank: Callable[[R], tuple[Any, ...]]
    columns: Callable[[R], dict[str, object]]


async def take_newest(connection: AsyncConnection, shelf: Shelf[R], records: Iterable[R]) -> list[R]:
    """Keep those that are newer than what is kept; return them."""
    wanted: dict[str, R] = {}
    for one in records:
        name = shelf.name_of(one)
        if name not in wanted or _rank(shelf, wanted[name]) < _rank(shelf, one):
            wanted[name] = one
    kept: dict[str, R] = {}
    for part in parts(wanted):
        rows = await connection.execute(select(shelf.table.c.record, shelf.name).where(shelf.name.in_(part)))
        kept |= {row[1]: decode(row[0], shelf.record) for row in rows}
    first = {name: one for name, one in wanted.items() if name not in kept}
    newer = {name: one for name, one in wanted.items() if name in kept and _rank(shelf, kept[name]) < _rank(shelf, one)}
    if first:
        await connection.execute(insert(shelf.table), [_row(shelf, name, one) for name, one in first.items()])
    if newer:
        values: dict[str, Any] = {
            column.name: bindparam(column.name) for column in shelf.table.c if column is not shelf.name
        }
        changing = update(shelf.table).where(shelf.name == bindparam("of")).values(values)
        await connection.execute(changing, [{"of": name, **_row(shelf, name, one)} for name, one in newer.items()])
    return [*first.values(), *newer.values()]


def _rank(shelf: Shelf[R], one: R) -> tuple[Any, ...]:
    """Return what orders the records of a name; two that say different things are never equal."""
    return *shelf.rank(one), encode(one)


def _row(shelf: Shelf[R], name: str, one: R) -> dict[str, object]:
    return {shelf.name.name: name, **shelf.columns(one), "record": encode(one)}


SILENCES = Shelf(
    record=Silence,
    table=silence,
    name=silence.c.silence_id,
    name_of=lambda one: one.silence_id,
    rank=lambda one: (one.made_at,),
    columns=lambda one: {"starts_at": one.starts_at, "ends_at": one.ends_at, "made_at": one.made_at},
)
NOTIFICATIONS = Shelf(
    record=Notification,
    table=notification,
    name=notification.c.notification_id,
    name_of=lambda one: one.notification_id,
    rank=lambda one: (one.at, one.attempts, one.state not in ON_THE_WAY),
    columns=lambda one: {"incident_id": one.incident_id, "at": one.at},
)
SOURCES = Shelf(
    record=SourceStatus,
    table=source,
    name=source.c.source,
    name_of=lambda one: one.source,
    rank=lambda one: (one.at,),
    columns=lambda _: {},
)
BULLETINS = Shelf(
    record=Bulletin,
    table=bulletin,
    name=bulletin.c.bulletin_id,
    name_of=lambda one: storable(one.bulletin_id),
    rank=lambda one: (one.received_at,),
    columns=lambda one: {"area": storable(one.area), "issued_at": one.issued_at},
)
DIGESTS = Shelf(
    record=DigestMade,
    table=digest,
    name=digest.c.digest_id,
    name_of=lambda one: one.digest_id,
    rank=lambda one: (one.until, one.since),
    columns=lambda one: {"until": one.until},
)


async def take_silences(connection: AsyncConnection, records: Sequence[Silence]) -> list[Change]:
    """Keep silences; return what changed."""
    return [Change("silence", one.silence_id) for one in await take_newest(connection, SILENCES, records)]


async def take_notifications(connection: AsyncConnection, records: Sequence[Notification]) -> list[Change]:
    """Keep what became of notifications; return the incidents and digests that they are of."""
    newer = await take_newest(connection, NOTIFICATIONS, records)
    return [Change("notification", key) for key in dict.fromkeys(one.incident_id or one.digest_id for one in newer)]


async def take_bulletins(connection: AsyncConnection, records: Sequence[Bulletin]) -> list[Change]:
    """Keep what authorities and operators state: nothing that a page shows by itself."""
    await take_newest(connection, BULLETINS, records)
    return []


async def take_digests(connection: AsyncConnection, records: Sequence[DigestMade]) -> list[Change]:
    """Keep that digests were made; return which."""
    return [Change("digest", one.digest_id) for one in await take_newest(connection, DIGESTS, records)]


async def take_statuses(connection: AsyncConnection, records: Sequence[SourceStatus]) -> list[Change]:
    """Keep how sources are, and when each state of theirs began; return which are not as they were."""
    newer = await take_newest(connection, SOURCES, records)
    began: dict[tuple[str, datetime], SourceStatus] = {}
    for one in sorted(records, key=lambda one: (one.at, encode(one))):
        began[one.source, one.since] = one
    known: dict[tuple[str, datetime], tuple[str, str]] = {}
    for part in parts({one.source for one in records}):
        rows = await connection.execute(select(source_change).where(source_change.c.source.in_(part)))
        known |= {(row.source, row.since): (row.state, row.why) for row in rows}
    await _enter(connection, {name: one for name, one in began.items() if name not in known})
    current = [began[one.source, one.since] for one in newer]
    await _correct(connection, [one for one in current if known.get((one.source, one.since)) not in (None, _says(one))])
    return [Change("source", one.source) for one in newer]


def _says(one: SourceStatus) -> tuple[str, str]:
    return one.state, storable(one.why)


async def _enter(connection: AsyncConnection, new: Mapping[tuple[str, datetime], SourceStatus]) -> None:
    if new:
        rows = [
            {"source": name, "since": since, "state": one.state, "why": storable(one.why)}
            for (name, since), one in new.items()
        ]
        await connection.execute(insert(source_change), rows)


async def _correct(connection: AsyncConnection, statuses: Iterable[SourceStatus]) -> None:
    """Enter why a state lasts, where another reason is given than at its beginning."""
    columns = source_change.c
    for one in statuses:
        state, why = _says(one)
        of_it = (columns.source == one.source) & (columns.since == one.since)
        await connection.execute(update(source_change).where(of_it).values(state=state, why=why))


Taker = Callable[[AsyncConnection, Sequence[Any]], Awaitable[list[Change]]]
TAKERS: dict[type[msgspec.Struct], Taker] = {
    Silence: take_silences,
    Notification: take_notifications,
    SourceStatus: take_statuses,
    Bulletin: take_bulletins,
    DigestMade: take_digests,
}
"""What is done with records of which the newest holds."""

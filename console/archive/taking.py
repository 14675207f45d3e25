"""Taking: what came on the topics is kept, in any order, as often as it comes, and by however many at once.

Shape   records in, what changed out; one transaction
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import structlog
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError, ProgrammingError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from console.archive.counts import take_pulses, take_signals
from console.archive.database import writing
from console.archive.decisions import Decided, take_decisions
from console.archive.newest import TAKERS
from console.archive.promotions import hear_of
from console.archive.retracting import take_retractions
from console.archive.revisions import Told, take_revisions
from console.live.hub import Change
from records import (
    Alert,
    Bulletin,
    ModelChange,
    Notification,
    ProfileChange,
    Pulse,
    Retraction,
    Signal,
    Silence,
    SourceStatus,
    Verdict,
)
from records.digest import DigestMade

log = structlog.get_logger()

Decision = Verdict | Silence | ProfileChange | ModelChange
Record = Alert | Decision | Notification | SourceStatus | Bulletin | Pulse | Signal | Retraction | DigestMade

DATABASE_IS_AWAY = (OperationalError, InterfaceError, InternalError, ProgrammingError)
"""What is no record's fault: whoever asked may ask again."""


class Read(NamedTuple):
    """A record, and when it was put on its topic."""

    record: Record
    at: datetime


async def take(engine: AsyncEngine, records: Sequence[Record | Read], now: datetime) -> list[Change]:
    """Keep records; return what is not as it was. What is known already changes nothing.

    With `Read`, it says of all what was known when as the topics have it, also when it is filled again from them.

    Errors  a record that the database cannot hold is logged and passed over; the others are kept
    """
    read = [one if isinstance(one, Read) else Read(one, now) for one in records]
    try:
        return await _take(engine, read, now)
    except DATABASE_IS_AWAY:
        raise
    except (StatementError, OverflowError) as error:
        if len(read) == 1:
            log.warning("cannot be kept, and is passed over", record=type(read[0].record).__name__, error=str(error))
            return []
    middle = len(read) // 2
    return [*await take(engine, read[:middle], now), *await take(engine, read[middle:], now)]


async def _take(engine: AsyncEngine, read: Sequence[Read], now: datetime) -> list[Change]:
    if not read:
        return []
    async with writing(engine) as connection:
        return await _keep(connection, read, now)


async def _keep(connection: AsyncConnection, read: Sequence[Read], now: datetime) -> list[Change]:
    """Keep records, what was taken back first: none of its words are written at all then."""
    changes: list[Change] = []
    if retractions := [one.record for one in read if isinstance(one.record, Retraction)]:
        changes += await take_retractions(connection, retractions)
    if told := [Told(one.record, one.at) for one in read if isinstance(one.record, Alert)]:
        changes += await take_revisions(connection, told, now)
    if decided := [Decided(one.record, one.at) for one in read if isinstance(one.record, Verdict)]:
        changes += await take_decisions(connection, decided)
    await _keep_changes(connection, read)
    for record, taker in TAKERS.items():
        if found := [one.record for one in read if isinstance(one.record, record)]:
            changes += await taker(connection, found)
    await _keep_counts(connection, read, now)
    return list({(change.kind, change.key): change for change in changes}.values())


async def _keep_changes(connection: AsyncConnection, read: Sequence[Read]) -> None:
    for one in read:
        if isinstance(one.record, ProfileChange | ModelChange):
            await hear_of(connection, one.record, one.at)


async def _keep_counts(connection: AsyncConnection, read: Sequence[Read], now: datetime) -> None:
    if pulses := [one.record for one in read if isinstance(one.record, Pulse)]:
        await take_pulses(connection, pulses)
    if signals := [one.record for one in read if isinstance(one.record, Signal)]:
        await take_signals(connection, signals, now)

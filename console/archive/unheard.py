"""Unheard: when a source was not read at all. A quiet minute has a pulse, a blind one none."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from console.archive.counts import HOUR, MINUTE, MINUTES
from console.archive.tables import pulse

LEAST = 2  # minutes that are worth a word: one may be on its way
BEFORE = timedelta(hours=24)
"""How long before a span a source may have been heard for the last time, and still be missed in it."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A source was not read, from one moment until another."""

    source: str
    since: datetime
    until: datetime

    @property
    def minutes(self) -> int:
        """How long that was."""
        return int((self.until - self.since) / MINUTE)


async def unheard(connection: AsyncConnection, since: datetime, until: datetime) -> list[Gap]:
    """Return when sources were not read during a span, as far as pulses of that time are kept."""
    columns = pulse.c
    hours = since.replace(minute=0, second=0, microsecond=0) - BEFORE
    rows = await connection.execute(
        select(columns.source, columns.hour, columns.minutes)
        .where((columns.hour >= hours) & (columns.hour < until))
        .order_by(columns.source, columns.hour)
    )
    heard: dict[str, dict[datetime, int]] = {}
    for row in rows:
        heard.setdefault(row.source, {})[row.hour] = int.from_bytes(row.minutes, "big")
    return [gap for source, of_source in heard.items() for gap in _gaps(source, of_source, since, until)]


def _gaps(source: str, heard: dict[datetime, int], since: datetime, until: datetime) -> Iterator[Gap]:
    """Yield the gaps of one source, from when it was first heard on."""
    first = min(heard)
    begins = first + _lowest(heard[first]) * MINUTE
    at = max(begins, since.replace(second=0, microsecond=0))
    missing: datetime | None = None
    while at < until:
        hour = at.replace(minute=0)
        if heard.get(hour, 0) >> at.minute & 1:
            if missing is not None and at - missing >= LEAST * MINUTE:
                yield Gap(source=source, since=missing, until=at)
            missing, at = None, at + MINUTE
        else:
            missing, at = missing or at, at + MINUTE if hour in heard else hour + HOUR
    if missing is not None and until - missing >= LEAST * MINUTE:
        yield Gap(source=source, since=missing, until=until)


def _lowest(bits: int) -> int:
    """Return the first minute that was heard."""
    return next((minute for minute in range(MINUTES) if bits >> minute & 1), 0)

"""Shift digest: the digest of any span, from what the archive knew by its end; and which span is asked for mostly.

Shape   two moments and what posts claim in, the record that `vigie digest` makes out; the archive keeps no claims
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

from msgspec.structs import replace
from sqlalchemy import Integer, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from console.archive import looking
from console.archive.dossier import SourceChange
from console.archive.tables import revision
from console.digests.digest import ON, digest_from
from console.live.listening import listening
from records import Alert, Claim, SourceStatus, decode
from records.alert import OVER
from records.digest import Digest, DigestMade
from records.source_status import State

BEFORE = timedelta(hours=1)
"""So much earlier pulses tell which sources should have been heard."""
LONGEST = timedelta(days=7)
USUAL = timedelta(hours=12)
JUST_BEGUN = timedelta(hours=1)
"""Whoever has come on duty so lately wants to know of the shift before."""
DAY = timedelta(days=1)


async def digest_of(engine: AsyncEngine, since: datetime, until: datetime, claims: Iterable[Claim] = ()) -> Digest:
    """Return the digest of a span, as it could have been made at its end."""
    async with engine.connect() as connection:
        alerts = await _alerts(connection, since, until)
        changes = await looking.changes_of_sources(connection, since, until)
    statuses = as_of(await looking.sources(engine), changes, until)
    pulses = await looking.pulses(engine, since - BEFORE, until)
    heard = listening(statuses, until)
    unheard = (*heard.lost_ways, *heard.absent_ways)
    return digest_from(alerts, statuses, pulses, unheard, claims, since=since, until=until)


async def _alerts(connection: AsyncConnection, since: datetime, until: datetime) -> list[Alert]:
    """Return the newest revisions that were told by the end, of what was on, or began or ended in the span.

    The end of what was never more than a signal is left out: nobody was told of it.
    """
    columns = revision.c
    is_faint = func.max(cast(columns.level.not_in({"signal", *OVER}), Integer)) == 0
    is_whole = func.count() == func.max(columns.revision)
    last = select(
        columns.incident_id,
        func.max(columns.revision).label("revision"),
        (cast(is_faint, Integer) * cast(is_whole, Integer)).label("is_faint"),
    )
    last_by = last.where(columns.recorded_at <= until).group_by(columns.incident_id).subquery()
    of_it = (columns.incident_id == last_by.c.incident_id) & (columns.revision == last_by.c.revision)
    is_news = or_(columns.level.in_(ON), columns.raised_at > since) & or_(
        last_by.c.is_faint == 0, columns.level.not_in(OVER)
    )
    rows = await connection.scalars(select(columns.record).join(last_by, of_it).where(is_news))
    return [decode(row, Alert) for row in rows]


def as_of(statuses: Iterable[SourceStatus], changes: Iterable[SourceChange], at: datetime) -> list[SourceStatus]:
    """Return how sources were at a moment, as far as is known: those left out of which nothing was known by then."""
    last: dict[str, SourceChange] = {}
    for change in sorted(changes, key=lambda one: one.since):
        if change.since <= at:
            last[change.source] = change
    return [
        replace(
            status, state=_state(last[status.source]), since=since, why=last[status.source].why, at=min(status.at, at)
        )
        for status in statuses
        if status.source in last and (since := last[status.source].since)
    ]


def _state(change: SourceChange) -> State:
    return next((state for state in get_args(State) if state == change.state), "unsure")


def changes_of_shift(shifts: Sequence[time], made: Collection[DigestMade], zone: str, now: datetime) -> list[datetime]:
    """Return when people changed lately, the newest first: by the clock, or by the digests that were made."""
    if not shifts:
        return sorted({one.until for one in made if one.until <= now}, reverse=True)
    today = now.astimezone(ZoneInfo(zone)).date()
    moments = (
        datetime.combine(today - number * DAY, at, ZoneInfo(zone)).astimezone(UTC)
        for number in range(3)
        for at in shifts
    )
    return sorted((one for one in moments if one <= now), reverse=True)


def usual_beginning(changes: Iterable[datetime], now: datetime) -> datetime:
    """Return since when people mostly want to know: since the last change of shift that is not just now."""
    found = next((one for one in changes if one <= now - JUST_BEGUN), now - USUAL)
    return max(found, now - LONGEST)

"""Keeping: what the archive holds for how long, and that it lets go of it then.

Units   words: after they were said; all that belongs to an incident: after the last that was told of it
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Delete, Table, delete, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from console.archive import audit, tables
from console.archive.counts import READ_AGAIN
from console.archive.database import parts, shortened, writing
from console.archive.looking import spans
from console.archive.words import WORDS_KEPT

INCIDENTS_KEPT = timedelta(days=5 * 365)
RATES_KEPT = timedelta(days=90)
PULSES_KEPT = timedelta(days=40)
ACTOR = "vigie"

OF_INCIDENTS = (
    tables.evidence,
    tables.unshown,
    tables.decision,
    tables.notification,
    tables.message,
    tables.verification,
    tables.revision,
    tables.incident,
)
"""What goes with an incident, itself last."""

OLDEST = {
    "words": tables.evidence.c.event_time,
    "incidents": tables.revision.c.recorded_at,
    "decisions": tables.decision.c.recorded_at,
    "notifications": tables.notification.c.at,
    "messages": tables.message.c.signed_at,
    "verifications": tables.verification.c.asked_at,
    "reports": tables.report.c.made_at,
    "missed": tables.missed.c.made_at,
    "bulletins": tables.bulletin.c.issued_at,
    "silences": tables.silence.c.ends_at,
    "digests": tables.digest.c.until,
    "signals": tables.heard.c.received_at,
    "rates": tables.rate.c.begins_at,
    "pulses": tables.pulse.c.hour,
    "sources": tables.source_change.c.since,
    "tombstones": tables.tombstone.c.at,
    "sessions": tables.session.c.made_at,
    "candidates": tables.candidate.c.changed_at,
    "promotions": tables.promotion.c.decided_at,
    "trials": tables.trial.c.made_at,
    "audit": tables.audit.c.at,
}
"""By what the age of each kind of thing is reckoned."""


async def keep(engine: AsyncEngine, now: datetime, incidents_kept: timedelta = INCIDENTS_KEPT) -> dict[str, int]:
    """Let go of what is too old; return how many rows of each table went. The audit says so, where any did."""
    async with writing(engine) as connection:
        gone: dict[str, int] = {}
        for name, statement in _old(now, now - incidents_kept):
            rows = (await connection.execute(statement)).rowcount
            if rows:
                gone[name] = gone.get(name, 0) + rows
        await _fold(connection, now - READ_AGAIN)
        if gone:
            await audit.note(connection, actor=ACTOR, action="purged", object_="archive", detail=gone, at=now)
    await shortened(engine)
    return gone


def _old(now: datetime, limit: datetime) -> Iterator[tuple[str, Delete]]:
    """Yield what deletes the rows of a table that are too old."""
    dates: dict[Table, ColumnElement[bool]] = {
        tables.evidence: tables.evidence.c.event_time <= now - WORDS_KEPT,
        tables.tombstone: tables.tombstone.c.at <= now - WORDS_KEPT,  # what it names is too old, too
        tables.rate: tables.rate.c.begins_at <= now - RATES_KEPT,
        tables.pulse: tables.pulse.c.hour <= now - PULSES_KEPT,
        tables.session: tables.session.c.ends_at <= now,
        tables.silence: tables.silence.c.ends_at <= limit,
        tables.bulletin: tables.bulletin.c.issued_at <= limit,
        tables.digest: tables.digest.c.until <= limit,
        tables.report: tables.report.c.made_at <= limit,
        tables.missed: tables.missed.c.made_at <= limit,
        tables.source_change: _is_past(limit),
        tables.candidate: tables.candidate.c.changed_at <= limit,
        tables.promotion: _is_replaced(limit),
        tables.trial: tables.trial.c.made_at <= limit,
        tables.shadow: tables.shadow.c.ends_at <= limit,
    }
    for table, is_old in dates.items():
        yield table.name, delete(table).where(is_old)
    old = select(tables.incident.c.incident_id).where(tables.incident.c.recorded_at <= limit)
    for table in OF_INCIDENTS:
        yield table.name, delete(table).where(table.c.incident_id.in_(old))
    known = select(tables.incident.c.incident_id)
    alone = {
        tables.decision: tables.decision.c.recorded_at,
        tables.notification: tables.notification.c.at,
        tables.verification: tables.verification.c.asked_at,
    }
    for table, at in alone.items():  # of incidents that nothing was told of, of digests, and of reports
        yield table.name, delete(table).where((at <= limit) & table.c.incident_id.not_in(known))


def _is_past(limit: datetime) -> ColumnElement[bool]:
    """Tell of a state of a source that it ended before a moment: another one had begun by then."""
    later = tables.source_change.alias("later")
    of_it = later.c.source == tables.source_change.c.source
    followed = select(later.c.source).where(
        of_it & (later.c.since > tables.source_change.c.since) & (later.c.since <= limit)
    )
    return (tables.source_change.c.since <= limit) & followed.exists()


def _is_replaced(limit: datetime) -> ColumnElement[bool]:
    """Tell of a profile that it is too old, and that another one holds since."""
    decided_at = tables.promotion.c.decided_at
    return (decided_at <= limit) & (decided_at < select(func.max(decided_at)).scalar_subquery())


async def _fold(connection: AsyncConnection, before: datetime) -> None:
    """Count signals that cannot come again into the rates of their spans, and forget them."""
    is_old = tables.heard.c.received_at <= before
    found: dict[tuple[str, str, datetime], dict[str, Any]] = {
        (row.hazard, row.area, row.begins_at): {"posts": row.posts, "strong": row.strong, "weight": row.weight}
        for row in await connection.execute(spans().where(is_old))
    }
    columns = tables.rate.c
    names = (columns.hazard, columns.area, columns.begins_at)
    known = set()
    for part in parts(found):
        rows = await connection.execute(select(*names).where(tuple_(*names).in_(part)))
        known |= {(row.hazard, row.area, row.begins_at) for row in rows}
    first = [{**_named(name), **found[name]} for name in found if name not in known]
    later = [{**_named(name), **found[name]} for name in found if name in known]
    if first:
        await connection.execute(insert(tables.rate), first)
    for row in later:
        of_it = [columns[name] == row[name] for name in ("hazard", "area", "begins_at")]
        more = {name: columns[name] + row[name] for name in ("posts", "strong", "weight")}
        await connection.execute(update(tables.rate).where(*of_it).values(more))
    await connection.execute(delete(tables.heard).where(is_old))


def _named(name: tuple[str, str, datetime]) -> dict[str, object]:
    return dict(zip(("hazard", "area", "begins_at"), name, strict=True))


async def oldest(engine: AsyncEngine) -> dict[str, datetime]:
    """Return the oldest moment that stands of each kind of thing; what there is none of is left out."""
    async with engine.connect() as connection:
        found = {name: await connection.scalar(select(func.min(column))) for name, column in OLDEST.items()}
    return {name: at for name, at in found.items() if at is not None}

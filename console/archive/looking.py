"""Looking: what the archive says to whoever asks; alerts come back whole, the words of posts as far as they stand."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from console.archive import tables
from console.archive.counts import hours_from, span_of
from console.archive.database import parts
from console.archive.dossier import (
    Decided,
    Dossier,
    Message,
    Rate,
    Recorded,
    Report,
    SourceChange,
    Verification,
)
from console.archive.numbers import last_number
from console.archive.revisions import folded
from console.archive.words import said_in, unshown_until, with_words
from records import Alert, Notification, Pulse, Silence, SourceStatus, Verdict, decode
from records.alert import OPEN
from records.digest import DigestMade

T = TypeVar("T")

STRONG = 3.0
"""From which likelihood ratio on a signal says a lot."""
JUST_OVER = timedelta(hours=24)
"""How long a silence that is over is still shown."""
BEFORE_ONSET = timedelta(hours=6)
"""How far back the figures of an incident go: what is usual must be seen beside it."""
LONGEST = timedelta(days=3)
"""How far the figures of an incident go on after its onset."""


async def heads(
    engine: AsyncEngine,
    *,
    levels: Collection[str] = OPEN,
    hazard: str = "",
    area: str = "",
    text: str = "",
    since: datetime | None = None,
    most: int = 500,
) -> list[Alert]:
    """Return the newest revision of each incident that fits, without the words of posts, the one told last first.

    `text` is looked for in names of places and in what posts say; `since`: told of since then.
    """
    columns = tables.incident.c
    wanted = _newest().where(columns.level.in_(levels))
    wanted = wanted.order_by(columns.recorded_at.desc(), columns.incident_id).limit(most)
    if hazard:
        wanted = wanted.where(columns.hazard == hazard)
    if area:
        wanted = wanted.where(columns.area == area)
    if text.strip():
        wanted = wanted.where(_speaks_of(text.strip()))
    if since is not None:
        wanted = wanted.where(columns.recorded_at >= since)
    async with engine.connect() as connection:
        return [decode(row.record, Alert) for row in await connection.execute(wanted)]


async def newest_of(engine: AsyncEngine, incident_ids: Iterable[str]) -> dict[str, Alert]:
    """Return the newest revision of each of these incidents, with words, by its id; of what is not known, nothing."""
    found: dict[str, Alert] = {}
    async with engine.connect() as connection:
        for part in parts(set(incident_ids)):
            wanted = _newest().where(tables.incident.c.incident_id.in_(part))
            found |= {one.alert.incident_id: one.alert for one in await recorded(connection, wanted)}
    return found


def _newest() -> Select[Any]:
    columns = tables.revision.c
    of_it = columns.incident_id == tables.incident.c.incident_id
    is_newest = columns.revision == tables.incident.c.revision
    joined = tables.incident.join(tables.revision, of_it & is_newest)
    return select(
        tables.incident.c.sequence, columns.incident_id, columns.recorded_at, columns.record, columns.words
    ).select_from(joined)


def _speaks_of(text: str) -> ColumnElement[bool]:
    columns = tables.incident.c
    says = tables.evidence.c.text.icontains(text, autoescape=True)
    return or_(
        columns.incident_id == text,
        columns.place.contains(folded(text), autoescape=True),
        columns.incident_id.in_(select(tables.evidence.c.incident_id).where(says)),
    )


async def recorded(connection: AsyncConnection, wanted: Select[Any]) -> list[Recorded]:
    """Return revisions, with the words of their posts as far as they stand."""
    rows = (await connection.execute(wanted)).all()
    said = await said_in(connection, (number for row in rows for number in row.words))
    until = await unshown_until(connection, {row.incident_id for row in rows})
    return [
        Recorded(
            sequence=row.sequence,
            recorded_at=row.recorded_at,
            alert=with_words(decode(row.record, Alert), row.words, said, until),
        )
        for row in rows
    ]


async def told_of(connection: AsyncConnection, incident_ids: Iterable[str]) -> dict[str, list[Alert]]:
    """Return all that was told of each of these incidents, in order, with the words that stand."""
    columns = tables.revision.c
    found: dict[str, list[Alert]] = {}
    for part in parts(sorted(incident_ids)):
        of_them = select(tables.revision).where(columns.incident_id.in_(part))
        for one in await recorded(connection, of_them.order_by(columns.incident_id, columns.revision)):
            found.setdefault(one.alert.incident_id, []).append(one.alert)
    return found


async def changed_since(engine: AsyncEngine, sequence: int, most: int = 1000) -> list[tuple[int, Alert]]:
    """Return the newest revision of each incident that changed after a number, with the number of its last change.

    A change is a revision, a decision, or that words went. What changed several times stands there once.
    """
    columns = tables.incident.c
    wanted = _newest().where(columns.sequence > sequence).order_by(columns.sequence).limit(most)
    async with engine.connect() as connection:
        return [(one.sequence, one.alert) for one in await recorded(connection, wanted)]


async def last_sequence(engine: AsyncEngine) -> int:
    """Return the number of the last change of an incident; 0 before the first."""
    async with engine.connect() as connection:
        return await last_number(connection, "change")


async def incident(engine: AsyncEngine, incident_id: str) -> Dossier | None:
    """Return all that is known of an incident, None where nothing is."""
    columns = tables.revision.c
    wanted = select(tables.revision).where(columns.incident_id == incident_id).order_by(columns.revision)
    async with engine.connect() as connection:
        revisions = await recorded(connection, wanted)
        if not revisions:
            return None
        alert, told_at = revisions[-1].alert, revisions[-1].recorded_at
        since, until = alert.onset - BEFORE_ONSET, min(told_at, alert.onset + LONGEST)
        return Dossier(
            alert=alert,
            revisions=tuple(revisions),
            decisions=tuple(await decisions(connection, tables.decision.c.incident_id == incident_id)),
            notifications=tuple(await _notifications(connection, incident_id)),
            messages=tuple(await messages(connection, tables.message.c.incident_id == incident_id)),
            verifications=tuple(await verifications(connection, tables.verification.c.incident_id == incident_id)),
            rates=tuple(await _rates(connection, alert.state_hazard, alert.area or alert.place.area, since, until)),
        )


class Newest(NamedTuple):
    """How far an incident has come."""

    revision: int
    decided: int  # the number of the last decision on it, 0 where there is none
    decided_by: str


async def newest(engine: AsyncEngine, incident_id: str) -> Newest | None:
    """Return how far an incident has come; None where there is none."""
    decided, columns = tables.decision.c, tables.incident.c
    last = (
        select(decided.sequence, decided.decided_by)
        .where(decided.incident_id == incident_id)
        .order_by(decided.sequence.desc())
        .limit(1)
    )
    async with engine.connect() as connection:
        revision = await connection.scalar(select(columns.revision).where(columns.incident_id == incident_id))
        found = (await connection.execute(last)).one_or_none()
    if revision is None:
        return None
    return Newest(revision, found.sequence if found else 0, found.decided_by if found else "")


async def decisions(connection: AsyncConnection, which: ColumnElement[bool]) -> list[Decided]:
    """Return decisions in the order in which they were made, and who took them back."""
    columns = tables.decision.c
    rows = (
        await connection.execute(select(tables.decision).where(which).order_by(columns.decided_at, columns.decision_id))
    ).all()
    found = [(row.sequence, row.recorded_at, row.decision_id, decode(row.record, Verdict)) for row in rows]
    withdrawn: dict[tuple[str, str], Verdict] = {}
    for _, _, _, verdict in found:
        if verdict.withdraws:
            withdrawn.setdefault((verdict.incident_id, verdict.withdraws), verdict)
    return [
        Decided(
            sequence=sequence,
            recorded_at=recorded_at,
            verdict=verdict,
            withdrawn_by=withdrawn.get((verdict.incident_id, name)),
        )
        for sequence, recorded_at, name, verdict in found
    ]


async def messages(connection: AsyncConnection, which: ColumnElement[bool]) -> list[Message]:
    """Return messages that were signed, in order."""
    return await _rows(
        connection,
        select(tables.message).where(which).order_by(tables.message.c.signed_at, tables.message.c.message_id),
        Message,
    )


async def verifications(connection: AsyncConnection, which: ColumnElement[bool]) -> list[Verification]:
    """Return what was asked of volunteers, in order."""
    columns = tables.verification.c
    return await _rows(
        connection,
        select(tables.verification).where(which).order_by(columns.asked_at, columns.verification_id),
        Verification,
    )


async def reports(connection: AsyncConnection, which: ColumnElement[bool]) -> list[Report]:
    """Return reports, in order."""
    return await _rows(
        connection,
        select(tables.report).where(which).order_by(tables.report.c.made_at, tables.report.c.report_id),
        Report,
    )


async def _rows(connection: AsyncConnection, wanted: Select[Any], shape: type[T]) -> list[T]:
    names = [one.name for one in fields(shape)]  # type: ignore[arg-type]
    return [shape(**{name: getattr(row, name) for name in names}) for row in await connection.execute(wanted)]


async def sources(engine: AsyncEngine) -> list[SourceStatus]:
    """Return how each source is, as far as was heard."""
    async with engine.connect() as connection:
        rows = await connection.scalars(select(tables.source.c.record).order_by(tables.source.c.source))
        return [decode(row, SourceStatus) for row in rows]


async def changes_of_sources(connection: AsyncConnection, since: datetime, until: datetime) -> list[SourceChange]:
    """Return the states that sources were in during a span, also those that began before it."""
    columns = tables.source_change.c
    before = select(columns.source, func.max(columns.since).label("since")).where(columns.since < since)
    last = before.group_by(columns.source).subquery()
    of_it = (columns.source == last.c.source) & (columns.since == last.c.since)
    found = await _rows(connection, select(tables.source_change).join(last, of_it), SourceChange)
    during = select(tables.source_change).where((columns.since >= since) & (columns.since < until))
    found += await _rows(connection, during, SourceChange)
    return sorted(found, key=lambda one: (one.since, one.source))


async def silences(engine: AsyncEngine, now: datetime) -> list[Silence]:
    """Return the silences that are not over, and those that have been for a day at most."""
    columns = tables.silence.c
    wanted = select(columns.record).where(columns.ends_at > now - JUST_OVER).order_by(columns.starts_at)
    async with engine.connect() as connection:
        return [decode(row, Silence) for row in await connection.scalars(wanted)]


async def _notifications(connection: AsyncConnection, incident_id: str) -> list[Notification]:
    columns = tables.notification.c
    wanted = select(columns.record).where(columns.incident_id == incident_id)
    rows = await connection.scalars(wanted.order_by(columns.at, columns.notification_id))
    return [decode(row, Notification) for row in rows]


async def _rates(connection: AsyncConnection, hazard: str, area: str, since: datetime, until: datetime) -> list[Rate]:
    counted = tables.rate.c
    found = await connection.execute(
        select(counted.begins_at, counted.posts, counted.strong, counted.weight).where(
            (counted.hazard == hazard) & (counted.area == area) & counted.begins_at.between(span_of(since), until)
        )
    )
    recent = await connection.execute(
        spans().where(
            (tables.heard.c.hazard == hazard)
            & (tables.heard.c.area == area)
            & tables.heard.c.begins_at.between(span_of(since), until)
        )
    )
    sums: dict[datetime, tuple[int, int, float]] = defaultdict(lambda: (0, 0, 0.0))
    for row in (*found, *recent):
        posts, strong, weight = sums[row.begins_at]
        sums[row.begins_at] = posts + row.posts, strong + row.strong, weight + row.weight
    return [
        Rate(begins_at=at, posts=posts, strong=strong, weight=weight)
        for at, (posts, strong, weight) in sorted(sums.items())
    ]


def spans() -> Select[Any]:
    """Return how signals that may be read again are counted, by hazard, area and span."""
    columns = tables.heard.c
    strong = func.sum(case((columns.likelihood_ratio >= STRONG, 1), else_=0))
    return select(
        columns.hazard,
        columns.area,
        columns.begins_at,
        func.count().label("posts"),
        strong.label("strong"),
        func.sum(columns.likelihood_ratio).label("weight"),
    ).group_by(columns.hazard, columns.area, columns.begins_at)


async def pulses(engine: AsyncEngine, since: datetime, until: datetime) -> list[Pulse]:
    """Return one pulse for each source and minute that was heard, its counts summed over languages and areas."""
    columns = tables.pulse.c
    hour = since.replace(minute=0, second=0, microsecond=0)
    wanted = select(tables.pulse).where((columns.hour >= hour) & (columns.hour < until))
    async with engine.connect() as connection:
        rows = (await connection.execute(wanted.order_by(columns.source, columns.hour))).all()
    hours = ((row, hours_from(row.minutes, row.outcomes, row.counted)) for row in rows)
    return [one for row, found in hours for one in found.pulses(row.source, row.hour) if since <= one.minute < until]


async def digests(engine: AsyncEngine) -> list[DigestMade]:
    """Return which digests were made, in order."""
    columns = tables.digest.c
    async with engine.connect() as connection:
        rows = await connection.scalars(select(columns.record).order_by(columns.until, columns.digest_id))
        return [decode(row, DigestMade) for row in rows]

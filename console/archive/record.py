"""Record: the after-action record of an incident, or of all incidents in a span of time, put together from the archive.

Shape   codes and figures, and of posts the words as far as they stand now; no author, no link. What is not known by
        its time in the archive is not in it
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Column, ColumnElement, Table, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from console.archive import audit, looking, tables
from console.archive.database import writing
from console.archive.dossier import Recorded
from console.archive.record_lines import (
    bulletin_line,
    decision_line,
    gap_line,
    message_line,
    notification_line,
    report_line,
    revision_lines,
    silence_line,
    source_line,
    verification_lines,
)
from console.archive.unheard import unheard
from console.desk import Setup
from console.record_file import AfterAction, Head, Said, chained
from records import Bulletin, Notification, Silence, decode
from records.alert import OVER

T = TypeVar("T")

DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Span:
    """From one moment until another: all that was told in it, of any incident."""

    since: datetime
    until: datetime


async def record_of(engine: AsyncEngine, what: str | Span, setup: Setup, now: datetime) -> AfterAction | None:
    """Return the record of an incident by its id, None where there is none; or of a span of time."""
    async with engine.connect() as connection:
        if isinstance(what, Span):
            found = await _of_span(connection, what)
        elif (of_it := await _of_incident(connection, what, now)) is not None:
            found = of_it
        else:
            return None
        revisions, which = found
        said = await _said(connection, revisions, which)
        number, seal = await audit.head(connection)
    head = Head(
        cell=setup.cell,
        incidents=tuple(sorted({one.alert.incident_id for one in revisions})),
        since=which.span.since,
        until=which.span.until,
        made_at=now,
        is_exercise=setup.is_exercise,
        audit_number=number,
        audit_hash=seal,
        lines=len(said),
    )
    return await asyncio.to_thread(chained, head, said)  # of thousands of lines


async def exported(engine: AsyncEngine, record: AfterAction, *, actor: str, now: datetime) -> None:
    """Enter in the audit that a record was handed out, and by which hash it is known."""
    head = record.head
    async with writing(engine) as connection:
        await audit.note(
            connection,
            actor=actor,
            action="record_exported",
            object_=head.incidents[0] if len(head.incidents) == 1 else f"{head.since:%FT%TZ}/{head.until:%FT%TZ}",
            detail={"hash": record.hash, "lines": head.lines, "incidents": head.incidents, "made_at": head.made_at},
            at=now,
        )


@dataclass(frozen=True, kw_only=True)
class _Which:
    """Which rows a record is made of, of each table."""

    span: Span
    decisions: ColumnElement[bool]
    notifications: ColumnElement[bool]
    messages: ColumnElement[bool]
    verifications: ColumnElement[bool]
    reports: ColumnElement[bool]
    bulletins: ColumnElement[bool]
    silenced: str = ""  # by name; "": all silences of the span


async def _of_incident(
    connection: AsyncConnection, incident_id: str, now: datetime
) -> tuple[list[Recorded], _Which] | None:
    revisions = await _revisions(connection, tables.revision.c.incident_id == incident_id)
    if not revisions:
        return None
    first, last = revisions[0], revisions[-1]
    until = last.recorded_at if last.alert.level in OVER else now
    span = Span(since=min(first.alert.onset, first.recorded_at), until=until)
    posts = {post.post_key for one in revisions for post in one.alert.evidence}
    notices = {notice.bulletin_id for one in revisions for notice in one.alert.context}
    asked = select(tables.verification.c.report_id).where(tables.verification.c.incident_id == incident_id)
    in_time = tables.bulletin.c.issued_at.between(span.since - DAY, span.until)
    in_area = tables.bulletin.c.area == (last.alert.area or last.alert.place.area)
    return revisions, _Which(
        span=span,
        decisions=tables.decision.c.incident_id == incident_id,
        notifications=tables.notification.c.incident_id == incident_id,
        messages=tables.message.c.incident_id == incident_id,
        verifications=tables.verification.c.incident_id == incident_id,
        reports=or_(tables.report.c.post_key.in_(posts), tables.report.c.report_id.in_(asked)),
        bulletins=or_(and_(in_area, in_time), tables.bulletin.c.bulletin_id.in_(notices)),
        silenced=incident_id,
    )


async def _of_span(connection: AsyncConnection, span: Span) -> tuple[list[Recorded], _Which]:
    def during(column: Column[datetime]) -> ColumnElement[bool]:
        return (column >= span.since) & (column < span.until)

    return await _revisions(connection, during(tables.revision.c.recorded_at)), _Which(
        span=span,
        decisions=during(tables.decision.c.decided_at),
        notifications=during(tables.notification.c.at),
        messages=during(tables.message.c.signed_at),
        verifications=during(tables.verification.c.asked_at),
        reports=during(tables.report.c.made_at),
        bulletins=during(tables.bulletin.c.issued_at),
    )


async def _revisions(connection: AsyncConnection, which: ColumnElement[bool]) -> list[Recorded]:
    columns = tables.revision.c
    wanted = select(tables.revision).where(which)
    return await looking.recorded(connection, wanted.order_by(columns.incident_id, columns.revision))


async def _said(connection: AsyncConnection, revisions: list[Recorded], which: _Which) -> list[Said]:
    """Return all that is to be in a record, by its time."""
    span = which.span
    verifications = await looking.verifications(connection, which.verifications)
    notices = await _records(connection, tables.bulletin, which.bulletins, Bulletin)
    told = await _records(connection, tables.notification, which.notifications, Notification)
    lines = [
        *revision_lines(revisions),
        *map(decision_line, await looking.decisions(connection, which.decisions)),
        *map(notification_line, told),
        *map(bulletin_line, notices),
        *map(source_line, await looking.changes_of_sources(connection, span.since, span.until)),
        *map(gap_line, await unheard(connection, span.since, span.until)),
        *map(report_line, await looking.reports(connection, which.reports)),
        *(line for one in verifications for line in verification_lines(one)),
        *map(message_line, await looking.messages(connection, which.messages)),
        *map(silence_line, await _silences(connection, span, which.silenced)),
    ]
    return sorted(lines, key=lambda one: one.at)


async def _records(connection: AsyncConnection, table: Table, which: ColumnElement[bool], record: type[T]) -> list[T]:
    rows = await connection.scalars(select(table.c.record).where(which).order_by(*table.primary_key))
    return [decode(row, record) for row in rows]


async def _silences(connection: AsyncConnection, span: Span, incident_id: str) -> list[Silence]:
    """Return the silences that held during a span: all of them, or those that name an incident."""
    columns = tables.silence.c
    held = (columns.starts_at < span.until) & (columns.ends_at > span.since)
    found = await _records(connection, tables.silence, held, Silence)
    return [one for one in found if not incident_id or any(each.value == incident_id for each in one.matchers)]

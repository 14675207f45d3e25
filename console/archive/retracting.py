"""Retracting: what somebody took back is let go of, in everything that the console keeps."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from console.archive.database import parts
from console.archive.numbers import numbers
from console.archive.revisions import move
from console.archive.tables import evidence, report, tombstone
from console.archive.words import Grave, author_grave, blank_quotes, graves_of, post_grave, post_id_of
from console.live.hub import Change
from records import Retraction


class Gone(NamedTuple):
    """Words that are let go of."""

    incident_id: str
    url: str | None


async def take_retractions(connection: AsyncConnection, retractions: Sequence[Retraction]) -> list[Change]:
    """Let go of what retractions name, and enter them, so that it does not come back; return what changed."""
    wanted: dict[str, Retraction] = {}
    for one in retractions:
        if one.name and (_grave_of(one) not in wanted or _rank(_entry(wanted[_grave_of(one)])) < _rank(_entry(one))):
            wanted[_grave_of(one)] = one
    known = await graves_of(connection, wanted)
    new = {name: one for name, one in wanted.items() if name not in known or _rank(known[name]) < _rank(_entry(one))}
    if not new:
        return []
    await _enter(connection, new, known)
    gone = [row for one in new.values() for row in await _let_go(connection, one)]
    await blank_quotes(connection, (row.url for row in gone))
    await _blank_reports(connection, [one.post_key for one in new.values() if one.post_key and not one.unless])
    incidents = sorted({row.incident_id for row in gone})
    changed = dict(zip(incidents, await numbers(connection, "change", len(incidents)), strict=True))
    await move(connection, changed)
    return [Change("incident", incident_id) for incident_id in changed]


def _grave_of(one: Retraction) -> str:
    return post_grave(post_id_of(one.post_key)) if one.post_key else author_grave(one.author_id)


def _entry(one: Retraction) -> Grave:
    return Grave(one.at, one.unless if one.post_key else "")


def _rank(grave: Grave) -> tuple[object, ...]:
    """Return what orders retractions of one name: the newest holds; of two at once, the one that leaves nothing."""
    return grave.at, grave.unless == "", grave.unless


async def _enter(connection: AsyncConnection, new: Mapping[str, Retraction], known: Collection[str]) -> None:
    entries = {name: _entry(one) for name, one in new.items()}
    first = [{"name": name, **one._asdict()} for name, one in entries.items() if name not in known]
    later = [{"of": name, **one._asdict()} for name, one in entries.items() if name in known]
    if first:
        await connection.execute(insert(tombstone), first)
    if later:
        changing = update(tombstone).where(tombstone.c.name == bindparam("of"))
        await connection.execute(changing.values(at=bindparam("at"), unless=bindparam("unless")), later)


async def _let_go(connection: AsyncConnection, one: Retraction) -> list[Gone]:
    """Let go of the words that a retraction names."""
    rows = await connection.execute(
        delete(evidence).where(_names(one)).returning(evidence.c.incident_id, evidence.c.url)
    )
    return [Gone(row.incident_id, row.url) for row in rows]


def _names(one: Retraction) -> ColumnElement[bool]:
    columns = evidence.c
    if not one.post_key:
        return (columns.author_id == one.author_id) & (columns.event_time <= one.at)
    of_post = columns.post_id == post_id_of(one.post_key)
    return of_post & (columns.words != one.unless) if one.unless else of_post


async def _blank_reports(connection: AsyncConnection, post_keys: Iterable[str]) -> None:
    """Take the words from reports that were taken back themselves."""
    for part in parts(post_keys):
        of_them = report.c.post_key.in_(part)
        await connection.execute(
            update(report).where(of_them).values(text="", photo_note="", url=None, is_withdrawn=True)
        )

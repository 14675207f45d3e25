"""Missed incidents: what happened and Vigie never told of, as an analyst notes it afterwards. They can be taken back.

They are what recall is reckoned with, and truth for whoever replays the past.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from console.access.visitor import Visitor
from console.archive import audit
from console.archive.database import writing
from console.archive.tables import missed as table
from console.archive.words import storable
from records import Place
from records.signal import Hazard
from records.truth import TrueIncident

KNOWN_BY: Mapping[str, str] = {
    "emergency_services": "the emergency services",
    "caller": "a caller",
    "authority": "an authority",
    "site_operator": "the site’s operator",
    "staff": "our own staff",
    "press": "the press",
    "other": "another way",
}
"""How it became known: a way, never anybody's name."""
BEGINNING = "missed:"
"""Of its id among true incidents: no page is about it."""


@dataclass(frozen=True, kw_only=True)
class Missed:
    """Something that happened, and of which Vigie told nobody."""

    missed_id: str
    hazard: Hazard
    place: Place
    began_at: datetime
    known_by: str
    words: str
    made_by: str
    made_at: datetime
    withdrawn_by: str  # "": it stands


async def missed(engine: AsyncEngine, since: datetime, until: datetime) -> list[Missed]:
    """Return what was missed that began in a span, the last first; not what was taken back."""
    columns = table.c
    stands = (columns.began_at >= since) & (columns.began_at < until) & (columns.withdrawn_by == "")
    wanted = select(table).where(stands)
    async with engine.connect() as connection:
        rows = await connection.execute(wanted.order_by(columns.began_at.desc(), columns.missed_id))
        return [_from(row) for row in rows]


def _from(row: Any) -> Missed:
    return Missed(**{**row._mapping, "place": msgspec.convert(row.place, Place)})


async def declare(engine: AsyncEngine, visitor: Visitor, new: Missed) -> None:
    """Note a missed incident; sent twice, it is one."""
    async with writing(engine) as connection:
        known = select(table.c.missed_id).where(table.c.missed_id == new.missed_id)
        if await connection.scalar(known) is not None:
            return
        await connection.execute(
            insert(table).values(
                missed_id=new.missed_id,
                hazard=new.hazard,
                place=msgspec.to_builtins(new.place),
                began_at=new.began_at,
                known_by=new.known_by,
                words=storable(new.words),
                made_by=storable(new.made_by),
                made_at=new.made_at,
                withdrawn_by="",
            )
        )
        detail = {"hazard": new.hazard, "place": new.place.name, "began_at": new.began_at, "known_by": new.known_by}
        await audit.note(
            connection,
            actor=visitor.name,
            action="missed_declared",
            object_=new.missed_id,
            detail=detail,
            at=new.made_at,
        )


async def withdraw(engine: AsyncEngine, visitor: Visitor, missed_id: str, now: datetime) -> bool:
    """Take a missed incident back, and its words away; tell whether one stood."""
    stands = (table.c.missed_id == missed_id) & (table.c.withdrawn_by == "")
    async with writing(engine) as connection:
        done = await connection.execute(
            update(table).where(stands).values(withdrawn_by=storable(visitor.name), words="")
        )
        if done.rowcount:
            await audit.note(
                connection,
                actor=visitor.name,
                action="missed_withdrawn",
                object_=missed_id,
                detail={},
                at=now,
            )
    return bool(done.rowcount)


async def missed_truth(engine: AsyncEngine, since: datetime, until: datetime) -> tuple[TrueIncident, ...]:
    """Return what was missed in a span as truth, for whoever replays it."""
    return tuple(truth_from(await missed(engine, since, until)))


def truth_from(found: Iterable[Missed]) -> Iterable[TrueIncident]:
    """Yield missed incidents as truth: by hazard, place and time alone, for nobody knows its posts."""
    for one in found:
        yield TrueIncident(
            incident_id=f"{BEGINNING}{one.missed_id}",
            hazard=one.hazard,
            place=one.place,
            began_at=one.began_at,
            label={"fr": one.place.name, "en": one.place.name},
        )

"""Recall, where it can be known: of what became known without Vigie's public posts, how much these spoke of as well.

Two kinds of incidents became known another way, so that they say something of what Vigie would have missed: those whose
first revision rests on reports taken in by hand alone, and that people confirmed; and those that an analyst noted as
missed. Of the first kind public posts spoke where one is shown among the evidence: whether they would have raised it by
themselves a replay without reports can tell, this cannot. So the share is what recall is at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from console.archive.database import parts
from console.archive.rulings import standing
from console.archive.tables import incident, revision
from console.reports.intake import SOURCE
from console.trust.missed import Missed, missed
from records import Alert, decode
from records.share import Share, share_of

FIRST = 1


@dataclass(frozen=True)
class Recall:
    """Of what became known another way, what public posts spoke of."""

    name: str  # hazard; "": all
    spoken_of: Share
    reported: int  # of the cases, those that reports opened
    missed: int  # of the cases, those that were noted as missed


async def recall(engine: AsyncEngine, since: datetime, until: datetime) -> list[Recall]:
    """Return the recall of what began in a span, of all hazards together and of each; empty where nothing is known."""
    async with engine.connect() as connection:
        opened = [one for one in await _opened_by_report(connection, since) if since <= one.onset < until]
    noted = await missed(engine, since, until)
    hazards = sorted({one.hazard for one in opened} | {one.hazard for one in noted})
    if not hazards:
        return []
    return [
        _recall("", opened, noted),
        *(
            _recall(hazard, [one for one in opened if one.hazard == hazard], [m for m in noted if m.hazard == hazard])
            for hazard in hazards
        ),
    ]


def _recall(name: str, opened: Sequence[Alert], noted: Sequence[Missed]) -> Recall:
    spoken_of = sum(any(not _is_report(one.post_key) for one in alert.evidence) for alert in opened)
    return Recall(name, share_of(spoken_of, len(opened) + len(noted)), len(opened), len(noted))


async def _opened_by_report(connection: AsyncConnection, since: datetime) -> list[Alert]:
    """Return the newest revision of each confirmed incident whose first one rests on reports alone."""
    confirmed = [name for name, one in (await standing(connection, since)).items() if one.verdict.decision == "confirm"]
    found: list[Alert] = []
    for part in parts(confirmed):
        columns = revision.c
        firsts = await _alerts(connection, columns.incident_id.in_(part) & (columns.revision == FIRST))
        opened = {
            name for name, one in firsts.items() if one.evidence and all(_is_report(e.post_key) for e in one.evidence)
        }
        newest = await _alerts(connection, columns.incident_id.in_(opened) & (columns.revision == incident.c.revision))
        found += newest.values()
    return found


async def _alerts(connection: AsyncConnection, which: ColumnElement[bool]) -> dict[str, Alert]:
    wanted: Any = select(revision.c.record).join(incident, incident.c.incident_id == revision.c.incident_id)
    found = [decode(row, Alert) for row in await connection.scalars(wanted.where(which))]
    return {one.incident_id: one for one in found}


def _is_report(post_key: str) -> bool:
    return post_key.startswith(f"{SOURCE}:")

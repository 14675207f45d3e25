"""Privacy figures: for how long what is kept, how old the oldest of it is, and who took what out lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive import audit, keeping
from console.archive.counts import READ_AGAIN
from console.archive.tables import audit as table
from console.archive.words import WORDS_KEPT

LATELY = timedelta(days=30)
LATE = timedelta(hours=2)
"""What is that much older than promised should have gone: it is looked every hour."""
LOOKED_AT = "link_shown"
EXPORTS = "%\\_exported"


@dataclass(frozen=True)
class Kept:
    """One kind of thing."""

    kind: str
    kept: timedelta | None  # None: as long as the console is
    oldest: datetime | None  # None: there is none
    is_late: bool


def limits(incidents_kept: timedelta) -> dict[str, timedelta | None]:
    """Return for how long each kind of thing is kept."""
    return {
        "words": WORDS_KEPT,
        "incidents": incidents_kept,
        "decisions": incidents_kept,
        "notifications": incidents_kept,
        "messages": incidents_kept,
        "verifications": incidents_kept,
        "reports": incidents_kept,
        "missed": incidents_kept,
        "bulletins": incidents_kept,
        "silences": incidents_kept,
        "digests": incidents_kept,
        "sources": incidents_kept,
        "candidates": incidents_kept,
        "promotions": incidents_kept,
        "trials": incidents_kept,
        "signals": READ_AGAIN,
        "rates": keeping.RATES_KEPT,
        "pulses": keeping.PULSES_KEPT,
        "tombstones": WORDS_KEPT,
        "sessions": None,
        "audit": None,
    }


UNSURE = frozenset(
    {"incidents", "decisions", "notifications", "messages", "verifications", "sources", "promotions", "signals"}
)
"""Kept from the last that was told of an incident, or as long as it holds: the oldest may be older than the period."""


async def kept(engine: AsyncEngine, now: datetime, incidents_kept: timedelta) -> list[Kept]:
    """Return all kinds of things that are kept."""
    oldest = await keeping.oldest(engine)
    return [
        Kept(kind, limit, oldest.get(kind), _is_late(kind, limit, oldest.get(kind), now))
        for kind, limit in limits(incidents_kept).items()
    ]


def _is_late(kind: str, limit: timedelta | None, oldest: datetime | None, now: datetime) -> bool:
    return kind not in UNSURE and limit is not None and oldest is not None and oldest < now - limit - LATE


async def last_purge(engine: AsyncEngine) -> audit.Entry | None:
    """Return what was let go of for the last time, None where nothing ever was."""
    found = await audit.entries(engine, action="purged", most=1)
    return found[0] if found else None


async def exports(engine: AsyncEngine, now: datetime) -> Sequence[tuple[str, int]]:
    """Return what was exported lately, and how many times."""
    columns = table.c
    wanted = select(columns.action, func.count()).where(columns.action.like(EXPORTS, escape="\\"))
    return await _counted(engine, wanted.where(columns.at >= now - LATELY).group_by(columns.action))


async def lookers(engine: AsyncEngine, now: datetime) -> Sequence[tuple[str, int]]:
    """Return who had the link to a post shown lately, and how many times."""
    columns = table.c
    wanted = select(columns.actor, func.count()).where((columns.action == LOOKED_AT) & (columns.at >= now - LATELY))
    return await _counted(engine, wanted.group_by(columns.actor))


async def _counted(engine: AsyncEngine, wanted: Select[Any]) -> Sequence[tuple[str, int]]:
    async with engine.connect() as connection:
        rows = await connection.execute(wanted)
        return sorted((row[0], row[1]) for row in rows)

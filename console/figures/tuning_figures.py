"""Tuning figures: how often Vigie spoke lately, and what people made of it.

Units   days and weeks on the zone's clock, by when a level was first reached; shares come with how far they may be off
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive.dossier import Decided
from console.archive.rulings import standing
from console.archive.tables import revision
from records.share import wilson

DAY = timedelta(days=1)
DAYS_A_WEEK = 7
LAST = 100
"""So many of the last rulings are counted."""
FEW = 10
"""Of fewer cases no share is told."""
REACHED = {"watch": ("watch", "alert", "confirmed"), "alert": ("alert",)}
"""By which levels an incident counts: whatever went past a watch was one."""


@dataclass(frozen=True)
class Day:
    """What was told on one day."""

    day: date
    watches: int
    alerts: int


@dataclass(frozen=True)
class Week:
    """What was told in seven days, the last of which is given."""

    until: date
    days: int  # of it that are over, or on
    watches: int
    alerts: int


@dataclass(frozen=True)
class Ruled:
    """What people decided of the last incidents, of all hazards or of one."""

    hazard: str  # "": all
    cases: int
    rejected: int

    @property
    def between(self) -> tuple[float, float] | None:
        """Between which shares the rejected ones lie; None where there are too few cases to tell any."""
        return wilson(self.rejected, self.cases) if self.cases >= FEW else None


async def days(engine: AsyncEngine, number: int, zone: str, now: datetime) -> list[Day]:
    """Return so many days, today the last, each with the incidents that first reached a level in it."""
    today = now.astimezone(ZoneInfo(zone)).date()
    first = today - (number - 1) * DAY
    since = datetime.combine(first, datetime.min.time(), ZoneInfo(zone))
    counts = {name: await _reached(engine, levels, since, now, zone) for name, levels in REACHED.items()}
    shown = (first + ahead * DAY for ahead in range(number))
    return [Day(day, counts["watch"][day], counts["alert"][day]) for day in shown]


async def _reached(
    engine: AsyncEngine, levels: Sequence[str], since: datetime, until: datetime, zone: str
) -> Counter[date]:
    """Count, by day, the incidents that first reached one of these levels then."""
    columns = revision.c
    first = func.min(columns.raised_at).label("first")
    wanted = select(first).where(columns.level.in_(levels)).group_by(columns.incident_id)
    async with engine.connect() as connection:
        moments = await connection.scalars(wanted.having(first >= since).having(first <= until))
        return Counter(moment.astimezone(ZoneInfo(zone)).date() for moment in moments)


def weeks(found: Sequence[Day]) -> list[Week]:
    """Return days by sevens, the newest first."""
    ends = range(len(found), 0, -DAYS_A_WEEK)
    parts = (found[max(0, end - DAYS_A_WEEK) : end] for end in ends)
    return [
        Week(part[-1].day, len(part), sum(one.watches for one in part), sum(one.alerts for one in part))
        for part in parts
    ]


async def rulings(engine: AsyncEngine) -> list[Ruled]:
    """Return how many of the last incidents that people ruled on they rejected, all together and by hazard."""
    async with engine.connect() as connection:
        found = await standing(connection)
    last = sorted(found.values(), key=lambda one: one.verdict.decided_at)[-LAST:]
    hazards = sorted({one.verdict.hazard for one in last})
    return [
        _ruled("", last),
        *(_ruled(hazard, [one for one in last if one.verdict.hazard == hazard]) for hazard in hazards),
    ]


def _ruled(hazard: str, found: Sequence[Decided]) -> Ruled:
    return Ruled(hazard, len(found), sum(one.verdict.decision == "reject" for one in found))

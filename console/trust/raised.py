"""Raised: one row an incident that Vigie told people of, with what they made of it.

What people confirmed by hand before Vigie told them of it is none of these; see `recall.py`.

Shape   the archive in, one row for each incident whose first watch or alert fell into a span
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, Subquery, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from console.archive.dossier import Decided
from console.archive.rulings import standing
from console.archive.tables import incident, revision
from console.deciding.rejection import FREE, rejected_as
from records import Alert, decode
from records.alert import OVER
from records.signal import Hazard

Ruling = Literal["true", "false", ""]
MEANS: Mapping[str, Ruling] = {"confirm": "true", "reject": "false"}
TOLD = ("watch", "alert")
"""Levels by which people are told; what is confirmed by hand Vigie did not raise."""


@dataclass(frozen=True, kw_only=True)
class Raised:
    """One incident, as it stood when people were first told of it, and what became of it."""

    incident_id: str
    hazard: Hazard  # of the state that raised it, whatever people made of it since
    area: str
    place: str
    onset: datetime  # as it is estimated by now
    watch_at: datetime  # event time of the first watch, or of an alert before any
    alert_at: datetime | None
    ended_at: datetime | None
    official_at: datetime | None  # the first word of an authority
    probability: float  # that it was one, as told with the watch
    score: float
    platforms: frozenset[str]  # of the posts shown with the watch
    profile: str  # name/version
    detector: str
    model: str
    ruling: Ruling  # "": nobody confirmed or rejected it
    why: str  # code of why it was rejected

    def week(self, zone: str) -> str:
        """Return the week of the watch by the clock of a zone, as 2026-W48."""
        year, week, _ = self.watch_at.astimezone(ZoneInfo(zone)).isocalendar()
        return f"{year}-W{week:02}"


async def raised(engine: AsyncEngine, since: datetime, until: datetime) -> list[Raised]:
    """Return the incidents of which people were first told in a span, in that order."""
    async with engine.connect() as connection:
        watches = await _alerts(connection, _records(_first_of(TOLD)).where(_within(since, until)))
        alerts = await _alerts(connection, _records(_first_of(("alert",))).where(revision.c.raised_at >= since))
        newest = await _alerts(connection, _newest_of(since, until))
        rulings = await standing(connection, since)
    found = [
        _raised(watch, alerts.get(name), newest.get(name, watch), rulings.get(name)) for name, watch in watches.items()
    ]
    return sorted(found, key=lambda one: (one.watch_at, one.incident_id))


def _first_of(levels: Iterable[str]) -> Subquery:
    """Return what finds the number of the first revision at one of some levels, of each incident."""
    columns = revision.c
    first = select(columns.incident_id, func.min(columns.revision).label("revision"))
    return first.where(columns.level.in_(tuple(levels))).group_by(columns.incident_id).subquery()


def _of(firsts: Subquery) -> ColumnElement[bool]:
    return (revision.c.incident_id == firsts.c.incident_id) & (revision.c.revision == firsts.c.revision)


def _within(since: datetime, until: datetime) -> ColumnElement[bool]:
    return (revision.c.raised_at >= since) & (revision.c.raised_at < until)


def _records(firsts: Subquery) -> Select[Any]:
    return select(revision.c.record).join(firsts, _of(firsts))


def _newest_of(since: datetime, until: datetime) -> Select[Any]:
    """Return what finds the newest revision of the incidents of which people were first told in a span."""
    firsts = _first_of(TOLD)
    told = select(revision.c.incident_id).join(firsts, _of(firsts)).where(_within(since, until))
    newest = revision.alias("newest")
    of_it = (newest.c.incident_id == incident.c.incident_id) & (newest.c.revision == incident.c.revision)
    return select(newest.c.record).join(incident, of_it).where(newest.c.incident_id.in_(told))


async def _alerts(connection: AsyncConnection, wanted: Select[Any]) -> dict[str, Alert]:
    found = [decode(row, Alert) for row in await connection.scalars(wanted)]
    return {one.incident_id: one for one in found}


def _raised(watch: Alert, alert: Alert | None, newest: Alert, ruling: Decided | None) -> Raised:
    verdict = ruling.verdict if ruling else None
    return Raised(
        incident_id=watch.incident_id,
        hazard=watch.state_hazard,
        area=watch.area or watch.place.area,
        place=newest.place.name,
        onset=newest.onset,
        watch_at=watch.raised_at,
        alert_at=alert.raised_at if alert else None,
        ended_at=newest.raised_at if newest.level in OVER else None,
        official_at=newest.clock.first_authority if newest.clock else None,
        probability=watch.probability,
        score=watch.score,
        platforms=frozenset(one.platform for one in watch.evidence if one.platform),
        profile=watch.profile,
        detector=watch.versions.get("detector", ""),
        model=watch.versions.get("hazard", ""),
        ruling=MEANS[verdict.decision] if verdict else "",
        why=rejected_as(verdict.reason) or FREE if verdict and verdict.decision == "reject" else "",
    )

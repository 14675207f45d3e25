"""Reports: what people reported here, and how far each has come on its way to whoever counts posts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive import looking, tables
from console.archive.database import parts
from console.archive.dossier import Report
from console.reports.intake import PLATFORM, RADIUS_KM, SeenBy, Spot, Told, What
from records import Alert
from records.report import Credibility

LATEST = 20


@dataclass(frozen=True, kw_only=True)
class Filed:
    """One report, as it stands."""

    told: Told
    post_key: str
    made_by: str
    made_at: datetime
    is_withdrawn: bool

    @property
    def post_id(self) -> str:
        """The id of its post."""
        return self.post_key.partition(":")[2]


def row_of(filed: Filed) -> dict[str, Any]:
    """Return a report as a row of its table."""
    told, spot = filed.told, filed.told.spot
    return {
        "report_id": told.report_id,
        "post_key": filed.post_key,
        "what": told.what,
        "text": told.words,
        "place": {"name": spot.name, "lat": spot.lat, "lon": spot.lon, "radius_km": spot.radius_km},
        "seen_by": told.seen_by,
        "credibility": told.credibility,
        "seen_at": told.seen_at,
        "url": told.url or None,
        "photo_note": told.photo_note,
        "made_by": filed.made_by,
        "made_at": filed.made_at,
        "is_withdrawn": filed.is_withdrawn,
    }


def filed_from(row: Report) -> Filed:
    """Return a report as it stands in the archive."""
    place: Mapping[str, Any] = row.place
    is_point = place["radius_km"] <= RADIUS_KM["point"]
    spot = Spot(name=place["name"], lat=place["lat"], lon=place["lon"], accuracy="point" if is_point else "place")
    told = Told(
        report_id=row.report_id,
        what=cast(What, row.what),
        words=row.text,
        spot=spot,
        seen_by=cast(SeenBy, row.seen_by),
        credibility=cast(Credibility, row.credibility),
        seen_at=row.seen_at,
        url=row.url or "",
        photo_note=row.photo_note,
    )
    return Filed(
        told=told, post_key=row.post_key, made_by=row.made_by, made_at=row.made_at, is_withdrawn=row.is_withdrawn
    )


async def filed(engine: AsyncEngine, report_id: str) -> Filed | None:
    """Return a report, None where there is none of this id."""
    found = await _found(engine, tables.report.c.report_id == report_id)
    return found[0] if found else None


async def filed_all(engine: AsyncEngine, report_ids: Iterable[str]) -> dict[str, Filed]:
    """Return each of these reports, by its id; of what is not known, nothing."""
    found = [
        one for part in parts(set(report_ids)) for one in await _found(engine, tables.report.c.report_id.in_(part))
    ]
    return {one.told.report_id: one for one in found}


async def latest(engine: AsyncEngine, most: int = LATEST) -> list[Filed]:
    """Return the latest reports, newest first."""
    columns = tables.report.c
    last = select(columns.report_id).order_by(columns.made_at.desc(), columns.report_id).limit(most)
    return (await _found(engine, columns.report_id.in_(last)))[::-1]


async def _found(engine: AsyncEngine, which: ColumnElement[bool]) -> list[Filed]:
    async with engine.connect() as connection:
        return [filed_from(one) for one in await looking.reports(connection, which)]


async def is_waiting(engine: AsyncEngine, post_key: str) -> bool:
    """Tell whether the broker does not have something of a report yet."""
    outgoing = tables.outgoing.c
    query = select(outgoing.sequence).where(outgoing.kind == "post", outgoing.object == post_key).limit(1)
    async with engine.connect() as connection:
        return (await connection.execute(query)).first() is not None


def shown_in(alerts: Iterable[Alert], report_id: str) -> list[Alert]:
    """Return the incidents that show a report among their posts, as it is or as it was before a correction."""
    key = f"{PLATFORM}:{report_id}"
    return [alert for alert in alerts if any(one.post_key.partition(".")[0] == key for one in alert.evidence)]

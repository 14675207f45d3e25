"""Rows: an incident as one line of the situation, and as one feature of its map."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from console.live.tending import Tended
from records import Alert
from records.alert import OVER, Level
from records.place import PlaceLevel

ORDER: tuple[Level, ...] = ("confirmed", "alert", "watch", "monitoring", "signal", "resolved", "rejected")
ALERTS = frozenset({"alert", "confirmed"})
FINE: frozenset[PlaceLevel] = frozenset({"point", "site", "quartier", "commune"})
"""Levels at which one place among several is no place yet."""
Precision = PlaceLevel | Literal["unknown"]


@dataclass(frozen=True)
class Row:
    """One incident as the situation shows it."""

    alert: Alert
    tended: Tended | None

    @property
    def href(self) -> str:
        """The address of its page."""
        return f"/incidents/{quote(self.alert.incident_id, safe='')}"

    @property
    def rank(self) -> int:
        """Where it stands in the list: less is higher; an alert that nobody looks after stands above all others."""
        if self.alert.level == "alert" and self.tended is None:
            return 0
        return 1 + 2 * self.height + (self.tended is not None)

    @property
    def height(self) -> int:
        """How high its level is, whoever looks after it: less is higher."""
        return ORDER.index(self.alert.level)

    @property
    def is_alert(self) -> bool:
        """Whether it is one of those that a page counts in its title."""
        return self.alert.level in ALERTS

    @property
    def is_over(self) -> bool:
        """Whether nobody has to look any more."""
        return self.alert.level in OVER

    @property
    def precision(self) -> Precision:
        """How precisely its place is known."""
        return precision_of(self.alert)

    @property
    def silent_since(self) -> datetime | None:
        """Since when no authority has spoken; None where one has, or where nobody counts."""
        clock = self.alert.clock
        return self.alert.onset if clock is not None and clock.first_authority is None else None


def precision_of(alert: Alert) -> Precision:
    """Return how precisely the place of an incident is known; "unknown" where it is one place among several."""
    return "unknown" if "place_uncertain" in alert.unknowns and alert.place.level in FINE else alert.place.level


def ordered(rows: Iterable[Row]) -> list[Row]:
    """Return rows in order, the newest first among equals."""
    return sorted(rows, key=lambda one: (one.rank, -one.alert.raised_at.timestamp(), one.alert.incident_id))


def feature_of(row: Row) -> dict[str, Any]:
    """Return an incident as GeoJSON; whose place is not known has no geometry."""
    alert = row.alert
    place = alert.place
    is_known = row.precision != "unknown"
    return {
        "type": "Feature",
        "id": alert.incident_id,
        "geometry": {"type": "Point", "coordinates": [place.lon, place.lat]} if is_known else None,
        "properties": {
            "id": alert.incident_id,
            "level": alert.level,
            "hazard": alert.hazard,
            "precision": row.precision,
            "name": place.name,
            "radius_km": place.radius_km,
            "href": row.href,
        },
    }

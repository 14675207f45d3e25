"""GeoJSON: incidents as features of a map.

Units   positions are longitude, then latitude, degrees WGS84
Source  RFC 7946; where a place is not known the geometry is null, and no centre of anything stands in for it
"""

from datetime import datetime
from typing import Literal

from console.api.answers import Answer, IncidentAnswer, Unheard
from records.alert import Level
from records.place import PlaceLevel, PlaceSource
from records.signal import Hazard


class Point(Answer, frozen=True, kw_only=True):
    """A position."""

    type: Literal["Point"] = "Point"
    coordinates: tuple[float, float]


class Properties(Answer, frozen=True, kw_only=True):
    """What is told of a feature: above all how far its position is to be trusted."""

    name: str
    precision: PlaceLevel | Literal["unknown"]
    radius_km: float
    provenance: PlaceSource  # whence the position is known
    confidence: float
    level: Level
    hazard: Hazard
    revision: int
    onset: datetime
    posts: int
    witnesses: int


class Feature(Answer, frozen=True, kw_only=True):
    """One incident."""

    type: Literal["Feature"] = "Feature"
    id: str
    geometry: Point | None
    properties: Properties


class FeatureCollection(Answer, frozen=True, kw_only=True):
    """Incidents; with what must be known of their absence."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: tuple[Feature, ...]
    next_offset: int | None
    listening: int
    blind: tuple[Unheard, ...]
    is_filling: bool


def feature_from(incident: IncidentAnswer) -> Feature:
    """Return an incident as a feature."""
    place = incident.place
    return Feature(
        id=incident.incident_id,
        geometry=Point(coordinates=(place.lon, place.lat)) if place.lon is not None and place.lat is not None else None,
        properties=Properties(
            name=place.name,
            precision=place.precision,
            radius_km=place.radius_km,
            provenance=place.source,
            confidence=place.confidence,
            level=incident.level,
            hazard=incident.hazard,
            revision=incident.revision,
            onset=incident.onset,
            posts=incident.posts,
            witnesses=incident.witnesses,
        ),
    )

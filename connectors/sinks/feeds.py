"""Feeds: all incidents at a glance, as GeoJSON for maps and as Atom with GeoRSS for readers, in a folder.

Shape   incidents.geojson: one feature an incident, its newest revision; incidents.atom: one entry an incident, under
        an id that stays. Both are whole or not there. What incidents.geojson holds is read at the start: it is the
        memory. No words of posts, only their own ids; those taken back are in it no more with the next revision
Units   longitude first in GeoJSON, latitude first in GeoRSS, degrees WGS84; radii in km, in GeoRSS metres.
        What is over leaves after `keep`; of the rest, what nobody has said anything of for a month
Errors  TryLater when the disk will not have it; SettingsError for an incidents.geojson that is not ours
Source  RFC 7946; RFC 4287; GeoRSS-Simple 1.0
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import msgspec

from connectors.sinks.atom import Circle, Entry, feed_from, urn_of
from connectors.sinks.contract import post_id_of
from connectors.sinks.folder import FolderSink, write_whole
from connectors.sinks.wording import WORDS, Language, explained, link_to, not_known, shown, subject
from records import Alert, Clock, Place, SettingsError

GEOJSON: Final = "incidents.geojson"
ATOM: Final = "incidents.atom"
SILENT_FOR: Final = timedelta(days=30)
CLOSED: Final = ("resolved", "rejected")
TITLES: Final[Mapping[Language, str]] = {
    "fr": "Vigie : incidents signalés, à vérifier",
    "en": "Vigie: incidents reported, to be verified",
}


class Point(msgspec.Struct, frozen=True):
    """A position, longitude first."""

    coordinates: tuple[float, float]
    type: Literal["Point"] = "Point"


class Properties(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of an incident; nothing but this leaves."""

    incident_id: str
    revision: int
    level: str
    hazard: str
    severity: str
    urgency: str
    certainty: str
    title: str
    place: str
    insee: str | None
    dep: str | None
    precision: str  # the level of the place: "commune"
    provenance: str  # where it was taken from: "text"
    radius_km: float
    confidence: float
    onset: datetime
    raised_at: datetime
    updated_at: datetime
    probability: float
    posts: int
    authors: int
    witnesses: int
    copies: int
    explanation: dict[str, str]
    summary: str
    unknowns: tuple[str, ...]
    evidence: tuple[str, ...]  # the posts' own ids
    joins: str
    url: str


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """One incident."""

    type: Literal["Feature"] = "Feature"
    id: str
    geometry: Point | None
    properties: Properties


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, newest first."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: tuple[Feature, ...]


class Feeds(FolderSink):
    """Keeps both files; one process at a time."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock,
        name: str = "feeds",
        base_url: str = "",
        page_url: str = "",
        language: Language = "fr",
        keep: timedelta = timedelta(days=2),
    ) -> None:
        super().__init__(folder, clock=clock, name=name, tidied_at=clock.now())
        self._base_url = base_url.rstrip("/")
        self._page_url = page_url
        self._language: Language = language
        self._keep = keep
        self._features = features_from(folder / GEOJSON)
        self.documents: Mapping[str, bytes] = {}  # by the name of the file, as they were last written
        self._tidy()

    def _send(self, alert: Alert) -> None:
        known = self._features.get(alert.incident_id)
        if known is None and alert.level in CLOSED:
            return  # it left already, or nobody was told of it
        features = dict(self._features)
        if known is None or alert.revision > known.properties.revision:
            updated_at = self._clock.now().replace(microsecond=0)
            if known is not None:  # it moves, whatever our clock does
                updated_at = max(updated_at, known.properties.updated_at + timedelta(seconds=1))
            url = link_to(alert.incident_id, self._page_url)
            features[alert.incident_id] = feature_from(alert, self._language, updated_at=updated_at, url=url)
        self._write(features)

    def _tidy(self) -> None:
        now = self._clock.now()
        self._write({name: feature for name, feature in self._features.items() if not self._is_over(feature, now)})

    def _is_over(self, feature: Feature, now: datetime) -> bool:
        is_closed = feature.properties.level in CLOSED
        return now - feature.properties.updated_at > (self._keep if is_closed else max(self._keep, SILENT_FOR))

    def _write(self, features: dict[str, Feature]) -> None:
        """Put both files in their places, those that have changed; the memory is the first."""
        newest = sorted(features.values(), key=lambda one: (one.properties.updated_at, one.id), reverse=True)
        documents = {
            GEOJSON: msgspec.json.format(msgspec.json.encode(Features(features=tuple(newest))), indent=1),
            ATOM: self._atom(newest),
        }
        for name, document in documents.items():
            if self.documents.get(name) != document:
                write_whole(self._folder / name, document)
        self._features, self.documents = features, documents

    def _atom(self, newest: list[Feature]) -> bytes:
        return feed_from(
            [entry_from(feature) for feature in newest],
            id=urn_of(self._base_url or self.name, ATOM),
            title=TITLES[self._language],
            link=f"{self._base_url}/{ATOM}" if self._base_url else "",
            updated_at=newest[0].properties.updated_at if newest else self._clock.now(),
        )


def feature_from(alert: Alert, language: Language, *, updated_at: datetime, url: str) -> Feature:
    """Return a revision as a feature."""
    place, words = alert.place, WORDS[language]
    return Feature(
        id=alert.incident_id,
        geometry=point_of(place),
        properties=Properties(
            incident_id=alert.incident_id,
            revision=alert.revision,
            level=alert.level,
            hazard=alert.hazard,
            severity=alert.severity,
            urgency=alert.urgency,
            certainty=alert.certainty,
            title=subject(alert, words),
            place=shown(place.name),
            insee=place.insee,
            dep=place.dep,
            precision=place.level,
            provenance=place.source,
            radius_km=place.radius_km,
            confidence=place.confidence,
            onset=alert.onset,
            raised_at=alert.raised_at,
            updated_at=updated_at,
            probability=alert.probability,
            posts=alert.posts,
            authors=alert.authors,
            witnesses=alert.witnesses,
            copies=alert.copies,
            explanation=alert.explanation,
            summary=" ".join(filter(None, (explained(alert, language), not_known(alert, words)))),
            unknowns=alert.unknowns,
            evidence=evidence_of(alert),
            joins=alert.joins,
            url=url,
        ),
    )


def evidence_of(alert: Alert) -> tuple[str, ...]:
    """Return the ids of the posts behind an open incident; those taken back are not among them."""
    if alert.level in CLOSED:  # nothing is left to be verified
        return ()
    return tuple(post_id_of(item.post_key) for item in alert.evidence if not item.is_removed)


def point_of(place: Place) -> Point | None:
    """Return where a place is on a map; None where that would be the middle of a large area, or a guess."""
    return Point((round(place.lon, 5), round(place.lat, 5))) if place.is_point else None


def entry_from(feature: Feature) -> Entry:
    """Return a feature as an entry of a feed."""
    said, point = feature.properties, feature.geometry
    return Entry(
        id=urn_of("incident", said.incident_id),
        title=said.title,
        updated_at=said.updated_at,
        content=said.summary or said.title,
        link=said.url,
        categories=(said.hazard, said.level),
        place=said.place,
        circle=Circle(point.coordinates[1], point.coordinates[0], 1000 * said.radius_km) if point else None,
    )


def features_from(path: Path) -> dict[str, Feature]:
    """Return what a file of ours holds; nothing where there is none.

    Errors  SettingsError when it is somebody else's
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Features)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(
            f"{path}: cannot be read: {error.strerror}; give a folder that this user may use"
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(
            f"{path}: was not written by Vigie: {error}; move it away, or give another folder"
        ) from error
    return {feature.id: feature for feature in found.features}

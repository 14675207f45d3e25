"""Vigicrues: the flood vigilance of the State, one colour a reach of river, from one public map.

Shape   one reading a change of colour, or one a poll; the bulletin of a reach in several départements stands for each
Units   colours 1 to 4 of the map; positions in degrees WGS84, or in metres Lambert-93, which are converted
Errors  SourceUnavailable when the map cannot be had or is not renewed; MalformedRecord for what of it cannot be read,
        and when a reach that is asked for is not on it
Source  https://www.vigicrues.gouv.fr/services/v1.1 (InfoVigiCru); the SANDRE scenario VIC 1.1 names the fields;
        Lambert-93: IGN, NTG_71, "Projection cartographique conique conforme de Lambert"
"""

import math
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from connectors.contract import Observer
from connectors.sources.polling import (
    COLOURS,
    UNREADABLE,
    PolledSheet,
    Sheet,
    Statement,
    invalid,
    problem_of,
)
from records import Clock, MalformedRecord, Place, SettingsError
from records.time import in_utc

PATH: Final = "/services/InfoVigiCru.geojson"
PAGE: Final = "https://www.vigicrues.gouv.fr/"
MAX_BYTES = 32 << 20
MOST_REACHES = 5_000
MOST_POINTS = 20_000
FIELDS = frozenset({"CdEntCru", "cdentcru", "LbEntCru", "lbentcru", "NivInfViCr", "nivinfvicr"})
"""All that is read of a reach; the service has changed the case of these names before."""

AREA = re.compile(r"2A|2B|\d{2,3}")
_REACH = re.compile(r"[A-Za-z0-9_-]{1,20}")
_MAX_LAT, _MAX_LON = 90, 180
_KM_A_DEGREE = 111.2


class Feature(msgspec.Struct, frozen=True):
    """One reach as the map has it."""

    properties: dict[str, Any] = {}
    geometry: msgspec.Raw = msgspec.Raw(b"null")


class Map(msgspec.Struct, frozen=True, rename={"issued_at": "DtHrInfoVigiCru"}):
    """The map: all reaches of the country."""

    features: list[msgspec.Raw]
    issued_at: datetime


_map = msgspec.json.Decoder(Map)
_feature = msgspec.json.Decoder(Feature)


class Vigicrues(PolledSheet):
    """Reads the colours of the reaches that are asked for."""

    capabilities = PolledSheet.capabilities._replace(positions=True)

    def __init__(
        self,
        *,
        reaches: Mapping[str, Collection[str]],
        clock: Clock,
        observer: Observer,
        areas: Collection[str] = (),
        base_url: str = "https://www.vigicrues.gouv.fr",
        name: str = "vigicrues",
        poll_secs: float = 600.0,
        connect_secs: float = 20.0,
        longest_secs: float = 120.0,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._reaches = watched(reaches, areas)
        super().__init__(
            name=name,
            url=base_url.rstrip("/") + PATH,
            clock=clock,
            observer=observer,
            poll_secs=poll_secs,
            connect_secs=connect_secs,
            longest_secs=longest_secs,
            max_bytes=max_bytes,
            follows=True,  # the service moves its paths
        )

    def sheet_from(self, body: bytes) -> Sheet:
        """Take a map apart.

        Errors  MalformedRecord when it is none
        """
        return sheet_from(body, self._reaches)


def watched(reaches: Mapping[str, Collection[str]], areas: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the départements of each reach that are to be told, without the reaches that have none.

    Errors  SettingsError when nothing is left or a code is none
    """
    for code, deps in reaches.items():
        if isinstance(deps, str) or not _REACH.fullmatch(code) or not all(map(AREA.fullmatch, deps)):
            raise SettingsError(f"vigicrues: reaches.{code} = {deps!r}: want a code and départements: SA11 = ['76']")
    told = {code: tuple(dep for dep in deps if not areas or dep in areas) for code, deps in reaches.items()}
    kept = {code: deps for code, deps in told.items() if deps}
    if not kept:
        raise SettingsError(f"vigicrues: no reach of {sorted(reaches)} lies in the areas {sorted(areas)}")
    return kept


def sheet_from(body: bytes, reaches: Mapping[str, tuple[str, ...]]) -> Sheet:
    """Turn a map into the statements about the reaches that are asked for.

    Errors  MalformedRecord when it is no map
    """
    try:
        found = _map.decode(body)
        issued_at = in_utc(found.issued_at)
    except (MalformedRecord, *UNREADABLE) as error:
        raise invalid(error, b"", FIELDS) from error
    if len(found.features) > MOST_REACHES:
        raise MalformedRecord(f"a map of {len(found.features)} reaches", reason="too_long")
    statements: list[Statement] = []
    problems: list[MalformedRecord] = []
    missing = set(reaches)
    for raw in found.features:
        try:
            statement = statement_from(raw, reaches, issued_at, missing)
        except (MalformedRecord, *UNREADABLE) as error:
            problems.append(invalid(error, raw, FIELDS))
        else:
            statements += [statement] if statement else []
    if missing:
        problems.append(MalformedRecord(f"not on the map: {', '.join(sorted(missing))}", reason="invalid"))
    said = tuple(statements)
    return Sheet(issued_at, lambda _: said, problem_of(problems))


def statement_from(
    raw: msgspec.Raw, reaches: Mapping[str, tuple[str, ...]], issued_at: datetime, missing: set[str]
) -> Statement | None:
    """Turn a reach into a statement, or None when nobody asked for it; take it off those that are missing.

    Errors  MalformedRecord when its colour is none
    """
    feature = _feature.decode(raw)
    fields = {name.lower(): value for name, value in feature.properties.items()}
    code = fields.get("cdentcru")
    if not isinstance(code, str):
        raise MalformedRecord("a reach without a code", reason="invalid")
    if code not in missing:
        return None
    missing.discard(code)
    colour = COLOURS.get(number_in(fields.get("nivinfvicr")))
    if colour is None:
        raise MalformedRecord(f"{code}: no such colour", reason="invalid")
    label = fields.get("lbentcru")
    name = label.strip()[:120] if isinstance(label, str) and label.strip() else code
    return Statement(
        thing=code,
        areas=reaches[code],
        colour=colour,
        issued_at=issued_at,
        kind="river_level",
        subject=f"Vigicrues, tronçon {name}",
        hazard="flood",
        place=place_from(code, name, feature.geometry, reaches[code][0]) if colour != "green" else None,
        url=PAGE,
    )


def number_in(value: object) -> int:
    """Return a whole number, also one in quotes; 0 for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and len(value) == 1 and value in "1234" else 0


def place_from(code: str, name: str, geometry: msgspec.Raw, dep: str) -> Place | None:
    """Return the middle of a reach and how far it extends, or None where the map does not say."""
    points = list(points_in(geometry))
    if not points:
        return None
    lat, lon = middle_of([point[0] for point in points]), middle_of([point[1] for point in points])
    radius = max(kilometres_between(lat, lon, *point) for point in points)
    return Place(
        place_id=f"vigicrues:{code}",
        name=name,
        lat=lat,
        lon=lon,
        radius_km=min(max(radius, 0.5), 200.0),
        level="site",
        confidence=1.0,
        source="geotag",
        reasons=("reach",),
        country="FR",
        dep=dep,
    )


def middle_of(values: list[float]) -> float:
    """Return the middle between the smallest and the largest."""
    return (min(values) + max(values)) / 2


def points_in(geometry: msgspec.Raw) -> Iterator[tuple[float, float]]:
    """Yield latitudes and longitudes of a line or of several; what is no position is passed over."""
    found = msgspec.json.decode(geometry)
    heap: list[Any] = [found.get("coordinates")] if isinstance(found, dict) else []
    yielded = 0
    while heap and yielded < MOST_POINTS:
        item = heap.pop()
        if not isinstance(item, list) or not item:
            continue
        if not isinstance(item[0], int | float):
            heap.extend(item)
            continue
        point = position_of(item)
        if point:
            yielded += 1
            yield point


def position_of(item: list[Any]) -> tuple[float, float] | None:
    """Return a latitude and a longitude, from degrees or from metres Lambert-93; None when it is not in our world."""
    x, y, *_ = (*item, None)
    if not isinstance(x, int | float) or not isinstance(y, int | float):
        return None
    if abs(x) <= _MAX_LON and abs(y) <= _MAX_LAT:
        return float(y), float(x)
    if 0 <= x <= 1_300_000 and 6_000_000 <= y <= 7_200_000:  # noqa: PLR2004  where France lies in Lambert-93
        return wgs84_from_lambert93(float(x), float(y))
    return None


def wgs84_from_lambert93(x: float, y: float) -> tuple[float, float]:
    """Return latitude and longitude, in degrees, of a point in metres Lambert-93 (EPSG:2154)."""
    n, c = 0.7256077650532670, 11_754_255.426096
    x_pole, y_pole = 700_000.0, 12_655_612.049876
    eccentricity = 0.08181919104281579  # of GRS80, whose difference from WGS84 is a tenth of a millimetre
    distance = math.hypot(x - x_pole, y - y_pole)
    lon = math.radians(3) + math.atan2(x - x_pole, y_pole - y) / n
    isometric = -math.log(distance / c) / n
    lat = 2 * math.atan(math.exp(isometric)) - math.pi / 2
    for _ in range(6):  # each step gains two digits and more
        swell = eccentricity * math.atanh(eccentricity * math.sin(lat))
        lat = 2 * math.atan(math.exp(isometric + swell)) - math.pi / 2
    return math.degrees(lat), math.degrees(lon)


def kilometres_between(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Return a distance on a plane, good enough along one river."""
    east = (other_lon - lon) * math.cos(math.radians(lat))
    return math.hypot(other_lat - lat, east) * _KM_A_DEGREE

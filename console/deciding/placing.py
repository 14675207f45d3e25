"""Placing: a place that somebody types or points at becomes the place of an incident.

Shape   fields as typed in; a place, or what is wrong with them. A centre of something wide is never made a point
Units   degrees WGS84, kilometres
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import get_args

from msgspec.structs import replace

from console.problem import Problem
from records import Alert, Place
from records.place import PlaceLevel

AROUND_A_POINT_KM = 0.3
MOST_CHOICES = 8
MOST_OF_NAME = 200  # characters
RANGES = {"lat": (-90.0, 90.0), "lon": (-180.0, 180.0), "radius_km": (0.001, 500.0)}
_NUMBER = re.compile(r"-?\d{1,4}([.,]\d{1,10})?")
_INSEE = re.compile(r"(?:\d\d|2[AB])\d{3}")
OVERSEAS = ("97", "98")
"""The départements whose code has three figures begin so."""


def place_from(
    typed: Mapping[str, str], alert: Alert, *, by: str, find_place: Callable[[str], Sequence[Place]]
) -> Place | tuple[Problem, ...]:
    """Return where an incident is, as somebody says it: at a position, or at a place that has a name."""
    wrong = tuple(_wrong(typed))
    if wrong:
        return wrong
    has_position = [bool(_said(typed, name)) for name in ("lat", "lon")]
    found = _at(typed, alert) if all(has_position) else _named(typed, alert, find_place)
    return replace(found, confidence=1.0, source="person", reasons=(by,)) if isinstance(found, Place) else (found,)


def _wrong(typed: Mapping[str, str]) -> list[Problem]:
    """Return what cannot be read."""
    wrong = [
        Problem(name, f"bad_{name}")
        for name, (low, high) in RANGES.items()
        if (text := _said(typed, name)) and not (_NUMBER.fullmatch(text) and low <= _number(text) <= high)
    ]
    if bool(_said(typed, "lat")) != bool(_said(typed, "lon")):
        wrong.append(Problem("lat", "half_position"))
    if len(_said(typed, "name")) > MOST_OF_NAME:
        wrong.append(Problem("name", "too_long"))
    insee = _said(typed, "insee").upper()
    if insee and not _INSEE.fullmatch(insee):
        wrong.append(Problem("insee", "bad_insee"))
    return wrong


def _at(typed: Mapping[str, str], alert: Alert) -> Place:
    """Return a place at a position; its areas are those of the incident, unless its commune is said."""
    lat, lon = _number(_said(typed, "lat")), _number(_said(typed, "lon"))
    radius = _said(typed, "radius_km")
    level: PlaceLevel = next((one for one in get_args(PlaceLevel) if one == typed.get("level")), "point")
    said = replace(
        alert.place,
        place_id=f"said:{lat:.5f},{lon:.5f}",
        name=_said(typed, "name") or f"{lat:.5f}, {lon:.5f}",
        lat=lat,
        lon=lon,
        radius_km=_number(radius) if radius else AROUND_A_POINT_KM,
        level=level,
        h3=None,
        population=0,
    )
    insee = _said(typed, "insee").upper()
    if not insee or insee == said.insee:
        return said
    dep = insee[:3] if insee.startswith(OVERSEAS) else insee[:2]
    region = said.region if dep == said.dep else None
    return replace(said, insee=insee, dep=dep, region=region, epci=None, country="FR")


def _named(typed: Mapping[str, str], alert: Alert, find_place: Callable[[str], Sequence[Place]]) -> Place | Problem:
    """Return the place of a name: the one that was chosen, else the only one, else the only one of this area."""
    name = _said(typed, "name")
    if not name:
        return Problem("name", "missing_place")
    found = tuple(find_place(name))
    if not found:
        return Problem("name", "unknown_place")
    chosen = tuple(one for one in found if one.place_id == typed.get("place_id"))
    near = tuple(one for one in found if one.area == alert.place.area)
    meant = chosen or (near if len(near) == 1 else found)
    if len(meant) > 1:
        return Problem("place_id", "which_place", meant[:MOST_CHOICES])
    radius = _said(typed, "radius_km")
    return replace(meant[0], radius_km=_number(radius)) if radius else meant[0]


def _said(typed: Mapping[str, str], name: str) -> str:
    return typed.get(name, "").strip()


def _number(text: str) -> float:
    return float(text.replace(",", "."))

"""Distance: how far two points of the map are from each other.

Units   degrees WGS84, kilometres
"""

from math import asin, cos, radians, sin, sqrt
from typing import Protocol

DIAMETER_KM = 12_742.0


class Point(Protocol):
    """What has a position: a place, or a spot that somebody chose."""

    @property
    def lat(self) -> float:
        """Degrees to the north."""
        ...

    @property
    def lon(self) -> float:
        """Degrees to the east."""
        ...


def kilometres(one: Point, other: Point) -> float:
    """Return the great-circle distance of two points."""
    half_lat, half_lon = radians(other.lat - one.lat) / 2, radians(other.lon - one.lon) / 2
    chord = sin(half_lat) ** 2 + cos(radians(one.lat)) * cos(radians(other.lat)) * sin(half_lon) ** 2
    return DIAMETER_KM * asin(sqrt(min(1.0, chord)))

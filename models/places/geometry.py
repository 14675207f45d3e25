"""Distances on the globe, in kilometres."""

from collections.abc import Sequence
from math import asin, atan2, cos, degrees, hypot, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.0
KM_PER_DEGREE = 111.195


def distance_km(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Return the great-circle distance between two points given in degrees."""
    half_lat, half_lon = radians(other_lat - lat) / 2, radians(other_lon - lon) / 2
    chord = sin(half_lat) ** 2 + cos(radians(lat)) * cos(radians(other_lat)) * sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(min(1.0, chord)))


def middle_of(points: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    """Return the weighted middle of (lat, lon, weight), right across the date line too."""
    x = y = z = 0.0
    for lat, lon, weight in points:
        lat_rad, lon_rad = radians(lat), radians(lon)
        x += weight * cos(lat_rad) * cos(lon_rad)
        y += weight * cos(lat_rad) * sin(lon_rad)
        z += weight * sin(lat_rad)
    return degrees(atan2(z, hypot(x, y))), degrees(atan2(y, x))

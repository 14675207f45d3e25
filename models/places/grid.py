"""The grid beside the administrative areas: the hexagon of H3 that a place's radius deserves.

Source  H3, https://h3geo.org
"""

from functools import lru_cache

import h3

RESOLUTIONS = ((2.5, 7), (15.0, 5))  # up to so many km the resolution: edges of 1.4 and 9.9 km
COARSEST = 3  # 69 km


@lru_cache(maxsize=50_000)
def cell_of(lat: float, lon: float, radius_km: float) -> str:
    """Return the hexagon around a point, finer for what is known better."""
    resolution = next((fine for most_km, fine in RESOLUTIONS if radius_km <= most_km), COARSEST)
    return str(h3.latlng_to_cell(lat, lon, resolution))

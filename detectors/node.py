"""Node: the place that a signal counts for, the same whichever street or site of a commune was named."""

from records import Place

FINE_LEVELS = ("point", "site", "quartier", "commune")
"""Levels that roll up to their commune where they say which one it is; also finest first."""

LEVELS = (*FINE_LEVELS, "epci", "dep", "region", "country")

_USUAL_POPULATION = {"epci": 80_000, "dep": 600_000, "region": 5_000_000, "country": 67_000_000}


def node_of(place: Place) -> str:
    """Return the node that a place belongs to: its commune, or itself where it is wider or abroad."""
    if place.insee and place.level in FINE_LEVELS:
        return f"fr:{place.insee}"
    return place.place_id


def fineness(place: Place) -> int:
    """Return how coarse a place is: 0 for a point, more for what is wider."""
    return LEVELS.index(place.level)


def population_of(place: Place, *, unknown: int) -> int:
    """Return how many people live there, or what is usual for places of that level, or `unknown`."""
    return place.population or _USUAL_POPULATION.get(place.level, unknown)

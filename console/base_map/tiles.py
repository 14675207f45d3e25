"""Shapes cut into vector tiles, and the tiles written as one archive."""

import gzip
import math
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import mapbox_vector_tile
import numpy as np
import shapely
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

HALF_WORLD = 20037508.342789244  # metres of Web Mercator from its middle to its edge
EARTH_RADIUS = 6378137.0
EXTENT = 4096
BESIDE = 80  # of 4096: lines and names reach beyond their tile, so that no seam shows
FINE, COARSE = 3.0, 8.0  # of 4096: what is nearer to the line is left out; a pixel, and less where a tile is enlarged
MAX_LAT = 85.0511


@dataclass(frozen=True)
class Drawn:
    """One shape of one layer, and the zooms that hold it."""

    layer: str
    shape: shapely.Geometry
    zooms: range
    properties: Mapping[str, str | int]


def mercator(shape: shapely.Geometry) -> shapely.Geometry:
    """Return a shape in Web Mercator.

    Units   degrees WGS84 in, metres out
    """

    def projected(points: np.ndarray) -> np.ndarray:
        lat = np.radians(np.clip(points[:, 1], -MAX_LAT, MAX_LAT))
        return np.column_stack(
            [np.radians(points[:, 0]) * EARTH_RADIUS, np.log(np.tan(math.pi / 4 + lat / 2)) * EARTH_RADIUS]
        )

    return shapely.transform(shape, projected)


def cut(drawn: Sequence[Drawn], *, enlarged: Container[int]) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the bytes of every tile that holds something, in the order of the numbers.

    `enlarged` are the zooms whose tiles are also drawn at higher ones.

    Shape   shapes in Web Mercator; what lies beyond the tiles' edge by a little is kept
    """
    tiles: dict[int, bytes] = {}
    for zoom in sorted({zoom for one in drawn for zoom in one.zooms}):
        nearer = (FINE if zoom in enlarged else COARSE) * 2 * HALF_WORLD / (2**zoom * EXTENT)
        fitting = [one for one in drawn if zoom in one.zooms]
        fine = [(one, _valid(shapely.simplify(one.shape, nearer))) for one in fitting]
        tiles.update(_cut_down(fine, zoom, (0, 0, 0)))
    yield from sorted(tiles.items())


def _cut_down(
    shapes: list[tuple[Drawn, shapely.Geometry]], zoom: int, at: tuple[int, int, int]
) -> Iterator[tuple[int, bytes]]:
    """Halve the world until the tile is reached: a shape far away is left behind early."""
    z, x, y = at
    size = 2 * HALF_WORLD / 2**z
    west, north = -HALF_WORLD + x * size, HALF_WORLD - y * size
    beside = BESIDE / EXTENT * 2 * HALF_WORLD / 2**zoom
    box = (west - beside, north - size - beside, west + size + beside, north + beside)
    inside = [(one, shape) for one, shape in _clipped(shapes, box) if not shape.is_empty]
    if not inside:
        return
    if z == zoom:
        yield zxy_to_tileid(z, x, y), _encoded(inside, (west, north - size, west + size, north))
        return
    for down in (0, 1):
        for right in (0, 1):
            yield from _cut_down(inside, zoom, (z + 1, 2 * x + right, 2 * y + down))


def _clipped(
    shapes: list[tuple[Drawn, shapely.Geometry]], box: tuple[float, float, float, float]
) -> Iterator[tuple[Drawn, shapely.Geometry]]:
    for one, shape in shapes:
        west, south, east, north = shape.bounds
        if west > box[2] or east < box[0] or south > box[3] or north < box[1]:
            continue
        within = west >= box[0] and east <= box[2] and south >= box[1] and north <= box[3]
        yield one, shape if within else shapely.clip_by_rect(shape, *box)


def _valid(shape: shapely.Geometry) -> shapely.Geometry:
    return shape if shapely.is_valid(shape) else shapely.make_valid(shape)


def _of_one_kind(shape: shapely.Geometry, dimensions: int) -> shapely.Geometry:
    """Return a shape without the lines and points that are left of polygons too small for the grid."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    together = (shapely.multipoints, shapely.multilinestrings, shapely.multipolygons)[dimensions]
    return together(parts[shapely.get_dimensions(parts) == dimensions])


def _encoded(shapes: list[tuple[Drawn, shapely.Geometry]], bounds: tuple[float, float, float, float]) -> bytes:
    west, south, east, _ = bounds
    unit = (east - west) / EXTENT
    layers: dict[str, list[dict[str, object]]] = {}
    for one, shape in shapes:
        on_grid = shapely.transform(shape, lambda points: (points - (west, south)) / unit)
        rounded = _of_one_kind(shapely.set_precision(_valid(on_grid), 1.0), shapely.get_dimensions(one.shape))
        if not rounded.is_empty:
            layers.setdefault(one.layer, []).append({"geometry": rounded, "properties": dict(one.properties)})
    tile = mapbox_vector_tile.encode(
        [{"name": name, "features": features} for name, features in sorted(layers.items())],
        default_options={"extents": EXTENT},
    )
    return gzip.compress(tile, mtime=0)


def write_archive(path: Path, tiles: Iterator[tuple[int, bytes]], *, attribution: str, zooms: range) -> int:
    """Write the tiles as one PMTiles archive; return how many. The same tiles give the same bytes.

    Source  https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md
    """
    count = 0
    with path.open("wb") as file:
        writer = Writer(file)
        for number, content in tiles:
            writer.write_tile(number, content)
            count += 1
        header = {
            "tile_type": TileType.MVT,
            "tile_compression": Compression.GZIP,
            "min_lon_e7": -1_800_000_000,
            "min_lat_e7": -850_511_000,
            "max_lon_e7": 1_800_000_000,
            "max_lat_e7": 850_511_000,
            "center_zoom": 5,
            "center_lon_e7": 25_000_000,
            "center_lat_e7": 465_000_000,
        }
        metadata = {
            "name": "Vigie base map",
            "attribution": attribution,
            "vector_layers": [
                {"id": name, "fields": {}, "minzoom": zooms.start, "maxzoom": zooms.stop - 1}
                for name in ("borders", "land", "places", "water")
            ],
        }
        writer.finalize(header, metadata)
    return count

"""What the base map is drawn from: Natural Earth by way of world-atlas, and the files of the gazetteer."""

import gzip
import json
import lzma
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import cramjam
import numpy as np
import shapely

UNITS_PER_DEGREE = 10_000  # of commune_outlines.npz.xz


@dataclass(frozen=True)
class Town:
    """A named point, and how many people live there."""

    name: str
    lat: float
    lon: float
    population: int


@dataclass(frozen=True)
class Outline:
    """A département: code, name and outline."""

    code: str
    name: str
    shape: shapely.Geometry


def world_atlas(folder: Path, name: str) -> dict[str, Any]:
    """Return one topology of an unpacked world-atlas, such as `countries-10m`."""
    topology: dict[str, Any] = json.loads((folder / f"{name}.json").read_bytes())
    return topology


def departements(files: Path) -> list[Outline]:
    """Return the outlines of the départements, generalised to some 400 m."""
    features = json.loads(gzip.decompress((files / "departements.geojson.gz").read_bytes()))["features"]
    return [
        Outline(
            feature["properties"]["code"],
            feature["properties"]["name"],
            shapely.make_valid(shapely.from_geojson(json.dumps(feature["geometry"]))),
        )
        for feature in features
    ]


def communes(files: Path) -> np.ndarray:
    """Return the outlines of the communes as an array of polygons; neighbours share the points of their border."""
    arrays = np.load(BytesIO(lzma.decompress((files / "commune_outlines.npz.xz").read_bytes())), allow_pickle=False)
    points = np.cumsum(arrays["steps"], axis=1, dtype=np.int32).T / UNITS_PER_DEGREE
    offsets = tuple(np.int64(arrays[f"offsets{level}"]) for level in range(3))
    shapes = shapely.from_ragged_array(shapely.GeometryType.MULTIPOLYGON, np.ascontiguousarray(points), offsets)
    return np.array(shapely.make_valid(shapes))


def french_towns(files: Path) -> list[Town]:
    """Return the communes of today, with arrondissements and former communes left out."""
    columns = _table(files / "fr_places.tsv.zst")
    return [town for kind, town in zip(columns["kind"], _towns(columns), strict=True) if kind == "com"]


def towns_abroad(files: Path) -> list[Town]:
    """Return the towns of the other countries, with their own or usual English names."""
    return list(_towns(_table(files / "world_places.tsv.zst")))


def _towns(columns: dict[str, list[str]]) -> list[Town]:
    rows = zip(columns["name"], columns["lat"], columns["lon"], columns["population"], strict=True)
    return [Town(name, float(lat), float(lon), int(people or 0)) for name, lat, lon, people in rows]


def _table(path: Path) -> dict[str, list[str]]:
    lines = bytes(cramjam.zstd.decompress(path.read_bytes())).decode().splitlines()
    return {name: values for name, *values in (line.split("\t") for line in lines)}

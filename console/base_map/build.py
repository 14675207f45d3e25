"""The base map, drawn: which shapes are on which zooms, and the command that writes the archive."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import numpy as np
import shapely

from console.base_map.sources import (
    Outline,
    Town,
    communes,
    departements,
    french_towns,
    towns_abroad,
    world_atlas,
)
from console.base_map.tiles import Drawn, cut, mercator, write_archive
from console.base_map.topology import polygons_of, shared_arcs

ATTRIBUTION = (
    "Natural Earth ; IGN ADMIN-EXPRESS-COG, INSEE, DILA, La Poste (Licence Ouverte 2.0) ; © GeoNames (CC BY 4.0)"
)
FRANCE = "250"  # ISO 3166-1 numeric, as world-atlas has it
WORLD_ZOOMS = {"110m": range(2), "50m": range(2, 5), "10m": range(5, 7)}
WORLD = range(7)  # every place of the world is drawn from these; beyond, the last of them is enlarged
DETAIL = range(7, 10)  # France alone: coast, départements, communes
COMMUNES = range(9, 10)
DEPARTEMENTS = range(4, 7)
BORDER_DEGREES = 0.08  # how far Natural Earth's border may lie from IGN's
TOWN_ZOOMS = (  # at least so many people, and the first zoom of the map that names them
    (1_000_000, 4),
    (300_000, 5),
    (100_000, 6),
    (50_000, 7),
    (20_000, 8),
    (8_000, 9),
    (2_500, 10),
    (0, 11),
)
ABROAD = 50_000  # towns outside France, and French ones on the tiles of the world, have so many people
TILE_ABOVE = 1  # a tile of zoom 6 is drawn on the map's zoom 7


def drawing(atlas: Path, files: Path) -> list[Drawn]:
    """Return everything that the base map holds, in Web Mercator."""
    deps = departements(files)
    drawn = [
        *_world_land(atlas),
        *_world_borders(atlas),
        *_france(atlas, files, deps),
        *_names(deps),
        *_towns((town for town in towns_abroad(files) if town.population >= ABROAD), WORLD, {}),
        *_towns((town for town in french_towns(files) if town.population >= ABROAD), WORLD, {"drawn_again": 1}),
        *_towns(french_towns(files), DETAIL, {}),
    ]
    return [Drawn(one.layer, mercator(one.shape), one.zooms, one.properties) for one in drawn]


def _world_land(atlas: Path) -> Iterator[Drawn]:
    for scale, zooms in WORLD_ZOOMS.items():
        land = polygons_of(world_atlas(atlas, f"land-{scale}"), "land")
        for shape in land.values():
            for part in shapely.get_parts(shape):
                yield Drawn("land", part, zooms, {})


def _world_borders(atlas: Path) -> Iterator[Drawn]:
    for scale, zooms in WORLD_ZOOMS.items():
        french, others = shared_arcs(world_atlas(atlas, f"countries-{scale}"), "countries", of=FRANCE)
        yield Drawn("borders", _lines(others), zooms, {"kind": "country"})
        yield Drawn("borders", _lines(french), zooms, {"kind": "country", "drawn_again": 1})


def _france(atlas: Path, files: Path, deps: list[Outline]) -> Iterator[Drawn]:
    """Yield France in detail: its land over Natural Earth's, water where that has land, and three kinds of borders."""
    topology = world_atlas(atlas, "countries-10m")
    coarse = polygons_of(topology, "countries")[FRANCE]
    border = shapely.buffer(_lines(shared_arcs(topology, "countries", of=FRANCE)[0]), BORDER_DEGREES)
    fine = communes(files)
    land = shapely.union_all(fine, grid_size=0.0001)
    yield Drawn("water", shapely.difference(shapely.difference(coarse, land), border), DETAIL, {})
    for part in shapely.get_parts(land):
        yield Drawn("land", part, DETAIL, {})
    between, around = _borders(np.array([dep.shape for dep in deps]))
    yield Drawn("borders", between, DEPARTEMENTS, {"kind": "departement"})
    yield Drawn("borders", between, DETAIL, {"kind": "departement"})
    yield Drawn("borders", shapely.intersection(around, border), DETAIL, {"kind": "country"})
    yield Drawn("borders", _borders(fine)[0], COMMUNES, {"kind": "commune"})


def _borders(areas: np.ndarray) -> tuple[shapely.Geometry, shapely.Geometry]:
    """Return the lines between areas, each once, and the lines around them all."""
    around = shapely.boundary(shapely.union_all(areas))
    lines = shapely.union_all(shapely.boundary(areas))
    return shapely.line_merge(shapely.difference(lines, around)), around


def _lines(arcs: Iterable[np.ndarray]) -> shapely.Geometry:
    return shapely.MultiLineString([shapely.LineString(arc) for arc in arcs if len(arc) > 1])


def _names(deps: list[Outline]) -> Iterator[Drawn]:
    for dep in deps:
        parts = shapely.get_parts(dep.shape)
        largest = parts[int(np.argmax(shapely.area(parts)))]
        middle = shapely.point_on_surface(largest)
        yield Drawn(
            "places", middle, range(5, DETAIL.stop), {"kind": "departement", "name": f"{dep.name} ({dep.code})"}
        )


def _towns(towns: Iterable[Town], zooms: range, more: dict[str, str | int]) -> Iterator[Drawn]:
    """Yield the towns, each from the zoom of the map on that its size earns; the last tiles hold what comes later."""
    for town in towns:
        shown = next(zoom for people, zoom in TOWN_ZOOMS if town.population >= people)
        held = range(max(zooms.start, min(shown - TILE_ABOVE, zooms.stop - 1)), zooms.stop)
        properties: dict[str, str | int] = {"kind": "town", "name": town.name, "zoom": shown, **more}
        yield Drawn("places", shapely.Point(town.lon, town.lat), held, properties)


@click.command(help="Draw the base map from an unpacked world-atlas and the gazetteer's files.")
@click.argument("atlas", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("files", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
def main(atlas: Path, files: Path, out: Path) -> None:
    """Write the archive, and say its size and hash for the README beside this module."""
    tiles = write_archive(
        out,
        cut(drawing(atlas, files), enlarged=(WORLD.stop - 1, DETAIL.stop - 1)),
        attribution=ATTRIBUTION,
        zooms=range(DETAIL.stop),
    )
    content = out.read_bytes()
    click.echo(f"{out}: {tiles} tiles, {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()

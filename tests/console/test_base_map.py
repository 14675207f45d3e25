"""The base map: what its archive holds, and how shapes of the globe become tiles."""

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from pmtiles.reader import MmapSource, Reader

from console.base_map.build import ATTRIBUTION, drawing
from console.base_map.tiles import HALF_WORLD, Drawn, cut, mercator, write_archive
from console.base_map.topology import polygons_of, shared_arcs
from tests.console.made import LE_HAVRE

CONSOLE = Path(__file__).parents[2] / "console"
ARCHIVE = CONSOLE / "static" / "base.pmtiles"
AT = (LE_HAVRE.lon, LE_HAVRE.lat)


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with ARCHIVE.open("rb") as file:
        yield Reader(MmapSource(file))


def tile_at(reader: Reader, zoom: int, at: tuple[float, float]) -> dict[str, list[dict[str, Any]]]:
    """Return the features of each layer of the tile that holds a point."""
    x, y = shapely.get_coordinates(mercator(shapely.Point(at)))[0]
    size = 2 * HALF_WORLD / 2**zoom
    content = reader.get(zoom, int((x + HALF_WORLD) / size), int((HALF_WORLD - y) / size))
    decoded = mapbox_vector_tile.decode(gzip.decompress(content)) if content else {}
    return {name: layer["features"] for name, layer in decoded.items()}


def test_the_archive_is_the_one_that_the_readme_vouches_for(reader: Reader) -> None:
    content, tiles = ARCHIVE.read_bytes(), reader.header()["addressed_tiles_count"]
    vouched = f"{tiles:,} tiles, {len(content):,} bytes, SHA-256 `{hashlib.sha256(content).hexdigest()}`"
    assert vouched in (CONSOLE / "base_map" / "README.md").read_text(encoding="utf-8")


def test_archive_and_map_name_the_same_sources(reader: Reader) -> None:
    script = (CONSOLE / "static" / "map.js").read_text(encoding="utf-8")
    assert reader.metadata()["attribution"] == ATTRIBUTION
    assert f'"{ATTRIBUTION}"' in script


def test_the_archive_is_small_and_ends_at_zoom_9(reader: Reader) -> None:
    assert ARCHIVE.stat().st_size < 5_000_000
    assert (reader.header()["min_zoom"], reader.header()["max_zoom"]) == (0, 9)


@pytest.mark.parametrize(
    ("zoom", "at", "layer", "kind", "name"),
    [
        pytest.param(9, AT, "borders", "commune", None, id="communes at Le Havre"),
        pytest.param(9, AT, "places", "town", "Sainte-Adresse", id="a small town"),
        pytest.param(7, AT, "places", "departement", "Seine-Maritime (76)", id="a département by name"),
        pytest.param(6, AT, "borders", "departement", None, id="départements"),
        pytest.param(8, (7.75, 48.58), "borders", "country", None, id="the Rhine"),
        pytest.param(6, (13.4, 52.5), "places", "town", "Berlin", id="a town abroad"),
        pytest.param(9, (55.5, -21.1), "borders", "commune", None, id="La Réunion"),
    ],
)
def test_the_archive_holds(
    zoom: int, at: tuple[float, float], layer: str, kind: str, name: str | None, reader: Reader
) -> None:
    found = [feature["properties"] for feature in tile_at(reader, zoom, at)[layer]]
    assert [one for one in found if one["kind"] == kind and one.get("name") == name]


@pytest.mark.parametrize(
    ("at", "is_land"),
    [
        pytest.param((0.12, 49.51), True, id="Le Havre"),
        pytest.param((-3.0, 49.5), False, id="the Channel"),
        pytest.param((-100, 40), True, id="Kansas"),
        pytest.param((-150, 72), False, id="the Beaufort Sea"),
        pytest.param((178.0, 66.0), True, id="Chukotka, before 180 degrees"),
        pytest.param((-172.0, 66.0), True, id="Chukotka, beyond"),
        pytest.param((0.0, -80.0), True, id="Antarctica, around the pole"),
    ],
)
@pytest.mark.parametrize("zoom", [0, 3, 6])
def test_land_is_where_land_is(at: tuple[float, float], is_land: bool, zoom: int, reader: Reader) -> None:
    x, y = shapely.get_coordinates(mercator(shapely.Point(at)))[0]
    size = 2 * HALF_WORLD / 2**zoom
    point = shapely.Point(((x + HALF_WORLD) / size % 1) * 4096, (1 - (HALF_WORLD - y) / size % 1) * 4096)
    land = [shapely.from_geojson(json.dumps(one["geometry"])) for one in tile_at(reader, zoom, at).get("land", [])]
    assert any(shapely.intersects(shape, shapely.buffer(point, 2)) for shape in land) == is_land


def topology(arcs: list[list[list[int]]], *geometries: dict[str, Any]) -> dict[str, Any]:
    return {
        "transform": {"scale": [1, 1], "translate": [0, 0]},
        "arcs": arcs,
        "objects": {"countries": {"geometries": list(geometries)}},
    }


def polygon(code: str, *rings: list[int]) -> dict[str, Any]:
    return {"type": "Polygon", "id": code, "arcs": list(rings)}


def test_an_arc_runs_backwards_where_its_number_says_so() -> None:
    shared, left, right = [[0, 0], [0, 10]], [[0, 10], [-5, -10], [5, 0]], [[0, 10], [5, -10], [-5, 0]]
    given = topology([shared, left, right], polygon("a", [0, 1]), polygon("b", [0, 2]), polygon("c", [~1, ~0]))
    shapes = polygons_of(given, "countries")
    assert shapely.equals(shapes["a"], shapely.Polygon([(0, 0), (0, 10), (-5, 0)]))
    assert shapely.equals(shapes["a"], shapes["c"])


def test_borders_are_what_two_share_and_those_of_one_country_stand_apart() -> None:
    between, left, right, far = [[0, 0], [0, 10]], [[0, 10], [-5, -10], [5, 0]], [[0, 10], [5, -5]], [[5, 5], [-5, -5]]
    given = topology(
        [between, left, right, far], polygon("a", [0, 1]), polygon("b", [~0, 2, 3]), polygon("c", [~2, ~3])
    )
    own, others = shared_arcs(given, "countries", of="a")
    assert [arc.tolist() for arc in own] == [[[0, 0], [0, 10]]]
    assert len(others) == 2


@pytest.mark.parametrize(
    ("ring", "inside", "outside"),
    [
        pytest.param(
            [[170, 0], [-340, 0], [0, 10], [340, 0], [0, -10]], [(175, 5), (-175, 5)], [(0, 5), (165, 5)], id="a strait"
        ),
        pytest.param(
            [[-180, -60], [120, 0], [120, 0], [120, 0], [-360, 0]],
            [(0, -80), (170, -89)],
            [(0, -50)],
            id="around the pole, closed",
        ),
    ],
)
def test_what_crosses_180_degrees_is_cut_there(
    ring: list[list[int]], inside: list[tuple[int, int]], outside: list[tuple[int, int]]
) -> None:
    (shape,) = polygons_of(topology([ring], polygon("a", [0])), "countries").values()
    assert all(shapely.contains(shape, shapely.Point(point)) for point in inside)
    assert not any(shapely.contains(shape, shapely.Point(point)) for point in outside)
    west, _, east, _ = shape.bounds
    assert (west, east) == (-180, 180)


def test_a_hole_stays_a_hole() -> None:
    outer, lake = [[0, 0], [0, 10], [10, 0], [0, -10], [-10, 0]], [[4, 4], [2, 0], [0, 2], [-2, 0], [0, -2]]
    (shape,) = polygons_of(topology([outer, lake], polygon("a", [0], [1])), "countries").values()
    assert shapely.area(shape) == 96


SQUARE = mercator(shapely.box(20, 45, 22, 47))  # far enough from the edges of the tiles that hold it


def test_tiles_are_those_that_a_shape_touches_in_the_order_of_their_numbers() -> None:
    tiles = list(cut([Drawn("land", SQUARE, range(6), {})], enlarged=()))
    assert [number for number, _ in tiles] == sorted(number for number, _ in tiles)
    assert len(tiles) == 6  # the square lies in one tile of each zoom


def test_properties_and_kinds_of_shapes_come_through() -> None:
    line = shapely.LineString([(-1e6, 5e6), (1e6, 5e6)])
    drawn = [
        Drawn("land", SQUARE, range(1), {}),
        Drawn("borders", line, range(1), {"kind": "country"}),
        Drawn("places", shapely.Point(2e5, 5.6e6), range(1), {"name": "Évreux", "zoom": 8}),
    ]
    ((_, content),) = cut(drawn, enlarged=())
    decoded = mapbox_vector_tile.decode(gzip.decompress(content))
    assert {name: layer["features"][0]["geometry"]["type"] for name, layer in decoded.items()} == {
        "land": "Polygon",
        "borders": "LineString",
        "places": "Point",
    }
    assert decoded["places"]["features"][0]["properties"] == {"name": "Évreux", "zoom": 8}


def test_the_same_shapes_give_the_same_bytes(tmp_path: Path) -> None:
    def written(name: str) -> bytes:
        tiles = cut([Drawn("land", SQUARE, range(6), {})], enlarged=(5,))
        assert write_archive(tmp_path / name, tiles, attribution="ours", zooms=range(6)) == 6
        return (tmp_path / name).read_bytes()

    assert written("one") == written("other")


def test_tiles_that_are_enlarged_are_finer() -> None:
    turns = np.linspace(0, 2 * np.pi, 2000)
    circle = shapely.Polygon(np.column_stack([np.cos(turns), np.sin(turns)]) * 1e6)

    def size(enlarged: tuple[int, ...]) -> int:
        return sum(len(content) for _, content in cut([Drawn("land", circle, range(4, 5), {})], enlarged=enlarged))

    assert size((4,)) > size(())


def test_the_readme_names_the_atlas_and_the_command() -> None:
    readme = (CONSOLE / "base_map" / "README.md").read_text(encoding="utf-8")
    assert re.search(r"world-atlas 2\.0\.2", readme)
    assert drawing.__module__ in readme

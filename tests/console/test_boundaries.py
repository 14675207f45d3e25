"""Boundaries of one's own: what of a file is shown, and what is said of one that cannot be."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from console.base_map.boundaries import MOST_POINTS, read_boundaries
from records import SettingsError

SQUARE = [[[0.0, 49.0], [0.5, 49.0], [0.5, 49.5], [0.0, 49.5], [0.0, 49.0]]]


def feature(kind: str = "Polygon", coordinates: Any = SQUARE, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}


def collection(*features: Any, **more: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features), **more}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "limites.geojson"


def read(path: Path, content: Any) -> Any:
    path.write_text(json.dumps(content), encoding="utf-8")
    return json.loads(read_boundaries(path))


def test_outline_and_name_are_all_that_is_kept_of_a_feature(path: Path) -> None:
    given = feature(nom="Le Havre", maire="une personne", coordinates=[[[*point, 12.0] for point in SQUARE[0]]])
    assert read(path, collection(given, date="2026")) == collection(feature(name="Le Havre"))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(feature(), {}, id="a feature alone"),
        pytest.param(collection({**feature(), "properties": None}), {}, id="no properties"),
        pytest.param(collection(feature(nom="  ")), {}, id="an empty name"),
        pytest.param(collection(feature(name=12)), {"name": "12"}, id="a number as name"),
        pytest.param(collection(feature(name="x" * 500)), {"name": "x" * 100}, id="a name without end"),
    ],
)
def test_a_name_is_optional(content: Any, expected: dict[str, str], path: Path) -> None:
    (shown,) = read(path, content)["features"]
    assert shown["properties"] == expected


def test_a_file_with_a_mark_of_its_byte_order_is_read(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(collection(feature())).encode())
    assert json.loads(read_boundaries(path))["features"]


LAMBERT = [[[489353.5, 6938440.0], [489400.0, 6938440.0], [489400.0, 6938500.0], [489353.5, 6938440.0]]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param([], "is no FeatureCollection", id="a list"),
        pytest.param({"type": "Topology"}, "is no FeatureCollection", id="another format"),
        pytest.param(collection(), "with features", id="nothing in it"),
        pytest.param(collection(feature(), "x"), r"feature 2: is a feature without geometry", id="a text as feature"),
        pytest.param(collection({**feature(), "geometry": None}), "feature 1: is a feature without", id="no geometry"),
        pytest.param(
            collection(feature("Point", [0, 49], nom="Mairie")), r'feature 1 "Mairie": is a Point; give ', id="a point"
        ),
        pytest.param(
            collection(feature(coordinates=[[[0, 49]]])), "feature 1: has no outline", id="a ring of one point"
        ),
        pytest.param(collection(feature(coordinates="x")), "feature 1: has no outline", id="a text as outline"),
        pytest.param(collection(feature(coordinates=[])), "feature 1: its outline has no points", id="no outline"),
        pytest.param(collection(feature(coordinates=LAMBERT)), "lies at longitude 489354.*EPSG:4326", id="Lambert 93"),
        pytest.param(
            collection(feature(coordinates=[[[49, 100], [50, 100], [50, 101], [49, 100]]])),
            "lies at latitude 100 to 101",
            id="latitude and longitude changed over",
        ),
        pytest.param(
            collection(feature(), crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2154"}}),
            "another reference system .*2154.*EPSG:4326",
            id="a reference system that says so",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused_with_file_feature_and_mend(content: Any, message: str, path: Path) -> None:
    with pytest.raises(SettingsError, match=message) as refused:
        read(path, content)
    assert str(refused.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, r"cannot be read \(No such file.*\[console\] boundaries", id="no file"),
        pytest.param(b"\xff\xfe{}", "is no JSON in UTF-8", id="another encoding"),
        pytest.param(b"{", "is no JSON in UTF-8", id="half a file"),
        pytest.param(b"[" * 200_000, "is no JSON in UTF-8", id="deeper than can be read"),
    ],
)
def test_a_file_that_cannot_be_read_says_so(content: bytes | None, message: str, path: Path) -> None:
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=message):
        read_boundaries(path)


def coast(points: int, roughness: float) -> list[list[float]]:
    turns = [2 * math.pi * step / points for step in range(points)]
    line = [[(1 + roughness * (step % 2)) * math.cos(turn), 45 + math.sin(turn)] for step, turn in enumerate(turns)]
    return [*line, line[0]]


def test_a_file_with_more_points_than_a_page_can_carry_is_drawn_coarser(path: Path) -> None:
    (shown,) = read(path, collection(feature(coordinates=[coast(200_000, 0.0005)])))["features"]
    (ring,) = shown["geometry"]["coordinates"]
    assert 100 < len(ring) <= MOST_POINTS


def test_one_that_stays_too_heavy_is_refused(path: Path) -> None:
    with pytest.raises(SettingsError, match="points even when drawn coarsely; cut out your area first"):
        read(path, collection(feature(coordinates=[coast(120_000, 0.1)])))

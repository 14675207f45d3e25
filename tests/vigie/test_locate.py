"""`vigie locate`: the places of a post, best first; none where there is none; bad lines are named and never fatal."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import Result

from models.places.local import COLUMNS
from records.place import PlaceLevel, PlaceSource

Runs = Callable[..., Result]
NamesLines = Callable[[str, Path | str, Sequence[int]], bool]

FIELDS = ["name", "lat", "lon", "radius_km", "level", "insee", "country", "confidence", "source", "reasons"]
POSTS: list[dict[str, Any]] = [
    {"id": "le havre", "text": "Gros incendie au Havre, quartier Danton", "lang": "fr"},
    {"id": "nowhere", "text": "quelle fumée, incroyable !"},
    {"id": 3, "text": "Flames near Rouen and smoke over Dieppe", "lang": "en"},
    {"id": "saint-denis", "text": "Inondation à Saint-Denis, les rues sont sous l'eau"},
    {"id": "observer", "text": "Depuis Marignane on voit la fumée, l'incendie est à Martigues"},
    {"id": "empty", "text": ""},
    {"id": "long", "text": "Fumée à Rouen. " * 7000},
    {"id": "one endless word", "text": "H" * 100_000},
    {"id": "odd", "text": "ＬＥ ＨＡＶＲＥ 🔥 \u202eervaH eL\u202c Le\u00a0Havre\u0000 \U0010ffff"},
    {"id": "hashtags", "text": "#" * 1000 + " #LeHavre #" + "x" * 1000},
]
BAD = b'{"id": "no text"}'


def lines_of(posts: list[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(post, ensure_ascii=False).encode() for post in posts]


def rows_of(result: Result) -> dict[str | int, list[dict[str, Any]]]:
    return {row["id"]: row["places"] for row in map(json.loads, result.stdout_bytes.splitlines())}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("locate") / "posts.jsonl"
    file.write_bytes(b"\n".join([BAD, *lines_of(POSTS), b"{", b""]))
    return file


@pytest.fixture(scope="module")
def located(vigie: Runs, path: Path) -> Result:
    return vigie("locate", path)


def test_answers_every_good_line_in_the_same_order(located: Result) -> None:
    rows = [json.loads(row) for row in located.stdout_bytes.splitlines()]
    assert all(list(row) == ["id", "places"] for row in rows)
    assert [row["id"] for row in rows] == [post["id"] for post in POSTS]


def test_each_place_has_the_fields_of_the_contract_and_no_other(located: Result) -> None:
    places = [place for found in rows_of(located).values() for place in found]
    assert places
    for place in places:
        assert list(place) == FIELDS
        assert -90 <= place["lat"] <= 90
        assert -180 <= place["lon"] <= 180
        assert place["radius_km"] > 0
        assert 0 <= place["confidence"] <= 1
        assert place["level"] in get_args(PlaceLevel)
        assert place["source"] in get_args(PlaceSource)
        assert place["reasons"]
        assert all(isinstance(reason, str) for reason in place["reasons"])


def test_places_come_best_first_and_none_where_there_is_none(located: Result) -> None:
    rows = rows_of(located)
    assert rows["nowhere"] == rows["empty"] == []
    assert rows["le havre"][0]["insee"] == "76351"
    assert [place["name"] for place in rows["observer"]] == ["Martigues", "Marignane"]  # the fire before its observer


def test_bad_lines_are_named_with_file_and_number_and_give_status_1(
    located: Result, path: Path, named_lines: NamesLines
) -> None:
    assert named_lines(located.stderr, path, [1, len(POSTS) + 2])
    assert located.exit_code == 1


def test_the_home_decides_between_places_of_one_name_and_a_local_file_adds_its_own(vigie: Runs, tmp_path: Path) -> None:
    places = tmp_path / "places.csv"
    places.write_text(f"{','.join(COLUMNS)}\nHangar Zéphyrine,la Zéphyrine,site,-20.8900,55.4500,0.3,,97411\n")
    posts = [POSTS[3], {"id": "local", "text": "Ça brûle au hangar Zéphyrine"}]
    result = vigie("locate", "--home", "97411", "--local-places", places, input=b"\n".join(lines_of(posts)))
    rows = rows_of(result)
    assert rows["saint-denis"][0]["insee"] == "97411"
    best = rows["local"][0]
    assert (best["name"], best["level"], best["insee"]) == ("Hangar Zéphyrine", "site", "97411")
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_home_that_is_none_is_told_with_status_2(vigie: Runs, path: Path) -> None:
    result = vigie("locate", path, "--home", "99999")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("vigie: commune '99999': no commune has this INSEE code or name; ")

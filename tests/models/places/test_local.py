"""Local files: what is read, and how each fault is told."""

from pathlib import Path

import pytest

from models.places import Gazetteer, load_local_places
from models.places.geometry import distance_km
from models.places.local import LOCAL
from records import SettingsError

HEADER = "name,aliases,kind,lat,lon,radius_km,operator,insee"
GOOD = "Quartier des Neiges,les Neiges|cité des Neiges,quarter,49.484,0.149,0.6,,76351"


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer()


def test_reads_a_place(tmp_path: Path, gazetteer: Gazetteer) -> None:
    path = tmp_path / "local.csv"
    path.write_text(f"# remark\n{HEADER}\r\n{GOOD}\n\n", encoding="utf-8-sig")
    (place,) = load_local_places(path, gazetteer)
    assert place.slug == "quartier-des-neiges"
    assert place.aliases == ("les Neiges", "cité des Neiges")
    assert (place.level, place.insee) == ("quartier", "76351")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        pytest.param([], "is empty", id="empty"),
        pytest.param(["nom;lat"], ":1: columns are", id="other columns"),
        pytest.param([HEADER.replace(",", ";"), "Quai;;dock;49.4;0.1;1;;76351"], ":1: columns are", id="semicolons"),
        pytest.param(["x" * 200_000], ":1: is no line of CSV", id="a value beyond all measure"),
        pytest.param([HEADER, f"Quai,{'x' * 200_000},dock,49.4,0.1,1,,76351"], ":2: is no line of CSV", id="later"),
        pytest.param([HEADER, "Quai,,dock,49.4,0.1"], ":2: has 5 columns, needs 8", id="too few values"),
        pytest.param([HEADER, ",,dock,49.4,0.1,1,,76351"], ":2: column name", id="no name"),
        pytest.param([HEADER, "Quai\0x,,dock,49.4,0.1,1,,76351"], ":2: ", id="a name that cannot be printed"),
        pytest.param([HEADER, f"{'Quai ' * 50},,dock,49.4,0.1,1,,76351"], "100 characters", id="a name too long"),
        pytest.param([HEADER, "Quai 3,et le,dock,49.4,0.1,1,,76351"], "everyday word", id="an alias of small words"),
        pytest.param([HEADER, "Rouen,,quarter,49.4,0.1,1,,76351"], "no other town has", id="a town's own name"),
        pytest.param(
            [HEADER, f"Quai 3,,dock,49.4,0.1,1,{'x' * 200},76351"], "column operator", id="an endless operator"
        ),
        pytest.param(
            [HEADER, "Dock Saint Jean,,dock,49.4,0.1,1,,76351", "Dock B,le dock St-Jean,dock,49.4,0.11,1,,76351"],
            "stands on line 2",
            id="one spelling of two",
        ),
        pytest.param([HEADER, "Quai 3,feu,dock,49.4,0.1,1,,76351"], "everyday word", id="an alias of every fire"),
        pytest.param([HEADER, "Quai,,harbour,49.4,0.1,1,,76351"], "column kind: found 'harbour'", id="kind"),
        pytest.param([HEADER, "Quai,,dock,north,0.1,1,,76351"], "column lat: found 'north'", id="lat no number"),
        pytest.param([HEADER, "Quai,,dock,nan,0.1,1,,76351"], "column lat: found 'nan'", id="lat not a number"),
        pytest.param([HEADER, "Quai,,dock,4_9.4,0.1,1,,76351"], "column lat: found '4_9.4'", id="lat as Python has it"),
        pytest.param([HEADER, "Quai,,dock,٤٩.٤,0.1,1,,76351"], "column lat", id="lat in other digits"),
        pytest.param([HEADER, 'Quai,,dock,"49,4",0.1,1,,76351'], "decimal point", id="decimal comma"),
        pytest.param([HEADER, "Quai,,dock,99,0.1,1,,76351"], "from -90 to 90", id="lat too great"),
        pytest.param([HEADER, "Quai,,dock,49.4,200,1,,76351"], "from -180 to 180", id="lon too great"),
        pytest.param([HEADER, "Quai,,dock,0.1,49.4,1,,76351"], "near its commune, Le Havre", id="lat and lon changed"),
        pytest.param([HEADER, "Quai,,dock,43.3,5.4,1,,76351"], "km away", id="another town's"),
        pytest.param([HEADER, "Quai,,dock,49.4,0.1,0,,76351"], "column radius_km", id="no radius"),
        pytest.param([HEADER, "Quai,,dock,49.4,0.1,-2,,76351"], "column radius_km", id="radius below nothing"),
        pytest.param([HEADER, "Quai,,dock,49.4,0.1,1,,76"], "column insee: found '76'", id="insee"),
        pytest.param([HEADER, "Quai,,dock,49.4,0.1,1,,99999"], "column insee: found '99999'", id="insee of nothing"),
        pytest.param([HEADER, "Quai,,dock,48.86,2.35,1,,75101"], "75056, of which 75101 is", id="an arrondissement"),
        pytest.param([HEADER, "# x", GOOD, GOOD], ":4: column name", id="twice, and lines are counted with remarks"),
        pytest.param(
            [HEADER, GOOD, "Cité,Les Neiges,quarter,49.484,0.149,0.6,,76351"], "stands on line 2", id="an alias twice"
        ),
    ],
)
def test_tells_what_is_wrong(tmp_path: Path, lines: list[str], told: str, gazetteer: Gazetteer) -> None:
    path = tmp_path / "local.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(SettingsError) as refusal:
        load_local_places(path, gazetteer)
    assert str(path) in str(refusal.value)
    assert told in str(refusal.value)


@pytest.mark.parametrize("content", [b"\xe9", b"\x00\xff\xfe", b"PK\x03\x04\x80"])
def test_tells_what_is_no_text(tmp_path: Path, content: bytes, gazetteer: Gazetteer) -> None:
    (tmp_path / "latin.csv").write_bytes(content)
    with pytest.raises(SettingsError, match="UTF-8"):
        load_local_places(tmp_path / "latin.csv", gazetteer)


@pytest.mark.parametrize("name", ["none.csv", "no\0file.csv", "."])
def test_tells_a_missing_file(tmp_path: Path, name: str, gazetteer: Gazetteer) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_local_places(tmp_path / name, gazetteer)


def test_the_empty_file_is_a_template(gazetteer: Gazetteer) -> None:
    assert load_local_places(LOCAL / "empty.csv", gazetteer) == []


def test_the_places_of_le_havre_stand_where_they_say(gazetteer: Gazetteer) -> None:
    places = load_local_places(LOCAL / "le_havre.csv", gazetteer)
    assert len(places) >= 120
    assert {"quarter", "dock", "zone", "site", "seveso", "road", "landmark", "nickname"} == {p.kind for p in places}
    points = {(place.lat, place.lon) for place in places}
    assert len(points) == len(places)
    for place in places:
        row = gazetteer.communes[place.insee]
        km = distance_km(place.lat, place.lon, gazetteer.lats[row], gazetteer.lons[row])
        assert km < 5 + 3 * gazetteer.radii[row] + place.radius_km, place.name

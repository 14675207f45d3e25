"""Local files: what is read, and how each fault is told."""

from pathlib import Path

import pytest

from models.places import Gazetteer, load_local_places
from models.places.geometry import distance_km
from models.places.local import LOCAL
from records import SettingsError

HEADER = "name,aliases,kind,lat,lon,radius_km,operator,insee"
GOOD = "Quartier des Neiges,les Neiges|cité des Neiges,quarter,49.484,0.149,0.6,,76351"


def test_reads_a_place(tmp_path: Path) -> None:
    path = tmp_path / "local.csv"
    path.write_text(f"# remark\n{HEADER}\n{GOOD}\n\n", encoding="utf-8")
    (place,) = load_local_places(path)
    assert place.slug == "quartier-des-neiges"
    assert place.aliases == ("les Neiges", "cité des Neiges")
    assert (place.level, place.insee) == ("quartier", "76351")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        pytest.param([], "is empty", id="empty"),
        pytest.param(["nom;lat"], ":1: columns are", id="other columns"),
        pytest.param([HEADER, "Quai,,dock,49.4,0.1"], ":2: has 5 columns, needs 8", id="too few values"),
        pytest.param([HEADER, ",,dock,49.4,0.1,1,,76351"], ":2: column name", id="no name"),
        pytest.param([HEADER, "Quai,,harbour,49.4,0.1,1,,76351"], "column kind: found 'harbour'", id="kind"),
        pytest.param([HEADER, "Quai,,dock,north,0.1,1,,76351"], "column lat: found 'north'", id="lat no number"),
        pytest.param([HEADER, 'Quai,,dock,"49,4",0.1,1,,76351'], "decimal point", id="decimal comma"),
        pytest.param([HEADER, "Quai,,dock,99,0.1,1,,76351"], "from -90 to 90", id="lat too great"),
        pytest.param([HEADER, "Quai,,dock,49.4,200,1,,76351"], "from -180 to 180", id="lon too great"),
        pytest.param([HEADER, "Quai,,dock,49.4,0.1,0,,76351"], "column radius_km", id="no radius"),
        pytest.param([HEADER, "Quai,,dock,49.4,0.1,1,,76"], "column insee: found '76'", id="insee"),
        pytest.param([HEADER, "# x", GOOD, GOOD], ":4: column name", id="twice, and lines are counted with remarks"),
    ],
)
def test_tells_what_is_wrong(tmp_path: Path, lines: list[str], told: str) -> None:
    path = tmp_path / "local.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(SettingsError) as refusal:
        load_local_places(path)
    assert str(path) in str(refusal.value)
    assert told in str(refusal.value)


def test_tells_a_missing_file_and_a_wrong_encoding(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_local_places(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes("é".encode("latin-1"))
    with pytest.raises(SettingsError, match="UTF-8"):
        load_local_places(tmp_path / "latin.csv")


def test_the_empty_file_is_a_template() -> None:
    assert load_local_places(LOCAL / "empty.csv") == []


def test_the_places_of_le_havre_stand_where_they_say() -> None:
    gazetteer = Gazetteer()
    places = load_local_places(LOCAL / "le_havre.csv")
    assert len(places) >= 60
    for place in places:
        row = gazetteer.communes[place.insee]
        assert distance_km(place.lat, place.lon, gazetteer.lats[row], gazetteer.lons[row]) < 20, place.name

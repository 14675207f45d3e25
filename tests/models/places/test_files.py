"""Properties of the committed gazetteer, checked without its sources."""

import gzip
import json
from collections import Counter

import pytest
import shapely

from models.places import Gazetteer
from models.places.gazetteer import FILES
from models.places.geometry import distance_km
from records import SettingsError

OVERSEAS = {"971", "972", "973", "974", "976"}


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer()


def test_holds_every_commune(gazetteer: Gazetteer) -> None:
    kinds = Counter(gazetteer.kinds)
    assert len(gazetteer.communes) == 34_875
    assert kinds["arm"] == 45
    assert (kinds["dep"], kinds["region"]) == (101, 18)
    assert kinds["comd"] + kinds["coma"] > 2_500
    assert kinds["city"] > 100_000


@pytest.mark.parametrize(
    ("insee", "name"),
    [
        ("76351", "Le Havre"),
        ("17300", "La Rochelle"),
        ("85194", "Les Sables-d'Olonne"),
        ("84054", "L'Isle-sur-la-Sorgue"),
        ("2A004", "Ajaccio"),
        ("97411", "Saint-Denis"),
    ],
)
def test_names_have_their_article(gazetteer: Gazetteer, insee: str, name: str) -> None:
    assert gazetteer.home_place(insee).name == name


def test_every_commune_lies_in_france(gazetteer: Gazetteer) -> None:
    for row in gazetteer.communes.values():
        if gazetteer.deps[row] not in OVERSEAS:
            assert 41 < gazetteer.lats[row] < 51.2
            assert -5.3 < gazetteer.lons[row] < 9.6


def test_every_commune_lies_near_its_departement(gazetteer: Gazetteer) -> None:
    for row in gazetteer.communes.values():
        dep = gazetteer.areas["dep", gazetteer.deps[row]]
        km = distance_km(gazetteer.lats[row], gazetteer.lons[row], gazetteer.lats[dep], gazetteer.lons[dep])
        assert km < 4 * gazetteer.radii[dep], gazetteer.names[row]


def test_wrong_town_halls_were_replaced(gazetteer: Gazetteer) -> None:
    place = gazetteer.home_place("76720")  # Varengeville-sur-Mer: the source says 706 km away
    assert distance_km(place.lat, place.lon, 49.905, 0.995) < 3


@pytest.mark.parametrize("insee", ["12218", "14581", "49126", "69114", "15031"])
def test_communes_without_a_polygon_have_point_and_radius(gazetteer: Gazetteer, insee: str) -> None:
    place = gazetteer.home_place(insee)
    assert place.radius_km >= 2


def test_name_and_departement_are_unique(gazetteer: Gazetteer) -> None:
    pairs = Counter((gazetteer.names[row], gazetteer.deps[row]) for row in gazetteer.communes.values())
    assert [pair for pair, count in pairs.items() if count > 1] == []


def test_all_but_a_few_communes_have_an_epci(gazetteer: Gazetteer) -> None:
    without = [row for row in gazetteer.communes.values() if not gazetteer.epcis[row]]
    assert len(without) <= 6


def test_electoral_sectors_are_left_out(gazetteer: Gazetteer) -> None:
    assert [code for code in gazetteer.codes if "SR" in code and code[:2] in ("13", "75")] == []


def test_place_ids_are_unique(gazetteer: Gazetteer) -> None:
    ids = Counter(gazetteer.place_id(row) for row in range(len(gazetteer.codes)))
    assert [place_id for place_id, count in ids.items() if count > 1] == []


def test_every_town_hall_lies_in_its_own_outline_or_beside_it(gazetteer: Gazetteer) -> None:
    astray = [
        insee
        for insee, row in gazetteer.communes.items()
        if (found := gazetteer.outlines.nearest(gazetteer.lats[row], gazetteer.lons[row])) is None
        or (found[0] != insee and insee in gazetteer.outlines.codes)
    ]
    assert len(astray) <= len(gazetteer.communes) // 80  # town halls within a kilometre outside are kept (repair 2)


def test_the_outlines_of_the_departements_hold_their_communes(gazetteer: Gazetteer) -> None:
    map_ = json.loads(gzip.decompress((FILES / "departements.geojson.gz").read_bytes()))
    shapes = {f["properties"]["code"]: shapely.from_geojson(json.dumps(f["geometry"])) for f in map_["features"]}
    assert len(shapes) == 101
    assert all(shape.is_valid for shape in shapes.values())
    about = {code: shape.buffer(0.01) for code, shape in shapes.items()}
    inside = [
        about[gazetteer.deps[row]].contains(shapely.Point(gazetteer.lons[row], gazetteer.lats[row]))
        for row in list(gazetteer.communes.values())[::20]
    ]
    assert sum(inside) / len(inside) > 0.995


def test_small_towns_of_french_speaking_and_neighbouring_countries_are_known(gazetteer: Gazetteer) -> None:
    towns = range(gazetteer.french_rows, gazetteer.town_rows)
    smallest: dict[str, int] = {}
    for row in towns:
        country, people = gazetteer.countries[row], gazetteer.populations[row]
        smallest[country] = min(people, smallest.get(country, people))
    assert all(smallest[country] < 1_000 for country in ("BE", "CH", "LU", "DE", "IT", "ES", "CA", "US", "GB"))
    assert all(smallest[country] < 1_000 for country in ("SN", "TN", "CI", "MA", "HT", "PF", "NC", "CM"))
    assert min(smallest.values()) >= 500


def test_londres_is_london(gazetteer: Gazetteer) -> None:
    row = gazetteer.codes.index("2643743", gazetteer.french_rows)
    assert "Londres" in gazetteer.aliases[row].split("|")


def test_files_stay_small() -> None:
    assert sum(path.stat().st_size for path in FILES.iterdir()) < 8_000_000


def test_no_person_is_in_the_files() -> None:
    assert {path.name for path in FILES.iterdir()} == {
        "README.md", "admin.tsv.zst", "commune_outlines.npz.xz", "departements.geojson.gz", "fr_places.tsv.zst",
        "name_flags.tsv.zst", "names.tsv.zst", "world_places.tsv.zst",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        pytest.param("Le Havr", "Le Havre 76351", id="misspelt"),
        pytest.param("Sainte-Colombe", "76569 (76)", id="shared name"),
        pytest.param("99999", "five characters", id="unknown code"),
        pytest.param("", "no commune", id="empty"),
    ],
)
def test_an_unknown_home_is_refused_with_what_comes_near(gazetteer: Gazetteer, asked: str, told: str) -> None:
    with pytest.raises(SettingsError, match=r"commune ") as refusal:
        gazetteer.home_place(asked)
    assert told in str(refusal.value)


@pytest.mark.parametrize(
    ("asked", "insee"),
    [("Le Havre", "76351"), ("76351", "76351"), ("Sainte-Colombe (76)", "76569"), ("le havre", "76351")],
)
def test_a_home_is_found_by_code_or_name(gazetteer: Gazetteer, asked: str, insee: str) -> None:
    assert gazetteer.home_place(asked).insee == insee


@pytest.mark.parametrize(
    ("lat", "lon", "expected"),
    [
        pytest.param(49.4941, 0.1079, "fr:76351", id="Le Havre"),
        pytest.param(48.8566, 2.3522, "fr:75056", id="Paris"),
        pytest.param(51.5, -0.12, "geonames:", id="London"),
        pytest.param(-20.88, 55.45, "fr:97411", id="Réunion"),
    ],
)
def test_a_point_has_its_commune(gazetteer: Gazetteer, lat: float, lon: float, expected: str) -> None:
    row = gazetteer.row_at(lat, lon)
    assert row is not None
    assert gazetteer.place_id(row).startswith(expected)


def test_the_open_sea_has_none(gazetteer: Gazetteer) -> None:
    assert gazetteer.row_at(45.0, -30.0) is None

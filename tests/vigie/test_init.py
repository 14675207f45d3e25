"""`vigie init`: a settings file that loads, for any commune; and the template says what the settings are."""

import re
import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from click.testing import Result
from pydantic import BaseModel

from detectors.profile import load_profile
from models.places import Gazetteer, load_local_places, shipped_gazetteer
from records import SettingsError
from vigie.init import commune_from
from vigie.receiver_settings import ReceiverSettings
from vigie.settings import Settings, load
from vigie.source_settings import SourceSettings
from vigie.territory import default_profile

Runs = Callable[..., Result]

TEMPLATE = (files("vigie") / "template.toml").read_text(encoding="utf-8")
FILLED = TEMPLATE.format(name="Rouen", insee="76540", dep="76", profile="city", local_places_line="local_places = 'p'")
COMMENTED_OUT = re.compile(r"^# ?(?=\[\[|[a-z_]+ = )", re.MULTILINE)


@pytest.fixture(scope="module")
def le_havre(vigie: Runs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("init") / "new"
    result = vigie("init", "--commune", "76351", "--into", folder)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"written: {folder}/vigie.toml",
        f"written: {folder}/places.csv",
        "next: vigie check, then vigie run",
    ]
    return folder


def test_writes_settings_that_load_and_name_the_commune(le_havre: Path) -> None:
    settings = load(le_havre / "vigie.toml")
    assert settings.territory.commune == "76351"
    assert settings.territory.profile == "city"
    assert "Le Havre (76351, 76)" in (le_havre / "vigie.toml").read_text(encoding="utf-8")


def test_writes_the_places_that_only_people_of_le_havre_know(le_havre: Path) -> None:
    settings = load(le_havre / "vigie.toml")
    assert settings.territory.local_places == le_havre / "places.csv"
    assert len(load_local_places(le_havre / "places.csv", shipped_gazetteer())) >= 120


@pytest.mark.parametrize(("commune", "is_filled"), [("Harfleur", True), ("Sandouville", True), ("Rouen", False)])
def test_the_neighbours_of_le_havre_get_its_places_too(
    vigie: Runs, tmp_path: Path, commune: str, *, is_filled: bool
) -> None:
    assert vigie("init", "--commune", commune, "--into", tmp_path).exit_code == 0
    assert bool(load_local_places(tmp_path / "places.csv", shipped_gazetteer())) == is_filled


def test_does_not_write_over_what_is_there(vigie: Runs, le_havre: Path) -> None:
    before = (le_havre / "vigie.toml").read_bytes()
    result = vigie("init", "--commune", "Rouen", "--into", le_havre)
    assert result.exit_code == 2
    assert result.stderr == (
        f"vigie: {le_havre}/vigie.toml: is there already; move it away, or give --force to write over it\n"
    )
    assert (le_havre / "vigie.toml").read_bytes() == before


def test_takes_a_name_and_writes_over_when_told_to(vigie: Runs, tmp_path: Path) -> None:
    (tmp_path / "vigie.toml").write_text("mine")
    result = vigie("init", "--commune", "saint-denis (974)", "--into", tmp_path, "--force")
    assert result.exit_code == 0
    settings = load(tmp_path / "vigie.toml")
    assert settings.territory.commune == "97411"
    assert load_local_places(tmp_path / "places.csv", shipped_gazetteer()) == []


@pytest.mark.parametrize(
    ("commune", "expected"),
    [
        pytest.param("99999", "commune '99999': no commune has this INSEE code or name; ", id="no such code"),
        pytest.param("Le Avre", "Le Havre 76351", id="a near miss"),
        pytest.param("Saint-Aubin", " communes have this name: ", id="a name that several have"),
        pytest.param("", "commune '': no commune has this INSEE code or name; ", id="nothing"),
    ],
)
def test_an_unknown_commune_is_told_with_what_comes_near(commune: str, expected: str, gazetteer: Gazetteer) -> None:
    with pytest.raises(SettingsError) as refused:
        commune_from(gazetteer, commune)
    assert expected in str(refused.value)


def test_for_an_unknown_commune_nothing_is_written(vigie: Runs, tmp_path: Path) -> None:
    result = vigie("init", "--commune", "Le Avre", "--into", tmp_path)
    assert result.exit_code == 2
    assert result.stderr.startswith("vigie: commune 'Le Avre': ")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(vigie: Runs, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = vigie("init", "--commune", "76351", "--into", tmp_path / "file")
    assert result.exit_code == 2
    assert result.stderr.endswith("file: cannot write there: File exists; give another folder with --into\n")


def test_the_profile_proposed_fits_the_size_of_the_commune_and_loads(gazetteer: Gazetteer) -> None:
    etretat, rouen = commune_from(gazetteer, "76254"), commune_from(gazetteer, "Rouen")
    names = [load_profile(default_profile(home), home).name for home in (etretat, rouen, None)]
    assert names == ["commune", "city", "world"]


def tables_of(toml: str) -> dict[str, list[dict[str, Any]]]:
    return {name: value if isinstance(value, list) else [value] for name, value in tomllib.loads(toml).items()}


def models_of(table: str) -> list[type[BaseModel]]:
    union = {"sources": SourceSettings, "receivers": ReceiverSettings}.get(table)
    if union is not None:
        return list(get_args(get_args(union)[0]))
    model = Settings.model_fields[table].annotation
    if get_origin(model) is tuple:
        model = get_args(model)[0]
    assert isinstance(model, type)
    assert issubclass(model, BaseModel)
    return [model]


def test_every_key_of_the_template_is_a_setting() -> None:
    whole = tables_of(COMMENTED_OUT.sub("", FILLED))
    for table, entries in whole.items():
        for entry in entries:
            fields = [keys_of(model) for model in models_of(table) if fits(model, entry)]
            assert fields, f"{table}: no such kind: {entry}"
            assert set(entry) <= fields[0], f"{table}: {set(entry) - fields[0]}"


def keys_of(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def fits(model: type[BaseModel], entry: dict[str, Any]) -> bool:
    kind = model.model_fields.get("kind")
    return kind is None or entry.get("kind", "") in get_args(kind.annotation)


@pytest.mark.parametrize("table", list(Settings.model_fields))
def test_every_setting_is_mentioned_in_the_template(table: str) -> None:
    whole = tables_of(COMMENTED_OUT.sub("", FILLED))
    for model in models_of(table):
        mentioned = set().union(*(entry for entry in whole.get(table, []) if fits(model, entry)))
        assert keys_of(model) - mentioned == set(), f"[{table}] {model.__name__}"


def test_a_value_that_stands_in_the_template_is_the_default_unless_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "vigie.toml").write_text(FILLED, encoding="utf-8")
    written, default = load(tmp_path / "vigie.toml"), Settings()
    for table in ("kafka", "broker", "worker", "edge", "metrics"):
        assert getattr(written, table) == getattr(default, table)

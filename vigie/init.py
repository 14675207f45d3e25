"""`vigie init`: an annotated settings file for a commune, ready to run."""

from importlib.resources import as_file, files
from pathlib import Path

from models.places import Gazetteer, shipped_gazetteer
from records import Place, SettingsError
from vigie.territory import default_profile

LOCAL_PLACES = "places.csv"
LE_HAVRE_SEINE = "200084952"  # the EPCI whose local places come with Vigie
INSEE_LENGTH = 5


def commune_from(gazetteer: Gazetteer, commune: str) -> Place:
    """Return a commune, given by INSEE code or by name.

    Errors  SettingsError when there is none, or when several have that name
    """
    if len(commune) == INSEE_LENGTH and commune[0].isdigit():
        return gazetteer.home_place(commune.upper())
    insee = gazetteer.insee(gazetteer.commune_named(commune))
    return gazetteer.home_place(insee or "")


def write_settings(commune: str, folder: Path, *, is_forced: bool = False) -> list[Path]:
    """Write `vigie.toml` and a file for local places; return what was written.

    Errors  SettingsError when the commune is not known, or when a file is there already
    """
    settings_file, places_file = folder / "vigie.toml", folder / LOCAL_PLACES
    for path in (settings_file, places_file):
        if path.exists() and not is_forced:
            raise SettingsError(f"{path}: is there already; move it away, or give --force to write over it")
    home = commune_from(shipped_gazetteer(), commune)
    template = (files("vigie") / "template.toml").read_text(encoding="utf-8")
    text = template.format(
        name=home.name,
        insee=home.insee,
        dep=home.dep,
        profile=default_profile(home),
        local_places_line=f'local_places = "{LOCAL_PLACES}"   # quarters, docks, sites, nicknames: make it yours',
    )
    source = "le_havre.csv" if home.epci == LE_HAVRE_SEINE else "empty.csv"
    with as_file(files("models.places") / "local" / source) as local:
        places = local.read_text(encoding="utf-8")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        settings_file.write_text(text, encoding="utf-8")
        places_file.write_text(places, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"{folder}: cannot write there: {error.strerror}; give another folder with --into"
        ) from error
    return [settings_file, places_file]

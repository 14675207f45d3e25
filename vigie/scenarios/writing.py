"""`vigie scenario new`: the folder of a scenario that a town may make its own, annotated, which plays as it is."""

from pathlib import Path
from string import Template

from models.places import shipped_gazetteer
from records import SettingsError
from records.place import Place
from vigie.init import commune_from
from vigie.scenarios.scenario import FILE, POSTS

TEMPLATE = Path(__file__).parent / "template"


def write_new(folder: Path, commune: str, language: str) -> list[Path]:
    """Write a scenario for a commune, given by INSEE code or by name; return what was written.

    Errors  SettingsError when the commune is not known, when a scenario is there already, or the folder not writable
    """
    home = commune_from(shipped_gazetteer(), commune)
    written = [folder / FILE, folder / POSTS]
    for path in written:
        if path.exists():
            raise SettingsError(f"{path}: is there already; give another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, name in zip(written, (f"{language}.toml", POSTS), strict=True):
            path.write_text(_filled(TEMPLATE / name, home), encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{folder}: cannot write there: {error.strerror}; give another folder") from error
    return written


def _filled(path: Path, home: Place) -> str:
    known = {"name": home.name, "insee": home.insee or "", "lat": f"{home.lat:.3f}", "lon": f"{home.lon:.3f}"}
    return Template(path.read_text(encoding="utf-8")).substitute(known)

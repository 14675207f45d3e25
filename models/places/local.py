"""Local places: quarters, docks, works and nicknames that only people of the place use, read from a CSV file."""

import csv
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from models.places.folding import fold_name
from records import SettingsError
from records.place import PlaceLevel

COLUMNS = ("name", "aliases", "kind", "lat", "lon", "radius_km", "operator", "insee")
LEVEL_OF_KIND: dict[str, PlaceLevel] = {
    "quarter": "quartier",
    "dock": "site",
    "zone": "quartier",
    "site": "site",
    "seveso": "site",
    "road": "site",
    "landmark": "site",
    "nickname": "commune",
}
LOCAL = Path(__file__).parent / "local"
INSEE = re.compile(r"^(\d{5}|2[AB]\d{3})$")
GREATEST_RADIUS_KM = 50.0


class LocalPlace(msgspec.Struct, frozen=True, kw_only=True):
    """One place of the watched area, given by the people who know it."""

    name: str
    kind: str
    lat: float
    lon: float
    radius_km: float
    insee: str  # the commune it lies in
    aliases: tuple[str, ...] = ()
    operator: str = ""

    @property
    def slug(self) -> str:
        """The name as it stands in a place_id."""
        return fold_name(self.name).replace(" ", "-")

    @property
    def level(self) -> PlaceLevel:
        """The level of its kind."""
        return LEVEL_OF_KIND[self.kind]


def load_local_places(path: Path) -> list[LocalPlace]:
    """Return the places of a local file; lines that begin with # are remarks.

    Errors  SettingsError naming file, line, column, what was found and what would do
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read ({error}); give a CSV file in UTF-8") from error
    numbered = [(number, line) for number, line in enumerate(text.splitlines(), 1) if _is_row(line)]
    if not numbered:
        raise SettingsError(f"{path}: is empty; its first line must be {','.join(COLUMNS)}")
    header = next(csv.reader([numbered[0][1]]))
    if tuple(column.strip() for column in header) != COLUMNS:
        raise SettingsError(f"{path}:{numbered[0][0]}: columns are {','.join(header)!r}, need {','.join(COLUMNS)}")
    places = [_place_from(path, number, line) for number, line in numbered[1:]]
    _refuse_twins(path, places, [number for number, _ in numbered[1:]])
    return places


def _is_row(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _place_from(path: Path, number: int, line: str) -> LocalPlace:
    values = next(csv.reader([line]))
    if len(values) != len(COLUMNS):
        raise SettingsError(
            f'{path}:{number}: has {len(values)} columns, needs {len(COLUMNS)}; put values with commas in "quotes"'
        )
    row = {column: value.strip() for column, value in zip(COLUMNS, values, strict=True)}

    def refuse(column: str, wanted: str) -> SettingsError:
        return SettingsError(f"{path}:{number}: column {column}: found {row[column]!r}, needs {wanted}")

    if not fold_name(row["name"]):
        raise refuse("name", "a name with letters or digits")
    if row["kind"] not in LEVEL_OF_KIND:
        raise refuse("kind", f"one of {', '.join(LEVEL_OF_KIND)}")
    if not INSEE.match(row["insee"]):
        raise refuse("insee", "the commune's INSEE code, as 76351")
    return LocalPlace(
        name=row["name"],
        aliases=tuple(alias.strip() for alias in row["aliases"].split("|") if fold_name(alias)),
        kind=row["kind"],
        lat=_number(row["lat"], -90, 90, lambda wanted: refuse("lat", wanted)),
        lon=_number(row["lon"], -180, 180, lambda wanted: refuse("lon", wanted)),
        radius_km=_number(row["radius_km"], 0.01, GREATEST_RADIUS_KM, lambda wanted: refuse("radius_km", wanted)),
        operator=row["operator"],
        insee=row["insee"],
    )


def _number(found: str, least: float, greatest: float, refuse: Callable[[str], SettingsError]) -> float:
    try:
        value = float(found)
    except ValueError:
        value = float("nan")
    if not least <= value <= greatest:
        raise refuse(f"a number from {least:g} to {greatest:g} with a decimal point")
    return value


def _refuse_twins(path: Path, places: Iterable[LocalPlace], numbers: Iterable[int]) -> None:
    seen: dict[str, int] = {}
    for place, number in zip(places, numbers, strict=True):
        if place.slug in seen:
            raise SettingsError(
                f"{path}:{number}: column name: {place.name!r} stands on line {seen[place.slug]} too; give it once"
            )
        seen[place.slug] = number

"""Local places: quarters, docks, works and nicknames that only people of the place use, read from a CSV file."""

import csv
import re
from pathlib import Path

import msgspec

from models.places.folding import bare, fold_name
from models.places.gazetteer import Gazetteer
from models.places.geometry import distance_km
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
PLAIN_NUMBER = re.compile(r"^[+-]?[0-9]{1,4}(\.[0-9]{1,9})?$")
GREATEST_RADIUS_KM = 50.0
FARTHEST_KM = 5.0  # from the commune's circle: out at sea, across a river
LONGEST_NAME = 100
EVERYDAY_ZIPF = 4.5
TOWN = 5_000  # people: no local place takes the name of such a town elsewhere
_NO_NAMES = """
    feu feux fumee incendie eau port usine rue route avenue place quartier zone ville centre mort grand petit vieux
    a au aux le la les l de du des d en et ou un une dans sur sous vers chez c est il y
    the of in at to fire smoke water street road town
"""
NO_NAMES = frozenset(_NO_NAMES.split())
SAINTS = {"st": "saint", "ste": "sainte"}
CONTRACTIONS = ("au ", "aux ", "du ", "des ", "de ", "d ")


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


def load_local_places(path: Path, gazetteer: Gazetteer) -> list[LocalPlace]:
    """Return the places of a local file; lines that begin with # are remarks.

    Errors  SettingsError naming file, line, column, what was found and what would do
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, or a name that can be no file's
        raise SettingsError(f"{path}: cannot be read ({error}); give a CSV file in UTF-8") from error
    lines = [Line(path, number, line) for number, line in enumerate(text.split("\n"), 1) if _is_row(line)]
    if not lines:
        raise SettingsError(f"{path}: is empty; its first line must be {','.join(COLUMNS)}")
    header = tuple(column.strip() for column in lines[0].values())
    if header != COLUMNS:
        raise SettingsError(f"{lines[0]}: columns are {','.join(header)[:200]!r}, need {','.join(COLUMNS)}")
    places = [_place_from(line, gazetteer) for line in lines[1:]]
    _refuse_twins(lines[1:], places)
    return places


def _is_row(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


class Line:
    """One line of the file, and the errors that it gives."""

    def __init__(self, path: Path, number: int, text: str) -> None:
        self.path, self.number, self.text = path, number, text
        self.row: dict[str, str] = {}

    def __str__(self) -> str:
        return f"{self.path}:{self.number}"

    def values(self) -> list[str]:
        """Return the values between the commas."""
        try:
            return next(csv.reader([self.text]), [])
        except csv.Error as error:
            raise SettingsError(f"{self}: is no line of CSV ({error})") from error

    def read(self) -> None:
        """Take the values apart by column."""
        values = self.values()
        if len(values) != len(COLUMNS):
            hint = 'put values with commas in "quotes"'
            raise SettingsError(f"{self}: has {len(values)} columns, needs {len(COLUMNS)}; {hint}")
        self.row = {column: value.strip() for column, value in zip(COLUMNS, values, strict=True)}

    def refuse(self, column: str, wanted: str) -> SettingsError:
        """Return the error that says what stands in a column and what would do."""
        return SettingsError(f"{self}: column {column}: found {self.row[column][:80]!r}, needs {wanted}")

    def number_in(self, column: str, least: float, greatest: float) -> float:
        """Return a column's number."""
        found = self.row[column]
        value = float(found) if PLAIN_NUMBER.match(found) else float("nan")
        if not least <= value <= greatest:
            raise self.refuse(column, f"a number from {least:g} to {greatest:g} with a decimal point, as 49.4770")
        return value


def _place_from(line: Line, gazetteer: Gazetteer) -> LocalPlace:
    line.read()
    row = line.row
    aliases = tuple(alias.strip() for alias in row["aliases"].split("|") if fold_name(alias))
    for column, names in (("name", (row["name"],)), ("aliases", aliases)):
        for name in names:
            _refuse_name(line, column, name, gazetteer)
    if row["kind"] not in LEVEL_OF_KIND:
        raise line.refuse("kind", f"one of {', '.join(LEVEL_OF_KIND)}")
    if len(row["operator"]) > LONGEST_NAME or not row["operator"].isprintable():
        raise line.refuse("operator", f"a firm's or a service's name, of {LONGEST_NAME} characters or fewer")
    place = LocalPlace(
        name=row["name"],
        aliases=aliases,
        kind=row["kind"],
        lat=line.number_in("lat", -90, 90),
        lon=line.number_in("lon", -180, 180),
        radius_km=line.number_in("radius_km", 0.01, GREATEST_RADIUS_KM),
        operator=row["operator"],
        insee=row["insee"],
    )
    _refuse_commune(line, place, gazetteer)
    return place


def _refuse_name(line: Line, column: str, name: str, gazetteer: Gazetteer) -> None:
    key = fold_name(name)
    if not key or len(name) > LONGEST_NAME or not name.isprintable():
        raise line.refuse(column, f"a name with letters or digits, of {LONGEST_NAME} characters or fewer")
    flags = gazetteer.flags.get(bare(key))
    is_word = flags is not None and " " not in key and max(flags.zipf_fr, flags.zipf_en) >= EVERYDAY_ZIPF
    if is_word or NO_NAMES.issuperset(key.split()):
        raise line.refuse(column, f"names that are no everyday words by themselves, not {name!r}: every post says it")
    towns = [row for row in gazetteer.rows_named(key) if gazetteer.populations[row] >= TOWN]
    if any(gazetteer.insee(row) != line.row["insee"] for row in towns):
        raise line.refuse(column, f"names that no other town has, not {name!r}: posts about it would come here")


def _refuse_commune(line: Line, place: LocalPlace, gazetteer: Gazetteer) -> None:
    """Refuse an INSEE code that no commune has today, and a point that lies far from its commune."""
    row = gazetteer.communes.get(place.insee)
    if row is None:
        today = gazetteer.commune_of_former(place.insee)
        hint = f"{today}, of which {place.insee} is a part" if today else "the commune's INSEE code, as 76351"
        raise line.refuse("insee", hint)
    km = distance_km(place.lat, place.lon, gazetteer.lats[row], gazetteer.lons[row])
    most = FARTHEST_KM + 3 * gazetteer.radii[row] + place.radius_km
    if km > most:
        where = f"{gazetteer.lats[row]:.3f}, {gazetteer.lons[row]:.3f}"
        raise line.refuse(
            "lat", f"a point near its commune, {gazetteer.names[row]} ({where}): this is {km:.0f} km away"
        )


def _said(name: str) -> str:
    """Return a name as posts may have it: "Dock St Jean", "au dock Saint-Jean" and "le dock Saint Jean" are one."""
    key = bare(fold_name(name))
    for contraction in CONTRACTIONS:
        key = key.removeprefix(contraction)
    return " ".join(SAINTS.get(word, word) for word in key.split())


def _refuse_twins(lines: list[Line], places: list[LocalPlace]) -> None:
    """Refuse two places that one spelling means."""
    seen: dict[str, Line] = {}
    for line, place in zip(lines, places, strict=True):
        own = {_said(name): name for name in (place.name, *place.aliases)}
        for key, name in own.items():
            if key in seen:
                column = "name" if key == _said(place.name) else "aliases"
                raise SettingsError(
                    f"{line}: column {column}: {name!r} stands on line {seen[key].number} too; give it once"
                )
        seen |= dict.fromkeys(own, line)

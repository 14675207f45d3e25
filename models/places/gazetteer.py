"""The gazetteer: every place that Vigie knows, loaded from the committed files.

Places are rows, and a row is a number: the columns are parallel lists and arrays, which load fast and stay small.
"""

import difflib
from array import array
from collections import defaultdict
from collections.abc import Iterable
from functools import cache, cached_property
from pathlib import Path
from sys import intern
from typing import Literal

import numpy as np
from msgspec.structs import replace

from models.places.columns import ADMIN_COLUMNS, FLAG_COLUMNS, FRANCE_COLUMNS, WORLD_COLUMNS
from models.places.folding import fold_name
from models.places.geometry import KM_PER_DEGREE, distance_km
from models.places.grid import cell_of
from models.places.outlines import Outlines, read_outlines
from models.places.tables import read_table
from records import Place, SettingsError
from records.place import PlaceLevel, PlaceSource

FILES = Path(__file__).parent / "files"
Kind = Literal["com", "comd", "coma", "arm", "city", "country", "admin1", "region", "dep", "epci"]
LEVELS: dict[str, PlaceLevel] = {
    "com": "commune",
    "comd": "quartier",
    "coma": "quartier",
    "arm": "quartier",
    "city": "commune",
    "country": "country",
    "admin1": "region",
    "region": "region",
    "dep": "dep",
    "epci": "epci",
}
PREFIXES = {
    "country": "country:",
    "admin1": "admin1:",
    "region": "fr:reg:",
    "dep": "fr:dep:",
    "epci": "fr:epci:",
    "city": "geonames:",
    "comd": "fr:comd:",
    "coma": "fr:coma:",
    "arm": "fr:arm:",
}
GEOTAG_TOWN_KM = 50.0
LEAST_TOWN_KM = 1.0
NEAR_MISSES = 4


def radius_of_town(population: int) -> float:
    """Return how far a town of this size reaches, in km: 1 for a village, 9 for 1 million people, 27 for 10 million."""
    return max(LEAST_TOWN_KM, float(population**0.5) / 110)


class Flags:
    """What else a name is: a French or English word, a first or a family name, and how frequent."""

    __slots__ = ("is_first_name", "is_given_name", "is_last_name", "zipf_en", "zipf_fr")

    def __init__(self, kinds: str, zipf_fr: str, zipf_en: str) -> None:
        found = kinds.split(",")
        self.zipf_fr = float(zipf_fr) if "fr" in found else 0.0
        self.zipf_en = float(zipf_en) if "en" in found else 0.0
        self.is_first_name = "first" in found
        self.is_given_name = "given" in found  # a first name anywhere: a family name may follow it
        self.is_last_name = "last" in found


WIDE_REASON = "plusieurs lieux de ce territoire"


class Gazetteer:
    """All places and what is known of their names.

    Shape   row numbers index every column; communes first, then towns abroad, then administrative areas
    Units   degrees WGS84, kilometres, inhabitants
    Errors  SettingsError when a file is missing or not ours
    """

    def __init__(self, files: Path = FILES) -> None:
        self.files = files
        self.kinds: list[str] = []
        self.codes: list[str] = []
        self.names: list[str] = []
        self.aliases: list[str] = []
        self.countries: list[str] = []
        self.deps: list[str] = []  # "76" in France, "US-OK" abroad, "" for countries
        self.parents: list[str] = []  # INSEE of the commune that a former one belongs to; a département's région
        self.epcis: list[str] = []
        self.lats = array("d")
        self.lons = array("d")
        self.radii = array("d")
        self.populations = array("q")
        self._load_france(read_table(files / "fr_places.tsv.zst", FRANCE_COLUMNS))
        self.french_rows = len(self.codes)
        self._load_world(read_table(files / "world_places.tsv.zst", WORLD_COLUMNS))
        self.town_rows = len(self.codes)
        self._load_admin(read_table(files / "admin.tsv.zst", ADMIN_COLUMNS))
        names, *values = read_table(files / "name_flags.tsv.zst", FLAG_COLUMNS)
        self.flags = dict(zip(names, map(Flags, *values), strict=True))
        self.communes = {self.codes[row]: row for row in range(self.french_rows) if self.kinds[row] == "com"}
        self.areas = {(self.kinds[row], self.codes[row]): row for row in range(self.town_rows, len(self.codes))}
        self.region_of_dep = {code: self.parents[row] for (kind, code), row in self.areas.items() if kind == "dep"}

    def _load_france(self, columns: list[list[str]]) -> None:
        insee, parent, kind, name, dep, epci, population, lat, lon, radius = columns
        count = len(insee)
        self._extend(map(intern, kind), insee, name, [""] * count, ["FR"] * count, map(intern, dep), parent)
        self.epcis += map(intern, epci)
        self._extend_numbers(lat, lon, radius, population)

    def _load_world(self, columns: list[list[str]]) -> None:
        geonameid, name, aliases, country, admin1, lat, lon, population = columns
        count = len(geonameid)
        dep = map(intern, map("-".join, zip(country, admin1, strict=True)))
        self._extend(["city"] * count, geonameid, name, aliases, map(intern, country), dep, [""] * count)
        self.epcis += [""] * count
        radius_of = {people: radius_of_town(int(people)) for people in set(population)}
        self._extend_numbers(lat, lon, map(radius_of.__getitem__, population), population)

    def _load_admin(self, columns: list[list[str]]) -> None:
        kind, code, name, english, aliases, country, parent, lat, lon, radius, population = columns
        dep = [
            own if level in ("dep", "admin1") else above if level == "epci" else ""
            for level, own, above in zip(kind, code, parent, strict=True)
        ]
        others = [
            f"{second}|{more}" if second != first else more
            for first, second, more in zip(name, english, aliases, strict=True)
        ]
        self._extend(kind, code, name, others, country, dep, parent)
        self.epcis += [own if level == "epci" else "" for level, own in zip(kind, code, strict=True)]
        self._extend_numbers(lat, lon, radius, population)

    def _extend(  # noqa: PLR0917  the columns, in order
        self,
        kinds: Iterable[str],
        codes: list[str],
        names: list[str],
        aliases: list[str],
        countries: Iterable[str],
        deps: Iterable[str],
        parents: list[str],
    ) -> None:
        self.kinds += kinds
        self.codes += codes
        self.names += names
        self.aliases += aliases
        self.countries += countries
        self.deps += deps
        self.parents += parents

    def _extend_numbers(
        self,
        lats: list[str],
        lons: list[str],
        radii: Iterable[str | float],
        populations: list[str],
    ) -> None:
        self.lats.extend(map(float, lats))
        self.lons.extend(map(float, lons))
        self.radii.extend(map(float, radii))
        self.populations.extend(map(int, populations))

    def place_id(self, row: int) -> str:
        """Return the identity of a row's place, stable between builds."""
        return PREFIXES.get(self.kinds[row], "fr:") + self.codes[row]

    def insee(self, row: int) -> str | None:
        """Return the INSEE code of the commune of today that a French row lies in, or None."""
        kind = self.kinds[row]
        if kind == "com":
            return self.codes[row]
        return self.parents[row] if kind in ("comd", "coma", "arm") else None

    def commune_of_former(self, code: str) -> str | None:
        """Return the INSEE code of the commune of today that a former commune or an arrondissement is part of."""
        return next(
            (self.parents[row] for row in range(self.french_rows) if self.codes[row] == code and self.parents[row]),
            None,
        )

    def region(self, row: int) -> str:
        """Return the région of a French row, or an empty text."""
        return self.region_of_dep.get(self.deps[row], "")

    def place(
        self, row: int, *, confidence: float, source: PlaceSource, reasons: tuple[str, ...], widened: float = 1.0
    ) -> Place:
        """Return the row as a Place; `widened` multiplies its radius ("près de" doubles it)."""
        kind = self.kinds[row]
        least = 1.0 if kind in ("com", "city") else 0.3
        radius_km = round(max(least, self.radii[row]) * widened, 2)
        return Place(
            place_id=self.place_id(row),
            name=self.names[row],
            lat=self.lats[row],
            lon=self.lons[row],
            radius_km=radius_km,
            level=LEVELS[kind],
            confidence=round(min(1.0, max(0.0, confidence)), 3),
            source=source,
            reasons=reasons,
            country=self.countries[row],
            insee=self.insee(row),
            dep=self.deps[row] or None,
            epci=self.epcis[row] or None,
            region=(self.codes[row] if kind == "region" else self.region(row)) or None,
            h3=cell_of(self.lats[row], self.lons[row], radius_km),
            population=self.populations[row],
        )

    def row_of(self, place_id: str) -> int | None:
        """Return the row of a country or an area by its identity, or None."""
        return next((row for row in self.areas.values() if self.place_id(row) == place_id), None)

    def wide_places(self) -> dict[str, Place]:
        """Return all countries and areas wider than a commune, by their identity: where posts of many towns meet."""
        return {
            self.place_id(row): self.place(row, confidence=1.0, source="group", reasons=(WIDE_REASON,))
            for row in self.areas.values()
        }

    def inside(self, row: int, place: Place) -> Place:
        """Return a finer place with what is known of the commune or town it lies in."""
        return replace(
            place,
            country=self.countries[row],
            insee=self.insee(row),
            dep=self.deps[row] or None,
            epci=self.epcis[row] or None,
            region=self.region(row) or None,
            population=self.populations[row],
        )

    def home_place(self, insee: str) -> Place:
        """Return the commune that Vigie watches from, by INSEE code (or by a name that only one commune has).

        Errors  SettingsError naming what comes near
        """
        row = self.communes.get(insee.strip().upper())
        row = self.commune_named(insee) if row is None else row
        return self.place(row, confidence=1.0, source="home", reasons=("commune surveillée",))

    def commune_named(self, name: str) -> int:
        """Return the row of the one commune with this name; "Saint-Denis (974)" or "Saint-Denis, 974" is exact.

        Errors  SettingsError when there is none or there are several, naming them with their codes
        """
        stem, _, dep = name.replace(",", "(").rstrip(") ").partition("(")
        found = self._communes_by_name.get(fold_name(stem), [])
        if dep.strip():
            found = [row for row in found if self.deps[row] == dep.strip().upper()]
        if len(found) == 1:
            return found[0]
        largest = max(found, key=lambda row: self.populations[row], default=None)
        others = sum(self.populations[row] for row in found if row != largest)
        if largest is not None and self.populations[largest] > 20 * others:
            return largest
        raise SettingsError(self._why_not_one(name, stem, found))

    @cached_property
    def _communes_by_name(self) -> dict[str, list[int]]:
        by_name: dict[str, list[int]] = defaultdict(list)
        for row in self.communes.values():
            by_name[fold_name(self.names[row])].append(row)
        return by_name

    @cached_property
    def _rows_by_name(self) -> dict[str, list[int]]:
        by_name: dict[str, list[int]] = defaultdict(list)
        for row, name in enumerate(self.names):
            by_name[fold_name(name)].append(row)
        return by_name

    def rows_named(self, key: str) -> list[int]:
        """Return the rows of every place, of any kind, whose folded name is the key."""
        return self._rows_by_name.get(key, [])

    def _why_not_one(self, name: str, stem: str, found: list[int]) -> str:
        if found:
            listed = ", ".join(f"{self.codes[row]} ({self.deps[row]})" for row in found[:12])
            return f"commune {name!r}: {len(found)} communes have this name: {listed}; give the INSEE code"
        folded = fold_name(stem)
        close = difflib.get_close_matches(folded, self._communes_by_name, n=NEAR_MISSES, cutoff=0.7)
        near = [self._communes_by_name[key][0] for key in close]
        listed = ", ".join(f"{self.names[row]} {self.codes[row]}" for row in near)
        hint = f"near it: {listed}" if near else "an INSEE code has five characters, as 76351 for Le Havre"
        return f"commune {name!r}: no commune has this INSEE code or name; {hint}"

    @cached_property
    def _commune_points(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows = np.fromiter(self.communes.values(), dtype=np.int64)
        return rows, np.asarray(self.lats)[rows], np.asarray(self.lons)[rows]

    @cached_property
    def _town_points(self) -> tuple[np.ndarray, np.ndarray]:
        towns = slice(self.french_rows, self.town_rows)
        return np.asarray(self.lats[towns]), np.asarray(self.lons[towns])

    @cached_property
    def outlines(self) -> Outlines:
        """The outlines of the communes, read when first asked for: most posts have no geotag."""
        return read_outlines(self.files / "commune_outlines.npz.xz")

    def row_at(self, lat: float, lon: float) -> int | None:
        """Return the row of the commune around a point, or of the nearest known town abroad within 50 km, or None.

        Outside all communes the nearer counts: Monaco and Kehl are not their French neighbours, a pier is France.
        """
        found = self.outlines.nearest(lat, lon)
        if found is not None and not found[1]:
            return self.communes[found[0]]
        lats, lons = self._town_points
        squares = (lats - lat) ** 2 + ((lons - lon) * np.cos(np.radians(lat))) ** 2
        town = int(np.argmin(squares)) + self.french_rows
        km = distance_km(lat, lon, self.lats[town], self.lons[town])
        if found is not None and found[1] < km - self.radii[town]:
            return self.communes[found[0]]
        return town if km <= GEOTAG_TOWN_KM else None

    def communes_within(self, lat: float, lon: float, reach_km: float) -> list[int]:
        """Return the rows of the communes whose point lies within some kilometres, nearest first."""
        rows, lats, lons = self._commune_points
        north = (lats - lat) * KM_PER_DEGREE
        east = (lons - lon) * KM_PER_DEGREE * np.cos(np.radians(lat))
        squares = north**2 + east**2
        order = np.argsort(squares, kind="stable")
        return [int(rows[i]) for i in order if squares[i] <= reach_km**2]


@cache
def shipped_gazetteer() -> Gazetteer:
    """Return the gazetteer of our own files, read once for all that ask in a process."""
    return Gazetteer()

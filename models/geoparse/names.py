"""Names: every spelling under which a place of the gazetteer is found in a folded text.

To collect them takes longer than all else that placing needs at a start, so it is done once: the table travels with the
gazetteer that it was collected from.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from models.geoparse.words import COMPASS, CUES, HAPPENINGS
from models.places.folding import bare, fold, fold_name, heads_of, surface_from
from models.places.gazetteer import Flags, Gazetteer
from models.places.spellings import (
    ADMIN1_NAMES_REFUSED,
    COMMUNE_ALIASES,
    COUNTRY_NAMES_REFUSED,
)
from models.places.tables import read_table, write_table

NAMES_TABLE = "names.tsv.zst"
NAME_COLUMNS = ("name", "meaning")
_SPACE = "_"  # a space in the few names that a table would not keep as they are: it has no two spaces side by side

HEAD_POPULATION = 2_000
JOINED_POPULATION = 15_000
HEAD_ZIPF = 3.2
LEAST_JOINED = 6
SHORT_NAME = 3
TOWN_ZIPF = 4.6  # a small town abroad that is called so is never what a text means
LARGE_TOWN = 100_000
EVERYDAY_ZIPF, EVERYDAY_TOWN = 5.0, 10_000
DIVISION_ZIPF = 3.0
RARE_TOWN = 15_000
LONGEST_ABBREVIATION = 4
CITY_STATES = frozenset({"new york", "washington"})  # the city is meant
LARGE_DIVISION = 5_000_000
ONE_DEP_REGIONS = frozenset({"01", "02", "03", "04", "06"})
FRENCH_NEIGHBOURS = frozenset({"US", "CA", "GB", "AU", "CH", "BE", "LU", "DE", "IT", "ES"})  # their divisions are named
ARRONDISSEMENT = " arrondissement"
REFUSED = {"country": frozenset(COUNTRY_NAMES_REFUSED), "admin1": frozenset(ADMIN1_NAMES_REFUSED)}
NO_FLAGS = Flags("", "0", "0")
SHORT_FORMS = {
    "saint": "st",
    "sainte": "ste",
    "fort": "ft",
    "mount": "mt",
    "provence": "pce",
    "ferrand": "fd",
    "sous": "ss",
}
LONG_FORMS = {short: long for long, short in SHORT_FORMS.items()}
FORM_WORDS = frozenset((*SHORT_FORMS, *LONG_FORMS))


class Meaning(NamedTuple):
    """What one spelling may mean.

    Shape   rows of the gazetteer, in the order in which they were met
    """

    rows: tuple[int, ...] = ()  # called so
    joined: tuple[int, ...] = ()  # called so, the words run together
    heads: tuple[int, ...] = ()  # whose name begins so
    article: str = ""  # "a" or "de": the preposition that a contraction holds
    is_caps: bool = False  # an abbreviation: only in capitals

    @property
    def written(self) -> str:
        """Return it as the table holds it."""
        rows = (" ".join(map(str, found)) for found in (self.rows, self.joined, self.heads))
        return ";".join((*rows, self.article, "caps" if self.is_caps else "")).rstrip(";")

    @classmethod
    def read(cls, written: str) -> "Meaning":
        """Return what the table holds."""
        rows, joined, heads, article, caps = (*written.split(";"), "", "", "", "")[: len(cls._fields)]
        return cls(_rows(rows), _rows(joined), _rows(heads), article, bool(caps))


def _rows(written: str) -> tuple[int, ...]:
    return tuple(map(int, written.split()))


def table_of(gazetteer: Gazetteer) -> list[tuple[str, str]]:
    """Return the rows of the table: names in their order, and what each means, as written; beginnings mean nothing."""
    names = Names(gazetteer).meanings()
    table = {name: meaning.written for name, meaning in names.items()}
    for name in names:
        for beginning in beginnings_of(name):
            table.setdefault(beginning, "")
    return [(_stored(name), table[name]) for name in sorted(table)]


def write_names(files: Path) -> int:
    """Write the names of the gazetteer in a folder beside it; return how many rows there are."""
    rows = table_of(Gazetteer(files))
    write_table(files / NAMES_TABLE, NAME_COLUMNS, rows)
    return len(rows)


def _stored(name: str) -> str:
    return name if name == " ".join(name.split()) else name.replace(" ", _SPACE)


def read_names(files: Path) -> dict[str, str]:
    """Return each name and what it means, as written; nothing where it is but the beginning of longer names.

    Errors  SettingsError when the table is missing or not ours
    """
    names, meanings = read_table(files / NAMES_TABLE, NAME_COLUMNS)
    table = dict(zip(names, meanings, strict=True))
    for name in [name for name in names if _SPACE in name]:
        table[name.replace(_SPACE, " ")] = table.pop(name)
    return table


def beginnings_of(name: str) -> Iterator[str]:
    """Yield the first words of a name, all but the whole: a text is read on from one to the next."""
    end = name.find(" ")
    while end > 0:
        yield name[:end]
        end = name.find(" ", end + 1)


class Names:
    """Collects the names of a gazetteer."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self.gazetteer = gazetteer
        self._rows: dict[str, list[int]] = defaultdict(list)
        self._contractions: dict[str, str] = {}
        self._caps: set[str] = set()
        self._joined: dict[str, list[int]] = defaultdict(list)
        self._heads: dict[str, list[int]] = defaultdict(list)
        self._add_france()
        self._add_world()
        self._add_areas()

    def meanings(self) -> dict[str, Meaning]:
        """Return each name with what it may mean."""
        return {name: self._meaning(name) for name in self._rows.keys() | self._joined.keys() | self._heads.keys()}

    def _meaning(self, name: str) -> Meaning:
        rows, joined = self._rows.get(name, ()), self._joined.get(name, ())
        return Meaning(
            rows=tuple(dict.fromkeys(rows)),
            joined=() if rows else tuple(dict.fromkeys(joined)),
            heads=tuple(dict.fromkeys(self._heads.get(name, ()))),
            article=self._contractions.get(name, ""),
            is_caps=name in self._caps,
        )

    def _add_france(self) -> None:
        g = self.gazetteer
        for row in range(g.french_rows):
            key = fold_name(g.names[row])
            parent = g.communes.get(g.parents[row])
            if parent is not None and fold_name(g.names[parent]) == key:
                continue  # the former commune that gave the new one its name
            if key.endswith(ARRONDISSEMENT):
                key = key.removesuffix(ARRONDISSEMENT)
                self._rows[key.replace("eme", "e")].append(row)
            self._add_french_name(key, row)
            self._add_with_remark(g.names[row], row)
            if g.kinds[row] == "com" and g.populations[row] >= HEAD_POPULATION:
                self._add_heads(key, row)
            for alias in filter(None, COMMUNE_ALIASES.get(g.codes[row], "").split("|")):
                self._add_french_name(fold_name(alias), row)
                if alias.isupper():
                    self._caps.add(fold_name(alias))

    def _is_everyday(self, key: str, row: int) -> bool:
        flags = self.gazetteer.flags.get(key, NO_FLAGS)
        zipf = max(flags.zipf_fr, flags.zipf_en)
        return " " not in key and zipf >= EVERYDAY_ZIPF and self.gazetteer.populations[row] < EVERYDAY_TOWN

    def _add_heads(self, key: str, row: int) -> None:
        for head in heads_of(key):
            if _is_distinct(self.gazetteer.flags.get(bare(head), NO_FLAGS)):
                for spelling in spellings_of(head):
                    self._heads[spelling].append(row)
                    for contracted, article in contractions_of(spelling):
                        self._heads[contracted].append(row)
                        self._contractions.setdefault(contracted, article)

    def _add_french_name(self, key: str, row: int) -> None:
        if self._is_everyday(key, row):
            self._rows[f"a {key}"].append(row)  # "à Us", "à By": by themselves these words are everywhere
            self._contractions[f"a {key}"] = "a"
            return
        for spelling in spellings_of(key):
            self._rows[spelling].append(row)
            for contracted, article in contractions_of(spelling):
                self._rows[contracted].append(row)
                self._contractions[contracted] = article
            self._add_joined(spelling, row)
        stem = bare(key)
        if stem != key and " " in stem:  # "grand quevilly", "isle sur la sorgue"
            self._heads[stem].append(row)
            self._add_joined(stem, row)

    def _add_with_remark(self, name: str, row: int) -> None:
        """Add "Bors (Canton de Charente-Sud)" and "Sarroux - Saint Julien" as a text spaces them, and "Bors"."""
        spaced = fold(surface_from(name)).strip()
        if "  " in spaced:
            self._rows[spaced].append(row)
        if "(" in name:
            self._rows[fold_name(name.partition("(")[0])].append(row)

    def _add_joined(self, key: str, row: int) -> None:
        joined = key.replace(" ", "")
        if joined != key and len(joined) >= LEAST_JOINED:
            self._joined[joined].append(row)

    def _add_world(self) -> None:
        g = self.gazetteer
        for row in range(g.french_rows, g.town_rows):
            population = g.populations[row]
            for name in (g.names[row], *filter(None, g.aliases[row].split("|"))):
                key = fold_name(name)
                if not self._is_town_name(key, population):
                    continue
                if name.isupper() and len(name) <= LONGEST_ABBREVIATION:
                    self._caps.add(key)
                for spelling in spellings_of(key):
                    self._rows[spelling].append(row)
                if population >= JOINED_POPULATION:
                    self._add_joined(key, row)

    def _is_town_name(self, key: str, population: int) -> bool:
        flags = self.gazetteer.flags.get(key, NO_FLAGS)
        if " " not in key and max(flags.zipf_fr, flags.zipf_en) >= EVERYDAY_ZIPF and population < LARGE_TOWN:
            return False
        if key in HAPPENINGS or key in CUES or key.startswith("a "):
            return False  # "A Dun" in Burma is what a French text says of Dun
        if population < RARE_TOWN and max(flags.zipf_fr, flags.zipf_en) >= TOWN_ZIPF:
            return False
        return len(key) > SHORT_NAME or (bool(key) and population >= RARE_TOWN)

    def _add_areas(self) -> None:
        g = self.gazetteer
        for row in range(g.town_rows, len(g.codes)):
            kind = g.kinds[row]
            names = [] if kind == "epci" else [g.names[row]]
            for name in dict.fromkeys([*names, *filter(None, g.aliases[row].split("|"))]):
                self._add_area_name(kind, name, row)

    def _add_area_name(self, kind: str, name: str, row: int) -> None:
        key = fold_name(name)
        if not self._is_area_name(kind, key, row):
            return
        if name.isupper() and len(key.replace(" ", "")) <= LONGEST_ABBREVIATION:
            self._caps.add(key)
        for spelling in spellings_of(key):
            self._rows[spelling].append(row)
        self._add_joined(key, row)

    def _is_area_name(self, kind: str, key: str, row: int) -> bool:
        code, country = self.gazetteer.codes[row], self.gazetteer.countries[row]
        if (len(key) < SHORT_NAME and kind != "country") or key.isdecimal():
            return False
        if key in REFUSED.get(kind, ()) and (key in CITY_STATES or country != "US"):
            return False
        if kind == "admin1":
            return self._is_division_name(key, row)
        is_town = (kind == "epci" and key in self._rows) or (kind == "dep" and code == "75")  # "CA de Bastia", Paris
        is_dep = kind == "region" and code in ONE_DEP_REGIONS  # La Réunion is both; the département is the finer answer
        return not is_town and not is_dep

    def _is_division_name(self, key: str, row: int) -> bool:
        """Tell whether a name means a first division abroad: no mere direction, no word, no large town's name."""
        if COMPASS.issuperset(key.split()):
            return False
        if self.gazetteer.countries[row] == "US":
            return True
        if key in self._rows and self._is_city_of(key, row):
            return False
        flags = self.gazetteer.flags.get(key, NO_FLAGS)
        is_known = self.gazetteer.countries[row] in FRENCH_NEIGHBOURS
        if is_known or self.gazetteer.populations[row] >= LARGE_DIVISION:
            return True
        return max(flags.zipf_fr, flags.zipf_en) < DIVISION_ZIPF

    def _is_city_of(self, key: str, row: int) -> bool:
        """Tell whether a division is called as a large town of the same country: the town is meant."""
        g = self.gazetteer
        return any(
            g.kinds[city] == "city"
            and g.countries[city] == g.countries[row]
            and g.populations[city] > g.populations[row] / 8
            for city in self._rows[key]
        )


def _is_distinct(flags: Flags) -> bool:
    return max(flags.zipf_fr, flags.zipf_en) < HEAD_ZIPF and not flags.is_first_name


def spellings_of(key: str) -> list[str]:
    """Return a folded name and its spelling with the other of saint and st, fort and ft, mount and mt."""
    words = key.split(" ")
    if FORM_WORDS.isdisjoint(words):
        return [key]
    others = (" ".join([forms.get(word, word) for word in words]) for forms in (SHORT_FORMS, LONG_FORMS))
    return list(dict.fromkeys((key, *others)))


def contractions_of(key: str) -> Iterator[tuple[str, str]]:
    """Yield "au havre" and "du havre" for "le havre", with the preposition in each."""
    article, _, rest = key.partition(" ")
    if article == "le" and rest:
        yield f"au {rest}", "a"
        yield f"du {rest}", "de"
    elif article == "les" and rest:
        yield f"aux {rest}", "a"
        yield f"des {rest}", "de"

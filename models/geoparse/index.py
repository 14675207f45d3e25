"""The index of names: every spelling under which a place is found in a folded text, in one automaton."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import ahocorasick

from models.geoparse.words import COMPASS, CUES, HAPPENINGS, IDIOMS_WITH_TO, NOT_PLACES
from models.places.folding import bare, fold, fold_name, heads_of, surface_from
from models.places.gazetteer import Flags, Gazetteer
from models.places.local import LocalPlace
from models.places.spellings import (
    ADMIN1_NAMES_REFUSED,
    AUSTRALIA_POSTAL,
    CANADA_POSTAL,
    COMMUNE_ALIASES,
    COUNTRY_NAMES_REFUSED,
    DEP_NAMES_WEAK,
)

HEAD_POPULATION = 2_000
COUSIN_POPULATION = 5_000  # "Tournon" may mean Tournon-sur-Rhône beside the village that is called just so
JOINED_POPULATION = 15_000
HEAD_ZIPF = 3.2
LEAST_JOINED = 6
SHORT_NAME = 3
TOWN_ZIPF = 4.6  # a small town abroad that is called so is never what a text means
COMMON_ZIPF = 4.0
LARGE_TOWN = 100_000
EVERYDAY_ZIPF, EVERYDAY_TOWN = 5.0, 10_000
DIVISION_ZIPF = 3.0
RARE_TOWN = 15_000
LONGEST_ABBREVIATION = 4
CITY_STATES = frozenset({"new york", "washington"})  # the city is meant
LARGE_DIVISION = 5_000_000
COUNTRY_CODES = {"NZ": "NZ", "GB": "UK", "US": "USA"}  # as they stand behind a town's name
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


class Toponym:
    """One spelling and the places that it may mean."""

    __slots__ = (
        "contraction",
        "flags",
        "is_area",
        "is_caps",
        "is_common",
        "is_country",
        "is_foreign",
        "is_french",
        "is_joined",
        "is_phrase",
        "is_river",
        "is_trap",
        "is_weak",
        "key",
        "locals_",
        "population",
        "rows",
        "short_of",
        "words",
    )

    def __init__(self, key: str) -> None:
        self.key = key
        self.rows: tuple[int, ...] = ()
        self.short_of: frozenset[int] = frozenset()  # the rows whose full name is longer
        self.locals_: tuple[LocalPlace, ...] = ()
        self.flags = NO_FLAGS
        self.words = len(bare(key).split())
        self.contraction = ""  # "a" for au and aux, "de" for du and des, when the article of a name stands in it
        self.population = 0  # of the largest place of that name
        self.is_french = False  # one of the places is in France
        self.is_foreign = False  # all places are towns abroad
        self.is_area = False  # one of the places is a country, a région, a département
        self.is_country = False
        self.is_caps = False  # an abbreviation: only in capitals
        self.is_common = False  # in small letters it is the word and never the place
        self.is_river = False  # a département called after its river
        self.is_joined = False  # words run together: "lehavre"
        self.is_phrase = False  # a place, but as a phrase something else: "Sainte-Barbe"
        self.is_trap = False  # a phrase that holds a name and means no place
        self.is_weak = False  # a short form: "Cagnes"


class NameIndex:
    """All spellings in one Aho-Corasick automaton over " padded " keys, so that only whole words match.

    Shape   a folded text in, the longest toponyms out, from left to right, with where they start and end
    """

    def __init__(self, gazetteer: Gazetteer, local: Iterable[LocalPlace] = ()) -> None:
        self.gazetteer = gazetteer
        self.weak_deps: set[int] = set()
        self.abbreviations: dict[str, int] = {}  # "TX" -> row; read only right after another place
        self._rows: dict[str, list[int]] = defaultdict(list)
        self._contractions: dict[str, str] = {}
        self._caps: set[str] = set()
        self._joined: dict[str, list[int]] = defaultdict(list)
        self._heads: dict[str, list[int]] = defaultdict(list)
        self._add_france()
        self._add_world()
        self._add_areas()
        self._joined = {key: rows for key, rows in self._joined.items() if key not in self._rows}
        self.run_together = frozenset(self._joined)  # what a hashtag may be as a whole
        self._traps = frozenset(map(fold_name, NOT_PLACES))
        self._locals = _local_names(local)
        self._known: dict[str, Toponym] = {}
        self.automaton = ahocorasick.Automaton()
        for key in self._rows.keys() | self._joined.keys() | self._heads.keys() | self._traps | self._locals.keys():
            self.automaton.add_word(f" {key} ", key)
        self.automaton.make_automaton()

    def __len__(self) -> int:
        return len(self.automaton)

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
            if kind == "admin1":
                self._add_abbreviation(row)
            elif kind == "country" and g.codes[row] in COUNTRY_CODES:
                self.abbreviations[COUNTRY_CODES[g.codes[row]]] = row

    def _add_area_name(self, kind: str, name: str, row: int) -> None:
        key = fold_name(name)
        if not self._is_area_name(kind, key, row):
            return
        if name.isupper() and len(key.replace(" ", "")) <= LONGEST_ABBREVIATION:
            self._caps.add(key)
        if kind == "dep" and key in DEP_NAMES_WEAK:
            self.weak_deps.add(row)
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

    def _add_abbreviation(self, row: int) -> None:
        country, _, number = self.gazetteer.codes[row].partition("-")
        postal = {"CA": CANADA_POSTAL, "AU": AUSTRALIA_POSTAL}.get(country, {})
        code = number if country == "US" else postal.get(number, "")
        if code:
            self.abbreviations[code] = row

    def _toponym(self, key: str) -> Toponym:
        """Return what a key means; worked out when a text first names it."""
        toponym = self._known.get(key)
        if toponym is None:
            toponym = self._known[key] = self._toponym_from(key)
        return toponym

    def _toponym_from(self, key: str) -> Toponym:
        toponym = Toponym(key)
        rows = list(dict.fromkeys(self._rows.get(key) or self._joined.get(key) or []))
        longer = [row for row in dict.fromkeys(self._heads.get(key, ())) if row not in rows]
        toponym.is_weak = not rows
        if rows:
            longer = [row for row in longer if self.gazetteer.populations[row] >= COUSIN_POPULATION]
        toponym.rows, toponym.short_of = (*rows, *longer), frozenset(longer if rows else ())
        toponym.locals_, local_article = self._locals.get(key, ((), ""))
        toponym.contraction = self._contractions.get(key, local_article)
        stem = key.partition(" ")[2] if toponym.contraction else bare(key)
        toponym.flags = self.gazetteer.flags.get(stem, NO_FLAGS)
        self._note_kinds(toponym)
        toponym.is_caps = key in self._caps
        toponym.is_joined = key in self._joined
        toponym.is_river = key in DEP_NAMES_WEAK
        toponym.is_common = self._is_common(toponym)
        toponym.is_trap = key in self._traps and not toponym.locals_ and not toponym.rows
        toponym.is_phrase = key in self._traps and not toponym.locals_
        return toponym

    def _note_kinds(self, toponym: Toponym) -> None:
        g, rows = self.gazetteer, toponym.rows
        toponym.population = max((g.populations[row] for row in rows), default=0)
        toponym.is_french = any(row < g.french_rows for row in rows)
        toponym.is_area = any(row >= g.town_rows for row in rows)
        toponym.is_country = any(g.kinds[row] == "country" for row in rows if row >= g.town_rows)
        toponym.is_foreign = bool(rows) and all(g.french_rows <= row < g.town_rows for row in rows)

    def _is_common(self, toponym: Toponym) -> bool:
        zipf = max(toponym.flags.zipf_fr, toponym.flags.zipf_en)
        return zipf >= COMMON_ZIPF and toponym.population < LARGE_TOWN and not toponym.locals_ and not toponym.is_caps

    def toponyms_in(self, folded: str, surface: str) -> list[tuple[int, int, Toponym]]:
        """Return start, end and toponym of the longest names in a text that begins and ends with a space.

        Common words in small letters are passed over: they are most of what a text has in common with a gazetteer.
        """
        known = self._known
        found = []
        for end, key in self.automaton.iter(folded):
            toponym = known.get(key) or self._toponym(key)
            start = end - len(key)
            if toponym.is_common and not is_more_than_word(surface, start, end, toponym):
                continue
            if toponym.is_caps and surface[end - 1].islower() and toponym.rows:
                continue
            found.append((start, end, toponym))
        if len(found) > 1:
            found.sort(key=_longest_first)
            taken = bytearray(len(folded))
            longest = []
            for hit in found:
                start, end, _ = hit
                if 1 not in taken[start:end]:
                    taken[start:end] = b"\1" * (end - start)
                    longest.append(hit)
            found = sorted(longest, key=_first)
        return found


def is_more_than_word(surface: str, start: int, end: int, toponym: Toponym) -> bool:
    """Tell whether a name that is a common word is written with a capital, or stands behind "à"."""
    if not (surface[start].islower() and surface[end - 1].islower()):
        return True
    if " " in toponym.key:
        return not surface[start:end].islower()
    return surface[start - 2 : start] == "à " and toponym.key not in IDIOMS_WITH_TO  # "un immeuble brûle à gap"


def _is_distinct(flags: Flags) -> bool:
    return max(flags.zipf_fr, flags.zipf_en) < HEAD_ZIPF and not flags.is_first_name


def _longest_first(hit: tuple[int, int, Toponym]) -> tuple[int, int]:
    return hit[0] - hit[1], hit[0]


def _first(hit: tuple[int, int, Toponym]) -> int:
    return hit[0]


def _local_names(local: Iterable[LocalPlace]) -> dict[str, tuple[tuple[LocalPlace, ...], str]]:
    """Return every spelling of the local places, with the preposition that a contraction holds."""
    names: dict[str, tuple[tuple[LocalPlace, ...], str]] = {}
    for place in local:
        for name in (place.name, *place.aliases):
            for spelling in spellings_of(fold_name(name)):
                for key, article in ((spelling, ""), *contractions_of(spelling)):
                    before = names.get(key, ((), ""))[0]
                    names[key] = (tuple(dict.fromkeys((*before, place))), article)
    return names


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

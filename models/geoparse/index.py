"""The index of names: every spelling under which a place is found in a folded text."""

from collections.abc import Iterable, Mapping

from models.geoparse.names import (
    LARGE_TOWN,
    NO_FLAGS,
    Meaning,
    beginnings_of,
    contractions_of,
    read_names,
    spellings_of,
)
from models.geoparse.words import IDIOMS_WITH_TO, NOT_PLACES
from models.places.folding import bare, fold_name
from models.places.gazetteer import Gazetteer
from models.places.local import LocalPlace
from models.places.spellings import AUSTRALIA_POSTAL, CANADA_POSTAL, DEP_NAMES_WEAK

COUSIN_POPULATION = 5_000  # "Tournon" may mean Tournon-sur-Rhône beside the village that is called just so
COMMON_ZIPF = 4.0
COUNTRY_CODES = {"NZ": "NZ", "GB": "UK", "US": "USA"}  # as they stand behind a town's name
POSTAL_CODES = {"CA": CANADA_POSTAL, "AU": AUSTRALIA_POSTAL}
PARIS = "75"  # the département; the town is meant
NONE = ";"
"""The meaning, as written, of a name that is no place of the gazetteer's: a trap, a local place."""


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
    """All spellings, looked up word by word.

    Shape   a folded text in, the longest toponyms out, from left to right, with where they start and end
    """

    def __init__(self, gazetteer: Gazetteer, local: Iterable[LocalPlace] = ()) -> None:
        self.gazetteer = gazetteer
        self.weak_deps = weak_deps_of(gazetteer)
        self.abbreviations = abbreviations_of(gazetteer)  # "TX" -> row; read only right after another place
        self._traps = frozenset(map(fold_name, NOT_PLACES))
        self._locals = _local_names(local)
        self._known: dict[str, Toponym] = {}
        self._meanings = read_names(gazetteer.files)
        self.run_together = run_together_in(self._meanings)  # what a hashtag may be as a whole
        for name in self._traps | self._locals.keys():
            self._meanings[name] = self._meanings.get(name) or NONE
            for beginning in beginnings_of(name):
                self._meanings.setdefault(beginning, "")

    def _toponym(self, key: str) -> Toponym:
        """Return what a key means; worked out when a text first names it."""
        toponym = self._known.get(key)
        if toponym is None:
            toponym = self._known[key] = self._toponym_from(key)
        return toponym

    def _toponym_from(self, key: str) -> Toponym:
        toponym = Toponym(key)
        meaning = Meaning.read(self._meanings[key])
        rows = meaning.rows or meaning.joined
        longer = [row for row in meaning.heads if row not in rows]
        toponym.is_weak = not rows
        if rows:
            longer = [row for row in longer if self.gazetteer.populations[row] >= COUSIN_POPULATION]
        toponym.rows, toponym.short_of = (*rows, *longer), frozenset(longer if rows else ())
        toponym.locals_, local_article = self._locals.get(key, ((), ""))
        toponym.contraction = meaning.article or local_article
        stem = key.partition(" ")[2] if toponym.contraction else bare(key)
        toponym.flags = self.gazetteer.flags.get(stem, NO_FLAGS)
        self._note_kinds(toponym)
        toponym.is_caps = meaning.is_caps
        toponym.is_joined = bool(meaning.joined)
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
        for start, key in self.names_in(folded):
            toponym = known.get(key) or self._toponym(key)
            end = start + len(key)
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

    def is_name(self, name: str) -> bool:
        """Tell whether a place, or a trap, is called so."""
        return bool(self._meanings.get(name))

    def names_in(self, folded: str) -> list[tuple[int, str]]:
        """Return every name in a folded text, each between two spaces, and where it starts."""
        meaning_of = self._meanings.get
        words = folded.split(" ")
        last = len(words) - 1  # no whole word: what stands behind the last space; nor what stands before the first
        found = []
        start = len(words[0]) + 1
        for number in range(1, last):
            word = name = words[number]
            meaning = meaning_of(name)
            end = number + 1
            while meaning is not None:
                if meaning:
                    found.append((start, name))
                if end == last:
                    break
                name = f"{name} {words[end]}"
                meaning = meaning_of(name)
                end += 1
            start += len(word) + 1
        return found


def run_together_in(meanings: Mapping[str, str]) -> frozenset[str]:
    """Return the names that are what they are because their words run together."""
    return frozenset([name for name, meaning in meanings.items() if meaning[:1] == ";" != meaning[1:2]])


def weak_deps_of(gazetteer: Gazetteer) -> set[int]:
    """Return the rows of the départements whose name, by itself, is a river or a word."""
    return {
        row
        for (kind, code), row in gazetteer.areas.items()
        if kind == "dep" and code != PARIS
        for name in (gazetteer.names[row], *gazetteer.aliases[row].split("|"))
        if fold_name(name) in DEP_NAMES_WEAK
    }


def abbreviations_of(gazetteer: Gazetteer) -> dict[str, int]:
    """Return the codes of first divisions and countries that stand behind a town's name, with their rows."""
    found = {}
    for (kind, code), row in gazetteer.areas.items():
        if kind == "admin1":
            country, _, number = code.partition("-")
            short = number if country == "US" else POSTAL_CODES.get(country, {}).get(number, "")
        else:
            short = COUNTRY_CODES.get(code, "") if kind == "country" else ""
        if short:
            found[short] = row
    return found


def is_more_than_word(surface: str, start: int, end: int, toponym: Toponym) -> bool:
    """Tell whether a name that is a common word is written with a capital, or stands behind "à"."""
    if not (surface[start].islower() and surface[end - 1].islower()):
        return True
    if " " in toponym.key:
        return not surface[start:end].islower()
    return surface[start - 2 : start] == "à " and toponym.key not in IDIOMS_WITH_TO  # "un immeuble brûle à gap"


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

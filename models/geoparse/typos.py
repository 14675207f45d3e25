"""Misspelt names of the watched area: "fecamps" for Fécamp, and never a name from elsewhere."""

import re
from collections import defaultdict
from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from models.geoparse.reading import Reading
from models.places.folding import bare, fold_name, heads_of
from models.places.gazetteer import Gazetteer
from models.places.local import LocalPlace
from records import Place

REACH_KM = 40.0
ALIKE = 0.84
LEAST_LETTERS = 6
MOST_TRIED = 6
CANDIDATE = re.compile(r"\b(?:(à|a|A|À|au|Au|sur|vers|de|d['’])\s?)?([^\W\d_][\w-]{5,})")


class Misspellings:
    """The names around the watched commune, to compare unknown words with."""

    def __init__(self, gazetteer: Gazetteer, home: Place, local: Iterable[LocalPlace]) -> None:
        self.gazetteer = gazetteer
        self.names: dict[str, int | LocalPlace] = {}
        self.by_letter: dict[str, list[str]] = defaultdict(list)  # a first letter is hardly ever wrong
        for row in gazetteer.communes_within(home.lat, home.lon, REACH_KM):
            key = bare(fold_name(gazetteer.names[row]))
            for name in (key.replace(" ", ""), *heads_of(key)[:1]):
                if len(name) >= LEAST_LETTERS and name not in gazetteer.flags:
                    self.names.setdefault(name, row)
        for place in local:
            for name in (place.name, *place.aliases):
                joined = fold_name(name).replace(" ", "")
                if len(joined) >= LEAST_LETTERS and joined not in gazetteer.flags:
                    self.names.setdefault(joined, place)
        for name in self.names:
            self.by_letter[name[0]].append(name)

    def found_in(self, reading: Reading, taken: list[tuple[int, int]]) -> list[tuple[int, int, int | LocalPlace]]:
        """Return start, end and what is meant, a row or a local place, for each word that is almost a name of the area.

        Only a word that no key covers, with a capital inside its sentence or after a preposition of place.
        """
        found = []
        tried = 0
        for match in CANDIDATE.finditer(reading.surface):
            start, end = match.span(2)
            if not self._is_candidate(reading, match.group(1) or "", start, end, taken):
                continue
            tried += 1
            if tried > MOST_TRIED:
                break
            word = fold_name(match.group(2)).replace(" ", "")
            if not word:  # letters of a script that no name is folded from
                continue
            near = process.extractOne(
                word,
                self.by_letter.get(word[0], ()),
                scorer=DamerauLevenshtein.normalized_similarity,
                score_cutoff=ALIKE,
            )
            if near is not None and near[0] != word:
                found.append((start, end, self.names[near[0]]))
        return found

    def _is_candidate(self, reading: Reading, cue: str, start: int, end: int, taken: list[tuple[int, int]]) -> bool:
        if any(start < other_end and other_start < end for other_start, other_end in taken):
            return False
        word = reading.folded[start:end].strip()
        if word in self.gazetteer.flags or word in self.names:
            return False
        is_capital = reading.surface[start].isupper() and not reading.is_shouted
        if cue.lower() in ("à", "au", "sur", "vers", "a"):
            return True
        return is_capital and not reading.begins_sentence(start)

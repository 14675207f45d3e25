"""Qualifiers: the areas that a post names, which tell places of one name apart: "(76)", "dans le 14", "Texas"."""

import re
from dataclasses import dataclass, field
from itertools import zip_longest

from models.geoparse.index import NameIndex
from models.geoparse.mention import Mention
from models.geoparse.reading import Reading
from models.places.gazetteer import Gazetteer

DEP_NUMBER = r"(0[1-9]|[1-8]\d|9[0-5]|2[ABab]|97[1-46])"
IN_DEP = re.compile(
    rf"\(\s*{DEP_NUMBER}\s*\)|"
    rf"\b(?:dans l[ea]|dept?\.?|dpt\.?|département|departement|d[ée]p\.?|#)\s*{DEP_NUMBER}\b(?!\s*[%€°h/:,.]?\d)",
    re.IGNORECASE,
)
POSTAL_CODE = re.compile(r"\b(\d{5})\b")
AFTER_DEP = re.compile(rf"^\s*[,\-–(/\[]?\s*{DEP_NUMBER}\b(?!\s*[\w%€°'’])")
AFTER_ABBREVIATION = re.compile(r"^\s*[,\-–(/]?\s*([A-Z]{2})\b(?!['’])")
BETWEEN = re.compile(r"^\s*[,(\-–/]?\s*(?:in |en |au |dans (?:le |la |l'|les )?)?$")
AREAS = frozenset({"country", "admin1", "region", "dep"})
WINDOW = 24
LARGE_TOWN = 100_000


@dataclass(slots=True)
class Areas:
    """The areas named anywhere in a post."""

    deps: set[str] = field(default_factory=set)  # "76", "US-TX"
    regions: set[str] = field(default_factory=set)
    countries: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.deps or self.regions or self.countries)

    def add(self, gazetteer: Gazetteer, row: int) -> None:
        """Take in one area."""
        kind = gazetteer.kinds[row]
        if kind == "country":
            self.countries.add(gazetteer.countries[row])
        elif kind == "region":
            self.regions.add(gazetteer.codes[row])
        else:
            self.deps.add(gazetteer.deps[row])


def dep_of_postal_code(code: str) -> str:
    """Return the département of a French postal code."""
    if code.startswith("20"):
        return "2A" if code[2] in "01" else "2B"
    return code[:3] if code.startswith("97") else code[:2]


def dep_numbers_in(surface: str) -> set[str]:
    """Return the départements that a text names by number: "(76)", "dans le 14"."""
    return {(first or second).upper() for first, second in IN_DEP.findall(surface)}


def postal_deps_in(surface: str) -> set[str]:
    """Return the départements of the postal codes in a text."""
    return {dep_of_postal_code(code) for code in POSTAL_CODE.findall(surface)}


def area_of(gazetteer: Gazetteer, mention: Mention) -> int | None:
    """Return the row of the area that a name can mean, or None."""
    rows = [row for row in mention.toponym.rows if gazetteer.kinds[row] in AREAS]
    return rows[0] if rows else None


def read_qualifiers(reading: Reading, mentions: list[Mention], index: NameIndex) -> Areas:
    """Note on each mention the area right behind it, and return all areas of the post."""
    gazetteer = index.gazetteer
    areas = Areas()
    if reading.has_digits:
        numbers = dep_numbers_in(reading.surface) | postal_deps_in(reading.surface)
        areas.deps |= {dep for dep in numbers if ("dep", dep) in gazetteer.areas}
    for mention, behind in zip_longest(mentions, mentions[1:]):
        _qualify(reading, mention, behind, index)
        if mention.qualified_dep:
            areas.deps.add(mention.qualified_dep)
        if mention.qualified_by is not None:
            areas.add(gazetteer, mention.qualified_by)
        row = area_of(gazetteer, mention)
        if row is not None and row not in index.weak_deps and _is_area_only(gazetteer, mention):
            areas.add(gazetteer, row)
    return areas


def _is_area_only(gazetteer: Gazetteer, mention: Mention) -> bool:
    return not mention.toponym.is_caps and all(
        gazetteer.kinds[row] in AREAS or gazetteer.populations[row] < LARGE_TOWN for row in mention.toponym.rows
    )


def _qualify(reading: Reading, mention: Mention, behind: Mention | None, index: NameIndex) -> None:
    tail = reading.surface[mention.end : mention.end + WINDOW]
    number = AFTER_DEP.match(tail)
    if number:
        mention.qualified_dep = number.group(1).upper()
        return
    code = AFTER_ABBREVIATION.match(tail)
    if code and not reading.is_shouted and code.group(1) in index.abbreviations:
        mention.qualified_by = index.abbreviations[code.group(1)]
        return
    if behind is not None and BETWEEN.match(reading.surface[mention.end : behind.start]):
        mention.qualified_by = area_of(index.gazetteer, behind)

"""Qualifiers: the areas that a post names, which tell places of one name apart: "(76)", "dans le 14", "Texas"."""

import re
from dataclasses import dataclass, field
from itertools import zip_longest

from models.geoparse.index import NameIndex
from models.geoparse.mention import Mention
from models.geoparse.names import LARGE_TOWN
from models.geoparse.reading import Reading
from models.places.gazetteer import Gazetteer

DEP_NUMBER = r"(0[1-9]|[1-8]\d|9[0-5]|2[ABab]|97[1-46])"
NUMBER = re.compile(rf"(?<![\d,.]){DEP_NUMBER}(?!\s*[%€°h/:,.]?\d|\s?(?:e|è|ème|eme|er|ere|km|cm|m|ans|h|min|ha)\b|\w)")
NUMBER_WORDS = (" dans l", " tout l", " dep ", " dept ", " dpt ", " departement ")
AND_NUMBER = re.compile(r"\)?\s*(?:,|et|/|ou)\s*(?:dans )?(?:le |la )?\(?$")
BEFORE_NUMBER = re.compile(r"\b(?:dans l[ea]|tout l[ea]|dept?\.?|dpt\.?|d[ée]partement|d[ée]p\.?)\s*$", re.IGNORECASE)
BRACKET, HASH = re.compile(r"\(\s*$"), re.compile(r"#\s?$")
AFTER_BRACKET = re.compile(r"\s*(?:[),/-]|et\b|ou\b)")  # "(76)", "(76, 27)"; not "(12 blessés)"
AFTER_HASH = re.compile(r"\s*(?:$|[#.,!?])")  # "#76 #incendie"; not "#14 juillet"
POSTAL_CODE = re.compile(r"\b(\d{5}) (?=[A-ZÀ-Þ])")
AFTER_DEP = re.compile(
    rf"^(?:\s*\(\s*{DEP_NUMBER}\s*[),/]|\s*[,\-–/\[]?\s*{DEP_NUMBER}\b(?!['’%€°/]|\s*(?:\d|ans|h\b|km|m\b|cm|€|%)))"
)
AFTER_POSTAL = re.compile(r"^(?:\s*\(\s*(\d{5})\s*\)|\s*[,\-–/\[]?\s*(\d{5})\b)")
IN_BRACKETS = re.compile(rf"^\s*\((?:{DEP_NUMBER}|\d{{5}})\)")
AFTER_ABBREVIATION = re.compile(r"^\s*[,\-–(/]?\s*([A-Z]{2,3}|[A-Z][a-z]|[a-z]{2,3})\b(?!['’])")
CODES_THAT_ARE_WORDS = frozenset(
    {"IN", "OR", "ME", "HI", "OK", "OH", "LA", "PA", "MA", "ID", "DE", "AL", "CO", "MO", "SA", "ACT", "ON", "NT"}
)
BETWEEN = re.compile(r"^\s*[,(\-–/]?\s*(?:in |en |au |du |de la |de l['’]|des |d['’]|dans (?:le |la |l['’]|les )?)?$")
AREAS = frozenset({"country", "admin1", "region", "dep"})
WINDOW = 24


@dataclass(slots=True)
class Areas:
    """The areas named anywhere in a post."""

    deps: set[str] = field(default_factory=set)  # "76", "US-TX"
    regions: set[str] = field(default_factory=set)
    countries: set[str] = field(default_factory=set)
    numbered: set[str] = field(default_factory=set)  # the départements among them that numbers name
    rows_by_start: dict[int, list[int]] = field(default_factory=dict)  # where which areas were named

    def __bool__(self) -> bool:
        return bool(self.deps or self.regions or self.countries)

    def name(self, gazetteer: Gazetteer, start: int, rows: list[int]) -> None:
        """Take in the areas that a name at a position can mean."""
        if rows:
            self.rows_by_start[start] = rows
        for row in rows:
            kind = gazetteer.kinds[row]
            if kind == "country":
                self.countries.add(gazetteer.countries[row])
            elif kind == "region":
                self.regions.add(gazetteer.codes[row])
            else:
                self.deps.add(gazetteer.deps[row])

    def besides(self, gazetteer: Gazetteer, start: int) -> "Areas":
        """Return the areas named elsewhere than at a position: a name is no evidence for itself."""
        if start not in self.rows_by_start:
            return self
        others = Areas(deps=set(self.numbered), numbered=self.numbered)
        for other, rows in self.rows_by_start.items():
            if other != start:
                others.name(gazetteer, other, rows)
        return others


def dep_of_postal_code(code: str) -> str:
    """Return the département of a French postal code."""
    if code.startswith("20"):
        return "2A" if code[2] in "01" else "2B"
    return code[:3] if code.startswith("97") else code[:2]


def may_hold_numbers(reading: Reading) -> bool:
    """Tell whether looking for départements by number can find one: to see that it cannot is cheap."""
    return (
        "(" in reading.surface or "#" in reading.surface or any(map(reading.folded.__contains__, NUMBER_WORDS))
    ) and NUMBER.search(reading.surface) is not None


def dep_numbers_in(surface: str) -> dict[str, int]:
    """Return the départements that a text names by number, and where: "(76)", "dans le 14", "#974"."""
    found: dict[str, int] = {}
    last_end = -1
    for number in NUMBER.finditer(surface):
        before = surface[max(0, number.start() - WINDOW) : number.start()]
        is_told = (
            BEFORE_NUMBER.search(before)
            or (BRACKET.search(before) and AFTER_BRACKET.match(surface, number.end()))
            or (HASH.search(before) and AFTER_HASH.match(surface, number.end()))
        )
        if is_told or (last_end >= 0 and AND_NUMBER.match(surface, last_end, number.start())):
            found.setdefault(number.group(1).upper(), number.start())
            last_end = number.end()
    return found


def postal_deps_in(surface: str) -> set[str]:
    """Return the départements of the postal codes in a text: five digits before a name, "76600 Le Havre"."""
    return {dep_of_postal_code(code) for code in POSTAL_CODE.findall(surface)}


def area_rows(gazetteer: Gazetteer, mention: Mention) -> list[int]:
    """Return the rows of the areas that a name can mean."""
    return [row for row in mention.toponym.rows if gazetteer.kinds[row] in AREAS]


def read_qualifiers(reading: Reading, mentions: list[Mention], index: NameIndex) -> Areas:
    """Note on each mention the area right behind it, and return all areas of the post."""
    gazetteer = index.gazetteer
    areas = Areas()
    if reading.has_digits:
        areas.numbered = postal_deps_in(reading.surface)
        if may_hold_numbers(reading):
            areas.numbered |= dep_numbers_in(reading.surface).keys()
        areas.deps |= areas.numbered
    for mention, behind in zip_longest(mentions, mentions[1:]):
        _qualify(reading, mention, behind, index)
        if mention.qualified_dep:
            areas.numbered.add(mention.qualified_dep)
            areas.deps.add(mention.qualified_dep)
        rows = [mention.qualified_by] if mention.qualified_by is not None else []
        areas.name(gazetteer, mention.end, rows)
        if _is_area_only(gazetteer, mention):
            rows = [
                row
                for row in area_rows(gazetteer, mention)
                if row not in index.weak_deps or _is_confirmed(gazetteer, row, mention, mentions)
            ]
            areas.name(gazetteer, mention.start, rows)
    return areas


def _is_confirmed(gazetteer: Gazetteer, dep: int, mention: Mention, mentions: list[Mention]) -> bool:
    """Tell whether "Ardèche" is the département because another name of the post can be a place in it."""
    return any(
        lies_in(gazetteer, row, dep)
        for other in mentions
        if other is not mention and len(other.toponym.rows) > 1
        for row in other.toponym.rows
    )


def _is_area_only(gazetteer: Gazetteer, mention: Mention) -> bool:
    return not mention.toponym.is_caps and all(
        gazetteer.kinds[row] in AREAS or gazetteer.populations[row] < LARGE_TOWN for row in mention.toponym.rows
    )


def _qualify(reading: Reading, mention: Mention, behind: Mention | None, index: NameIndex) -> None:
    """Note the area behind a name, where a place of that name lies in it; a département in brackets that fits none."""
    gazetteer, rows = index.gazetteer, mention.toponym.rows
    tail = reading.surface[mention.end : mention.end + WINDOW]
    if reading.has_digits and (dep := _dep_behind(tail)):
        if any(gazetteer.deps[row] == dep for row in rows):
            mention.qualified_dep = dep
            return
        if IN_BRACKETS.match(tail) and ("dep", dep) in gazetteer.areas:
            mention.contradicted_by = dep
            return
    code = AFTER_ABBREVIATION.match(tail)
    if code and not reading.is_shouted and (reading.lang != "fr" or tail.lstrip().startswith((",", "("))):
        written = code.group(1)
        is_word = not written.isupper() and written.upper() in CODES_THAT_ARE_WORDS
        area = None if is_word else index.abbreviations.get(written.upper())
        if area is not None and any(lies_in(gazetteer, row, area) for row in rows):
            mention.qualified_by = area
            return
    if behind is not None and BETWEEN.match(reading.surface[mention.end : behind.start]):
        mention.qualified_by = next(
            (area for area in area_rows(gazetteer, behind) if any(lies_in(gazetteer, row, area) for row in rows)), None
        )


def _dep_behind(tail: str) -> str:
    """Return the département of "(76)", "76" or "76600" right behind a name, or an empty text."""
    if number := AFTER_DEP.match(tail):
        return (number.group(1) or number.group(2)).upper()
    code = AFTER_POSTAL.match(tail)
    return dep_of_postal_code(code.group(1) or code.group(2)) if code else ""


def lies_in(gazetteer: Gazetteer, row: int, area: int) -> bool:
    """Tell whether a place lies in an area; nothing lies in itself."""
    if row == area:
        return False
    kind = gazetteer.kinds[area]
    if kind == "country":
        return gazetteer.countries[row] == gazetteer.countries[area]
    if kind == "region":
        return gazetteer.region(row) == gazetteer.codes[area]
    return bool(gazetteer.deps[row]) and gazetteer.deps[row] == gazetteer.deps[area]

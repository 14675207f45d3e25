"""Names that are also words or first names, with how often a text uses the word."""

import ast
from collections.abc import Iterable
from pathlib import Path

from wordfreq import zipf_frequency

from models.places.build_world import read_json
from models.places.folding import bare, fold_name
from models.places.spellings import NOT_WORDS
from records import SettingsError

LONGEST_JOINT = 2  # "de", "la", "s": in every name and no word list
ENGLISH_ZIPF = 2.5  # the English list holds every word of a word game; rarer ones are no danger


def read_words(source_dir: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Return the French and the (frequent) English words, folded."""
    french = read_json(source_dir / "an-array-of-french-words" / "index.json")
    english = read_json(source_dir / "an-array-of-english-words" / "index.json")
    frequent = (word for word in english if zipf_frequency(word, "en") >= ENGLISH_ZIPF)
    return frozenset(map(fold_name, french)), frozenset(map(fold_name, frequent))


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


def read_person_names(source_dir: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Return first names and family names of France and the United States, folded."""
    first: set[str] = set()
    last: set[str] = set()
    for country in ("fr_FR", "en_US"):
        path = source_dir / "faker" / "providers" / "person" / country / "__init__.py"
        first |= _names_in(path, ("first_names_male", "first_names_female", "first_names"))
        last |= _names_in(path, ("last_names",))
    return frozenset(map(fold_name, first)), frozenset(map(fold_name, last))


def _zipf(name: str, written: str, language: str) -> str:
    return f"{max(zipf_frequency(form, language) for form in (name, bare(written.lower()))):.1f}"


def flag_rows(names: Iterable[str], source_dir: Path) -> list[list[str]]:
    """Return the rows of name_flags.tsv for every name that needs care.

    A name of several words is flagged when all its words are: "Vieux-Port" is a harbour before it is a village.
    """
    french, english = read_words(source_dir)
    first, last = read_person_names(source_dir)
    rows: dict[str, list[str]] = {}
    for written in [*names, *sorted(first)]:
        name = bare(fold_name(written))
        parts = name.split()
        if name in rows or not parts or name in NOT_WORDS:
            continue
        kinds = [
            kind
            for kind, words in (("fr", french), ("en", english))
            if all(part in words or len(part) <= LONGEST_JOINT for part in parts)
        ]
        kinds += [kind for kind, people in (("first", first), ("last", last)) if name in people]
        if kinds:
            rows[name] = [name, ",".join(kinds), _zipf(name, written, "fr"), _zipf(name, written, "en")]
    return [rows[name] for name in sorted(rows)]

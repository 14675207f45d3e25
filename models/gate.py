"""The gate: lets through the posts that could speak of a disaster, before anything is stored or sent.

What it looks for stands in `models/lexicon/*.txt`, plain files that an analyst reads and extends.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import ahocorasick

from models.folding import folded
from records import SettingsError

LEXICON = Path(__file__).parent / "lexicon"
SECTIONS = ("fire", "flood", "industrial", "other", "help")
Parts = tuple[tuple[str, ...], ...]
Lists = Mapping[str, tuple[str, ...]]

_SHORTEST = 2  # letters; a shorter word is in every text


@dataclass(frozen=True)
class Entry:
    """One line of a lexicon: it is found in a text when each of its parts is, in any order.

    Shape   parts: alternatives that stand for each other; padded and folded as `folded` gives them
    """

    section: str
    written: str
    parts: Parts


def entries_from(path: Path) -> tuple[list[Entry], list[Entry]]:
    """Read a lexicon file: the entries it adds, and those it takes out.

    Errors  SettingsError with file, line, what was found and what would do
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name}: cannot be read as UTF-8 text ({error}): name a lexicon file") from error
    added: list[Entry] = []
    taken_out: list[Entry] = []
    lists: dict[str, tuple[str, ...]] = {}
    seen: dict[tuple[str, Parts], int] = {}
    section = ""
    for number, raw in enumerate(lines, start=1):
        line = raw.partition("#")[0].strip()
        where = f"{path.name}: line {number}"
        if line.startswith("["):
            section = _section(line, where)
        elif line.startswith("$") and "=" in line:
            name, _, words = line.partition("=")
            lists[name.strip()] = (*lists.get(name.strip(), ()), *_alternatives(words, line, where, lists))
        elif line:
            entry = _entry(line.removeprefix("!"), section, where, lists)
            first = seen.setdefault((section, entry.parts), number)
            if first != number:
                raise SettingsError(f'{where}: "{line}" already stands on line {first}: keep one of them')
            (taken_out if line.startswith("!") else added).append(entry)
    return added, taken_out


def _section(line: str, where: str) -> str:
    name = line.strip("[]").strip()
    if name not in SECTIONS or not line.endswith("]"):
        allowed = " ".join(f"[{section}]" for section in SECTIONS)
        raise SettingsError(f'{where}: "{line}" is no section: use one of {allowed}')
    return name


def _entry(line: str, section: str, where: str, lists: Lists) -> Entry:
    if not section:
        raise SettingsError(f'{where}: "{line}" stands before any section: put a line such as [fire] above it')
    parts = tuple(_alternatives(part, line, where, lists) for part in line.split("+"))
    return Entry(section, line.strip(), parts)


def _alternatives(part: str, line: str, where: str, lists: Lists) -> tuple[str, ...]:
    keys: list[str] = []
    for word in part.split("|"):
        name = word.strip()
        if not name.startswith("$"):
            keys.append(_key(name, line, where))
        elif name in lists:
            keys.extend(lists[name])
        else:
            known = ", ".join(lists) or "none so far"
            raise SettingsError(
                f'{where}: "{line}": no list {name} above this line: write it as {name} = a | b ({known})'
            )
    return tuple(dict.fromkeys(keys))


def _key(written: str, line: str, where: str) -> str:
    plain = folded(written.strip("*"))
    if len(plain.strip()) < _SHORTEST or "*" in written.strip("*"):
        raise SettingsError(
            f'{where}: "{line}": found "{written}" where a word of {_SHORTEST} letters or more belongs, '
            'with * only at its ends: write such as "incendi*" or "water + cellar | road"'
        )
    start = plain.lstrip() if written.startswith("*") else plain
    return start.rstrip() if written.endswith("*") else start


class Gate:
    """Says whether a post could speak of a disaster; recall before precision.

    Shape   one text in, yes or no out; a pure function of the text and the lexicon
    Units   about 7 µs a post
    Errors  none on any text
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        keys: dict[str, list[tuple[int, int]]] = {}
        for number, entry in enumerate(self.entries):
            for place, alternatives in enumerate(entry.parts):
                for key in alternatives:
                    keys.setdefault(key, []).append((number, 1 << place))
        self._whole = tuple((1 << len(entry.parts)) - 1 for entry in self.entries)
        self._automaton = ahocorasick.Automaton()
        for key, uses in keys.items():
            alone = any(self._whole[number] == bit for number, bit in uses)
            self._automaton.add_word(key, (alone, tuple(uses)))
        self._automaton.make_automaton()

    @classmethod
    def load(cls, extra: Path | None = None) -> "Gate":
        """Read the built-in lexicons, then a file of the analyst's own.

        Errors  SettingsError with file, line, what was found and what would do
        """
        entries = [entry for path in sorted(LEXICON.glob("*.txt")) for entry in entries_from(path)[0]]
        if extra is not None:
            added, taken_out = entries_from(extra)
            gone = {entry.parts for entry in taken_out}
            for entry in taken_out:
                if not any(entry.parts == built_in.parts for built_in in entries):
                    raise SettingsError(
                        f'{extra.name}: "!{entry.written}" takes out an entry that is not there: '
                        f"copy it as it stands in {LEXICON.name}/"
                    )
            entries = [entry for entry in entries if entry.parts not in gone] + added
        return cls(entries)

    def __call__(self, text: str) -> bool:
        """Return whether the post goes on."""
        found: dict[int, int] = {}
        for _, (alone, uses) in self._automaton.iter(folded(text)):
            if alone:
                return True
            for number, bit in uses:
                found[number] = found.get(number, 0) | bit
                if found[number] == self._whole[number]:
                    return True
        return False

    def why_passed(self, text: str) -> tuple[Entry, ...]:
        """Return every entry found in the text, in the lexicon's order; empty where the post is held back."""
        found: dict[int, int] = {}
        for _, (_alone, uses) in self._automaton.iter(folded(text)):
            for number, bit in uses:
                found[number] = found.get(number, 0) | bit
        return tuple(self.entries[number] for number in sorted(found) if found[number] == self._whole[number])

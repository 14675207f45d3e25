"""The gate: lets through the posts that could speak of a disaster, before anything is stored or sent.

A post passes when an entry of the lexicon is found in it, or when the points of its words add up to the threshold. Both
stand in `models/lexicon/*.txt`, plain files that an analyst reads and extends. A post about what is nobody's business,
such as a strike or somebody's illness, passes by an entry only, not by points.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path
from typing import NamedTuple

import ahocorasick

from models.folding import folded, joined, words_of
from records import SettingsError

LEXICON = Path(__file__).parent / "lexicon"
SECTIONS = ("fire", "flood", "industrial", "other", "help")
SENSITIVE = "sensitive"
"""The section of what is held back where nothing but its points would let it pass."""
POINTS = "points"
"""The section whose lines give points to words instead of naming an entry."""
THRESHOLD = "threshold"
Parts = tuple[tuple[str, ...], ...]
Lists = Mapping[str, tuple[str, ...]]

_SHORTEST = 2  # letters; a shorter word is in every text
_PAIR = 2  # parts
_ALONE = 1  # the bit that is always there: what it completes needs no other word
_POINTS_LINE = re.compile(r"(?P<word>\S+)\s+(?P<points>[+-]?\d+(\.\d)?)")
_TENTHS = 10  # points are counted in whole tenths: sums of them are exact
_MOST_WORDS = 100_000  # remembered with their points; then all are forgotten, and the gate starts anew


@dataclass(frozen=True)
class Entry:
    """One line of a lexicon: it is found in a text when each of its parts is, in any order.

    Shape   parts: alternatives that stand for each other; padded and folded as `folded` gives them
    """

    section: str
    written: str
    parts: Parts


@dataclass(frozen=True)
class Weighed:
    """The points of one text: which words carry them, and what they must add up to.

    Shape   words: (as written in the lexicon, points), in the text's order; a word said twice counts twice
    """

    words: tuple[tuple[str, float], ...]
    points: float
    threshold: float

    @property
    def is_enough(self) -> bool:
        """Whether the points alone let the text pass."""
        return self.points >= self.threshold


def points_from(path: Path) -> dict[str, float]:
    """Read the points that a lexicon file gives to words; `threshold` is among them where the file sets it.

    Errors  SettingsError with file, line, what was found and what would do
    """
    points: dict[str, float] = {}
    section = ""
    for where, line in _lines_from(path):
        if line.startswith("["):
            section = _section(line, where)
        elif section == POINTS:
            found = _POINTS_LINE.fullmatch(line)
            word = _pointed(found["word"]) if found is not None else ""
            if found is None or not word:
                raise SettingsError(
                    f'{where}: "{line}" gives no points: write a word, * only at its end, and a number with at most '
                    'one decimal, such as "evacu* 2.1"'
                )
            if word in points:
                raise SettingsError(f'{where}: "{line}": {word} already has its points above: keep one of them')
            points[word] = float(found["points"])
    return points


def _pointed(written: str) -> str:
    plain = folded(written.removesuffix("*")).strip()
    is_one_word = len(plain) >= _SHORTEST and " " not in plain and "*" not in written[:-1]
    return plain + "*" * written.endswith("*") if is_one_word else ""


def _lines_from(path: Path) -> list[tuple[str, str]]:
    """Return the lines that say something, each with where it stands."""
    try:
        raws = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name}: cannot be read as UTF-8 text ({error}): name a lexicon file") from error
    lines = [(f"{path.name}: line {number}", raw.partition("#")[0].strip()) for number, raw in enumerate(raws, start=1)]
    return [(where, line) for where, line in lines if line]


def entries_from(path: Path) -> tuple[list[Entry], list[Entry]]:
    """Read a lexicon file: the entries it adds, and those it takes out.

    Errors  SettingsError with file, line, what was found and what would do
    """
    added: list[Entry] = []
    taken_out: list[Entry] = []
    lists: dict[str, tuple[str, ...]] = {}
    seen: dict[tuple[str, Parts], str] = {}
    section = ""
    for where, line in _lines_from(path):
        if line.startswith("["):
            section = _section(line, where)
        elif section == POINTS:
            continue
        elif line.startswith("$") and "=" in line:
            name, _, words = line.partition("=")
            lists[name.strip()] = (*lists.get(name.strip(), ()), *_alternatives(words, line, where, lists))
        else:
            entry = _entry(line.removeprefix("!"), section, where, lists)
            first = seen.setdefault((section, entry.parts), where)
            if first != where:
                raise SettingsError(
                    f'{where}: "{line}" already stands on {first.rpartition(": ")[2]}: keep one of them'
                )
            (taken_out if line.startswith("!") else added).append(entry)
    return added, taken_out


def _section(line: str, where: str) -> str:
    name = line.strip("[]").strip()
    known = (*SECTIONS, SENSITIVE, POINTS)
    if name not in known or not line.endswith("]"):
        allowed = " ".join(f"[{section}]" for section in known)
        raise SettingsError(f'{where}: "{line}" is no section: use one of {allowed}')
    return name


def _entry(line: str, section: str, where: str, lists: Lists) -> Entry:
    if not section:
        raise SettingsError(f'{where}: "{line}" stands before any section: put a line such as [fire] above it')
    return Entry(section, line.strip(), tuple(_alternatives(part, line, where, lists) for part in line.split("+")))


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


class _Bits:
    """Each list of alternatives as one bit, so that a word costs the gate two operations however many entries use it.

    Shape   longer: entries of three parts or more, each with its section and as all its bits
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._bits: dict[tuple[str, ...], int] = {}
        self._bits_of: dict[str, list[int]] = {}  # a key's own
        self._alone: dict[str, set[str]] = {}  # the sections of which a key is an entry by itself
        self._completes: dict[int, dict[str, int]] = {}  # the bits that make a pair whole with a bit, by section
        self.longer: list[tuple[str, int]] = []
        for entry in entries:
            if len(entry.parts) == 1:
                for key in entry.parts[0]:
                    self._alone.setdefault(key, set()).add(entry.section)
                continue
            mine = [self._bit(alternatives) for alternatives in entry.parts]
            whole = reduce(or_, mine)
            if len(mine) > _PAIR:
                self.longer.append((entry.section, whole))
                continue
            for bit in mine:
                partners = self._completes.setdefault(bit, {})
                partners[entry.section] = partners.get(entry.section, 0) | (whole ^ bit or bit)

    def _bit(self, alternatives: tuple[str, ...]) -> int:
        if alternatives not in self._bits:
            bit = self._bits[alternatives] = _ALONE << len(self._bits) + 1
            for key in alternatives:
                self._bits_of.setdefault(key, []).append(bit)
        return self._bits[alternatives]

    def own(self, key: str) -> int:
        """Return the bits of a word."""
        return reduce(or_, self._bits_of.get(key, ()), 0)

    def completed_by(self, key: str) -> dict[str, int]:
        """Return, by section, the bits of which one is enough for an entry together with this word.

        `_ALONE` is among them where the word is enough.
        """
        own = self.own(key)
        found = dict.fromkeys(self._alone.get(key, ()), _ALONE)
        for bit in self._bits_of.get(key, ()):
            for section, partners in self._completes.get(bit, {}).items():
                found[section] = found.get(section, 0) | partners | (_ALONE if partners & own else 0)
        return found


class _Uses(NamedTuple):
    """What a word is for.

    Shape   places: (number of the entry, number of the part); completed_by: by section, as `_Bits` gives it
    """

    places: tuple[tuple[int, int], ...] = ()
    completed_by: tuple[tuple[str, int], ...] = ()


class _WordPoints(dict[str, int]):
    """What each word weighs, in tenths, with all that is written for its beginnings; remembered once it was met."""

    def __init__(self, points: Mapping[str, float]) -> None:
        super().__init__()
        self._tenths = {key: round(value * _TENTHS) for key, value in points.items()}
        lengths = {len(key) - 1 for key in points if key.endswith("*")}
        self._lengths = tuple(sorted(lengths))

    def __missing__(self, word: str) -> int:
        if len(self) >= _MOST_WORDS:
            self.clear()
        total = self[word] = sum(self._tenths[key] for key in self.keys_of(word))
        return total

    def keys_of(self, word: str) -> list[str]:
        """Return what is written for a word: itself, and its beginnings."""
        beginnings = (f"{word[:length]}*" for length in self._lengths if length <= len(word))
        return [key for key in (word, *beginnings) if key in self._tenths]

    def tenths(self, key: str) -> int:
        """Return the points written for a key."""
        return self._tenths[key]


class Finder:
    """Finds entries in texts that `folded` or `joined` gave."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        uses: dict[str, list[tuple[int, int]]] = {}
        for number, entry in enumerate(self.entries):
            for part, alternatives in enumerate(entry.parts):
                for key in alternatives:
                    uses.setdefault(key, []).append((number, part))
        bits = _Bits(self.entries)
        self._longer = tuple(bits.longer)
        self._fewest = _ALONE.bit_count() + min((whole.bit_count() for _section, whole in bits.longer), default=0)
        self._automaton = ahocorasick.Automaton()
        for key, places in sorted(uses.items()):  # neighbours in the alphabet lie together in memory, too
            completed_by = bits.completed_by(key)
            by_any = reduce(or_, completed_by.values(), 0)
            self._automaton.add_word(key, (by_any, bits.own(key), _Uses(tuple(places), tuple(completed_by.items()))))
        self._automaton.add_word("\0", (0, 0, _Uses()))  # in no folded text: an automaton must know a word
        self._automaton.make_automaton()

    def is_any_in(self, plain: str) -> bool:
        """Tell whether an entry is found."""
        seen = _ALONE
        for _, (completed_by, own, _uses) in self._automaton.iter(plain):
            if completed_by & seen:
                return True
            seen |= own
        return seen.bit_count() >= self._fewest and any(seen & whole == whole for _section, whole in self._longer)

    def all_in(self, plain: str) -> tuple[Entry, ...]:
        """Return every entry that is found, in the lexicon's order."""
        found: dict[int, set[int]] = {}
        for _, (_completed_by, _own, uses) in self._automaton.iter(plain):
            for number, part in uses.places:
                found.setdefault(number, set()).add(part)
        whole = [number for number, parts in found.items() if len(parts) == len(self.entries[number].parts)]
        return tuple(self.entries[number] for number in sorted(whole))

    def sections_in(self, plain: str) -> set[str]:
        """Return the sections of the entries that `all_in` would name, at a fraction of its cost."""
        seen, sections = _ALONE, set()
        for _, (completed_by, own, uses) in self._automaton.iter(plain):
            if completed_by & seen:
                sections.update([section for section, partners in uses.completed_by if partners & seen])
            seen |= own
        sections.update(section for section, whole in self._longer if seen & whole == whole)
        return sections


class Gate:
    """Says whether a post could speak of a disaster; recall before precision.

    Shape   one text in, yes or no out; a pure function of the text, the lexicon and the points
    Units   about 7 µs a post
    Errors  none on any text
    """

    def __init__(self, entries: Iterable[Entry], points: Mapping[str, float] | None = None) -> None:
        known = tuple(entries)
        self._speaking = Finder(entry for entry in known if entry.section != SENSITIVE)
        self._sensitive = Finder(entry for entry in known if entry.section == SENSITIVE)
        self.entries = self._speaking.entries
        words = dict(points or {})
        self._threshold = round(words.pop(THRESHOLD) * _TENTHS) if THRESHOLD in words else float("inf")
        self._points = _WordPoints(words)
        self._tenths_of = self._points.__getitem__

    @classmethod
    def load(cls, extra: Path | None = None) -> "Gate":
        """Read the built-in lexicons, then a file of the analyst's own.

        Errors  SettingsError with file, line, what was found and what would do
        """
        entries = [entry for path in sorted(LEXICON.glob("*.txt")) for entry in entries_from(path)[0]]
        points = {word: value for path in sorted(LEXICON.glob("*.txt")) for word, value in points_from(path).items()}
        if extra is not None:
            points |= points_from(extra)
            added, taken_out = entries_from(extra)
            gone = {entry.parts for entry in taken_out}
            for entry in taken_out:
                if not any(entry.parts == built_in.parts for built_in in entries):
                    raise SettingsError(
                        f'{extra.name}: "!{entry.written}" takes out an entry that is not there: '
                        f"copy it as it stands in {LEXICON.name}/"
                    )
            entries = [entry for entry in entries if entry.parts not in gone] + added
        return cls(entries, points)

    def __call__(self, text: str) -> bool:
        """Return whether the post goes on."""
        words = words_of(text)
        plain = joined(words)
        if self._speaking.is_any_in(plain):
            return True
        return sum(map(self._tenths_of, words)) >= self._threshold and not self._sensitive.is_any_in(plain)

    def why_passed(self, text: str) -> tuple[Entry, ...]:
        """Return every entry found in the text, in the lexicon's order; without any, `weighed` tells of the points."""
        return self._speaking.all_in(folded(text))

    def sensitive_in(self, text: str) -> tuple[Entry, ...]:
        """Return the sensitive entries in a text: with any, its points do not count."""
        return self._sensitive.all_in(folded(text))

    def sections_in(self, text: str) -> set[str]:
        """Return the sections of the entries that `why_passed` would name, at a fraction of its cost."""
        return self._speaking.sections_in(folded(text))

    def weighed(self, text: str) -> Weighed:
        """Return the points of the text's words, and the threshold that their sum must reach."""
        tenths: dict[str, int] = {}
        for word in words_of(text):
            for key in self._points.keys_of(word):
                tenths[key] = tenths.get(key, 0) + self._points.tenths(key)
        return Weighed(
            words=tuple((key, value / _TENTHS) for key, value in tenths.items() if value),
            points=sum(tenths.values()) / _TENTHS,
            threshold=self._threshold / _TENTHS,
        )

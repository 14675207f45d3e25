"""The words of offers and needs: reads `models/solidarity/*.txt`, and finds what stands there in a sentence.

Shape   a line is a phrase of plain words; its parts, joined by +, follow one another, two words between them at most
Errors  SettingsError with file, line, what was found and what would do
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import ahocorasick

from models.folding import folded
from records import SettingsError

WORDS = Path(__file__).parent / "solidarity"
THINGS = (
    *("shelter", "food", "water", "clothes", "transport", "tools", "power", "hands"),
    *("animals", "care", "children", "persons", "money", "goods", "help"),
)
"""What is offered or needed. `goods` are gifts of no one kind, `help` is what nobody has named."""
DO = " do"
"""Behind a thing: the verbs that mean it."""
CLAIMS = (
    *("need", "need do", "need behind", "need closed", "need enough", "call"),
    *("offer", "offer do", "offer behind", "offer ready", "offer closed"),
)
ASIDE = ("not", "past")
BESIDE = ("advert", "disaster", "institution", "stop", "counted", "uncounted")
NUMBERS = "numbers"
_ALL_THINGS = frozenset((*THINGS, *(thing + DO for thing in THINGS)))
SECTIONS = _ALL_THINGS | {*CLAIMS, *ASIDE, *BESIDE, NUMBERS}

_SHORTEST = 2  # letters before a *
_MOST_BETWEEN = 2  # words
_MOST_PARTS = 4
_ALONE = 1  # the bit of what needs no other part
Parts = tuple[tuple[str, ...], ...]
Lists = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Entry:
    """One line of a word file.

    Shape   parts: alternatives that stand for each other, padded and folded; thing: what it speaks of by itself, or ""
    """

    section: str
    parts: Parts
    thing: str = ""


@dataclass(frozen=True)
class Found:
    """An entry in a sentence: from word `start` to before word `end`, made of these words."""

    entry: Entry
    start: int
    end: int
    words: tuple[int, ...]

    @property
    def is_verb(self) -> bool:
        """Whether it is a verb that means a thing, or a phrase that wants one."""
        return self.entry.section.endswith(DO)

    @property
    def is_closing(self) -> bool:
        """Whether it says that something is needed, or offered, no more."""
        return self.entry.section.endswith(("closed", "enough"))

    @property
    def is_behind(self) -> bool:
        """Whether it is a phrase that stands behind its thing."""
        return self.entry.section.endswith(("behind", "ready"))


@dataclass(frozen=True)
class WordFile:
    """What one language's file says: its entries, and its words for numbers."""

    entries: tuple[Entry, ...]
    numbers: Mapping[str, int]


def read_words(path: Path) -> WordFile:
    """Read the word file of a language.

    Errors  SettingsError with file, line, what was found and what would do
    """
    entries: list[Entry] = []
    numbers: dict[str, int] = {}
    lists: dict[str, tuple[str, ...]] = {}
    seen: dict[tuple[str, Parts], str] = {}
    section = ""
    for where, line in _lines_from(path):
        if line.startswith("["):
            section = _section(line, where)
        elif line.startswith("$") and "=" in line:
            name, _, words = line.partition("=")
            lists[name.strip()] = (*lists.get(name.strip(), ()), *_alternatives(words, where, lists))
        elif not section:
            raise SettingsError(f'{where}: "{line}" stands before any section: put a line such as [need] above it')
        elif section == NUMBERS:
            word, number = _number(line, where)
            numbers[word] = number
        else:
            entry = _entry(line, section, where, lists)
            first = seen.setdefault((section, entry.parts), where)
            if first != where:
                raise SettingsError(
                    f'{where}: "{line}" already stands on {first.rpartition(": ")[2]}: keep one of them'
                )
            entries.append(entry)
    return WordFile(tuple(entries), numbers)


def _lines_from(path: Path) -> Iterator[tuple[str, str]]:
    try:
        raws = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name}: cannot be read as UTF-8 text ({error}): name a word file") from error
    for number, raw in enumerate(raws, start=1):
        if line := raw.partition("#")[0].strip():
            yield f"{path.name}: line {number}", line


def _section(line: str, where: str) -> str:
    name = line.strip("[]").strip()
    if name not in SECTIONS or not line.endswith("]"):
        allowed = " ".join(f"[{section}]" for section in sorted(SECTIONS))
        raise SettingsError(f'{where}: "{line}" is no section: use one of {allowed}')
    return name


def _number(line: str, where: str) -> tuple[str, int]:
    word, _, number = line.partition(" ")
    if folded(word).strip() != word or not number.strip().isdecimal():
        raise SettingsError(f'{where}: "{line}" gives no number: write a plain word and its number, such as "deux 2"')
    return word, int(number)


def _entry(line: str, section: str, where: str, lists: Lists) -> Entry:
    written, _, thing = line.partition(">")
    if thing and thing.strip() not in THINGS:
        raise SettingsError(f'{where}: "{line}": "{thing.strip()}" is no thing: use one of {" ".join(THINGS)}')
    parts = tuple(_alternatives(part, where, lists) for part in written.split("+"))
    if len(parts) > _MOST_PARTS:
        raise SettingsError(f'{where}: "{line}" has {len(parts)} parts: {_MOST_PARTS} are the most')
    return Entry(section, parts, thing.strip() or section.removesuffix(DO) * (section.removesuffix(DO) in THINGS))


def _alternatives(part: str, where: str, lists: Lists) -> tuple[str, ...]:
    keys: list[str] = []
    for word in map(str.strip, part.split("|")):
        if not word.startswith("$"):
            keys.append(_key(word, where))
        elif word in lists:
            keys.extend(lists[word])
        else:
            known = ", ".join(lists) or "none so far"
            raise SettingsError(f"{where}: no list {word} above this line: write it as {word} = a | b ({known})")
    return tuple(dict.fromkeys(keys))


def _key(written: str, where: str) -> str:
    plain = folded(written.removesuffix("*"))
    if len(plain.strip()) < (_SHORTEST if written.endswith("*") else 1) or "*" in written[:-1]:
        raise SettingsError(
            f'{where}: found "{written}" where a word belongs, with * only at its end and behind {_SHORTEST} letters: '
            'write such as "heberg*" or "fait* + don | dons"'
        )
    return plain.rstrip() if written.endswith("*") else plain


class _Bits:
    """Each list of alternatives of some entries as one bit, so that many entries cost a text a few operations.

    Shape   wholes: the bits of each entry of several parts
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        bits: dict[tuple[str, ...], int] = {}
        self._of_key: dict[str, int] = {}
        wholes: set[int] = set()
        for entry in entries:
            whole = 0
            for alternatives in entry.parts:
                bit = _ALONE if len(entry.parts) == 1 else bits.setdefault(alternatives, _ALONE << len(bits) + 1)
                whole |= bit
                for key in alternatives:
                    self._of_key[key] = self._of_key.get(key, 0) | bit
            wholes.add(whole)
        self.wholes = tuple(sorted(wholes - {_ALONE}))

    def of_key(self, key: str) -> int:
        """Return the bits of a word."""
        return self._of_key.get(key, 0)


class Phrases:
    """Finds the entries of one language.

    Shape   a sentence's plain words in; every entry in it out, in the order of the words
    """

    def __init__(self, file: WordFile) -> None:
        self.numbers = file.numbers
        self._entries = file.entries
        uses: dict[str, list[tuple[int, int]]] = {}
        for number, entry in enumerate(file.entries):
            for part, alternatives in enumerate(entry.parts):
                for key in alternatives:
                    uses.setdefault(key, []).append((number, part))
        bits = _Bits(entry for entry in file.entries if entry.section in CLAIMS)
        self._wholes = bits.wholes
        self._fewest = min((whole.bit_count() for whole in bits.wholes), default=0)
        self._automaton = ahocorasick.Automaton()
        for key, places in sorted(uses.items()):
            self._automaton.add_word(key, (key, bits.of_key(key), tuple(places)))
        self._automaton.add_word("\0", ("\0", 0, ()))  # in no folded text: an automaton must know a word
        self._automaton.make_automaton()

    def may_claim(self, plain: str) -> bool:
        """Tell whether a phrase of an offer or a need may be in a folded text: all its parts are."""
        seen = 0
        for _, (_key, bits, _places) in self._automaton.iter(plain):
            if bits & _ALONE:
                return True
            seen |= bits
        return seen.bit_count() >= self._fewest and any(seen & whole == whole for whole in self._wholes)

    def in_sentence(self, words: list[str]) -> list[Found]:
        """Return what is found among the words of a sentence."""
        plain = f" {' '.join(words)} "
        word_at = _words_at(plain)
        hits: dict[int, list[list[tuple[int, int]]]] = {}
        for end, (key, _bits, places) in self._automaton.iter(plain):
            span = word_at[end - len(key) + 1], word_at[end] + (plain[end] != " ")
            for number, part in places:
                of_parts = hits.setdefault(number, [[] for _ in self._entries[number].parts])
                of_parts[part].append(span)
        found = [one for number, of_parts in hits.items() for one in _whole(self._entries[number], of_parts)]
        return sorted(found, key=lambda one: (one.start, one.end))


def _words_at(plain: str) -> list[int]:
    """Return for each letter the number of its word; for a space that of the word behind it."""
    numbers, word = [], -1
    for letter in plain:
        word += letter == " "
        numbers.append(word)
    return numbers


def _whole(entry: Entry, of_parts: list[list[tuple[int, int]]]) -> Iterator[Found]:
    """Find an entry's parts one behind the other; each first part begins one of them at most."""
    starts = [dict(reversed(spans)) for spans in of_parts]  # of two that begin at a word, the first found
    for start, end in of_parts[0]:
        last, words = end, [*range(start, end)]
        for further in starts[1:]:
            begin = next((at for at in range(last, last + _MOST_BETWEEN + 1) if at in further), None)
            if begin is None:
                break
            last = further[begin]
            words += range(begin, last)
        else:
            yield Found(entry, start, last, tuple(words))


def standing(found: Iterable[Found]) -> list[Found]:
    """Return what stands where several share a word: the longest; of equals what sets aside first, a thing last.

    A word that is both a thing's noun and its verb stands as both: "help".
    """
    taken: dict[int, Found] = {}
    stood: list[Found] = []
    for one in sorted(found, key=_rank):
        others = {id(taken[word]): taken[word] for word in one.words if word in taken}.values()
        if all(_is_other_sense(one, other) for other in others):
            taken.update(dict.fromkeys(one.words, one))
            stood.append(one)
    return sorted(stood, key=lambda one: one.start)


def _rank(one: Found) -> tuple[int, bool, bool, int]:
    section = one.entry.section
    return -len(one.words), section not in ASIDE, section in _ALL_THINGS, one.start


def _is_other_sense(one: Found, other: Found) -> bool:
    are_things = one.entry.section in _ALL_THINGS and other.entry.section in _ALL_THINGS
    return are_things and one.words == other.words and one.is_verb != other.is_verb

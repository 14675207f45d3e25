"""Phrases: turns of speech that stand in plain files, sorted into sections, and where a text has one of them.

The files of `models/doubts/` are written so; the head of `letterheads.txt` explains the signs.

Shape   sections of a file in, one pattern a section out; a text is asked as `sentences_of` gives it
Units   a text without any head of a phrase's words costs a set lookup, some 6 µs
Errors  SettingsError with file, line, what was found and what would do
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from models.folding import folded, joined, words_of
from records import SettingsError

HEAD = 5
"""Letters by which words are looked up."""
STOP = "zzstop"
"""The plain word for what ends a sentence, a line or a heading; a file writes `:`."""
ASK = "zzask"
"""The plain word for a question mark."""

_COMMON = """
    est sont dans pas que qui ce cette cet les des une sur pour avec vous nous tout tous jamais peut sans elle
    this that there is are was were not no has have been the from with about would you your of on it its an
    porte fait attention information avait avaient point photo photos water"""
"""Words that tell little apart: a phrase is looked up by another one of its words, if it has one."""
_TELLING = 3  # letters: shorter words stand in every text
_COMMON_HEADS = frozenset(word[:HEAD] for word in _COMMON.split())
_STOPS = re.compile(r"(?:[\n\r–—|!;…\[\]]|[.:](?=\s|$|[\"»”])|\s[-/]\s)+")
_ASKS = re.compile(r"\?+")
_GAPS = {"+": r"(?: (?!zz)[a-z0-9]+){0,2}?", "++": r"(?: (?!zz)[a-z0-9]+){0,7}?"}
_GAP = re.compile(r"\s(\+\+?)\s")


@dataclass(frozen=True)
class _Piece:
    """A pattern, and the heads of words of which a text must hold one; none where it may be left out."""

    pattern: str
    heads: frozenset[str]

    @property
    def rank(self) -> tuple[bool, int]:
        """How well its heads tell texts apart: by the commonest, then by the shortest."""
        shortest = min(map(len, self.heads), default=0)
        return shortest >= _TELLING and _COMMON_HEADS.isdisjoint(self.heads), shortest


class Phrases:
    """The phrases of a file, by section."""

    def __init__(self, path: Path, sections: Collection[str]) -> None:
        entries = _entries_of(path, sections)
        self._written = {
            section: f"(?:{'|'.join(sorted((one.pattern for one in pieces), key=len, reverse=True))})(?= )"
            for section, pieces in entries.items()
        }
        self._patterns: dict[str, re.Pattern[str]] = {}
        self._heads = {
            section: frozenset(head for one in pieces for head in one.heads) for section, pieces in entries.items()
        }

    def pattern(self, section: str) -> re.Pattern[str]:
        """Return what finds the phrases of a section; made when first asked for, since few texts need it."""
        found = self._patterns.get(section)
        if found is None:
            found = self._patterns[section] = re.compile(self._written[section])
        return found

    def written(self, section: str) -> str:
        """Return it as it is written."""
        return self._written[section]

    def heads(self, *sections: str) -> frozenset[str]:
        """Return heads of words: a text with none of them has no phrase of these sections."""
        return frozenset(head for section in sections for head in self._heads[section])


def heads_of(words: Iterable[str]) -> set[str]:
    """Return the heads of a text's words."""
    return {word[:HEAD] for word in words}


def sentences_of(text: str) -> str:
    """Return a text's plain words with what divides them: `STOP` and `ASK` stand for marks, one at each end too."""
    marked = _STOPS.sub(f" {STOP} ", _ASKS.sub(f" {ASK} ", text))
    return joined([STOP, *words_of(marked), STOP])


def _entries_of(path: Path, sections: Collection[str]) -> dict[str, list[_Piece]]:
    entries: dict[str, list[_Piece]] = {section: [] for section in sections}
    lists: dict[str, _Piece] = {}
    section = ""
    for where, line in lines_of(path):
        if line.startswith("["):
            section = _section(line, where, sections)
        elif line.startswith("$") and "=" in line:
            name, _, words = line.partition("=")
            known = [lists[name.strip()]] if name.strip() in lists else []
            lists[name.strip()] = _either([*known, _part(words, where, lists)])
        elif not section:
            raise SettingsError(f'{where}: "{line}" stands before any section: put a line such as [past] above it')
        else:
            entries[section].extend(_entry(phrase, where, lists) for phrase in line.split(";"))
    missing = [one for one, pieces in entries.items() if not pieces]
    if missing:
        raise SettingsError(f"{path.name}: nothing stands under [{missing[0]}]: write a phrase there")
    return entries


def lines_of(path: Path) -> Iterator[tuple[str, str]]:
    """Go through a file's lines but for comments, each with where it stands.

    Errors  SettingsError when it cannot be read
    """
    try:
        raws = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name}: cannot be read as UTF-8 text ({error}): name a text file") from error
    for number, raw in enumerate(raws, start=1):
        if line := raw.partition("#")[0].strip():
            yield f"{path.name}: line {number}", line


def _section(line: str, where: str, sections: Collection[str]) -> str:
    name = line.strip("[]").strip()
    if name not in sections or not line.endswith("]"):
        allowed = " ".join(f"[{section}]" for section in sections)
        raise SettingsError(f'{where}: "{line}" is no section: use one of {allowed}')
    return name


def _entry(line: str, where: str, lists: Mapping[str, _Piece]) -> _Piece:
    first, *rest = _GAP.split(line)
    whole = _part(first, where, lists)
    for gap, part in zip(rest[::2], rest[1::2], strict=True):
        further = _part(part, where, lists)
        whole = _Piece(whole.pattern + _GAPS[gap] + further.pattern, max((whole, further), key=_rank).heads)
    if not whole.heads:
        raise SettingsError(f'{where}: every word of "{line}" may be left out: take a ? away')
    return whole


def _part(written: str, where: str, lists: Mapping[str, _Piece]) -> _Piece:
    return _either([_sequence(one.split(), where, lists) for one in written.split("|")])


def _either(pieces: list[_Piece]) -> _Piece:
    heads = frozenset(head for one in pieces for head in one.heads) if all(one.heads for one in pieces) else frozenset()
    return _Piece(f"(?:{'|'.join(one.pattern for one in pieces)})" if len(pieces) > 1 else pieces[0].pattern, heads)


def _sequence(words: list[str], where: str, lists: Mapping[str, _Piece]) -> _Piece:
    if not words:
        raise SettingsError(f"{where}: a word is missing beside | or +: write it, or take the sign away")
    pieces = [_word(word, where, lists) for word in words]
    return _Piece("".join(one.pattern for one in pieces), max(pieces, key=_rank).heads)


def _rank(piece: _Piece) -> tuple[bool, int]:
    return piece.rank


def _word(written: str, where: str, lists: Mapping[str, _Piece]) -> _Piece:
    if written.endswith("?"):
        return _Piece(f"(?:{_word(written[:-1], where, lists).pattern})?", frozenset())
    if written.startswith("$"):
        if written not in lists:
            known = ", ".join(lists) or "none so far"
            raise SettingsError(f"{where}: no list {written} above this line: write it as {written} = a | b ({known})")
        return _Piece(f"(?:{lists[written].pattern})", lists[written].heads)
    if written == ":":
        return _Piece(f" {STOP}", frozenset())
    return _plain_word(written, where)


def _plain_word(written: str, where: str) -> _Piece:
    word = written.removesuffix("*")
    if folded(word).strip() != word or (written.endswith("*") and len(word) < HEAD):
        raise SettingsError(
            f'{where}: found "{written}" where a plain word belongs, a * behind {HEAD} letters or more: '
            'write small letters without accents and apostrophes, such as "dement*" or "l usine"'
        )
    return _Piece(f" {word}{'[a-z0-9]*' if written.endswith('*') else ''}", frozenset({word[:HEAD]}))

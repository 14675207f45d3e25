"""The shape of a map's file: which tables and keys it may have, and of what type; with the line of what is wrong."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

import msgspec

from console.messages.message_map import (
    LANGUAGES,
    LISTS,
    NEEDED,
    STAGES,
    TABLES,
    Audience,
    Kind,
    Message,
    MessageMap,
    Origin,
    Part,
    Texts,
    map_of,
)
from console.messages.toml_lines import Path, TomlLines
from records import Level
from records.bulletin import BulletinKind
from records.signal import Hazard

LANGUAGE_NAMES: Mapping[str, str] = {"fr": "French", "en": "English"}
CHOICES: Mapping[str, tuple[str, ...]] = {
    "audience": get_args(Audience),
    "from": get_args(Origin),
    "kind": get_args(Kind),
    "levels": get_args(Level),
    "hazards": get_args(Hazard),
    "bulletins": get_args(BulletinKind),
}
"""The values of the keys that have a list of them."""
ABSENT: Mapping[str, str] = {
    "audience": f"write audience = and one of {', '.join(NEEDED)}",
    "stage": f"write stage = and one of {', '.join(STAGES)}",
    "is_fact": "write is_fact = true where it must be confirmed before it is said, false where not",
    "from": f"write from = and one of {', '.join(get_args(Origin))}",
    "fr": "write fr = and its words in French",
    "en": "write en = and its words in English",
}
LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a map."""

    file: str
    line: int
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.file}: line {self.line}: {self.what}; {self.mend}"


@dataclass(frozen=True)
class MapFile:
    """One file of a map, as tomllib returns it, and where things stand in it."""

    name: str
    said: Mapping[str, Any]
    lines: TomlLines

    def finding(self, path: Path, what: str, mend: str, *, word: str = "") -> Finding:
        """Return what is wrong at a path; where a word is given, at the line that it stands on."""
        return Finding(self.name, self.lines.line_of(path, word), f"{self._called(path)}: {what}", mend)

    def _called(self, path: Path) -> str:
        """Return how people find it: a message by its id, the rest by its keys."""
        table, *rest = path
        if len(path) > 1 and isinstance(path[1], int):
            entry = self.said[str(table)][path[1]]
            name = entry.get("id") if isinstance(entry, dict) else None
            rest[0] = name if isinstance(name, str) and name else f"{table} {path[1] + 1}"
            return ".".join(f"page {part + 1}" if isinstance(part, int) else part for part in rest)
        return ".".join(map(str, path))


@dataclass(frozen=True)
class Entry:
    """One part of a map that has the right shape, and where it stands."""

    file: MapFile
    path: Path
    name: str
    part: Part

    def finding(self, path: Path, what: str, mend: str, *, word: str = "") -> Finding:
        """Return what is wrong at a path within it."""
        return self.file.finding((*self.path, *path), what, mend, word=word)


def own_map(entries: Sequence[Entry]) -> MessageMap:
    """Return the map that entries make up."""
    return map_of((entry.name, entry.part) for entry in entries)


def guess(word: str, known: Sequence[str], what: str) -> str:
    """Return what would do instead of a word that is not known."""
    near = get_close_matches(word, known, 1)
    return f"did you mean {near[0]}?" if near else f"{what} {', '.join(known)}"


def read_entries(file: MapFile) -> tuple[list[Entry], list[Finding]]:
    """Return the entries of a file that have the right shape, and what is wrong with the others."""
    entries: list[Entry] = []
    findings = list(_table_findings(file))
    for path, value, part in _raw_entries(file):
        found = list(_part_findings(file, path, value, part)) or list(_type_findings(file, path, value, part))
        findings += found
        if not found:
            name = str(path[1]) if isinstance(path[1], str) else value["id"]
            entries.append(Entry(file, path, name, msgspec.convert(value, part)))
    return entries, findings


def _table_findings(file: MapFile) -> Iterator[Finding]:
    for key, value in file.said.items():
        if key not in TABLES and key not in LISTS:
            yield file.finding((key,), "is no table of a map", guess(key, [*LISTS, *TABLES], "the tables are"))
        elif not isinstance(value, dict if key in TABLES else list):
            heading = f"[{key}.name]" if key in TABLES else f"[[{key}]]"
            yield file.finding((key,), "is not written as it should be", f"write {heading} above its keys")


def _raw_entries(file: MapFile) -> Iterator[tuple[Path, Any, type[Part]]]:
    for table, part in TABLES.items():
        said = file.said.get(table)
        for key, value in said.items() if isinstance(said, dict) else ():
            yield (table, key), value, part
    for table, part in LISTS.items():
        said = file.said.get(table)
        for number, value in enumerate(said) if isinstance(said, list) else ():
            yield (table, number), value, part


def _part_findings(file: MapFile, path: Path, value: Any, part: type[Part]) -> Iterator[Finding]:
    """Say which keys are too many, and which are missing."""
    if not isinstance(value, dict):
        yield file.finding(path, "is not a table", "write its keys below a heading, each with an equals sign")
        return
    fields = {field.encode_name: field.required for field in msgspec.structs.fields(part)}
    for key in value:
        if key not in fields:
            yield file.finding((*path, key), "is not a key of it", guess(key, list(fields), "its keys are"))
    for name, is_required in fields.items():
        if is_required and name not in value:
            yield _absent(file, path, name, part)
    for language in LANGUAGES if part is Message else ():
        if language in value:
            yield from _part_findings(file, (*path, language), value[language], Texts)


def _absent(file: MapFile, path: Path, name: str, part: type[Part]) -> Finding:
    if part is Message and name in LANGUAGE_NAMES:
        mend = f"write [message.{name}] below it, with its texts"
        return file.finding(path, f"has no texts in {LANGUAGE_NAMES[name]}", mend)
    return file.finding(path, f"has no {name}", ABSENT.get(name, f'write {name} = "…" below its heading'))


def _type_findings(file: MapFile, path: Path, value: Any, part: type[Part]) -> Iterator[Finding]:
    """Say which value is of another type, or none of those that there are."""
    try:
        msgspec.convert(value, part)
    except msgspec.ValidationError as error:
        reason, _, at = str(error).partition(" - at `$")
        keys = re.findall(r"[\w-]+", re.sub(r"\[[^]]*\]", "", at))  # a place in a list is not looked for
        named: Any = value
        for key in keys:
            named = named.get(key) if isinstance(named, dict) else named
        shown = repr(named) if not isinstance(named, dict) else "a table"
        if len(shown) > LONGEST_SHOWN:
            shown = f"{shown[:LONGEST_SHOWN]}…"
        yield file.finding((*path, *keys), f"found {shown}", _mend(keys[-1] if keys else "", named, reason))


def _mend(key: str, found: object, reason: str) -> str:
    if key in CHOICES and "enum" in reason:
        wrong = next((str(one) for one in found if one not in CHOICES[key]), "") if isinstance(found, list) else found
        return guess(str(wrong), CHOICES[key], "give one of")
    return reason[0].lower() + reason[1:].replace("`", "")

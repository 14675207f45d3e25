"""Editing: a profile's text and single settings in it, without losing what people wrote beside them.

Shape   TOML text in, TOML text out; keys as `budget.watch`, `hazard.fire.eta`
Errors  NotTOML for a text that is none
"""

import difflib
import hashlib
import re
import tomllib
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal, NamedTuple

import tomlkit
from tomlkit.exceptions import TOMLKitError

from records import VigieError

Value = float | int | bool | str


class NotTOML(VigieError):
    """A text that no setting can be changed in."""


class Line(NamedTuple):
    """One line of a difference; `old` and `new` number it in the two texts."""

    kind: Literal["same", "out", "in", "gap"]
    text: str
    old: int | None
    new: int | None


def text_id(toml: str) -> str:
    """Return what stands for a text: two texts that differ have two."""
    return hashlib.blake2b(toml.encode(), digest_size=16).hexdigest()


def values_in(toml: str) -> dict[str, Any]:
    """Return what a text says, by key.

    Errors  NotTOML
    """
    return {key: inner for name, value in _loaded(toml).items() for key, inner in _below(name, value)}


def _below(key: str, value: object, depth: int = 2) -> list[tuple[str, object]]:
    if isinstance(value, dict) and depth:
        return [pair for name, inner in value.items() for pair in _below(f"{key}.{name}", inner, depth - 1)]
    return [(key, value)]


def _loaded(toml: str) -> dict[str, Any]:
    try:
        return tomllib.loads(toml)
    except (ValueError, RecursionError) as error:  # a number of too many digits is no TOML error
        raise NotTOML(str(error)) from error


def changed(toml: str, values: Mapping[str, Value | None]) -> str:
    """Return a text with other values; comments and order stay. None takes a setting out.

    Errors  NotTOML
    """
    known = _loaded(toml)
    try:
        document = tomlkit.parse(toml)
    except (TOMLKitError, RecursionError) as error:
        raise NotTOML(str(error)) from error
    new = {key: value for key, value in values.items() if "." not in key and key not in known}
    for key, value in values.items():
        if key not in new:
            _put(document, key.split("."), value)
    return _with_head(tomlkit.dumps(document), {key: value for key, value in new.items() if value is not None})


def _put(document: Any, path: list[str], value: Value | None) -> None:
    table = document
    for name in path[:-1]:
        if name not in table:
            if value is None:
                return
            table.add(name, tomlkit.table())
        table = table[name]
        if not isinstance(table, MutableMapping):  # no profile: that is told by whoever checks it
            return
    name = path[-1]
    if value is None:
        table.pop(name, None)
    elif name in table:
        table[name] = value
    else:
        table.append(name, value)


def _with_head(toml: str, values: Mapping[str, Value]) -> str:
    """Add settings that belong to no table: before the first one, after the last line that says anything."""
    lines = toml.splitlines()
    tables = (number for number, line in enumerate(lines) if line.lstrip().startswith("["))
    end = next(tables, len(lines))
    said = [number for number in range(end) if lines[number].strip() and not lines[number].lstrip().startswith("#")]
    where = said[-1] + 1 if said else 0
    added = [f"{key} = {tomlkit.item(value).as_string()}" for key, value in values.items()]
    return "\n".join([*lines[:where], *added, *lines[where:]]) + "\n" if added else toml


def difference(old: str, new: str, around: int = 3) -> list[Line]:
    """Return what a text changes in another, with so many lines around each change."""
    before, after = old.splitlines(), new.splitlines()
    lines: list[Line] = []
    matcher = difflib.SequenceMatcher(None, before, after)  # lines that a long text repeats guide nothing: else hours
    for group in matcher.get_grouped_opcodes(around):
        if lines:
            lines.append(Line("gap", "", None, None))
        for what, old_from, old_to, new_from, new_to in group:
            if what == "equal":
                lines += [
                    Line("same", before[number], number + 1, new_from + number - old_from + 1)
                    for number in range(old_from, old_to)
                ]
                continue
            lines += [Line("out", before[number], number + 1, None) for number in range(old_from, old_to)]
            lines += [Line("in", after[number], None, number + 1) for number in range(new_from, new_to)]
    return lines


def changed_settings(old: str, new: str) -> list[tuple[str, Any, Any]]:
    """Return the settings that differ between two texts, with what each says of them; None: nothing.

    Errors  NotTOML
    """
    before, after = values_in(old), values_in(new)
    keys = [*before, *(key for key in after if key not in before)]
    return [(key, before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)]


def next_version(version: str) -> str:
    """Return the version after one: of "2" "2.1", of "2.1" "2.2", of "2.9" "2.10"."""
    head, dot, last = version.rpartition(".")
    if dot and re.fullmatch(r"[0-9]{1,9}", last):
        return f"{head}.{int(last) + 1}"
    return f"{version}.1"

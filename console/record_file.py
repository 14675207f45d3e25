"""Record file: what was known when and who did what, in lines that their hashes chain; and whether they still do.

Shape   canonical JSON: equal records give equal bytes. The head is sealed first; each line bears the hash before it

What a chain shows: that a file was changed after it was made, and where. What it cannot show: that somebody who has
the whole file has written all of it anew, with another chain. So the hash of the last line is kept elsewhere, in the
audit, and `verify` takes it to compare.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from math import isfinite
from typing import Any, Literal

FORMAT = "vigie-record/1"


@dataclass(frozen=True, kw_only=True)
class Said:
    """What is to be a line."""

    at: datetime
    kind: str
    who: str
    what: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing that was known, done or said at a moment."""

    number: int
    at: datetime
    kind: str
    who: str
    what: dict[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, kw_only=True)
class Head:
    """What a record is of."""

    cell: str
    incidents: tuple[str, ...]
    since: datetime
    until: datetime
    made_at: datetime
    is_exercise: bool
    audit_number: int  # of the last line of the audit when it was made, ...
    audit_hash: str  # ... and its hash
    lines: int
    format: str = FORMAT


@dataclass(frozen=True, kw_only=True)
class AfterAction:
    """The record of an incident, or of a span of time."""

    head: Head
    seal: str  # the hash of the head
    lines: tuple[Line, ...]

    @property
    def hash(self) -> str:
        """What all of it is known by: the hash of the last line."""
        return self.lines[-1].hash if self.lines else self.seal


Code = Literal[
    "unreadable", "head_changed", "lines_missing", "changed", "does_not_follow", "misnumbered", "other_record"
]
WORDS: dict[Code, str] = {
    "unreadable": "this is no record: it cannot be read as one",
    "head_changed": "the head was changed: it does not have its hash any more",
    "lines_missing": "there are not as many lines as the head says",
    "changed": "was changed: it does not have its hash any more",
    "does_not_follow": "does not follow the line before it: one was changed, taken out, put in or moved there",
    "misnumbered": "does not have the number of its place",
    "other_record": "this is not the record that has the expected hash: all of it may have been written anew",
}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What does not fit."""

    code: Code
    line: int | None = None  # its place in the file, from 1 on
    detail: str = ""

    def __str__(self) -> str:
        """Return it in words."""
        place = f"line {self.line} " if self.line is not None else ""
        return f"{place}{WORDS[self.code]}{f' ({self.detail})' if self.detail else ''}"


def chained(head: Head, said: Iterable[Said]) -> AfterAction:
    """Return a record of what was said, in that order."""
    previous = seal = _hash_of(_plain(asdict(head)))
    lines = []
    for number, one in enumerate(said, 1):
        values = {"number": number, **vars(one), "what": _plain(one.what), "previous": previous}
        previous = _hash_of({**values, "at": _plain(one.at)})
        lines.append(Line(**values, hash=previous))
    return AfterAction(head=head, seal=seal, lines=tuple(lines))


def to_json(record: AfterAction) -> bytes:
    """Return a record as it stands in a file: a line of the file for each of its lines."""
    head = {**_plain(asdict(record.head)), "hash": record.seal}
    lines = ",\n".join(_text_of(_plain(vars(one))) for one in record.lines)
    return f'{{"head":{_text_of(head)},\n"lines":[\n{lines}\n]}}\n'.encode()


def verify(data: bytes, expected: str = "") -> list[Problem]:
    """Return what does not fit in the file of a record, each line by its place; nothing where all of it does.

    `expected` is the hash that was kept elsewhere when the record was made.
    """
    try:
        head, lines = _read(data)
    except (ValueError, RecursionError) as error:
        return [Problem(code="unreadable", detail=str(error))]
    seal = head.pop("hash")
    problems = [] if seal == _hash_of(head) else [Problem(code="head_changed")]
    if head.get("lines") != len(lines):
        problems.append(Problem(code="lines_missing", detail=f"{len(lines)} of {head.get('lines')}"))
    previous = seal
    for place, line in enumerate(lines, 1):
        given = line.pop("hash")
        problems += (Problem(code=code, line=place) for code in _wrong(line, place, previous, given))
        previous = given
    if expected and previous != expected:
        problems.append(Problem(code="other_record", detail=f"expected {expected}, found {previous}"))
    return problems


def _wrong(line: Mapping[str, Any], place: int, previous: str, given: str) -> Iterable[Code]:
    if line.get("number") != place:
        yield "misnumbered"
    if line.get("previous") != previous:
        yield "does_not_follow"
    if given != _hash_of(line):
        yield "changed"


def _read(data: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the head and the lines of a file.

    Errors  ValueError where it has another shape, or names something twice: then it says two things
    """
    found = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_finite, parse_float=_finite)
    if not isinstance(found, dict) or found.keys() != {"head", "lines"} or not isinstance(found["lines"], list):
        raise ValueError("a record has a head and lines, and nothing else")
    if not all(isinstance(one, dict) and isinstance(one.get("hash"), str) for one in (found["head"], *found["lines"])):
        raise ValueError("the head and each line are objects with a hash")
    if found["head"].get("format") != FORMAT:
        raise ValueError(f"its format is {found['head'].get('format')!r}, and {FORMAT!r} is what can be read here")
    return found["head"], found["lines"]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _finite(text: str) -> float:
    if not isfinite(number := float(text)):
        raise ValueError(f"{text} is no number that a record can hold")
    return number


def _hash_of(values: Mapping[str, Any]) -> str:
    return sha256(_text_of(values).encode("utf-8", "surrogatepass")).hexdigest()


def _text_of(values: Any) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _plain(value: Any) -> Any:
    """Return a value as it will be read again from JSON: moments as text in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value

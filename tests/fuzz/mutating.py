"""Mutating: real bytes made hostile, by their structure or against it.

Shape   `hostile(seeds)` gives bytes: a seed changed in one to four places. JSON is changed by its paths (a value of
        another type, a key gone, twice or under another name, a nest without end), any text by its words, and anything
        by its bytes (a bit, a hole, a part again, a part of another seed)
Units   at most `LARGEST` bytes
"""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

from hypothesis import strategies as st

LARGEST = 64 * 1024
DEEP = 2_000
Path = tuple[str | int, ...]

SCRIPT = "<script>alert('x')</script>"
WORDS = (
    "",
    " ",
    "\0",
    "\x1b[31m",
    "\x7f\x85\x9f",
    "\u202e\u2066\u200f",
    "\u2028\u2029",
    "\ufeff\ufffe\uffff",
    "\U0010ffff",
    "e\u0301" * 300,
    "\u0130\u0131\u1e9e\ufb03",
    "\u0660\u0667\uff11\u00b2\u2168",
    "a" * 9_000,
    " " * 9_000,
    "#feu " * 900,
    SCRIPT,
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}${7*7}%(x)s%s%n",
    "' OR '1'='1",
    "=cmd|' /C calc'!A0",
    "javascript:alert(1)",
    "http://[::1",
    "https://user:pass@host:99999/\\..//%00%ff",
    "../../../etc/passwd",
    "0000-00-00T00:00:00Z",
    "9999-12-31T23:59:59.999999-23:59",
    "0001-01-01T00:00:00+23:59",
    "2016-12-31T23:59:60Z",
    "Thu, 99 Foo 99999 99:99:99 +9999",
    "1e400",
    "-0",
    "NaN",
    "inf",
    "9" * 5_000,
    "--1",
    "1_000",
    "true",
    "None",
    "&lol;&#0;&#xD800;&#x110000;&#99999999999;",
    "]]>",
    "<!--",
    "<![CDATA[",
    "\r\n\r\n",
    "a\r\nset-cookie: x=1",
    '"""',
    "[[",
    "(a+)+$",
)
"""What breaks programs, as texts."""

LONE = "\ud800"  # written as an escape, and in bytes as UTF-8 has no right to
RAW = (
    "null",
    "true",
    "0",
    "-1",
    "-0.0",
    "1e999",
    "-1e308",
    "5e-324",
    "NaN",
    "Infinity",
    "9" * 400,
    "-" + "9" * 40,
    "18446744073709551616",
    "9223372036854775807",
    "1.0",
    '""',
    "[]",
    "{}",
    "[null]",
    '[[],{"":[]}]',
    '{"":null}',
    f'"{json.dumps(LONE)[1:-1]}"',
    '"\\u0000"',
    '"\\',
    "[" * DEEP + "]" * DEEP,
    '{"a":' * DEEP + "1" + "}" * DEEP,
    "[" * DEEP,
    '["' + '","'.join("abcdefgh" * 30) + '"]',
    '{"lat":1e999,"lon":"x"}',
    '{"id":1,"id":2}',
)
"""What breaks readers of JSON, as it stands on the wire."""

BYTES = (b"\0", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf5\x80\x80\x80", b"\n", b"\r")
_LINE = re.compile(rb"^(data: )?(?=[{\[])", re.MULTILINE)
_WORD = re.compile(rb"\w{1,200}")
_HOLE = "\ue000hole\ue000"  # stands where a raw value goes


def hostile(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Return seeds changed in one to four places; now and then, bytes that never were anything.

    One number decides each: thousands of small choices would take Hypothesis longer than what is tried.
    """
    return st.integers(0, 2**64 - 1).map(lambda number: changed(Random(number), seeds))  # noqa: S311


def changed(chance: Random, seeds: Sequence[bytes]) -> bytes:
    """Return a seed changed by chance."""
    if chance.randrange(50) == 0:
        return chance.randbytes(chance.randrange(300))
    value = chance.choice(seeds)
    for _ in range(chance.randint(1, 4)):
        value = chance.choice(CHANGES)(chance, value, seeds)[:LARGEST]
    return value


def by_path(chance: Random, value: bytes, seeds: Sequence[bytes]) -> bytes:
    """Change one place of a JSON value, or of a JSON line among others; where it is none, change a word."""
    piece = _piece(chance, value)
    if piece is None:
        return by_word(chance, value, seeds)
    return piece.before + _changed(chance, piece.parsed) + piece.after


def by_word(chance: Random, value: bytes, seeds: Sequence[bytes]) -> bytes:
    """Put something hostile, or a word of another seed, in the place of a word."""
    spans = _spans(value)
    if not spans:
        return by_byte(chance, value, seeds)
    begin, end = chance.choice(spans)
    return value[:begin] + _instead(chance, seeds) + value[end:]


def _instead(chance: Random, seeds: Sequence[bytes]) -> bytes:
    how = chance.randrange(4)
    if how == 0:
        return chance.choice(BYTES)
    if how == 1:
        other = chance.choice(seeds)
        begin, end = chance.choice(_spans(other) or [(0, 0)])
        return other[begin:end]
    return chance.choice(WORDS).encode()


def by_byte(chance: Random, value: bytes, seeds: Sequence[bytes]) -> bytes:
    """Flip, cut, repeat, insert or splice bytes."""
    begin, end = sorted(chance.choices(range(len(value) + 1), k=2))
    how = chance.choice(("flip", "cut", "end", "repeat", "insert", "splice"))
    if how == "flip":
        return value[:begin] + bytes([chance.randrange(256)]) + value[begin + 1 :]
    if how == "cut":
        return value[:begin] + value[end:]
    if how == "end":
        return value[:begin]
    if how == "repeat":
        return value[:end] + value[begin : min(end, begin + 200)] * chance.randint(1, 60) + value[end:]
    if how == "splice":
        return value[:begin] + chance.choice(seeds)[end:]
    return value[:begin] + chance.choice((*BYTES, chance.randbytes(8))) + value[begin:]


CHANGES = (by_path, by_path, by_path, by_word, by_word, by_byte)


def paths_in(value: Any, at: Path = ()) -> Iterator[Path]:
    """Give the path of every value within a JSON value."""
    yield at
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths_in(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths_in(inner, (*at, index))


def with_raw(value: Any, path: Path, raw: bytes) -> bytes:
    """Return a JSON value as bytes, with a piece of JSON as it stands at one of its paths."""
    return _written(_put(value, path, _HOLE)).replace(_written(_HOLE), raw, 1)


def _changed(chance: Random, value: Any) -> bytes:
    path = chance.choice(list(paths_in(value)))
    how = chance.choice(("raw", "raw", "text", "text", "gone", "twice", "renamed", "many"))
    if how == "text":
        return _written(_put(value, path, chance.choice(WORDS)))
    if path and isinstance(path[-1], str) and how in ("gone", "twice", "renamed"):
        return _with_key(chance, value, path, how)
    if how == "many":
        return _written(_put(value, path, [_at(value, path)] * chance.randint(2, 120)))
    return with_raw(value, path, chance.choice(RAW).encode())


def _with_key(chance: Random, value: Any, path: Path, how: str) -> bytes:
    table, key = dict(_at(value, path[:-1])), str(path[-1])
    kept = table.pop(key)
    if how == "renamed":
        table[chance.choice((*WORDS[:10], key.upper(), f"{key}s"))] = kept
    if how != "twice":
        return _written(_put(value, path[:-1], table))
    pairs = [_written(name) + b":" + _written(inner) for name, inner in ((key, kept), *table.items())]
    pairs.insert(chance.randint(0, len(pairs)), _written(key) + b":" + chance.choice(RAW).encode())
    return with_raw(value, path[:-1], b"{" + b",".join(pairs) + b"}")


def _put(value: Any, path: Path, new: Any) -> Any:
    """Return a JSON value with another one at a path."""
    if not path:
        return new
    key: Any = path[0]
    if isinstance(value, dict):
        return {**value, key: _put(value[key], path[1:], new)}
    return [*value[:key], _put(value[key], path[1:], new), *value[key + 1 :]]


def _at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def _written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


class _Piece(NamedTuple):
    """A part of a value that is JSON."""

    before: bytes
    parsed: Any
    after: bytes


def _piece(chance: Random, value: bytes) -> _Piece | None:
    """Return a value that is JSON whole, or one of its lines that is, without the name that it has in a stream."""
    parsed = _parsed(value)
    if parsed is not None:
        return _Piece(b"", parsed, b"")
    starts = [found.end() for found in _LINE.finditer(value)]
    begin = chance.choice(starts) if starts else 0
    line = value[begin:].split(b"\n", 1)[0]
    parsed = _parsed(line)
    return None if parsed is None else _Piece(value[:begin], parsed, value[begin + len(line) :])


def _parsed(value: bytes) -> Any:
    """Return what a JSON text holds where that is a table or a list, else None."""
    try:
        found = json.loads(value) if value[:1] in (b"{", b"[") else None
    except (ValueError, RecursionError):
        return None
    return found


@lru_cache(maxsize=64)
def _spans(value: bytes) -> list[tuple[int, int]]:
    return [found.span() for found in _WORD.finditer(value)][:4_000]


def beside(seeds: Sequence[bytes], secrets: Sequence[bytes], spared: Collection[str]) -> st.SearchStrategy[bytes]:
    """Return seeds changed in a place that neither holds a secret nor stands under a key that is spared.

    A seed that is no JSON, or has no such place, comes as it is.
    """
    return st.integers(0, 2**64 - 1).map(lambda number: _beside(Random(number), seeds, secrets, spared))  # noqa: S311


def _beside(chance: Random, seeds: Sequence[bytes], secrets: Sequence[bytes], spared: Collection[str]) -> bytes:
    value = chance.choice(seeds)
    for _ in range(chance.randint(1, 3)):
        piece = _piece(chance, value)
        parsed = piece.parsed if piece else {}
        free = [path for path in paths_in(parsed) if path and not _is_held(parsed, path, secrets, spared)]
        if piece is None or not free:
            return value
        raw = chance.choice((*RAW, *map(json.dumps, WORDS))).encode("utf-8", "surrogatepass")
        value = piece.before + with_raw(parsed, chance.choice(free), raw) + piece.after
    return value


def _is_held(value: Any, path: Path, secrets: Sequence[bytes], spared: Collection[str]) -> bool:
    here = _written(_at(value, path))
    held = (*secrets, *(_written(key) for key in spared))
    return any(key in spared for key in path) or any(one in here for one in held)

"""Recorded posts: read again from files, as fast as it goes or on a clock of their own.

Shape   JSON lines or CSV (by the file's name, `.gz` or not) of plain posts; one reading a line, blank lines none
Units   cursor: the last line read, `<line>@<file>`; speed: seconds of recording per second of ours
Errors  SettingsError at the start when a file is missing; a bad line is a MalformedRecord that names file and line, and
        so is the end of a file that breaks off
"""

import asyncio
import csv
import gzip
import io
import zlib
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import IO, NamedTuple, cast

import msgspec

from connectors.contract import NEVER, Capabilities, Reading
from connectors.cursors import number_in
from connectors.playback import Playback
from connectors.pseudonym import Pseudonyms
from connectors.sources.plain import PlainPost, plain_from, post_from, scrubbed
from records import Clock, MalformedRecord, Post, SettingsError

MAX_LINE_BYTES = 1 << 20
MAX_CELL_LINES = 64
"""A CSV cell may span this many lines; a quote that is never closed must not swallow the file."""

_BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One line of a file, without its end; or what kept us from reading it."""

    number: int
    value: bytes
    error: MalformedRecord | None = None


class Found(NamedTuple):
    """What a line, or the few lines of a CSV row, turned out to hold; `number` is that of the last line."""

    number: int
    plain: PlainPost | MalformedRecord
    value: bytes  # as it may go to the dead letters: JSON, or nothing where the author cannot be told from the rest


class Recorded:
    """Reads posts from files, in the order given."""

    capabilities = Capabilities(edits=True, deletions=True, positions=True, backfill=timedelta.max, quiet=NEVER)

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        pseudonyms: Pseudonyms,
        clock: Clock,
        name: str = "recorded",
        is_trusted: bool = False,
        speed: float | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        for path in paths:
            if not path.is_file():
                raise SettingsError(f"{path}: no such file; a recording is a .jsonl or .csv file, .gz or not")
        self.name = name
        self.is_trusted = is_trusted
        self._paths = tuple(paths)
        self._pseudonyms = pseudonyms
        self._playback = Playback(clock, speed, sleep=sleep)

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        """Yield the posts of all files; after the last one, end."""
        for path, lines_read in self._left(after):
            for number, post in self._posts(path, lines_read):
                if isinstance(post, Post):
                    await self._playback.wait_for(post.posted_at)
                yield Reading(f"{number}@{path}", post)

    def _left(self, after: str | None) -> Iterator[tuple[Path, int]]:
        """Name the files that are left to read, with the lines already read of the first."""
        place, _, name = (after or "").partition("@")
        names, line = [str(path) for path in self._paths], number_in(place)
        first = names.index(name) if name in names and line is not None else -1
        for index, path in enumerate(self._paths):
            if index >= first:
                yield path, (line or 0) if index == first else 0

    def _posts(self, path: Path, lines_read: int) -> Iterator[tuple[int, Post | MalformedRecord]]:
        lines = lines_of(path)
        for found in rows_of(lines) if is_csv(path) else map(plain_from_json, lines):
            if found.number > lines_read:
                yield found.number, self._post(path, found)

    def _post(self, path: Path, found: Found) -> Post | MalformedRecord:
        try:
            if isinstance(found.plain, MalformedRecord):
                raise found.plain
            return post_from(
                found.plain,
                source=self.name,
                received_at=None,
                pseudonyms=self._pseudonyms,
                is_trusted=self.is_trusted,
                value=found.value,
            )
        except MalformedRecord as error:
            return MalformedRecord(f"{path}:{found.number}: {error}", reason=error.reason, value=error.value)


def is_csv(path: Path) -> bool:
    """Tell by a file's name whether it is a table."""
    return path.name.removesuffix(".gz").endswith(".csv")


def lines_of(path: Path) -> Iterator[Line]:
    """Yield the lines of a file that are not blank; of one that is too long or cut off, an error."""
    number = 0
    try:
        with path.open("rb") as raw, gzip.open(raw) if path.suffix == ".gz" else raw as unpacked:
            file = cast(IO[bytes], unpacked)
            while value := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if number == 1:
                    value = value.removeprefix(_BOM)
                if value.strip():
                    yield Line(number, value.rstrip(b"\r\n"), skip_long(file, value))
    except (OSError, EOFError, zlib.error) as error:
        broken = MalformedRecord(f"the file breaks off: {error}", reason="undecodable")
        yield Line(number + 1, b"", broken)


def skip_long(file: IO[bytes], value: bytes) -> MalformedRecord | None:
    """Read past the rest of a line that is too long; return what is wrong with it, or None."""
    if len(value) <= MAX_LINE_BYTES or value.endswith(b"\n"):
        return None
    while value and not value.endswith(b"\n"):
        value = file.readline(MAX_LINE_BYTES)
    return MalformedRecord(f"longer than {MAX_LINE_BYTES} bytes", reason="too_long")


def plain_from_json(line: Line) -> Found:
    """Read one line of JSON."""
    if line.error:
        return Found(line.number, line.error, b"")
    try:
        return Found(line.number, plain_from(line.value), line.value)
    except MalformedRecord as error:
        return Found(line.number, error, error.value)


def rows_of(lines: Iterator[Line]) -> Iterator[Found]:
    """Read a table; its first row names the columns, commas or semicolons part the cells."""
    header = next(lines, None)
    if header is None:
        return
    delimiter = ";" if header.value.count(b";") > header.value.count(b",") else ","
    try:
        columns = [name.strip().lower() for name in cells_of(header.value, delimiter)]
    except MalformedRecord as error:
        columns = []
        yield Found(header.number, error, b"")
    ahead: deque[Line] = deque()
    while row := next_row(lines, ahead):
        yield plain_from_row(row, columns, delimiter)


def next_row(lines: Iterator[Line], ahead: deque[Line]) -> Line | None:
    """Return the next row, of several lines where a quoted cell spans them; a quote never closed ends with its line."""
    first = ahead.popleft() if ahead else next(lines, None)
    if first is None or first.error or not first.value.count(b'"') % 2:
        return first
    parts = [first]
    for index in range(MAX_CELL_LINES):
        line = ahead[index] if index < len(ahead) else next(lines, None)
        if line is None or line.error:
            if line is not None and index >= len(ahead):
                ahead.append(line)
            break
        if index >= len(ahead):
            ahead.append(line)
        parts.append(line)
        if line.value.count(b'"') % 2:
            for _ in parts[1:]:
                ahead.popleft()
            return Line(line.number, b"\n".join(part.value for part in parts))
    unclosed = MalformedRecord("a quote is opened and never closed", reason="undecodable")
    return Line(first.number, first.value, unclosed)


def cells_of(value: bytes, delimiter: str) -> list[str]:
    """Part one row into its cells."""
    try:
        text = io.StringIO(value.decode(), newline="")
        return next(csv.reader(text, delimiter=delimiter, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise MalformedRecord(f"not a row of a table: {error}", reason="undecodable") from error


def plain_from_row(row: Line, columns: Sequence[str], delimiter: str) -> Found:
    """Read one row of a table."""
    value = b""
    try:
        if row.error:
            raise row.error
        cells = cells_of(row.value, delimiter)
        named = {name: cell for name, cell in zip(columns, cells, strict=True) if cell}
        value = msgspec.json.encode(named)
        fields = with_geo(named) | {"text": named.get("text", "")}
        return Found(row.number, msgspec.convert(fields, PlainPost, strict=False), value)
    except MalformedRecord as error:
        return Found(row.number, error, b"")
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        bad = MalformedRecord(str(error), reason="invalid", value=scrubbed(value))
        return Found(row.number, bad, bad.value)


def with_geo(named: dict[str, str]) -> dict[str, object]:
    """Gather a position from columns `lat` and `lon`, or from `geo`: "lat,lon" or JSON."""
    fields: dict[str, object] = {name: cell for name, cell in named.items() if name not in ("lat", "lon", "geo")}
    if "geo" in named and named["geo"].lstrip().startswith("{"):
        fields["geo"] = msgspec.json.decode(named["geo"])
    elif "geo" in named:
        lat, _, lon = named["geo"].partition(",")
        fields["geo"] = {"lat": float(lat), "lon": float(lon)}
    elif "lat" in named and "lon" in named:
        fields["geo"] = {"lat": float(named["lat"]), "lon": float(named["lon"])}
    return fields

"""Recordings: the folder that holds them, a file a day beside those that were taken in from elsewhere.

Shape   files change as a whole or not at all; whoever reads meanwhile has the older one
Units   a day is one of UTC, by when something was recorded; what is asked for goes by when it was written
Errors  SettingsError for what cannot be read or taken in; OSError where the disk is full or not ours
"""

import fcntl
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import structlog

from connectors.pseudonym import write_private
from records import MalformedRecord, SettingsError, Signal, decode, encode
from records.trust import Heard
from streams.topics import OnSignals
from vigie.recording import (
    MOMENT,
    SCHEMA,
    SIGNAL,
    Facts,
    Row,
    facts_in,
    file_of,
    heard_in,
    is_recorded,
    not_ours,
    rows_in,
    table_in,
    wordless,
)
from vigie.unnaming import COLUMNS, Names, Sought, for_others, unnamed

log = structlog.get_logger()

ENDING = ".parquet"
IMPORTED = "imported"
DAY_LETTERS = len("2026-11-30")
LAST = "9999-12-31"
CATCHING_UP = timedelta(days=2)
"""How much later than it was written something may be recorded: longer than anything stands on the topic."""
LOCK = ".recorder"
MOST_ROWS = 50_000
"""A file with so many rows is gone on with beside it: it is written anew many times, which must not cost ever more."""


@dataclass(frozen=True)
class Kept:
    """One file, for people."""

    name: str
    rows: int
    signals: int
    size: int  # bytes
    oldest_at: datetime | None
    newest_at: datetime | None
    trouble: str = ""


@dataclass
class Held:
    """What stands of some posts and authors."""

    found: set[tuple[int, str]] = field(default_factory=set)  # partitions and names, of what was recorded here
    posts: set[str] = field(default_factory=set)  # of the authors
    files: list[Path] = field(default_factory=list)  # that name any of them


class Recordings:
    """What was recorded on one machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def days(self) -> list[Path]:
        """Return the files that were recorded here, oldest first."""
        return sorted(self.folder.glob(f"*{ENDING}"), key=_order)

    @property
    def imported(self) -> list[Path]:
        """Return the files that were taken in."""
        return sorted((self.folder / IMPORTED).glob(f"*{ENDING}"))

    @property
    def all(self) -> list[Path]:
        """Return all files."""
        return [*self.days, *self.imported]

    def rows(
        self, since: datetime | None = None, until: datetime | None = None, areas: Collection[str] | None = None
    ) -> Iterator[Row]:
        """Yield what was recorded here from one moment to another, of all areas or some, as it came."""
        for path in self._days_of(since, until):
            yield from rows_in(_within(table_in(path, areas=areas), since, until))

    def heard(self, since: datetime, until: datetime) -> Iterator[Heard]:
        """Yield as much of the signals of a span as tells how what comes in has changed."""
        for path in self._days_of(since, until):
            yield from heard_in(_within(table_in(path), since, until))

    def _days_of(self, since: datetime | None, until: datetime | None) -> list[Path]:
        """Return the files that may hold something of a span: what was written on a day may be recorded on the next."""
        first = f"{since.astimezone(UTC):%Y-%m-%d}" if since else ""
        last = f"{until.astimezone(UTC) + CATCHING_UP:%Y-%m-%d}" if until else LAST
        return [path for path in self.days if first <= path.stem[:DAY_LETTERS] <= last]

    def rows_of(self, name: str) -> Iterator[Row]:
        """Yield what a file holds that was taken in under a name.

        Errors  SettingsError when there is none of that name
        """
        path = self.folder / IMPORTED / f"{name}{ENDING}"
        if path not in self.imported:
            known = ", ".join(one.stem for one in self.imported) or "none"
            raise SettingsError(f"recording: nothing was taken in as {name!r}; there is {known}")
        yield from rows_in(table_in(path))

    def present(self, now: datetime) -> tuple[Path, pa.Table, Facts]:
        """Return today's file, what it holds, and what is known of it, or of the last one where there is none yet.

        One that cannot be read is left alone, and another one begun beside it; so it is beside one that is full.
        """
        newest, readable = Facts(), None
        for path in reversed(self.days):
            try:
                newest, readable = facts_in(path), path
                break
            except SettingsError as error:
                log.error("recording cannot be read", file=path.name, error=str(error))  # noqa: TRY400
        today = f"{now.astimezone(UTC):%Y-%m-%d}"
        if readable is not None and readable.stem.startswith(today):
            table = table_in(readable)
            if table.num_rows < MOST_ROWS:
                return readable, table, newest
        beside = sum(path.stem.startswith(today) for path in self.days)
        return self.folder / f"{today}{f'-{beside + 1}' if beside else ''}{ENDING}", SCHEMA.empty_table(), newest

    def write(self, path: Path, table: pa.Table, facts: Facts) -> None:
        """Put a file in place, whole and durably, readable by us alone."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, file_of(table, facts))
        pa.default_memory_pool().release_unused()  # a day is written anew many times, and the pool would keep it all

    def holding(self, sought: Sought, but: Path | None = None) -> Held:
        """Return what stands of some posts and authors in all files but one."""
        held = Held()
        for path, table in self._looked_at(path for path in self.all if path != but):
            if not sought.are_in(table):
                continue
            held.files.append(path)
            held.posts |= sought.posts_in(table)
            if path not in self.imported:
                held.found |= sought.held_by(table)
        return held

    def forget(self, names: Names, files: Iterable[Path]) -> None:
        """Have files forget some names."""
        sought = Sought(names.posts, names.authors)
        for path, table in self._looked_at(files):
            if sought.are_in(table):
                self.write(path, unnamed(table_in(path), names), facts_in(path))

    def _looked_at(self, files: Iterable[Path]) -> Iterator[tuple[Path, pa.Table]]:
        for path in files:
            try:
                facts_in(path)
                table = pq.read_table(path, columns=list(COLUMNS))
            except (SettingsError, OSError, pa.ArrowException) as error:
                log.error("recording cannot be read: nothing is taken back there", file=path.name, error=str(error))  # noqa: TRY400
                continue
            yield path, table

    def let_go(self, now: datetime, keep: timedelta) -> list[str]:
        """Remove files with anything in them that is older than it may be, and what was taken in so long ago."""
        gone = [path for path in self.all if now - _since(path) > keep]
        for path in gone:
            path.unlink(missing_ok=True)
        return [path.name for path in gone]

    def oldest_at(self) -> datetime | None:
        """Return since when the oldest of all that is kept counts; None where nothing is."""
        return min((_since(path) for path in self.all), default=None)

    def shown(self) -> list[Kept]:
        """Return what there is, for people."""
        return [_kept(path, self.folder) for path in self.all]

    def export(
        self, out: Path, since: datetime | None, until: datetime | None, areas: Collection[str] | None = None
    ) -> int:
        """Write what was recorded here from one moment to another into one file; return how many rows that is.

        Authors and staff have names in it that are good for this file alone.

        Errors  SettingsError when there is nothing, or the file cannot be written
        """
        parts = [_within(table_in(path, areas=areas), since, until) for path in self._days_of(since, until)]
        table = pa.concat_tables([SCHEMA.empty_table(), *parts])
        if not table.num_rows:
            raise SettingsError("recording: nothing was recorded then and there; look at `vigie recording show`")
        try:
            out.write_bytes(file_of(for_others(table), Facts()))
        except OSError as error:
            raise SettingsError(f"{out}: {error.strerror}; give a file in a folder that is there") from error
        return int(table.num_rows)

    def take_in(self, path: Path, now: datetime) -> int:
        """Take a file in beside what was recorded here, for whoever replays it; return how many rows it has.

        Errors  SettingsError when it is no recording, when a row of it is no record, or when its name is taken
        """
        target = self.folder / IMPORTED / f"{path.stem}{ENDING}"
        if target.exists():
            raise SettingsError(f"{path}: {path.stem} was taken in already; give another name, or remove {target}")
        facts_in(path)
        table = table_in(path)
        _refuse_unfit(path, table)
        self.write(target, table, Facts(imported_at=now))
        return int(table.num_rows)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Tell whether nobody else records here, and keep it so."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            yield _is_ours(descriptor)
        finally:
            os.close(descriptor)


def _is_ours(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _order(path: Path) -> tuple[str, int]:
    """Return what files of days are sorted by: the day, then which of that day it is."""
    day, number = path.stem[:DAY_LETTERS], path.stem[DAY_LETTERS + 1 :]
    return day, int(number) if number.isdigit() else 1


def _within(table: pa.Table, since: datetime | None, until: datetime | None) -> pa.Table:
    if since is not None:
        table = table.filter(pc.greater_equal(table["written_at"], pa.scalar(since, MOMENT)))
    if until is not None:
        table = table.filter(pc.less(table["written_at"], pa.scalar(until, MOMENT)))
    return table


def _since(path: Path) -> datetime:
    """Return since when a file's time counts: since its oldest row was written, or since it was taken in."""
    try:
        taken_in = facts_in(path).imported_at
        oldest = taken_in or _span(path)[0]
    except SettingsError:
        oldest = None
    return oldest or _begun_at(path)


def _begun_at(path: Path) -> datetime:
    """Return when a file was begun that does not say so: one of a day bears it as its name."""
    try:
        return datetime.fromisoformat(path.stem[:DAY_LETTERS]).replace(tzinfo=UTC)
    except ValueError:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _span(path: Path) -> tuple[datetime | None, datetime | None]:
    try:
        written = pq.read_table(path, columns=["written_at"])["written_at"]
    except (OSError, pa.ArrowException) as error:
        raise not_ours(path, error) from error
    ends = pc.min_max(written).as_py()
    return ends["min"], ends["max"]


def _kept(path: Path, folder: Path) -> Kept:
    name, size = str(path.relative_to(folder)), path.stat().st_size
    try:
        facts_in(path)
        kinds = pq.read_table(path, columns=["kind"])["kind"]
        signals = pc.sum(pc.equal(kinds, SIGNAL)).as_py() or 0
        return Kept(name, len(kinds), signals, size, *_span(path))
    except (SettingsError, OSError, pa.ArrowException) as error:
        return Kept(name, 0, 0, size, None, None, str(error))


def _refuse_unfit(path: Path, table: pa.Table) -> None:
    """Raise where a row is no record of ours: whoever replays it later must not stumble."""
    rows, number = rows_in(table), 0
    while True:
        number += 1
        try:
            row = next(rows, None)
            is_fit = row is None or _is_fit(row)
        except (MalformedRecord, TypeError, AttributeError, ValueError) as error:
            raise SettingsError(f"{path}: row {number}: {error}; give a file that Vigie wrote") from error
        if not is_fit:
            raise SettingsError(f"{path}: row {number}: is not as Vigie records it; give a file that Vigie wrote")
        if row is None:
            return


def _is_fit(row: Row) -> bool:
    record, written_at = row.record, cast(object, row.written_at)
    is_whole = isinstance(written_at, datetime) and decode(encode(record), OnSignals) == record
    return is_whole and is_recorded(record) and _is_wordless(record)


def _is_wordless(record: object) -> bool:
    return not isinstance(record, Signal) or wordless(record) == record

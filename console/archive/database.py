"""Database: one address, SQLite by default or PostgreSQL, brought to the shape that this version needs."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, func, make_url, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DatabaseError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from records import SettingsError

T = TypeVar("T")

BUSY_MS = 10_000
PRAGMAS = (
    f"busy_timeout={BUSY_MS}",
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "secure_delete=ON",  # else what was deleted stays in the file's free pages
)
MOST_AT_ONCE = 500  # values in one statement; both databases have a limit
WRITES = "writes"  # the option of a connection whose transactions will write
LOCK = 0x7669676965  # of PostgreSQL, that writers wait for
_turns: WeakKeyDictionary[AsyncEngine, asyncio.Lock] = WeakKeyDictionary()
MIGRATIONS = Path(__file__).parent / "migrations"
DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}


def address_from(text: str) -> URL:
    """Return the address of a database, with the driver that we use.

    Errors  SettingsError when it is none that we can use; it shows no password
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # the second of a port that is none
        raise SettingsError(
            "console.database: is no address; write sqlite:///FILE or postgresql://user@host/name"
        ) from None
    backend = url.get_backend_name()
    if backend not in DRIVERS:
        raise SettingsError(f"console.database: {backend} is not known; write sqlite:///FILE or postgresql://…")
    return url.set(drivername=DRIVERS[backend])


async def opened(url: URL) -> AsyncEngine:
    """Return an engine on a database that has the shape of this version.

    Errors  SettingsError when it cannot be opened, or was written by a later version
    """
    engine = _engine(url)
    try:
        with _explained(url):
            async with writing(engine) as connection:
                await connection.run_sync(_migrate)
    except BaseException:
        await engine.dispose()
        raise
    return engine


async def tried(url: URL) -> None:
    """See that a database can be opened and brought to the shape of this version, and leave it as it is.

    Errors  as `opened`
    """
    engine = _engine(url)
    try:
        with _explained(url):
            async with writing(engine) as connection:
                await connection.run_sync(_migrate)
                await connection.rollback()
    finally:
        await engine.dispose()


def _engine(url: URL) -> AsyncEngine:
    try:
        # what stands in a statement are words of posts and passwords' hashes: none of that is for the log
        engine = create_async_engine(url, hide_parameters=True, pool_pre_ping=url.get_backend_name() == "postgresql")
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"console.database: needs the library {error.name}, which is not installed; "
            "install the extra: pip install -e '.[postgresql]' in the checkout"
        ) from error
    if url.get_backend_name() == "sqlite":
        _make_ours(url)
        event.listen(engine.sync_engine, "connect", _prepare)
        event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _make_ours(url: URL) -> None:
    """Make the file, where there is none, one that nobody else may read: it holds words of posts, and accounts."""
    with suppress(OSError):  # whatever is wrong with it is told when it is opened
        Path(url.database or "").touch(mode=0o600)


@contextmanager
def _explained(url: URL) -> Iterator[None]:
    """Say what a database refuses, on one line and without its password."""
    try:
        yield
    except DatabaseError as error:
        why = " ".join(str(error.orig).split())
        hint = "see that it is there, and that its user may make tables in it"
        raise SettingsError(f"console.database: {url.render_as_string()}: {why}; {hint}") from error


async def shortened(engine: AsyncEngine) -> None:
    """Let go of the log of SQLite, which holds what was deleted until it is written over; others have none of ours."""
    if engine.dialect.name == "sqlite":
        async with engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await (await driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")).close()


@asynccontextmanager
async def writing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a transaction that will write, and end it: whole, or not at all.

    There is one at a time, whatever the database and however many processes: who has it sees all that was written
    before, and what has a greater number is committed later. Within a process they take turns, so that somebody's
    decision waits for what is being written, and for nothing that came after it.
    """
    async with _turns.setdefault(engine, asyncio.Lock()), engine.connect() as connection:
        await connection.execution_options(**{WRITES: True})
        async with connection.begin():
            if connection.dialect.name == "postgresql":
                await connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
            yield connection


def parts(values: Iterable[T]) -> Iterator[list[T]]:
    """Yield values in lists that one statement can hold."""
    found = list(values)
    for begin in range(0, len(found), MOST_AT_ONCE):
        yield found[begin : begin + MOST_AT_ONCE]


def _begin(connection: Connection) -> None:
    """Begin a transaction of SQLite; one that will write asks for the lock at once, for later it may be refused."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(WRITES) else "BEGIN")


def _prepare(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # we begin transactions ourselves
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


@cache
def _shapes() -> tuple[str, ...]:
    """Return the shapes that a database had in each version, this one's first."""
    return tuple(one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions())


def _migrate(connection: Connection) -> None:
    has = set(MigrationContext.configure(connection).get_current_heads())
    if unknown := has.difference(_shapes()):
        raise SettingsError(
            f"console.database: has the shape of a later version of Vigie ({', '.join(sorted(unknown))}); "
            "run that one, or put back a backup of before it"
        )
    if has != {_shapes()[0]}:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

"""The commands of docs/backup.md, run as written: what was saved while Vigie writes comes back, nothing of later."""

import asyncio
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy.engine import URL

from connectors.cursors import SqliteCursors
from connectors.pseudonym import RotatingPseudonyms
from console.access.account_rows import insert_account
from console.access.accounts import accounts
from console.archive.audit import broken_at
from console.archive.database import address_from, opened, writing
from records import SystemClock
from tests.console import postgres

PAGE = (Path(__file__).parents[2] / "docs" / "backup.md").read_text(encoding="utf-8")
SAVE, DUMP, RESTORE, RELOAD = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
KEYS = {"pseudonyms.json", ".pseudonyms.json.lock", "objections.txt", ".objections.txt.lock"}
OWED = ("receivers/sms.sqlite", "worker-1/outbox.sqlite")
NOW = datetime(2026, 11, 30, 7, 37, tzinfo=UTC)


def run(commands: str, folder: Path, **environ: str) -> None:
    """Run commands of the page, with their folders in one of ours; whose the files are is root's to say."""
    here = {"/var/lib/vigie": f"{folder}/data", "/etc/vigie": f"{folder}/etc", "/backup": f"{folder}/backup"}
    for theirs, ours in here.items():
        commands = commands.replace(theirs, ours)
    commands = re.sub(r"^chown .*$", "true", commands, flags=re.MULTILINE)
    done = subprocess.run(  # noqa: S603
        ["/bin/bash", "-euo", "pipefail", "-c", commands],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environ},
    )
    assert (done.returncode, done.stderr) == (0, ""), f"{commands}\n{done.stdout}{done.stderr}"


async def add(url: URL, name: str) -> None:
    engine = await opened(url)
    try:
        async with writing(engine) as connection:
            await insert_account(connection, name, "viewer", NOW, {}, by="vigie account")
    finally:
        await engine.dispose()


async def known(url: URL) -> set[str]:
    """Return whose accounts an archive has; its chain is whole."""
    engine = await opened(url)
    try:
        assert await broken_at(engine) is None
        return {one.name for one in await accounts(engine)}
    finally:
        await engine.dispose()


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Return a machine's folders: `data`, `etc`."""
    for name in ("tables", "models", "recording", ".calfkit", "receivers", "worker-1/tables"):
        (tmp_path / "data" / name).mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    for name in OWED:
        with closing(sqlite3.connect(tmp_path / "data" / name)) as database, database:
            database.execute("CREATE TABLE owed (who TEXT)")
            database.execute("INSERT INTO owed VALUES ('sms')")
    (tmp_path / "etc" / "vigie.toml").write_text('[data]\ndir = "/var/lib/vigie"\n', encoding="utf-8")
    (tmp_path / "data" / "models" / "in-force.json").write_text("{}", encoding="utf-8")
    (tmp_path / "data" / "tables" / "part").write_text("now", encoding="utf-8")
    return tmp_path


def test_a_machine_comes_back_as_it_was_saved_while_it_was_being_written_to(machine: Path) -> None:
    if shutil.which("sqlite3") is None:
        missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        missing("sqlite3 is not installed: Debian's package sqlite3 has it")
    data = machine / "data"
    archive = address_from(f"sqlite:///{data}/console.sqlite")
    names = RotatingPseudonyms(data / "pseudonyms.json", SystemClock())
    names.object("bluesky", "did:plc:someone")
    asyncio.run(add(archive, "before"))
    with closing(SqliteCursors(data / "cursors.sqlite")) as cursors:
        cursors.save("bluesky", "17")
        assert (data / "cursors.sqlite-wal").stat().st_size, "what was written last is not in the file itself yet"
        run(SAVE, machine)
        cursors.save("bluesky", "99")
        asyncio.run(add(archive, "after"))

    saved = {path.name for path in (machine / "backup" / "vigie").iterdir()}
    assert saved == {"data", "files.tar.gz", "settings.tar.gz"}
    kept = [path for path in (machine / "backup" / "vigie").rglob("*") if path.is_file()]
    assert {path.name for path in kept} >= {"console.sqlite", "cursors.sqlite", *(Path(name).name for name in OWED)}
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept)
    for name in OWED:
        (data / name).unlink()
    (data / "cursors.sqlite-wal").write_bytes(b"of another past")
    (data / "models" / "in-force.json").unlink()
    (data / "pseudonyms.json").unlink()
    (data / "objections.txt").unlink()

    run(RESTORE, machine)
    assert asyncio.run(known(archive)) == {"before"}
    with closing(SqliteCursors(data / "cursors.sqlite")) as cursors:
        assert cursors.load("bluesky") == "17"
    again = RotatingPseudonyms(data / "pseudonyms.json", SystemClock())
    assert again.author("bluesky", "did:plc:someone") == names.author("bluesky", "did:plc:someone")
    assert again.author("bluesky", "did:plc:other") == names.author("bluesky", "did:plc:other")
    assert (data / "models" / "in-force.json").exists()
    assert not (data / "tables").exists(), "it knows of a later past than the rest"
    assert not (data / "worker-1" / "tables").exists()
    for name in OWED:
        with closing(sqlite3.connect(data / name)) as database:
            assert database.execute("SELECT who FROM owed").fetchall() == [("sms",)]
    listed = subprocess.run(  # noqa: S603
        ["tar", "--list", "--gzip", "--file", str(machine / "backup" / "vigie" / "files.tar.gz")],  # noqa: S607
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout.split()
    assert {name.split("/")[1] for name in listed} == {"", "models", "recording", "receivers", "worker-1", *KEYS}


@pytest.fixture
def server() -> Iterator[URL]:
    """Provide PostgreSQL with a database named as the page names it."""
    programs = postgres.binaries()
    if programs is None:
        if os.environ.get("VIGIE_REQUIRE_POSTGRESQL"):
            pytest.fail("there is no PostgreSQL server here: install Debian's package postgresql")
        pytest.skip("there is no PostgreSQL server here: install Debian's package postgresql")
    with TemporaryDirectory(prefix="vigie-postgresql-") as folder, postgres.running(Path(folder), programs) as address:
        url = address_from(f"{address}/vigie")
        client = ["--host", "127.0.0.1", "--port", str(url.port), "--username", "vigie"]
        subprocess.run([programs / "createdb", *client, "vigie"], check=True, timeout=60)  # noqa: S603
        yield url


def test_an_archive_on_postgresql_comes_back_as_it_was_saved(server: URL, machine: Path) -> None:
    client = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "vigie"}
    (machine / "backup" / "vigie").mkdir(parents=True)
    asyncio.run(add(server, "before"))
    run(DUMP, machine, **client)
    asyncio.run(add(server, "after"))
    run(RELOAD, machine, **client)
    assert asyncio.run(known(server)) == {"before"}

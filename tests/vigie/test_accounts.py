"""`vigie account`: whoever can read the settings on this machine can let somebody in, and the audit says so."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import select

from console.access import accounts as of
from console.access.login import from_oidc, log_in
from console.access.passwords import is_it
from console.archive import tables
from console.archive.database import address_from, opened
from records import SystemClock

Vigie = Callable[..., Result]
NOW = SystemClock().now()


@pytest.fixture
def run(vigie: Vigie, tmp_path: Path) -> Vigie:
    """Run `vigie account` with a settings file of its own."""
    (tmp_path / "vigie.toml").write_text('[data]\ndir = "data"\n')
    (tmp_path / "data").mkdir()
    return lambda *arguments: vigie("account", *arguments, "--settings", tmp_path / "vigie.toml")


def on_archive(tmp_path: Path, work: Callable[..., Awaitable[Any]]) -> Any:
    """Do something with the archive that the command wrote to."""

    async def done() -> Any:
        engine = await opened(address_from(f"sqlite:///{tmp_path / 'data' / 'console.sqlite'}"))
        try:
            return await work(engine)
        finally:
            await engine.dispose()

    return asyncio.run(done())


def rows(tmp_path: Path, table: Any) -> list[dict[str, Any]]:
    async def work(engine: Any) -> list[dict[str, Any]]:
        async with engine.connect() as connection:
            return [dict(row) for row in (await connection.execute(select(table))).mappings()]

    found: list[dict[str, Any]] = on_archive(tmp_path, work)
    return found


def fits(tmp_path: Path, name: str, password: str) -> bool:
    (row,) = [one for one in rows(tmp_path, tables.account) if one["name"] == name]
    return asyncio.run(is_it(row["password_hash"], password))


def test_a_new_account_has_the_role_and_a_password_to_be_changed(run: Vigie, tmp_path: Path) -> None:
    done = run("  Astreinte  ", "--role", "operator")
    assert done.exit_code == 0
    assert done.stderr.startswith("for Astreinte, operator: ")
    (row,) = rows(tmp_path, tables.account)
    assert (row["name"], row["role"], row["must_change"]) == ("Astreinte", "operator", True)
    assert fits(tmp_path, "Astreinte", done.stdout.strip())


def test_who_lost_his_password_gets_another_keeps_his_role_and_loses_his_sessions(run: Vigie, tmp_path: Path) -> None:
    first = run("admin", "--role", "admin").stdout.strip()
    on_archive(tmp_path, lambda engine: log_in(engine, name="admin", password=first, now=NOW))
    assert len(rows(tmp_path, tables.session)) == 1
    second = run("ADMIN").stdout.strip()
    assert rows(tmp_path, tables.session) == []
    assert [one["role"] for one in rows(tmp_path, tables.account)] == ["admin"]
    assert (fits(tmp_path, "admin", first), fits(tmp_path, "admin", second)) == (False, True)


def test_a_disabled_account_comes_back_with_the_role_asked_for(run: Vigie, tmp_path: Path) -> None:
    run("admin", "--role", "admin")
    run("relais", "--role", "viewer")
    (account,) = [one["account_id"] for one in rows(tmp_path, tables.account) if one["name"] == "relais"]
    on_archive(tmp_path, lambda engine: of.disable(engine, account_id=account, by="admin", now=NOW))
    assert run("relais", "--role", "admin").exit_code == 0
    (row,) = [one for one in rows(tmp_path, tables.account) if one["name"] == "relais"]
    assert (row["role"], row["is_disabled"]) == ("admin", False)


def test_all_that_was_done_stands_in_the_audit_without_a_password(run: Vigie, tmp_path: Path) -> None:
    passwords = [run("admin", "--role", "admin").stdout.strip(), run("admin").stdout.strip()]
    lines = rows(tmp_path, tables.audit)
    assert [(one["actor"], one["action"]) for one in lines] == [
        ("vigie account", "account_made"),
        ("vigie account", "password_renewed"),
    ]
    assert not any(password in str(line) for password in passwords for line in lines)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(
            ("relais",), "account 'relais': there is none of this name; say with --role what it may do", id="no role"
        ),
        pytest.param(("\t", "--role", "viewer"), "account '\\t': A name has 1 to 64 visible characters.", id="no name"),
        pytest.param(
            ("admin", "--role", "viewer"), "account 'admin': Nobody else administers Vigie here.", id="the last admin"
        ),
        pytest.param(("sso",), "account 'sso': This account has no password here.", id="who logs in elsewhere"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    arguments: tuple[str, ...], expected: str, run: Vigie, tmp_path: Path
) -> None:
    run("admin", "--role", "admin")
    on_archive(tmp_path, lambda engine: from_oidc(engine, subject="s", name="sso", role="viewer", now=NOW))
    before = rows(tmp_path, tables.account)
    done = run(*arguments)
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", f"vigie: {expected}\n")
    assert rows(tmp_path, tables.account) == before

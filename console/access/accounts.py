"""Accounts: who may log in, as what: persons, or posts of the crisis cell; what is signed bears an account's name."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from console.access import sessions
from console.access.account_rows import (
    NOBODY,
    Account,
    Refused,
    account_from,
    change,
    insert_account,
    named,
    note,
    plain_name,
    row_of,
)
from console.access.passwords import hashed, one_time_password
from console.access.roles import Role
from console.archive.database import writing
from console.archive.tables import account as table

FIRST = "admin"


async def first_admin(engine: AsyncEngine, now: datetime, tell: Callable[[str], None] = lambda _: None) -> str | None:
    """Make the account `admin` where there is none at all; return its one-time password.

    `tell` is called with it before the account stands: a process that is killed in between leaves no account that
    nobody knows the password of.
    """
    if await accounts(engine):
        return None
    password = one_time_password()
    kept = await hashed(password)
    async with writing(engine) as connection:
        if await connection.scalar(select(table.c.account_id).limit(1)) is not None:  # another process was first
            return None
        await insert_account(connection, FIRST, "admin", now, {"password_hash": kept}, by=NOBODY)
        tell(password)
    return password


async def accounts(engine: AsyncEngine) -> list[Account]:
    """Return all accounts, by name."""
    async with engine.connect() as connection:
        found = await connection.execute(select(table))
        return sorted((account_from(row) for row in found.mappings()), key=lambda one: one.name.casefold())


async def create(engine: AsyncEngine, *, name: str, role: Role, by: str, now: datetime) -> str:
    """Make an account; return its one-time password.

    Errors  Refused where the name cannot be
    """
    plain = plain_name(name)
    password = one_time_password()
    kept = await hashed(password)
    async with writing(engine) as connection:
        await _must_be_free(connection, plain)
        await insert_account(connection, plain, role, now, {"password_hash": kept}, by=by)
    return password


async def renew_password(engine: AsyncEngine, *, account_id: str, by: str, now: datetime) -> tuple[str, str]:
    """Give somebody a one-time password in place of his, and end his sessions; return his name and the password.

    Errors  Refused where he has none of ours
    """
    password = one_time_password()
    kept = await hashed(password)
    async with writing(engine) as connection:
        found = await _existing(connection, account_id)
        if found.is_from_oidc:
            raise Refused("This account has no password here.")
        await change(connection, account_id, password_hash=kept, must_change=True)
        await sessions.end_all(connection, account_id)
        await note(connection, by, "password_renewed", account_id, {"name": found.name}, at=now)
    return found.name, password


async def change_role(engine: AsyncEngine, *, account_id: str, role: Role, by: str, now: datetime) -> None:
    """Give an account another role.

    Errors  Refused where nobody would administer any more, or where the role comes from elsewhere
    """
    async with writing(engine) as connection:
        found = await _existing(connection, account_id)
        if found.is_from_oidc:
            raise Refused("The role of this account comes from where it logs in.")
        if role != "admin":
            await _must_not_be_last(connection, found)
        await change(connection, account_id, role=role)
        detail = {"name": found.name, "before": found.role, "after": role}
        await note(connection, by, "role_changed", account_id, detail, at=now)


async def disable(engine: AsyncEngine, *, account_id: str, by: str, now: datetime) -> None:
    """Let nobody log in with an account any more, and end its sessions.

    Errors  Refused where nobody would administer any more
    """
    async with writing(engine) as connection:
        found = await _existing(connection, account_id)
        await _must_not_be_last(connection, found)
        await change(connection, account_id, is_disabled=True)
        await sessions.end_all(connection, account_id)
        await note(connection, by, "account_disabled", account_id, {"name": found.name}, at=now)


async def enable(engine: AsyncEngine, *, account_id: str, by: str, now: datetime) -> None:
    """Let somebody log in again."""
    async with writing(engine) as connection:
        found = await _existing(connection, account_id)
        await change(connection, account_id, is_disabled=False)
        await note(connection, by, "account_enabled", account_id, {"name": found.name}, at=now)


async def end_sessions(engine: AsyncEngine, *, account_id: str, by: str, now: datetime) -> None:
    """End all sessions of an account."""
    async with writing(engine) as connection:
        found = await _existing(connection, account_id)
        await sessions.end_all(connection, account_id)
        await note(connection, by, "sessions_ended", account_id, {"name": found.name}, at=now)


async def choose_language(engine: AsyncEngine, *, account_id: str, language: str, by: str, now: datetime) -> None:
    """Keep which language somebody wants."""
    async with writing(engine) as connection:
        await change(connection, account_id, language=language)
        await note(connection, by, "language_chosen", account_id, {"language": language}, at=now)


async def _must_be_free(connection: AsyncConnection, name: str) -> None:
    if await named(connection, name) is not None:
        raise Refused("There is an account of this name already.", field="name")


async def _must_not_be_last(connection: AsyncConnection, found: Account) -> None:
    """Refuse to lose the last administrator; one writes at a time, so two do not put each other out at once."""
    able = await connection.scalars(select(table.c.account_id).where(table.c.role == "admin", ~table.c.is_disabled))
    if set(able) <= {found.account_id} and found.role == "admin":
        raise Refused("Nobody else administers Vigie here.")


async def _existing(connection: AsyncConnection, account_id: str) -> Account:
    row = await row_of(connection, account_id)
    if row is None:
        raise Refused("There is no such account.")
    return account_from(row)

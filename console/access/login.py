"""Login: from a name and a password, or from somebody's word elsewhere, to a session; and one's own password."""

from datetime import datetime

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from console.access import sessions
from console.access.account_rows import (
    LONGEST_NAME,
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
from console.access.passwords import hashed, is_it, why_refused
from console.access.roles import Role
from console.archive import audit
from console.archive.database import writing
from console.archive.tables import account as table


async def log_in(engine: AsyncEngine, *, name: str, password: str, now: datetime) -> str | None:
    """Return the token of a new session, None where name and password do not fit, whatever the reason."""
    async with engine.connect() as connection:
        found = await named(connection, name)
    fits = await is_it(found["password_hash"] if found else None, password)
    async with writing(engine) as connection:
        row = await row_of(connection, found["account_id"]) if found else None
        if row is None or not fits or row["is_disabled"] or _is_renewed(row, found):
            which = f"account/{row['account_id'] if row else 'unknown'}"  # a name that is none may be a password
            actor = row["name"] if row else NOBODY
            await audit.note(connection, actor=actor, action="login_failed", object_=which, detail={}, at=now)
            return None
        return await logged_in(connection, account_from(row), now, way="password")


def _is_renewed(row: RowMapping, compared: RowMapping | None) -> bool:
    """Tell whether there is another password by now than the one that was compared: that takes a while."""
    return compared is None or row["password_hash"] != compared["password_hash"]


async def logged_in(connection: AsyncConnection, who: Account, now: datetime, *, way: str) -> str:
    """Begin a session of somebody who showed who he is; return its token."""
    token = await sessions.begin(connection, who.account_id, now)
    await note(connection, who.name, "login", who.account_id, {"way": way}, at=now)
    return token


async def change_password(engine: AsyncEngine, *, account_id: str, old: str, new: str, now: datetime) -> str:
    """Change somebody's own password and end all his sessions; return the token of a new one.

    Errors  Refused where the old one does not fit, or the new one will not do
    """
    async with engine.connect() as connection:
        row = await row_of(connection, account_id)
    if row is None or not await is_it(row["password_hash"], old):
        raise Refused("This is not the present password.", field="old")
    if old == new:
        raise Refused("This is the present password.", field="new")
    if why := why_refused(new, row["name"]):
        raise Refused(why, field="new")
    kept = await hashed(new)
    async with writing(engine) as connection:
        present = await row_of(connection, account_id)
        if present is None or _is_renewed(present, row):
            raise Refused("This is not the present password.", field="old")
        await change(connection, account_id, password_hash=kept, must_change=False)
        await sessions.end_all(connection, account_id)
        await note(connection, row["name"], "password_changed", account_id, {}, at=now)
        return await sessions.begin(connection, account_id, now)


async def from_oidc(engine: AsyncEngine, *, subject: str, name: str, role: Role, now: datetime) -> str | None:
    """Return the token of a new session of who logged in elsewhere, with the role given there; None if disabled."""
    wanted = select(table).where(table.c.oidc_subject == subject)
    async with writing(engine) as connection:
        found = (await connection.execute(wanted)).mappings().one_or_none()
        if found is None:
            more = {"oidc_subject": subject, "must_change": False}
            await insert_account(connection, await _free_name(connection, name), role, now, more, by=NOBODY)
        elif found["is_disabled"]:
            await note(connection, found["name"], "login_failed", found["account_id"], {"way": "oidc"}, at=now)
            return None
        elif found["role"] != role:
            await change(connection, found["account_id"], role=role)
            detail = {"name": found["name"], "before": found["role"], "after": role}
            await note(connection, NOBODY, "role_changed", found["account_id"], detail, at=now)
        row = (await connection.execute(wanted)).mappings().one()
        return await logged_in(connection, account_from(row), now, way="oidc")


async def _free_name(connection: AsyncConnection, name: str) -> str:
    plain = plain_name(name[: LONGEST_NAME - 8])
    found, number = plain, 2
    while await named(connection, found) is not None:
        found, number = f"{plain} ({number})", number + 1
    return found

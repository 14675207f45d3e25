"""Account rows: how accounts are read and written, within a transaction of whoever asks."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unicodedata import category, normalize

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from console.access.roles import Role
from console.archive import audit
from console.archive.tables import account as table
from records import VigieError

LONGEST_NAME = 64
NOBODY = "vigie"  # who acts where no person does


class Refused(VigieError):
    """What was asked for cannot be; the message is a sentence in English that a page has in other languages."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field  # of the form, where it is about one


@dataclass(frozen=True, kw_only=True)
class Account:
    """One account."""

    account_id: str
    name: str
    role: Role
    language: str
    must_change: bool
    is_disabled: bool
    is_from_oidc: bool
    made_at: datetime


def plain_name(name: str) -> str:
    """Return a name as it is kept.

    Errors  Refused where it is empty, too long, or holds what cannot be seen
    """
    plain = " ".join(normalize("NFKC", name).split())
    if not 1 <= len(plain) <= LONGEST_NAME or any(category(letter).startswith("C") for letter in plain):
        raise Refused("A name has 1 to 64 visible characters.", field="name")
    return plain


async def named(connection: AsyncConnection, name: str) -> RowMapping | None:
    """Find an account by a name as somebody types it; a cell has some tens, so all are looked at."""
    wanted = " ".join(normalize("NFKC", name).split()).casefold()
    found = (await connection.execute(select(table))).mappings()
    return next((row for row in found if row["name"].casefold() == wanted), None)


async def insert_account(
    connection: AsyncConnection, name: str, role: Role, now: datetime, more: Mapping[str, Any], *, by: str
) -> None:
    """Add an account; its password is to be changed, unless `more` says otherwise."""
    account_id = secrets.token_hex(8)
    fields = {"must_change": True, **more}
    await connection.execute(
        insert(table).values(
            account_id=account_id, name=name, role=role, language="", is_disabled=False, made_at=now, **fields
        )
    )
    await note(connection, by, "account_made", account_id, {"name": name, "role": role}, at=now)


async def change(connection: AsyncConnection, account_id: str, **fields: Any) -> None:
    """Change what an account says."""
    await connection.execute(update(table).where(table.c.account_id == account_id).values(**fields))


async def row_of(connection: AsyncConnection, account_id: str) -> RowMapping | None:
    """Return an account as it is kept."""
    found = await connection.execute(select(table).where(table.c.account_id == account_id))
    return found.mappings().one_or_none()


async def note(
    connection: AsyncConnection, actor: str, action: str, account_id: str, detail: dict[str, Any], *, at: datetime
) -> None:
    """Write a line of the audit about an account."""
    await audit.note(connection, actor=actor, action=action, object_=f"account/{account_id}", detail=detail, at=at)


def account_from(row: RowMapping) -> Account:
    """Return what pages may know of an account."""
    return Account(
        account_id=row["account_id"],
        name=row["name"],
        role=row["role"],
        language=row["language"],
        must_change=row["must_change"],
        is_disabled=row["is_disabled"],
        is_from_oidc=row["oidc_subject"] is not None,
        made_at=row["made_at"],
    )

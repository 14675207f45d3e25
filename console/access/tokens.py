"""Tokens of the API: how a program of somebody's reads and writes here, in his name, with no more than his rights."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from console.access.roles import Role, common_part
from console.access.sessions import SELDOM, hash_of
from console.access.visitor import Visitor
from console.archive.database import writing
from console.archive.tables import account, api_token

BEGINNING = "vigie_"  # so that a search for secrets that were published finds it
LONGEST = timedelta(days=366)


@dataclass(frozen=True, kw_only=True)
class Token:
    """One token that somebody made; what it is, nobody can see again."""

    token_id: str
    label: str
    role: Role
    made_at: datetime
    used_at: datetime | None
    ends_at: datetime


async def make(
    connection: AsyncConnection, account_id: str, *, label: str, role: Role, now: datetime, days: int
) -> str:
    """Make a token; return it, for the only time."""
    token = BEGINNING + secrets.token_urlsafe(32)
    await connection.execute(
        insert(api_token).values(
            token_hash=hash_of(token),
            token_id=secrets.token_hex(8),
            account_id=account_id,
            label=label,
            role=role,
            made_at=now,
            ends_at=now + min(timedelta(days=days), LONGEST),
        )
    )
    return token


async def visitor_of(engine: AsyncEngine, token: str, now: datetime) -> Visitor | None:
    """Return who a token is of, and note that it was used; None where it holds no more.

    Shape   its role, as far as the account still has it
    """
    key = hash_of(token)
    query = (
        select(account, api_token.c.role.label("given"), api_token.c.used_at, api_token.c.token_id)
        .join(api_token, api_token.c.account_id == account.c.account_id)
        .where(api_token.c.token_hash == key, api_token.c.ends_at > now, ~account.c.is_disabled, ~account.c.must_change)
    )
    async with engine.connect() as connection:
        found = (await connection.execute(query)).one_or_none()
    if found is None:
        return None
    if found.used_at is None or now - found.used_at >= SELDOM:
        async with writing(engine) as connection:
            await connection.execute(update(api_token).where(api_token.c.token_hash == key).values(used_at=now))
    return Visitor(
        account_id=found.account_id,
        name=found.name,
        role=common_part(found.given, found.role),
        language=found.language,
        way="token",
        session_id=found.token_id,
    )


async def tokens_of(engine: AsyncEngine, account_id: str) -> list[Token]:
    """Return the tokens of an account, those that ended too, the newest first."""
    query = select(api_token).where(api_token.c.account_id == account_id).order_by(api_token.c.made_at.desc())
    async with engine.connect() as connection:
        return [
            Token(
                token_id=row.token_id,
                label=row.label,
                role=row.role,
                made_at=row.made_at,
                used_at=row.used_at,
                ends_at=row.ends_at,
            )
            for row in await connection.execute(query)
        ]


async def revoke(connection: AsyncConnection, account_id: str, token_id: str) -> bool:
    """End a token of an account; tell whether there was one."""
    which = (api_token.c.account_id == account_id, api_token.c.token_id == token_id)
    return bool((await connection.execute(delete(api_token).where(*which))).rowcount)

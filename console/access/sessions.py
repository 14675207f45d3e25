"""Sessions: somebody who logged in, until he leaves, or too long nothing was heard of him.

The cookie holds a random token; the archive holds its hash, so that whoever reads the archive can be nobody.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from console.access.visitor import Visitor
from console.archive.database import writing
from console.archive.tables import account, session

IDLE = timedelta(hours=12)  # a shift
LONGEST = timedelta(days=7)
ID_LENGTH = 16  # hexadecimal digits
SELDOM = timedelta(minutes=5)  # that somebody was here is written no more often: who writes may have to wait


@dataclass(frozen=True, kw_only=True)
class Session:
    """One login that still holds."""

    session_id: str
    made_at: datetime
    seen_at: datetime
    ends_at: datetime


def hash_of(token: str) -> str:
    """Return what is kept of a token: it is random, so a plain hash does."""
    return sha256(token.encode()).hexdigest()


def id_of(token_hash: str) -> str:
    """Return what a session is called on a page: a part of its hash, which opens nothing."""
    return token_hash[:ID_LENGTH]


async def begin(connection: AsyncConnection, account_id: str, now: datetime) -> str:
    """Begin a session; return its token, which is always a new one."""
    token = secrets.token_urlsafe(32)
    await connection.execute(
        insert(session).values(
            token_hash=hash_of(token),
            account_id=account_id,
            csrf=secrets.token_urlsafe(32),
            made_at=now,
            seen_at=now,
            ends_at=now + LONGEST,
        )
    )
    return token


async def visitor_of(engine: AsyncEngine, token: str, now: datetime) -> Visitor | None:
    """Return who a session is of, and note that he was here; None where it holds no more."""
    key = hash_of(token)
    query = select(session.c.csrf, session.c.seen_at, account).join(account).where(session.c.token_hash == key)
    async with engine.connect() as connection:
        found = (await connection.execute(query.where(*_holds(now), ~account.c.is_disabled))).one_or_none()
    if found is None:
        return None
    if now - found.seen_at >= SELDOM:
        async with writing(engine) as connection:
            await connection.execute(update(session).where(session.c.token_hash == key).values(seen_at=now))
    return Visitor(
        account_id=found.account_id,
        name=found.name,
        role=found.role,
        language=found.language,
        csrf=found.csrf,
        way="session",
        session_id=id_of(key),
        must_change=found.must_change,
    )


async def sessions_of(engine: AsyncEngine, account_id: str, now: datetime) -> list[Session]:
    """Return the sessions of an account that hold, the newest first."""
    query = select(session).where(session.c.account_id == account_id, *_holds(now)).order_by(session.c.made_at.desc())
    async with engine.connect() as connection:
        return [
            Session(session_id=id_of(row.token_hash), made_at=row.made_at, seen_at=row.seen_at, ends_at=row.ends_at)
            for row in await connection.execute(query)
        ]


async def end(connection: AsyncConnection, account_id: str, session_id: str) -> None:
    """End one session of an account."""
    which = func.substr(session.c.token_hash, 1, ID_LENGTH) == session_id
    await connection.execute(delete(session).where(session.c.account_id == account_id, which))


async def end_all(connection: AsyncConnection, account_id: str) -> None:
    """End all sessions of an account."""
    await connection.execute(delete(session).where(session.c.account_id == account_id))


def _holds(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return session.c.ends_at > now, session.c.seen_at > now - IDLE

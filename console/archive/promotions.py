"""Promotions: changes of what is in force are kept, whether they were decided here or came on their topic."""

from datetime import datetime

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from console.archive import audit
from console.archive.tables import audit as audit_table
from console.archive.tables import promotion
from records import ModelChange, ProfileChange, decode, encode

ACTOR = "vigie"
"""Who heard of it: of whom a command says that he approved, nobody here has seen that it was he."""
UNSAID = frozenset({"type", "change_id", "toml"})


async def take_promotion(
    connection: AsyncConnection, change: ProfileChange, at: datetime, *, verdict: str = "", trial_id: str = ""
) -> bool:
    """Keep a change, and tell whether it is news; `verdict`, `trial_id`: what it rests on, where it was here."""
    columns = promotion.c
    known = select(columns.change_id).where(columns.change_id == change.change_id)
    if await connection.scalar(known) is not None:
        return False
    row = {"change_id": change.change_id, "decided_at": change.decided_at, "recorded_at": at, "record": encode(change)}
    await connection.execute(insert(promotion).values(**row, verdict=verdict, trial_id=trial_id))
    return True


async def hear_of(connection: AsyncConnection, change: ProfileChange | ModelChange, at: datetime) -> None:
    """Keep a change that was decided elsewhere, and enter it in the audit; heard of again, it is one line."""
    if isinstance(change, ProfileChange):
        action, is_news = "profile_heard_of", await take_promotion(connection, change, at)
    else:
        action, columns = "model_heard_of", audit_table.c
        known = select(columns.number).where((columns.object == change.change_id) & (columns.action == action))
        is_news = await connection.scalar(known) is None
    if is_news:
        said = {name: value for name, value in msgspec.to_builtins(change).items() if name not in UNSAID}
        await audit.note(connection, actor=ACTOR, action=action, object_=change.change_id, detail=said, at=at)


async def newest_promotion(connection: AsyncConnection) -> ProfileChange | None:
    """Return the change that holds, None where there never was one."""
    columns = promotion.c
    wanted = select(columns.record).order_by(columns.decided_at.desc(), columns.change_id.desc())
    row = await connection.scalar(wanted.limit(1))
    return None if row is None else decode(row, ProfileChange)

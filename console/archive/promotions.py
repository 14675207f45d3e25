"""Promotions: changes of the profile in force are kept, whether they were decided here or came on their topic."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from console.archive.tables import promotion
from records import ProfileChange, decode, encode


async def take_promotions(
    connection: AsyncConnection,
    changes: Sequence[ProfileChange],
    at: datetime,
    *,
    verdict: str = "",
    trial_id: str = "",
) -> None:
    """Keep changes that are not known yet; `verdict`, `trial_id`: what they rest on, where it was here."""
    named = {one.change_id: one for one in changes}
    columns = promotion.c
    known = set(await connection.scalars(select(columns.change_id).where(columns.change_id.in_(named))))
    rows = [
        {
            "change_id": change_id,
            "decided_at": one.decided_at,
            "recorded_at": at,
            "verdict": verdict,
            "trial_id": trial_id,
            "record": encode(one),
        }
        for change_id, one in named.items()
        if change_id not in known
    ]
    if rows:
        await connection.execute(insert(promotion), rows)


async def newest_promotion(connection: AsyncConnection) -> ProfileChange | None:
    """Return the change that holds, None where there never was one."""
    columns = promotion.c
    wanted = select(columns.record).order_by(columns.decided_at.desc(), columns.change_id.desc())
    row = await connection.scalar(wanted.limit(1))
    return None if row is None else decode(row, ProfileChange)

"""Tending: who looks after an incident: whoever decided on it last, where that was not taken back."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive.tables import decision

ANSWERS = ("acknowledge", "confirm", "reject", "close", "relocate", "change_hazard", "merge", "split")
"""A note and an undoing look after nothing."""


class Tended(NamedTuple):
    """Who looks after an incident."""

    by: str
    at: datetime
    decision: str


async def tended(engine: AsyncEngine, incident_ids: Collection[str]) -> dict[str, Tended]:
    """Return who looks after which of these incidents; nobody, where one is missing."""
    if not incident_ids:
        return {}
    undone = select(decision.c.withdraws).where(decision.c.withdraws != "")
    query = (
        select(decision.c.incident_id, decision.c.decided_by, decision.c.decided_at, decision.c.kind)
        .where(decision.c.incident_id.in_(incident_ids))
        .where(decision.c.kind.in_(ANSWERS))
        .where(decision.c.decision_id.not_in(undone))
        .order_by(decision.c.decided_at, decision.c.sequence)
    )
    async with engine.connect() as connection:
        found = await connection.execute(query)
        return {one.incident_id: Tended(one.decided_by, one.decided_at, one.kind) for one in found}

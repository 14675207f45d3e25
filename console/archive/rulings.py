"""Rulings: what people made of incidents: of each the last confirmation or rejection that nobody took back."""

from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncConnection

from console.archive.dossier import Decided
from console.archive.looking import decisions
from console.archive.tables import decision

RULINGS = ("confirm", "reject")


async def standing(connection: AsyncConnection, since: datetime | None = None) -> dict[str, Decided]:
    """Return the ruling that stands on each incident; `since`: what was decided before counts as nothing."""
    wanted: ColumnElement[bool] = decision.c.kind.in_((*RULINGS, "withdraw"))
    if since is not None:
        wanted &= decision.c.decided_at >= since
    found = await decisions(connection, wanted)
    return {one.verdict.incident_id: one for one in found if one.verdict.decision in RULINGS and not one.is_withdrawn}

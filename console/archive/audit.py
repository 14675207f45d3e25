"""Audit: who did what, in a chain."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from console.archive.tables import audit


async def note(
    connection: AsyncConnection, *, actor: str, action: str, object_: str, detail: dict[str, Any], at: datetime
) -> None:
    """Append a line."""
    number = ((await connection.execute(select(func.max(audit.c.number)))).scalar() or 0) + 1
    await connection.execute(
        insert(audit).values(
            number=number, at=at, actor=actor, action=action, object=object_, detail=detail, previous="", hash=""
        )
    )

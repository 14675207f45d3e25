"""Shadows: a candidate decides beside the live profile for some days, and notifies nobody.

It decides what the recording gets: every while all since its beginning again, from some days before it on, so that it
knows what is usual. What it would have said stands beside what was said.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from console.access.visitor import Visitor
from console.archive import audit
from console.archive.database import writing
from console.archive.tables import shadow as shadows
from console.archive.words import storable
from console.desk import Desk
from console.tuning import candidates, trials
from console.tuning.candidates import Candidate
from console.tuning.promoting import in_force
from records.trial import TrialAsked

State = Literal["running", "over", "stopped"]
DAYS = (1, 2, 3, 7, 14, 28)
AGAIN = timedelta(minutes=30)
"""How often it is looked at what it would have said."""
WARM_UP = timedelta(days=14)
"""So long before its beginning it starts to learn what is usual."""


@dataclass(frozen=True, kw_only=True)
class Shadow:
    """One stretch of days in which a candidate decides beside the live profile."""

    shadow_id: str
    candidate_id: str
    candidate_text: str
    state: State
    made_by: str
    starts_at: datetime
    ends_at: datetime
    ran_at: datetime | None


async def of_candidate(engine: AsyncEngine, candidate_id: str) -> list[Shadow]:
    """Return the shadows of a candidate, the newest first."""
    return await _found(engine, shadows.c.candidate_id == candidate_id)


async def shadow(engine: AsyncEngine, shadow_id: str) -> Shadow | None:
    """Return a shadow, None where there is none."""
    found = await _found(engine, shadows.c.shadow_id == shadow_id)
    return found[0] if found else None


async def _found(engine: AsyncEngine, which: ColumnElement[bool]) -> list[Shadow]:
    wanted = select(shadows).where(which).order_by(shadows.c.starts_at.desc(), shadows.c.shadow_id)
    async with engine.connect() as connection:
        return [Shadow(**row._mapping) for row in await connection.execute(wanted)]


async def begin(desk: Desk, visitor: Visitor, *, shadow_id: str, candidate: Candidate, days: int) -> None:
    """Have a candidate decide beside the live profile from now on; begun twice under one id, it is one."""
    now = desk.clock.now()
    async with writing(desk.engine) as connection:
        if await connection.scalar(select(shadows.c.shadow_id).where(shadows.c.shadow_id == shadow_id)) is not None:
            return
        await connection.execute(
            insert(shadows).values(
                shadow_id=shadow_id,
                candidate_id=candidate.candidate_id,
                candidate_text=candidate.text_id,
                state="running",
                made_by=storable(visitor.name),
                starts_at=now,
                ends_at=now + timedelta(days=days),
            )
        )
        detail = {"profile": f"{candidate.name}/{candidate.version}", "shadow": shadow_id, "days": days}
        await audit.note(
            connection,
            actor=visitor.name,
            action="shadow_begun",
            object_=candidate.candidate_id,
            detail=detail,
            at=now,
        )
    desk.bench_asked.set()


async def stop(desk: Desk, visitor: Visitor, known: Shadow) -> bool:
    """End a shadow before its days are over; tell whether it was running."""
    now = desk.clock.now()
    async with writing(desk.engine) as connection:
        is_running = (shadows.c.shadow_id == known.shadow_id) & (shadows.c.state == "running")
        done = await connection.execute(update(shadows).where(is_running).values(state="stopped", ends_at=now))
        if done.rowcount:
            await audit.note(
                connection,
                actor=visitor.name,
                action="shadow_stopped",
                object_=known.candidate_id,
                detail={"shadow": known.shadow_id},
                at=now,
            )
    return bool(done.rowcount)


async def look_after(desk: Desk) -> None:
    """Ask for what running shadows would have said by now, where that was long ago; end those whose days are over."""
    now = desk.clock.now()
    for one in await _found(desk.engine, shadows.c.state == "running"):
        is_over = now >= one.ends_at
        if one.ran_at is None or now - one.ran_at >= AGAIN or is_over:
            await _ask(desk, one, min(now, one.ends_at))
        if is_over:
            async with writing(desk.engine) as connection:
                await _set(connection, one, state="over")


async def _ask(desk: Desk, one: Shadow, until: datetime) -> None:
    known = await candidates.candidate(desk.engine, one.candidate_id)
    before = await trials.of_shadow(desk.engine, one.shadow_id)
    if known is None or known.text_id != one.candidate_text or any(tried.is_under_way for tried in before):
        return
    holds = await in_force(desk)
    asked = TrialAsked(
        in_force=holds.toml,
        candidate=known.toml,
        since=one.starts_at - WARM_UP,
        until=until,
        has_frontiers=False,
    )
    async with writing(desk.engine) as connection:
        old = [tried.trial_id for tried in before[1:] if not tried.is_under_way]
        await trials.forget(connection, old)
        await trials.put(
            connection,
            trial_id=secrets.token_hex(8),
            candidate=known,
            asked=asked,
            by=one.made_by,
            at=desk.clock.now(),
            shadow_id=one.shadow_id,
        )
        await _set(connection, one, ran_at=desk.clock.now())


async def _set(connection: AsyncConnection, one: Shadow, **values: Any) -> None:
    await connection.execute(update(shadows).where(shadows.c.shadow_id == one.shadow_id).values(**values))

"""Candidates: profiles that analysts work on, each change with who made it in the audit."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from console.access.visitor import Visitor
from console.archive import audit
from console.archive.database import writing
from console.archive.tables import candidate as candidates
from console.archive.words import storable
from console.desk import Desk
from console.tuning.editing import NotTOML, changed, changed_settings, text_id, values_in

State = Literal["draft", "proposed", "promoted", "dropped"]
LONGEST_NAME = 64
MOST_SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A profile that is worked on."""

    candidate_id: str
    name: str
    version: str
    toml: str
    state: State
    reason: str
    made_by: str
    made_at: datetime
    changed_by: str
    changed_at: datetime
    proposed_by: str
    proposed_at: datetime | None

    @property
    def text_id(self) -> str:
        """What stands for its text."""
        return text_id(self.toml)

    @property
    def is_open(self) -> bool:
        """Whether anything can still become of it."""
        return self.state in {"draft", "proposed"}

    def is_proposed_by(self, name: str) -> bool:
        """Tell whether it is somebody's own proposal."""
        return name.strip().casefold() == self.proposed_by.strip().casefold()


async def candidate(engine: AsyncEngine, candidate_id: str) -> Candidate | None:
    """Return a candidate, None where there is none."""
    async with engine.connect() as connection:
        return await candidate_in(connection, candidate_id)


async def candidate_in(connection: AsyncConnection, candidate_id: str) -> Candidate | None:
    """Return a candidate as a transaction sees it."""
    wanted = select(candidates).where(candidates.c.candidate_id == candidate_id)
    row = (await connection.execute(wanted)).one_or_none()
    return None if row is None else _from(row)


async def newest(engine: AsyncEngine) -> list[Candidate]:
    """Return candidates, the one that was changed last first."""
    wanted = select(candidates).order_by(candidates.c.changed_at.desc(), candidates.c.candidate_id).limit(MOST_SHOWN)
    async with engine.connect() as connection:
        return [_from(row) for row in await connection.execute(wanted)]


def _from(row: Any) -> Candidate:
    return Candidate(**row._mapping)


def named(toml: str) -> tuple[str, str]:
    """Return the name and the version that a text says; "" where it says none."""
    try:
        values = values_in(toml)
    except NotTOML:
        return "", ""
    found = [values.get(key) for key in ("name", "version")]
    name, version = (storable(one)[:LONGEST_NAME] if isinstance(one, str) else "" for one in found)
    return name, version


def with_version(toml: str, version: str) -> str:
    """Return a text with another version.

    Errors  NotTOML
    """
    return changed(toml, {"version": version})


async def make(desk: Desk, visitor: Visitor, *, candidate_id: str, toml: str, based_on: str) -> None:
    """Begin a candidate; made twice under one id, it is one."""
    name, version = named(toml)
    now = desk.clock.now()
    async with writing(desk.engine) as connection:
        if await candidate_in(connection, candidate_id) is not None:
            return
        await connection.execute(
            insert(candidates).values(
                candidate_id=candidate_id,
                name=name,
                version=version,
                toml=storable(toml),
                state="draft",
                reason="",
                made_by=storable(visitor.name),
                made_at=now,
                changed_by=storable(visitor.name),
                changed_at=now,
                proposed_by="",
            )
        )
        detail = {"profile": f"{name}/{version}", "based_on": based_on}
        await audit.note(
            connection, actor=visitor.name, action="candidate_made", object_=candidate_id, detail=detail, at=now
        )


async def change(desk: Desk, visitor: Visitor, known: Candidate, toml: str) -> bool:
    """Give a candidate another text; tell whether it could be: whoever changed it meanwhile goes first.

    A candidate that was proposed is so no more: nobody approves what has changed behind him.
    """
    name, version = named(toml)
    now = desk.clock.now()
    columns = candidates.c
    is_known = (columns.candidate_id == known.candidate_id) & (columns.changed_at == known.changed_at)
    async with writing(desk.engine) as connection:
        values: dict[str, Any] = {
            "name": name,
            "version": version,
            "toml": storable(toml),
            "state": "draft",
            "proposed_by": "",
        }
        values |= {"changed_by": storable(visitor.name), "changed_at": now, "proposed_at": None}
        is_there = is_known & columns.state.in_(("draft", "proposed"))
        done = await connection.execute(update(candidates).where(is_there).values(**values))
        if not done.rowcount:
            return False
        detail = {"profile": f"{name}/{version}", "changes": _changes(known.toml, toml)}
        await audit.note(
            connection,
            actor=visitor.name,
            action="candidate_changed",
            object_=known.candidate_id,
            detail=detail,
            at=now,
        )
    return True


def _changes(old: str, new: str) -> list[str]:
    """Return what the audit says of a change; of what is no TOML nothing can be said."""
    try:
        found = changed_settings(old, new)
    except NotTOML:
        return ["?"]
    return [f"{key}: {before} → {after}"[:200] for key, before, after in found[:100]]


async def drop(desk: Desk, visitor: Visitor, known: Candidate) -> bool:
    """Have done with a candidate; tell whether it was open."""
    columns = candidates.c
    is_open = (columns.candidate_id == known.candidate_id) & columns.state.in_(("draft", "proposed"))
    async with writing(desk.engine) as connection:
        done = await connection.execute(update(candidates).where(is_open).values(state="dropped"))
        if done.rowcount:
            detail = {"profile": f"{known.name}/{known.version}"}
            await audit.note(
                connection,
                actor=visitor.name,
                action="candidate_dropped",
                object_=known.candidate_id,
                detail=detail,
                at=desk.clock.now(),
            )
    return bool(done.rowcount)

"""Handover: what somebody who goes off duty writes for whoever comes: lines of the audit, so they stay as written."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive import audit
from console.archive.database import writing

WRITTEN = "handover_note"
WITHDRAWN = "handover_note_withdrawn"
MOST_OF_TEXT = 4000  # characters
AT_ONCE = 100  # lines of the audit


@dataclass(frozen=True)
class Note:
    """One note, on the span that ends at `about`."""

    note_id: str
    text: str
    about: datetime
    by: str
    at: datetime
    withdrawn_by: str  # "": it stands


async def write(engine: AsyncEngine, note_id: str, text: str, *, about: datetime, by: str, now: datetime) -> None:
    """Keep a note; one with the same id is kept once."""
    async with writing(engine) as connection:
        if await audit.entries(engine, object_=_object(note_id), most=1):
            return  # sent twice
        await audit.note(
            connection,
            actor=by,
            action=WRITTEN,
            object_=_object(note_id),
            detail={"text": text, "about": about.isoformat()},
            at=now,
        )


async def withdraw(engine: AsyncEngine, note_id: str, *, by: str, now: datetime) -> bool:
    """Take a note back; tell whether there was one that stood. It stays in the audit."""
    async with writing(engine) as connection:
        lines = await audit.entries(engine, object_=_object(note_id))
        is_there = [line.action for line in lines] == [WRITTEN]
        if is_there:
            await audit.note(connection, actor=by, action=WITHDRAWN, object_=_object(note_id), detail={}, at=now)
    return is_there


async def notes(engine: AsyncEngine, since: datetime, until: datetime) -> list[Note]:
    """Return the notes on spans that end after one moment, and not after another, in order."""
    written = await _lines(engine, WRITTEN, since)
    withdrawn = await _lines(engine, WITHDRAWN, since)
    by = {line.object_: line.actor for line in withdrawn}
    found = [
        Note(
            note_id=line.object_.removeprefix(_object("")),
            text=line.detail["text"],
            about=datetime.fromisoformat(line.detail["about"]),
            by=line.actor,
            at=line.at,
            withdrawn_by=by.get(line.object_, ""),
        )
        for line in reversed(written)
    ]
    return [note for note in found if since < note.about <= until]


async def _lines(engine: AsyncEngine, action: str, since: datetime) -> list[audit.Entry]:
    """Return all lines of a kind since a moment, the newest first: whoever comes is to know of every note."""
    found: list[audit.Entry] = []
    before = None
    while part := await audit.entries(engine, action=action, since=since, most=AT_ONCE, before=before):
        found += part
        before = part[-1].number
    return found


def _object(note_id: str) -> str:
    return f"handover/{note_id}"

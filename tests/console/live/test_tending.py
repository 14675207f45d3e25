"""Tending: whoever decided last looks after an incident, until that is taken back."""

from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive.taking import take
from console.live.tending import tended
from tests.console.made import INCIDENT, a_verdict, an_alert, minutes


async def test_who_decided_last_looks_after_it(engine: AsyncEngine) -> None:
    first = a_verdict("acknowledge", decided_by="astreinte")
    note = a_verdict("note", decided_at=minutes(9), decided_by="analyste", reason="vu")
    confirmed = a_verdict("confirm", decided_at=minutes(5), decided_by="chef de salle")
    await take(engine, [an_alert(), confirmed, first, note], minutes(10))
    found = await tended(engine, [INCIDENT, "fire-other"])
    assert {key: (one.by, one.at, one.decision) for key, one in found.items()} == {
        INCIDENT: ("chef de salle", minutes(5), "confirm")
    }


async def test_what_was_taken_back_looks_after_nothing(engine: AsyncEngine) -> None:
    undone = a_verdict("withdraw", withdraws="acknowledge-1", decided_at=minutes(4), decision_id="undo-1")
    await take(engine, [an_alert(), a_verdict("acknowledge"), undone], minutes(10))
    assert await tended(engine, [INCIDENT]) == {}


async def test_of_nothing_nothing_is_asked(engine: AsyncEngine) -> None:
    assert await tended(engine, []) == {}

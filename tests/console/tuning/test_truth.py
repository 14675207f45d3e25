"""What is known to be true of a stretch of the recording: what people confirmed and rejected in it, and no more."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive.taking import take
from console.tuning.truth import truth_of
from records import CrisisClock
from tests.console.made import a_verdict, an_alert, minutes, some_evidence


async def known(engine: AsyncEngine, *records: Any) -> tuple[list[str], list[str]]:
    await take(engine, list(records), minutes(600))
    found = await truth_of(engine, minutes(-60), minutes(60))
    assert not found.is_complete
    return [one.incident_id for one in found.incidents], [one.incident_id for one in found.false_ones]


async def test_the_last_ruling_that_stands_holds(sqlite_engine: AsyncEngine) -> None:
    alerts = [an_alert(incident_id=f"fire-{number}") for number in range(4)]
    said = [
        a_verdict("confirm", incident_id="fire-0", decision_id="d0"),
        a_verdict("confirm", incident_id="fire-1", decision_id="d1"),
        a_verdict("reject", incident_id="fire-1", decision_id="d2", decided_at=minutes(9)),
        a_verdict("confirm", incident_id="fire-2", decision_id="d3"),
        a_verdict("withdraw", incident_id="fire-2", decision_id="d4", withdraws="d3", decided_at=minutes(9)),
    ]
    assert await known(sqlite_engine, *alerts, *said) == (["fire-0"], ["fire-1"])


async def test_what_began_outside_of_the_stretch_is_left_out(sqlite_engine: AsyncEngine) -> None:
    alerts = [
        an_alert(incident_id="before", onset=minutes(-61)),
        an_alert(incident_id="within", onset=minutes(-60)),
        an_alert(incident_id="after", onset=minutes(60)),
    ]
    said = [a_verdict("confirm", incident_id=one.incident_id, decision_id=one.incident_id) for one in alerts]
    assert await known(sqlite_engine, *alerts, *said) == (["within"], [])


async def test_it_is_known_by_the_posts_of_all_its_revisions(sqlite_engine: AsyncEngine) -> None:
    first = an_alert(evidence=(some_evidence(1),))
    last = an_alert(
        revision=2, level="resolved", evidence=(some_evidence(2),), clock=CrisisClock(first_authority=minutes(40))
    )
    await known(sqlite_engine, first, last, a_verdict("confirm", incident_id=first.incident_id, decision_id="d"))
    [one] = (await truth_of(sqlite_engine, minutes(-60), minutes(60))).incidents
    assert one.post_ids == {"e0001", "e0002"}
    assert one.has_other_posts
    assert one.first_post_at == minutes(-4)
    assert one.official_at == minutes(40)
    assert one.ended_at == last.raised_at

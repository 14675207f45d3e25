"""Taking: everything once, in any order, by however many at once."""

from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive import looking
from console.archive.taking import take
from tests.console.made import INCIDENT, a_verdict, an_alert, minutes, some_evidence


async def test_what_was_told_and_decided_is_found_again_whole(engine: AsyncEngine) -> None:
    first, second = an_alert(), an_alert(revision=2, level="alert", evidence=(some_evidence(), some_evidence(2)))
    verdict = a_verdict()
    changes = await take(engine, [first, second, verdict], minutes(5))
    assert [(one.kind, one.key) for one in changes] == [("incident", INCIDENT)]
    found = await looking.incident(engine, INCIDENT)
    assert found is not None
    assert [one.alert for one in found.revisions] == [first, second]
    assert found.alert == second
    assert [one.verdict for one in found.decisions] == [verdict]
    assert await looking.incidents(engine) == [second]
    assert await take(engine, [second, verdict, first], minutes(6)) == []

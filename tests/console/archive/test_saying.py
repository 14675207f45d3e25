"""Saying: what people decide is kept, noted, shown and sent, all of it or nothing; what cannot be is refused."""

import asyncio
import dataclasses
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from console.access.visitor import Visitor
from console.archive import audit, looking, saying, tables
from console.archive.database import address_from, opened
from console.archive.saying import Refused
from console.archive.taking import Record, take
from console.desk import Desk
from records import Matcher, Place, Post
from tests.console.made import (
    INCIDENT,
    LE_HAVRE,
    a_post,
    a_report_row,
    a_retraction,
    a_silence,
    a_verdict,
    an_alert,
    minutes,
    some_evidence,
)

OTHER = "fire-fedcba9876543210"
VISITOR = Visitor(account_id="1", name="astreinte (operator)", role="operator")
RELOCATED: Place = replace(LE_HAVRE, place_id="said:49.48,0.15", name="Centrale", level="point", source="text")


@pytest_asyncio.fixture(loop_scope="module")
async def at_work(desk: Desk) -> Desk:
    """Make a desk with two incidents on it."""
    await take(desk.engine, [an_alert(), an_alert(incident_id=OTHER)], desk.clock.now())
    return desk


async def count(desk: Desk, table: Any) -> int:
    async with desk.engine.connect() as connection:
        return await connection.scalar(select(func.count()).select_from(table)) or 0


async def test_a_decision_is_kept_noted_shown_and_waits_to_be_sent(at_work: Desk) -> None:
    verdict = a_verdict("confirm", reason="pompiers sur place")
    with at_work.hub.listening() as listener:
        last = await looking.last_sequence(at_work.engine)
        await saying.decide(at_work, VISITOR, verdict)
        (change,) = await listener.next(within=1)
    assert (change.kind, change.key) == ("incident", INCIDENT)
    assert [one.incident_id for _, one in await looking.changed_since(at_work.engine, last)] == [INCIDENT]
    dossier = await looking.incident(at_work.engine, INCIDENT)
    assert dossier is not None
    assert [one.verdict for one in dossier.decisions] == [verdict]
    (waiting,) = await saying.waiting(at_work.engine)
    assert (waiting.kind, waiting.record) == ("verdict", verdict)
    (entry,) = await audit.entries(at_work.engine)
    assert (entry.actor, entry.action, entry.object_) == (VISITOR.name, "confirm", INCIDENT)
    assert entry.detail == {"decision_id": "confirm-1", "reason": "pompiers sur place"}


async def test_what_was_said_here_is_known_when_it_comes_back_on_its_topic(at_work: Desk) -> None:
    verdict = a_verdict()
    await saying.decide(at_work, VISITOR, verdict)
    assert await take(at_work.engine, [verdict], minutes(9)) == []
    assert await count(at_work, tables.decision) == 1


async def test_a_decision_sent_twice_is_one(desk: Desk, engine: AsyncEngine) -> None:
    at_work = dataclasses.replace(desk, engine=engine)
    await take(engine, [an_alert()], minutes(1))
    await asyncio.gather(*(saying.decide(at_work, VISITOR, a_verdict(decided_at=minutes(n))) for n in (3, 4)))
    assert [await count(at_work, table) for table in (tables.decision, tables.outgoing, tables.audit)] == [1, 1, 1]


async def test_what_was_taken_back_shows_by_whom(at_work: Desk) -> None:
    withdrawal = a_verdict("withdraw", withdraws="reject-1", decided_at=minutes(5), decided_by="cadre")
    await saying.decide(at_work, VISITOR, a_verdict("reject"))
    await saying.decide(at_work, VISITOR, withdrawal)
    dossier = await looking.incident(at_work.engine, INCIDENT)
    assert dossier is not None
    rejected, undone = dossier.decisions
    assert (rejected.is_withdrawn, rejected.withdrawn_by) == (True, withdrawal)
    assert not undone.is_withdrawn


@pytest.mark.parametrize(
    ("before", "verdict", "why"),
    [
        pytest.param([], {"incident_id": "fire-0"}, "unknown_incident", id="unknown incident"),
        pytest.param([], {"decision_id": ""}, "no_id", id="without an id"),
        pytest.param([{}], {"decision": "confirm", "decision_id": "acknowledge-1"}, "other_decision", id="same id"),
        pytest.param([], {"decision": "merge", "other": "fire-0"}, "unknown_other", id="merged into nothing"),
        pytest.param(
            [{"incident_id": OTHER, "decision": "merge", "other": INCIDENT}],
            {"decision": "merge", "other": OTHER, "decision_id": "m2"},
            "merged_back",
            id="merged back",
        ),
        pytest.param([], {"decision": "withdraw", "withdraws": "x"}, "unknown_decision", id="withdraws nothing"),
        pytest.param(
            [{"incident_id": OTHER}],
            {"decision": "withdraw", "withdraws": "acknowledge-1"},
            "unknown_decision",
            id="withdraws what was decided of another",
        ),
        pytest.param(
            [{}, {"decision": "withdraw", "withdraws": "acknowledge-1"}],
            {"decision": "withdraw", "withdraws": "acknowledge-1", "decision_id": "w2"},
            "withdrawn_already",
            id="withdrawn already",
        ),
        pytest.param(
            [{}, {"decision": "withdraw", "withdraws": "acknowledge-1"}],
            {"decision": "withdraw", "withdraws": "withdraw-1", "decision_id": "w2"},
            "not_withdrawable",
            id="withdraws a withdrawal",
        ),
    ],
)
async def test_refuses(at_work: Desk, before: list[dict[str, Any]], verdict: dict[str, Any], why: str) -> None:
    for one in before:
        await saying.decide(at_work, VISITOR, a_verdict(**{"decision": "acknowledge", **one}))
    noted = await count(at_work, tables.audit)
    with pytest.raises(Refused) as refused:
        await saying.decide(at_work, VISITOR, a_verdict(**{"decision": "acknowledge", **verdict}))
    assert refused.value.why == why
    assert await count(at_work, tables.decision) == len(before)
    assert await count(at_work, tables.audit) == noted


@pytest.mark.parametrize("decision", ["relocate", "change_hazard", "merge", "split", "withdraw"])
def test_a_decision_that_does_not_say_what_it_decides_cannot_be_made(decision: str) -> None:
    with pytest.raises(ValueError, match=decision):
        a_verdict(decision)


async def test_a_merge_that_was_taken_back_stands_in_nobodys_way(at_work: Desk) -> None:
    await saying.decide(at_work, VISITOR, a_verdict("merge", incident_id=OTHER, other=INCIDENT))
    await saying.decide(at_work, VISITOR, a_verdict("withdraw", incident_id=OTHER, withdraws="merge-1"))
    await saying.decide(at_work, VISITOR, a_verdict("merge", other=OTHER, decision_id="m2"))
    assert len(await saying.waiting(at_work.engine)) == 3


async def test_where_it_was_put_stands_in_the_audit(at_work: Desk) -> None:
    await saying.decide(at_work, VISITOR, a_verdict("relocate", place=RELOCATED))
    (entry,) = await audit.entries(at_work.engine)
    assert entry.detail["place"] == {"name": "Centrale", "lat": 49.49, "lon": 0.11}


async def test_what_the_broker_has_waits_no_more(at_work: Desk) -> None:
    for name in ("a", "b", "c"):
        await saying.decide(at_work, VISITOR, a_verdict(decision_id=name))
    first, second, third = await saying.waiting(at_work.engine)
    await saying.sent(at_work.engine, [first.sequence, third.sequence])
    assert await saying.waiting(at_work.engine) == [second]


async def test_a_silence_is_kept_noted_shown_and_waits(at_work: Desk) -> None:
    with at_work.hub.listening() as listener:
        await saying.silence(at_work, VISITOR, a_silence())
        assert [one.kind for one in await listener.next(within=1)] == ["silence"]
    await saying.silence(at_work, VISITOR, a_silence())  # sent twice
    await saying.silence(at_work, VISITOR, a_silence(ends_at=minutes(0), made_at=minutes(1)))
    assert [one.kind for one in await saying.waiting(at_work.engine)] == ["silence", "silence"]
    ended, made = await audit.entries(at_work.engine)
    assert (ended.action, made.action) == ("silence_ended", "silence_made")
    assert made.detail["matchers"] == ["hazard=fire", "area=76"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"matchers": ()}, "silences_all", id="without conditions"),
        pytest.param({"matchers": (Matcher(name="area", value="76", is_equal=False),)}, "silences_all", id="but one"),
        pytest.param({"ends_at": minutes(7 * 24 * 60 + 1)}, "too_long", id="more than a week"),
        pytest.param({"ends_at": minutes(-1)}, "ends_before", id="ends before it begins"),
        pytest.param({"origin": "alertmanager"}, "made_elsewhere", id="made elsewhere"),
    ],
)
async def test_refuses_a_silence(at_work: Desk, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused) as refused:
        await saying.silence(at_work, VISITOR, a_silence(**changes))
    assert refused.value.why == why
    assert await saying.waiting(at_work.engine) == []


async def test_a_report_is_made_corrected_and_withdrawn(at_work: Desk) -> None:
    moved = a_report_row(text="Fumée seule.", post_key="vigie:r1-2")
    await saying.report(at_work, VISITOR, a_post(), a_report_row())
    await saying.report(at_work, VISITOR, a_post(verb="update", id="r1-2", text="Fumée seule."), moved)
    await saying.report(at_work, VISITOR, a_post(verb="delete", id="r1-2"), {**moved, "is_withdrawn": True})
    async with at_work.engine.connect() as connection:
        (found,) = await looking.reports(connection, tables.report.c.report_id == "r1")
    assert (found.text, found.is_withdrawn) == ("Fumée seule.", True)
    assert [one.kind for one in await saying.waiting(at_work.engine)] == ["post"] * 3
    actions = [one.action for one in await audit.entries(at_work.engine)]
    assert actions == ["report_withdrawn", "report_corrected", "report_made"]
    assert await audit.broken_at(at_work.engine) is None


async def test_a_report_that_quotes_a_post_loses_its_words_with_it(at_work: Desk) -> None:
    quoting = a_report_row(url="https://example.org/e0001", text="vu sur un réseau")
    await saying.report(at_work, VISITOR, a_post(), quoting)
    await take(at_work.engine, [a_retraction("facebook:e0001")], minutes(9))
    async with at_work.engine.connect() as connection:
        (found,) = await looking.reports(connection, tables.report.c.report_id == "r1")
    assert (found.text, found.url, found.is_withdrawn) == ("", None, False)


REMOVED = some_evidence(text="", url=None, author_id="removed", is_removed=True)


@pytest.mark.parametrize(
    "heard",
    [
        pytest.param([an_alert(), an_alert(revision=2, evidence=(REMOVED,))], id="a revision without its words first"),
        pytest.param([an_alert(revision=2, evidence=(REMOVED,)), an_alert()], id="the one with them after it"),
        pytest.param([a_retraction(), an_alert()], id="taken back before its incident is told of"),
    ],
)
async def test_a_quote_goes_in_whatever_order_it_is_heard_that_the_post_is_gone(
    desk: Desk, heard: list[Record]
) -> None:
    await saying.report(desk, VISITOR, a_post(), a_report_row(url="https://example.org/e0001"))
    for one in [*heard, a_retraction()]:
        await take(desk.engine, [one], minutes(9))
    async with desk.engine.connect() as connection:
        (found,) = await looking.reports(connection, tables.report.c.report_id == "r1")
    assert (found.text, found.url) == ("", None)


async def test_whoever_sends_is_called_once_it_is_kept(at_work: Desk) -> None:
    called: list[str] = []
    at_work = dataclasses.replace(at_work, said=lambda: called.append("said"))
    with pytest.raises(Refused):
        await saying.decide(at_work, VISITOR, a_verdict(incident_id="fire-0"))
    assert called == []
    await saying.decide(at_work, VISITOR, a_verdict())
    assert called == ["said"]


async def test_a_report_that_is_sent_twice_at_once_is_one(at_work: Desk) -> None:
    sending = (saying.report(at_work, VISITOR, a_post(), a_report_row()) for _ in range(2))
    await asyncio.gather(*sending)
    assert [one.kind for one in await saying.waiting(at_work.engine)] == ["post"]
    assert [one.action for one in await audit.entries(at_work.engine)] == ["report_made"]


async def test_a_report_that_somebody_withdrew_meanwhile_is_not_corrected(at_work: Desk) -> None:
    await saying.report(at_work, VISITOR, a_post(), a_report_row())
    await saying.report(at_work, VISITOR, a_post(verb="delete"), a_report_row(is_withdrawn=True))
    with pytest.raises(Refused, match="withdrawn_already"):
        await saying.report(at_work, VISITOR, a_post(verb="update"), a_report_row(text="Fumée seule."))
    assert [one.action for one in await audit.entries(at_work.engine)] == ["report_withdrawn", "report_made"]


async def test_a_report_of_elsewhere_takes_its_first_post_back_in_the_same_step(at_work: Desk) -> None:
    await saying.report(at_work, VISITOR, a_post(), a_report_row())
    moved = a_report_row(post_key="vigie:r1.2")
    await saying.report(at_work, VISITOR, a_post(id="r1.2"), moved, takes_back=a_post(verb="delete"))
    waiting = [one.record for one in await saying.waiting(at_work.engine)]
    assert [(one.id, one.verb) for one in waiting if isinstance(one, Post)] == [
        ("r1", "create"),
        ("r1.2", "create"),
        ("r1", "delete"),
    ]
    assert len(await audit.entries(at_work.engine)) == 2


async def test_one_console_at_a_time_hands_on(database: str) -> None:
    engines = [await opened(address_from(database)) for _ in range(2)]
    try:
        async with saying.handing_on(engines[0]) as is_first, saying.handing_on(engines[1]) as is_second:
            assert (is_first, is_second) == (True, engines[0].dialect.name == "sqlite")
        async with saying.handing_on(engines[1]) as is_second:
            assert is_second
    finally:
        for engine in engines:
            await engine.dispose()


async def test_of_two_who_decide_at_the_same_moment_the_second_is_told(at_work: Desk) -> None:
    anne, bruno = (a_verdict("reject", decision_id=name, decided_by=name) for name in ("anne", "bruno"))
    seen = await looking.last_sequence(at_work.engine)
    deciding = (saying.decide(at_work, VISITOR, one, known=seen) for one in (anne, bruno))
    first, second = await asyncio.gather(*deciding, return_exceptions=True)
    assert first is None
    assert isinstance(second, Refused)
    assert second.why == "decided_meanwhile"
    await saying.decide(at_work, VISITOR, bruno, known=await looking.last_sequence(at_work.engine))
    await saying.decide(at_work, VISITOR, bruno, known=seen)  # sent twice
    assert await count(at_work, tables.decision) == 2

"""Taking: everything once, in any order, by however many at once."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive import looking, tables
from console.archive.database import address_from, opened, writing
from console.archive.dossier import Dossier, SourceChange
from console.archive.taking import Read, Record, take
from records import encode, words_of
from tests.console.made import (
    INCIDENT,
    a_bulletin,
    a_digest,
    a_notification,
    a_pulse,
    a_retraction,
    a_signal,
    a_silence,
    a_status,
    a_verdict,
    an_alert,
    minutes,
    some_evidence,
)

FILLED_FROM_TOPICS = (
    "incident", "revision", "evidence", "unshown", "decision", "silence", "notification", "source", "source_change",
    "bulletin", "pulse", "heard", "rate", "digest",
)  # fmt: skip
OTHER = "flood-1"
SECRET = "une femme crie au 3e étage"
TOLD: Sequence[Record] = (
    an_alert(),
    an_alert(revision=2, evidence=(some_evidence(), some_evidence(2))),
    an_alert(revision=3, level="alert", evidence=(some_evidence(2), some_evidence(3, text=SECRET))),
    an_alert(revision=4, evidence=(some_evidence(2, text="", is_removed=True), some_evidence(4, text="old"))),
    an_alert(revision=5, evidence=(some_evidence(2), some_evidence(4, text="new"))),
    an_alert(incident_id=OTHER, hazard="flood", evidence=(some_evidence(3, text=SECRET), some_evidence(4, text="old"))),
    a_retraction("facebook:e0004", unless=words_of("new")),
    a_verdict("acknowledge"),
    a_verdict("confirm", decided_at=minutes(4)),
    a_verdict("withdraw", withdraws="confirm-1", decided_at=minutes(5)),
    a_retraction("facebook:e0003"),
    a_notification(state="waiting", at=minutes(1), attempts=0),
    a_notification(state="sent", at=minutes(1)),
    a_silence(),
    a_silence(ends_at=minutes(20), made_at=minutes(20)),
    a_status(),
    a_status(state="blind", at=minutes(7), since=minutes(7), why="connection refused"),
    a_bulletin(),
    a_pulse(0),
    a_pulse(0, language="en"),
    a_pulse(2),
    a_signal(1),
    a_signal(2),
    a_signal(12, likelihood_ratio=1.0),
    a_digest(),
)
NOW = minutes(40)


async def look(engine: AsyncEngine) -> dict[str, Any]:
    """Return all that an archive says, but for the numbers that it gave."""
    return {
        "dossiers": [_without_numbers(await looking.incident(engine, name)) for name in (INCIDENT, OTHER)],
        "incidents": sorted(map(encode, (await looking.newest_of(engine, [INCIDENT, OTHER])).values())),
        "silences": await looking.silences(engine, NOW),
        "sources": await looking.sources(engine),
        "changes": await states(engine),
        "pulses": await looking.pulses(engine, minutes(-60), NOW),
        "digests": await looking.digests(engine),
    }


async def states(engine: AsyncEngine) -> list[SourceChange]:
    """Return the states that sources were in that morning."""
    async with engine.connect() as connection:
        return await looking.changes_of_sources(connection, minutes(-100), NOW)


async def of_incident(engine: AsyncEngine) -> Dossier:
    """Return all that is known of the incident."""
    found = await looking.incident(engine, INCIDENT)
    assert found is not None
    return found


def _without_numbers(dossier: Dossier | None) -> Any:
    if dossier is None:
        return None
    revisions = [(one.recorded_at, one.alert) for one in dossier.revisions]
    decisions = [(one.recorded_at, one.verdict, one.withdrawn_by) for one in dossier.decisions]
    return dossier.alert, revisions, decisions, dossier.notifications, dossier.rates


async def shown(engine: AsyncEngine, incident_id: str = INCIDENT) -> list[list[str]]:
    """Return the words of posts in each revision; what is gone is an ellipsis."""
    dossier = await looking.incident(engine, incident_id)
    assert dossier is not None
    return [["…" if post.is_removed else post.text for post in one.alert.evidence] for one in dossier.revisions]


async def everything_stored(engine: AsyncEngine) -> str:
    """Return all that stands in the database, as text."""
    found = []
    async with engine.connect() as connection:
        for table in tables.metadata.sorted_tables:
            for row in await connection.execute(select(table)):
                found += [one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in row]
    return "\n".join(found)


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
    assert await looking.newest_of(engine, [INCIDENT]) == {INCIDENT: second}


async def test_what_is_known_changes_nothing(engine: AsyncEngine) -> None:
    await take(engine, TOLD, NOW)
    before, last = await look(engine), await looking.last_sequence(engine)
    assert await take(engine, TOLD, NOW) == []
    assert await look(engine) == before
    assert await looking.last_sequence(engine) == last


async def test_an_older_revision_that_comes_late_does_not_stand_for_the_incident(engine: AsyncEngine) -> None:
    newer = an_alert(revision=3, level="resolved")
    await take(engine, [newer], minutes(5))
    await take(engine, [an_alert(revision=2)], minutes(6))
    found = await looking.incident(engine, INCIDENT)
    assert found is not None
    assert found.alert == newer
    assert [one.alert.revision for one in found.revisions] == [2, 3]
    assert await looking.heads(engine) == []
    assert await looking.newest_of(engine, [INCIDENT]) == {INCIDENT: newer}


async def test_a_morning_shows_what_stands_and_nothing_else(engine: AsyncEngine) -> None:
    await take(engine, TOLD, NOW)
    first, second = some_evidence().text, some_evidence(2).text
    assert await shown(engine) == [[first], [first, "…"], ["…", "…"], ["…", "…"], [second, "new"]]
    assert await shown(engine, OTHER) == [["…", "…"]]


async def test_two_who_take_the_same_at_once_make_one_of_it(engine: AsyncEngine) -> None:
    halves = [list(TOLD[:12]), list(TOLD[8:])]
    await asyncio.gather(*(take(engine, half, NOW) for half in [*halves, *reversed(halves), list(TOLD)]))
    together = await look(engine)
    assert len(together["dossiers"][0][1]) == 5
    async with engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(tables.revision)) == 6
        assert await connection.scalar(select(func.count()).select_from(tables.decision)) == 3


async def test_two_processes_on_one_database_make_one_of_it(database: str) -> None:
    one, other = await opened(address_from(database)), await opened(address_from(database))
    try:
        alerts = [an_alert(revision=number) for number in range(1, 41)]
        orders = [alerts, list(reversed(alerts)), [*alerts[1::2], *alerts[::2]]]
        batches = [order[begin : begin + 5] for order in orders for begin in range(0, 40, 5)]
        engines = [one, other]
        await asyncio.gather(*(take(engines[place % 2], part, NOW) for place, part in enumerate(batches)))
        found = await looking.incident(one, INCIDENT)
        assert found is not None
        assert [each.alert.revision for each in found.revisions] == list(range(1, 41))
        assert len({each.sequence for each in found.revisions}) == 40
        assert found.alert.revision == 40
    finally:
        await one.dispose()
        await other.dispose()


async def test_who_asks_what_changed_misses_nothing_of_those_who_write_at_once(engine: AsyncEngine) -> None:
    seen: dict[str, int] = {}
    last = 0

    async def watch() -> None:
        nonlocal last
        for sequence, alert in await looking.changed_since(engine, last):
            assert sequence > last
            seen[alert.incident_id], last = alert.revision, sequence

    async def write(number: int) -> None:
        for revision in range(1, 6):
            await take(engine, [an_alert(incident_id=f"fire-{number}", revision=revision)], NOW)

    writers = asyncio.gather(*(write(number) for number in range(6)))
    while not writers.done():
        await watch()
        await asyncio.sleep(0)
    await watch()
    await writers
    assert seen == {f"fire-{number}": 5 for number in range(6)}


async def test_words_stand_in_one_place_alone(engine: AsyncEngine) -> None:
    await take(engine, [an_alert(evidence=(some_evidence(text=SECRET),))], NOW)
    async with engine.connect() as connection:
        stored = (await connection.scalars(select(tables.revision.c.record))).one()
        assert SECRET.encode() not in stored
        assert b"example.org" not in stored
        assert (await connection.scalars(select(tables.evidence.c.text))).all() == [SECRET]


@pytest.mark.parametrize("retraction", [a_retraction(), a_retraction("", author_id=some_evidence().author_id)])
@pytest.mark.parametrize("is_first", [False, True], ids=["afterwards", "before"])
async def test_what_was_taken_back_is_nowhere_and_does_not_come_back(
    engine: AsyncEngine, retraction: Any, is_first: bool
) -> None:
    alert = an_alert(evidence=(some_evidence(text=SECRET), some_evidence(2)))
    elsewhere = an_alert(incident_id=OTHER, evidence=(some_evidence(text=SECRET),))
    first, second = ([retraction], [alert, elsewhere]) if is_first else ([alert, elsewhere], [retraction])
    await take(engine, first, NOW)
    await take(engine, second, NOW)
    await take(engine, [an_alert(revision=2, evidence=(some_evidence(text=SECRET),))], NOW)
    assert await shown(engine) == [["…", some_evidence(2).text], ["…"]]
    assert await shown(engine, OTHER) == [["…"]]
    everything = await everything_stored(engine)
    assert SECRET not in everything
    assert "e0001" not in everything.replace("facebook:e0001", "")  # its link
    assert some_evidence().author_id not in everything


async def test_who_looks_is_told_that_words_went(engine: AsyncEngine) -> None:
    await take(engine, [an_alert()], NOW)
    last = await looking.last_sequence(engine)
    (change,) = await take(engine, [a_retraction()], NOW)
    assert (change.kind, change.key) == ("incident", INCIDENT)
    ((sequence, alert),) = await looking.changed_since(engine, last)
    assert sequence == await looking.last_sequence(engine) > last
    assert alert.evidence[0].is_removed


async def test_an_edit_takes_the_old_words_and_leaves_the_new_ones(engine: AsyncEngine) -> None:
    old, new = some_evidence(text=SECRET), some_evidence(text="fausse alerte")
    edit = a_retraction(unless=words_of("fausse alerte"))
    await take(engine, [an_alert(evidence=(old,)), an_alert(revision=2, evidence=(new,)), edit], NOW)
    assert await shown(engine) == [["…"], ["fausse alerte"]]
    await take(engine, [a_retraction(at=minutes(31))], NOW)
    assert await shown(engine) == [["…"], ["…"]]


async def test_an_author_who_left_takes_nothing_of_what_he_says_later(engine: AsyncEngine) -> None:
    left = a_retraction("", author_id="a1", at=minutes(10))
    before, after = (some_evidence(n, author_id="a1", event_time=minutes(n)) for n in (1, 20))
    await take(engine, [left, an_alert(evidence=(before, after))], NOW)
    assert await shown(engine) == [["…", after.text]]


async def test_a_revision_that_shows_a_post_as_removed_takes_its_words_from_those_before(engine: AsyncEngine) -> None:
    removed = some_evidence(text="", url=None, author_id="removed", is_removed=True)
    await take(engine, [an_alert(evidence=(some_evidence(text=SECRET),))], NOW)
    await take(engine, [an_alert(revision=2, evidence=(removed,))], NOW)
    assert await shown(engine) == [["…"], ["…"]]
    assert SECRET not in await everything_stored(engine)


async def test_words_too_old_are_not_kept_when_they_come(engine: AsyncEngine) -> None:
    old = some_evidence(event_time=minutes(-31 * 24 * 60), text=SECRET)
    await take(engine, [an_alert(evidence=(old, some_evidence(2)))], NOW)
    assert await shown(engine) == [["…", some_evidence(2).text]]
    assert SECRET not in await everything_stored(engine)


async def test_a_text_that_the_database_cannot_hold_costs_one_character(engine: AsyncEngine) -> None:
    await take(engine, [an_alert(evidence=(some_evidence(text="feu\x00 !", url="https://e.org/\x00"),))], NOW)
    assert await shown(engine) == [["feu\N{REPLACEMENT CHARACTER} !"]]


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(a_verdict(decision_id="\x00" * 300), id="a decision's id"),
        pytest.param(an_alert(incident_id="x", revision=2**70), id="a number without end"),
        pytest.param(a_status("\x00"), id="a source's name"),
    ],
)
async def test_a_record_that_cannot_be_kept_costs_no_other(engine: AsyncEngine, hostile: Record) -> None:
    await take(engine, [an_alert(), hostile, an_alert(revision=2), a_status()], NOW)
    found = await looking.incident(engine, INCIDENT)
    assert found is not None
    assert [one.alert.revision for one in found.revisions] == [1, 2]
    assert a_status() in await looking.sources(engine)


async def test_a_database_that_is_away_is_no_records_fault(engine: AsyncEngine) -> None:
    async with writing(engine) as connection:
        await connection.execute(text("DROP TABLE revision"))
    with pytest.raises((OperationalError, ProgrammingError)):
        await take(engine, [an_alert()], NOW)


async def test_a_signal_counts_once_and_leaves_no_words(engine: AsyncEngine) -> None:
    signals = [a_signal(1, text=SECRET), a_signal(2), a_signal(12, likelihood_ratio=1.0)]
    await take(engine, [an_alert(), *signals], NOW)
    await take(engine, [*signals, *signals], NOW)
    rates = (await of_incident(engine)).rates
    assert [(one.begins_at, one.posts, one.strong, one.weight) for one in rates] == [
        (minutes(-7), 2, 2, 19.0),
        (minutes(3), 1, 0, 1.0),
    ]
    assert SECRET not in await everything_stored(engine)


async def test_pulses_count_once_and_a_quiet_minute_is_heard(engine: AsyncEngine) -> None:
    pulses = [a_pulse(0), a_pulse(0, language="en", outcomes={"kept": 2}), a_pulse(1, outcomes={}), a_pulse(30)]
    await take(engine, pulses, NOW)
    await take(engine, [*pulses, a_pulse(0)], NOW)
    found = await looking.pulses(engine, minutes(0), minutes(30))
    assert [(one.minute, one.outcomes) for one in found] == [(minutes(0), {"kept": 3, "gated": 40}), (minutes(1), {})]


async def test_the_newest_of_what_is_said_again_holds(engine: AsyncEngine) -> None:
    ended = a_silence(ends_at=minutes(20), made_at=minutes(20))
    sent, waiting = a_notification(), a_notification(state="waiting", attempts=0, at=minutes(0))
    blind = a_status(state="blind", at=minutes(7), since=minutes(7))
    await take(engine, [an_alert(), ended, sent, blind], NOW)
    assert await take(engine, [a_silence(), waiting, a_status()], NOW) == []
    assert await looking.silences(engine, NOW) == [ended]
    assert (await of_incident(engine)).notifications == (sent,)
    assert await looking.sources(engine) == [blind]
    assert [one.state for one in await states(engine)] == ["listening", "blind"]


@pytest.mark.parametrize("is_first", [False, True], ids=["in order", "the other way round"])
async def test_at_one_moment_what_became_of_a_notification_holds(engine: AsyncEngine, is_first: bool) -> None:
    waiting, sent = a_notification(state="waiting"), a_notification(state="sent")
    await take(engine, [an_alert()], NOW)
    for one in (sent, waiting) if is_first else (waiting, sent):
        await take(engine, [one], NOW)
    assert (await of_incident(engine)).notifications == (sent,)


async def test_a_decision_that_comes_before_its_incident_waits_for_it(engine: AsyncEngine) -> None:
    await take(engine, [a_verdict()], NOW)
    assert await looking.incident(engine, INCIDENT) is None
    await take(engine, [an_alert()], NOW)
    found = await looking.incident(engine, INCIDENT)
    assert found is not None
    assert [one.verdict.decision for one in found.decisions] == ["acknowledge"]


async def test_filled_again_from_the_topics_the_archive_says_the_same(engine: AsyncEngine) -> None:
    read = [Read(record, minutes(place)) for place, record in enumerate(TOLD)]
    await take(engine, read, NOW)
    before = await look(engine)
    assert before["dossiers"][0] is not None
    async with writing(engine) as connection:
        for name in FILLED_FROM_TOPICS:
            await connection.execute(tables.metadata.tables[name].delete())
    without = [one for one in read if one.record != a_retraction("facebook:e0003")]  # that topic is forgotten by now
    for one in without:
        await take(engine, [one], minutes(60))
    assert await look(engine) == before


async def taken(batches: Sequence[Sequence[Record]], empty: Path, folder: Path) -> dict[str, Any]:
    shutil.copy(empty, folder / "console.sqlite")
    engine = await opened(address_from(f"sqlite:///{folder / 'console.sqlite'}"))
    try:
        for batch in batches:
            await take(engine, batch, NOW)
        return await look(engine)
    finally:
        await engine.dispose()


@pytest.fixture(scope="module")
def taken_in_order(empty_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return asyncio.run(taken([TOLD], empty_archive, tmp_path_factory.mktemp("in-order")))


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_order_any_repeats_any_batches_give_the_same(
    taken_in_order: dict[str, Any], empty_archive: Path, tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    order = [*data.draw(st.permutations(TOLD)), *data.draw(st.lists(st.sampled_from(TOLD), max_size=8))]
    cuts = sorted(data.draw(st.sets(st.integers(1, len(order) - 1), max_size=5)))
    parts = [order[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    assert asyncio.run(taken(parts, empty_archive, tmp_path_factory.mktemp("order"))) == taken_in_order

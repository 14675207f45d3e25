"""Keeping: each kind of thing goes when its time is over, and no earlier; the audit says so."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive import audit, looking, tables
from console.archive.database import writing
from console.archive.keeping import keep, oldest
from console.archive.taking import Record, take
from console.tuning.promoting import history
from records import ProfileChange
from tests.console.made import (
    DAY,
    INCIDENT,
    a_bulletin,
    a_digest,
    a_notification,
    a_pulse,
    a_report_row,
    a_retraction,
    a_signal,
    a_silence,
    a_status,
    a_verdict,
    an_alert,
    minutes,
    some_evidence,
)

YEARS = 5 * 365 * DAY
THAT_DAY: list[Record] = [
    an_alert(evidence=(some_evidence(event_time=minutes(0)),)),
    a_verdict(),
    a_notification(at=minutes(0)),
    a_silence(),
    a_status(since=minutes(0)),
    a_status(state="blind", since=minutes(5), at=minutes(5)),
    a_bulletin(issued_at=minutes(0)),
    a_pulse(0),
    a_signal(0),
    a_digest(),
    a_retraction("facebook:e0099", at=minutes(0)),
]
CANDIDATE: dict[str, Any] = {
    **dict.fromkeys(("name", "version", "toml", "reason", "proposed_by"), ""),
    "candidate_id": "c",
    "state": "draft",
    **dict.fromkeys(("made_by", "changed_by"), "a"),
    **dict.fromkeys(("made_at", "changed_at"), minutes(0)),
}
TRIAL: dict[str, Any] = {
    **dict.fromkeys(("candidate_id", "candidate_text", "in_force_text", "part", "why", "verdict", "shadow_id"), ""),
    "trial_id": "t",
    "asked": b"{}",
    "state": "done",
    "done": 1.0,
    "made_by": "a",
    "made_at": minutes(0),
}
SHADOW: dict[str, Any] = {
    "shadow_id": "s",
    "candidate_id": "c",
    "candidate_text": "",
    "state": "over",
    "made_by": "a",
    "starts_at": minutes(0),
    "ends_at": minutes(DAY),
}

OF_A_REPORT: dict[str, Any] = {
    "verification_id": "v1", "incident_id": "", "report_id": "r1", "question": "Vu ?", "state": "to_verify",
    "finding": "", "answer": "", "url": None, "asked_by": "cadre", "asked_at": minutes(0), "taken_by": "",
    "taken_at": None, "answered_by": "", "answered_at": None, "passed_on_by": "", "passed_on_at": None,
}  # fmt: skip
MESSAGE: dict[str, Any] = {
    "message_id": "m1", "incident_id": INCIDENT, "template_id": "fire.first", "channel": "sms", "language": "fr",
    "text": "Incendie en cours.", "map_version": "1", "signed_by": "cadre", "signed_at": minutes(0), "state": "signed",
}  # fmt: skip


@pytest_asyncio.fixture(loop_scope="module")
async def filled(engine: AsyncEngine) -> AsyncEngine:
    """Open an archive with one of each kind, all of the same minute."""
    await take(engine, THAT_DAY, minutes(0))
    async with writing(engine) as connection:
        await connection.execute(insert(tables.report).values(a_report_row(made_at=minutes(0))))
        await connection.execute(insert(tables.verification).values(OF_A_REPORT))
        await connection.execute(insert(tables.message).values(MESSAGE))
        await connection.execute(insert(tables.candidate).values(CANDIDATE))
        await connection.execute(insert(tables.trial).values(TRIAL))
        await connection.execute(insert(tables.shadow).values(SHADOW))
    return engine


async def count(engine: AsyncEngine, table: str) -> int:
    async with engine.connect() as connection:
        return await connection.scalar(select(func.count()).select_from(tables.metadata.tables[table])) or 0


@pytest.mark.parametrize(
    ("table", "last_kept", "first_gone"),
    [
        pytest.param("evidence", 30 * DAY - 1, 30 * DAY, id="words: 30 days"),
        pytest.param("tombstone", 30 * DAY - 1, 30 * DAY, id="that they were taken back: as long"),
        pytest.param("heard", DAY - 1, DAY, id="signals one by one: a day"),
        pytest.param("pulse", 40 * DAY - 38, 40 * DAY, id="pulses: 40 days"),
        pytest.param("revision", YEARS - 1, YEARS, id="incidents: five years"),
        pytest.param("incident", YEARS - 1, YEARS, id="their heads: as long"),
        pytest.param("decision", YEARS - 1, YEARS, id="decisions: as long"),
        pytest.param("notification", YEARS - 1, YEARS, id="notifications: as long"),
        pytest.param("silence", YEARS + 59, YEARS + 60, id="silences: as long, from their end on"),
        pytest.param("bulletin", YEARS - 1, YEARS, id="bulletins: as long"),
        pytest.param("digest", YEARS - 38, YEARS - 37, id="digests: as long"),
        pytest.param("report", YEARS - 1, YEARS, id="reports: as long"),
        pytest.param("verification", YEARS - 1, YEARS, id="what was asked of a report: as long"),
        pytest.param("message", YEARS - 1, YEARS, id="messages: as long as their incident"),
        pytest.param("candidate", YEARS - 1, YEARS, id="candidate profiles: as long, from their last change on"),
        pytest.param("trial", YEARS - 1, YEARS, id="trials of profiles: as long"),
        pytest.param("shadow", YEARS + DAY - 1, YEARS + DAY, id="shadows: as long, from their end on"),
    ],
)
async def test_how_long(filled: AsyncEngine, table: str, last_kept: int, first_gone: int) -> None:
    await keep(filled, minutes(last_kept))
    assert await count(filled, table) == 1
    await keep(filled, minutes(first_gone))
    assert await count(filled, table) == 0


async def test_the_profile_in_force_stays_however_old_and_those_before_go(engine: AsyncEngine) -> None:
    fields: dict[str, Any] = {"name": "", "version": "", "toml": "", "proposed_by": "a", "approved_by": ""}
    changes = [ProfileChange(change_id=f"{number}", decided_at=minutes(number), **fields) for number in range(3)]
    await take(engine, changes, minutes(3))
    await keep(engine, minutes(YEARS))
    assert [one.change.change_id for one in await history(engine)] == ["2", "1"]
    await keep(engine, minutes(2 * YEARS))
    assert [one.change.change_id for one in await history(engine)] == ["2"]


async def test_rates_stand_on_when_their_signals_are_forgotten_and_go_after_90_days(filled: AsyncEngine) -> None:
    async def rates() -> list[Any]:
        dossier = await looking.incident(filled, INCIDENT)
        assert dossier is not None
        return list(dossier.rates)

    before = await rates()
    await keep(filled, minutes(DAY))
    assert (await count(filled, "heard"), await rates()) == (0, before)
    await take(filled, [a_signal(0), a_signal(1)], minutes(DAY + 1))  # read again, much later
    await keep(filled, minutes(DAY + 2))
    assert await rates() == before
    await keep(filled, minutes(90 * DAY - 8))
    assert await rates() == before
    await keep(filled, minutes(90 * DAY))
    assert await rates() == []


async def test_a_late_signal_is_added_to_a_span_that_was_counted(filled: AsyncEngine) -> None:
    late = a_signal(2, event_time=minutes(1), received_at=minutes(DAY - 60))
    await take(filled, [late], minutes(DAY - 60))
    await keep(filled, minutes(DAY))
    await keep(filled, minutes(2 * DAY))
    dossier = await looking.incident(filled, INCIDENT)
    assert dossier is not None
    (found,) = dossier.rates
    assert (found.posts, found.strong, found.weight) == (2, 2, 19.0)


async def test_the_state_that_a_source_is_in_stands_on(filled: AsyncEngine) -> None:
    await keep(filled, minutes(YEARS + 10))
    async with filled.connect() as connection:
        found = await looking.changes_of_sources(connection, minutes(YEARS), minutes(YEARS + 10))
    assert [one.state for one in found] == ["blind"]
    assert await count(filled, "source_change") == 1


async def test_an_incident_that_is_told_of_again_stands_on_whole(filled: AsyncEngine) -> None:
    await take(filled, [an_alert(revision=2, evidence=())], minutes(DAY))
    await keep(filled, minutes(YEARS))
    dossier = await looking.incident(filled, INCIDENT)
    assert dossier is not None
    assert [one.alert.revision for one in dossier.revisions] == [1, 2]
    assert dossier.revisions[0].alert.evidence[0].is_removed
    assert len(dossier.decisions) == 1


async def test_how_long_incidents_are_kept_can_be_set(filled: AsyncEngine) -> None:
    await keep(filled, minutes(60 * DAY), incidents_kept=timedelta(days=60))
    assert await looking.incident(filled, INCIDENT) is None


async def test_the_audit_says_what_went_and_nothing_where_nothing_did(filled: AsyncEngine) -> None:
    assert await keep(filled, minutes(10)) == {}
    assert await audit.entries(filled) == []
    assert await keep(filled, minutes(30 * DAY)) == {"evidence": 1, "tombstone": 1}
    (entry,) = await audit.entries(filled)
    assert (entry.actor, entry.action, entry.detail) == ("vigie", "purged", {"evidence": 1, "tombstone": 1})
    assert await audit.broken_at(filled) is None


async def test_the_oldest_of_each_kind_is_known(filled: AsyncEngine) -> None:
    found = await oldest(filled)
    assert found["words"] == found["incidents"] == found["decisions"] == found["reports"] == minutes(0)
    assert found["messages"] == found["verifications"] == minutes(0)
    assert "sessions" not in found
    await keep(filled, minutes(30 * DAY))
    assert "words" not in await oldest(filled)


async def test_words_that_were_taken_back_are_in_no_file_any_more(sqlite_engine: AsyncEngine, tmp_path: Path) -> None:
    words = "Des mots que personne ne doit plus lire"
    for number in range(50):
        said = some_evidence(post_key=f"facebook:e{number:04}", text=f"{words} {number}", event_time=minutes(0))
        await take(sqlite_engine, [an_alert(incident_id=f"fire-{number}", evidence=(said,))], minutes(0))
    gone: list[Record] = [a_retraction(f"facebook:e{number:04}", at=minutes(1)) for number in range(50)]
    await take(sqlite_engine, gone, minutes(1))
    await keep(sqlite_engine, minutes(2))
    assert _files_with(words, tmp_path) == []


def _files_with(words: str, folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if words.encode() in file.read_bytes()]

"""The after-action record: what was known when and by whom, in the order of time; words as far as they stand."""

from typing import Any

import pytest_asyncio
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from console.access.visitor import Visitor
from console.archive import audit, tables
from console.archive.database import writing
from console.archive.record import Span, exported, record_of
from console.archive.taking import Read, Record, take
from console.desk import Setup
from console.record_file import AfterAction, to_json, verify
from records import Context, Matcher
from tests.console.made import (
    INCIDENT,
    a_bulletin,
    a_notification,
    a_pulse,
    a_report_row,
    a_retraction,
    a_silence,
    a_status,
    a_verdict,
    an_alert,
    minutes,
    some_evidence,
)

SETUP = Setup(cell="Ville du Havre", is_exercise=True)
VISITOR = Visitor(name="cadre", role="operator")
NOTICE = Context(bulletin_id="allo:0", source="allo", kind="operator_notice", text="Torche", issued_at=minutes(-3000))
OTHER = an_alert(incident_id="flood-1", hazard="flood", evidence=())
TOLD = [
    Read(an_alert(), minutes(0)),
    Read(
        an_alert(revision=2, level="alert", evidence=(some_evidence(), some_evidence(2)), context=(NOTICE,)), minutes(2)
    ),
    Read(OTHER, minutes(3)),
    Read(a_verdict("confirm", decided_at=minutes(4), reason="pompiers sur place"), minutes(4)),
    Read(a_verdict("note", decided_at=minutes(5), reason="le maire est prévenu"), minutes(5)),
    Read(a_verdict("withdraw", withdraws="confirm-1", decided_at=minutes(6)), minutes(6)),
    Read(a_verdict("reject", incident_id="flood-1", decision_id="other", decided_at=minutes(6)), minutes(6)),
]
BESIDE: list[Record] = [
    a_notification(at=minutes(1)),
    a_bulletin(issued_at=minutes(7)),
    a_bulletin(bulletin_id="allo:0", issued_at=minutes(-3000)),
    a_bulletin(bulletin_id="far", area="69", issued_at=minutes(7)),
    a_status(since=minutes(-60)),
    a_status(state="blind", at=minutes(8), since=minutes(8), why="refused"),
    *(a_pulse(number) for number in (-30, *range(9), 15)),
    a_silence(silence_id="s1", matchers=(Matcher(name="incident_id", value=INCIDENT),), made_at=minutes(9)),
    a_silence(silence_id="s2", made_at=minutes(9)),
]
NOW = minutes(20)


@pytest_asyncio.fixture(loop_scope="module")
async def filled(engine: AsyncEngine) -> AsyncEngine:
    """Open an archive of one morning."""
    await take(engine, [*TOLD, *BESIDE], minutes(10))
    async with writing(engine) as connection:
        rows = [
            a_report_row(post_key="facebook:e0002", made_at=minutes(11)),
            a_report_row(report_id="r2", post_key="x"),
        ]
        await connection.execute(insert(tables.report), rows)
        await connection.execute(insert(tables.verification).values(**_verification()))
        await connection.execute(insert(tables.message).values(**_message()))
        await audit.note(connection, actor="cadre", action="login", object_="1", detail={}, at=minutes(0))
    return engine


async def made(engine: AsyncEngine, what: str | Span = INCIDENT) -> AfterAction:
    record = await record_of(engine, what, SETUP, NOW)
    assert record is not None
    return record


async def test_an_incident_in_the_order_of_time(filled: AsyncEngine) -> None:
    record = await made(filled)
    assert [(one.kind, one.who) for one in record.lines] == [
        ("bulletin", "allo-industrie"),
        ("source", "bluesky"),
        ("unheard", "bluesky"),
        ("revision", "vigie"),
        ("notification", "astreinte"),
        ("revision", "vigie"),
        ("decision", "astreinte (operator)"),
        ("note", "astreinte (operator)"),
        ("withdrawal", "astreinte (operator)"),
        ("bulletin", "allo-industrie"),
        ("source", "bluesky"),
        ("unheard", "bluesky"),
        ("silence", "astreinte (operator)"),
        ("report", "astreinte (operator)"),
        ("verification", "cadre"),
        ("finding", "volontaire"),
        ("passed_on", "cadre"),
        ("message", "cadre"),
        ("unheard", "bluesky"),
    ]
    assert [one.number for one in record.lines] == list(range(1, 20))
    assert [one.at for one in record.lines] == sorted(one.at for one in record.lines)


async def test_its_head_says_what_it_is_of_and_where_the_audit_stood(filled: AsyncEngine) -> None:
    (entry,) = await audit.entries(filled)
    head = (await made(filled)).head
    assert (head.cell, head.is_exercise, head.incidents, head.made_at) == ("Ville du Havre", True, (INCIDENT,), NOW)
    assert (head.since, head.until) == (minutes(-17), NOW)
    assert (head.audit_number, head.audit_hash) == (1, entry.hash)


async def test_what_was_told_says_by_which_rules_and_shows_words_once(filled: AsyncEngine) -> None:
    first, second = (one.what for one in (await made(filled)).lines if one.kind == "revision")
    assert (first["revision"], first["level"], first["profile"]) == (1, "watch", "city/1")
    assert (first["versions"], first["thresholds"]["alert"]) == ({"rule": "burst/1"}, 50000.0)
    assert [post.get("text") for post in first["shown"]] == [some_evidence().text]
    assert [post.get("text") for post in second["shown"]] == [None, some_evidence(2).text]
    assert [post["post_key"] for post in second["shown"]] == ["facebook:e0001", "facebook:e0002"]


async def test_a_decision_says_that_it_was_taken_back(filled: AsyncEngine) -> None:
    (decision,) = (one.what for one in (await made(filled)).lines if one.kind == "decision")
    assert (decision["decision"], decision["reason"]) == ("confirm", "pompiers sur place")
    assert (decision["withdrawn_by"], decision["withdrawn_at"]) == (
        "astreinte (operator)",
        "2012-01-30T07:43:00.000000Z",
    )


async def test_when_a_source_was_not_heard_stands_in_it(filled: AsyncEngine) -> None:
    gaps = [(one.at, one.what["minutes"]) for one in (await made(filled)).lines if one.kind == "unheard"]
    assert gaps == [(minutes(-17), 17), (minutes(9), 6), (minutes(16), 4)]


async def test_neither_authors_nor_links_nor_words_that_went_are_in_it(filled: AsyncEngine) -> None:
    await take(filled, [a_retraction()], minutes(12))
    text = to_json(await made(filled)).decode()
    assert some_evidence(2).text in text
    for gone in (some_evidence().text, "facebook:e0001", "example.org", some_evidence(2).author_id):
        assert gone not in text


async def test_an_incident_that_is_over_has_an_end(filled: AsyncEngine) -> None:
    await take(filled, [Read(an_alert(revision=3, level="resolved"), minutes(14))], minutes(14))
    assert (await made(filled)).head.until == minutes(14)


async def test_a_span_holds_what_was_told_in_it_of_any_incident(filled: AsyncEngine) -> None:
    record = await made(filled, Span(since=minutes(1), until=minutes(8)))
    assert record.head.incidents == (INCIDENT, "flood-1")
    told = [(one.kind, one.what.get("incident_id")) for one in record.lines if one.kind in ("revision", "decision")]
    assert told == [("revision", INCIDENT), ("revision", "flood-1"), ("decision", INCIDENT), ("decision", "flood-1")]
    assert {one.what["silence_id"] for one in record.lines if one.kind == "silence"} == {"s1", "s2"}
    assert {one.what["bulletin_id"] for one in record.lines if one.kind == "bulletin"} == {"allo:1", "far"}


async def test_made_again_it_has_the_same_bytes(filled: AsyncEngine) -> None:
    assert to_json(await made(filled)) == to_json(await made(filled))


async def test_what_was_handed_out_is_known_by_its_hash_in_the_audit(filled: AsyncEngine) -> None:
    record = await made(filled)
    await exported(filled, record, actor=VISITOR.name, now=NOW)
    (entry,) = await audit.entries(filled, action="record_exported")
    assert (entry.actor, entry.object_, entry.detail["hash"]) == ("cadre", INCIDENT, record.hash)
    assert verify(to_json(record), expected=entry.detail["hash"]) == []


async def test_there_is_no_record_of_what_nobody_knows(filled: AsyncEngine) -> None:
    assert await record_of(filled, "fire-0", SETUP, NOW) is None


async def test_a_span_in_which_nothing_was_told_has_a_record_too(engine: AsyncEngine) -> None:
    record = await made(engine, Span(since=minutes(0), until=minutes(1)))
    assert (record.lines, record.hash) == ((), record.seal)
    assert verify(to_json(record), expected=record.hash) == []


def _verification() -> dict[str, Any]:
    return {
        "verification_id": "v1",
        "incident_id": INCIDENT,
        "report_id": "",
        "question": "Vu ?",
        "state": "passed_on",
        "finding": "true",
        "answer": "Vu du quai.",
        "url": None,
        "asked_by": "cadre",
        "asked_at": minutes(12),
        "taken_by": "volontaire",
        "taken_at": minutes(12),
        "answered_by": "volontaire",
        "answered_at": minutes(13),
        "passed_on_by": "cadre",
        "passed_on_at": minutes(14),
    }


def _message() -> dict[str, Any]:
    return {
        "message_id": "m1",
        "incident_id": INCIDENT,
        "template_id": "fire.first",
        "channel": "sms",
        "language": "fr",
        "text": "Incendie en cours.",
        "map_version": "1",
        "signed_by": "cadre",
        "signed_at": minutes(15),
        "state": "signed",
    }

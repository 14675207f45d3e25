"""The record of an incident: read by who may see, noted when it is handed out."""

import csv
import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import pytest_asyncio

from console.archive import audit
from console.archive.taking import take
from console.catalogue import words
from console.desk import Desk
from console.figures.spreadsheet import cell
from console.record_file import verify
from records import ManualClock
from tests.console.made import (
    INCIDENT,
    a_bulletin,
    a_notification,
    a_silence,
    a_status,
    a_verdict,
    an_alert,
    minutes,
    some_evidence,
)

ADDRESS = f"/incidents/{INCIDENT}/record"
HOSTILE = '=HYPERLINK("http://x")<script>alert(1)</script>'


@pytest_asyncio.fixture(loop_scope="module")
async def known(desk: Desk, clock: ManualClock) -> Desk:
    clock.advance(timedelta(minutes=30))
    await take(
        desk.engine,
        [
            an_alert(),
            an_alert(revision=2, level="alert", posts=3, evidence=(some_evidence(1), some_evidence(2))),
            a_verdict("acknowledge"),
            a_verdict("note", reason=HOSTILE, decided_at=minutes(4)),
            a_verdict("close", decided_at=minutes(5)),
            a_verdict("withdraw", withdraws="close-1", decided_at=minutes(6)),
            a_notification(state="failed", why="refusé (503)"),
            a_bulletin(),
            a_status(state="blind", since=minutes(2), at=minutes(2), why="panne"),
            a_silence(),
        ],
        minutes(7),
    )
    return desk


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.mark.parametrize(
    "said",
    [
        "Revision 2: Alert, fire, Le Havre (municipality, within 6 km); 3 posts, 1 author, 1 witness; score 0.4",
        "Versions: rule burst/1 · Thresholds: Alert 50,000, Watch 1,000",
        "de la fumée noire à la centrale (2)",
        "shown before",
        "Looked after",
        "Closed (taken back by astreinte (operator), 30 Jan 08:43)",
        "revision 1, Watch: not delivered (refusé (503))",
        "operator&#39;s notice: Torche visible jusqu’à midi.",
        "Decision taken back astreinte (operator) Decision 5",
        "blind (panne)",
    ],
)
async def test_the_record_tells_what_was_known_and_done(known: Desk, client_as: Callable[..., Any], said: str) -> None:
    async with client_as("viewer", language="en") as client:
        answer = await client.get(ADDRESS)
    assert answer.status_code == 200
    assert said in text_of(answer.text)


async def test_the_french_record_has_no_english(known: Desk, client_as: Callable[..., Any]) -> None:
    async with client_as("viewer", language="fr") as client:
        said = text_of((await client.get(ADDRESS)).text)
    english = {
        message
        for (message, number), french in words("fr")._found.items()
        if number == 0 and message != french and "%" not in message and len(message.split()) > 2
    }
    assert [message for message in english if message in said] == []


async def test_what_comes_from_outside_is_only_text(known: Desk, client_as: Callable[..., Any]) -> None:
    async with client_as("viewer") as client:
        page = (await client.get(ADDRESS)).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


async def test_to_look_at_a_record_is_no_export(known: Desk, client_as: Callable[..., Any]) -> None:
    async with client_as("viewer") as client:
        answer = await client.get(f"{ADDRESS}.json")
    assert verify(answer.content) == []
    assert "content-disposition" not in answer.headers
    assert await audit.entries(known.engine, object_=INCIDENT) == []


@pytest.mark.parametrize("kind", ["json", "csv"])
async def test_what_is_handed_out_is_noted_with_its_hash(known: Desk, client_as: Callable[..., Any], kind: str) -> None:
    async with client_as("viewer") as client:
        answer = await client.post(f"{ADDRESS}.{kind}", data={"csrf": "a-token-of-the-tests"})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''vigie-{INCIDENT}.{kind}"
    (entry,) = await audit.entries(known.engine, object_=INCIDENT)
    assert (entry.action, entry.actor) == ("record_exported", "astreinte (viewer)")
    assert entry.detail["hash"] in answer.text


async def test_the_hash_that_was_noted_knows_the_file_again(known: Desk, client_as: Callable[..., Any]) -> None:
    async with client_as("viewer") as client:
        answer = await client.post(f"{ADDRESS}.json", data={"csrf": "a-token-of-the-tests"})
    (entry,) = await audit.entries(known.engine, object_=INCIDENT)
    assert verify(answer.content, entry.detail["hash"]) == []
    changed = answer.content.replace("à la centrale".encode(), b"au port")
    assert verify(changed, entry.detail["hash"]) != []


async def test_no_cell_of_the_table_is_a_formula(known: Desk, client_as: Callable[..., Any]) -> None:
    async with client_as("viewer") as client:
        answer = await client.get(f"{ADDRESS}.csv")
    rows = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["what"] for row in rows if row["kind"] == "note"] == [f"'{HOSTILE}"]
    assert [row["number"] for row in rows] == [str(number) for number in range(1, len(rows) + 1)]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+33", "'+33"),
        ("-1", "'-1"),
        ("@cmd", "'@cmd"),
        ("\t=1", "'=1"),
        ("  =1", "'=1"),
        ("a\nb", "a b"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_a_cell_is_only_text(value: str, shown: str) -> None:
    assert cell(value) == shown


@pytest.mark.parametrize("name", ["record", "record.json", "record.csv"])
async def test_there_is_no_record_of_what_is_not_there(desk: Desk, client_as: Callable[..., Any], name: str) -> None:
    async with client_as("viewer") as client:
        assert (await client.get(f"/incidents/none/{name}")).status_code == 404


async def test_a_form_of_somebody_elses_hands_nothing_out(known: Desk, client_as: Callable[..., Any]) -> None:
    async with client_as("viewer") as client:
        answer = await client.post(f"{ADDRESS}.json", data={"csrf": "guessed"})
    assert answer.status_code == 403
    assert await audit.entries(known.engine, object_=INCIDENT) == []

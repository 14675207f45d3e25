"""What is asked of the archive: as often for many things as for few, and the words of posts only where they show."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event, insert

from console.access.visitor import Visitor
from console.archive import saying, tables
from console.archive.database import writing
from console.archive.taking import take
from console.desk import Desk
from console.reports import verifying
from console.tuning.truth import truth_of
from tests.console.conftest import CSRF
from tests.console.made import a_digest, a_post, a_report_row, a_silence, a_verdict, an_alert, minutes

CELL = Visitor(name="astreinte (operator)", role="operator")


@pytest.fixture
def statements(desk: Desk) -> Iterator[list[str]]:
    """List what is asked of the archive."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        found.append(statement)

    event.listen(desk.engine.sync_engine, "before_cursor_execute", note)
    yield found
    event.remove(desk.engine.sync_engine, "before_cursor_execute", note)


async def add(desk: Desk, number: int) -> None:
    """Add an incident, what was signed of it, a report, and what volunteers are asked of both."""
    incident_id, report_id = f"fire-{number}", f"{number:016x}"
    await take(desk.engine, [an_alert(incident_id=incident_id)], minutes(0))
    row = {
        "message_id": f"{number:016x}-fr-sms", "incident_id": incident_id, "template_id": "fire-confirmed-population",
        "channel": "sms", "language": "fr", "text": "Incendie.", "map_version": "1", "signed_by": "cadre",
        "signed_at": minutes(number), "state": "signed",
    }  # fmt: skip
    async with writing(desk.engine) as connection:
        await connection.execute(insert(tables.message).values(**row))
    report = a_report_row(report_id=report_id, post_key=f"vigie:{report_id}", text=f"Fumée {number}")
    await saying.report(desk, CELL, a_post(id=report_id), report)
    await verifying.ask(desk, CELL, incident_id=incident_id)
    await verifying.ask(desk, CELL, report_id=report_id)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        pytest.param("/verification", ["/incidents/fire-{}", "Fumée {}", "à la centrale"], id="verification"),
        pytest.param("/messages", ["/messages/{:016x}-fr-sms/", "/incidents/fire-{}"], id="messages"),
    ],
)
async def test_a_page_asks_as_often_for_many_things_as_for_one(
    client_as: Callable[..., Any], desk: Desk, statements: list[str], address: str, said: list[str]
) -> None:
    asked = []
    await add(desk, 1)
    async with client_as() as client:
        for numbers in ((1,), (1, 2, 3)):
            for number in numbers[1:]:
                await add(desk, number)
            statements.clear()
            page = (await client.get(address)).text
            asked.append(len(statements))
            assert [text for one in numbers for text in said if text.format(one) not in page] == []
    assert asked[0] == asked[1]


async def test_what_is_true_is_asked_as_often_for_many_incidents_as_for_one(desk: Desk, statements: list[str]) -> None:
    asked = []
    for number in (1, 2, 3):
        incident_id = f"fire-{number}"
        said = a_verdict("confirm", incident_id=incident_id, decision_id=f"d{number}")
        await take(desk.engine, [an_alert(incident_id=incident_id), said], minutes(0))
        statements.clear()
        assert len((await truth_of(desk.engine, minutes(-60), minutes(60))).incidents) == number
        asked.append(len(statements))
    assert asked == [asked[0]] * 3


@pytest.mark.parametrize(
    "address", ["/silences", "/messages", "/tuning", "/incidents", "/api/incidents", "/intake/0000000000000001"]
)
async def test_a_page_that_shows_no_words_of_posts_asks_for_none(
    client_as: Callable[..., Any], desk: Desk, statements: list[str], address: str
) -> None:
    await take(desk.engine, [an_alert(), a_silence()], minutes(0))
    report = a_report_row(report_id="0000000000000001", post_key="vigie:0000000000000001")
    await saying.report(desk, CELL, a_post(id="0000000000000001"), report)
    async with client_as("admin") as client:
        statements.clear()
        assert (await client.get(address)).status_code == 200
    assert statements
    assert [one for one in statements if "FROM evidence" in one] == []


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_which_digests_were_made_is_asked_once(
    client_as: Callable[..., Any], desk: Desk, statements: list[str], method: str
) -> None:
    await take(desk.engine, [a_digest()], minutes(0))
    address, note = ("/digests", None) if method == "GET" else ("/digests/notes", {"csrf": CSRF, "text": ""})
    async with client_as() as client:
        statements.clear()
        await client.request(method, address, data=note)
    assert len([one for one in statements if "FROM digest" in one]) == 1

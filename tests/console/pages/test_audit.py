"""The page of the audit: who did what, whether the chain holds, and all of it in a file."""

import asyncio
import csv
import io
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, update
from starlette.middleware import Middleware
from starlette.types import Message, Scope

from console.access.visitor import Visitor
from console.application import application
from console.archive import audit
from console.archive.database import writing
from console.archive.tables import audit as table
from console.archive.taking import Read, take
from console.desk import Desk
from records import ModelChange
from tests.console.conftest import CSRF, As
from tests.console.entering import flat
from tests.console.made import minutes

HOSTILE = '=HYPERLINK("x")<script>alert("x")</script>'


async def enter(desk: Desk, number: int, **changes: Any) -> None:
    """Enter lines, a minute apart."""
    for one in range(number):
        line = {"actor": "astreinte", "action": "acknowledge", "object_": f"fire-{one}", "detail": {"one": one}}
        async with writing(desk.engine) as connection:
            await audit.note(connection, **{**line, **changes}, at=minutes(one))


def scope_of(path: str) -> Scope:
    """Return what a server says of a form that is sent, and of itself: that it tells when who asked has left."""
    headers = [(b"host", b"localhost"), (b"content-type", b"application/x-www-form-urlencoded")]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
    }


def numbers(page: str) -> list[int]:
    return [int(part.split("<")[0]) for part in page.split('<th scope="row" class="number">')[1:]]


@pytest.mark.parametrize(("language", "words"), [("en", "No line fits."), ("fr", "Aucune ligne ne correspond.")])
async def test_without_a_line_the_page_says_so(client_as: Callable[..., Any], language: str, words: str) -> None:
    async with client_as("analyst", language=language) as client:
        assert words in flat(await client.get("/audit"))


@pytest.mark.parametrize("role", ["viewer", "volunteer", "operator"])
async def test_the_audit_is_for_those_who_may(client_as: Callable[..., Any], desk: Desk, role: str) -> None:
    async with client_as(role) as client:
        answers = [
            await client.get("/audit"),
            await client.post("/audit/check", data={"csrf": CSRF}),
            await client.post("/audit/export", data={"csrf": CSRF, "format": "csv"}),
        ]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert await audit.entries(desk.engine) == []


async def test_pages_go_by_number_and_miss_no_line(client_as: Callable[..., Any], desk: Desk) -> None:
    await enter(desk, 205)
    seen, address = [], "/audit"
    async with client_as("admin", language="en") as client:
        while address:
            page = flat(await client.get(address))
            seen += numbers(page)
            _, _, rest = page.partition('rel="next" href="')
            address = rest.partition('"')[0].replace("&amp;", "&")
    assert seen == list(range(205, 0, -1))


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        pytest.param({"actor": "astreinte"}, [3, 2, 1], id="by who"),
        pytest.param({"action": "purged"}, [4], id="by action"),
        pytest.param({"object": "fire-1"}, [2], id="by what"),
        pytest.param({"since": "2012-01-30T08:38", "until": "2012-01-30T08:39"}, [2], id="by time on the wall"),
        pytest.param({"actor": "nobody"}, [], id="by somebody who did nothing"),
        pytest.param({"before": "3"}, [2, 1], id="before a number"),
        pytest.param({"before": "9" * 30}, [4, 3, 2, 1], id="before what is no number"),
    ],
)
async def test_lines_are_found(
    client_as: Callable[..., Any], desk: Desk, filters: dict[str, str], found: list[int]
) -> None:
    await enter(desk, 3)
    await enter(desk, 1, actor="vigie", action="purged", object_="archive")
    async with client_as("analyst") as client:
        page = flat(await client.get("/audit", params=filters))
    assert numbers(page) == found


async def test_a_moment_that_is_none_is_refused(client_as: Callable[..., Any], desk: Desk) -> None:
    await enter(desk, 1)
    async with client_as("analyst", language="en") as client:
        answer = await client.get("/audit", params={"since": HOSTILE})
        refused = await client.post("/audit/export", data={"csrf": CSRF, "format": "csv", "since": "never"})
    assert (answer.status_code, refused.status_code) == (422, 422)
    assert "This is no moment" in flat(answer).split('id="since-error"')[1]
    assert "<script>alert" not in answer.text
    assert numbers(answer.text) == []


async def test_a_chain_that_holds_is_said_to_hold(client_as: Callable[..., Any], desk: Desk) -> None:
    await enter(desk, 5)
    async with client_as("analyst", language="en") as client:
        page = flat(await client.post("/audit/check", data={"csrf": CSRF}))
    assert "The chain holds: 5 lines were read" in page
    assert (await audit.entries(desk.engine, most=1))[0].action == "audit_checked"


async def test_a_chain_that_is_broken_is_said_to_be_and_where(client_as: Callable[..., Any], desk: Desk) -> None:
    await enter(desk, 5)
    async with writing(desk.engine) as connection:
        await connection.execute(update(table).where(table.c.number == 3).values(actor="somebody else"))
    async with client_as("analyst", language="fr") as client:
        page = flat(await client.post("/audit/check", data={"csrf": CSRF}))
    assert "La chaîne est rompue à la ligne 3." in page
    assert "La chaîne tient" not in page


async def test_all_lines_go_into_a_file_with_their_hashes(client_as: Callable[..., Any], desk: Desk) -> None:
    await enter(desk, 1203)
    async with client_as("analyst") as client:
        answer = await client.post("/audit/export", data={"csrf": CSRF, "format": "jsonl"})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["number"] for line in lines] == list(range(1203, 0, -1))
    assert all(later["previous"] == earlier["hash"] for later, earlier in itertools.pairwise(lines))
    assert answer.headers["content-disposition"] == 'attachment; filename="audit-1203.jsonl"'
    [entry] = await audit.entries(desk.engine, most=1)
    assert (entry.action, entry.detail["hash"]) == ("audit_exported", lines[0]["hash"])


@pytest.mark.parametrize("turns", range(0, 90, 3))
async def test_who_leaves_in_the_middle_of_a_file_leaves_no_connection_open(desk: Desk, turns: int) -> None:
    await enter(desk, 3)
    cut: list[object] = []
    event.listen(desk.engine.sync_engine.pool, "invalidate", lambda *found: cut.append(found))
    form = f"csrf={CSRF}&format=csv".encode()
    said = [{"type": "http.request", "body": form, "more_body": False}]
    has_begun = asyncio.Event()

    async def receive() -> Message:
        if said:
            return said.pop()
        await has_begun.wait()
        for _ in range(turns):
            await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        has_begun.set()

    visitor = Visitor(account_id="a", name="analyste", role="analyst", language="fr", csrf=CSRF, way="session")
    app = application(desk, [Middleware(As, visitor=visitor)])
    await app(scope_of("/audit/export"), receive, send)
    await desk.viewers.close()
    assert cut == []


async def test_a_spreadsheet_computes_nothing_of_what_it_is_given(client_as: Callable[..., Any], desk: Desk) -> None:
    await enter(desk, 1, actor=HOSTILE, object_='+1"\n=2')
    await enter(desk, 1, actor="nobody")
    async with client_as("analyst") as client:
        typed = {"csrf": CSRF, "format": "csv", "actor": HOSTILE}
        answer = await client.post("/audit/export", data=typed)
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [(row["actor"], row["object"]) for row in rows] == [(f"'{HOSTILE}", "'+1\" =2")]


async def test_a_format_that_is_none_is_refused(client_as: Callable[..., Any], desk: Desk) -> None:
    async with client_as("analyst") as client:
        answer = await client.post("/audit/export", data={"csrf": CSRF, "format": "exe"})
    assert answer.status_code == 422
    assert await audit.entries(desk.engine) == []


async def test_what_lines_say_is_text(client_as: Callable[..., Any], desk: Desk) -> None:
    await enter(desk, 1, actor=HOSTILE, object_=HOSTILE, action="<b>x</b>", detail={HOSTILE: HOSTILE})
    async with client_as("analyst") as client:
        page = flat(await client.get("/audit", params={"object": HOSTILE, "action": "<b>x</b>"}))
    assert numbers(page) == [1]
    assert "<script>alert" not in page
    assert "<b>x</b>" not in page


async def test_a_model_that_was_put_in_force_by_command_stands_there_once(
    client_as: Callable[..., Any], desk: Desk
) -> None:
    made = {"proposed_by": "atelier", "approved_by": HOSTILE, "reason": "moins de fausses"}
    change = ModelChange(change_id="m1", digest="0" * 64, version="hazard/7+d1", decided_at=minutes(0), **made)
    for _ in range(2):
        await take(desk.engine, [Read(change, minutes(1))], minutes(2))
    async with client_as("analyst") as client:
        page = flat(await client.get("/audit"))
    assert len(numbers(page)) == 1
    assert "a appris que le modèle en vigueur a été changé" in page
    assert "hazard/7+d1" in page
    assert HOSTILE not in page


async def test_the_newest_are_one_step_away(client_as: Callable[..., Any], desk: Desk) -> None:
    await enter(desk, 3)
    async with client_as("analyst", language="en") as client:
        page = flat(await client.get("/audit", params={"before": "3", "actor": "astreinte"}))
    assert 'href="/audit?actor=astreinte"' in page

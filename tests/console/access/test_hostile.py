"""What attackers try on pages, by the list of OWASP: every page, every field, both databases."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from itertools import product
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio
from msgspec import structs
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from console.access.door import middleware
from console.access.doors import Doors
from console.access.pace import Pace
from console.access.way_back import way_back
from console.application import PAGES, application
from console.archive.tables import incident
from console.archive.taking import Record, take
from console.desk import Desk
from records import Context, Matcher
from tests.console.entering import csrf_of
from tests.console.made import (
    INCIDENT,
    LE_HAVRE,
    a_bulletin,
    a_notification,
    a_silence,
    a_status,
    a_verdict,
    an_alert,
    minutes,
    some_evidence,
)

Made = Callable[..., Any]
SCRIPT = "<script>alert('x')</script>"
HOSTILE = f"{SCRIPT}\"><img src=x onerror=alert(1)>' onmouseover='alert(2) {{{{7*7}}}} %(x)s \u202e"
NAMES = (
    "level", "hazard", "area", "text", "since", "page", "done", "undo", "again", "next", "after", "item", "incident",
    "message", "language", "channel", "wall", "category", "code", "state", "error", "iss",
)  # fmt: skip
TYPED = (
    "name", "role", "do", "label", "days", "old", "new", "password", "decision", "reason", "by", "what", "words",
    "place",
    "lat", "lon", "seen_at", "seen_by", "url", "question", "answer", "report_id", "other", "why", "withdraws", "hours",
)  # fmt: skip
INJECTIONS = (
    "' OR '1'='1",
    "'; DROP TABLE incident; --",
    '" UNION SELECT password_hash FROM account --',
    "%' AND 1=CAST((SELECT version()) AS int) --",
    "\\'; SELECT pg_sleep(5); --",
    "%_\\%",
    "9" * 400,
    "-1",
    "😀é\u2028",
    HOSTILE,
)
CHOOSING, LISTS = ("level", "hazard", "area", "text", "since"), ("situation", "incidents", "api_incidents")
"""Fields by which these pages choose, tried one by one: one that is refused would hide the others."""
OFTEN = Pace(burst=99_999, per_second=999.0)
GETS = [page for page in PAGES if "GET" in page.methods and page.name != "live"]
POSTS = [page for page in PAGES if "POST" in page.methods]


@pytest_asyncio.fixture(loop_scope="module")
async def attacked(desk: Desk, engine: AsyncEngine) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of a console that is full of hostile words, with all rights, on either database."""
    where = structs.replace(LE_HAVRE, name=HOSTILE)
    told = Context(
        bulletin_id="b1",
        source=HOSTILE,
        kind="operator_notice",
        text=HOSTILE,
        issued_at=minutes(1),
        because={"fr": HOSTILE},
    )
    alert = an_alert(
        place=where,
        also=(HOSTILE,),
        context=(told,),
        explanation={"fr": HOSTILE, "en": HOSTILE},
        evidence=(some_evidence(text=HOSTILE, url="javascript:alert(1)//"), some_evidence(2, platform=HOSTILE)),
    )
    records: list[Record] = [
        alert,
        a_verdict("note", reason=HOSTILE, decided_by=HOSTILE),
        a_notification(receiver=HOSTILE, why=HOSTILE, route=HOSTILE),
        a_silence(author=HOSTILE, reason=HOSTILE, matchers=(Matcher(name="hazard", value=HOSTILE),)),
        a_status(HOSTILE, "blind", why=HOSTILE),
        a_bulletin(text=HOSTILE),
    ]
    await take(engine, records, desk.clock.now())
    changed = replace(desk, engine=engine)
    app = application(changed, middleware(changed, Doors(is_open=True, forms=OFTEN, api=OFTEN)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as client:
        yield client


def filled(path: str, value: str) -> str:
    """Return an address of a page, with a value in place of what it leaves open."""
    parts = (part.partition("}")[2] for part in path.split("{")[1:])
    return path.partition("{")[0] + "".join(f"{quote(value, safe='')}{part}" for part in parts)


async def test_no_field_of_a_query_is_a_part_of_a_statement(attacked: httpx.AsyncClient, engine: AsyncEngine) -> None:
    for page in GETS:
        for injection, names in product(INJECTIONS, [*([name] for name in CHOOSING), NAMES]):
            if names is NAMES or page.name in LISTS:
                params = dict.fromkeys(names, injection)
                answer = await attacked.get(filled(page.path, INCIDENT), params=params)
                assert answer.status_code < 500, (page.name, names, injection)
    async with engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(incident)) == 1


async def test_no_part_of_an_address_is_a_part_of_a_statement(attacked: httpx.AsyncClient) -> None:
    for page in PAGES:
        for injection in INJECTIONS:
            if "{" in page.path and page.name != "live":
                for method in page.methods:
                    answer = await attacked.request(method, filled(page.path, injection))
                    assert answer.status_code < 500, (page.name, injection)


async def test_what_always_holds_chooses_nothing(attacked: httpx.AsyncClient) -> None:
    for injection in INJECTIONS[:5]:
        assert (await attacked.get("/api/incidents", params={"text": injection})).json()["incidents"] == []
        assert (await attacked.get("/api/incidents", params={"area": injection})).json()["incidents"] == []
    assert len((await attacked.get("/api/incidents")).json()["incidents"]) == 1


async def test_no_field_of_a_form_breaks_anything(attacked: httpx.AsyncClient) -> None:
    csrf = csrf_of(await attacked.get("/"))
    for page in POSTS:
        for injection in (*INJECTIONS, ""):
            form = dict.fromkeys((*NAMES, *TYPED), injection) | {"csrf": csrf}
            answer = await attacked.post(filled(page.path, INCIDENT), data=form)
            assert answer.status_code < 500, (page.name, injection)
            if answer.headers.get("content-type", "").startswith("text/html"):
                assert SCRIPT not in answer.text, page.name


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_hostile_words_are_shown_as_words_on_every_page(attacked: httpx.AsyncClient, language: str) -> None:
    shown = 0
    for page in GETS:
        params = {name: HOSTILE for name in NAMES if name not in ("language", "next")}
        for query in ({}, params):
            answer = await attacked.get(
                filled(page.path, INCIDENT), params=query, headers={"accept-language": language}
            )
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            assert SCRIPT not in answer.text, page.name
            assert "<img src=x" not in answer.text, page.name
            assert "onmouseover='alert" not in answer.text, page.name
            assert 'href="javascript:' not in answer.text, page.name
            assert "49 %(x)s" not in answer.text, page.name  # the words are no template either
            shown += "&lt;script&gt;" in answer.text
    assert shown >= 2  # they were there to be shown


async def test_what_somebody_types_is_shown_as_words(attacked: httpx.AsyncClient) -> None:
    csrf = csrf_of(await attacked.get("/"))
    note = {"csrf": csrf, "decision": "note", "reason": HOSTILE, "nonce": "1"}
    assert (await attacked.post(f"/incidents/{INCIDENT}/decide", data=note)).status_code == 303
    page = (await attacked.get(f"/incidents/{INCIDENT}")).text
    assert page.count(SCRIPT) == 0
    answer = await attacked.post("/accounts", data={"csrf": csrf, "name": HOSTILE, "role": HOSTILE})
    assert (answer.status_code, answer.text.count(SCRIPT)) == (422, 0)
    answer = await attacked.post("/accounts", data={"csrf": csrf, "name": SCRIPT, "role": "viewer"})
    assert (answer.status_code, answer.text.count(SCRIPT)) == (200, 0)
    assert "&lt;script&gt;" in (await attacked.get("/accounts")).text


@pytest.mark.parametrize(
    "path",
    [
        "/static/../application.py",
        "/static/..%2fapplication.py",
        "/static/%2e%2e/application.py",
        "/static/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/static/....//application.py",
        "/static//etc/passwd",
        "/static/%5c..%5capplication.py",
        "/static/",
        "/static",
        "/incidents/..%2f..%2f..%2fetc%2fpasswd",
        "/incidents/%2e%2e/record.json",
        "/api/incidents/..%2f..%2fetc%2fpasswd",
    ],
)
async def test_no_address_leads_out_of_the_folder(entered: Made, path: str) -> None:
    async with entered(Doors(is_open=True)) as client:
        answer = await client.send(_raw(client, path))
    assert answer.status_code in (404, 405, 307)
    assert "root:" not in answer.text
    assert "Application:" not in answer.text


def _raw(client: httpx.AsyncClient, path: str) -> httpx.Request:
    """Return a request for an address as it stands: clients put `..` right before they send."""
    request = client.build_request("GET", "/")
    request.url = request.url.copy_with(raw_path=path.encode())
    return request


@pytest.mark.parametrize(
    ("given", "goes_to"),
    [
        ("/incidents?level=alert#x", "/incidents?level=alert#x"),
        ("", "/"),
        ("incidents", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("///evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("\\\\evil.example/", "/"),
        ("/\t/evil.example/", "/"),
        ("/\n/evil.example/", "/"),
        (" //evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("/" + "a" * 4000, "/"),
        ("/\u2028x", "/"),
    ],
)
def test_the_way_back_is_ours(given: str, goes_to: str) -> None:
    assert way_back(given) == goes_to


@pytest.mark.parametrize(
    "given",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "/%0d%0aset-cookie:x=1", "/\t/evil.example"],
)
async def test_nobody_is_sent_elsewhere(entered: Made, account: Made, log_in: Made, given: str) -> None:
    await account("viewer")
    async with entered() as client:
        answer = await log_in(client, "viewer", back=given)
        assert answer.headers["location"] in ("/", "/%0d%0aset-cookie:x=1")
        assert "x" not in client.cookies
        again = await client.get("/login", params={"next": given})
        assert again.headers["location"] in ("/", "/%0d%0aset-cookie:x=1")
        fields = {"csrf": csrf_of(await client.get("/accounts/me")), "language": "fr\r\nset-cookie: x=1", "next": given}
        chosen = await client.post("/language", data=fields)
        assert chosen.headers["location"] in ("/", "/%0d%0aset-cookie:x=1")
        assert "x" not in client.cookies

"""What stands between the network and a page."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route
from starlette.types import Message

from console.access import accounts as of
from console.access import tokens
from console.access.door import middleware
from console.access.doors import Doors
from console.access.headers import policy
from console.access.pace import Pace
from console.application import STATIC, application
from console.archive.database import writing
from console.desk import Desk
from records import ManualClock
from tests.console.entering import csrf_of

Made = Callable[..., Any]
VENDORED = min(STATIC.glob("vendor/**/*.js")).relative_to(STATIC).as_posix()
EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize(
    "path",
    [
        "/login",
        "/",
        "/nowhere",
        "/static/base.css",
        "/static/nothing.css",
        "/api/incidents",
        "/api/nowhere",
        "/login?x=%00",
    ],
)
async def test_every_answer_bears_the_headers(entered: Made, path: str) -> None:
    async with entered() as client:
        answer = await client.get(path)
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    said = answer.headers["content-security-policy"]
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(
        said.split("; ")
    )
    assert "unsafe" not in said
    assert "strict-transport-security" not in answer.headers


async def test_with_https_browsers_are_told_to_stay_there(entered: Made) -> None:
    async with entered(Doors(is_https=True)) as client:
        assert (await client.get("/login")).headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    ("tiles", "pictures"),
    [
        ("", "img-src 'self' data:;"),
        ("https://data.geopf.fr/wmts?z={z}&x={x}&y={y}", "img-src 'self' data: https://data.geopf.fr;"),
        ("https://{s}.tile.example/{z}/{x}/{y}.png", "img-src 'self' data: https://*.tile.example;"),
    ],
    ids=["own map", "one host", "several hosts"],
)
def test_pictures_come_from_outside_only_where_the_settings_say_so(tiles: str, pictures: str) -> None:
    assert pictures in policy(tiles)


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/login", "no-store"),
        ("/static/base.css", "no-cache"),
        ("/static/vendor/none-1.0/x.js", "no-cache"),
        (f"/static/{VENDORED}", "public, max-age=31536000, immutable"),
        ("/api/sources", "no-store"),
    ],
)
async def test_pages_are_kept_nowhere_and_only_files_that_never_change_for_long(
    entered: Made, path: str, kept: str
) -> None:
    async with entered() as client:
        assert (await client.get(path)).headers["cache-control"] == kept


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8080", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:8080", 200),
        ("[::1]:8080", 200),
        ("veille.example.fr", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("evil.example:80@localhost", 421),
        ("[::2]", 421),
        ("", 421),
    ],
)
async def test_only_our_own_names_are_answered(entered: Made, host: str, status: int) -> None:
    async with entered(Doors(hosts=("Veille.example.fr",))) as client:
        assert (await client.get("/login", headers={"host": host})).status_code == status


async def test_a_large_body_is_refused_before_it_is_read(entered: Made) -> None:
    async with entered() as client:
        page = await client.get("/login")
        answer = await client.post("/login", data={"csrf": csrf_of(page), "name": "x" * (1024 * 1024)})
        assert answer.status_code == 413


async def test_a_body_that_tells_no_length_is_counted(entered: Made) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield b"a=" + b"x" * 64 * 1024 + b"&"

    async with entered() as client:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = await client.post("/login", content=endless(), headers=headers)
    assert answer.status_code in (400, 413)
    assert sent < 20


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"--x", "multipart/form-data; boundary=x"),
        (b"\xff\xfe\x00", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (b"csrf", "multipart/form-data; boundary="),
        (b"%%%=%ff&\x80\x81", "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % number for number in range(2000)), "application/x-www-form-urlencoded"),
        (b"csrf=%00", "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
        (b"\x1f\x8b\x08", "application/x-www-form-urlencoded; charset=utf-7"),
    ],
)
async def test_a_body_that_is_no_form_is_refused_calmly(entered: Made, content: bytes, kind: str) -> None:
    async with entered() as client:
        answer = await client.post("/login", content=content, headers={"content-type": kind})
    assert 400 <= answer.status_code < 500


async def test_a_body_that_does_not_come_to_its_end_is_not_waited_for(
    entered: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.access.requests.LONGEST_SECS", 0.05)

    async def begun() -> AsyncIterator[bytes]:
        yield b"name=x"
        await asyncio.Event().wait()

    async with entered() as client, asyncio.timeout(60):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        assert (await client.post("/login", content=begun(), headers=headers)).status_code in (400, 408)
        assert (await client.get("/login")).status_code == 200


@pytest.mark.parametrize("length", ["-1", "1e3", "٣", "999999999999999999999", "9" * 5000, "nine"])
async def test_a_length_that_is_none_is_refused(entered: Made, length: str) -> None:
    async with entered() as client:
        answer = await client.post("/login", content=b"", headers={"content-length": length.encode()})
    assert answer.status_code in (400, 413)


@pytest.mark.parametrize(
    "path", ["/incidents/%00", "/login?next=%00", "/?q=a%00b", "/" + "a" * 9000, "/?" + "a" * 9000]
)
async def test_an_address_made_to_break_something_is_refused(entered: Made, path: str) -> None:
    async with entered() as client:
        assert (await client.get(path)).status_code in (400, 414)


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/login", "PUT"),
        ("/login", "DELETE"),
        ("/logout", "GET"),
        ("/accounts", "PATCH"),
        ("/login", "TRACE"),
        ("/", "POST"),
    ],
)
async def test_no_method_is_answered_that_is_not_declared(entered: Made, path: str, method: str) -> None:
    async with entered() as client:
        assert (await client.request(method, path)).status_code == 405


async def test_no_header_or_field_makes_one_method_another(entered: Made, account: Made, log_in: Made) -> None:
    await account("viewer")
    async with entered() as client:
        await log_in(client, "viewer")
        for header in ("x-http-method-override", "x-method-override", "x-http-method"):
            await client.get("/logout", headers={header: "POST"})
            await client.get("/logout?_method=POST", headers={header: "POST"})
        assert (await client.get("/")).status_code == 200


async def test_who_sends_too_many_forms_has_to_wait(
    clock: ManualClock, entered: Made, account: Made, log_in: Made
) -> None:
    await account("viewer")
    await account("operator")
    doors = Doors(forms=Pace(burst=3, per_second=0.1))
    async with entered(doors) as client, entered(doors, address="192.0.2.7") as other:
        await log_in(client, "viewer")
        page = await client.get("/accounts/me")
        fields = {"csrf": csrf_of(page), "language": "fr", "next": "/"}
        answers = [await client.post("/language", data=fields) for _ in range(4)]
        assert [one.status_code for one in answers] == [303, 303, 303, 429]
        assert answers[-1].headers["retry-after"] == "11"
        assert (await client.get("/")).status_code == 200
        assert (await log_in(other, "operator")).status_code == 303
        clock.advance(timedelta(seconds=11))
        assert (await client.post("/language", data=fields)).status_code == 303


async def test_who_asks_the_api_too_often_has_to_wait(entered: Made) -> None:
    async with entered(Doors(api=Pace(burst=2, per_second=0.5))) as client:
        answers = [await client.get("/api/openapi.json") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[-1].headers["retry-after"] == "3"
    assert "error" in answers[-1].json()


async def test_one_customer_of_ipv6_is_one_address(entered: Made) -> None:
    doors = Doors(api=Pace(burst=1, per_second=0.1))
    seen = []
    for address in ("2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1"):
        async with entered(doors, address=address) as client:
            seen.append((await client.get("/api/openapi.json")).status_code)
    assert seen == [200, 429, 200]


@pytest.mark.parametrize(
    ("path", "above"),
    [
        pytest.param("/incidents/fire-1/decide", "/incidents/fire-1", id="of an incident"),
        pytest.param("/digests/notes/n1/withdraw", "/digests", id="two above"),
        pytest.param("/logout", "/", id="of no page"),
    ],
)
async def test_the_address_of_a_form_loaded_anew_leads_back_to_its_page(entered: Made, path: str, above: str) -> None:
    async with entered(Doors(is_open=True)) as client:
        answer = await client.get(path)
    assert answer.status_code == 405
    assert f'rien n’a été fait. <a href="{above}">' in answer.text
    assert "Method Not Allowed" not in answer.text


async def test_an_incident_that_is_not_known_is_said_to_be_none_in_french(entered: Made) -> None:
    async with entered(Doors(is_open=True)) as client:
        for path in ("/incidents/fire-none", "/incidents/fire-none/record", "/messages/new?incident=fire-none"):
            answer = await client.get(path)
            assert answer.status_code == 404
            assert "Aucun incident ne porte" in answer.text
            assert 'href="/incidents">À la liste des incidents' in answer.text


async def test_a_browser_that_goes_away_while_it_sends_is_no_fault(desk: Desk) -> None:
    app = application(desk, middleware(desk, Doors(is_open=True)))
    coming: list[Message] = [
        {"type": "http.request", "body": b"csrf=", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return coming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"application/x-www-form-urlencoded")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/digests/notes",
        "raw_path": b"/digests/notes",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 80),
        "scheme": "http",
        "http_version": "1.1",
        "root_path": "",
    }
    await app(scope, receive, send)
    assert sent[0]["status"] == 499


async def test_a_page_that_is_not_there_says_so_in_words(entered: Made) -> None:
    async with entered() as client:
        answer = await client.get("/nowhere/<script>")
        assert answer.status_code == 404
        assert "Cette page n’existe pas." in answer.text
        assert "<script>" not in answer.text.replace('<script src="/static/theme.js"></script>', "")
        assert (await client.get("/api/nowhere")).json() == {"error": "Not Found"}


@pytest.mark.parametrize("path", ["/", "/api/incidents"])
async def test_a_fault_of_ours_says_that_nothing_is_shown(desk: Desk, path: str) -> None:
    app = application(desk, middleware(desk, Doors(is_open=True)))
    await desk.engine.dispose()

    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a secret of the inside")

    app.router.routes.insert(0, Route(path, broken))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.get(path)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    if path == "/":
        assert "ne pas voir d’alerte ici ne veut pas dire" in answer.text


@pytest.mark.parametrize(
    ("method", "path", "says"),
    [
        pytest.param("GET", "/", "ne pas voir d’alerte ici ne veut pas dire", id="a page"),
        pytest.param("POST", "/silences", "Rechargez cette page pour l’envoyer à nouveau", id="a form"),
        pytest.param("GET", "/api/incidents", "send it again", id="a program"),
    ],
)
async def test_a_database_that_is_away_is_no_loss_of_what_somebody_sent(
    desk: Desk, method: str, path: str, says: str
) -> None:
    app = application(desk, middleware(desk, Doors(is_open=True)))

    async def away(*_: Any, **__: Any) -> None:
        raise OperationalError("SELECT 1", {}, RuntimeError("database is locked"))

    app.router.routes.insert(0, Route(path, away, methods=[method]))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.request(method, path)
    assert (answer.status_code, says in answer.text) == (503, True)


class Live:
    """A page that goes on for ever, seen through the door: what was sent, and whether it ended."""

    def __init__(self, desk: Desk, *bearing: tuple[bytes, bytes]) -> None:
        self.sent: list[bytes] = []
        self.next = asyncio.Event()
        self.got = asyncio.Event()
        self.bearing = bearing
        app = Starlette(routes=[Route("/live", self.page)], middleware=middleware(desk, Doors()))
        self.task = asyncio.create_task(app(self.scope, self.receive, self.send))

    async def page(self, _: Request) -> StreamingResponse:
        async def rows() -> AsyncIterator[bytes]:
            while True:
                await self.next.wait()
                self.next.clear()
                yield b"row"

        return StreamingResponse(rows())

    @property
    def scope(self) -> dict[str, Any]:
        headers = [(b"host", b"localhost"), *self.bearing]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "method": "GET",
            "path": "/live",
            "raw_path": b"/live",
            "query_string": b"",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "scheme": "http",
        }

    async def receive(self) -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            self.sent.append(message["body"] if message.get("more_body") else b"end")
            self.got.set()

    async def row(self) -> bytes:
        """Let the page send something; return what came."""
        self.got.clear()
        self.next.set()
        await asyncio.wait_for(self.got.wait(), 5)
        return self.sent[-1]


async def test_a_page_that_goes_on_ends_with_the_session_it_was_asked_in(
    desk: Desk, clock: ManualClock, entered: Made, account: Made, log_in: Made
) -> None:
    account_id = await account("viewer")
    async with entered() as client:
        await log_in(client, "viewer")
        live = Live(desk, (b"cookie", f"vigie={client.cookies['vigie']}".encode()))
    assert await live.row() == b"row"
    for _ in range(20):
        clock.advance(timedelta(hours=1))
        assert await live.row() == b"row"  # a wall screen that nobody touches goes on
    await of.disable(desk.engine, account_id=account_id, by="tests", now=clock.now())
    assert await live.row() == b"row"
    clock.advance(timedelta(minutes=1))
    assert await live.row() == b"end"
    live.task.cancel()


async def test_a_page_that_goes_on_ends_with_the_token_it_was_asked_with(
    desk: Desk, clock: ManualClock, account: Made
) -> None:
    account_id = await account("viewer")
    async with writing(desk.engine) as connection:
        token = await tokens.make(connection, account_id, label="x", role="viewer", now=clock.now(), days=1)
    live = Live(desk, (b"authorization", f"Bearer {token}".encode()))
    clock.advance(timedelta(hours=1))
    assert await live.row() == b"row"
    async with writing(desk.engine) as connection:
        (made,) = await tokens.tokens_of(desk.engine, account_id)
        await tokens.revoke(connection, account_id, made.token_id)
    assert await live.row() == b"row"
    clock.advance(timedelta(minutes=1))
    assert await live.row() == b"end"
    live.task.cancel()

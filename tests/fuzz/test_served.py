"""Whatever is asked of what is served without a login: feeds, health, metrics, files of the console; nothing else goes.

The worker's page of health and metrics runs on a port of this machine, and is sent bytes.
"""

import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp

from connectors.sinks.feeds import Feeds
from connectors.sinks.feeds_served import TYPES
from connectors.sinks.feeds_served import application as feeds_served
from console.access.door import middleware
from console.access.doors import Doors
from console.application import STATIC, application
from records import ManualClock
from streams.health import Health, serve
from tests.console.made import MORNING, an_alert
from tests.fuzz.asking import (
    HOSTILE,
    OFTEN,
    Answer,
    Asked,
    a_new_desk,
    answer_of,
    as_query,
    check_plain,
    hostile_value,
    wire,
)
from tests.fuzz.depth import fuzzing
from tests.fuzz.mutating import changed, hostile
from vigie.console_process import with_health

METHODS = ("GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW")
HEADERS = (
    "accept", "accept-encoding", "content-length", "host", "if-match", "if-modified-since", "if-none-match", "if-range",
    "origin", "range", "referer", "transfer-encoding", "upgrade",
)  # fmt: skip
SAID = ("bytes=0-0", "bytes=5-1", "bytes=-1,0-,0-", "bytes=" + "0-0," * 2_000, "W/", '*, "', "gzip;q=x", "9" * 5_000)
FEEDS = [f"/{name}".encode() for name in TYPES]
FILES = sorted(
    f"/static/{path.relative_to(STATIC).as_posix()}".encode() for path in STATIC.rglob("*") if path.is_file()
)
OUTSIDE = [
    b"/static/../application.py",
    b"/static/..%2f..%2fpyproject.toml",
    b"/static//etc/passwd",
    b"/static/%2e%2e/desk.py",
]


def asked_of(chance: Random, paths: list[bytes]) -> Asked:
    """Return a request of one of these addresses, or of one near it."""
    path = chance.choice(paths) if chance.randrange(2) else changed(chance, paths)[:3_000]
    path, _, query = path.partition(b"?")
    drawn = [
        (chance.choice(HEADERS), chance.choice((*SAID, hostile_value(chance)))) for _ in range(chance.randrange(4))
    ]
    headers = wire(*([("host", "localhost")] if chance.randrange(8) else []), *drawn)
    return Asked(
        "served", chance.choice(METHODS), b"/" + as_query(path).lstrip(b"/"), as_query(query), headers, HOSTILE.encode()
    )


@pytest.mark.parametrize("origin", ["", "*"], ids=["for nobody else", "for anybody"])
async def test_of_feeds_two_documents_are_given_and_nothing_else(origin: str, tmp_path: Path) -> None:
    feeds, drawn = Feeds(tmp_path, clock=ManualClock(MORNING), base_url="https://v.example"), []
    await feeds.send(an_alert())

    @fuzzing(150)
    @given(number=st.integers(0, 2**64 - 1))
    def law(number: int) -> None:
        drawn.append(number)

    law()
    app, statuses = feeds_served(feeds, allow_origin=origin), set()
    for number in drawn:
        asked = asked_of(Random(number), FEEDS)  # noqa: S311
        answer = await answer_of(app, asked)
        check_plain(asked, answer)
        statuses.add(answer.status)
        assert answer.status in (200, 304, 404, 405), asked
        assert answer.header(b"access-control-allow-origin") in (b"", origin.encode()), asked
        if answer.status == 200:
            assert asked.method in ("GET", "HEAD"), asked
            assert answer.body in (b"", feeds.documents[unquote(asked.path.decode()).removeprefix("/")]), asked
    assert statuses >= {200, 404, 405}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def console(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ASGIApp]:
    """Return the console as its process serves it, to whom nobody has logged in."""
    async with a_new_desk(tmp_path_factory.mktemp("served")) as desk:
        feeding: Any = SimpleNamespace(is_up_to_date=True)
        yield with_health(application(desk, middleware(desk, Doors(forms=OFTEN, api=OFTEN))), feeding, None)


@pytest.mark.asyncio(loop_scope="module")
@fuzzing(150)
@given(number=st.integers(0, 2**64 - 1))
async def test_of_the_consoles_files_none_is_given_that_is_not_one_of_them(console: ASGIApp, number: int) -> None:
    asked = asked_of(Random(number), [*OUTSIDE, *FILES[:3], *FILES[-1:]])  # noqa: S311
    answer = await answer_of(console, asked, stays=True)
    check_plain(asked, answer)
    assert 200 <= answer.status < 500, asked
    path = unquote(asked.path.decode())
    if answer.status in (200, 206) and path.startswith("/static/"):
        assert is_one_of_them(path, answer), asked


def is_one_of_them(path: str, answer: Answer) -> bool:
    """Tell whether an answer is a file of the folder: its head alone, a part of it, or the whole."""
    file = (STATIC / path.removeprefix("/static/")).resolve()
    is_whole = answer.status == 206 or answer.body in (b"", file.read_bytes())
    return file.is_relative_to(STATIC.resolve()) and is_whole


@pytest.mark.asyncio(loop_scope="module")
async def test_a_file_is_given_whole(console: ASGIApp) -> None:
    for path in FILES[:: len(FILES) // 5]:
        answer = await answer_of(console, Asked("served", "GET", path, headers=wire(("host", "localhost"))), stays=True)
        assert answer.body
        assert is_one_of_them(path.decode(), answer)


@pytest.mark.asyncio(loop_scope="module")
@fuzzing(100)
@given(number=st.integers(0, 2**64 - 1))
async def test_the_consoles_health_says_how_it_is_and_breaks_at_nothing(console: ASGIApp, number: int) -> None:
    asked = asked_of(Random(number), [b"/healthz"])  # noqa: S311
    answer = await answer_of(console, asked)
    check_plain(asked, answer)
    assert 200 <= answer.status < 500, asked
    is_asked = unquote(asked.path.decode()) == "/healthz" and asked.method in ("GET", "HEAD")
    assert not is_asked or answer.status == 200, asked


WHOLE = [
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    b"GET /metrics?name[]=vigie_alerts_total HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain;q=0.5,*/*\r\n"
    b"Accept-Encoding: gzip, deflate\r\nConnection: close\r\n\r\n",
    b"POST /metrics HTTP/1.0\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
]


@pytest.fixture(scope="module")
def port() -> int:
    """Serve the worker's health and metrics; give the port."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        free = int(found.getsockname()[1])
    serve(Health(stall_secs=60), "127.0.0.1", free)
    return free


def told(port: int, sent: bytes) -> bytes:
    """Return all that is answered to bytes that end."""
    parts = []
    with socket.create_connection(("127.0.0.1", port), timeout=30) as server:
        try:
            server.sendall(sent)
            server.shutdown(socket.SHUT_WR)
            while part := server.recv(1 << 16):
                parts.append(part)
        except ConnectionError:  # it left before all was sent
            return b"".join(parts)
    return b"".join(parts)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # nobody closes that server
@fuzzing(100)
@given(sent=hostile(WHOLE))
def test_whatever_is_sent_to_the_workers_page_it_goes_on(port: int, sent: bytes) -> None:
    answer = told(port, sent)
    assert not re.match(rb"HTTP/1.\d 500", answer), answer[:500]
    assert b"\r\nset-cookie:" not in answer.lower(), answer[:500]
    assert told(port, WHOLE[0]).startswith(b"HTTP/1.0 200 OK"), sent

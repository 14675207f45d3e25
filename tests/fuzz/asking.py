"""Asking: a request of the console as it comes over the wire, and its answer looked at as an attacker would."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

from console.access.headers import FIXED
from console.access.pace import Pace
from console.archive.database import address_from, opened
from console.desk import Desk, Setup
from console.live.hub import Hub
from console.messages.map_files import shipped_map
from console.templating import environments
from records import ManualClock
from tests.console.made import MORNING
from tests.fuzz.mutating import SCRIPT, WORDS

MARK = "fuzz7mark"
"""A word that only we say: where it stands in a header or a tag, somebody could write there."""
HOSTILE = f"{SCRIPT}\"><img src=x onerror=alert(1)>' onmouseover='alert(2) {{{{7*7}}}}\r\n{MARK}: 1"
OFTEN = Pace(burst=10**9, per_second=1e9)
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Asked:
    """One request, as it comes over the wire."""

    page: str
    method: str
    path: bytes
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: bytes) -> bytes:
        """Return the first value of a header, nothing where there is none."""
        return next((value for key, value in self.headers if key == name), b"")

    def cookie(self, name: bytes) -> bytes:
        """Return what a cookie is set to, nothing where it is not, or is taken away."""
        given = [value for key, value in self.headers if key == b"set-cookie" and value.startswith(name + b"=")]
        return given[0].partition(b"=")[2].partition(b";")[0].strip(b'"') if given else b""


def wire(*headers: tuple[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    """Return headers as a server hands them over: it lets no line end and no NUL through."""
    return tuple(
        (name.encode(), value.encode("utf-8", "replace").translate(None, b"\r\n\0")) for name, value in headers
    )


def as_query(said: bytes) -> bytes:
    """Return any bytes as a query that comes through: the server refuses what is no visible character of ASCII."""
    return b"".join(bytes([byte]) if 0x20 < byte < 0x7F and byte != ord("#") else b"%%%02X" % byte for byte in said)


def hostile_value(chance: Random) -> str:
    """Return what breaks programs, or what would stand out on a page."""
    how = chance.randrange(6)
    if how < 3:
        return chance.choice(WORDS)
    return HOSTILE if how < 5 else chance.randbytes(chance.randrange(40)).decode("latin-1")


async def answer_of(app: ASGIApp, asked: Asked, *, stays: bool = False) -> Answer:
    """Ask an application as a server does; what it raises is raised here.

    Whoever asks is gone once he has sent all, so that answers without an end have one; a file is read to its end only
    for who stays.
    """
    answer, coming = Answer(0, [], b""), [asked.body]

    async def receive() -> Message:
        if coming:
            return {"type": "http.request", "body": coming.pop(), "more_body": False}
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4" if stays else "2.0"},
        "http_version": "1.1",
        "method": asked.method,
        "scheme": "http",
        "path": unquote(asked.path.decode("ascii")),
        "raw_path": asked.path,
        "query_string": asked.query,
        "root_path": "",
        "headers": asked.headers,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8600),
    }
    await app(scope, receive, send)
    return answer


def check(asked: Asked, answer: Answer) -> None:
    """Look at an answer: no server error, no header of theirs, nobody led elsewhere, no word as markup."""
    assert 200 <= answer.status < 500, asked
    assert {name.encode() for name in FIXED} <= {name for name, _ in answer.headers}, asked
    location = answer.header(b"location")
    assert not location or re.fullmatch(rb"(http://localhost/|/(?![/\\])).*", location), asked
    check_plain(asked, answer)


def check_plain(asked: Asked, answer: Answer) -> None:
    """Look whether somebody wrote a header, or markup."""
    assert not [one for one in answer.headers if any(sign in one[0] + one[1] for sign in b"\r\n\0")], asked
    assert MARK.encode() not in {name for name, _ in answer.headers}, asked
    if answer.header(b"content-type").startswith(b"text/html"):
        check_page(asked, answer.body)


def check_page(asked: Asked, body: bytes) -> None:
    """Look whether hostile words are words on a page."""
    assert SCRIPT.encode() not in body, asked
    assert b"<img src=x" not in body, asked
    assert b"onmouseover='alert" not in body, asked
    assert b'href="javascript:' not in body, asked
    assert b"$" + b"{49}" not in body, asked


@asynccontextmanager
async def a_new_desk(folder: Path) -> AsyncIterator[Desk]:
    """Give a desk with nothing on it yet, in a folder."""
    engine, setup = await opened(address_from(f"sqlite:///{folder / 'console.sqlite'}")), Setup(insee="76351")
    yield Desk(
        engine=engine,
        hub=Hub(),
        clock=ManualClock(MORNING),
        setup=setup,
        messages=shipped_map(),
        templates=environments(setup.zone),
    )
    await engine.dispose()

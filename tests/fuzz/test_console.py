"""Whatever somebody asks of the console: no server error, no word of his as markup, no header that he wrote.

Every address comes from the console's own list and is asked by every method; the fields of queries and forms are those
that its pages read, found in their source.
"""

import ast
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote_from_bytes, unquote, urlencode
from zlib import crc32

import httpx
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from starlette.types import ASGIApp, Message

from console.access.door import middleware
from console.access.doors import Doors
from console.access.headers import FIXED
from console.access.pace import Pace
from console.application import PAGES, application
from console.archive.database import address_from, opened
from console.archive.taking import take
from console.desk import Desk, Setup
from console.live.hub import Hub
from console.messages.map_files import shipped_map
from console.pages.page import Page
from console.templating import environments
from console.trust.watching import Watching
from detectors.profile import profile_text
from records import Context, ManualClock
from tests.console.entering import csrf_of
from tests.console.full import CONFIRMED, LATE, QUESTION, REPORT, REPORTED, SIGNED, fill
from tests.console.made import INCIDENT, LE_HAVRE, a_verdict, an_alert, minutes, some_evidence
from tests.console.trust.told import past
from tests.console.tuning.bench import AgreedTuner, fill_bench
from tests.fuzz.depth import fuzzing
from tests.fuzz.mutating import SCRIPT, WORDS, changed
from vigie.territory import default_profile
from vigie.trust_watch import TrustWatch

CONSOLE = Path(__file__).parents[2] / "console"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
OFTEN = Pace(burst=10**9, per_second=1e9)
MARK = "fuzz7mark"
"""A word that only we say: where it stands in a header or a tag, somebody could write there."""
HOSTILE = f"{SCRIPT}\"><img src=x onerror=alert(1)>' onmouseover='alert(2) {{{{7*7}}}}\r\n{MARK}: 1"
KNOWN = (
    INCIDENT, CONFIRMED, REPORT, QUESTION, "fire-watch", "c-draft", "c-proposed", "c-dropped", "trial-draft",
    "trial-proposed", "pattern", "soon", "m1", "fire", "flood", "76", "alert", "watch", "1", "0", "on", "true", "csv",
    "2012-01-30T07:40", "2012-01-30", "fr", "en", "operator", "admin", "confirm", "reject", "note", "relocate",
    "merge", "split", "merge/x", "take", "answer", "pass_on", "withdraw", "hazard", "=", "=~", "60", "49.5", "0.1",
    *REPORTED.values(), *SIGNED.values(),
)  # fmt: skip
"""What leads deeper than the first refusal."""


def fields_read() -> frozenset[str]:
    """Return the names of all fields that the console's code reads of a query, a form or a cookie."""
    return frozenset(name for path in CONSOLE.rglob("*.py") for name in _names_in(ast.parse(path.read_text("utf-8"))))


def _names_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        inner: Any = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            inner = node.args[0] if node.func.attr in ("get", "getlist", "typed", "field") else None
        elif isinstance(node, ast.Subscript):
            inner = node.slice
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str) and inner.value.isidentifier():
            yield inner.value


FIELDS = sorted(fields_read())
COOKIES = ("vigie", "vigie-form", "__Host-vigie", "language", "vigie-oidc")
HEADERS = (
    "accept", "accept-language", "accept-encoding", "authorization", "content-type", "content-length", "cookie",
    "host", "hx-request", "hx-current-url", "if-match", "if-modified-since", "if-none-match", "last-event-id",
    "origin", "range", "referer", "sec-fetch-site", "transfer-encoding", "x-csrf-token", "x-forwarded-for",
    "x-forwarded-host", "x-forwarded-proto", "x-http-method-override",
)  # fmt: skip
TYPES = (
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data", "application/json",
    "text/plain; charset=utf-7", "application/x-www-form-urlencoded; charset=utf-16", "", "a/b;" * 200,
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """One request, as it comes over the wire."""

    page: str
    method: str
    path: bytes
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: bytes) -> bytes:
        return next((value for key, value in self.headers if key == name), b"")


def request(number: int, page: Page, method: str, csrf: str) -> Asked:
    """Return a request of an address, by chance: some of it known to the console, some hostile."""
    chance = Random(number)  # noqa: S311
    pairs = [(chance.choice(FIELDS), _value(chance)) for _ in range(chance.randint(0, 12))]
    fields, query = pairs[: len(pairs) // 2], pairs[len(pairs) // 2 :]
    headers = [("host", "localhost"), ("accept-language", chance.choice(("fr", "en")))]
    headers += [(chance.choice(HEADERS), _value(chance)) for _ in range(chance.randint(0, 3))]
    if chance.random() < 0.3:
        headers.append(("cookie", f"{chance.choice(COOKIES)}={_value(chance)}"))
    kind, body = _body(chance, fields, csrf)
    headers += [("content-type", kind)] if chance.random() < 0.9 else []
    return Asked(
        page.name,
        method,
        _path(chance, page.path),
        _query(chance, query),
        tuple((name.encode(), value.encode("utf-8", "replace").translate(None, b"\r\n\0")) for name, value in headers),
        body,
    )


def _value(chance: Random) -> str:
    how = chance.randrange(10)
    if how < 4:
        return chance.choice(KNOWN)
    if how < 7:
        return chance.choice(WORDS)
    return HOSTILE if how < 9 else chance.randbytes(chance.randrange(40)).decode("latin-1")


def _path(chance: Random, path: str) -> bytes:
    made = b""
    for piece in path.split("{"):
        name, brace, rest = piece.partition("}")
        made += quote_from_bytes(_value(chance)[:2_000].encode("utf-8", "replace"), safe="").encode() if brace else b""
        made += (rest if brace else name).encode()
    return made


def _query(chance: Random, pairs: list[tuple[str, str]]) -> bytes:
    if chance.randrange(20) == 0:
        return chance.choice((b"%", b"%ff=%fe", b"a=%00", b"&&&==", b"a" * 9_000, b"level=%F0%9F", "é=\u202e".encode()))
    return urlencode([(name, value[:2_000]) for name, value in pairs]).encode()


def _body(chance: Random, pairs: list[tuple[str, str]], csrf: str) -> tuple[str, bytes]:
    if chance.randrange(6):
        return TYPES[0], urlencode([*pairs, ("csrf", csrf)]).encode()
    seed = (
        b'{"decision":"confirm","reason":"x","what":"fire","words":"y","place":{"lat":49.5,"lon":0.1},"hazard":"fire"}'
    )
    multipart = b'--x\r\ncontent-disposition: form-data; name="csrf"\r\n\r\n' + csrf.encode() + b"\r\n--x--\r\n"
    return chance.choice(TYPES), changed(chance, [seed, multipart, urlencode(pairs).encode() or b"a=b"])


async def answer_of(app: ASGIApp, asked: Asked) -> Answer:
    """Ask the application as a server does; what it raises is raised here."""
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
        "asgi": {"version": "3.0"},
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


@dataclass
class Served:
    """The console with everything in it, hostile words too: for anybody at this machine, and for people who log in."""

    open: ASGIApp
    closed: ASGIApp
    csrf: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    engine = await opened(address_from(f"sqlite:///{tmp_path_factory.mktemp('fuzz') / 'console.sqlite'}"))
    setup = Setup(cell=SCRIPT, home=(49.49, 0.11), insee="76351", profile=profile_text(default_profile(LE_HAVRE)))
    desk = Desk(
        engine=engine,
        hub=Hub(),
        clock=ManualClock(LATE),
        setup=setup,
        messages=shipped_map(),
        templates=environments(setup.zone),
        tuner=AgreedTuner(),
        find_place=lambda text: (replace_name(text),) if text else (),
        watching=Watching(TrustWatch(past)),
    )
    await fill(desk)
    await fill_bench(desk)
    await take(engine, hostile_records(), LATE)
    is_open = application(desk, middleware(desk, Doors(is_open=True, forms=OFTEN, api=OFTEN)))
    closed = application(desk, middleware(desk, Doors(forms=OFTEN, api=OFTEN)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(is_open), base_url="http://localhost") as client:
        csrf = csrf_of(await client.get("/"))
    yield Served(is_open, closed, csrf)
    await desk.viewers.close()
    await engine.dispose()


def replace_name(text: str) -> Any:
    """Return a place of the name that was asked for."""
    return structs.replace(LE_HAVRE, name=text[:1000] or "x")


def hostile_records() -> list[Any]:
    """Return an incident of hostile words."""
    told = Context(bulletin_id="b", source=HOSTILE, kind="operator_notice", text=HOSTILE, issued_at=minutes(1))
    alert = an_alert(
        incident_id="fire-hostile",
        place=replace_name(HOSTILE),
        also=(HOSTILE,),
        context=(told,),
        explanation={"fr": HOSTILE, "en": HOSTILE},
        evidence=(some_evidence(text=HOSTILE, url="javascript:alert(1)//"), some_evidence(2, platform=HOSTILE)),
    )
    return [alert, a_verdict("note", incident_id="fire-hostile", reason=HOSTILE, decided_by=HOSTILE)]


EVERY = [(page, method) for page in PAGES for method in METHODS]
"""Every address by every method: those that it does not know are refused, and are no errors either."""


def test_the_fields_are_found() -> None:
    assert {"csrf", "level", "text", "decision", "reason", "lat", "words", "next", "password"} <= set(FIELDS)


@pytest.mark.asyncio(loop_scope="module")
@fuzzing(10)
@given(number=st.integers(0, 2**64 - 1))
async def test_no_request_breaks_anything_or_is_given_back_as_markup(served: Served, number: int) -> None:
    for page, method in EVERY:
        if method not in page.methods and number % 8:
            continue
        asked = request(number ^ hash_of(page, method), page, method, served.csrf)
        check(asked, await answer_of(served.open, asked))
    for page, method in EVERY[number % 7 :: 7]:
        asked = request(number ^ hash_of(page, method), page, method, "nobody")
        check(asked, await answer_of(served.closed, asked))


def hash_of(page: Page, method: str) -> int:
    """Return a number of an address and a method, the same in every run."""
    return crc32(f"{method} {page.path}".encode())


def check(asked: Asked, answer: Answer) -> None:
    """Look at an answer as an attacker would."""
    assert 200 <= answer.status < 500, asked
    assert not [one for one in answer.headers if any(sign in one[0] + one[1] for sign in b"\r\n\0")], asked
    assert {name.encode() for name in FIXED} <= {name for name, _ in answer.headers}, asked
    assert MARK.encode() not in {name for name, _ in answer.headers}, asked
    location = answer.header(b"location")
    assert not location or re.fullmatch(rb"(http://localhost/|/(?![/\\])).*", location), asked
    if answer.header(b"content-type").startswith(b"text/html"):
        check_page(asked, answer.body)


def check_page(asked: Asked, body: bytes) -> None:
    """Look whether hostile words are words on a page."""
    assert SCRIPT.encode() not in body, asked
    assert b"<img src=x" not in body, asked
    assert b"onmouseover='alert" not in body, asked
    assert b'href="javascript:' not in body, asked
    assert b"$" + b"{49}" not in body, asked

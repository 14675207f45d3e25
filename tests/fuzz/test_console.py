"""Whatever somebody asks of the console: no server error, no word of his as markup, no header that he wrote.

Every address comes from the console's own list and is asked by every method; the fields of queries and forms are those
that its pages read, found in their source. Each form that a page shows is filled in and sent, too, and has to be taken
at least once: hostile words are worth something where they get past the first refusal.
"""

import ast
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote_from_bytes, urlencode
from zlib import crc32

import httpx
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from starlette.types import ASGIApp

from console.access import sessions
from console.access.account_rows import insert_account, named
from console.access.door import middleware
from console.access.doors import Doors
from console.access.passwords import hashed
from console.application import PAGES, application
from console.archive.database import address_from, opened, writing
from console.archive.taking import take
from console.desk import Desk, Setup
from console.live.hub import Hub
from console.messages.map_files import shipped_map
from console.pages.page import Page
from console.templating import environments
from console.trust.watching import Watching
from detectors.profile import profile_text
from records import Context, ManualClock
from tests.console.entering import PASSWORD, csrf_of
from tests.console.full import CONFIRMED, LATE, QUESTION, REPORT, REPORTED, SIGNED, fill
from tests.console.made import INCIDENT, LE_HAVRE, a_verdict, an_alert, minutes, some_evidence
from tests.console.trust.told import past
from tests.console.tuning.bench import AgreedTuner, fill_bench
from tests.fuzz.asking import FORM, HOSTILE, OFTEN, Answer, Asked, answer_of, check, hostile_value, wire
from tests.fuzz.depth import fuzzing
from tests.fuzz.forms import SOMEBODY, Form, Gathered, filled, names_in, sent
from tests.fuzz.found import found, name_of
from tests.fuzz.mutating import SCRIPT, changed
from vigie.territory import default_profile
from vigie.trust_watch import TrustWatch

CONSOLE = Path(__file__).parents[2] / "console"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
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
    return frozenset(name for path in CONSOLE.rglob("*.py") for name in names_in(ast.parse(path.read_text("utf-8"))))


FIELDS = sorted(fields_read())
COOKIES = ("vigie", "vigie-form", "__Host-vigie", "language", "vigie-oidc")
HEADERS = (
    "accept", "accept-language", "accept-encoding", "authorization", "content-type", "content-length", "cookie",
    "host", "hx-request", "hx-current-url", "if-match", "if-modified-since", "if-none-match", "last-event-id",
    "origin", "range", "referer", "sec-fetch-site", "transfer-encoding", "x-csrf-token", "x-forwarded-for",
    "x-forwarded-host", "x-forwarded-proto", "x-http-method-override",
)  # fmt: skip
TYPES = (
    FORM, "multipart/form-data; boundary=x", "multipart/form-data", "application/json",
    "text/plain; charset=utf-7", "application/x-www-form-urlencoded; charset=utf-16", "", "a/b;" * 200,
)  # fmt: skip


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
        wire(*headers),
        body,
    )


def _value(chance: Random) -> str:
    return chance.choice(KNOWN) if chance.randrange(10) < 4 else hostile_value(chance)


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


@dataclass
class Served:
    """The console with everything in it, hostile words too: for anybody at this machine, and for people who log in."""

    open: ASGIApp
    closed: ASGIApp
    csrf: str
    desk: Desk
    password_hash: str
    forms: Gathered = field(default_factory=Gathered)
    numbers: "count[int]" = field(default_factory=count)

    def __repr__(self) -> str:
        return "served"  # that of a desk holds all messages, and what was found drowns in it

    async def comes(self) -> tuple[str, str]:
        """Let somebody new log in, twice; return his cookie, and what his forms bring back."""
        now, number = self.desk.clock.now(), next(self.numbers)
        name, more = f"{SOMEBODY} {number}" if number else SOMEBODY, {"password_hash": self.password_hash}
        async with writing(self.desk.engine) as connection:
            await insert_account(connection, name, "admin", now, {"must_change": False, **more}, by="tests")
            row = await named(connection, name)
            assert row
            token, _ = [await sessions.begin(connection, row["account_id"], now) for _ in range(2)]
        who = await sessions.visitor_of(self.desk.engine, token, now)
        assert who
        return f"vigie={token}", who.csrf

    async def send(self, chance: Random, form: Form) -> Answer:
        """Send a form, filled in by chance, as who may send it; keep the forms that its answer shows."""
        app, cookie, csrf = self.open, "", self.csrf
        if form.page.name in OF_A_SESSION:
            app, (cookie, csrf) = self.closed, await self.comes()
        asked = sent(form, filled(chance, form, KNOWN), csrf, cookie)
        answer = await answer_of(app, asked)
        check(asked, answer)
        self.forms.take(form.path, answer)
        return answer


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
    yield Served(is_open, closed, csrf, desk, await hashed(PASSWORD))
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


OF_A_SESSION = frozenset({"make_token", "revoke_token", "end_session", "password"})
"""What only somebody can do who logged in."""
STARTS = (
    f"/incidents/{INCIDENT}",
    f"/incidents/{CONFIRMED}",
    f"/messages/new?{urlencode({'incident': SIGNED['incident'], 'message': SIGNED['message']})}",
    "/silences?name=hazard&sign=%3D&value=fire&minutes=60&check=1",
    "/tuning/candidates/c-draft",
    "/tuning/candidates/c-proposed",
    "/tuning/trials/trial-draft",
    "/tuning/trials/trial-waiting",
    "/",
)
"""Pages that no link leads to as they show most, and the one where all links begin."""
BODIES: dict[str, list[bytes]] = {
    "api_decide": [b'{"decision":"note","reason":"x"}', b'{"decision":"confirm","confirmed_by":"staff","reason":"x"}'],
    "api_report": [
        b'{"what":"fire","seen_by":"caller","words":"y","lat":49.5,"lon":0.1,"seen_at":"2012-01-30T07:40:00Z"}'
    ],
}
"""What is sent to addresses that take JSON."""
SEE_OTHER, REFUSED = 303, 400
TRIES = 12
POSTED = [page for page in PAGES if "POST" in page.methods and not page.is_api]
FIRST = ("profile_propose", "profile_approve", "profile_decline")
"""What is sent before all else: it hangs on a state that other forms end."""
LEADS_ON = frozenset({"messages_write"})
"""What is shown once more before it is signed: it is taken where it leads to another page."""


async def gather(served: Served) -> Gathered:
    """Look for the forms of all pages: those of the open door, of somebody who logged in, and of nobody known."""
    if not served.forms.forms:
        cookie, _ = await served.comes()
        await served.forms.look(served.open, STARTS)
        await served.forms.look(served.closed, ["/accounts/me", "/password"], cookie)
        await served.forms.look(served.closed, ["/login"])
    return served.forms


@pytest.mark.asyncio(loop_scope="module")
async def test_every_form_is_taken_at_least_once(served: Served) -> None:
    await gather(served)
    first = [page for name in FIRST for page in POSTED if page.name == name]
    refused = {page.name: why for page in dict.fromkeys([*first, *POSTED]) if (why := await refusals(served, page))}
    assert refused == {}


def is_taken(page: Page, answer: Answer) -> bool:
    """Tell whether a form was not refused."""
    return answer.status == SEE_OTHER if page.name in LEADS_ON else answer.status < REFUSED


async def refusals(served: Served, page: Page) -> list[int]:
    """Return with what a page's forms were refused each time; nothing where one was taken."""
    statuses: list[int] = []
    for number in range(TRIES):
        chance = Random(number)  # noqa: S311
        form = served.forms.one_of(page, chance)
        answer = await served.send(chance, form) if form else None
        if answer and is_taken(page, answer):
            await served.forms.look(served.open, [answer.header(b"location").decode()])
            return []
        statuses.append(answer.status if answer else 0)
    return statuses


@pytest.mark.asyncio(loop_scope="module")
@fuzzing(3, shrinks=False)
@given(number=st.integers(0, 2**64 - 1))
async def test_no_form_breaks_anything(served: Served, number: int) -> None:
    gathered = await gather(served)
    for page in POSTED:
        chance = Random(number ^ hash_of(page, "POST"))  # noqa: S311
        if form := gathered.one_of(page, chance):  # some are shown only once others were sent
            await served.send(chance, form)


def test_every_address_that_takes_json_is_fuzzed() -> None:
    assert {page.name for page in PAGES if page.is_api and "POST" in page.methods} == set(BODIES)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", BODIES)
async def test_every_body_is_taken(served: Served, name: str) -> None:
    for body in BODIES[name]:
        assert (await send_json(served, name, body)).status < REFUSED


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", BODIES)
@fuzzing(30)
@given(number=st.integers(0, 2**64 - 1))
async def test_no_body_breaks_anything(served: Served, name: str, number: int) -> None:
    await send_json(served, name, changed(Random(number), BODIES[name]))  # noqa: S311


async def send_json(served: Served, name: str, body: bytes) -> Answer:
    """Send JSON to an address of the API, as a script of our own page may."""
    page = next(page for page in PAGES if page.name == name)
    headers = wire(("host", "localhost"), ("content-type", "application/json"), ("x-csrf-token", served.csrf))
    asked = Asked(name, "POST", page.path.replace("{incident_id}", INCIDENT).encode(), headers=headers, body=body)
    answer = await answer_of(served.open, asked)
    check(asked, answer)
    return answer


def hash_of(page: Page, method: str) -> int:
    """Return a number of an address and a method, the same in every run."""
    return crc32(f"{method} {page.path}".encode())


EVERY = [(page, method) for page in PAGES for method in METHODS]
"""Every address by every method: those that it does not know are refused, and are no errors either."""


def test_the_fields_are_found() -> None:
    assert {"csrf", "level", "text", "decision", "reason", "lat", "words", "next", "password"} <= set(FIELDS)


@pytest.mark.asyncio(loop_scope="module")
@fuzzing(6, shrinks=False)
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


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("name", "path"), found("console"), ids=name_of)
async def test_a_request_that_was_found_stays_mended(served: Served, name: str, path: Path) -> None:
    asked = asked_in(name, path, served.csrf)
    check(asked, await answer_of(served.open, asked))


def asked_in(name: str, path: Path, csrf: str) -> Asked:
    """Return a request as it was kept: a line, headers, and after an empty line the body; `CSRF` is our token."""
    head, _, body = path.read_bytes().replace(b"CSRF", csrf.encode()).partition(b"\n\n")
    first, *headers = head.split(b"\n")
    method, _, address = first.partition(b" ")
    where, _, query = address.partition(b"?")
    pairs = tuple((key, value.removeprefix(b" ")) for key, _, value in (line.partition(b":") for line in headers))
    return Asked(name, method.decode(), where, query, pairs, body)

"""What the tests of the console share: an alert of Le Havre, the map that comes with Vigie, databases, pages."""

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import psycopg
import pytest
import pytest_asyncio
import structlog
from click.testing import CliRunner, Result
from playwright.async_api import Browser, Page, async_playwright, expect
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from console.access.account_rows import insert_account, named
from console.access.door import middleware
from console.access.doors import Doors
from console.access.entrance import Entrance
from console.access.passwords import hashed
from console.access.roles import Role
from console.access.visitor import Visitor
from console.application import application
from console.archive.database import address_from, opened, writing
from console.desk import Desk, Setup
from console.live.hub import Hub
from console.messages.map_files import check_map, shipped_map
from console.messages.message_map import MessageMap
from console.templating import environments
from records import Alert, Context, ManualClock
from tests.console import chromium, postgres
from tests.console.entering import ADDRESS, PASSWORD, csrf_of
from tests.console.made import INCIDENT, LE_HAVRE, MORNING
from vigie.cli import main

HERE = Path(__file__).parent
expect.set_options(timeout=30_000)  # milliseconds, as all else that is waited for: the machine may be busy


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the tests of a file share a loop, and with it the program that drives the browser.

    Asynchronous fixtures are of that loop as well (`loop_scope="module"`).
    """
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest.fixture(scope="session")
def alert_with() -> Callable[..., Alert]:
    """Make an alert of Le Havre: a watch by one witness where nothing else is said."""

    def made(**changes: Any) -> Alert:
        fields: dict[str, Any] = {
            "incident_id": INCIDENT,
            "revision": 1,
            "level": "watch",
            "hazard": "fire",
            "place": LE_HAVRE,
            "onset": MORNING,
            "raised_at": MORNING,
            "score": 0.5,
            "probability": 0.9,
            "severity": "Unknown",
            "urgency": "Immediate",
            "certainty": "Possible",
            "evidence": (),
            "posts": 1,
            "authors": 1,
            "witnesses": 1,
            "copies": 0,
            "explanation": {"fr": "Un seul témoin.", "en": "A single witness."},
            "unknowns": (),
            "thresholds": {},
            "profile": "city/1",
            "versions": {},
            "area": "76",
        }
        return Alert(**{**fields, **changes})

    return made


@pytest.fixture(scope="session")
def notice() -> Context:
    return Context(
        bulletin_id="notices:1",
        source="notices",
        kind="operator_notice",
        text="Torche visible",
        issued_at=MORNING,
        fits=True,
        because={"fr": "même moment", "en": "same time"},
    )


@pytest.fixture(scope="session")
def shipped() -> MessageMap:
    return shipped_map()


@pytest.fixture
def findings(tmp_path: Path) -> Callable[[str], list[str]]:
    """Write a map of one's own and return what is wrong with it, without the name of its folder."""

    def found(toml: str) -> list[str]:
        path = tmp_path / "own.toml"
        path.write_text(toml, encoding="utf-8")
        return [str(finding).replace(f"{tmp_path}/", "") for finding in check_map(path)]

    return found


@pytest.fixture
def vigie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Run the command in this process, in a folder without settings."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path, input: bytes | None = None) -> Result:  # noqa: A002  click's name
        try:
            return CliRunner().invoke(main, [str(argument) for argument in arguments], input=input)
        finally:
            structlog.reset_defaults()

    return run


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Run Debian's PostgreSQL; give its address."""
    programs = postgres.binaries()
    if programs is None:
        if os.environ.get("VIGIE_REQUIRE_POSTGRESQL"):
            pytest.fail("there is no PostgreSQL server here: install Debian's package postgresql")
        pytest.skip("there is no PostgreSQL server here: install Debian's package postgresql")
    with TemporaryDirectory(prefix="vigie-postgresql-") as folder, postgres.running(Path(folder), programs) as address:
        yield address


@pytest.fixture(scope="session")
def shaped(postgresql: str) -> str:
    """Make an archive without content on PostgreSQL, to be copied."""
    asyncio.run(_shaped(f"{postgresql}/postgres"))
    return "postgres"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of an archive without content; each test that asks for it runs on both kinds of database."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("empty_archive"), tmp_path / "console.sqlite")
        yield f"sqlite:///{tmp_path / 'console.sqlite'}"
        return
    server: str = request.getfixturevalue("postgresql")
    template: str = request.getfixturevalue("shaped")
    name = f"t{secrets.token_hex(6)}"
    with psycopg.connect(f"{server}/template1", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        yield f"{server}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest_asyncio.fixture(loop_scope="module")
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    """Open an archive without content, on both kinds of database."""
    engine = await opened(address_from(database))
    yield engine
    await engine.dispose()


async def _shaped(address: str) -> None:
    engine = await opened(address_from(address))
    await engine.dispose()


@pytest.fixture(scope="session")
def empty_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an archive without content on SQLite, to be copied: to give it its shape takes long."""
    file = tmp_path_factory.mktemp("archive") / "console.sqlite"
    asyncio.run(_shaped(f"sqlite:///{file}"))
    return file


@pytest_asyncio.fixture(loop_scope="module")
async def sqlite_engine(tmp_path: Path, empty_archive: Path) -> AsyncIterator[AsyncEngine]:
    """Open an archive without content, on SQLite alone: for what does not hang on the database."""
    shutil.copy(empty_archive, tmp_path / "console.sqlite")
    engine = await opened(address_from(f"sqlite:///{tmp_path / 'console.sqlite'}"))
    yield engine
    await engine.dispose()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MORNING)


@pytest_asyncio.fixture(loop_scope="module")
async def desk(sqlite_engine: AsyncEngine, clock: ManualClock, shipped: MessageMap) -> AsyncIterator[Desk]:
    """Make a desk on an archive without content, that morning at Le Havre."""
    setup = Setup(cell="Ville du Havre", home=(49.49, 0.11), zoom=12, insee="76351")
    desk = Desk(
        engine=sqlite_engine, hub=Hub(), clock=clock, setup=setup, messages=shipped, templates=environments(setup.zone)
    )
    yield desk
    await desk.viewers.close()  # what they still look up ends before the archive is closed


CSRF = "a-token-of-the-tests"
NO_CHROMIUM = "there is no Chromium here: install Debian's package chromium-headless-shell"


class As:
    """Says who asks, without a login: for tests of pages, which are not about that."""

    def __init__(self, app: ASGIApp, visitor: Visitor) -> None:
        self._app = app
        self._visitor = visitor
        self._entrance = Entrance(doors=Doors())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {}).update(visitor=self._visitor, entrance=self._entrance)
        await self._app(scope, receive, send)


@pytest.fixture
def client_as(desk: Desk) -> Callable[..., Any]:
    """Return what makes a client of the console with somebody of a role behind it; None: nobody known."""

    @asynccontextmanager
    async def made(
        role: Role | None = "operator", *, language: str = "fr", desk: Desk = desk
    ) -> AsyncIterator[httpx.AsyncClient]:
        visitor = (
            Visitor(
                account_id=f"account-{role}",
                name=f"astreinte ({role})",
                role=role,
                language=language,
                csrf=CSRF,
                way="session",
            )
            if role
            else Visitor()
        )
        app = application(desk, [Middleware(As, visitor=visitor)])
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://console.test") as client:
            yield client

    return made


@pytest.fixture
def entered(desk: Desk) -> Callable[..., Any]:
    """Return what makes a client of the guarded console, not logged in; several share what was tried at its doors."""
    guards: dict[Doors, Any] = {}

    @asynccontextmanager
    async def made(doors: Doors = Doors(), *, address: str = "127.0.0.1") -> AsyncIterator[httpx.AsyncClient]:  # noqa: B008
        app = guards.setdefault(doors, application(desk, middleware(desk, doors)))
        transport = httpx.ASGITransport(app=app, client=(address, 50000))
        base = ADDRESS.replace("http:", "https:") if doors.is_https else ADDRESS
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            yield client

    return made


@pytest.fixture(scope="session")
def password_hash() -> str:
    return asyncio.run(hashed(PASSWORD))


@pytest.fixture
def account(desk: Desk, password_hash: str) -> Callable[..., Any]:
    """Return what makes an account that has chosen its password; the name is the role's where none is given."""

    async def made(role: Role, name: str = "") -> str:
        async with writing(desk.engine) as connection:
            more = {"password_hash": password_hash, "must_change": False}
            await insert_account(connection, name or role, role, desk.clock.now(), more, by="tests")
            row = await named(connection, name or role)
        assert row
        return str(row["account_id"])

    return made


@pytest.fixture
def log_in() -> Callable[..., Any]:
    """Return what logs a client in, as a browser would."""

    async def made(client: httpx.AsyncClient, name: str, password: str = PASSWORD, back: str = "/") -> httpx.Response:
        page = await client.get("/login")
        fields = {"csrf": csrf_of(page), "name": name, "password": password, "next": back}
        return await client.post("/login", data=fields)

    return made


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run Debian's Chromium, once for all tests; give the address by which it is driven."""
    found = chromium.program()
    if found is None:
        if os.environ.get("VIGIE_REQUIRE_BROWSER"):
            pytest.fail(NO_CHROMIUM)
        pytest.skip(NO_CHROMIUM)
    with chromium.running(tmp_path_factory.mktemp("chromium"), found) as address:
        yield address


@pytest.fixture
def asked_outside() -> list[str]:
    """List what `chromium_page` asked of other hosts than this one; none of it was sent."""
    return []


@pytest.fixture
def page_errors() -> list[str]:
    """List the errors of `chromium_page`: of its scripts, and of what its policy forbids."""
    return []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def driven(browser: str) -> AsyncIterator[Browser]:
    """Drive the browser."""
    async with async_playwright() as playwright:
        found = await playwright.chromium.connect_over_cdp(browser)
        yield found
        await found.close()


@pytest_asyncio.fixture(loop_scope="module")
async def chromium_page(driven: Browser, asked_outside: list[str], page_errors: list[str]) -> AsyncIterator[Page]:
    """Open a page in a context of its own: no cookies, nothing stored, French."""
    context = await driven.new_context(locale="fr-FR", viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    chromium.watch(context, page, asked_outside, page_errors)
    yield page
    await context.close()

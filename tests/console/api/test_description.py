"""The API answers as its description says, whatever is sent."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from console.access import tokens
from console.access.account_rows import insert_account, named
from console.access.door import middleware
from console.access.doors import Doors
from console.access.pace import Pace
from console.api.description import description
from console.application import PAGES, application
from console.archive.database import address_from, opened, writing
from console.archive.taking import Record, take
from console.desk import Desk, Setup
from console.live.hub import Hub
from console.messages.message_map import MessageMap
from console.pages.api import OPERATIONS
from console.templating import environments
from records import ManualClock
from tests.console.made import MORNING, a_notification, a_silence, a_status, a_verdict, an_alert

OFTEN = Doors(api=Pace(burst=99_999, per_second=9999.0))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
    ignored_auth,
]
"""All that bear on what is described. Not `positive_data_acceptance`: what fits the schema may still be impossible, as
the confirmation of an incident by nobody."""

schema = schemathesis.openapi.from_dict(description(OPERATIONS))


@dataclass(frozen=True)
class Served:
    """Where the console is served, and a token that may do all that a token may."""

    address: str
    token: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, shipped: MessageMap) -> Iterator[Served]:
    """Serve the console in a thread of its own: who asks it knows nothing of its loop."""
    thread = _Serving(tmp_path_factory.mktemp("api") / "console.sqlite", shipped)
    thread.start()
    thread.is_ready.wait(30)
    yield thread.served
    thread.server.should_exit = True
    thread.join(30)


class _Serving(threading.Thread):
    served: Served
    server: uvicorn.Server

    def __init__(self, database: Path, shipped: MessageMap) -> None:
        super().__init__()
        self.is_ready = threading.Event()
        self._database = database
        self._shipped = shipped

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        desk = Desk(
            engine=await opened(address_from(f"sqlite:///{self._database}")),
            hub=Hub(),
            clock=ManualClock(MORNING),
            setup=Setup(),
            messages=self._shipped,
            templates=environments("Europe/Paris"),
        )
        token = await _fill(desk)
        app = application(desk, middleware(desk, OFTEN))
        self.server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_level="error", ws="none"))
        serving = asyncio.create_task(self.server.serve())
        while not self.server.started:  # noqa: ASYNC110  uvicorn tells it by no event
            await asyncio.sleep(0)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.served = Served(f"http://127.0.0.1:{port}", token)
        self.is_ready.set()
        await serving
        await desk.engine.dispose()


async def _fill(desk: Desk) -> str:
    now = desk.clock.now()
    records: list[Record] = [
        an_alert(),
        a_verdict(),
        a_notification(),
        a_silence(),
        a_status(),
        a_status("rss", "blind"),
    ]
    await take(desk.engine, records, now)
    async with writing(desk.engine) as connection:
        await insert_account(connection, "admin", "admin", now, {"must_change": False}, by="tests")
        row = await named(connection, "admin")
        assert row
        return await tokens.make(connection, row["account_id"], label="x", role="admin", now=now, days=300)


@schema.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_api_answers_as_it_is_described(case: Any, served: Served) -> None:
    # The same questions every time: some made to be refused (an empty list as a parameter) lose on the way to the
    # address what made them wrong, and no answer to those is right.
    headers = {"Authorization": f"Bearer {served.token}"}
    case.call_and_validate(base_url=served.address, headers=headers, checks=CHECKS)


def test_the_description_is_the_one_that_is_served(served: Served) -> None:
    answer = httpx.get(f"{served.address}/api/openapi.json")
    assert answer.json() == msgspec.json.decode(msgspec.json.encode(description(OPERATIONS)))


def test_every_address_of_the_api_is_described() -> None:
    described = {(path, method.upper()) for path, found in description(OPERATIONS)["paths"].items() for method in found}
    assert described == {(page.path, page.methods[0]) for page in PAGES if page.path.startswith("/api/")}


def test_a_description_tells_what_each_address_needs() -> None:
    changed = description([replace(one, needs="audit") for one in OPERATIONS])
    assert all("`audit`" in op["description"] for found in changed["paths"].values() for op in found.values())

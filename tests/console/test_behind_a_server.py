"""The console behind the servers of the examples: their own programs, their own files, HTTPS, in front of ours."""

import asyncio
import os
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import trustme
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from console.access.door import middleware
from console.access.doors import Doors
from console.application import application
from console.desk import Desk
from vigie.broker import free_port
from vigie.serving import listening_on, serve

EXAMPLES = Path(__file__).parents[2] / "deploy" / "examples"
NAME = "vigie.example.org"
READY_SECS = 20.0
ELSEWHERE = "127.0.0.2"
"""Where the browser asks from: another address than the one that the server in front asks from."""
pytestmark = pytest.mark.timeout(120)


class Noting:
    """Notes where requests come from, as the console sees it."""

    def __init__(self, app: ASGIApp, *, seen: list[str]) -> None:
        self._app = app
        self._seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._seen.append(scope["client"][0])
        await self._app(scope, receive, send)


@pytest.fixture
def seen() -> list[str]:
    return []


@pytest_asyncio.fixture(loop_scope="module")
async def port(desk: Desk, seen: list[str]) -> AsyncIterator[int]:
    """Serve the console as `vigie console` does with the settings of the example; give its port."""
    guards = middleware(desk, Doors(is_https=True, hosts=(NAME,)))
    listening = listening_on("127.0.0.1", 0, "console")
    serving = asyncio.create_task(serve(application(desk, [Middleware(Noting, seen=seen), *guards]), listening))
    yield listening.getsockname()[1]
    await desk.viewers.close()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


@pytest_asyncio.fixture(params=["nginx", "caddy"], loop_scope="module")
async def front(request: pytest.FixtureRequest, port: int, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Put a server in front; give a browser that asks for it by its name."""
    program = shutil.which(request.param, path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip(f"there is no {request.param} here: install Debian's package of that name")
    authority, outside = trustme.CA(), free_port()
    issued = authority.issue_cert(NAME)
    issued.private_key_pem.write_to_path(tmp_path / "key")
    for number, blob in enumerate(issued.cert_chain_pems):
        blob.write_to_path(tmp_path / "chain", append=number > 0)
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    with {"nginx": nginx, "caddy": caddy}[request.param](program, tmp_path, port, outside):
        connecting = httpx.AsyncHTTPTransport(verify=trusted, local_address=ELSEWHERE)
        async with httpx.AsyncClient(transport=Resolved(connecting), base_url=f"https://{NAME}:{outside}") as client:
            await answering(client)
            yield client


class Resolved(httpx.AsyncBaseTransport):
    """Asks this machine for what it is asked for by name."""

    def __init__(self, asked: httpx.AsyncHTTPTransport) -> None:
        self._asked = asked

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        sent = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1"),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": NAME},
        )
        return await self._asked.handle_async_request(sent)

    async def aclose(self) -> None:
        await self._asked.aclose()


async def answering(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(READY_SECS):
        while True:
            try:
                await client.get("/static/icon.svg")
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return


@contextmanager
def nginx(program: str, folder: Path, port: int, outside: int) -> Iterator[None]:
    text = (EXAMPLES / "nginx.conf").read_text(encoding="utf-8")
    text = text.replace("listen 443 ssl http2", f"listen 127.0.0.1:{outside} ssl http2")
    text = text.replace("listen 80;", f"listen 127.0.0.1:{free_port()};").replace(":8600", f":{port}")
    text = text.replace("/etc/ssl/vigie.example.org.pem", f"{folder}/chain")
    text = text.replace("/etc/ssl/private/vigie.example.org.key", f"{folder}/key")
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    head = f"daemon off;\nerror_log {folder}/error;\npid {folder}/pid;\nevents {{}}\n"
    (folder / "nginx.conf").write_text(f"{head}http {{\naccess_log off;\n{paths}{text}}}\n", encoding="utf-8")
    with started(program, "-p", str(folder), "-e", str(folder / "error"), "-c", str(folder / "nginx.conf")):
        yield


@contextmanager
def caddy(program: str, folder: Path, port: int, outside: int) -> Iterator[None]:
    text = (EXAMPLES / "Caddyfile").read_text(encoding="utf-8").replace(":8600", f":{port}")
    site = f"{NAME}:{outside} {{\n\tbind 127.0.0.1\n\ttls {folder}/chain {folder}/key\n"
    whole = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + text.replace(f"{NAME} {{\n", site)
    (folder / "Caddyfile").write_text(whole, encoding="utf-8")
    with started(program, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile"), home=folder):
        yield


@contextmanager
def started(*command: str, home: Path | None = None) -> Iterator[None]:
    environ = os.environ | ({"HOME": str(home), "XDG_DATA_HOME": str(home)} if home else {})
    process = subprocess.Popen(  # noqa: S603
        command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


async def test_people_log_in_over_https(
    front: httpx.AsyncClient, account: Callable[..., Any], log_in: Callable[..., Any]
) -> None:
    await account("operator")
    answer = await log_in(front, "operator")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "__Host-vigie" in answer.headers["set-cookie"]
    assert (await front.get("/")).status_code == 200


async def test_the_console_sees_where_people_come_from_whatever_they_write(
    front: httpx.AsyncClient, seen: list[str]
) -> None:
    seen.clear()
    await front.get("/login", headers={"x-forwarded-for": "203.0.113.9"})
    assert seen == [ELSEWHERE]


async def test_who_asks_for_another_name_gets_no_page(front: httpx.AsyncClient) -> None:
    answer = await front.get("/login", headers={"host": "elsewhere.example"})
    assert "<form" not in answer.text
    assert "<form" in (await front.get("/login")).text


async def test_what_changes_comes_at_once(
    front: httpx.AsyncClient, desk: Desk, account: Callable[..., Any], log_in: Callable[..., Any]
) -> None:
    await account("operator")
    await log_in(front, "operator")
    async with asyncio.timeout(10), front.stream("GET", "/live") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if line == "event: alive":
                break

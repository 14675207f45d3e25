"""Debian's Chromium, for the tests that look at a page: started once, asked nothing of, and stopped at the end."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import uvicorn
from playwright.async_api import BrowserContext, Page, Request
from starlette.types import ASGIApp

LISTENING = "DevTools listening on "
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # it may be run by root, and shows only our own pages
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # whatever a page asks, nothing leaves the machine
    "--remote-debugging-port=0",
)


PROGRAMS = ("chromium-headless-shell", "chromium")
"""Both show the same; the shell, without windows and menus of its own, opens a page in a quarter of the time."""


def program() -> str | None:
    """Return where Chromium is, None where it is not."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextmanager
def running(folder: Path, chromium: str, *flags: str) -> Iterator[str]:
    """Run a browser with an empty profile; give the address by which it is driven."""
    command = [chromium, *FLAGS, *flags, f"--user-data-dir={folder}", "about:blank"]
    with subprocess.Popen(  # noqa: S603  Debian's own
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HOME": str(folder), "TMPDIR": str(folder)},
        start_new_session=True,
    ) as browser:
        assert browser.stderr is not None
        said = []
        try:
            for line in browser.stderr:
                said.append(line)
                if line.startswith(LISTENING):
                    break
            else:
                raise AssertionError("Chromium did not start: " + "".join(said))
            rest = Thread(target=browser.stderr.read, daemon=True)  # else it would wait for a reader
            rest.start()
            yield line.removeprefix(LISTENING).strip()
        finally:
            # Debian's command waits for the shell as its child, and has to go with it; the profile is thrown away.
            os.killpg(browser.pid, signal.SIGKILL)


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an application on the loopback; give its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", ws="none")
        server = uvicorn.Server(config)
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[listening])
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            server.force_exit = True
            await server.shutdown(sockets=[listening])
            if tasks := server.server_state.tasks:
                await asyncio.wait(tasks, timeout=5)


CUT_OFF = ("Failed to load resource: net::ERR_", "TypeError: Failed to fetch")
"""What a page says of what it was loading and nobody wants any more: tiles of a map that was moved, or of a page that
was left."""


def watch(context: BrowserContext, page: Page, asked_outside: list[str], page_errors: list[str]) -> None:
    """Note what the page asks of other hosts, and every error it tells its console: what its policy forbids, too."""

    def note(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname != "127.0.0.1":
            asked_outside.append(request.url)

    context.on("request", note)
    page.on("console", lambda said: page_errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: page_errors.append(str(error)))

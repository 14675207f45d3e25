"""Viewers: how soon those who look on are told, when many look and much happens. The server has one core.

Run     `python tests/benchmarks/console/viewers.py [viewers] [updates a second] [seconds]`
Shape   a console on SQLite in a process of its own that raises incidents at a steady rate; this process looks on
Units   milliseconds from before a revision is put into the archive until a viewer has read it whole, by one clock
"""

import asyncio
import os
import re
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles

import uvicorn
from msgspec.structs import replace
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from console.access.visitor import Visitor
from console.application import application
from console.archive.database import address_from, opened
from console.archive.taking import take
from console.desk import Desk, Setup
from console.live.hub import Hub
from console.messages.map_files import shipped_map
from console.templating import environments
from records import Alert, SourceStatus, SystemClock, decode
from vigie.broker import free_port

GOLDEN = Path(__file__).parents[2] / "golden" / "alert.json"
INCIDENTS = 200
A_TURN = 0.1  # seconds between two transactions, as a consumer of a topic takes them
RAISED = re.compile(rb'data-raised=\\"([0-9.]+)\\"')


class As:
    """Lets everybody in as a viewer: what a login costs is no part of this."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["visitor"] = Visitor(account_id="wall", name="wall", role="viewer", language="fr")
        await self._app(scope, receive, send)


async def serve(port: int, rate: float) -> None:
    """Serve the console, and raise so many revisions a second of a fixed number of incidents."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        engine = await opened(address_from(f"sqlite:///{folder}/console.sqlite"))
        clock, setup = SystemClock(), Setup()
        desk = Desk(
            engine=engine,
            hub=Hub(),
            clock=clock,
            setup=setup,
            messages=shipped_map(),
            templates=environments(setup.zone),
        )
        server = uvicorn.Server(
            uvicorn.Config(application(desk, [Middleware(As)]), port=port, log_level="error", ws="none", backlog=4096)
        )
        raising = asyncio.create_task(_raise(desk, rate))
        try:
            await server.serve()
        finally:
            raising.cancel()
            await engine.dispose()


async def _raise(desk: Desk, rate: float) -> None:
    pattern = decode(GOLDEN.read_bytes(), Alert)
    number, began = 0, time.monotonic()
    while True:
        now = desk.clock.now()
        due = int((time.monotonic() - began) * rate) - number
        alerts = [_revision(pattern, number + one, now) for one in range(due)]
        number += due
        status = SourceStatus(
            source="bluesky", way="network", state="listening", at=now, since=now - timedelta(hours=1), last_sign_at=now
        )
        desk.hub.changed(*await take(desk.engine, [*alerts, status], now))
        await asyncio.sleep(A_TURN)


def _revision(pattern: Alert, number: int, now: datetime) -> Alert:
    revision, incident = divmod(number, INCIDENTS)
    north, east = divmod(incident, 20)
    return replace(
        pattern,
        incident_id=f"fire-{incident:016x}",
        revision=revision + 1,
        level="alert" if incident % 5 else "watch",
        place=replace(pattern.place, lat=45.0 + north / 3, lon=east / 3),
        onset=now - timedelta(minutes=incident),
        raised_at=now,
        unknowns=("no_official_word",),
    )


async def look_on(port: int, until: float, delays: list[float], told: Counter[str]) -> None:
    """Read the stream of one viewer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    writer.write(b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    while (left := until - time.monotonic()) > 0:
        try:
            async with asyncio.timeout(left):
                size = int(await reader.readline(), 16)
                batch = await reader.readexactly(size + 2)
        except TimeoutError:
            break
        if not size:
            told["let go"] += 1
            break
        now = time.time()
        delays += [now - float(raised) for raised in RAISED.findall(batch)]
        told["batches"] += 1
        told["bytes"] += size
    writer.close()


async def measure(viewers: int, rate: float, seconds: float) -> None:
    """Start the server, look on, and print what was seen."""
    port = free_port()
    child = await asyncio.create_subprocess_exec(sys.executable, __file__, "--serve", str(port), str(rate))
    try:
        await answers(port)
        delays: list[float] = []
        told: Counter[str] = Counter()
        until = time.monotonic() + seconds
        await asyncio.gather(*(look_on(port, until, delays, told) for _ in range(viewers)))
        used = cpu_seconds(child.pid)
    finally:
        child.terminate()
        await child.wait()
    cuts = quantiles(delays, n=100)
    rows = len(delays) / viewers / seconds
    print(  # noqa: T201
        f"{datetime.now(UTC):%Y-%m-%d} {viewers} viewers, {rate:g} updates a second for {seconds:g} s: "
        f"p50 {cuts[49] * 1000:.0f} ms, p95 {cuts[94] * 1000:.0f} ms, worst {max(delays) * 1000:.0f} ms; "
        f"{rows:.1f} rows a second and viewer, {told['bytes'] / 1e6 / seconds:.1f} MB a second in all, "
        f"let go {told['let go']}, {used / seconds:.0%} of a core since the start"
    )


def cpu_seconds(pid: int) -> float:
    """Return the time that a process has had the processor."""
    user, system = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").split()[13:15]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


async def answers(port: int) -> None:
    """Wait until the console answers."""
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        asyncio.run(serve(int(sys.argv[2]), float(sys.argv[3])))
    else:
        numbers = [float(one) for one in sys.argv[1:]] + [200, 50, 20][len(sys.argv) - 1 :]
        asyncio.run(measure(int(numbers[0]), numbers[1], numbers[2]))

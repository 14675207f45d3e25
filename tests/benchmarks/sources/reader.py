"""Reader: the edge's work for one source on one core, wired by `vigie/source_assembly.py` as `vigie run` wires it.

Run     by `__main__.py`, with its `Plan` as JSON; the figures come out as JSON
Shape   the real source or application, runner, gate, pseudonyms, watch and cursors on disk; only the publisher is not
        Kafka's: it counts, and acknowledges at once. A bare reader takes the same wire through the same library and
        throws all away
Units   seconds by the wall's clock, and of this process's work; megabytes of resident memory
"""

import asyncio
import json
import os
import socket
import ssl
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import uvicorn
import uvloop
from aiohttp.abc import AbstractResolver, ResolveResult
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from connectors import runner
from connectors.contract import Outcome
from connectors.cursors import SqliteCursors
from connectors.watch import Watch
from records import Bulletin, DeadLetter, Post, Pulse, SourceUnavailable, SystemClock
from vigie import edge, edge_assembly
from vigie.settings import load
from vigie.source_assembly import Workshop, watch_over


def megabytes() -> float:
    """Return the memory that this process holds now."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


class AtOnce:
    """A publisher that counts, and acknowledges at once."""

    def __init__(self) -> None:
        self.taken = 0
        self.letters = 0

    async def posts(self, posts: Sequence[Post]) -> None:
        """Count posts."""
        self.taken += len(posts)

    async def bulletins(self, bulletins: Sequence[Bulletin]) -> None:
        """Take nothing."""

    async def dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Count dead letters."""
        self.letters += len(letters)

    async def pulses(self, pulses: Sequence[Pulse]) -> None:
        """Let them pass."""


class Meter(edge_assembly.EdgeMetrics):
    """The edge's metrics, and beside them the time and the memory at a tenth and at the end."""

    def __init__(self, posts: int) -> None:
        self.posts = posts
        self.read = 0
        self.early = 0.0
        self.late = 0.0
        self.outcomes: dict[str, int] = {}
        self.over = asyncio.Event()
        self.fault = ""
        self._began = time.perf_counter(), time.process_time()
        self.wall = self.work = 0.0

    def begin(self) -> None:
        """Start the clocks."""
        self._began = time.perf_counter(), time.process_time()

    def counted(self, source: str, outcome: Outcome, values: int, *, reason: str = "") -> None:
        """Count, and note how far we are."""
        super().counted(source, outcome, values, reason=reason)
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + values
        self.add(values)

    def add(self, values: int) -> None:
        """Count what was read."""
        self.read += values
        if not self.early and self.read >= self.posts / 10:
            self.early = megabytes()
        if not self.over.is_set() and self.read >= self.posts:
            self.wall, self.work = time.perf_counter() - self._began[0], time.process_time() - self._began[1]
            self.late = megabytes()
            self.over.set()

    def unavailable(self, source: str, error: SourceUnavailable, *, retry_secs: float) -> None:
        """End: what was measured is not worth a thing."""
        self.fault = str(error)
        self.over.set()


async def read(meter: Meter) -> AtOnce:
    """Do the edge's work until all was read."""
    settings, clock, publisher = load(Path(PLAN["folder"], "vigie.toml")), SystemClock(), AtOnce()
    gate = edge_assembly.gate(settings)
    watch = Watch(meter, clock)
    shop = Workshop(settings, clock, watch, edge_assembly.pseudonyms(settings, clock))
    cursors = SqliteCursors(edge_assembly.cursors_path(settings))
    served = shop.served(gate, publisher)
    sources: list[Any] = [] if served else shop.reading()
    watch_over(watch, settings, sources)
    for one in served:
        await serve(one.application, meter, edge.listening_socket(one.source))
    for source in sources:
        if PLAN["wire"] == "x":
            source._tcp = to_feeder  # settings cannot lead it anywhere but to the platform
        running = runner.run(source, gate=gate, publisher=publisher, cursors=cursors, observer=watch, clock=clock)
        await until_over(running, meter)
    return publisher


async def until_over(work: Awaitable[object], meter: Meter) -> None:
    """Work until all was read; then stop it."""
    say_ready()
    meter.begin()
    task = asyncio.ensure_future(work)
    over = asyncio.create_task(meter.over.wait())
    await asyncio.wait({task, over}, return_when=asyncio.FIRST_COMPLETED)
    for one in (task, over):
        one.cancel()
    await asyncio.wait({task, over})
    if not task.cancelled():
        task.result()


async def serve(application: Starlette, meter: Meter, listening: socket.socket) -> None:
    """Serve as `vigie/edge.py` does until all was read."""
    config = uvicorn.Config(application, log_level="warning", access_log=False, lifespan="on", ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110  uvicorn tells in no other way
        await asyncio.sleep(0.01)
    say_ready()
    meter.begin()
    await meter.over.wait()
    server.should_exit = True
    await serving


async def drain(meter: Meter) -> None:
    """Take the wire through the library that the source uses, and throw all away."""
    wire, port = PLAN["wire"], PLAN["port"]
    if wire in ("facebook", "webhook"):
        source: Any = load(Path(PLAN["folder"], "vigie.toml")).sources[0]
        await serve(application_of(meter, PLAN["batch"]), meter, edge.listening_socket(source))
    else:
        await until_over(DRAINS[wire](meter, port), meter)


async def drain_websocket(meter: Meter, port: int) -> None:
    """Take frames, packed as they are."""
    subprotocols = [Subprotocol("xrpc.v1.json")]
    async with connect(f"ws://127.0.0.1:{port}/", subprotocols=subprotocols, compression=None) as connection:
        while True:
            await connection.recv()
            meter.add(1)


async def drain_events(meter: Meter, port: int) -> None:
    """Take chunks, and count the ends of events in them."""
    async with (
        httpx.AsyncClient() as client,
        client.stream("GET", f"http://127.0.0.1:{port}/api/v1/streaming/public") as answer,
    ):
        last = b""
        async for chunk in answer.aiter_raw():
            meter.add((last + chunk).count(b"\n\n"))
            last = chunk[-1:]  # an end may come in two chunks


async def drain_lines(meter: Meter, _: int) -> None:
    """Take lines, as tweepy does."""
    address = "https://api.twitter.com/2/tweets/search/stream"
    async with aiohttp.ClientSession(connector=to_feeder()) as session, session.get(address) as answer:
        async for _line in answer.content:
            meter.add(1)


async def drain_file(meter: Meter, _: int) -> None:
    """Read lines."""
    with Path(PLAN["folder"], f"posts.{PLAN['wire']}").open("rb") as file:  # noqa: ASYNC230  as the source does
        for _line in file:
            meter.add(1)


DRAINS: dict[str, Callable[[Meter, int], Awaitable[None]]] = {
    "bluesky": drain_websocket,
    "mastodon": drain_events,
    "x": drain_lines,
    "jsonl": drain_file,
    "csv": drain_file,
}


def application_of(meter: Meter, batch: int) -> Starlette:
    """Return an application that takes whatever comes, and looks at nothing."""

    async def take(request: Request) -> Response:
        await request.body()
        meter.add(batch)
        return Response(status_code=202)

    return Starlette(routes=[Route("/{path:path}", take, methods=["POST"])])


class Loopback(AbstractResolver):
    """Leads everything to the feeder."""

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        """Return the feeder's address."""
        port = PLAN["port"]
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        """Hold nothing."""


def to_feeder() -> aiohttp.TCPConnector:
    """Return what leads X's address to the feeder, and trusts it."""
    context = ssl.create_default_context(cafile=f"{PLAN['folder']}/authority.pem")
    return aiohttp.TCPConnector(resolver=Loopback(), ssl=context)


def say_ready() -> None:
    """Tell that a sender may begin."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def main() -> None:
    """Read or drain, and tell the figures."""
    os.sched_setaffinity(0, {PLAN["reader_core"]})
    meter = Meter(PLAN["posts"])
    publisher = AtOnce()
    if PLAN["is_bare"]:
        uvloop.run(drain(meter))
    else:
        publisher = uvloop.run(read(meter))
    told = {
        "read": meter.read,
        "kept": publisher.taken,
        "letters": publisher.letters,
        "outcomes": meter.outcomes,
        "wall": meter.wall,
        "work": meter.work,
        "early": meter.early,
        "late": meter.late,
        "fault": meter.fault,
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    PLAN: dict[str, Any] = json.loads(sys.argv[1])
    main()

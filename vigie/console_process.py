"""The console's process: the archive, what feeds it, and the pages, until it is asked to stop."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Protocol

import structlog
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from console.access.accounts import first_admin
from console.access.door import middleware
from console.application import application
from console.archive.keeping import keep
from console.archive.saying import waiting
from console.desk import Desk
from console.templating import compile_all
from console.tuning.running import run as bench
from records import Clock
from streams.publisher import KafkaPublisher
from vigie import metrics
from vigie.console_assembly import archive_of, desk_of, doors_of, recorder_of
from vigie.console_feeding import Feeding
from vigie.serving import listening_on, serve, serve_metrics
from vigie.settings import Settings

if TYPE_CHECKING:
    from vigie.recorder import Recorder

log = structlog.get_logger()

KEEP_SECS = 3600.0
SHOW_SECS = 15.0


class Follower(Protocol):
    """Reads topics for as long as it runs."""

    def read_again(self) -> None:
        """Begin anew: there is another broker."""


def run_console(settings: Settings, clock: Clock) -> None:
    """Serve until SIGTERM or SIGINT.

    Errors  SettingsError when it cannot be served as set
    """
    uvloop.run(_run(settings, clock))


async def _run(settings: Settings, clock: Clock) -> None:
    streams, console = settings.streams(), settings.console
    settings.data.dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        listening = stack.enter_context(listening_on(console.host, console.port, "console"))
        serve_metrics(metrics.CONSOLE, settings.metrics.host, console.metrics_port, "console.metrics_port")
        engine = await archive_of(settings)
        stack.push_async_callback(engine.dispose)
        publisher = KafkaPublisher(streams)
        stack.push_async_callback(publisher.stop)
        is_new = asyncio.Event()
        desk = desk_of(settings, streams, engine, clock, is_new.set)
        feeding = Feeding(desk, streams, publisher, is_new, asks_volunteers=console.verifies_watches)
        compiling = asyncio.create_task(asyncio.to_thread(compile_all, desk.templates))
        stack.callback(compiling.cancel)
        await _greet(desk, settings)
        recorder = recorder_of(settings, streams, clock)
        app = with_health(application(desk, middleware(desk, doors_of(settings))), feeding, recorder)
        _show(desk, feeding, recorder)
        tasks = [feeding.run(), serve(app, listening), _keep(desk), bench(desk), _show_what_waits(desk)]
        tasks += [recorder.run()] if recorder else []
        tasks += [desk.watching.run(engine, clock)] if desk.watching else []
        followers: list[Follower] = [feeding, *([recorder] if recorder else [])]
        await _until_told(desk, followers, [asyncio.create_task(task) for task in tasks])
    log.info("console ends")


def with_health(app: Starlette, feeding: Feeding, recorder: "Recorder | None") -> Starlette:
    """Return the console with a page that says whether it is up to date and records, for whoever watches over it."""

    async def healthz(_: Request) -> JSONResponse:
        recording = recorder.state if recorder else None
        return JSONResponse({"ready": feeding.is_up_to_date, "wrong": "", "recording": recording})

    return Starlette(routes=[Route("/healthz", healthz), Mount("/", app)])


def _show(desk: Desk, feeding: Feeding, recorder: "Recorder | None") -> None:
    """Have metrics say how the console does, at the moment at which they are asked for."""
    metrics.VIEWERS.set_function(lambda: len(desk.viewers))
    metrics.READY.set_function(lambda: feeding.is_up_to_date)
    if recorder is not None:
        metrics.RECORDING_WAITING.set_function(lambda: recorder.state["waiting"])
        metrics.RECORDING_LOST.set_function(lambda: recorder.state["lost"])
        metrics.RECORDING_FAILING.set_function(lambda: recorder.state["is_failing"])


async def _show_what_waits(desk: Desk) -> None:
    """Have a metric say how much of what people said the broker does not have yet."""
    while True:
        metrics.DECISIONS_WAITING.set(len(await waiting(desk.engine)))
        await asyncio.sleep(SHOW_SECS)


async def _greet(desk: Desk, settings: Settings) -> None:
    """Say where the console is, and at the first start how to get in."""
    console = settings.console
    log.info("console listens", address=f"http://{console.host}:{console.port}")
    await first_admin(desk.engine, desk.clock.now(), _tell_password)


def _tell_password(password: str) -> None:
    log.warning("first start: log in once with this password, and choose your own", account="admin", password=password)


async def _keep(desk: Desk) -> None:
    """Let go, every hour, of what is kept no longer."""
    while True:
        await keep(desk.engine, desk.clock.now(), desk.setup.incidents_kept)
        await asyncio.sleep(KEEP_SECS)


def _read_again(followers: Sequence[Follower]) -> None:
    for one in followers:
        one.read_again()


async def _until_told(desk: Desk, followers: Sequence[Follower], tasks: list[asyncio.Task[None]]) -> None:
    """Run tasks until one of them fails or somebody asks us to stop; read all again when the broker is another."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    loop.add_signal_handler(signal.SIGHUP, _read_again, followers)
    stop = asyncio.create_task(told.wait())
    try:
        done, _ = await asyncio.wait({*tasks, stop}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stop}:
            task.result()
    finally:
        await desk.viewers.close()  # the server waits for the pages that are open
        for task in (stop, *tasks):
            task.cancel()
        await asyncio.gather(stop, *tasks, return_exceptions=True)

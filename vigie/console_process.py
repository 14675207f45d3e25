"""The console's process: the archive, what feeds it, and the pages, until it is asked to stop."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any

import structlog
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from console.access.accounts import first_admin
from console.access.middleware import middleware
from console.application import application
from console.archive.keeping import keep
from console.desk import Desk
from records import Clock
from streams.app import declare_topics
from streams.publisher import KafkaPublisher
from vigie.console_assembly import archive_of, desk_of, doors_of
from vigie.console_feeding import Feeding
from vigie.serving import listening_on, serve
from vigie.settings import Settings

log = structlog.get_logger()

KEEP_SECS = 3600.0


def run_console(settings: Settings, clock: Clock) -> None:
    """Serve until SIGTERM or SIGINT.

    Errors  SettingsError when it cannot be served as set; SourceUnavailable when the broker does not answer
    """
    uvloop.run(_run(settings, clock))


async def _run(settings: Settings, clock: Clock) -> None:
    streams = settings.streams()
    settings.data.dir.mkdir(parents=True, exist_ok=True)
    console = settings.console
    listening = listening_on(console.host, console.port, "console")
    async with AsyncExitStack() as stack:
        stack.callback(listening.close)
        await declare_topics(streams)
        engine = await archive_of(settings)
        stack.push_async_callback(engine.dispose)
        publisher = KafkaPublisher(streams)
        stack.push_async_callback(publisher.stop)
        desk = desk_of(settings, engine, clock)
        feeding = Feeding(desk, streams, publisher)
        desk.said.connect(feeding.said)
        await _greet(desk, settings)
        app = with_health(application(desk, middleware(desk, doors_of(settings))), feeding)
        await _until_told(feeding, [feeding.run(), serve(app, listening), _keep(desk)])
    log.info("console ends")


def with_health(app: Starlette, feeding: Feeding) -> Starlette:
    """Return the console with a page that says whether it is up to date, for whoever watches over it."""

    async def healthz(_: Request) -> JSONResponse:
        return JSONResponse({"ready": feeding.is_up_to_date, "wrong": ""})

    return Starlette(routes=[Route("/healthz", healthz), Mount("/", app)])

"""The demo's console: the page for people, on this machine alone and without a login, in the time of the story."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from console.access.door import middleware
from console.access.doors import Doors
from console.application import application
from console.tuning.running import run as bench
from records import Clock, SettingsError
from streams.publisher import KafkaPublisher
from streams.settings import StreamSettings
from vigie.console_assembly import archive_of, desk_of
from vigie.console_feeding import Feeding
from vigie.console_settings import ConsoleSettings
from vigie.serving import listening_on, serve
from vigie.settings import Data, Settings

HOST = "127.0.0.1"


@asynccontextmanager
async def console_of(settings: Settings, streams: StreamSettings, folder: Path, clock: Clock) -> AsyncIterator[str]:
    """Serve a console, fed from a pipeline's topics, with an archive in a folder that goes with it; give its address.

    Nothing in it is real: everything is an exercise.
    """
    shown = ConsoleSettings(cell="Le Havre 2012", is_exercise=True)
    own = settings.model_copy(update={"console": shown, "data": Data(dir=folder)})
    async with AsyncExitStack() as stack:
        listening = stack.enter_context(_listening(shown.port))
        engine = await archive_of(own)
        stack.push_async_callback(engine.dispose)
        publisher = KafkaPublisher(streams)
        stack.push_async_callback(publisher.stop)
        is_new = asyncio.Event()
        desk = desk_of(own, streams, engine, clock, is_new.set)
        feeding = Feeding(desk, streams, publisher, is_new, asks_volunteers=True)
        app = application(desk, middleware(desk, Doors(is_open=True)))
        tasks = [asyncio.create_task(task) for task in (feeding.run(), serve(app, listening), bench(desk))]
        try:
            yield f"http://{HOST}:{listening.getsockname()[1]}"
        finally:
            await desk.viewers.close()  # the server waits for the pages that are open
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _listening(port: int) -> socket.socket:
    """Return a socket on the console's usual port, or on a free one where somebody has that."""
    try:
        return listening_on(HOST, port, "console")
    except SettingsError:
        return listening_on(HOST, 0, "console")

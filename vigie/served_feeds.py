"""Feeds that the worker serves itself, beside telling: for a map on this machine, or for a server in front."""

import asyncio

import structlog

from connectors.sinks.contract import SinkObserver, TryLater
from connectors.sinks.feeds import Feeds
from connectors.sinks.feeds_served import application
from records import Alert, SettingsError
from vigie.serving import listening_on, serve

log = structlog.get_logger()

TIDY_SECS = 60.0
TRY_AGAIN_SECS = 30.0


class ServedFeeds:
    """A receiver's feeds, and what answers for them."""

    def __init__(self, feeds: Feeds, *, host: str, port: int, allow_origin: str = "") -> None:
        self.name = feeds.name
        self._feeds = feeds
        self._host = host
        self._port = port
        self._allow_origin = allow_origin

    async def send(self, alert: Alert) -> None:
        """Take a revision in."""
        await self._feeds.send(alert)

    async def keep_up(self, observer: SinkObserver) -> None:
        """Serve until cancelled; where the address is taken, tell so, and return after a while to be called again."""
        try:
            listening = listening_on(self._host, self._port, f"receivers.{self.name}")
        except SettingsError as error:  # the feeds are written all the same
            observer.put_off(self.name, TryLater(str(error)), retry_secs=TRY_AGAIN_SECS)
            await asyncio.sleep(TRY_AGAIN_SECS)
            return
        log.info("feeds are served", receiver=self.name, host=self._host, port=self._port)
        serving = asyncio.create_task(serve(application(self._feeds, allow_origin=self._allow_origin), listening))
        try:
            while not serving.done():
                await self._feeds.keep_up(observer)
                await asyncio.wait({serving}, timeout=TIDY_SECS)
            serving.result()
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

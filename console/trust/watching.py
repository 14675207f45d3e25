"""Watching: what has drifted, looked at from time to time, since it takes long, and known in between."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from console.trust import measuring
from console.trust.watcher import Watcher
from records import Clock, VigieError
from records.trust import Drift

EVERY_SECS = 6 * 3600.0

log = structlog.get_logger()


class Watching:
    """What is known of drift, and since when."""

    def __init__(self, watcher: Watcher, tell: Callable[[Drift | None], None] = lambda drift: None) -> None:
        """Take who knows, and who is to be told each time."""
        self.watcher = watcher
        self.drift: Drift | None = None
        self.looked_at: datetime | None = None  # None: not yet
        self._tell = tell

    async def look(self, engine: AsyncEngine, now: datetime) -> None:
        """Look again."""
        try:
            self.drift = await measuring.drift(engine, self.watcher, now)
        except (VigieError, OSError) as error:
            log.warning("it is not known what has drifted", error=str(error))
            self.drift = None
        self.looked_at = now
        self._tell(self.drift)

    async def run(self, engine: AsyncEngine, clock: Clock) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look(engine, clock.now())
            await asyncio.sleep(EVERY_SECS)

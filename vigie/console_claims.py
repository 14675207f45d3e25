"""Console claims: what posts say is needed and offered, read from the broker for the pages and known for some seconds.

Shape   whoever asks while it is fresh is told what is known; later, that too, while it is read again; what is too old
        is told to nobody, for a post may have been deleted since
"""

import asyncio
from collections.abc import Callable
from time import monotonic

import structlog

from records import Claim, SourceUnavailable
from streams.settings import StreamSettings
from vigie.digesting import ReadClaims

FRESH_SECS = 10.0
KNOWN_SECS = 60.0
LONGEST_SECS = 2.0  # that a page waits

log = structlog.get_logger()


class ConsoleClaims:
    """Reads claims for the pages, once for all who ask at the same time."""

    def __init__(self, settings: StreamSettings, read: ReadClaims, elapsed: Callable[[], float] = monotonic) -> None:
        """Take what reads them, and what counts the seconds: real ones, also where a story is told at speed."""
        self._settings = settings
        self._read = read
        self._known: list[Claim] = []
        self._elapsed = elapsed
        self._known_since = elapsed() - KNOWN_SECS
        self._reading: asyncio.Task[None] | None = None

    async def __call__(self) -> list[Claim]:
        """Return what posts claim.

        Errors  SourceUnavailable when the broker does not say it soon enough
        """
        age = self._elapsed() - self._known_since
        if age < FRESH_SECS:
            return self._known
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_again())
        if age >= KNOWN_SECS:
            await asyncio.wait({self._reading}, timeout=LONGEST_SECS)
        if self._elapsed() - self._known_since >= KNOWN_SECS:
            raise SourceUnavailable("what is needed and offered cannot be read now")
        return self._known

    async def _read_again(self) -> None:
        begun = self._elapsed()
        try:
            self._known = await self._read(self._settings)
        except SourceUnavailable as error:
            log.warning("the console does not know what is needed and offered", error=str(error))
        else:
            self._known_since = begun

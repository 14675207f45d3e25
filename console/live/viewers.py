"""Viewers: everybody who has a live page open. What changed is made once for each language and handed to all of them.

Shape   bytes in, by language; each viewer takes what came since it asked last. One that cannot keep up is let go: its
        browser comes back by itself, and says how far it had got
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager

import structlog

from console.catalogue import Language

MOST_WAITING = 64  # batches; at four a second, a quarter of a minute

log = structlog.get_logger()


class Viewer:
    """One open page."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(MOST_WAITING)

    async def next(self) -> bytes | None:
        """Return what came next; None where there is nothing more to come."""
        return await self._waiting.get()

    def tell(self, frames: bytes) -> bool:
        """Hand over what changed; tell whether there was room for it."""
        try:
            self._waiting.put_nowait(frames)
        except asyncio.QueueFull:
            self.end()
            return False
        return True

    def end(self) -> None:
        """Let it go: what waits is dropped, for its browser asks for all of it again."""
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)


class Viewers:
    """Everybody who looks, and the one task that tells them."""

    def __init__(self) -> None:
        self._viewers: set[Viewer] = set()
        self._telling: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self.wake: Callable[[], None] = lambda: None  # set by whoever tells: so that he sees that nobody is left
        self.told = 0  # the number of the last change that all of them were told of

    def __len__(self) -> int:
        return len(self._viewers)

    @property
    def languages(self) -> frozenset[Language]:
        """The languages that somebody reads just now."""
        return frozenset(viewer.language for viewer in self._viewers)

    async def begin(
        self, where: Callable[[], Coroutine[None, None, int]], tell: Callable[[], Coroutine[None, None, None]]
    ) -> None:
        """Start the task that tells, unless it runs; `where` says from which change on."""
        async with self._starting:
            if self._telling is None or self._telling.done():
                self.told = await asyncio.shield(where())  # a query that is cancelled leaves its connection open
                self._telling = asyncio.create_task(tell())
                self._telling.add_done_callback(self._ended)

    @contextmanager
    def viewing(self, language: Language) -> Iterator[Viewer]:
        """Look on, from now on."""
        viewer = Viewer(language)
        self._viewers.add(viewer)
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)
            if not self._viewers:
                self.wake()

    def tell(self, batches: Mapping[Language, bytes], until: int) -> None:
        """Tell everybody what changed, up to the change of a number."""
        self.told = until
        for viewer in list(self._viewers):
            frames = batches.get(viewer.language, b"")
            if frames and not viewer.tell(frames):
                self._viewers.discard(viewer)

    def end(self) -> None:
        """Let everybody go: nobody can be told anything."""
        for viewer in list(self._viewers):
            viewer.end()

    async def close(self) -> None:
        """Let everybody go, and wait until nothing is looked up any more: the process ends."""
        self.end()
        self._viewers.clear()
        self.wake()
        if self._telling is not None:
            await asyncio.wait({self._telling})

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("viewers_not_told", error=repr(error))
        if task is self._telling:
            self.end()

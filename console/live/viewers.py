"""Viewers: everybody who has a live page open. What changed is made once for each language and handed to all of them.

Shape   bytes in, by language; each viewer takes what came since it asked last. One that cannot keep up is let go: its
        browser comes back by itself, and says how far it had got
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import structlog

from console.catalogue import Language

MOST_WAITING = 64  # batches; at four a second, a quarter of a minute
LONGEST_CURSOR = 37  # characters: two numbers that a database can count to

log = structlog.get_logger()


class Cursor(NamedTuple):
    """How far the archive has been told: the newest revision, and the newest decision."""

    revision: int = 0
    decision: int = 0

    def __str__(self) -> str:
        return f"{self.revision}-{self.decision}"


def cursor_from(text: str) -> Cursor | None:
    """Return a cursor as a browser brings it back; None where it is none of ours."""
    revision, _, decision = text.partition("-")
    if not (revision.isdecimal() and decision.isdecimal() and text.isascii() and len(text) <= LONGEST_CURSOR):
        return None
    return Cursor(int(revision), int(decision))


class Viewer:
    """One open page."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(MOST_WAITING)

    async def next(self) -> bytes | None:
        """Return what came next; None where there is nothing more to come."""
        return await self._waiting.get()

    def tell(self, told: bytes) -> bool:
        """Hand over what changed; tell whether there was room for it."""
        try:
            self._waiting.put_nowait(told)
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
        self.cursor = Cursor()  # what all of them have been told, or are being told

    def __len__(self) -> int:
        return len(self._viewers)

    @property
    def languages(self) -> frozenset[Language]:
        """The languages that somebody reads just now."""
        return frozenset(viewer.language for viewer in self._viewers)

    async def begin(
        self, where: Callable[[], Coroutine[None, None, Cursor]], tell: Callable[[], Coroutine[None, None, None]]
    ) -> None:
        """Start the task that tells, unless it runs; `where` says from which cursor on."""
        async with self._starting:
            if self._telling is None:
                self.cursor = await where()
                self._telling = asyncio.create_task(tell())
                self._telling.add_done_callback(self._ended)

    @contextmanager
    def viewing(self, language: Language) -> Iterator[Viewer]:
        """Look on, from now on; whoever leaves last ends the telling."""
        viewer = Viewer(language)
        self._viewers.add(viewer)
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)
            if not self._viewers and self._telling is not None:
                self._telling.cancel()
                self._telling = None

    def tell(self, told: Mapping[Language, bytes], cursor: Cursor) -> None:
        """Tell everybody what changed up to a cursor."""
        self.cursor = cursor
        for viewer in list(self._viewers):
            frames = told.get(viewer.language, b"")
            if frames and not viewer.tell(frames):
                self._viewers.discard(viewer)

    def end(self) -> None:
        """Let everybody go: the process ends, or nobody can be told anything."""
        for viewer in list(self._viewers):
            viewer.end()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._telling = None
            log.error("viewers_not_told", error=repr(task.exception()))
            self.end()

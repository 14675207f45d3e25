"""Folder: files that others read at any moment, so they are there whole or not at all, also after a power cut.

Errors  OSError, which `FolderSink` turns into TryLater
"""

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from connectors.sinks.contract import SinkObserver, TryLater
from records import Alert, Clock

READABLE = 0o644
TIDY_EVERY: Final = timedelta(hours=1)


class FolderSink(ABC):
    """A sink that keeps files of alerts; one process at a time."""

    def __init__(self, folder: Path, *, clock: Clock, name: str, tidied_at: datetime) -> None:
        self.name = name
        self._folder = folder
        self._clock = clock
        self._busy = asyncio.Lock()
        self._tidied_at = tidied_at
        folder.mkdir(parents=True, exist_ok=True)

    async def send(self, alert: Alert) -> None:
        """Take a revision in, unless it or a later one is there."""
        async with self._busy:
            try:
                await asyncio.to_thread(self._send, alert)
            except OSError as error:
                raise TryLater(f"{self.name}: cannot write to {self._folder}: {error.strerror}") from error

    async def tidy(self) -> None:
        """Let go of incidents that are over for long enough."""
        async with self._busy:
            await asyncio.to_thread(self._tidy)

    async def keep_up(self, observer: SinkObserver) -> None:
        """Tidy, once an hour."""
        now = self._clock.now()
        if now - self._tidied_at < TIDY_EVERY:
            return
        self._tidied_at = now
        try:
            await self.tidy()
        except OSError as error:
            later = TryLater(f"{self.name}: cannot tidy {self._folder}: {error.strerror}")
            observer.put_off(self.name, later, retry_secs=TIDY_EVERY.total_seconds())

    @abstractmethod
    def _send(self, alert: Alert) -> None:
        """Take a revision in, unless it or a later one is there."""

    @abstractmethod
    def _tidy(self) -> None:
        """Let go of incidents that are over for long enough."""


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in its place; when this returns it is on disk."""
    part = path.with_name(f".{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, READABLE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    part.replace(path)
    sync(path.parent)


def remove(paths: Iterable[Path]) -> None:
    """Take files away; those that are gone already are none the worse."""
    folders = set()
    for path in paths:
        path.unlink(missing_ok=True)
        folders.add(path.parent)
    for folder in folders:
        sync(folder)


def sync(folder: Path) -> None:
    """Return when what a folder holds is on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

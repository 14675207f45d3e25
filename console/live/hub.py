"""Hub: tells whoever listens that something has changed, never into what: that is looked up, once for all viewers.

Shape   `changed` from whoever takes records in; a `Listener` for what tells all viewers, whose open pages are in
        `viewers.py`. What changes several times before a listener asks again is told it once, so that no backlog is
        longer than the number of things there are
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

Kind = Literal["incident", "feed", "source", "notification", "verification", "silence", "digest"]


class Change(NamedTuple):
    """One thing that is not as it was."""

    kind: Kind
    key: str


class Listener:
    """What has changed since it was last asked."""

    def __init__(self) -> None:
        self._changes: dict[Change, None] = {}  # in the order in which they were first told of
        self._is_new = asyncio.Event()

    def note(self, change: Change) -> None:
        """Take note of a change."""
        self._changes[change] = None
        self._is_new.set()

    def wake(self) -> None:
        """Make whoever waits for a change go on, although there is none."""
        self._is_new.set()

    async def next(self, within: float) -> list[Change]:
        """Return what has changed, as soon as something has; nothing when woken, or after so many seconds."""
        try:
            async with asyncio.timeout(within):
                await self._is_new.wait()
        except TimeoutError:
            return []
        changes, self._changes = list(self._changes), {}
        self._is_new.clear()
        return changes


class Hub:
    """Everybody who listens."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    def changed(self, *changes: Change) -> None:
        """Tell everybody."""
        for listener in self._listeners:
            for change in changes:
                listener.note(change)

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """Listen, from now on."""
        listener = Listener()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

"""Hub: tells everybody who looks that something has changed, never what: they look it up, once for all viewers.

Shape   `changed` from whoever takes records in; one `Listener` for each open page. What changes several times before a
        listener asks again is told it once, so nobody's backlog is longer than the number of things there are
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
    sequence: int = 0  # of the newest revision, where it is of an incident


class Listener:
    """What has changed since it was last asked."""

    def __init__(self) -> None:
        self._changes: dict[tuple[Kind, str], Change] = {}
        self._is_new = asyncio.Event()

    def note(self, change: Change) -> None:
        """Take note of a change."""
        self._changes[change.kind, change.key] = change
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
        changes, self._changes = list(self._changes.values()), {}
        self._is_new.clear()
        return changes


class Hub:
    """Everybody who looks."""

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

    @property
    def viewers(self) -> int:
        """How many listen."""
        return len(self._listeners)

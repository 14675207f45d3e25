"""Playback: a recording that passes on our clock, faster or slower than it was made."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from records import Clock


class Playback:
    """Waits until a recording has come to a moment; without a speed, it is read as fast as it goes.

    Units   speed: seconds of recording per second of ours
    """

    def __init__(
        self, clock: Clock, speed: float | None, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._clock = clock
        self._speed = speed
        self._sleep = sleep
        self._began: tuple[datetime, datetime] | None = None  # ours, theirs

    async def wait_for(self, moment: datetime) -> None:
        """Wait until the recording has come to this moment; out of order, it comes at once."""
        if not self._speed:
            return
        now = self._clock.now()
        ours, theirs = self._began = self._began or (now, moment)
        due_at = ours + (moment - theirs) / self._speed
        if due_at > now:
            await self._sleep((due_at - now) / timedelta(seconds=1))

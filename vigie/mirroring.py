"""Mirroring: silences made in an Alertmanager are known here, and those made here are set there.

Shape   what is made there lies on `decisions.v1` with its origin, and holds that receiver alone; ours are set there
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import timedelta

import structlog

from connectors.sinks.alertmanager import Alertmanager, our_id
from connectors.sinks.contract import TryLater, Undeliverable
from records import Clock, Silence
from streams.decided import Decided

log = structlog.get_logger()

SAME = timedelta(seconds=1)
"""Alertmanager keeps no microseconds."""
Publish = Callable[[Sequence[Silence]], Awaitable[None]]


class Mirror:
    """Keeps what we know of silences and what Alertmanagers know alike."""

    def __init__(self, sinks: Iterable[object], decided: Decided, clock: Clock) -> None:
        self._sinks = [sink for sink in sinks if isinstance(sink, Alertmanager)]
        self._decided = decided
        self._clock = clock

    async def look(self, publish: Publish) -> None:
        """Bring both sides up to date; an Alertmanager that is away has its turn the next time."""
        for sink in self._sinks:
            try:
                there = await sink.silences()
                await self._take_over(there, publish)
                newest_last = sorted(there, key=lambda one: one.ends_at)
                await self._set_ours(sink, {our_id(one): one for one in newest_last})
            except (TryLater, Undeliverable) as error:
                log.warning("silences not compared", receiver=sink.name, error=str(error))

    async def _take_over(self, there: Sequence[Silence], publish: Publish) -> None:
        known = {one.silence_id: one for one in self._decided.known()}
        theirs = [one for one in there if not our_id(one)]
        alive = [one for one in theirs if one.silence_id in known or one.ends_at > self._clock.now()]
        news = [one for one in alive if known.get(one.silence_id) != one]
        if news:
            await publish(news)

    async def _set_ours(self, sink: Alertmanager, there: Mapping[str, Silence]) -> None:
        """Set there what it lacks of ours, and end what has ended here."""
        now = self._clock.now()
        for silence in self._decided.known():
            known = there.get(silence.silence_id)
            ends_at = known.ends_at if known is not None else now
            differ = abs(max(ends_at, now) - max(silence.ends_at, now))
            if silence.origin or differ < SAME:
                continue
            try:
                await sink.silence(silence)
            except Undeliverable as error:
                log.warning("silence cannot be set there", receiver=sink.name, error=str(error))

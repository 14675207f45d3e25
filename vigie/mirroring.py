"""Mirroring: silences made in an Alertmanager are known here, and those made here are set there.

Shape   what is made there lies on `decisions.v1` with its origin, and holds that receiver alone; ours are set there
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog

from connectors.sinks.alertmanager import Alertmanager, our_id
from connectors.sinks.contract import TryLater, Undeliverable
from records import Clock, Silence
from streams.decided import Decided

log = structlog.get_logger()

Publish = Callable[[Sequence[Silence]], Awaitable[None]]


class Mirror:
    """Keeps what we know of silences and what Alertmanagers know alike."""

    def __init__(self, sinks: Iterable[object], decided: Decided, clock: Clock) -> None:
        self._sinks = [sink for sink in sinks if isinstance(sink, Alertmanager)]
        self._decided = decided
        self._clock = clock
        self._set: dict[tuple[str, str], Silence] = {}  # ours, as each Alertmanager has them

    async def look(self, publish: Publish) -> None:
        """Bring both sides up to date; an Alertmanager that is away has its turn the next time."""
        for sink in self._sinks:
            try:
                await self._take_over(sink, publish)
                await self._set_ours(sink)
            except TryLater as error:
                log.warning("silences not compared", receiver=sink.name, error=str(error))

    async def _take_over(self, sink: Alertmanager, publish: Publish) -> None:
        known = {one.silence_id: one for one in self._decided.known()}
        theirs = [one for one in await sink.silences() if not our_id(one)]
        alive = [one for one in theirs if one.silence_id in known or one.ends_at > self._clock.now()]
        news = [one for one in alive if known.get(one.silence_id) != one]
        if news:
            await publish(news)

    async def _set_ours(self, sink: Alertmanager) -> None:
        now = self._clock.now()
        for silence in self._decided.known():
            key = sink.name, silence.silence_id
            is_news = self._set.get(key) != silence and (silence.ends_at > now or key in self._set)
            if silence.origin or not is_news:
                continue
            try:
                await sink.silence(silence)
            except Undeliverable as error:
                log.warning("silence cannot be set there", receiver=sink.name, error=str(error))
            self._set[key] = silence

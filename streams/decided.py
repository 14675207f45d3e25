"""Decided: what people have decided, as every worker must know it: silences, and who looks after which incident.

Shape   follows `decisions.v1` from its beginning, whole, beside the agent that hands verdicts to the detectors
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import structlog

from records import ANSWERING, Clock, MalformedRecord, Silence, SourceUnavailable, Verdict, decode
from streams.reader import follow_values
from streams.settings import StreamSettings
from streams.topics import DECISIONS, OnDecisions

log = structlog.get_logger()

AGAIN_SECS = 5.0


class Decided:
    """The silences in force, and the incidents that somebody has answered for since we began to listen."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._silences: dict[str, Silence] = {}
        self.answered: asyncio.Queue[Verdict] = asyncio.Queue()
        self.is_up_to_date = asyncio.Event()

    def silences(self) -> Sequence[Silence]:
        """Return the silences that are not over."""
        now = self._clock.now()
        return [silence for silence in self._silences.values() if silence.ends_at > now]

    def known(self) -> Sequence[Silence]:
        """Return all silences that we have heard of, those that are over as well."""
        return list(self._silences.values())

    def take(self, value: bytes) -> None:
        """Take a decision in; what is none is for the dead letters, not for us."""
        try:
            decision = decode(value, OnDecisions)
        except MalformedRecord:
            return
        if isinstance(decision, Silence):
            known = self._silences.get(decision.silence_id)
            if known is None or known.made_at <= decision.made_at:
                self._silences[decision.silence_id] = decision
        elif isinstance(decision, Verdict) and decision.decision in ANSWERING:
            self.answered.put_nowait(decision)

    async def follow(self, settings: StreamSettings) -> None:
        """Listen for ever; a broker that is away is asked again."""
        while True:
            try:
                found = follow_values(settings, DECISIONS, at_end=self.is_up_to_date.set)
                async with aclosing(found) as values:
                    async for value in values:
                        self.take(value)
            except SourceUnavailable as error:
                log.warning("decisions cannot be read: silences may be out of date", error=str(error))
            await asyncio.sleep(AGAIN_SECS)

"""Telling: what a worker does beside its agents so that people and programs are told, as tasks and timers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import faust
from faust.types import TP

from records import Alert, Clock, Notification, Silence, SourceUnavailable
from records.digest import DigestMade
from streams.decided import Decided
from streams.publisher import KafkaPublisher
from streams.settings import StreamSettings
from streams.topics import ALERTS

FORGET_SECS = 3600.0
DIGEST_SECS = 30.0
MIRROR_SECS = 30.0
REPORT_SECS = 1.0
REPORTED_TOGETHER = 500
KNOWN_IN_SECS = 10.0


class Outbox(Protocol):
    """Takes alert revisions over, durably, and tells receivers of each once."""

    async def enqueue(self, alerts: Iterable[Alert]) -> int:
        """Return, when they are on disk, how many were new."""

    async def run(self) -> None:
        """Tell receivers, for ever."""

    async def acknowledge(self, incident_id: str, decided_at: datetime | None = None) -> None:
        """Take note that somebody looks after an incident, as it was then."""

    async def report(self, publish: Callable[[Sequence[Notification]], Awaitable[None]], *, most: int) -> int:
        """Publish what has become of notifications since that was last done; return of how many."""

    def forget_before(self, at: datetime) -> int:
        """Remove what was told or given up before a moment; return how many."""


class Digests(Protocol):
    """Makes a digest when it is time."""

    async def look(
        self,
        settings: StreamSettings,
        publish: Callable[[Sequence[DigestMade]], Awaitable[None]],
        is_ours: Callable[[], bool],
    ) -> None:
        """Make one where one is due, and it is ours to make."""


class Mirror(Protocol):
    """Compares the silences known here with those of other programs."""

    async def look(self, publish: Callable[[Sequence[Silence]], Awaitable[None]]) -> None:
        """Bring both up to date."""


@dataclass(frozen=True, kw_only=True)
class Telling:
    """All that tells people and programs."""

    outbox: Outbox
    decided: Decided
    digests: Digests
    mirror: Mirror


class TellingTasks:
    """The tasks and timers; what must be done once is done by the worker that has the first partition of the alerts."""

    def __init__(
        self, app: faust.App, settings: StreamSettings, telling: Telling, publisher: KafkaPublisher, clock: Clock
    ) -> None:
        self._app = app
        self._settings = settings
        self._telling = telling
        self._publisher = publisher
        self._clock = clock

    def connect(self) -> None:
        """Register everything; by methods without arguments, for Faust hands the app to a task that can take one."""
        for task in (self._tell, self._follow_decisions, self._acknowledge):
            self._app.task(task)
        self._app.timer(FORGET_SECS, name="forget")(self._forget)
        self._app.timer(DIGEST_SECS, name="digest")(self._digest)
        self._app.timer(MIRROR_SECS, name="mirror")(self._mirror)
        self._app.timer(REPORT_SECS, name="report")(self._report)

    async def _tell(self) -> None:
        """Tell, once the silences are known: what is held back must not go out at every start. Not for ever, though."""
        with suppress(TimeoutError):
            async with asyncio.timeout(KNOWN_IN_SECS):
                await self._telling.decided.is_up_to_date.wait()
        await self._telling.outbox.run()

    async def _follow_decisions(self) -> None:
        await self._telling.decided.follow(self._settings)

    async def _acknowledge(self) -> None:
        """Have nobody else called for what somebody has answered for."""
        while True:
            verdict = await self._telling.decided.answered.get()
            await self._telling.outbox.acknowledge(verdict.incident_id, verdict.decided_at)

    async def _forget(self) -> None:
        if ALERTS.retention is not None:
            self._telling.outbox.forget_before(self._clock.now() - ALERTS.retention)

    async def _digest(self) -> None:
        if self._is_first():
            await self._telling.digests.look(self._settings, self._publisher.digests_made, self._is_first)

    async def _mirror(self) -> None:
        if self._is_first():
            with suppress(SourceUnavailable):  # the next look says it again
                await self._telling.mirror.look(self._publisher.silences)

    async def _report(self) -> None:
        """Publish what became of notifications; one batch a turn, and more where many wait."""
        publish, most = self._publisher.notifications, REPORTED_TOGETHER
        with suppress(SourceUnavailable):  # the next turn says it again
            while await self._telling.outbox.report(publish, most=most) == most:
                pass

    def _is_first(self) -> bool:
        return TP(ALERTS.name, 0) in self._app.assignor.assigned_actives()

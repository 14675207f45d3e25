"""Console feeding: what stands on the topics into the console's archive, and what people said there onto the topics.

Every start reads the topics from their beginning: what is known already changes nothing, so a start, a broker that
forgot, and an archive that was lost go one and the same way.
"""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from msgspec.structs import replace

from console.archive.saying import Said, handing_on, said_since, sent, waiting
from console.archive.taking import Read, take
from console.desk import Desk
from console.reports.verifying import ask_of_itself, wanted
from records import (
    Alert,
    MalformedRecord,
    ProfileChange,
    Retraction,
    Signal,
    Silence,
    SourceStatus,
    SourceUnavailable,
    Statement,
    Tick,
    Verdict,
    decode,
)
from streams.declaring import declare_topics
from streams.publisher import KafkaPublisher
from streams.reader import Written, follow_batches
from streams.settings import StreamSettings
from streams.topics import (
    ALERTS,
    CONTEXT,
    DECISIONS,
    DIGESTS,
    NOTIFICATIONS,
    PULSE,
    RETRACTIONS,
    SIGNALS,
    SOURCES,
    OnDecisions,
    OnSignals,
    Topic,
)
from vigie.anew import begun_anew

log = structlog.get_logger()

AGAIN_SECS = 5.0
TAKEN_TOGETHER = 500  # records; others wait for the lock meanwhile
LOOK_SECS = 5.0  # for what somebody said while nobody told us of it: another process on the same archive


NEW = timedelta(hours=2)
"""What is older was looked at already, or is over."""
LATELY = timedelta(days=7)
"""How far back people's decisions are looked for on the topic, which keeps them for longer."""
UNKEPT = (Tick, Statement)
"""What is for detectors alone, decisions and bulletins having topics of their own."""


@dataclass(frozen=True)
class Fed:
    """A topic that the archive is fed from."""

    topic: Topic
    kind: Any  # what stands on it
    reach: timedelta | None = None  # how far back; None: all that stands there


FED = (
    Fed(ALERTS, ALERTS.record),
    Fed(DECISIONS, OnDecisions),
    Fed(NOTIFICATIONS, NOTIFICATIONS.record),
    Fed(CONTEXT, CONTEXT.record),
    Fed(SOURCES, SOURCES.record),
    Fed(DIGESTS, DIGESTS.record),
    Fed(RETRACTIONS, RETRACTIONS.record),
    Fed(PULSE, PULSE.record, timedelta(days=1)),
    Fed(SIGNALS, OnSignals),
)


class Feeding:
    """Keeps the archive and the live pages of one console up to date, and hands on what people say there."""

    def __init__(
        self,
        desk: Desk,
        settings: StreamSettings,
        publisher: KafkaPublisher,
        is_new: asyncio.Event,
        *,
        asks_volunteers: bool,
    ) -> None:
        """Take a desk, and what tells that somebody said something there."""
        self._desk = desk
        self._settings = settings
        self._publisher = publisher
        self._is_new = is_new
        self._asks_volunteers = asks_volunteers
        self._on_topic: set[str] = set()  # decisions, by what each is known by
        self._again = asyncio.Event()
        desk.filling.begin(fed.topic.name for fed in FED)

    @property
    def is_up_to_date(self) -> bool:
        """Tell whether all was taken in that stood on the topics when this began."""
        return self._desk.filling.is_over

    def read_again(self) -> None:
        """Read the topics from their beginning: there is another broker."""
        self._again.set()

    async def run(self) -> None:
        """Feed, and hand on, for ever."""
        await begun_anew(self._read, self._again)

    async def _read(self) -> None:
        self._desk.filling.begin(fed.topic.name for fed in FED)
        await self._declared()
        before = {_known_by(one.record) for one in await waiting(self._desk.engine)}
        decisions_read = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for fed in FED:
                group.create_task(self._follow(fed, decisions_read))
            group.create_task(self._hand_on())
            group.create_task(self._put_back(self._desk.clock.now(), before, decisions_read))

    async def _declared(self) -> None:
        """See to it that there are topics; while the broker is away, people have what the archive has."""
        while True:
            try:
                return await declare_topics(self._settings)
            except SourceUnavailable as error:
                log.warning("the console hears nothing at all", error=str(error))
            await asyncio.sleep(AGAIN_SECS)

    async def _follow(self, fed: Fed, decisions_read: asyncio.Event) -> None:
        """Follow a topic for ever; a broker that is away is asked again, from the beginning."""
        while True:
            if fed.topic is DECISIONS:
                self._on_topic.clear()
            since = self._desk.clock.now() - fed.reach if fed.reach else None
            found = follow_batches(
                self._settings, fed.topic, written_since=since, at_end=partial(self._caught_up, fed, decisions_read)
            )
            try:
                async with aclosing(found) as batches:
                    async for values in batches:
                        for start in range(0, len(values), TAKEN_TOGETHER):
                            await self._take(fed, values[start : start + TAKEN_TOGETHER])
            except SourceUnavailable as error:
                log.warning("the console hears nothing new", topic=fed.topic.name, error=str(error))
            await asyncio.sleep(AGAIN_SECS)

    def _caught_up(self, fed: Fed, decisions_read: asyncio.Event) -> None:
        self._desk.filling.caught_up(fed.topic.name)
        if fed.topic is DECISIONS:
            decisions_read.set()

    async def _take(self, fed: Fed, values: Sequence[Written]) -> None:
        now = self._desk.clock.now()
        found = list(readable(fed, values, now))
        changes = await take(self._desk.engine, [one for one in found if is_kept(fed, one)], now)
        if fed.topic is DECISIONS:
            self._on_topic.update(_known_by(one.record) for one in found)
        spoken = [one.record for one in found if isinstance(one.record, Signal | Retraction)]
        changes += self._desk.feed.take(spoken, now)
        self._desk.hub.changed(*changes)
        if self._asks_volunteers:
            await self._ask([one.record for one in found if isinstance(one.record, Alert)], now)

    async def _ask(self, alerts: Sequence[Alert], now: datetime) -> None:
        """Ask volunteers to verify what is new; not what a start finds of old times."""
        for alert in alerts:
            if now - alert.raised_at < NEW and wanted(alert):
                await ask_of_itself(self._desk, alert)

    async def _put_back(self, began_at: datetime, waited: Collection[str], decisions_read: asyncio.Event) -> None:
        """Say again what people decided and the broker does not have: one that died took it along."""
        await decisions_read.wait()
        said = await said_since(self._desk.engine, began_at - LATELY, began_at)
        lost = [one for one in said if _known_by(one) not in self._on_topic and _known_by(one) not in waited]
        if not lost:
            return
        log.warning("the broker has lost what people decided: it is told again", decisions=len(lost))
        while True:
            try:
                for one in lost:
                    await self._publish(one)
            except SourceUnavailable as error:
                log.warning("what people decided waits for the broker", error=str(error))
                await asyncio.sleep(AGAIN_SECS)
            else:
                return

    async def _hand_on(self) -> None:
        """Hand on what people said; what the broker does not take now, it is given again."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECS):
                    await self._is_new.wait()
            self._is_new.clear()
            try:
                await self._sent()
            except SourceUnavailable as error:
                log.warning("what people decided waits for the broker", error=str(error))
                await asyncio.sleep(AGAIN_SECS)
                self._is_new.set()

    async def _sent(self) -> None:
        async with handing_on(self._desk.engine) as is_ours:
            for one in await waiting(self._desk.engine) if is_ours else ():
                await self._publish(one.record)
                await sent(self._desk.engine, [one.sequence])

    async def _publish(self, said: Said) -> None:
        if isinstance(said, Verdict):
            await self._publisher.verdicts([said])
        elif isinstance(said, Silence):
            await self._publisher.silences([said])
        elif isinstance(said, ProfileChange):
            await self._publisher.profile_changes([said])
        else:
            await self._publisher.posts([said])


def is_kept(fed: Fed, one: Read) -> bool:
    """Tell whether the archive keeps a record; a profile that stands among the signals stands among the decisions."""
    return not isinstance(one.record, UNKEPT) and not (fed.topic is SIGNALS and isinstance(one.record, ProfileChange))


def _known_by(said: object) -> str:
    """Return what something said is known by, whoever says it again."""
    if isinstance(said, Verdict):
        return f"{said.incident_id}/{said.identity}"
    if isinstance(said, ProfileChange):
        return said.change_id
    return f"{said.silence_id}/{said.made_at.isoformat()}" if isinstance(said, Silence) else ""


def readable(fed: Fed, values: Sequence[Written], now: datetime) -> Iterator[Read]:
    """Yield what can be read; the rest is for the dead letters, which workers write.

    A source's state is of the moment at which it came, at the latest: a clock that runs ahead would hide for as long
    that the source is not listened to any more.
    """
    for value, at in values:
        told_at = min(at or now, now)
        try:
            record = decode(value, fed.kind)
            if isinstance(record, SourceStatus):
                record = replace(record, at=min(record.at, told_at))
            yield Read(record, told_at)
        except MalformedRecord as error:
            log.warning("left out of the archive", topic=fed.topic.name, error=str(error))

"""Digesting: a digest at each change of shift, and on demand, from what stands on the topics."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from datetime import datetime, time, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from connectors.blindness import blindness
from console.digests.digest import beginning, digest_from, made_from
from records import Alert, Claim, Clock, MalformedRecord, SettingsError, SourceUnavailable, decode
from records.digest import Digest, DigestMade
from streams.reader import standing
from streams.settings import StreamSettings
from streams.topics import ALERTS, DIGESTS, PULSE, SOURCES, Topic
from vigie.solidarity import claims_of

log = structlog.get_logger()

LATEST = timedelta(hours=2)
"""A digest that is later than that, after a stop, is not made any more: the next one reaches back to the last."""
BEFORE = timedelta(hours=1)
"""So much earlier pulses tell which sources should have been heard."""
DAY = timedelta(days=1)


class Read(Protocol):
    """Reads what a digest is made from, and makes it."""

    async def __call__(
        self,
        settings: StreamSettings,
        since: datetime,
        until: datetime,
        made: Collection[DigestMade],
        known: Collection[Alert],
        /,
    ) -> Digest:
        """Return the digest of a span, or from the last one made on."""


ReadClaims = Callable[[StreamSettings], Awaitable[list[Claim]]]


class Digests(Protocol):
    """Takes digests over, durably, and tells each receiver once."""

    async def enqueue_digest(self, digest: Digest, receivers: Sequence[str], made: DigestMade) -> int:
        """Return for how many it was new."""

    async def digests_made(self) -> Sequence[DigestMade]:
        """Return what was noted of digests with their taking over."""

    async def told_incidents(self) -> Sequence[Alert]:
        """Return the incidents that somebody was told of from here, each as it was last."""


class Shifts:
    """The times of day at which people change."""

    def __init__(self, times: Sequence[time], zone: ZoneInfo) -> None:
        self._times = sorted(times)
        self._zone = zone

    def span_before(self, now: datetime) -> tuple[datetime, datetime] | None:
        """Return the last shift that is over: when it began, and when it ended; None where there are none."""
        local = now.astimezone(self._zone)
        days = (local.date() - DAY * back for back in range(3))
        moments = (datetime.combine(day, at, self._zone) for day in days for at in self._times)
        past = sorted((moment for moment in moments if moment <= local), reverse=True)
        if not past:
            return None
        began = past[1] if len(past) > 1 else past[0] - DAY
        return began.astimezone(now.tzinfo), past[0].astimezone(now.tzinfo)


def shifts_from(times: Sequence[str], zone: str) -> Shifts:
    """Return the shifts of the settings.

    Errors  SettingsError when the zone is none
    """
    try:
        return Shifts([time.fromisoformat(at) for at in times], ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(f"digest.zone: there is no zone {zone!r}; write such as Europe/Paris") from error


class Digesting:
    """Makes the digest of each shift, once; what is known of those made stands on `digests.v1`, for all workers."""

    def __init__(
        self,
        shifts: Shifts,
        outbox: Digests,
        receivers: Sequence[str],
        clock: Clock,
        *,
        read: Read | None = None,
        read_made: Callable[[StreamSettings], Awaitable[Sequence[DigestMade]]] | None = None,
    ) -> None:
        self._shifts = shifts
        self._outbox = outbox
        self._receivers = tuple(receivers)
        self._clock = clock
        self._read = read or digest_of
        self._read_made = read_made or digests_made
        self._settled: datetime | None = None

    async def look(
        self,
        settings: StreamSettings,
        publish: Callable[[Sequence[DigestMade]], Awaitable[None]],
        is_ours: Callable[[], bool],
    ) -> None:
        """Make a digest where a shift has ended and none was made."""
        now = self._clock.now()
        span = self._shifts.span_before(now)
        if span is None or span[1] == self._settled or now - span[1] > LATEST:
            return
        try:
            made = await self._known_made(settings, publish)
            if all(one.until < span[1] for one in made):  # else another worker has made it, or we before a restart
                digest = await self._read(settings, *span, made, await self._outbox.told_incidents())
                if not is_ours():  # the partition has moved while we read: its new worker makes it
                    return
                await self._make(digest, publish)
        except SourceUnavailable as error:
            log.warning("no digest yet", error=str(error))
            return
        self._settled = span[1]

    async def _known_made(
        self, settings: StreamSettings, publish: Callable[[Sequence[DigestMade]], Awaitable[None]]
    ) -> Sequence[DigestMade]:
        """Return what is known of earlier digests, and have the topic know it too.

        It may not, where we were killed before we told it, or where a broker keeps all in memory.
        """
        there = await self._read_made(settings)
        names = {one.digest_id for one in there}
        missing = [one for one in await self._outbox.digests_made() if one.digest_id not in names]
        if missing:
            await publish(missing)
        return [*there, *missing]

    async def _make(self, digest: Digest, publish: Callable[[Sequence[DigestMade]], Awaitable[None]]) -> None:
        made = made_from(digest)
        await self._outbox.enqueue_digest(digest, self._receivers, made)
        log.info("digest made", new=len(digest.new), ongoing=len(digest.ongoing), refuted=len(digest.refuted))
        await publish([made])


async def digest_of(
    settings: StreamSettings,
    since: datetime,
    until: datetime,
    made: Collection[DigestMade] = (),
    known: Collection[Alert] = (),
    *,
    read_claims: ReadClaims = claims_of,
) -> Digest:
    """Return the digest of a span, or from the last one made on; `known` are incidents that the topic may have lost.

    Errors  SourceUnavailable when the broker does not answer
    """
    alerts = [*known, *await _records(settings, ALERTS)]
    statuses = {one.source: one for one in await _records(settings, SOURCES)}
    pulses = await _records(settings, PULSE, written_since=beginning(since, until, made) - BEFORE)
    unheard = [blind.way for blind in blindness(statuses.values(), until)]
    claims = await read_claims(settings)
    return digest_from(alerts, statuses.values(), pulses, unheard, claims, since=since, until=until, made=made)


async def digests_made(settings: StreamSettings) -> list[DigestMade]:
    """Return what is known of the digests of the last month.

    Errors  SourceUnavailable when the broker does not answer
    """
    return await _records(settings, DIGESTS)


async def _records(settings: StreamSettings, topic: Topic, *, written_since: datetime | None = None) -> list[Any]:
    """Return what stands on a topic; what cannot be read is for the dead letters."""
    found = []
    async with aclosing(standing(settings, topic, written_since=written_since)) as messages:
        async for message in messages:
            if message.value is None:
                continue
            try:
                found.append(decode(message.value, topic.record))
            except MalformedRecord as error:
                log.warning("left out of the digest", topic=topic.name, error=str(error))
    return found

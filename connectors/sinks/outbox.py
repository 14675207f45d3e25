"""Outbox: alerts on their way to receivers, on disk, so that a notification is neither forgotten nor repeated.

Shape   one row per incident, revision and receiver; each receiver gets the revisions of an incident in order, and does
        not wait for another receiver. What is kept back says why; when that is over, the newest revision goes out for
        all, but for the end of what a receiver was never told of. Killed between the sending and its note, the alert
        goes out once more at the next start, under the same webhook-id: that is the only repeat there can be
Units   waits in seconds, doubling, half of them by chance; a row is given up after `give_up_after`, a day
Errors  BrokenInvariant when the file holds what we cannot have written
"""

import asyncio
import random
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from connectors.sinks.contract import (
    Digests,
    Many,
    Retracts,
    Sink,
    SinkObserver,
    TryLater,
    Undeliverable,
    UnobservedSinks,
)
from connectors.sinks.needless import NEVER_TOLD, ONLY_WORDS, WORDS
from connectors.sinks.outbox_store import Intake, NewRow, Row, Store
from connectors.sinks.reporting import DIGEST, notification_from
from connectors.sinks.routing import LOOK_AGAIN, Held, Labels, Route, Router
from connectors.sinks.taking_in import CLOSED, WAITS_FOR_GROUP, TakingIn
from records import (
    Alert,
    BrokenInvariant,
    Clock,
    MalformedRecord,
    Notification,
    Silence,
    VigieError,
    decode,
    encode,
)
from records.digest import Digest, DigestMade
from records.labels import labels_of

Outcome = Literal["sent", "failed", "put_off", "held"]
"""What became of one attempt."""

HOUR = 3600.0
STATES = ("pending", "sent", "failed", "superseded")
STANDS_EVERY_SECS = 10.0
OPEN_FOR = timedelta(days=1)
"""An incident that we have heard nothing of for so long holds no other back: its end may have gone elsewhere."""
LONGEST_ASKED_SECS = 3600.0
"""However long a receiver asks to be left alone."""
SET_BACK_SECS = 5.0
"""A clock that is behind what it said before by more than this was set."""
Batch = Sequence[tuple[Row, Alert | Digest]]
Record = TypeVar("Record", Alert, Digest)

_random = random.SystemRandom()
_labels = msgspec.json.Decoder(dict[str, str])


def by_chance() -> float:
    """Return a number between 0 and 1, by chance."""
    return _random.random()


def no_silences() -> Sequence[Silence]:
    """Return none: for whoever has nobody that could make any."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to try."""

    first_wait_secs: float = 1.0
    longest_wait_secs: float = 300.0
    give_up_after: timedelta = timedelta(days=1)
    failures_to_pause: int = 3  # in a row, whatever the incident: the receiver itself is not well


@dataclass
class Receiver:
    """A sink, and how it has been doing."""

    sink: Sink
    failures: int = 0  # in a row
    paused_until: float = 0.0
    trouble: str = ""  # why the last attempt failed, "" when it did not
    news: asyncio.Event = field(default_factory=asyncio.Event)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Outbox:
    """Takes alerts in for good, and brings them to their receivers."""

    def __init__(
        self,
        path: Path,
        sinks: Iterable[Sink],
        *,
        clock: Clock,
        observer: SinkObserver | None = None,
        router: Router | None = None,
        silences: Callable[[], Sequence[Silence]] = no_silences,
        patience: Patience | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = by_chance,
    ) -> None:
        self._receivers: Mapping[str, Receiver] = {sink.name: Receiver(sink) for sink in sinks}
        self._router = router or Router([Route(name="all", receivers=tuple(self._receivers))])
        self._silences = silences
        self._store = Store(path)
        self._clock = clock
        self._observer = observer or UnobservedSinks()
        self._patience = patience or Patience()
        self._sleep = sleep
        self._chance = chance
        self._unnoted: set[int] = set()  # sent, though the file does not say so yet
        self._reported = 0  # the number of the last change that was published, though the file may not say so
        self._intake = TakingIn(self._store, self._router, {sink.name: sink for sink in self.sinks}, self._observer)
        self._store.give_up_others(list(self._receivers), clock.now().timestamp())
        self._latest = self._store.latest()  # what the clock said last

    @property
    def sinks(self) -> Sequence[Sink]:
        """The sinks of all receivers."""
        return [receiver.sink for receiver in self._receivers.values()]

    async def enqueue(self, alerts: Iterable[Alert]) -> int:
        """Take alerts in; when this returns they are on disk. Known ones are passed over; return how many were new."""
        added = await asyncio.to_thread(self._intake.take, list(alerts), self._now())
        if added:
            self._tell_news()
        return added

    def _tell_news(self) -> None:
        for receiver in self._receivers.values():
            receiver.news.set()

    async def enqueue_digest(self, digest: Digest, receivers: Sequence[str], made: DigestMade) -> int:
        """Take a digest in for those receivers that can be told of one; return for how many it was new.

        What is `made` of it is noted with it, or neither.
        """
        now, value = self._now(), encode(digest)
        rows = [
            NewRow(digest.key, 1, name, "", "", DIGEST, is_urgent=False, alert=value, next_try_at=now)
            for name in receivers
            if name in self._receivers and isinstance(self._receivers[name].sink, Digests)
        ]
        added = await asyncio.to_thread(self._store.take, Intake(rows=rows, digests=[(digest.key, encode(made))]), now)
        self._tell_news()
        return added

    async def digests_made(self) -> list[DigestMade]:
        """Return what was noted of digests as they were taken in."""
        return [decode(value, DigestMade) for value in await asyncio.to_thread(self._store.digests_made)]

    async def told_incidents(self) -> list[Alert]:
        """Return the newest revision of each incident that somebody was told of from here, without posts' words."""
        return [decode(value, Alert) for value in await asyncio.to_thread(self._store.told_incidents)]

    async def acknowledge(self, incident_id: str, decided_at: datetime | None = None) -> None:
        """Take note that somebody looks after an incident: nobody else is called for what had begun by then."""
        begun_before = None if decided_at is None else decided_at.timestamp()
        await asyncio.to_thread(self._store.end_escalation, incident_id, "acknowledged", begun_before=begun_before)

    async def drain(self) -> int:
        """Send all that is due, receivers side by side; return how many alerts were sent."""
        await asyncio.to_thread(self._escalate)
        return sum(await asyncio.gather(*(self._drain(name) for name in self._receivers)))

    async def run(self, *, look_every_secs: float = 0.5) -> None:
        """Send for ever; no receiver waits for another."""
        async with asyncio.TaskGroup() as receivers:
            for name in self._receivers:
                receivers.create_task(self._tell_for_ever(name, look_every_secs))
            receivers.create_task(self._say_how_it_stands())
            while True:
                await asyncio.to_thread(self._escalate)
                await asyncio.sleep(look_every_secs)

    async def _tell_for_ever(self, name: str, look_every_secs: float) -> None:
        news = self._receivers[name].news
        while True:
            news.clear()
            await self._drain(name)
            with suppress(TimeoutError):
                async with asyncio.timeout(look_every_secs):
                    await news.wait()

    async def _say_how_it_stands(self) -> None:
        while True:
            with suppress(sqlite3.Error):  # a disk that is not well: said again the next time
                counts, waits = await asyncio.to_thread(lambda: (self._store.counts(), self._store.waits()))
                self._say(counts, waits)
            await asyncio.sleep(STANDS_EVERY_SECS)

    def _say(self, counts: Mapping[tuple[str, str], int], waits: Mapping[str, tuple[int, float]]) -> None:
        now = self._now()
        for name in self._receivers:
            waiting, since = waits.get(name, (0, now))
            rows = {state: counts.get((name, state), 0) for state in STATES}
            self._observer.stands(name, rows, waiting=waiting, oldest_secs=max(0.0, now - since))

    async def drain_all(self) -> int:
        """Send until nothing waits any more, waiting for receivers that are not well; return how many were sent."""
        sent = await self.drain()
        while self._store.oldest_pending() is not None:
            await self._sleep(self._patience.first_wait_secs)
            sent += await self.drain()
        return sent

    async def report(self, publish: Callable[[Sequence[Notification]], Awaitable[None]], *, most: int) -> int:
        """Publish what has become of notifications since that was last done; return of how many.

        Killed between the publishing and its note, it is published once more at the next start.
        """
        changed = await asyncio.to_thread(self._store.changes, self._reported, most)
        if changed:
            await publish([notification_from(one, self._store.outbox_id) for one in changed])
            self._reported = changed[-1].number
            with suppress(sqlite3.Error):  # a disk that takes nothing: noted with the next ones
                await asyncio.to_thread(self._store.forget_changes, self._reported)
        return len(changed)

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many alerts each receiver has in each state: pending, sent, failed, superseded."""
        return self._store.counts()

    def held(self) -> dict[str, int]:
        """Return how many notifications are kept back, by the reason."""
        return self._store.held()

    def troubles(self) -> dict[str, str]:
        """Return the receivers that could not be told at the last attempt, with the reason."""
        return {name: receiver.trouble for name, receiver in self._receivers.items() if receiver.trouble}

    def waits_secs(self) -> float:
        """Return for how long the oldest alert has waited that nothing keeps back, 0 when none does."""
        oldest = self._store.oldest_pending()
        return 0.0 if oldest is None else max(0.0, self._now() - oldest)

    def forget_before(self, at: datetime) -> int:
        """Remove what was done with before a moment; return how many."""
        return self._store.forget_before(at.timestamp())

    def close(self) -> None:
        """Let go of the file; what waits will be sent after the next start."""
        self._store.close()

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _escalate(self) -> None:
        """Call others for what nobody has acknowledged in time."""
        for one in self._store.due_escalations(self._now()):
            known, route = self._store.incident(one.incident_id), self._router.route(one.route)
            if known is not None and route is not None:
                now, alert = self._now(), decode(known.alert, Alert)
                rows = [
                    self._intake.row(alert, known.alert, route=route, receiver=name, is_urgent=True, now=now)
                    for name in route.escalate_to
                    if name in self._receivers
                ]
                self._store.escalate(rows, now)
                self._observer.escalated(route.name, one.incident_id)
            self._store.end_escalation(one.incident_id, "escalated")

    async def _drain(self, name: str) -> int:
        async with self._receivers[name].turn:
            return await self._drained(name)

    async def _mind_the_clock(self) -> None:
        """Where the clock was set back, try all now: by what it said before, what waits would wait so much longer."""
        before, self._latest = self._latest, self._now()
        if self._latest < before - SET_BACK_SECS:
            for receiver in self._receivers.values():
                receiver.paused_until = 0.0
            await asyncio.to_thread(self._store.hasten, self._latest)

    async def _drained(self, name: str) -> int:
        receiver, sent = self._receivers[name], 0
        await self._mind_the_clock()
        rows = in_order(await self._needed(receiver, await self._current(name)))
        others = await asyncio.to_thread(self._open_incidents) if rows and self._router.has_inhibitions else []
        waiting: set[str] = set()  # incidents with an earlier revision that still waits
        done: set[int] = set()
        for row in rows:
            if receiver.paused_until > self._now():
                break
            if row.id in done:
                continue
            if row.incident_id in waiting or row.next_try_at > self._now():
                waiting.add(row.incident_id)
                continue
            gone = done | self._unnoted
            mates = [one for one in rows if one.id not in gone and one.incident_id not in waiting]
            batch = await self._batch(row, mates, others)
            outcome = await self._send(receiver, batch) if batch else "held"
            if outcome in ("held", "put_off"):
                waiting.update([row.incident_id, *(one.incident_id for one, _ in batch)])
            else:
                done.update(one.id for one, _ in batch)
                sent += len(batch) if outcome == "sent" else 0
        return sent

    async def _batch(self, row: Row, rows: Sequence[Row], others: Sequence[Labels]) -> Batch:
        """Return what is to be told at once with a row: itself, and its group; nothing while it is kept back."""
        value = await asyncio.to_thread(self._store.alert, row.id)
        if row.level == DIGEST:
            return [(row, record_from(value, row, Digest))]
        alert = record_from(value, row, Alert)
        # What was told already takes nobody along, for they would not be; nothing keeps back that words are gone.
        if row.id in self._unnoted or row.level == WORDS:
            return [(row, alert)]
        if await self._is_held(row, alert, others):
            return []
        return [(row, alert), *await self._companions(row, rows, others)]

    async def _current(self, name: str) -> list[Row]:
        """Return what waits for a receiver; of what was kept back, the newest revision stands for the older ones."""
        rows = await asyncio.to_thread(self._store.pending, name)
        newest: dict[str, int] = {}
        for row in (one for one in rows if one.level != WORDS):
            newest[row.incident_id] = max(newest.get(row.incident_id, 0), row.revision)
        last = {row.incident_id: row.id for row in rows if row.revision == newest.get(row.incident_id)}
        old = [row for row in rows if row.held and row.revision < newest[row.incident_id]]
        for row in old:
            await asyncio.to_thread(self._store.supersede, row.id, last[row.incident_id], self._now())
        return await asyncio.to_thread(self._store.pending, name) if old else rows

    async def _needed(self, receiver: Receiver, rows: Sequence[Row]) -> list[Row]:
        """Return what is to be told of what waits; the rest is done with, each with its reason."""
        return [row for row in rows if not (await self._retracted(receiver, row) or await self._is_needless(row, rows))]

    async def _retracted(self, receiver: Receiver, row: Row) -> bool:
        """Have a sink for people lose words that were taken back; tell whether a row was of that kind."""
        sink = receiver.sink
        if row.level != WORDS or not isinstance(sink, Retracts):
            return False
        if row.next_try_at > self._now():
            return True
        alert = record_from(await asyncio.to_thread(self._store.alert, row.id), row, Alert)
        try:
            await sink.retract(alert)
        except Exception as error:  # noqa: BLE001  a bug in a sink must not cost the others' words
            now, why = self._now(), TryLater(f"{type(error).__name__} in the sink")
            wait = self._wait_secs(row.attempts + 1, why)  # of this row alone: alerts do not wait for it
            await asyncio.to_thread(self._store.put_off, row.id, now, now + wait, str(why))
            self._observer.put_off(receiver.sink.name, why, retry_secs=wait)
            return True
        await self._pass_over(row, ONLY_WORDS)
        return True

    async def _is_needless(self, row: Row, rows: Sequence[Row]) -> bool:
        """Tell whether a row is the end of what its receiver was never told of; it is done with then."""
        if row.level not in CLOSED or row.id in self._unnoted:
            return False
        if any(one.incident_id == row.incident_id and one.revision < row.revision for one in rows):
            return False  # that is told first
        if not await asyncio.to_thread(self._store.is_whole, row.incident_id, row.revision - 1):
            return False
        if await asyncio.to_thread(self._store.has_told, row.receiver, row.incident_id):
            return False
        await self._pass_over(row, NEVER_TOLD)
        return True

    async def _pass_over(self, row: Row, why: str) -> None:
        await asyncio.to_thread(self._store.needless, row.id, why, self._now())
        self._observer.held(row.receiver, why.partition(":")[0])

    def _open_incidents(self) -> list[dict[str, str]]:
        since = self._now() - OPEN_FOR.total_seconds()
        return [_labels.decode(labels) for labels in self._store.open_incidents(since)]

    async def _is_held(self, row: Row, alert: Alert, others: Sequence[Labels]) -> bool:
        """Tell whether something keeps a row back; note what."""
        route = self._router.route(row.route)
        held = self._router.held(
            labels_of(alert),
            route=route,
            receiver=row.receiver,
            now=self._clock.now(),
            silences=self._silences(),
            others=others,
        ) or await asyncio.to_thread(self._over_rate, row, route)
        if held is None:
            return False
        if not row.held:
            self._observer.held(row.receiver, held.cause)
        until = min(held.until, self._clock.now() + LOOK_AGAIN)  # what holds may be gone by then
        why = f"{held.cause}: {held.why}"
        await asyncio.to_thread(self._store.hold, row.id, self._now(), until.timestamp(), why)
        return True

    def _over_rate(self, row: Row, route: Route | None) -> Held | None:
        if route is None or not route.most_per_hour or row.is_urgent:
            return None
        sent = self._store.sent_since(row.receiver, self._now() - HOUR)
        if len(sent) < route.most_per_hour:
            return None
        until = datetime.fromtimestamp(sent[-route.most_per_hour] + HOUR, UTC)
        return Held("rate", f"{route.most_per_hour} an hour at most by route {route.name}", until)

    async def _companions(self, row: Row, rows: Sequence[Row], others: Sequence[Labels]) -> list[tuple[Row, Alert]]:
        """Return what is told together with a row: the oldest that waits of each incident of its group.

        For a sink that can; no revision overtakes an earlier one of its incident.
        """
        if not row.team or not isinstance(self._receivers[row.receiver].sink, Many):
            return []
        found: list[tuple[Row, Alert]] = []
        seen = {row.incident_id}
        for other in rows:
            is_first = other.incident_id not in seen
            seen.add(other.incident_id)
            is_mate = is_first and other.team == row.team
            if not is_mate or (other.next_try_at > self._now() and other.held != WAITS_FOR_GROUP):
                continue
            alert = record_from(await asyncio.to_thread(self._store.alert, other.id), other, Alert)
            if not await self._is_held(other, alert, others):
                found.append((other, alert))
        return found

    async def _send(self, receiver: Receiver, batch: Batch) -> Outcome:
        """Tell a receiver; when it is put off, later revisions of these incidents have to wait."""
        row, sink = batch[0][0], receiver.sink
        try:
            if row.id not in self._unnoted:
                await _tell(sink, [told for _, told in batch])
        except Undeliverable as error:
            if len(batch) > 1:  # one of them spoils the letter: each by itself
                outcomes = [await self._send(receiver, [one]) for one in batch]
                return next(kind for kind in ("put_off", "sent", "failed") if kind in outcomes)
            return await self._give_up(receiver, batch, error)
        except TryLater as error:
            return await self._put_off(receiver, row, batch, error)
        except Exception as error:  # noqa: BLE001  a bug in a sink must not cost the alert
            return await self._put_off(receiver, row, batch, TryLater(f"{type(error).__name__} in the sink"))
        receiver.failures, receiver.trouble = 0, ""
        return await self._note(receiver, [row for row, _ in batch])

    async def _note(self, receiver: Receiver, rows: Sequence[Row]) -> Outcome:
        """Note that rows were sent; where the disk takes nothing, that is tried again, and not the sending."""
        row_ids = [row.id for row in rows]
        self._unnoted.update(row_ids)
        try:
            await asyncio.to_thread(self._store.done, row_ids, "sent", self._now())
        except sqlite3.Error as error:
            receiver.trouble = f"told, and cannot be noted: {error}"
            self._observer.put_off(receiver.sink.name, TryLater(receiver.trouble), retry_secs=0.0)
            return "put_off"
        self._unnoted.difference_update(row_ids)
        now = self._now()
        self._observer.sent(
            receiver.sink.name, after_secs=[max(0.0, now - row.enqueued_at) for row in rows if not row.held]
        )
        return "sent"

    async def _give_up(self, receiver: Receiver, batch: Batch, error: VigieError) -> Outcome:
        receiver.trouble = str(error)
        await asyncio.to_thread(self._store.done, [one.id for one, _ in batch], "failed", self._now(), str(error))
        self._observer.failed(receiver.sink.name, error)
        return "failed"

    async def _put_off(self, receiver: Receiver, row: Row, batch: Batch, error: TryLater) -> Outcome:
        now = self._now()
        receiver.failures, receiver.trouble = receiver.failures + 1, str(error)
        oldest = now - self._patience.give_up_after.total_seconds()
        lost = [one for one in batch if one[0].tried_at is not None and one[0].tried_at <= oldest]
        kept = [one for one in batch if one not in lost]
        if lost:
            await self._give_up(receiver, lost, error)
        wait = self._wait_secs(row.attempts + 1, error)
        if receiver.failures >= self._patience.failures_to_pause:
            receiver.paused_until = now + wait
        for one, _ in kept:
            await asyncio.to_thread(self._store.put_off, one.id, now, now + wait, str(error))
        if not kept:
            return "failed"
        self._observer.put_off(receiver.sink.name, error, retry_secs=wait)
        return "put_off"

    def _wait_secs(self, attempts: int, error: TryLater) -> float:
        doubled = self._patience.first_wait_secs * 2.0 ** min(attempts - 1, 16)
        ceiling = min(self._patience.longest_wait_secs, doubled)
        asked = min(error.retry_after_secs or 0.0, LONGEST_ASKED_SECS)
        return max(ceiling * (0.5 + self._chance() / 2), asked)


def in_order(rows: Sequence[Row]) -> list[Row]:
    """Return rows oldest first, but no revision of an incident before a lower one."""
    by_incident: dict[str, list[Row]] = {}
    for row in rows:
        by_incident.setdefault(row.incident_id, []).append(row)
    turns = {
        incident_id: iter(sorted(found, key=lambda row: row.revision)) for incident_id, found in by_incident.items()
    }
    return [next(turns[row.incident_id]) for row in rows]


async def _tell(sink: Sink, told: Sequence[Alert | Digest]) -> None:
    """Have a sink tell of a digest, of one alert, or of several at once."""
    alerts = [one for one in told if isinstance(one, Alert)]
    if not alerts:
        if isinstance(sink, Digests) and isinstance(told[0], Digest):
            await sink.send_digest(told[0])
    elif len(alerts) > 1 and isinstance(sink, Many):
        await sink.send_many(alerts)
    else:
        await sink.send(alerts[0])


def record_from(value: bytes, row: Row, kind: type[Record]) -> Record:
    """Return what a row tells of."""
    try:
        return decode(value, kind)
    except MalformedRecord as error:
        raise BrokenInvariant(
            f"outbox: row {row.id}, incident {row.incident_id} revision {row.revision}: {error}"
        ) from error

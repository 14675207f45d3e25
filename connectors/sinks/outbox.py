"""Outbox: alerts on their way to receivers, on disk, so that a notification is neither forgotten nor repeated.

Shape   one row per incident, revision and receiver; each receiver gets the revisions of an incident in order, and does
        not wait for another receiver. Killed between the sending and its note, the alert goes out once more at the
        next start, under the same webhook-id: that is the only repeat there can be
Units   waits in seconds, doubling, half of them by chance; a row is given up after `give_up_after`, a day
Errors  BrokenInvariant when the file holds what we cannot have written
"""

import asyncio
import random
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from connectors.sinks.contract import Sink, SinkObserver, TryLater, Undeliverable, UnobservedSinks
from records import Alert, BrokenInvariant, Clock, MalformedRecord, VigieError, decode, encode

SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (
    id INTEGER PRIMARY KEY,
    incident_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    receiver TEXT NOT NULL,
    alert BLOB NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    enqueued_at REAL NOT NULL,
    next_try_at REAL NOT NULL,
    done_at REAL,
    detail TEXT NOT NULL DEFAULT '',
    UNIQUE (receiver, incident_id, revision)
);
CREATE INDEX IF NOT EXISTS outbox_pending ON outbox (receiver, id) WHERE state = 'pending';
"""

Outcome = Literal["sent", "failed", "put_off"]
"""What became of one attempt."""

_random = random.SystemRandom()


def by_chance() -> float:
    """Return a number between 0 and 1, by chance."""
    return _random.random()


def everyone(alert: Alert, receiver: str) -> bool:
    """Send every alert to every receiver."""
    return True


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to try."""

    first_wait_secs: float = 1.0
    longest_wait_secs: float = 300.0
    give_up_after: timedelta = timedelta(days=1)
    failures_to_pause: int = 3  # in a row, whatever the incident: the receiver itself is not well


class Row(NamedTuple):
    """One alert that one receiver has not got yet."""

    id: int
    incident_id: str
    revision: int
    attempts: int
    enqueued_at: float
    next_try_at: float


class Store:
    """The file. Every call is one transaction, on disk when it returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA secure_delete = ON")  # else what was removed stays in the file's free pages
        self._db.executescript(SCHEMA)

    def add(self, rows: Sequence[tuple[str, int, str, bytes]], at: float) -> int:
        """Add rows that are not there yet; return how many."""
        with self._lock:
            before = self._db.total_changes
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany(
                    "INSERT INTO outbox (incident_id, revision, receiver, alert, enqueued_at, next_try_at)"
                    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (receiver, incident_id, revision) DO NOTHING",
                    [(*row, at, at) for row in rows],
                )
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
            return self._db.total_changes - before

    def pending(self, receiver: str) -> list[Row]:
        """Return what a receiver has not got yet, oldest first."""
        with self._lock:
            found = self._db.execute(
                "SELECT id, incident_id, revision, attempts, enqueued_at, next_try_at FROM outbox"
                " WHERE receiver = ? AND state = 'pending' ORDER BY id",
                (receiver,),
            ).fetchall()
        return [Row(*row) for row in found]

    def alert(self, row_id: int) -> bytes:
        """Return the alert of a row."""
        with self._lock:
            found = self._db.execute("SELECT alert FROM outbox WHERE id = ?", (row_id,)).fetchone()
        if found is None:
            raise BrokenInvariant(f"outbox: row {row_id} is gone")
        return bytes(found[0])

    def mark(self, row_id: int, state: str, at: float, detail: str = "") -> None:
        """Note that a row is done with: the words of its alert are not kept."""
        with self._lock:
            self._db.execute(
                "UPDATE outbox SET state = ?, done_at = ?, detail = ?, attempts = attempts + 1, alert = x''"
                " WHERE id = ?",
                (state, at, detail[:500], row_id),
            )

    def put_off(self, row_id: int, until: float, detail: str) -> None:
        """Note that a row is to be tried again."""
        with self._lock:
            self._db.execute(
                "UPDATE outbox SET next_try_at = ?, detail = ?, attempts = attempts + 1 WHERE id = ?",
                (until, detail[:500], row_id),
            )

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many rows each receiver has in each state."""
        with self._lock:
            found = self._db.execute("SELECT receiver, state, count(*) FROM outbox GROUP BY 1, 2").fetchall()
        return {(receiver, state): rows for receiver, state, rows in found}

    def oldest_pending(self) -> float | None:
        """Return since when the oldest row waits, or None when none does."""
        with self._lock:
            found = self._db.execute("SELECT min(enqueued_at) FROM outbox WHERE state = 'pending'").fetchone()
        return found[0] if found else None

    def forget_before(self, at: float) -> int:
        """Remove rows that were done with before a moment; return how many."""
        with self._lock:
            removed = self._db.execute("DELETE FROM outbox WHERE state != 'pending' AND done_at < ?", (at,)).rowcount
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the log has the words of what was told, until then
        return removed

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()


@dataclass
class Receiver:
    """A sink, and how it has been doing."""

    sink: Sink
    failures: int = 0  # in a row
    paused_until: float = 0.0


class Outbox:
    """Takes alerts in for good, and brings them to their receivers."""

    def __init__(
        self,
        path: Path,
        sinks: Iterable[Sink],
        *,
        clock: Clock,
        observer: SinkObserver | None = None,
        route: Callable[[Alert, str], bool] = everyone,
        patience: Patience | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = by_chance,
    ) -> None:
        self._receivers: Mapping[str, Receiver] = {sink.name: Receiver(sink) for sink in sinks}
        self._store = Store(path)
        self._clock = clock
        self._observer = observer or UnobservedSinks()
        self._route = route
        self._patience = patience or Patience()
        self._sleep = sleep
        self._chance = chance
        self._is_draining = asyncio.Lock()
        self._news = asyncio.Event()

    async def enqueue(self, alerts: Iterable[Alert]) -> int:
        """Take alerts in; when this returns they are on disk. Known ones are passed over; return how many were new."""
        rows = [
            (alert.incident_id, alert.revision, receiver, encode(alert))
            for alert in alerts
            for receiver in self._receivers
            if self._route(alert, receiver)
        ]
        if not rows:
            return 0
        added = await asyncio.to_thread(self._store.add, rows, self._now())
        self._news.set()
        return added

    async def drain(self) -> int:
        """Send all that is due, receivers side by side; return how many alerts were sent."""
        async with self._is_draining:
            sent = await asyncio.gather(*(self._drain(name) for name in self._receivers))
        return sum(sent)

    async def run(self, *, look_every_secs: float = 0.5) -> None:
        """Send for ever."""
        while True:
            self._news.clear()
            await self.drain()
            with suppress(TimeoutError):
                async with asyncio.timeout(look_every_secs):
                    await self._news.wait()

    async def drain_all(self) -> int:
        """Send until nothing waits any more, waiting for receivers that are not well; return how many were sent."""
        sent = await self.drain()
        while self._store.oldest_pending() is not None:
            await self._sleep(self._patience.first_wait_secs)
            sent += await self.drain()
        return sent

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many alerts each receiver has in each state: pending, sent, failed."""
        return self._store.counts()

    def waits_secs(self) -> float:
        """Return for how long the oldest alert has waited, 0 when none does."""
        oldest = self._store.oldest_pending()
        return 0.0 if oldest is None else max(0.0, self._now() - oldest)

    def forget_before(self, at: datetime) -> int:
        """Remove what was sent or given up before a moment; return how many."""
        return self._store.forget_before(at.timestamp())

    def close(self) -> None:
        """Let go of the file; what waits will be sent after the next start."""
        self._store.close()

    def _now(self) -> float:
        return self._clock.now().timestamp()

    async def _drain(self, name: str) -> int:
        receiver, sent = self._receivers[name], 0
        held: set[str] = set()  # incidents with an earlier revision that still waits
        for row in in_order(await asyncio.to_thread(self._store.pending, name)):
            if receiver.paused_until > self._now():
                break
            if row.incident_id in held or row.next_try_at > self._now():
                held.add(row.incident_id)
                continue
            outcome = await self._send(receiver, row)
            sent += outcome == "sent"
            if outcome == "put_off":
                held.add(row.incident_id)
        return sent

    async def _send(self, receiver: Receiver, row: Row) -> Outcome:
        """Send one alert; when it is put off, later revisions of its incident have to wait."""
        alert = alert_from(await asyncio.to_thread(self._store.alert, row.id), row)
        try:
            await receiver.sink.send(alert)
        except Undeliverable as error:
            return await self._give_up(receiver, row, error)
        except TryLater as error:
            return await self._put_off(receiver, row, error)
        except Exception as error:  # noqa: BLE001  a bug in a sink must not cost the alert
            return await self._put_off(receiver, row, TryLater(f"{type(error).__name__} in the sink"))
        else:
            receiver.failures = 0
            await asyncio.to_thread(self._store.mark, row.id, "sent", self._now())
            self._observer.sent(receiver.sink.name)
            return "sent"

    async def _give_up(self, receiver: Receiver, row: Row, error: VigieError) -> Outcome:
        await asyncio.to_thread(self._store.mark, row.id, "failed", self._now(), str(error))
        self._observer.failed(receiver.sink.name, error)
        return "failed"

    async def _put_off(self, receiver: Receiver, row: Row, error: TryLater) -> Outcome:
        now = self._now()
        receiver.failures += 1
        if now - row.enqueued_at >= self._patience.give_up_after.total_seconds():
            return await self._give_up(receiver, row, error)
        wait = self._wait_secs(row.attempts + 1, error)
        if receiver.failures >= self._patience.failures_to_pause:
            receiver.paused_until = now + wait
        await asyncio.to_thread(self._store.put_off, row.id, now + wait, str(error))
        self._observer.put_off(receiver.sink.name, error, retry_secs=wait)
        return "put_off"

    def _wait_secs(self, attempts: int, error: TryLater) -> float:
        doubled = self._patience.first_wait_secs * 2.0 ** min(attempts - 1, 16)
        ceiling = min(self._patience.longest_wait_secs, doubled)
        return max(ceiling * (0.5 + self._chance() / 2), error.retry_after_secs or 0.0)


def in_order(rows: Sequence[Row]) -> list[Row]:
    """Return rows oldest first, but no revision of an incident before a lower one."""
    by_incident: dict[str, list[Row]] = {}
    for row in rows:
        by_incident.setdefault(row.incident_id, []).append(row)
    turns = {
        incident_id: iter(sorted(found, key=lambda row: row.revision)) for incident_id, found in by_incident.items()
    }
    return [next(turns[row.incident_id]) for row in rows]


def alert_from(value: bytes, row: Row) -> Alert:
    """Return the alert of a row."""
    try:
        return decode(value, Alert)
    except MalformedRecord as error:
        raise BrokenInvariant(
            f"outbox: row {row.id}, incident {row.incident_id} revision {row.revision}: {error}"
        ) from error

"""Runner: reads one source for as long as it lasts, and never forgets where it stood.

Shape   readings in; batches of at most 256 posts, or of 20 ms, out to the publisher, in order; one batch on its way
        while the next one fills; the cursor is saved after the broker has the batch
Errors  SourceUnavailable is waited out; a cursor that cannot be saved keeps nobody from reading; whatever the
        publisher raises ends the run with the cursor unsaved
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from connectors.contract import Cursors, Gate, NotSaved, Observer, Outcome, Publisher, Reading, Source
from connectors.sift import everything, sifted
from connectors.tally import Tally, language_of
from records import Bulletin, Clock, DeadLetter, MalformedRecord, Post, SourceUnavailable

_random = random.SystemRandom()
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How large the batches are, and how long to wait for what."""

    batch_posts: int = 256
    batch_readings: int = 4096  # a batch of frames that are not for us ends too, so that the cursor moves
    linger_secs: float = 0.020
    first_wait_secs: float = 0.5
    longest_wait_secs: float = 60.0
    stop_secs: float = 10.0  # what was read has this long to reach the broker when we are told to stop
    turn_secs: float = 1.0  # how often a quiet source looks at the clock, for its pulses


@dataclass
class Batch:
    """What was read since the last batch."""

    posts: list[Post] = field(default_factory=list)
    bulletins: list[Bulletin] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    counts: Counter[tuple[str, Outcome, str]] = field(default_factory=Counter)  # language, outcome, reason
    last: Post | None = None  # passed or not
    cursor: str = ""
    readings: int = 0
    records: int = 0  # that are to be handed over

    def take(self, *found: Post | Bulletin) -> None:
        """Take what is to be handed over."""
        self.records += len(found)
        for one in found:
            if isinstance(one, Post):
                self.posts.append(one)
            else:
                self.bulletins.append(one)


def chance_of_ours() -> float:
    """Return a number between 0 and 1, by chance."""
    return _random.random()


async def run(
    source: Source,
    *,
    gate: Gate,
    publisher: Publisher,
    cursors: Cursors,
    observer: Observer,
    clock: Clock,
    pace: Pace | None = None,
    sleep: Sleep = asyncio.sleep,
    chance: Callable[[], float] = chance_of_ours,
) -> None:
    """Read a source until it ends or we are cancelled; what was read is handed over before this returns."""
    whole = _Run(
        source,
        gate=gate,
        publisher=publisher,
        cursors=cursors,
        observer=observer,
        clock=clock,
        pace=pace or Pace(),
        sleep=sleep,
        chance=chance,
    )
    await whole.to_the_end()


def wait_secs(failures: int, error: SourceUnavailable, *, pace: Pace, chance: float) -> float:
    """Return how long to wait after the nth failure in a row: doubling, half of it by chance, never past the limit.

    What the source asked for is a floor.
    """
    ceiling = min(pace.longest_wait_secs, pace.first_wait_secs * 2.0 ** min(failures - 1, 16))
    return max(ceiling * (0.5 + chance / 2), error.retry_after_secs or 0.0)


class _Run:
    """One run: a reader that fills a batch, and a sender that empties it."""

    def __init__(
        self,
        source: Source,
        *,
        gate: Gate,
        publisher: Publisher,
        cursors: Cursors,
        observer: Observer,
        clock: Clock,
        pace: Pace,
        sleep: Sleep,
        chance: Callable[[], float],
    ) -> None:
        self.source, self.gate, self.publisher = source, gate, publisher
        self.cursors, self.observer, self.clock = cursors, observer, clock
        self.pace, self.sleep, self.chance = pace, sleep, chance
        self.tally = Tally(source.name)
        self.batch = Batch()
        self.cursor = cursors.load(source.name)
        self.failures = 0
        self.is_over = False
        self.is_saved = True
        self.begun, self.full, self.room = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def to_the_end(self) -> None:
        reader = asyncio.create_task(self._read(), name=f"read {self.source.name}")
        sender = asyncio.create_task(self._send(), name=f"send {self.source.name}")
        try:
            await asyncio.wait({reader, sender}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._stop(reader, sender)
        for task in (sender, reader):
            if not task.cancelled():
                task.result()

    async def _stop(self, reader: asyncio.Task[None], sender: asyncio.Task[None]) -> None:
        """Stop reading first, then let what was read reach the broker; told to stop once more, let go of both."""
        reader.cancel()
        try:
            await asyncio.wait({reader})
            self.is_over = True
            self.begun.set()
            self.full.set()
            await asyncio.wait({sender}, timeout=self.pace.stop_secs)
        finally:
            for task in (reader, sender):
                task.cancel()
                task.add_done_callback(_looked_at)
        await asyncio.wait({reader, sender})

    async def _read(self) -> None:
        while True:
            try:
                async with aclosing(self.source.read(self.cursor)) as readings:
                    async for reading in readings:
                        if self._take(reading):
                            await self._make_room()
            except SourceUnavailable as error:
                await self._wait_out(error)
            else:
                return

    def _take(self, reading: Reading) -> bool:
        """Put one reading into the batch; tell whether the batch is full."""
        batch = self.batch
        self._sort(reading, batch)
        if reading.cursor:
            self.cursor = batch.cursor = reading.cursor
        self.failures = 0
        batch.readings += 1
        if batch.readings == 1:
            self.begun.set()
        return batch.records >= self.pace.batch_posts or batch.readings >= self.pace.batch_readings

    def _sort(self, reading: Reading, batch: Batch) -> None:
        """Put what was read where it belongs, and count it once."""
        found = reading.post
        if isinstance(found, Post):
            batch.last = found
            kept = sifted(found, everything if self.source.is_trusted else self.gate)
            batch.counts[language_of(found.lang), "gated" if kept is None else "kept", ""] += 1
            if kept is not None:
                batch.take(kept, *reading.also)
        elif isinstance(found, Bulletin):
            batch.counts["", "kept", ""] += 1
            batch.take(found, *reading.also)
        elif found is None:
            batch.counts["", "not_a_post", ""] += 1
        else:
            batch.counts["", "refused", found.reason] += 1
            batch.letters.append(self._letter(found))
            batch.records += 1

    def _letter(self, error: MalformedRecord) -> DeadLetter:
        return DeadLetter(
            topic=f"source:{self.source.name}",
            reason=error.reason,
            detail=str(error),
            value=error.value,
            died_at=self.clock.now(),
        )

    async def _make_room(self) -> None:
        self.room.clear()
        self.full.set()
        await self.room.wait()

    async def _wait_out(self, error: SourceUnavailable) -> None:
        self.failures += 1
        seconds = wait_secs(self.failures, error, pace=self.pace, chance=self.chance())
        self.observer.unavailable(self.source.name, error, retry_secs=seconds)
        await self.sleep(seconds)

    async def _send(self) -> None:
        while not (self.is_over and not self.batch.readings):
            await self._send_pulses()
            if not await _is_set(self.begun, self.pace.turn_secs):
                continue
            await _is_set(self.full, self.pace.linger_secs)
            await self._send_batch()
        await self.publisher.pulses(self.tally.rest(is_listening=False))

    async def _send_batch(self) -> None:
        batch, self.batch = self.batch, Batch()
        self.begun.clear()
        self.full.clear()
        self.room.set()
        if batch.posts:
            await self.publisher.posts(batch.posts)
        if batch.bulletins:
            await self.publisher.bulletins(batch.bulletins)
        if batch.letters:
            await self.publisher.dead_letters(batch.letters)
        if batch.cursor:
            self._save(batch.cursor)
        if batch.last is not None:
            self.observer.lagged(self.source.name, (batch.last.received_at - batch.last.event_time).total_seconds())
        for (language, outcome, reason), values in batch.counts.items():
            self.tally.add(language, outcome, values)
            self.observer.counted(self.source.name, outcome, values, reason=reason)

    def _save(self, cursor: str) -> None:
        """Save the cursor; where the disk takes nothing say so once, and read on: the next batch tries again."""
        try:
            self.cursors.save(self.source.name, cursor)
        except NotSaved as error:
            if self.is_saved:
                self.observer.unsaved(self.source.name, error)
            self.is_saved = False
        else:
            self.is_saved = True

    async def _send_pulses(self) -> None:
        pulses = self.tally.turn(self.clock.now(), is_listening=not self.failures)
        if pulses:
            await self.publisher.pulses(pulses)


def _looked_at(task: asyncio.Task[None]) -> None:
    """Take note of how a task ended: it is raised, unless we were cancelled and the cursor tells the rest."""
    if not task.cancelled():
        task.exception()


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    """Wait for something to happen, for so long at most; tell whether it did."""
    if event.is_set():
        return True
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True

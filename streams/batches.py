"""Batches: how values of a topic are sorted, finished and, where they cannot be handled, set aside whole.

A batch that was begun is always finished, and where that cannot be done the process ends at once, before anything is
committed that was not handled.
"""

import asyncio
import os
import sys
from collections import defaultdict, deque
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, TypeVar

import structlog
from faust.types import EventT

from records import Clock, DeadLetter, MalformedRecord, decode
from streams import metrics
from streams.publisher import KafkaPublisher
from streams.topics import NUDGE, Topic

log = structlog.get_logger()

BROKEN_STATUS = 70  # a batch could not be finished, or our own state is wrong
FINISH_SECS = 20.0  # how long batches may take when the worker is asked to stop
MAX_DETAIL = 1000
MAX_VALUE = (
    1_400_000  # bytes; a larger value, which no broker takes as it comes, is cut, or its letter could not be sent
)

T = TypeVar("T")


def by_partition(events: Iterable[EventT[Any]]) -> Iterable[Sequence[EventT[Any]]]:
    """Return the events of each partition: a table's change belongs to the partition it came from."""
    groups: dict[int, list[EventT[Any]]] = defaultdict(list)
    for event in events:
        groups[event.message.partition].append(event)
    return groups.values()


class DeadLetters:
    """Sorts values that can be read from those that cannot, and sends the latter away whole."""

    def __init__(self, publisher: KafkaPublisher, clock: Clock) -> None:
        self.publisher = publisher
        self.clock = clock

    def sort(
        self, topic: Topic, events: Sequence[EventT[Any]], record: type[T]
    ) -> tuple[list[tuple[EventT[Any], T]], list[DeadLetter]]:
        """Return the events with their records, and a letter for each of the others; the sweep's own say nothing."""
        good: list[tuple[EventT[Any], T]] = []
        dead: list[DeadLetter] = []
        for event in events:
            if event.message.key == NUDGE:
                continue
            try:
                good.append((event, decode(event.message.value, record)))
            except MalformedRecord as error:
                dead.append(self.letter(topic, event, error.reason, f"{topic.name}: {error}"))
        return good, dead

    def letter(self, topic: Topic, event: EventT[Any], reason: str, detail: str) -> DeadLetter:
        """Return the dead letter for one event."""
        message: Any = event.message
        value = message.value or b""
        if len(value) > MAX_VALUE:
            detail = f"cut from {len(value)} bytes: {detail}"
        return DeadLetter(
            topic=topic.name,
            reason=reason,
            detail=detail[:MAX_DETAIL],
            value=value[:MAX_VALUE],
            died_at=self.clock.now(),
            partition=message.partition,
            offset=message.offset,
        )

    async def send(self, dead: Sequence[DeadLetter]) -> None:
        """Send letters; return when the broker has them."""
        await self.publisher.dead_letters(dead)
        for letter in dead:
            metrics.DEAD_LETTERS.labels(letter.topic, letter.reason).inc()
            log.debug("dead letter", topic=letter.topic, reason=letter.reason, offset=letter.offset)


class InHand:
    """The batches that an agent works on at once: begun in their order, and all finished."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._tasks: deque[asyncio.Task[None]] = deque()

    async def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin with a batch; return as soon as there is room for another."""
        self._tasks.append(asyncio.create_task(_finished(work)))
        while len(self._tasks) >= self.most:
            await asyncio.shield(self._tasks[0])
            self._tasks.popleft()

    async def finish(self) -> None:
        """Wait until none is left, also where we are cancelled meanwhile; end the process where that takes too long."""
        rest = asyncio.create_task(self._rest())
        try:
            await asyncio.shield(rest)
        except asyncio.CancelledError:  # Faust cancels an agent right after it has told it to stop
            await rest
            raise

    async def _rest(self) -> None:
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=FINISH_SECS)
            if late:
                die(TimeoutError(f"batch not finished in {FINISH_SECS:.0f} s"))


async def _finished(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception as error:  # noqa: BLE001  whatever it is, the batch is not done
        die(error)


def die(error: BaseException | None) -> None:
    """End the process before anything can be acknowledged that was not handled."""
    log.error("worker ends: a batch could not be finished; it will be read again", error=repr(error), exc_info=error)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(BROKEN_STATUS)

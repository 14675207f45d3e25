"""Faust's transport, mended so that what it fetches while partitions are handed out is not lost, and made leaner.

- It then drops what it has fetched and goes back to the committed offsets. Where a group has committed nothing, there
  is none to go back to, and the consumer stays where it is.
- It lets the partitions be fetched before it goes back, and opens the streams' queues afterwards, which empties them of
  what came in between.
- It asks for records of a set of partitions, and empties that set while it waits, when a table is recovered; aiokafka
  takes an empty set for all partitions, and what comes then is of none that Faust wants, and dropped.

Each way the posts dropped are not read before the next restart, and no later commit gets past them.

And it makes four tasks for each message, to hand it to a queue, where mostly nothing has to be waited for.
"""

from collections.abc import Coroutine, Generator, Iterable, Mapping
from dataclasses import dataclass
from inspect import iscoroutine
from typing import Any

from aiokafka import AIOKafkaConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode.services import WaitResults

RecordMap = Mapping[TP, list[Any]]

CHANGELOG = "-changelog"  # how the names of tables' topics end; Faust seeks in these by itself, and commits nothing


async def seek_to_committed(consumer: AIOKafkaConsumer) -> Mapping[TP, int]:
    """Go back to what the group has committed, to the beginning where that is nothing; return what was committed."""
    committed: Mapping[TP, int] = await consumer.seek_to_committed()
    ours = consumer.assignment()  # a rebalance may have come in between
    unread = [tp for tp, offset in committed.items() if not offset and tp in ours and not tp.topic.endswith(CHANGELOG)]
    if unread:
        await consumer.seek_to_beginning(*unread)
    return committed


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread."""

    async def getmany(self, active_partitions: set[TP] | None, timeout: float) -> RecordMap:  # noqa: ASYNC109
        """Return what there is of the partitions that are wanted now, whatever becomes of their set meanwhile."""
        wanted = active_partitions if active_partitions is None else set(active_partitions)
        if wanted == set():
            return {}
        found: RecordMap = await super().getmany(wanted, timeout)
        return found

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go back to what the group has committed."""
        found: Mapping[TP, int] = await self.call_thread(seek_to_committed, self._ensure_consumer())
        return found


class Consumer(driver.Consumer):
    """Faust's consumer, which fetches a partition only when the streams' queues are open."""

    Thread: type[driver.AIOKafkaConsumerThread] = ConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._resumed: set[TP] = set()  # to be fetched as soon as the queues are open

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Fetch partitions from when the flow is resumed, which Faust does next: after it has gone back."""
        self._resumed.update(tps)

    def pause_partitions(self, tps: Iterable[TP]) -> None:
        """Fetch partitions no longer."""
        paused = set(tps)
        self._resumed -= paused
        super().pause_partitions(paused)

    def resume_flow(self) -> None:
        """Let messages pass, the queues being open and empty."""
        super().resume_partitions(self._resumed)
        self._resumed.clear()
        super().resume_flow()

    async def wait_first(self, *coros: Any, timeout: Any = None) -> WaitResults:  # noqa: ASYNC109
        """Wait for the first of several; where that has nothing to wait for, it is done at once, without a task."""
        first, *others = coros
        if iscoroutine(first) and not (self._stopped.is_set() or self._crashed.is_set()):
            try:
                waits_for = first.send(None)
            except BaseException as ended:
                for other in filter(iscoroutine, others):
                    other.close()
                if not isinstance(ended, StopIteration):
                    raise
                return WaitResults([first], [ended.value], stopped=False)
            first = _Begun(first, waits_for)
        return await super().wait_first(first, *others, timeout=timeout)

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return self.Thread(self, loop=self.loop, beacon=self.beacon)


@dataclass(frozen=True)
class _Begun:
    """A coroutine that was begun, and waits for something."""

    coroutine: Coroutine[Any, Any, Any]
    waits_for: Any

    def __await__(self) -> Generator[Any, Any, Any]:
        waits_for = self.waits_for
        try:
            while True:
                try:
                    sent = yield waits_for
                except BaseException as error:  # noqa: BLE001  it is its own, as a cancellation is
                    waits_for = self.coroutine.throw(error)
                else:
                    waits_for = self.coroutine.send(sent)
        except StopIteration as done:
            return done.value


class KafkaTransport(driver.Transport):
    """Faust's transport, with our consumer."""

    Consumer = Consumer

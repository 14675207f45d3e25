"""Faust's transport, mended in one place: what was fetched and dropped is fetched again, though nothing was committed.

While partitions are being handed out, Faust drops what it has fetched and goes back to the committed offsets. Where a
group has committed nothing, there is none to go back to: the consumer stays where it is, the posts dropped are not read
before the next restart, and no later commit gets past them.
"""

from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

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

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go back to what the group has committed."""
        found: Mapping[TP, int] = await self.call_thread(seek_to_committed, self._ensure_consumer())
        return found


class Consumer(driver.Consumer):
    """Faust's consumer, on our thread."""

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)


class KafkaTransport(driver.Transport):
    """Faust's transport, with our consumer."""

    Consumer = Consumer

"""What the embedded broker does otherwise than Kafka, mended on our side.

Tansu answers ListOffsets(latest) with the first offset of the last batch plus one, so Faust would stop the recovery
of a table before its end and count on from the wrong base. The high-water mark in a fetch answer is right: look there.
And it lets a fetch wait out its time although there is something to give.
"""

import time
from collections.abc import Mapping
from typing import Any, cast

import aiokafka
from aiokafka import TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.batches import die
from streams.transport import Consumer, ConsumerThread

FETCH_SECS = 10.0
FETCH_WAIT_MS = 20


async def true_end_offsets(bootstrap_servers: Any, ends: Mapping[TP, int]) -> dict[TP, int]:
    """Return end offsets as fetch answers tell them, for the partitions that are not empty.

    Errors  TimeoutError when a partition gives no answer in ten seconds
    """
    result = dict(ends)
    todo = {TopicPartition(tp.topic, tp.partition): tp for tp, end in ends.items() if end > 0}
    if not todo:
        return result  # and a consumer stopped before it did anything would cancel its caller
    consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, fetch_max_wait_ms=100)
    try:
        await consumer.start()  # asked to stop in the middle of it, it must be stopped as well
        consumer.assign(list(todo))
        for partition, tp in todo.items():
            consumer.seek(partition, ends[tp] - 1)
        deadline = time.monotonic() + FETCH_SECS
        while todo:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no high-water mark of {sorted(todo)} in {FETCH_SECS:.0f} s")
            await consumer.getmany(timeout_ms=100)
            for partition in [partition for partition in todo if consumer.highwater(partition) is not None]:
                tp = todo.pop(partition)
                result[tp] = max(result[tp], consumer.highwater(partition))
    finally:
        await consumer.stop()
    return result


class _Thread(ConsumerThread):
    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # Faust asks for 1.5 s
        return consumer

    async def _highwaters(self, partitions: list[TP]) -> Mapping[TP, int]:
        transport = cast(driver.Transport, self.consumer.transport)
        servers = driver.server_list(transport.url, transport.default_port)
        try:
            return await true_end_offsets(servers, await super()._highwaters(partitions))
        except Exception as error:  # Faust drops it, and its recovery would wait for ever
            die(error)
            raise


class _Consumer(Consumer):
    Thread = _Thread


class EmbeddedTransport(driver.Transport):
    """Faust's transport, with end offsets that hold on the embedded broker."""

    Consumer = _Consumer

"""What the embedded broker does otherwise than Kafka, mended on our side.

Tansu answers ListOffsets(latest) with the first offset of the last batch plus one, so Faust would stop the recovery
of a table before its end and count on from the wrong base. The high-water mark in a fetch answer is right: look there.
And it lets a fetch wait out its time although there is something to give: so one waits little, yet not so little that
asking costs more than what comes.
"""

from collections.abc import Mapping
from typing import cast

import aiokafka
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.batches import die
from streams.transport import Consumer, ConsumerThread
from streams.true_ends import true_end_offsets

FETCH_WAIT_MS = 50


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

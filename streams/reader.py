"""Reading a topic from outside the stream program: for replays, the demo and tests."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from records import decode
from streams.settings import StreamSettings
from streams.topics import Topic


@asynccontextmanager
async def _consumer(settings: StreamSettings, topic: Topic) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap_servers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=100,
        **settings.security.for_aiokafka(),
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(topic.name, number) for number in range(settings.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        yield consumer
    finally:
        await consumer.stop()


async def follow(settings: StreamSettings, topic: Topic) -> AsyncGenerator[Any, None]:
    """Yield the records of a topic from its beginning, for ever.

    Errors  MalformedRecord at a value that does not fit
    """
    async with _consumer(settings, topic) as consumer:
        while True:
            batches = await consumer.getmany(timeout_ms=200)
            for messages in batches.values():
                for message in messages:
                    yield decode(message.value, topic.record)


async def read(settings: StreamSettings, topic: Topic, count: int) -> list[Any]:
    """Return the first records of a topic, when so many are there; their order holds within a key."""
    records: list[Any] = []
    if count <= 0:
        return records
    async with aclosing(follow(settings, topic)) as found:
        async for record in found:
            records.append(record)
            if len(records) >= count:
                break
    return records

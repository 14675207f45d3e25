"""Reading a topic from outside the stream program: for replays, the demo and tests."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from records import SourceUnavailable, decode
from streams.settings import StreamSettings
from streams.topics import Topic
from streams.true_ends import true_end_offsets


class Written(NamedTuple):
    """A value, and when it was put on its topic; None where the broker does not say."""

    value: bytes
    at: datetime | None


@asynccontextmanager
async def consumer_of(settings: StreamSettings, topic: Topic) -> AsyncIterator[AIOKafkaConsumer]:
    """Open a reader of a topic, at its beginning."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap_servers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=100,
        **settings.security.for_aiokafka(),
    )
    try:
        await consumer.start()  # asked to stop in the middle of it, it must be stopped as well
        partitions = [TopicPartition(topic.name, number) for number in range(settings.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        yield consumer
    finally:
        await consumer.stop()


async def standing(
    settings: StreamSettings, topic: Topic, *, written_since: datetime | None = None
) -> AsyncGenerator[Any, None]:
    """Yield the messages that stand on a topic when this begins, by partition in their order; tombstones too.

    The embedded broker knows no times: there, all are read.

    Errors  SourceUnavailable when the broker does not answer
    """
    try:
        async with consumer_of(settings, topic) as consumer:
            if written_since is not None and not settings.is_embedded:
                await _seek(consumer, written_since)
            async for message in up_to_the_end(settings, consumer):
                yield message
    except (KafkaError, OSError) as error:
        raise SourceUnavailable(f"kafka {settings.kafka_url}: {topic.name}: {error!r}") from error


async def newest(settings: StreamSettings, topic: Topic) -> dict[bytes, bytes]:
    """Return the newest value of each key of a topic; what was taken away is not there, compacted yet or not.

    Errors  SourceUnavailable when the broker does not answer
    """
    found: dict[bytes, bytes] = {}
    async with aclosing(standing(settings, topic)) as messages:
        async for message in messages:
            if message.value is None:
                found.pop(message.key, None)
            else:
                found[message.key] = message.value
    return found


async def _seek(consumer: AIOKafkaConsumer, moment: datetime) -> None:
    """Put a consumer where the first messages are that were written since a moment."""
    partitions = consumer.assignment()
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, int(moment.timestamp() * 1000)))
    ends = await consumer.end_offsets(partitions)
    for partition in partitions:
        consumer.seek(partition, found[partition].offset if found.get(partition) else ends[partition])


async def up_to_the_end(settings: StreamSettings, consumer: AIOKafkaConsumer) -> AsyncGenerator[Any, None]:
    """Yield what a consumer has before it, up to where its partitions end when this begins."""
    ends = await ends_of(settings, consumer)
    while not await is_past(consumer, ends):
        for partition, messages in (await consumer.getmany(timeout_ms=200)).items():
            for message in messages:
                if message.offset < ends[partition]:
                    yield message


async def ends_of(settings: StreamSettings, consumer: AIOKafkaConsumer) -> Mapping[TopicPartition, int]:
    """Return where a reader's partitions end now."""
    ends: Mapping[TopicPartition, int] = await consumer.end_offsets(consumer.assignment())
    return await true_end_offsets(settings.bootstrap_servers, ends) if settings.is_embedded else ends


async def is_past(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    """Tell whether a reader has come to where its partitions ended."""
    return all([await consumer.position(one) >= end for one, end in ends.items()])


async def follow(settings: StreamSettings, topic: Topic) -> AsyncGenerator[Any, None]:
    """Yield the records of a topic from its beginning, for ever.

    Errors  MalformedRecord at a value that does not fit
    """
    async with aclosing(follow_values(settings, topic)) as values:
        async for value in values:
            yield decode(value, topic.record)


async def follow_values(
    settings: StreamSettings, topic: Topic, *, at_end: Callable[[], object] | None = None
) -> AsyncGenerator[bytes, None]:
    """Yield the values of a topic from its beginning, for ever, as they are; tombstones say nothing.

    `at_end` is called when all was yielded that stood there when this began.

    Errors  SourceUnavailable when the broker does not answer
    """
    async with aclosing(follow_batches(settings, topic, at_end=at_end)) as batches:
        async for values in batches:
            for written in values:
                yield written.value


async def follow_batches(
    settings: StreamSettings,
    topic: Topic,
    *,
    written_since: datetime | None = None,
    at_end: Callable[[], object] | None = None,
) -> AsyncGenerator[list[Written], None]:
    """Yield the values of a topic as they come, many at once, for ever; tombstones say nothing.

    The embedded broker knows no times: there, all are read. `at_end` is called when all was yielded that stood there
    when this began.

    Errors  SourceUnavailable when the broker does not answer
    """
    try:
        async with consumer_of(settings, topic) as consumer:
            if written_since is not None and not settings.is_embedded:
                await _seek(consumer, written_since)
            ends = await ends_of(settings, consumer) if at_end else {}
            while True:
                if at_end and await is_past(consumer, ends):
                    at_end()
                    at_end = None
                batches = await consumer.getmany(timeout_ms=200)
                found = [one for messages in batches.values() for one in messages]
                values = [Written(one.value, moment_of(one.timestamp)) for one in found if one.value is not None]
                if values:
                    yield values
    except (KafkaError, OSError) as error:
        raise SourceUnavailable(f"kafka {settings.kafka_url}: {topic.name}: {error!r}") from error


def moment_of(milliseconds: int | None) -> datetime | None:
    """Return when a message was written; None where the broker does not say."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds and milliseconds > 0 else None


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

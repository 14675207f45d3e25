"""The way onto the topics: all that was handed over, in the order of each key, whatever its size."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from records import Signal
from streams.declaring import declare_topics
from streams.publisher import BATCH_BYTES, FEW, KafkaPublisher
from streams.reader import consumer_of
from streams.restore import partition_of
from streams.settings import StreamSettings
from streams.topics import LARGEST_BYTES, Topic
from vigie.broker import EmbeddedBroker

MakeSettings = Callable[..., StreamSettings]
Pair = tuple[bytes, bytes]


async def sent(
    settings: StreamSettings, name: str, pairs: list[Pair], partition: int | None = None
) -> list[list[Pair]]:
    """Send pairs to a new topic; return what lies on each of its partitions."""
    topic = Topic(name=name, record=Signal)
    await declare_topics(settings, [topic])
    publisher = KafkaPublisher(settings)
    try:
        await publisher.send_raw(topic.name, pairs, partition=partition)
        await publisher.send_raw(topic.name, [])
    finally:
        await publisher.stop()
    found: list[list[Pair]] = [[] for _ in range(settings.partitions)]
    async with consumer_of(settings, topic) as consumer:
        while sum(map(len, found)) < len(pairs):
            for messages in (await consumer.getmany(timeout_ms=100)).values():
                for message in messages:
                    found[message.partition].append((message.key, message.value))
    return found


@pytest.mark.broker
async def test_all_come_in_the_order_of_their_keys_on_the_partitions_that_others_think_of(
    broker: EmbeddedBroker, settings_for: MakeSettings
) -> None:
    settings = settings_for(broker.url, partitions=3)
    keys = [f"fire/{number % 7:02d}/x".rpartition("/")[0].encode() for number in range(100)]
    pairs = [(key, str(number).encode()) for number, key in enumerate(keys)]
    found = await sent(settings, "ordered", pairs)
    for partition, there in enumerate(found):
        assert there == [pair for pair in pairs if partition_of(pair[0] + b"/x", 3) == partition]
    assert sum(map(bool, found)) > 1


@pytest.mark.broker
async def test_what_is_more_than_a_batch_goes_in_several_and_what_is_larger_by_itself(
    broker: EmbeddedBroker, settings_for: MakeSettings
) -> None:
    sizes = [10, BATCH_BYTES // 2, BATCH_BYTES // 2, 10, BATCH_BYTES + 1, 10]
    pairs = [(b"key", bytes([number]) * size) for number, size in enumerate(sizes)]
    assert await sent(settings_for(broker.url, partitions=1), "large", pairs, 0) == [pairs]


@pytest.mark.broker
@pytest.mark.parametrize("records", [1, FEW + 1], ids=["in one record each", "in batches of their own"])
async def test_many_at_once_wait_for_their_turn_and_none_is_refused(
    broker: EmbeddedBroker, settings_for: MakeSettings, records: int
) -> None:
    settings = settings_for(broker.url, partitions=1)
    topic = Topic(name=f"many{records}", record=Signal)
    await declare_topics(settings, [topic])
    publisher = KafkaPublisher(settings)
    producer_sends: list[float] = []
    try:
        await publisher.start()
        sender: Any = publisher._producer
        send_request = sender.client.send

        async def slow(*args: Any, **given: Any) -> Any:
            producer_sends.append(0.0)
            await asyncio.sleep(0.02)  # as far away as another town
            return await send_request(*args, **given)

        sender.client.send = slow
        await asyncio.gather(*(publisher.send_raw(topic.name, [(b"key", b"x")] * records) for _ in range(200)))
    finally:
        await publisher.stop()
    async with consumer_of(settings, topic) as consumer:
        found = 0
        while found < 200 * records:
            found += sum(map(len, (await consumer.getmany(timeout_ms=100)).values()))
    assert found == 200 * records
    assert records > 1 or len(producer_sends) < 100, "those of many callers share a batch"


@pytest.mark.broker
@pytest.mark.parametrize("before", [0, FEW], ids=["by itself", "among others"])
async def test_what_no_broker_of_ours_takes_is_refused(
    broker: EmbeddedBroker, settings_for: MakeSettings, before: int
) -> None:
    pairs = [*[(b"key", b"x")] * before, (b"key", b"x" * (LARGEST_BYTES + 1))]
    with pytest.raises(MessageSizeTooLargeError, match="bytes"):
        await sent(settings_for(broker.url, partitions=1), f"too_large_{before}", pairs)

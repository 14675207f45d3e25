"""Going back to the committed offsets: to the beginning, where a group has committed nothing."""

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.transport import consumer as consumers
from faust.transport.drivers import aiokafka as driver

from records import Signal
from streams.declaring import declare_topics
from streams.publisher import KafkaPublisher
from streams.settings import StreamSettings
from streams.topics import Topic
from streams.transport import ConsumerThread, seek_to_committed
from vigie.broker import EmbeddedBroker

MakeSettings = Callable[..., StreamSettings]
RECORDS = 20


@pytest.fixture
async def written(broker: EmbeddedBroker, settings_for: MakeSettings) -> StreamSettings:
    """Provide two topics with twenty records each, one of them a table's."""
    settings = settings_for(broker.url, partitions=1)
    publisher = KafkaPublisher(settings)
    for name in ("dropped", "dropped-changelog"):
        await declare_topics(settings, [Topic(name=name, record=Signal)])
        await publisher.send_raw(name, [(b"key", str(number).encode()) for number in range(RECORDS)], partition=0)
    await publisher.stop()
    return settings


@asynccontextmanager
async def member(settings: StreamSettings, *topics: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=settings.bootstrap_servers,
        group_id=uuid4().hex,  # one that another test has left is not given out again for seconds
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


@pytest.mark.broker
async def test_what_was_dropped_before_the_first_commit_is_read_again(written: StreamSettings) -> None:
    async with member(written, "dropped") as consumer:
        assert (await consumer.getone()).offset == 0
        await consumer.seek_to_committed()
        assert (await consumer.getone()).offset == 1, "aiokafka goes back by itself now: remove streams/transport.py"
        await seek_to_committed(consumer)
        assert (await consumer.getone()).offset == 0


@pytest.mark.broker
async def test_what_was_committed_is_not_read_again(written: StreamSettings) -> None:
    async with member(written, "dropped") as consumer:
        tp = TopicPartition("dropped", 0)
        await consumer.getone()
        await consumer.commit({tp: 7})
        assert await seek_to_committed(consumer) == {tp: 7}
        assert (await consumer.getone()).offset == 7


@pytest.mark.broker
async def test_a_table_s_topic_stays_where_faust_has_put_it(written: StreamSettings) -> None:
    async with member(written, "dropped-changelog") as consumer:
        assert (await consumer.getone()).offset == 0
        await seek_to_committed(consumer)
        assert (await consumer.getone()).offset == 1


def test_faust_goes_back_by_this_method_of_its_thread() -> None:
    assert "self.seek_to_committed()" in inspect.getsource(consumers.Consumer.perform_seek)
    assert "perform_seek()" in inspect.getsource(consumers.Consumer.getmany)
    assert inspect.iscoroutinefunction(driver.AIOKafkaConsumerThread.seek_to_committed)
    assert ConsumerThread.seek_to_committed is not driver.AIOKafkaConsumerThread.seek_to_committed

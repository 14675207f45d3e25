"""End offsets: the embedded broker tells them wrong, and so a table would recover short; ours are right.

The first test holds what is wrong with the broker: the day it fails, `streams/embedded.py` may go.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient
from faust.types import TP

from records import SettingsError, Signal, SourceUnavailable
from streams.app import make_app
from streams.declaring import declare_topics
from streams.embedded import EmbeddedTransport
from streams.publisher import KafkaPublisher
from streams.settings import StreamSettings
from streams.topics import TOPICS, Topic
from streams.transport import KafkaTransport
from streams.true_ends import true_end_offsets
from vigie.broker import EmbeddedBroker, free_port

RECORDS = 11
MakeSettings = Callable[..., StreamSettings]


@pytest.fixture
async def written(broker: EmbeddedBroker, settings_for: MakeSettings) -> tuple[StreamSettings, TP]:
    """Provide a topic with one record and then a batch of ten."""
    settings = settings_for(broker.url, partitions=2)
    name = "counted"
    await declare_topics(settings, [Topic(name=name, record=Signal)])
    publisher = KafkaPublisher(settings)
    ends = await true_end_offsets(settings.bootstrap_servers, {TP(name, 1): 0})
    assert ends == {TP(name, 1): 0}
    await publisher.send_raw(name, [(b"key", b"0")], partition=1)
    await publisher.send_raw(name, [(b"key", str(number).encode()) for number in range(1, RECORDS)], partition=1)
    await publisher.stop()
    return settings, TP(name, 1)


async def told(settings: StreamSettings, tp: TP) -> int:
    """Return the end offset that the broker tells."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap_servers)
    await consumer.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(*tp)])
    finally:
        await consumer.stop()
    return int(ends[TopicPartition(*tp)])


@pytest.mark.broker
async def test_ours_are_true_where_the_broker_s_fall_short(written: tuple[StreamSettings, TP]) -> None:
    settings, tp = written
    short = await told(settings, tp)
    assert short < RECORDS, "the embedded broker has been mended: remove streams/embedded.py"
    ends = await true_end_offsets(settings.bootstrap_servers, {tp: short, TP(tp.topic, 0): 0})
    assert ends == {tp: RECORDS, TP(tp.topic, 0): 0}


@pytest.mark.broker
async def test_a_worker_on_the_embedded_broker_asks_ours(broker: EmbeddedBroker, settings_for: MakeSettings) -> None:
    app = make_app(settings_for(broker.url))
    assert isinstance(app.transport, EmbeddedTransport)
    consumer: Any = app.consumer
    assert type(consumer).__module__ == "streams.embedded"
    assert type(consumer._new_consumer_thread()).__module__ == "streams.embedded"


def test_a_worker_on_a_kafka_asks_faust_s(settings_for: MakeSettings) -> None:
    settings = StreamSettings(kafka_url="kafka://127.0.0.1:1", data_dir=settings_for().data_dir)
    app = make_app(settings)
    assert isinstance(app.transport, KafkaTransport)
    assert not isinstance(app.transport, EmbeddedTransport)


@pytest.mark.broker
async def test_refuses_topics_that_stand_with_other_partitions(settings_for: MakeSettings) -> None:
    with EmbeddedBroker() as own:
        await declare_topics(settings_for(own.url, partitions=4))
        await declare_topics(settings_for(own.url, partitions=4))
        with pytest.raises(SettingsError) as refused:
            await declare_topics(settings_for(own.url, partitions=3))
    name = TOPICS[0].name
    assert str(refused.value) == (f"kafka.partitions: 3 is set, but {name} has 4; set 4, or start with new topics")


async def test_on_a_fresh_broker_what_readers_were_given_too_early_is_made_anew(settings_for: MakeSettings) -> None:
    """Clients that outlive their broker ask for their topics as soon as there is another."""
    with EmbeddedBroker() as own:
        settings = settings_for(own.url, partitions=1)
        async with AsyncExitStack() as readers:
            for topic in TOPICS:
                reader = AIOKafkaConsumer(topic.name, bootstrap_servers=settings.bootstrap_servers)
                await reader.start()
                readers.push_async_callback(reader.stop)
            with pytest.raises(SettingsError):
                await declare_topics(settings)
            asking = [asyncio.create_task(asked_again_and_again(settings, topic)) for topic in TOPICS]
            await declare_topics(settings, is_fresh=True)
            for one in asking:
                one.cancel()
        await declare_topics(settings)  # which refuses others


async def asked_again_and_again(settings: StreamSettings, topic: Topic) -> None:
    client = AIOKafkaClient(bootstrap_servers=settings.bootstrap_servers)
    await client.bootstrap()
    try:
        while True:
            await client.set_topics([topic.name])
            await client.force_metadata_update()
            await asyncio.sleep(0.02)  # five times as often as a client that has lost its broker
    finally:
        await client.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_says_that_no_broker_answers(settings_for: MakeSettings) -> None:
    url = f"kafka://127.0.0.1:{free_port()}"
    with pytest.raises(SourceUnavailable, match=url):
        await declare_topics(settings_for(url))

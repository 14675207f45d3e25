"""On Apache Kafka: the sweep puts settings back, lets go of what is over its time, and has quiet topics compacted."""

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from records import SystemClock
from streams.declaring import all_topics, declare_topics
from streams.publisher import KafkaPublisher
from streams.reader import standing
from streams.settings import StreamSettings
from streams.sweep import LATE, Swept, nudge
from streams.topics import ALERTS, DECISIONS, GONE_BY, POSTS, SIGNALS, SOURCES, Topic
from vigie.sweeping import Sweeping, sweep_now, table_of

if TYPE_CHECKING:
    from tests.kafka.conftest import Kafka

pytestmark = pytest.mark.apache_kafka

SECS = 120.0


@pytest.fixture
def settings(node: "Kafka", clean: Callable[[], None], tmp_path: Path) -> StreamSettings:
    clean()
    made = StreamSettings(kafka_url=node.url, data_dir=tmp_path, partitions=2)
    asyncio.run(declare_topics(made))
    return made


async def set_to(settings: StreamSettings, topic: Topic, **config: str) -> None:
    """Set what somebody sets by hand, and nothing else; return when the broker goes by it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    await admin.start()
    named = {name.replace("_", "."): value for name, value in config.items()}
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, configs=named)])
        async with asyncio.timeout(SECS):
            for wait in itertools.repeat(0.1):
                if (await settings_on(settings, topic)).items() >= named.items():
                    break
                await asyncio.sleep(wait)
    finally:
        await admin.close()


async def settings_on(settings: StreamSettings, topic: Topic) -> dict[str, str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    await admin.start()
    try:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name)])
    finally:
        await admin.close()
    return {entry[0]: entry[1] for entry in answer.resources[0][4]}


async def write(settings: StreamSettings, topic: Topic, ages: Sequence[timedelta]) -> None:
    """Write values as if so long ago, each on a partition of its own."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap_servers)
    await producer.start()
    now = time.time()
    try:
        for number, age in enumerate(ages):
            at = int((now - age.total_seconds()) * 1000)
            await producer.send_and_wait(topic.name, b"{}", key=b"k%d" % number, partition=number % 2, timestamp_ms=at)
    finally:
        await producer.stop()


def swept_now(settings: StreamSettings) -> dict[str, Swept]:
    done = asyncio.run(sweep_now(settings, SystemClock()))
    return {one.topic: one for one in done.topics}


def test_settings_that_somebody_changed_are_put_back_and_others_are_left(settings: StreamSettings) -> None:
    asyncio.run(set_to(settings, POSTS, retention_ms="-1", cleanup_policy="compact", retention_bytes="1000000000"))
    assert asyncio.run(settings_on(settings, POSTS))["retention.ms"] == "-1"
    found = swept_now(settings)
    assert {"retention.ms", "cleanup.policy"} <= set(found[POSTS.name].put_back)
    assert found.keys() == {topic.name for topic in all_topics(settings)}
    assert [one.put_back for one in found.values() if one.topic != POSTS.name] == [()] * (len(found) - 1)
    standing_now = asyncio.run(settings_on(settings, POSTS))
    assert standing_now.items() >= POSTS.config.items()
    assert standing_now["retention.bytes"] == "1000000000"
    assert swept_now(settings)[POSTS.name].put_back == ()


def test_what_is_over_its_time_is_let_go_although_nothing_else_is_written(settings: StreamSettings) -> None:
    over, nearly = GONE_BY + LATE + timedelta(hours=1), GONE_BY + LATE - timedelta(hours=1)
    asyncio.run(write(settings, SIGNALS, [over, nearly, over, timedelta(0)]))
    found = swept_now(settings)[SIGNALS.name]
    assert (found.let_go, found.is_over_time(datetime.now(UTC))) == (2, False)
    assert found.oldest_at is not None
    assert abs(datetime.now(UTC) - found.oldest_at - nearly) < timedelta(minutes=1)
    assert set(asyncio.run(keys_on(settings, SIGNALS))) == {b"k1", b"k3"}
    assert swept_now(settings)[SIGNALS.name].let_go == 0


def test_a_topic_that_is_empty_or_keeps_the_newest_of_each_key_has_nothing_to_let_go(settings: StreamSettings) -> None:
    asyncio.run(write(settings, SOURCES, [timedelta(days=400)]))
    found = swept_now(settings)
    assert (found[SIGNALS.name].oldest_at, found[SIGNALS.name].let_go) == (None, 0)
    assert (found[SOURCES.name].let_go, found[SOURCES.name].is_over_time(datetime.now(UTC))) == (0, False)
    assert b"k0" in asyncio.run(keys_on(settings, SOURCES))


async def keys_on(settings: StreamSettings, topic: Topic) -> list[bytes]:
    return [message.key async for message in standing(settings, topic)]


def test_what_was_taken_back_leaves_a_topic_that_nobody_else_writes_to(
    settings: StreamSettings, alerts: Sequence[Any]
) -> None:
    shown, without = alerts
    text = shown.evidence[0].text.encode()

    async def story() -> None:
        hurried = {"segment_ms": "1000", "min_compaction_lag_ms": "0", "max_compaction_lag_ms": "1000"}
        await set_to(settings, ALERTS, cleanup_policy="compact,delete", **hurried)
        publisher = KafkaPublisher(settings)
        await publisher.alerts([shown])
        await publisher.alerts([without])
        await asyncio.sleep(5)
        assert await lies_there(settings, text), "Kafka closes no segment by itself"
        await nudge(settings, publisher)
        deadline = time.monotonic() + SECS
        while await lies_there(settings, text):
            assert time.monotonic() < deadline, "still there"
            await asyncio.sleep(0.5)
        await publisher.stop()

    asyncio.run(story())


async def lies_there(settings: StreamSettings, text: bytes) -> bool:
    return any([text in (message.value or b"") async for message in standing(settings, ALERTS)])


def test_the_table_for_people_names_what_was_done(settings: StreamSettings) -> None:
    asyncio.run(set_to(settings, DECISIONS, retention_ms="-1"))
    asyncio.run(write(settings, SIGNALS, [GONE_BY + LATE + timedelta(hours=1)]))
    done: Sweeping = asyncio.run(sweep_now(settings, SystemClock()))
    table = table_of(done, datetime.now(UTC))
    rows = {
        topic: (kept, oldest, note)
        for topic, kept, oldest, note in zip(*(c._cells for c in table.columns), strict=True)
    }
    assert rows[SIGNALS.name] == ("18.0 h", "nothing there", "1 let go")
    assert rows[DECISIONS.name][2].startswith("settings put back: ")

"""On Apache Kafka: what a deletion takes from the topics, with hours made seconds; all else is as in the program.

A deletion carries the key of its post, so compaction lets the post go; so does an alert's newer revision.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from msgspec.structs import replace

from records import Post
from streams.declaring import declare_topics
from streams.publisher import KafkaPublisher
from streams.reader import consumer_of
from streams.settings import StreamSettings
from streams.topics import ALERTS, POSTS, Topic

if TYPE_CHECKING:
    from tests.kafka.conftest import Kafka

pytestmark = pytest.mark.apache_kafka

AT = datetime(2024, 2, 6, 7, 40, tzinfo=UTC)
WORDS = "Énorme fumée noire au-dessus du port"
SECS = 120.0


def post(number: int, text: str = "Bonjour", **more: Any) -> Post:
    return Post(source="stub", id=str(number), posted_at=AT, received_at=AT, author_id="a", text=text, **more)


async def hurry(settings: StreamSettings, topic: Topic) -> None:
    """Have the hours of a topic's settings pass in a second; which settings there are stays as it is."""
    spans = {"segment.ms": "1000", "min.compaction.lag.ms": "0", "max.compaction.lag.ms": "1000"}
    assert spans.keys() < topic.config.keys()
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    await admin.start()
    try:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic.name, configs=topic.config | spans)
        await admin.alter_configs([resource])
    finally:
        await admin.close()


async def values(settings: StreamSettings, topic: Topic) -> list[bytes]:
    """Return all that stands on a topic."""
    found: list[bytes] = []
    async with consumer_of(settings, topic) as consumer:
        while batches := await consumer.getmany(timeout_ms=1000):
            found += [message.value for messages in batches.values() for message in messages]
    return found


async def until_gone(settings: StreamSettings, topic: Topic, trace: bytes, keep: Callable[[int], Any]) -> list[bytes]:
    """Wait until a trace is on the topic no more; meanwhile others write to it, as they do."""
    deadline = time.monotonic() + SECS
    publisher = KafkaPublisher(settings)
    number = 0
    while True:
        await publisher.send(topic, [keep(number)])
        number += 1
        left = await values(settings, topic)
        if not any(trace in value for value in left):
            await publisher.stop()
            return left
        if time.monotonic() > deadline:
            raise AssertionError(f"{trace!r} is still on {topic.name} after {SECS:.0f} s")


def settings_of(node: "Kafka", folder: Path) -> StreamSettings:
    return StreamSettings(kafka_url=node.url, data_dir=folder, partitions=1)


@pytest.mark.parametrize(
    "last", [{"verb": "delete", "text": ""}, {"verb": "update", "text": "Fausse alerte"}], ids=["deleted", "edited"]
)
def test_a_post_that_was_taken_back_is_gone_from_the_topic(
    node: "Kafka", clean: Callable[[], None], tmp_path: Path, last: dict[str, Any]
) -> None:
    clean()

    async def story() -> list[bytes]:
        settings = settings_of(node, tmp_path)
        await declare_topics(settings)
        await hurry(settings, POSTS)
        publisher = KafkaPublisher(settings)
        await publisher.posts([post(1, WORDS), post(2, "Bonjour à tous")])
        assert any(WORDS.encode() in value for value in await values(settings, POSTS))
        await publisher.posts([replace(post(1), **last)])
        await publisher.stop()
        return await until_gone(settings, POSTS, WORDS.encode(), lambda number: post(100 + number))

    left = asyncio.run(story())
    assert any("Bonjour à tous".encode() in value for value in left), "what was not taken back stays"
    assert any(f'"verb":"{last["verb"]}"'.encode() in value for value in left), "who reads later hears of it too"


def test_an_earlier_revision_that_showed_it_is_gone_from_the_topic(
    node: "Kafka", clean: Callable[[], None], tmp_path: Path, alerts: Sequence[Any]
) -> None:
    clean()
    shown, without = alerts

    async def story() -> list[bytes]:
        settings = settings_of(node, tmp_path)
        await declare_topics(settings)
        await hurry(settings, ALERTS)
        publisher = KafkaPublisher(settings)
        await publisher.alerts([shown])
        await publisher.alerts([without])
        await publisher.stop()
        text = shown.evidence[0].text.encode()
        assert text
        return await until_gone(settings, ALERTS, text, lambda number: replace(without, incident_id=f"other-{number}"))

    left = asyncio.run(story())
    assert any(f'"revision":{without.revision}'.encode() in value for value in left)

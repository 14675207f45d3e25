"""On Apache Kafka: what an author deletes is looked for everywhere: on all topics, in all files of ours, at receivers.

Hours are made seconds; all else is as in the program.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from msgspec.structs import replace

from records import Alert, ManualClock, Post, SystemClock, decode
from streams.declaring import all_topics
from streams.publisher import KafkaPublisher
from streams.reader import standing
from streams.settings import StreamSettings
from streams.sweep import LATE, nudge, sweep
from streams.taking_back import SETTLED, take_back
from streams.topics import ALERTS, GONE_BY

if TYPE_CHECKING:
    from tests.survival.stage import Stage

pytestmark = [pytest.mark.apache_kafka, pytest.mark.long, pytest.mark.timeout(300)]

MARK = "épouvantable colonne de fumée, vue du sixième étage. Je peux héberger deux personnes"
HURRIED = {"segment.ms": "1000", "min.compaction.lag.ms": "0", "max.compaction.lag.ms": "1000"}
TRACES = (b"vue du sixi", b"example.org/sixth-floor")  # letters that JSON leaves as they are


def at_receivers(stage: "Stage") -> set[str]:
    """Return which receivers were sent the words."""
    path = stage.folder / "alerts.jsonl"
    return {"jsonl"} if path.exists() and any(trace in path.read_bytes() for trace in TRACES) else set()


def in_files(stage: "Stage") -> set[str]:
    """Return which files of ours hold the words."""
    found = set()
    for path in stage.folder.rglob("*"):
        try:
            content = path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:  # a store has just removed it
            continue
        if any(trace in content for trace in TRACES):
            found.add(path.relative_to(stage.folder).as_posix())
    return found


async def on_topics(settings: StreamSettings) -> set[str]:
    """Return which topics of the broker hold the words, whoever made them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap_servers, enable_auto_commit=False)
    found: set[str] = set()
    await admin.start()
    await consumer.start()
    try:
        partitions = [
            TopicPartition(topic["topic"], one["partition"])
            for topic in await admin.describe_topics()
            for one in topic["partitions"]
        ]
        ends = await consumer.end_offsets(partitions)
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        while any([await consumer.position(one) < ends[one] for one in partitions]):
            for partition, messages in (await consumer.getmany(timeout_ms=200)).items():
                values = [(message.key or b"") + (message.value or b"") for message in messages]
                if any(trace in value for trace in TRACES for value in values):
                    found.add(partition.topic)
    finally:
        await consumer.stop()
        await admin.close()
    return found


async def hurry(settings: StreamSettings) -> None:
    """Have the hours of all topics pass in a second; which kinds of settings there are stays as it is."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    await admin.start()
    try:
        for topic in all_topics(settings):
            if topic.is_compacted:
                assert HURRIED.keys() < topic.config.keys()
                config = topic.config | HURRIED
                await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, configs=config)])
    finally:
        await admin.close()


async def a_day_passes(stage: "Stage") -> None:
    """Have happen what the edge and the broker do in a day, but for compaction, which takes its time."""
    publisher = KafkaPublisher(stage.streams)
    now = SystemClock().now()
    try:
        await take_back(stage.streams, publisher, ManualClock(now + SETTLED + timedelta(minutes=1)))
        await sweep(stage.streams, publisher, ManualClock(now + GONE_BY + LATE + timedelta(minutes=1)))
        await hurry(stage.streams)
        await asyncio.sleep(2)  # so that the segments are old enough to be closed
        await nudge(stage.streams, publisher)
    finally:
        await publisher.stop()


@pytest.mark.parametrize(
    "last",
    [
        pytest.param({"verb": "delete"}, id="deleted"),
        pytest.param({"verb": "purge", "id": "author:witness"}, id="author gone"),
    ],
)
def test_what_was_deleted_is_nowhere_a_day_later(stage: "Stage", posts: Sequence[Post], last: dict[str, str]) -> None:
    first = next(post for post in posts if post.id == "e0001")
    mine = replace(first, text=f"{first.text} {MARK}", author_id="witness", url="https://example.org/sixth-floor")
    others = [post for post in posts if post.key != mine.key]
    stage.worker.is_hurried = True
    stage.worker.start()
    stage.wait_until_ready()
    stage.publish([mine, *others])
    stage.wait_until_drained()
    changelog = all_topics(stage.streams)[-1].name
    assert asyncio.run(on_topics(stage.streams)) == {"posts.v1", "signals.v1", "claims.v1", "alerts.v1", changelog}
    assert any(name.startswith("data/tables/") for name in in_files(stage)), "else it shows nothing"
    told = [alert for alert in stage.alerts().values() for item in alert.evidence if item.post_key == mine.key]
    assert told

    at = SystemClock().now()
    stage.publish([replace(mine, text="", url=None, received_at=at, **last)])
    stage.wait_until_drained()
    asyncio.run(a_day_passes(stage))
    stage.wait_until("no topic has it", lambda: not asyncio.run(on_topics(stage.streams)), look_secs=1.0)
    stage.wait_until("no file has it", lambda: not in_files(stage), look_secs=1.0)
    assert at_receivers(stage) == set()
    newest = newest_of(stage)
    assert newest.keys() >= {alert.incident_id for alert in told}, "the incidents are still there"
    shown = [item for alert in newest.values() for item in alert.evidence if item.post_key == mine.key]
    assert shown
    assert all(item.is_removed for item in shown), "and say that there was something"
    assert stage.stop_worker() == 0
    assert in_files(stage) == set()


def newest_of(stage: "Stage") -> dict[str, Alert]:
    """Return the newest revision of each incident."""

    async def read() -> dict[str, Alert]:
        messages = [message async for message in standing(stage.streams, ALERTS) if message.value]
        return {alert.incident_id: alert for alert in (decode(message.value, Alert) for message in messages)}

    return asyncio.run(read())

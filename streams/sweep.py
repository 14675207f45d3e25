"""Sweep: nothing lies on the topics for longer than promised, whatever became of their settings.

Kafka lets go by itself of what is over its time, as long as a topic has the settings that we gave it; and it compacts
only closed segments, and closes one only when something new is written. So the sweep puts settings back, writes a
tombstone where nobody writes, and lets go of what is over its time all the same.

Shape   idempotent; two at once do no harm
Errors  SourceUnavailable when the broker does not answer or refuses
Source  the promise of docs/invariants.md 5
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.errors import KafkaError, for_code

from records import Clock, SourceUnavailable
from streams.declaring import all_topics
from streams.publisher import KafkaPublisher
from streams.settings import StreamSettings
from streams.topics import NUDGE, Topic

LATE = timedelta(hours=3)
"""So long after its time a record may lie there: a segment is closed hourly, and the broker looks every few minutes."""
SET_ON_TOPIC = 1  # Kafka's number for where a setting comes from


@dataclass(frozen=True, kw_only=True)
class Swept:
    """How one topic was found, and what was done about it."""

    topic: str
    retention: timedelta | None
    oldest_at: datetime | None  # when its oldest record was written; None where there is none
    put_back: tuple[str, ...] = ()  # settings that somebody had changed
    let_go: int = 0  # records over their time, at most: compaction leaves holes
    trouble: str = ""  # why it could not be looked after

    def is_wrong(self, now: datetime) -> bool:
        """Tell whether something lies there for longer than promised, or nobody knows."""
        return bool(self.trouble) or self.is_over_time(now)

    def is_over_time(self, now: datetime) -> bool:
        """Tell whether something lies there for longer than promised."""
        return (
            self.retention is not None and self.oldest_at is not None and now - self.oldest_at > self.retention + LATE
        )


async def sweep(settings: StreamSettings, publisher: KafkaPublisher, clock: Clock) -> list[Swept]:
    """See to all topics; return how each was found, and left."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers, **settings.security.for_aiokafka())
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap_servers, enable_auto_commit=False, **settings.security.for_aiokafka()
    )
    try:
        await admin.start()
        await consumer.start()
        await nudge(settings, publisher)
        found = [await _tried(topic, settings, admin, consumer, clock) for topic in all_topics(settings)]
    except (KafkaError, OSError) as error:
        raise SourceUnavailable(f"kafka {settings.kafka_url}: sweep: {error!r}") from error
    finally:
        await consumer.stop()
        await admin.close()
    return found


async def _tried(
    topic: Topic, settings: StreamSettings, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer, clock: Clock
) -> Swept:
    """See to one topic; where the broker refuses, such as for want of rights, the others have their turn."""
    try:
        return await _swept(topic, settings, admin, consumer, clock)
    except KafkaError as error:
        return Swept(topic=topic.name, retention=topic.retention, oldest_at=None, trouble=repr(error))


async def _swept(
    topic: Topic, settings: StreamSettings, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer, clock: Clock
) -> Swept:
    put_back = await _put_back(topic, admin)
    partitions = [TopicPartition(topic.name, number) for number in range(settings.partitions)]
    let_go = 0
    if topic.retention is not None:
        let_go = await _let_go(partitions, clock.now() - topic.retention - LATE, admin, consumer)
    return Swept(
        topic=topic.name,
        retention=topic.retention,
        oldest_at=await _oldest(partitions, consumer),
        put_back=put_back,
        let_go=let_go,
    )


async def _put_back(topic: Topic, admin: AIOKafkaAdminClient) -> tuple[str, ...]:
    """Give a topic our settings again; return which others it had. What the operator set besides them stays."""
    asked = ConfigResource(ConfigResourceType.TOPIC, topic.name)
    (answer,) = await admin.describe_configs([asked])
    (found,) = _answered(answer.resources)
    standing = {name: (value, source) for name, value, _, source, *_ in found[4]}
    others = tuple(name for name, value in topic.config.items() if standing.get(name, ("", 0))[0] != value)
    if others:
        own = {name: value for name, (value, source) in standing.items() if source == SET_ON_TOPIC}
        change = ConfigResource(ConfigResourceType.TOPIC, topic.name, configs=own | topic.config)
        (answer,) = await admin.alter_configs([change])
        _answered(answer.resources)
    return others


def _answered(resources: Iterable[Any]) -> list[Any]:
    """Return what the broker answered, each beginning with a code.

    Errors  KafkaError where it refuses
    """
    answers = list(resources)
    for code, message, *_ in answers:
        if code:
            raise cast(KafkaError, for_code(code)(message))
    return answers


async def _let_go(
    partitions: list[TopicPartition], before: datetime, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer
) -> int:
    """Delete what was written before a moment; return how many records that was, at most."""
    starts = await consumer.beginning_offsets(partitions)
    ends = await consumer.end_offsets(partitions)
    kept = await _offsets_at(dict.fromkeys(partitions, int(before.timestamp() * 1000)), consumer)
    upto = {one: kept[one].offset if kept[one] else ends[one] for one in partitions}
    over = {one: RecordsToDelete(before_offset=offset) for one, offset in upto.items() if offset > starts[one]}
    if over:
        await admin.delete_records(over)
    return sum(upto[one] - starts[one] for one in over)


async def _oldest(partitions: list[TopicPartition], consumer: AIOKafkaConsumer) -> datetime | None:
    found = await _offsets_at(dict.fromkeys(partitions, 0), consumer)
    return min((datetime.fromtimestamp(one.timestamp / 1000, UTC) for one in found.values() if one), default=None)


async def _offsets_at(moments: Mapping[TopicPartition, int], consumer: AIOKafkaConsumer) -> dict[TopicPartition, Any]:
    """Return, by partition, the first record that is no older than a moment; None where there is none."""
    return cast(dict[TopicPartition, Any], await consumer.offsets_for_times(dict(moments)))


async def nudge(settings: StreamSettings, publisher: KafkaPublisher) -> None:
    """Write a tombstone where compaction has to come by: a segment is closed only when something new is written."""
    for topic in all_topics(settings):
        if topic.is_compacted:
            for partition in range(settings.partitions):
                await publisher.send_raw(topic.name, [(NUDGE, None)], partition=partition)

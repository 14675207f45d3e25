"""A recorded topic: posts that lie on some Kafka topic, read again as a source, as fast as it goes or on a clock.

Shape   one reading a value, in the order in which they were written; it ends where the topic ended when it began
Units   cursor: the next offset of each partition, as JSON; speed: seconds of recording per second of ours
Errors  SourceUnavailable when the broker does not answer; a value that is no post is a MalformedRecord
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from connectors.contract import NEVER, Capabilities, Reading
from connectors.playback import Playback
from records import Clock, MalformedRecord, Post, SourceUnavailable, decode
from streams.settings import StreamSettings
from streams.true_ends import true_end_offsets

POLL_MS = 500
KNOWN_SECS = 30.0
_offsets = msgspec.json.Decoder(dict[str, int])


class RecordedTopic:
    """Reads the posts of one topic, once."""

    capabilities = Capabilities(edits=True, deletions=True, positions=True, backfill=timedelta.max, quiet=NEVER)

    def __init__(
        self,
        settings: StreamSettings,
        topic: str,
        *,
        clock: Clock,
        name: str = "recorded",
        is_trusted: bool = False,
        speed: float | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = name
        self.is_trusted = is_trusted
        self._settings = settings
        self._topic = topic
        self._playback = Playback(clock, speed, sleep=sleep)

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        """Yield the posts that follow a cursor; after the last one, end."""
        where = f"{self.name}: topic {self._topic}"
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.bootstrap_servers,
            enable_auto_commit=False,
            fetch_max_wait_ms=100,
            **self._settings.security.for_aiokafka(),
        )
        try:
            await consumer.start()
            async for reading in self._readings(consumer, offsets_in(after)):
                yield reading
        except (KafkaError, OSError, TimeoutError) as error:
            raise SourceUnavailable(f"{where}: {error!r}") from error
        finally:
            await consumer.stop()

    async def _readings(self, consumer: AIOKafkaConsumer, offsets: dict[str, int]) -> AsyncGenerator[Reading, None]:
        ends = await self._placed(consumer, offsets)
        async for message in in_order(consumer, ends):
            post = self._post(message.value, message.offset)
            if isinstance(post, Post):
                await self._playback.wait_for(post.posted_at)
            offsets[str(message.partition)] = message.offset + 1
            yield Reading(msgspec.json.encode(offsets).decode(), post)

    async def _placed(self, consumer: AIOKafkaConsumer, offsets: dict[str, int]) -> dict[TopicPartition, int]:
        """Put the consumer where each partition was left; return where those end that have something left."""
        consumer.subscribe([self._topic])  # else it does not ask for this topic's partitions
        if self._topic not in await consumer.topics():
            raise SourceUnavailable(f"{self.name}: there is no topic {self._topic}")
        numbers = await _partitions_of(consumer, self._topic)
        consumer.unsubscribe()
        partitions = [TopicPartition(self._topic, number) for number in sorted(numbers)]
        told, starts = await consumer.end_offsets(partitions), await consumer.beginning_offsets(partitions)
        ends = await true_end_offsets(self._settings.bootstrap_servers, told) if self._settings.is_embedded else told
        places = {one: max(offsets.get(str(one.partition), 0), starts[one]) for one in partitions}
        left = {one: ends[one] for one in partitions if places[one] < ends[one]}
        consumer.assign(list(left))
        for one in left:
            consumer.seek(one, places[one])
        return left

    def _post(self, value: bytes | None, offset: int) -> Post | MalformedRecord | None:
        if value is None:
            return None  # a tombstone
        try:
            post = decode(value, Post)
        except MalformedRecord as error:
            return MalformedRecord(f"{self._topic}, offset {offset}: {error}", reason=error.reason)
        return msgspec.structs.replace(post, source=self.name, platform=post.platform or post.source)


async def _partitions_of(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    """Return the partitions of a topic that is there: a moment after it was subscribed to, the consumer knows them.

    Errors  TimeoutError when it does not
    """
    async with asyncio.timeout(KNOWN_SECS):
        while not (numbers := consumer.partitions_for_topic(topic)):  # noqa: ASYNC110  it tells by no event
            await asyncio.sleep(0.02)
    return set(numbers)


async def in_order(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> AsyncGenerator[Any, None]:
    """Yield the messages of several partitions, up to their ends, in the order in which they were written."""
    ahead: dict[TopicPartition, deque[Any]] = {one: deque() for one in ends}
    while ahead:
        if any(not messages for messages in ahead.values()):
            for partition, messages in (await consumer.getmany(timeout_ms=POLL_MS)).items():
                ahead.get(partition, deque()).extend(messages)
            continue
        partition = min(ahead, key=lambda one: (ahead[one][0].timestamp, one.partition))
        message = ahead[partition].popleft()
        if message.offset < ends[partition]:
            yield message
        if message.offset >= ends[partition] - 1:
            del ahead[partition]
            consumer.pause(partition)


def offsets_in(cursor: str | None) -> dict[str, int]:
    """Return the next offset of each partition that a cursor names; none where it is not one of ours."""
    try:
        return _offsets.decode(cursor or "{}")
    except (msgspec.DecodeError, RecursionError):
        return {}

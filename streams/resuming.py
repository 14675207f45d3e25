"""Resuming: a topic followed from where it was left, as far as it is still the same topic.

Offsets mean something to one broker alone. So a mark bears what stood there, too: where that is found again, it goes
on; else the topic is another one, or has lost what stood there, and is read from its beginning.

Shape   marks in; values with their places out, and whether each may have been read before
Errors  SourceUnavailable when the broker does not answer
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from records import SourceUnavailable
from streams.reader import consumer_of, ends_of, is_past, moment_of
from streams.settings import StreamSettings
from streams.topics import Topic

LOOK_MS = 5_000
"""How long a broker may take to show what a mark names; one that is slower is read from the beginning."""


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a partition was left: what was read last, and by what it is known again."""

    offset: int
    digest: str


class Lying(NamedTuple):
    """A value as it lies on a topic; None for a tombstone."""

    partition: int
    offset: int
    value: bytes | None
    at: datetime | None  # when it was put there; None where the broker does not say
    is_anew: bool  # no mark says whether it was read before

    @property
    def mark(self) -> Mark:
        """Return the mark of who has read this."""
        return Mark(self.offset, digest_of(self.value))


def digest_of(value: bytes | None) -> str:
    """Return by what a value is known again, without saying what it is."""
    return blake2b(value or b"", digest_size=8).hexdigest()


async def follow_on(
    settings: StreamSettings,
    topic: Topic,
    marks: Mapping[int, Mark],
    *,
    at_end: Callable[[], object] | None = None,
) -> AsyncGenerator[list[Lying], None]:
    """Yield what lies behind the marks, and then what comes, many at once, for ever; without one, from the beginning.

    `at_end` is called when all was yielded that stood there when this began.
    """
    try:
        async with consumer_of(settings, topic) as consumer:
            known = await _known(consumer, topic, marks)
            ends = await ends_of(settings, consumer) if at_end else {}
            while True:
                if at_end and await is_past(consumer, ends):
                    at_end()
                    at_end = None
                batches = await consumer.getmany(timeout_ms=200)
                found = [_lying(one, known) for messages in batches.values() for one in messages]
                if found:
                    yield found
    except (KafkaError, OSError) as error:
        raise SourceUnavailable(f"kafka {settings.kafka_url}: {topic.name}: {error!r}") from error


def _lying(message: Any, known: Mapping[int, Mark]) -> Lying:
    is_anew = message.partition not in known
    return Lying(message.partition, message.offset, message.value, moment_of(message.timestamp), is_anew)


async def _known(consumer: AIOKafkaConsumer, topic: Topic, marks: Mapping[int, Mark]) -> dict[int, Mark]:
    """Put a consumer behind the marks that hold, and at the beginning elsewhere; return those that hold."""
    holding = {}
    for partition in consumer.assignment():
        mark = marks.get(partition.partition)
        if mark is not None and await _holds(consumer, partition, mark):
            holding[partition.partition] = mark
            consumer.seek(partition, mark.offset + 1)
        else:
            await consumer.seek_to_beginning(partition)
    return holding


async def _holds(consumer: AIOKafkaConsumer, partition: TopicPartition, mark: Mark) -> bool:
    """Tell whether what a mark names lies where it says."""
    consumer.seek(partition, mark.offset)
    messages = (await consumer.getmany(partition, timeout_ms=LOOK_MS, max_records=1)).get(partition, ())
    return any(one.offset == mark.offset and digest_of(one.value) == mark.digest for one in messages)

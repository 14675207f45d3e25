"""The way onto the topics: records out, and back only when the broker has them."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from records import (
    Alert,
    BrokenInvariant,
    Bulletin,
    Claimed,
    DeadLetter,
    ModelChange,
    Notification,
    Post,
    ProfileChange,
    Pulse,
    Retraction,
    Signal,
    Silence,
    SourceStatus,
    SourceUnavailable,
    Statement,
    Tick,
    Verdict,
    encode,
)
from records.digest import DigestMade
from streams import metrics
from streams.patience import with_patience
from streams.settings import StreamSettings
from streams.topics import (
    ALERTS,
    CLAIMS,
    CONTEXT,
    DEAD_LETTERS,
    DECISIONS,
    DIGESTS,
    LARGEST_BYTES,
    NOTIFICATIONS,
    POSTS,
    PULSE,
    RETRACTIONS,
    SIGNALS,
    SOURCES,
    Topic,
)

BATCH_BYTES = 900 * 1024  # below the brokers' usual limit of a mebibyte
IN_FLIGHT = 32  # full batches handed over before their receipts are awaited
FEW = 4  # records; fewer are not worth a batch of their own
_partitioner = DefaultPartitioner()

Stated = Bulletin | Verdict | Silence | ProfileChange | ModelChange | SourceStatus
Pairs = Iterable[tuple[bytes | None, bytes | None]]
Keyed = Post | Pulse | Signal | Tick | Statement | Stated | Alert | Retraction | DigestMade | Notification | DeadLetter


class KafkaPublisher:
    """Sends records to their topics, keyed by themselves.

    Shape   a call returns when every record is acknowledged by the broker, in the order given per key
    Errors  SourceUnavailable when the broker does not take them; some may have arrived: send all again
    """

    def __init__(self, settings: StreamSettings) -> None:
        self.settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()
        self._turns: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def start(self) -> None:
        """Connect; do nothing when connected."""
        async with self._lock:
            if self._producer is not None:
                return
            producer = with_patience(
                AIOKafkaProducer(
                    bootstrap_servers=self.settings.bootstrap_servers,
                    acks="all",
                    max_batch_size=BATCH_BYTES,
                    max_request_size=LARGEST_BYTES,
                    compression_type="lz4",
                    **self.settings.security.for_aiokafka(),
                )
            )
            try:
                await producer.start()
                self._producer = producer
            except (KafkaError, OSError) as error:
                raise SourceUnavailable(f"kafka {self.settings.kafka_url}: {error}") from error
            finally:
                if self._producer is None:  # asked to stop in the middle of it, it must be stopped as well
                    await producer.stop()

    async def stop(self) -> None:
        """Send what is left and disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def posts(self, posts: Sequence[Post]) -> None:
        """Put posts on `posts.v1`."""
        await self.send(POSTS, posts)

    async def posts_in_order(self, posts: Sequence[Post]) -> None:
        """Put posts on one partition of `posts.v1`, so that they are read in this order."""
        await self.send_raw(POSTS.name, ((post.key.encode(), encode(post)) for post in posts), partition=0)

    async def pulses(self, pulses: Sequence[Pulse]) -> None:
        """Put minute counts on `pulse.v1`."""
        await self.send(PULSE, pulses)

    async def signals(self, signals: Sequence[Signal | Tick | Statement | Retraction]) -> None:
        """Put evidence, the passing of time, what somebody stated, or what one state told on `signals.v1`."""
        await self.send(SIGNALS, signals)

    async def retractions(self, retractions: Sequence[Retraction]) -> None:
        """Put what is taken back on every partition of `signals.v1`: nobody knows which states hold it.

        And on `retractions.v1`, for those who keep what was told.
        """
        pairs = [(one.key.encode(), encode(one)) for one in retractions]
        for partition in range(self.settings.partitions):
            await self.send_raw(SIGNALS.name, pairs, partition=partition)
        await self.send_raw(RETRACTIONS.name, pairs)

    async def claims(self, changes: Mapping[str, Claimed | None]) -> None:
        """Put on `claims.v1` what posts claim now; None for those that claim nothing any more."""
        pairs = ((key.encode(), encode(claimed) if claimed else None) for key, claimed in changes.items())
        await self.send_raw(CLAIMS.name, pairs)

    async def bulletins(self, bulletins: Sequence[Bulletin]) -> None:
        """Put what authorities and operators state on `context.v1`."""
        await self.send(CONTEXT, bulletins)

    async def verdicts(self, verdicts: Sequence[Verdict]) -> None:
        """Put what people decided on `decisions.v1`."""
        await self.send(DECISIONS, verdicts)

    async def silences(self, silences: Sequence[Silence]) -> None:
        """Put on `decisions.v1` what somebody does not want to be told."""
        await self.send(DECISIONS, silences)

    async def profile_changes(self, changes: Sequence[ProfileChange]) -> None:
        """Put on `decisions.v1` by which profile it is to be decided."""
        await self.send(DECISIONS, changes)

    async def profile_changes_for_all(self, changes: Sequence[ProfileChange]) -> None:
        """Put changes of the profile on every partition of `signals.v1`, among the evidence: each decides by it."""
        pairs = [(one.key.encode(), encode(one)) for one in changes]
        for partition in range(self.settings.partitions):
            await self.send_raw(SIGNALS.name, pairs, partition=partition)

    async def model_changes(self, changes: Sequence[ModelChange]) -> None:
        """Put on `decisions.v1` by which model posts are to be read."""
        await self.send(DECISIONS, changes)

    async def alerts(self, alerts: Sequence[Alert]) -> None:
        """Put alert revisions on `alerts.v1`."""
        await self.send(ALERTS, alerts)

    async def statuses(self, statuses: Sequence[SourceStatus]) -> None:
        """Put how sources stand on `sources.v1`."""
        await self.send(SOURCES, statuses)

    async def digests_made(self, made: Sequence[DigestMade]) -> None:
        """Put on `digests.v1` that digests were made."""
        await self.send(DIGESTS, made)

    async def notifications(self, notifications: Sequence[Notification]) -> None:
        """Put on `notifications.v1` what became of notifications."""
        await self.send(NOTIFICATIONS, notifications)

    async def dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Put what could not be handled on `dead_letters.v1`."""
        await self.send(DEAD_LETTERS, letters)

    async def send(self, topic: Topic, records: Iterable[Keyed]) -> None:
        """Send records to one topic and await all receipts."""
        await self.send_raw(topic.name, ((record.key.encode(), encode(record)) for record in records))

    async def send_whole(self, topic: str, pairs: Sequence[tuple[bytes, bytes | None]], partition: int) -> int:
        """Send keys and values as one record batch, which the broker takes whole; return the last one's offset.

        Errors  BrokenInvariant when they do not fit into one
        """
        await self.start()
        producer = self._producer
        if producer is None:
            raise SourceUnavailable(f"kafka {self.settings.kafka_url}: the publisher was stopped")
        batch = producer.create_batch()
        for key, value in pairs:
            if batch.append(key=key, value=value, timestamp=None) is None:
                raise BrokenInvariant(f"{topic}: {len(pairs)} changes do not fit into {BATCH_BYTES} bytes")
        batch.close()
        began = monotonic()
        try:
            receipt = await (await self._handed_over(producer, batch, topic, partition))
        except (KafkaError, OSError) as error:
            raise self._refused(topic, error) from error
        metrics.SEND_SECONDS.labels(topic).observe(monotonic() - began)
        return int(receipt.offset) + len(pairs) - 1

    async def send_raw(self, topic: str, pairs: Pairs, *, partition: int | None = None) -> None:
        """Send keys and values as they are and await all receipts."""
        await self.start()
        producer = self._producer
        if producer is None:
            raise SourceUnavailable(f"kafka {self.settings.kafka_url}: the publisher was stopped")
        try:
            began = monotonic()
            if await self._deliver(producer, topic, pairs, partition):
                metrics.SEND_SECONDS.labels(topic).observe(monotonic() - began)
        except MessageSizeTooLargeError:
            raise
        except (KafkaError, OSError) as error:
            raise self._refused(topic, error) from error

    def _refused(self, topic: str, error: Exception) -> SourceUnavailable:
        metrics.SEND_FAILURES.labels(topic).inc()
        return SourceUnavailable(f"kafka {self.settings.kafka_url}: {topic}: {error!r}")

    async def _deliver(self, producer: AIOKafkaProducer, topic: str, pairs: Pairs, partition: int | None) -> bool:
        """Send, and await all receipts; tell whether there was anything to send.

        A few go one by one, so that those of many callers share a batch. More go in batches of our own, which take less
        processor time.
        """
        coming = iter(pairs)
        few = list(islice(coming, FEW))
        if len(few) < FEW:
            receipts = [await producer.send(topic, value=value, key=key, partition=partition) for key, value in few]
        else:
            receipts = await self._deliver_batches(producer, topic, chain(few, coming), partition)
        await asyncio.gather(*receipts)
        return bool(few)

    async def _deliver_batches(
        self, producer: AIOKafkaProducer, topic: str, pairs: Pairs, partition: int | None
    ) -> list[asyncio.Future[Any]]:
        """Send in batches; return the receipts that are still to be awaited."""
        partitions = sorted(await producer.partitions_for(topic))
        batches: dict[int, BatchBuilder] = {}
        receipts: list[asyncio.Future[Any]] = []
        for key, value in pairs:
            if len(key or b"") + len(value or b"") > LARGEST_BYTES:  # which aiokafka sees in a single record only
                raise MessageSizeTooLargeError(f"{topic}: a value of {len(value or b'')} bytes")
            to = _partitioner(key, partitions, partitions) if partition is None else partition
            batch = batches.get(to)
            while batch is None or batch.append(key=key, value=value, timestamp=None) is None:
                if batch is not None:
                    receipts.append(await self._handed_over(producer, batch, topic, to))
                batch = batches[to] = producer.create_batch()
            if len(receipts) >= IN_FLIGHT:
                await asyncio.gather(*receipts)
                receipts.clear()
        for to, batch in batches.items():
            batch.close()
            receipts.append(await self._handed_over(producer, batch, topic, to))
        return receipts

    async def _handed_over(
        self, producer: AIOKafkaProducer, batch: BatchBuilder, topic: str, partition: int
    ) -> asyncio.Future[Any]:
        """Hand over a batch; return its receipt, of which the loop says nothing where nobody waits for it any more."""
        async with self._turns[topic, partition]:  # aiokafka counts the time of who waits for many others many times
            receipt: asyncio.Future[Any] = await producer.send_batch(batch, topic, partition=partition)
        receipt.add_done_callback(lambda done: done.cancelled() or done.exception())
        return receipt

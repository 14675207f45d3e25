"""Taking back: what was deleted is to be gone also where no step holds it any more.

The detectors let go at once of what they know. What they have forgotten stands on `alerts.v1` for another month, and
earlier posts of an author who left stand on `posts.v1` for three days: those are looked up here, some time afterwards.

Shape   retractions in, by the group's offsets; deletions of posts and retractions of told alerts out; run again after a
        crash, it says the same again
Errors  SourceUnavailable when the broker does not answer
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from msgspec.structs import replace

from detectors.retracting import without_words
from records import Alert, Clock, MalformedRecord, Post, Retraction, SourceUnavailable, decode
from streams.publisher import KafkaPublisher
from streams.reader import standing, up_to_the_end
from streams.settings import StreamSettings
from streams.topics import ALERTS, POSTS, RETRACTIONS

log = structlog.get_logger()
T = TypeVar("T")

SETTLED = timedelta(minutes=10)
"""By then the detectors have told what they had to tell, and what stands on the topics is what they have forgotten."""


class TakenBack(NamedTuple):
    """How much was found and taken back."""

    posts: int = 0
    alerts: int = 0


class _Speaker(msgspec.Struct):
    """What must be known of a post to tell whose it is."""

    author_id: str
    verb: str = "create"


_speakers = msgspec.json.Decoder(_Speaker)


async def take_back(settings: StreamSettings, publisher: KafkaPublisher, clock: Clock) -> TakenBack:
    """Follow up the retractions that nobody has followed up yet; return what was found."""
    partitions = [TopicPartition(RETRACTIONS.name, number) for number in range(settings.partitions)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap_servers,
        group_id=f"{settings.app_id}-sweep",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
        **settings.security.for_aiokafka(),
    )
    try:
        await consumer.start()
        consumer.assign(partitions)
        done = {one: await consumer.committed(one) or 0 for one in partitions}
        await consumer.seek_to_beginning(*partitions)
        retractions, offsets = await _settled(settings, consumer, clock.now() - SETTLED)
        if all(offset <= done[one] for one, offset in offsets.items()):
            return TakenBack()
        deletions = await posts_of(settings, {one.author_id for one in retractions} - {""}, clock.now())
        told = await told_alerts(settings, retractions)
        await publisher.posts(deletions)
        await publisher.signals(told)
        await consumer.commit(offsets)
    except (KafkaError, OSError) as error:
        raise SourceUnavailable(f"kafka {settings.kafka_url}: taking back: {error!r}") from error
    finally:
        await consumer.stop()
    return TakenBack(len(deletions), len(told))


async def _settled(
    settings: StreamSettings, consumer: AIOKafkaConsumer, before: datetime
) -> tuple[list[Retraction], dict[TopicPartition, int]]:
    """Return the retractions that were written before a moment, and where those that follow begin.

    All that stand there, not the new ones alone: an alert is taken back from what its topic has, and what an earlier
    run asked for may not be there yet.
    """
    retractions: list[Retraction] = []
    offsets: dict[TopicPartition, int] = {}
    unsettled: set[TopicPartition] = set()
    async for message in up_to_the_end(settings, consumer):
        partition = TopicPartition(message.topic, message.partition)
        if partition in unsettled or message.timestamp > before.timestamp() * 1000:
            unsettled.add(partition)
            continue
        retractions += _read(message, Retraction)
        offsets[partition] = message.offset + 1
    return retractions, offsets


def _read(message: Any, record: type[T]) -> list[T]:
    """Return the record of a message, none where it cannot be read: that is for the dead letters."""
    try:
        return [] if message.value is None else [decode(message.value, record)]
    except MalformedRecord as error:
        log.warning("cannot be read, and is passed over", topic=message.topic, error=str(error))
        return []


async def posts_of(settings: StreamSettings, authors: set[str], now: datetime) -> list[Post]:
    """Return the deletions of what still stands on `posts.v1` of some authors."""
    if not authors:
        return []
    found: dict[bytes, Any] = {}
    async for message in standing(settings, POSTS):
        if message.value is None or not _is_of(message.value, authors):
            found.pop(message.key, None)
        else:
            found[message.key] = message
    posts = (post for message in found.values() for post in _read(message, Post))
    return [
        Post(
            source=post.source,
            platform=post.platform,
            id=post.id,
            author_id=post.author_id,
            posted_at=post.posted_at,
            received_at=now,
            text="",
            verb="delete",
        )
        for post in posts
    ]


def _is_of(value: bytes, authors: set[str]) -> bool:
    try:
        speaker = _speakers.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False  # a dead letter by now
    return speaker.author_id in authors and speaker.verb in ("create", "update")


async def told_alerts(settings: StreamSettings, retractions: Sequence[Retraction]) -> list[Retraction]:
    """Return what is to be taken back of alerts that still show what was retracted, each addressed to its state."""
    newest: dict[bytes, Any] = {}
    async for message in standing(settings, ALERTS):
        if message.value is not None:
            newest[message.key] = message
    by_name: dict[str, Retraction] = {one.name: one for one in retractions}
    alerts = (alert for message in newest.values() for alert in _read(message, Alert))
    return [one for alert in alerts for one in _of_alert(alert, by_name)]


def _of_alert(alert: Alert, by_name: dict[str, Retraction]) -> Iterable[Retraction]:
    """Yield what is to be taken back of one alert, each from what the one before leaves."""
    for name in sorted({name for item in alert.evidence for name in (item.post_key, item.author_id)} & by_name.keys()):
        retraction = by_name[name]
        without = without_words(alert, name, retraction.unless)
        if without.evidence != alert.evidence:
            yield replace(retraction, told=alert)
            alert = without

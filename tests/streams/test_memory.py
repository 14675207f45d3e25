"""Memory: a batch is on the broker whole before any of it is on disk."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from faust.assignor.client_assignment import ClientAssignment
from rocksdict import Options, Rdict

from records import BrokenInvariant, SourceUnavailable
from streams.declaring import declare_topics
from streams.memory import Memory
from streams.publisher import BATCH_BYTES, KafkaPublisher
from streams.reader import consumer_of
from streams.settings import StreamSettings
from streams.topics import Topic, changelog
from vigie.broker import EmbeddedBroker

MakeSettings = Callable[..., StreamSettings]
OFFSET = b"offset"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Any]:
    opened = Rdict(str(tmp_path / "store.db"), options=Options(raw_mode=True))
    yield opened
    opened.close()


def memory_over(settings: StreamSettings, publisher: KafkaPublisher, database: Any) -> Memory:
    """Return a memory whose store is a real RocksDB, but for Faust around it, which the survival tests bring."""
    memory = Memory(faust.App("memory", broker=settings.kafka_url, datadir=str(settings.data_dir)), settings, publisher)
    memory.table = SimpleNamespace(data=SimpleNamespace(offset_key=OFFSET, _db_for_partition=lambda _: database))
    return memory


@asynccontextmanager
async def memory_on(settings: StreamSettings, database: Any) -> AsyncIterator[Memory]:
    """Provide the same, with a changelog of its own on a broker."""
    await declare_topics(settings, [changelog(settings.app_id)])
    publisher = KafkaPublisher(settings)
    try:
        yield memory_over(settings, publisher, database)
    finally:
        await publisher.stop()


async def values_on(settings: StreamSettings, topic: Topic, count: int) -> list[tuple[bytes, bytes | None]]:
    found: list[tuple[bytes, bytes | None]] = []
    async with consumer_of(settings, topic) as consumer:
        while len(found) < count:
            for messages in (await consumer.getmany(timeout_ms=100)).values():
                found += [(message.key, message.value) for message in messages]
    return found


@pytest.mark.broker
async def test_a_batch_is_kept_with_the_offset_reached(
    broker: EmbeddedBroker, settings_for: MakeSettings, database: Any
) -> None:
    settings = settings_for(broker.url, app_id="kept")
    async with memory_on(settings, database) as memory:
        await memory.keep(0, {"fire/76/a": b"1", "fire/76/b": b"2", "fire/76/c": b"3"})
        assert database[OFFSET] == b"2"
        await memory.keep(0, {"fire/76/a": None, "fire/76/b": b"4"})
        await memory.keep(0, {})
    assert dict(database.items()) == {b"fire/76/b": b"4", b"fire/76/c": b"3", OFFSET: b"4"}
    assert (await values_on(settings, changelog(settings.app_id), 5))[3:] == [
        (b"fire/76/a", None),
        (b"fire/76/b", b"4"),
    ]


async def test_without_a_broker_nothing_is_kept(settings_for: MakeSettings, database: Any) -> None:
    settings = settings_for("kafka://127.0.0.1:9")
    publisher = KafkaPublisher(settings)
    with pytest.raises(SourceUnavailable):
        await memory_over(settings, publisher, database).keep(0, {"fire/76/a": b"1"})
    assert list(database.keys()) == []


@pytest.mark.broker
async def test_a_batch_that_no_record_batch_holds_is_refused_before_anything_is_sent(
    broker: EmbeddedBroker, settings_for: MakeSettings, database: Any
) -> None:
    publisher = KafkaPublisher(settings_for(broker.url))
    memory = memory_over(publisher.settings, publisher, database)
    try:
        with pytest.raises(BrokenInvariant, match="do not fit"):
            await memory.keep(0, {"fire/76/a": b"x" * (BATCH_BYTES // 2), "fire/76/b": b"x" * BATCH_BYTES})
    finally:
        await publisher.stop()
    assert list(database.keys()) == []


@pytest.mark.broker
async def test_what_is_kept_first_goes_ahead_where_it_does_not_fit(
    broker: EmbeddedBroker, settings_for: MakeSettings, database: Any
) -> None:
    settings = settings_for(broker.url, app_id="first")
    large, first = b"x" * (BATCH_BYTES // 2), {f"fire/76/pending/9/{number}": b"y" * 300_000 for number in range(5)}
    async with memory_on(settings, database) as memory:
        await memory.keep(0, {"fire/76/a": large, "fire/76/b": large[:-9_000]}, first=first)
        await memory.keep(0, {}, first={"fire/76/a": None})
    assert sorted(database.keys()) == sorted([OFFSET, b"fire/76/b", *(key.encode() for key in first)])
    values = await values_on(settings, changelog(settings.app_id), 8)
    assert [key for key, _ in values[5:]] == [b"fire/76/a", b"fire/76/b", b"fire/76/a"]


def test_what_is_found_has_its_kind_by_its_place_whatever_else_others_call_theirs(settings_for: MakeSettings) -> None:
    settings = settings_for("kafka://127.0.0.1:9")
    memory = memory_over(settings, KafkaPublisher(settings), None)
    keys = ["fire/76/head", "fire/76/agenda", "fire/76/pending/9", "fire/76/pending/9/0", "profile/in/force"]
    keys += [f"flood/14/base/bulletin/https://e.org/{name}" for name in ("head", "agenda", "pending/9")]
    memory.table = [key.encode() for key in keys]
    assert memory.found() == ({"fire/76"}, {"fire/76"}, {"fire/76/pending/9", "fire/76/pending/9/0"})


def test_a_partition_is_ours_as_long_as_faust_says_so(settings_for: MakeSettings) -> None:
    settings = settings_for("kafka://127.0.0.1:9")
    app: Any = faust.App("memory", broker=settings.kafka_url, datadir=str(settings.data_dir))
    memory = Memory(app, settings, KafkaPublisher(settings))
    app.assignor._assignment = ClientAssignment(actives={changelog(settings.app_id).name: [1]}, standbys={})
    assert [memory.is_ours(partition) for partition in (0, 1, 2)] == [False, True, False]

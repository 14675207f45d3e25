"""The recorder on a real broker: it follows, ends, goes on, and finds its way after another broker took the place."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from records import Retraction, Signal, SystemClock
from streams.declaring import declare_topics
from streams.publisher import KafkaPublisher
from streams.settings import StreamSettings
from streams.topics import RETRACTIONS
from vigie import recorder as module
from vigie.broker import EmbeddedBroker, free_port
from vigie.recorder import Recorder
from vigie.recordings import Recordings

pytestmark = pytest.mark.broker
Heard = Callable[..., Signal]


def streams_on(port: int, folder: Path, partitions: int = 4) -> StreamSettings:
    url = f"kafka://127.0.0.1:{port}"
    return StreamSettings(kafka_url=url, data_dir=folder, is_embedded=True, partitions=partitions)


def keys(recordings: Recordings) -> list[str]:
    return sorted(row.record.post_key for row in recordings.rows() if isinstance(row.record, Signal))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110  files set no event
            await asyncio.sleep(0.1)


async def put(streams: StreamSettings, send: Callable[[KafkaPublisher], Awaitable[None]]) -> None:
    await declare_topics(streams)
    publisher = KafkaPublisher(streams)
    try:
        await send(publisher)
    finally:
        await publisher.stop()


@asynccontextmanager
async def recording(streams: StreamSettings, recordings: Recordings) -> AsyncIterator[Recorder]:
    recorder = Recorder(recordings, streams, SystemClock(), keep=timedelta(days=9999))
    task = asyncio.create_task(recorder.run())
    try:
        yield recorder
        # One that is stopped while aiokafka connects leaves a connection of its own behind, which pytest hears.
        await until(lambda: not recorder._looks_back)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_nothing_is_lost_or_doubled_over_a_stop_a_kill_and_another_broker(
    recordings: Recordings, heard: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FLUSH_SECS", 0.2)
    monkeypatch.setattr(module, "AGAIN_SECS", 0.5)
    port = free_port()
    streams = streams_on(port, tmp_path)
    with EmbeddedBroker(port=port):
        await put(streams, lambda to: to.signals([heard(1), heard(2)]))
        async with recording(streams, recordings):
            await until(lambda: len(keys(recordings)) == 2)
        await put(streams, lambda to: to.signals([heard(3)]))
        async with recording(streams, recordings) as recorder:
            await until(lambda: len(keys(recordings)) == 3)
            # All of it is read, and nothing of it is written any more: as if it were killed in this moment.
            monkeypatch.setattr(recorder, "_tried_to_write", lambda: None)
            await put(streams, lambda to: to.signals([heard(4)]))
            await until(lambda: recorder.state["waiting"] == 1)
        assert len(keys(recordings)) == 3
        async with recording(streams, recordings):
            await until(lambda: len(keys(recordings)) == 4)
    with EmbeddedBroker(port=port):
        await put(streams, lambda to: to.signals([heard(4), heard(5)]))
        async with recording(streams, recordings) as recorder:
            await until(lambda: len(keys(recordings)) == 5)
            recorder.read_again()
            await put(streams, lambda to: to.signals([heard(6)]))
            await until(lambda: len(keys(recordings)) == 6)
    assert keys(recordings) == [f"bluesky:post-{number}" for number in (1, 2, 3, 4, 5, 6)]


async def test_what_is_taken_back_on_the_topic_is_gone_from_the_files(
    recordings: Recordings, heard: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FLUSH_SECS", 0.2)
    port = free_port()
    streams = streams_on(port, tmp_path)
    gone: Any = [Retraction(at=heard(1).event_time, post_key="bluesky:post-1")]
    with EmbeddedBroker(port=port):
        await put(streams, lambda to: to.signals([heard(1), heard(2)]))
        async with recording(streams, recordings):
            await until(lambda: len(keys(recordings)) == 2)
        await put(streams, lambda to: to.retractions(gone))
        async with recording(streams, recordings):
            await until(lambda: "bluesky:post-1" not in keys(recordings))
    found = [row.record for row in recordings.rows()]
    assert [one.post_key for one in found if isinstance(one, Retraction)] == [found[0].post_key]
    assert "author-1" not in str(found)


async def test_what_the_signals_topic_has_forgotten_is_taken_back_all_the_same(
    recordings: Recordings, heard: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FLUSH_SECS", 0.2)
    port = free_port()
    streams = streams_on(port, tmp_path)
    with EmbeddedBroker(port=port):
        await put(streams, lambda to: to.signals([heard(1)]))
        async with recording(streams, recordings):
            await until(lambda: len(keys(recordings)) == 1)
    gone = Retraction(at=heard(1).event_time, post_key="bluesky:post-1")
    with EmbeddedBroker(port=port):
        await put(streams, lambda to: to.send(RETRACTIONS, [gone]))
        async with recording(streams, recordings):
            await until(lambda: keys(recordings) != ["bluesky:post-1"])


async def test_one_that_comes_first_leaves_no_topic_of_the_brokers_own_shape(
    recordings: Recordings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FLUSH_SECS", 0.2)
    port = free_port()
    streams = streams_on(port, tmp_path, partitions=2)
    with EmbeddedBroker(port=port):
        async with recording(streams, recordings):
            await until(recordings.folder.exists)
        await declare_topics(streams)  # a worker, which refuses topics with other partitions

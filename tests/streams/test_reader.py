"""What reads or writes, and is asked to stop, leaves nothing open, also in the middle of connecting."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from faust.types import TP

from streams import publisher, reader
from streams.settings import StreamSettings
from streams.topics import SIGNALS
from streams.true_ends import true_end_offsets


class Slow:
    """A consumer, or a producer, that never gets to its broker."""

    def __init__(self) -> None:
        self.is_starting = asyncio.Event()
        self.is_stopped = False

    async def start(self) -> None:
        self.is_starting.set()
        await asyncio.Event().wait()

    async def stop(self) -> None:
        self.is_stopped = True


async def _read(settings: StreamSettings) -> None:
    async with reader.consumer_of(settings, SIGNALS):
        pass


async def _ask_for_ends(settings: StreamSettings) -> None:
    await true_end_offsets(settings.bootstrap_servers, {TP("signals.v1", 0): 3})


async def _publish(settings: StreamSettings) -> None:
    await publisher.KafkaPublisher(settings).start()


@pytest.mark.parametrize("work", [_read, _ask_for_ends, _publish])
async def test_what_is_asked_to_stop_while_it_connects_is_stopped(
    work: Callable[[StreamSettings], Any], settings_for: Callable[..., StreamSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow()
    monkeypatch.setattr(reader, "AIOKafkaConsumer", lambda **_: slow)
    monkeypatch.setattr(publisher, "AIOKafkaProducer", lambda **_: slow)
    monkeypatch.setattr(publisher, "with_patience", lambda producer: producer)
    monkeypatch.setattr("aiokafka.AIOKafkaConsumer", lambda **_: slow)
    task = asyncio.create_task(work(settings_for()))
    await slow.is_starting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert slow.is_stopped

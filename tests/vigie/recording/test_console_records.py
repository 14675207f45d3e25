"""`vigie console` records beside its work, writes when it is stopped, and says how it goes."""

import asyncio
import signal as signals
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from records import Signal
from streams.publisher import KafkaPublisher
from tests.console.console_process import Console
from vigie.broker import EmbeddedBroker
from vigie.recordings import Recordings

pytestmark = pytest.mark.broker
WITHIN_SECS = 60.0


def state(console: Console) -> Any:
    return httpx.get(f"{console.address}/healthz", timeout=5).json()["recording"]


def waits(console: Console, rows: int) -> None:
    deadline = time.monotonic() + WITHIN_SECS
    while state(console)["waiting"] != rows:
        assert time.monotonic() < deadline, console.said
        time.sleep(0.1)


def put(console: Console, *records: Signal) -> None:
    async def send() -> None:
        publisher = KafkaPublisher(console.streams)
        await publisher.signals(records)
        await publisher.stop()

    asyncio.run(send())


def test_what_it_hears_is_recorded_whatever_broker_it_hears_it_from(
    heard: Callable[..., Signal], tmp_path: Path
) -> None:
    with EmbeddedBroker() as broker:
        console = Console(tmp_path, f"sqlite:///{tmp_path}/console.sqlite", broker=broker.port)
        try:
            console.start()
            asyncio.run(console.answers(is_ready=True))
            put(console, heard(1), heard(2))
            waits(console, 2)
            broker.stop()
            broker.start()
            console.tell(signals.SIGHUP)
            put(console, heard(3))
            waits(console, 3)
        finally:
            console.stop()
    recordings = Recordings(tmp_path / "vigie-data" / "recording")
    assert [row.record.post_key for row in recordings.rows()] == [f"bluesky:post-{number}" for number in (1, 2, 3)]
    assert "Traceback" not in console.said

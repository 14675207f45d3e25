"""A producer without its broker: it looks for it now and then, and not all the time."""

import asyncio
import logging
import time
from collections.abc import Callable

import pytest

from records import SourceUnavailable
from streams.patience import LOOK_AGAIN_SECS
from streams.publisher import KafkaPublisher
from streams.settings import StreamSettings
from vigie.broker import EmbeddedBroker

LOOKS = 4


@pytest.mark.broker
async def test_it_looks_for_a_broker_that_is_away_no_more_often_than_it_says(
    settings_for: Callable[..., StreamSettings], caplog: pytest.LogCaptureFixture
) -> None:
    with EmbeddedBroker() as broker:
        publisher = KafkaPublisher(settings_for(broker.url, partitions=1))
        await publisher.send_raw("topic", [(b"key", b"value")])

    def looks() -> int:
        return sum("Unable to update metadata" in one.getMessage() for one in caplog.records)

    with caplog.at_level(logging.ERROR, logger="aiokafka"):
        began = time.monotonic()
        sending = asyncio.create_task(publisher.send_raw("topic", [(b"key", b"value")]))
        async with asyncio.timeout(60):
            while looks() < LOOKS:  # noqa: ASYNC110  nobody tells us
                await asyncio.sleep(0.05)
        # A slow machine looks less often, never more.
        assert looks() <= (time.monotonic() - began) / LOOK_AGAIN_SECS + 2
    with EmbeddedBroker(port=broker.port):
        await sending
        await publisher.stop()


async def test_a_publisher_whose_broker_was_never_there_says_so(settings_for: Callable[..., StreamSettings]) -> None:
    with pytest.raises(SourceUnavailable):
        await KafkaPublisher(settings_for("kafka://127.0.0.1:1", partitions=1)).start()

"""Patience: aiokafka's producer, mended, so that it waits before it looks again for a broker that is away.

It asks for the brokers anew as soon as the last asking has failed, thousands of times a second where nobody listens,
and logs each: a core for nothing, and a full disk within hours.
"""

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer

LOOK_AGAIN_SECS = 0.5


def with_patience(producer: AIOKafkaProducer) -> AIOKafkaProducer:
    """Return a producer, not started yet, whose client waits each time it has found no broker."""
    update = producer.client._metadata_update

    async def update_and_wait(*args: Any) -> bool:
        is_updated: bool = await update(*args)
        if not is_updated:
            await asyncio.sleep(LOOK_AGAIN_SECS)
        return is_updated

    producer.client._metadata_update = update_and_wait
    return producer

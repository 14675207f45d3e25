"""A topic followed on until where it ends now, on whatever broker."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing

from streams.resuming import Lying, Mark, follow_on
from streams.settings import StreamSettings
from streams.topics import Topic


async def found(settings: StreamSettings, topic: Topic, marks: Mapping[int, Mark]) -> list[Lying]:
    """Return what lies behind marks."""
    lying: list[Lying] = []
    ended = asyncio.Event()

    async def read() -> None:
        async with aclosing(follow_on(settings, topic, marks, at_end=ended.set)) as batches:
            async for batch in batches:
                lying.extend(batch)

    task = asyncio.create_task(read())
    async with asyncio.timeout(60):
        await ended.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return lying

"""Anew: work begins again when that is asked for, though somebody in between loses that it was to end."""

import asyncio
from contextlib import suppress

import pytest

from vigie.anew import begun_anew


async def test_work_begins_again_though_its_end_is_lost_once() -> None:
    begun, again = list[int](), asyncio.Event()

    async def work() -> None:
        begun.append(len(begun))
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    running = asyncio.create_task(begun_anew(work, again))
    async with asyncio.timeout(10):
        while len(begun) < 2:
            again.set()
            await asyncio.sleep(0.05)
    running.cancel()
    async with asyncio.timeout(10):
        await asyncio.wait({running})
    assert running.cancelled()


async def test_what_goes_wrong_in_it_is_raised() -> None:
    async def work() -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        await begun_anew(work, asyncio.Event())

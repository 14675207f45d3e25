"""Anew: what follows topics for ever begins again when there is another broker."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


async def begun_anew(work: Callable[[], Coroutine[Any, Any, None]], again: asyncio.Event) -> None:
    """Do some work for ever, from its beginning each time that is asked for; what goes wrong in it is raised."""
    while True:
        again.clear()
        working, asked = asyncio.create_task(work()), asyncio.create_task(again.wait())
        try:
            await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await ended(working, asked)
        if not working.cancelled():
            working.result()


async def ended(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until they end: once is not always enough, for `asyncio.wait_for` of 3.11 may lose it."""
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=1.0)

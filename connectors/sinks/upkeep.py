"""Upkeep: what sinks have to do beside telling of new revisions: say again what still holds, tell whom they still owe.

Shape   an outbox whose `run` looks after such sinks too; each does one round a second, most of which do nothing
Errors  none of the sinks': they tell the observer, and have their next turn
"""

import asyncio
from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from connectors.sinks.contract import SinkObserver, TryLater
from connectors.sinks.outbox import Outbox

LOOK_EVERY_SECS = 1.0


@runtime_checkable
class LookedAfter(Protocol):
    """A sink with work of its own."""

    name: str

    async def keep_up(self, observer: SinkObserver) -> None:
        """Do what is due by now; what does not work is told to the observer."""


class UpkeptOutbox(Outbox):
    """An outbox that looks after its sinks while it runs."""

    async def run(self, *, look_every_secs: float = 0.5) -> None:
        """Send for ever, and let the sinks do what they have to."""
        sinks = [sink for sink in self.sinks if isinstance(sink, LookedAfter)]
        beside = asyncio.create_task(look_after(sinks, self._observer))
        try:
            await super().run(look_every_secs=look_every_secs)
        finally:
            beside.cancel()
            await asyncio.wait({beside})


async def look_after(
    sinks: Iterable[LookedAfter], observer: SinkObserver, *, every_secs: float = LOOK_EVERY_SECS
) -> None:
    """Give each sink its turns, side by side, for ever."""
    async with asyncio.TaskGroup() as turns:  # which waits, when it is cancelled, until each has cleaned up
        for sink in sinks:
            turns.create_task(_turns(sink, observer, every_secs))


async def _turns(sink: LookedAfter, observer: SinkObserver, every_secs: float) -> None:
    while True:
        try:
            await sink.keep_up(observer)
        except Exception as error:  # noqa: BLE001  a bug in a sink must not end the others' upkeep
            observer.put_off(
                sink.name, TryLater(f"{sink.name}: {type(error).__name__} in its upkeep"), retry_secs=every_secs
            )
        await asyncio.sleep(every_secs)

"""Taking: an agent's events in batches, straight from its queue.

Faust's own `take_events` hands over each event by itself, through the whole of a stream, takes nothing up while a batch
is worked on, and acknowledges a batch that its agent raised on or was cancelled in. Here who has finished one does so.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from time import monotonic
from typing import Any

from faust.types import AppT, EventT, StreamT

Events = Sequence[EventT[Any]]


async def taken(app: AppT, stream: StreamT[Any], most: int, within: float) -> AsyncIterator[Events]:
    """Yield what has come: at once after a pause, or where it is enough; else so many seconds after the last ones.

    Faust waits for them to be acknowledged before it gives their partitions away.
    """
    channel: Any = stream.channel
    queue = channel.queue
    last = -within
    try:
        while True:
            events: list[EventT[Any]] = [await queue.get()]
            wait = last + within - monotonic()
            if wait > 0 and queue.qsize() < most - 1:
                await asyncio.sleep(wait)
            while len(events) < most and not queue.empty():
                events.append(queue.get_nowait())
            last = monotonic()
            ours = [event for event in events if _is_ours(app, event)]
            _enter(app, ours, last)
            if ours:
                yield ours
    except StopAsyncIteration:  # put into the queue by who stops the agent; what was not yielded is read again
        return


def _enter(app: AppT, events: Events, now: float) -> None:
    """Put events on Faust's account, as a stream does: it waits for them, and logs partitions of which none come."""
    for event in events:
        event.message.tracked = True
        app.consumer.unacked.add(event.message)
    for tp in {event.message.tp for event in events}:
        app.monitor.stream_inbound_time[tp] = now


def let_go(events: Events) -> None:
    """Acknowledge events: they are not read again."""
    for event in events:
        event.ack()


def _is_ours(app: AppT, event: EventT[Any]) -> bool:
    """Tell whether an event was fetched since partitions were handed out last; others are fetched once more.

    A stream acknowledges those, which might let a commit pass them.
    """
    return app.flow_control.is_active() and event.message.generation_id == app.consumer_generation_id

"""Events taken straight from an agent's queue: none lost, none twice, and only those that are still ours."""

import asyncio
from collections.abc import AsyncIterator, Callable
from time import monotonic
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from faust.events import Event
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from streams import taking
from streams.app import make_app
from streams.settings import StreamSettings
from streams.taking import let_go, taken
from streams.topics import POSTS

WITHIN = 0.05
MOST = 5


class Queue:
    """An agent's queue of a real app that is connected to nothing."""

    def __init__(self, app: faust.App) -> None:
        self.app = app
        self.queue: Any = app.FlowControlQueue(maxsize=100, clear_on_resume=True)
        app.topics.acking_topics.add(POSTS.name)
        app.flow_control.resume()
        self.put_in: list[Any] = []  # Faust holds on to what is not done with, not to the rest

    def put(self, count: int, *, generation: int | None = None) -> None:
        """Put events in, of the partitions as they were handed out last where nothing else is said."""
        given = self.app.consumer_generation_id if generation is None else generation
        for _ in range(count):
            message = ConsumerMessage(POSTS.name, 0, len(self.put_in), 0.0, 0, None, b"key", b"value", None)
            message.generation_id = given
            message.incref()
            self.put_in.append(Event(self.app, b"key", b"value", None, message))
            self.queue.put_nowait(self.put_in[-1])

    def batches(self, *, within: float = WITHIN) -> AsyncIterator[Any]:
        stream: Any = SimpleNamespace(channel=SimpleNamespace(queue=self.queue))
        return taken(self.app, stream, MOST, within)

    def stop(self) -> None:
        """Do what Faust does to stop an agent."""
        self.queue._throw(StopAsyncIteration())


@pytest.fixture
def queue(settings_for: Callable[..., StreamSettings]) -> Queue:
    return Queue(make_app(settings_for()))


def offsets(events: Any) -> list[int]:
    return [event.message.offset for event in events]


async def test_takes_what_is_there_in_its_order_and_no_more_than_fits(queue: Queue) -> None:
    queue.put(MOST + 2)
    batches = queue.batches()
    assert [offsets(await anext(batches)) for _ in range(2)] == [[0, 1, 2, 3, 4], [5, 6]]
    queue.put(1)
    assert offsets(await anext(batches)) == [7]


async def test_after_a_pause_it_takes_at_once_and_then_gathers(queue: Queue) -> None:
    batches = queue.batches(within=3600.0)
    async with asyncio.timeout(60):
        queue.put(1)
        assert offsets(await anext(batches)) == [0]
    queue.put(1)
    gathering = asyncio.ensure_future(anext(batches))
    await asyncio.sleep(WITHIN)
    assert not gathering.done()
    gathering.cancel()


async def test_what_comes_while_it_gathers_is_taken_with_the_rest(queue: Queue) -> None:
    batches = queue.batches()
    queue.put(1)
    assert offsets(await anext(batches)) == [0]
    queue.put(1)
    asyncio.get_running_loop().call_later(WITHIN / 5, queue.put, 1)
    assert offsets(await anext(batches)) == [1, 2]


async def test_after_a_longer_pause_it_takes_at_once_again(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    at = iter([100.0, 100.0, 9_000.0, 9_000.0])
    monkeypatch.setattr(taking, "monotonic", lambda: next(at))
    batches = queue.batches(within=3600.0)
    async with asyncio.timeout(60):
        for offset in (0, 1):
            queue.put(1)
            assert offsets(await anext(batches)) == [offset]


async def test_a_full_batch_waits_for_nothing(queue: Queue) -> None:
    batches = queue.batches(within=3600.0)
    queue.put(3 * MOST)
    async with asyncio.timeout(60):
        taken_ones = [offsets(await anext(batches)) for _ in range(3)]
    assert taken_ones == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11, 12, 13, 14]]


async def test_what_was_fetched_before_partitions_were_handed_out_is_passed_over(queue: Queue) -> None:
    queue.put(2, generation=queue.app.consumer_generation_id - 1)
    queue.put(2)
    assert offsets(await anext(queue.batches())) == [2, 3]
    assert {message.offset for message in queue.app.consumer.unacked} == {2, 3}


async def test_nothing_is_taken_while_partitions_are_handed_out(queue: Queue) -> None:
    batches = queue.batches()
    queue.put(2)
    queue.app.flow_control.suspend()
    coming = asyncio.ensure_future(anext(batches))
    await asyncio.sleep(WITHIN)
    queue.app.flow_control.resume()
    queue.put(1)
    assert offsets(await coming) == [2]


async def test_an_event_that_is_held_while_partitions_are_handed_out_is_fetched_again_and_not_committed(
    queue: Queue,
) -> None:
    batches = queue.batches()
    queue.put(1)
    await anext(batches)
    queue.put(1)
    coming = asyncio.ensure_future(anext(batches))
    await asyncio.sleep(0)  # it has taken one, and gathers
    queue.app.flow_control.suspend()
    queue.app.consumer_generation_id += 1
    queue.app.flow_control.resume()
    await asyncio.sleep(2 * WITHIN)
    queue.put(1)
    assert offsets(await coming) == [2]
    assert [one.message.acked for one in queue.put_in] == [False] * 3


async def test_faust_knows_when_events_of_a_partition_were_taken_last(queue: Queue) -> None:
    queue.put(2)
    before = monotonic()
    await anext(queue.batches())
    assert before <= queue.app.monitor.stream_inbound_time[TP(POSTS.name, 0)] <= monotonic()


async def test_faust_waits_for_what_was_taken_until_it_is_let_go_and_commits_no_further(queue: Queue) -> None:
    consumer: Any = queue.app.consumer
    queue.put(4)
    events = await anext(queue.batches())
    assert len(consumer.unacked) == 4
    let_go(events[:1] + events[2:])
    assert {message.offset for message in consumer.unacked} == {1}
    assert consumer._new_offset(TP(POSTS.name, 0)) == 1, "the first one that is not done with is read again"
    let_go(events[1:2])
    assert not consumer.unacked


@pytest.mark.parametrize("put_in", [0, 2])
async def test_ends_where_the_agent_is_stopped_and_leaves_the_rest_to_be_read_again(queue: Queue, put_in: int) -> None:
    batches = queue.batches()
    queue.put(1)
    await anext(batches)
    coming = asyncio.ensure_future(anext(batches, None))
    await asyncio.sleep(0)
    queue.put(put_in)
    queue.stop()
    assert await coming is None
    assert {message.offset for message in queue.app.consumer.unacked} == {0}

"""Faust's transport as it is mended: going back to what was committed, and handing messages over."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.transport import consumer as consumers
from faust.transport.drivers import aiokafka as driver
from mode import Service

from records import Signal
from streams.declaring import declare_topics
from streams.publisher import KafkaPublisher
from streams.settings import StreamSettings
from streams.topics import Topic
from streams.transport import Consumer, ConsumerThread, seek_to_committed
from vigie.broker import EmbeddedBroker

MakeSettings = Callable[..., StreamSettings]
RECORDS = 20


@pytest.fixture
async def written(broker: EmbeddedBroker, settings_for: MakeSettings) -> StreamSettings:
    """Provide two topics with twenty records each, one of them a table's."""
    settings = settings_for(broker.url, partitions=1)
    publisher = KafkaPublisher(settings)
    for name in ("dropped", "dropped-changelog"):
        await declare_topics(settings, [Topic(name=name, record=Signal)])
        await publisher.send_raw(name, [(b"key", str(number).encode()) for number in range(RECORDS)], partition=0)
    await publisher.stop()
    return settings


@asynccontextmanager
async def member(settings: StreamSettings, *topics: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=settings.bootstrap_servers,
        group_id=uuid4().hex,  # one that another test has left is not given out again for seconds
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


@pytest.mark.broker
async def test_what_was_dropped_before_the_first_commit_is_read_again(written: StreamSettings) -> None:
    async with member(written, "dropped") as consumer:
        assert (await consumer.getone()).offset == 0
        await consumer.seek_to_committed()
        assert (await consumer.getone()).offset == 1, "aiokafka goes back by itself now: remove streams/transport.py"
        await seek_to_committed(consumer)
        assert (await consumer.getone()).offset == 0


@pytest.mark.broker
async def test_what_was_committed_is_not_read_again(written: StreamSettings) -> None:
    async with member(written, "dropped") as consumer:
        tp = TopicPartition("dropped", 0)
        await consumer.getone()
        await consumer.commit({tp: 7})
        assert await seek_to_committed(consumer) == {tp: 7}
        assert (await consumer.getone()).offset == 7


@pytest.mark.broker
async def test_a_table_s_topic_stays_where_faust_has_put_it(written: StreamSettings) -> None:
    async with member(written, "dropped-changelog") as consumer:
        assert (await consumer.getone()).offset == 0
        await seek_to_committed(consumer)
        assert (await consumer.getone()).offset == 1


def test_faust_goes_back_by_this_method_of_its_thread() -> None:
    assert "self.seek_to_committed()" in inspect.getsource(consumers.Consumer.perform_seek)
    assert "perform_seek()" in inspect.getsource(consumers.Consumer.getmany)
    assert inspect.iscoroutinefunction(driver.AIOKafkaConsumerThread.seek_to_committed)
    assert ConsumerThread.seek_to_committed is not driver.AIOKafkaConsumerThread.seek_to_committed


class Waiting(Consumer):
    """A consumer, as far as it waits: without a broker, and not started."""

    def __init__(self) -> None:
        Service.__init__(self)


class Refused(Exception):
    """What a message ends with."""


@pytest.fixture(params=[Waiting, Service], ids=["ours", "mode's"])
async def waits(request: pytest.FixtureRequest) -> Any:
    """Provide what waits for the first of several, and what it was made from: both must do the same."""
    return request.param()


async def test_what_has_to_wait_is_waited_for(waits: Any) -> None:
    steps: list[str] = []
    opened = asyncio.Event()

    async def handed_over() -> str:
        steps.append("begun")
        await opened.wait()
        await asyncio.sleep(0)
        steps.append("done")
        return "value"

    waiting = asyncio.ensure_future(waits.wait_first(handed_over(), asyncio.Event().wait()))
    await asyncio.sleep(0.01)
    assert steps == ["begun"]
    opened.set()
    found = await waiting
    assert (found.results, found.stopped, steps) == (["value"], False, ["begun", "done"])


async def test_what_comes_first_lets_go_of_the_other(waits: Any) -> None:
    let_go = asyncio.Event()
    opened = asyncio.Event()

    async def handed_over() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            let_go.set()
            raise

    opened.set()
    assert (await waits.wait_first(handed_over(), opened.wait())).results == [True]
    await asyncio.wait_for(let_go.wait(), 10)


@pytest.mark.parametrize("waits_first", [False, True], ids=["at once", "later"])
async def test_what_is_raised_gets_out(waits: Any, waits_first: bool) -> None:
    async def handed_over() -> None:
        if waits_first:
            await asyncio.sleep(0.001)
        raise Refused

    with pytest.raises(Refused):
        await waits.wait_first(handed_over(), asyncio.Event().wait())


async def test_who_is_stopped_is_told_so(waits: Any) -> None:
    waits._stopped.set()
    assert (await waits.wait_first(asyncio.sleep(0), asyncio.Event().wait())).stopped


async def test_a_cancellation_reaches_what_waits(waits: Any) -> None:
    let_go = asyncio.Event()

    async def handed_over() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            let_go.set()

    waiting = asyncio.ensure_future(waits.wait_first(handed_over(), asyncio.Event().wait()))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
    await asyncio.wait_for(let_go.wait(), 10)


async def test_what_has_nothing_to_wait_for_needs_no_task() -> None:
    made: list[Any] = []
    loop = asyncio.get_running_loop()

    def counted(loop: Any, coro: Any, **given: Any) -> Any:
        made.append(coro)
        return asyncio.Task(coro, loop=loop, **given)

    async def handed_over() -> str:
        return "value"

    waits = Waiting()
    loop.set_task_factory(counted)
    found = await waits.wait_first(handed_over(), asyncio.Event().wait())
    assert (found.results, found.stopped, made) == (["value"], False, [])
    await super(Waiting, waits).wait_first(asyncio.sleep(0.001))
    assert made

"""A topic followed from where it was left: nothing twice on the same broker, and all of it on another."""

from collections.abc import Callable
from typing import Any

import pytest

from records import Signal
from streams import resuming
from streams.declaring import declare_topics
from streams.publisher import KafkaPublisher
from streams.resuming import Lying, Mark
from streams.settings import StreamSettings
from streams.topics import Topic
from tests.streams.following import found
from vigie.broker import EmbeddedBroker

pytestmark = pytest.mark.broker
MakeSettings = Callable[..., StreamSettings]
COUNT = 30


@pytest.fixture
async def topic(
    broker: EmbeddedBroker, settings_for: MakeSettings, request: pytest.FixtureRequest
) -> tuple[StreamSettings, Topic]:
    """Provide a topic of two partitions with thirty values."""
    settings = settings_for(broker.url, partitions=2)
    topic = Topic(name=f"resumed-{abs(hash(request.node.name))}", record=Signal)
    await declare_topics(settings, [topic])
    await send(settings, topic, range(COUNT))
    return settings, topic


async def send(settings: StreamSettings, topic: Topic, numbers: Any) -> None:
    publisher = KafkaPublisher(settings)
    for number in numbers:
        await publisher.send_raw(topic.name, [(b"key", f"value {number}".encode())], partition=number % 2)
    await publisher.stop()


def numbers(lying: list[Lying]) -> list[int]:
    return sorted(int((one.value or b"").split()[-1]) for one in lying)


def marks_of(lying: list[Lying]) -> dict[int, Mark]:
    return {one.partition: one.mark for one in sorted(lying, key=lambda one: one.offset)}


async def test_without_a_mark_all_is_read_and_may_have_been_read_before(topic: tuple[StreamSettings, Topic]) -> None:
    lying = await found(*topic, {})
    assert numbers(lying) == list(range(COUNT))
    assert all(one.is_anew for one in lying)


@pytest.mark.parametrize("cut", [1, 2, 13, COUNT])
async def test_it_goes_on_behind_what_was_read_last(topic: tuple[StreamSettings, Topic], cut: int) -> None:
    settings, its = topic
    whole = sorted(await found(settings, its, {}), key=lambda one: int((one.value or b"").split()[-1]))
    await send(settings, its, range(COUNT, COUNT + 4))
    rest = await found(settings, its, marks_of(whole[:cut]))
    assert numbers(rest) == list(range(cut, COUNT + 4))
    assert {one.partition for one in rest if one.is_anew} == {0, 1} - marks_of(whole[:cut]).keys()


async def test_a_topic_that_has_something_else_where_it_was_left_is_read_anew(
    topic: tuple[StreamSettings, Topic], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resuming, "LOOK_MS", 500)  # so long an offset beyond the end is waited for
    settings, its = topic
    marks = marks_of(await found(settings, its, {}))
    others = {0: Mark(marks[0].offset, "another"), 1: Mark(5_000, marks[1].digest)}
    lying = await found(settings, its, others)
    assert numbers(lying) == list(range(COUNT))
    assert all(one.is_anew for one in lying)

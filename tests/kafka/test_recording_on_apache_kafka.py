"""On Apache Kafka: a topic is followed on where it was left, and it shows what it has let go of meanwhile."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from streams.declaring import declare_topics
from streams.publisher import KafkaPublisher
from streams.resuming import Mark
from streams.settings import StreamSettings
from streams.topics import SIGNALS
from tests.streams.following import found

if TYPE_CHECKING:
    from tests.kafka.conftest import Kafka

pytestmark = pytest.mark.apache_kafka


@pytest.fixture
def settings(node: "Kafka", clean: Callable[[], None], tmp_path: Path) -> StreamSettings:
    clean()
    made = StreamSettings(kafka_url=node.url, data_dir=tmp_path, partitions=1)
    asyncio.run(declare_topics(made))
    return made


async def send(settings: StreamSettings, numbers: range) -> None:
    publisher = KafkaPublisher(settings)
    await publisher.send_raw(SIGNALS.name, [(b"key", f"{number}".encode()) for number in numbers])
    await publisher.stop()


async def let_go(settings: StreamSettings, before: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    await admin.start()
    await admin.delete_records({TopicPartition(SIGNALS.name, 0): RecordsToDelete(before_offset=before)})
    await admin.close()


@pytest.mark.parametrize(
    ("before", "is_anew", "first"),
    [
        pytest.param(0, False, 6, id="all is there"),
        pytest.param(5, False, 6, id="what was read last is there"),
        pytest.param(6, True, 6, id="what was read is gone, and nothing else"),
        pytest.param(9, True, 9, id="more is gone"),
    ],
)
async def test_it_goes_on_behind_what_was_read_or_where_the_topic_begins_now(
    before: int, is_anew: bool, first: int, settings: StreamSettings
) -> None:
    await send(settings, range(12))
    mark = (await found(settings, SIGNALS, {}))[5].mark
    await let_go(settings, before)
    lying = await found(settings, SIGNALS, {0: mark})
    assert [one.value for one in lying] == [f"{number}".encode() for number in range(first, 12)]
    assert {one.is_anew for one in lying} == {is_anew}
    assert all(one.at is not None for one in lying)


async def test_a_mark_beyond_the_end_is_of_another_broker(settings: StreamSettings) -> None:
    await send(settings, range(3))
    lying = await found(settings, SIGNALS, {0: Mark(7, "ab")})
    assert [(one.offset, one.is_anew) for one in lying] == [(0, True), (1, True), (2, True)]

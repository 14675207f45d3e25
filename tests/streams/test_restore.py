"""Restore: whose partition a state key is, and what a fresh broker is given back."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st
from rocksdict import Options, Rdict

from detectors.shelf import CHANGES, Shelf
from records import BrokenInvariant, ProfileChange
from records.signal import HAZARDS
from streams.declaring import declare_topics
from streams.publisher import KafkaPublisher
from streams.reader import consumer_of
from streams.restore import SAVED, carried, forget_saved, partition_of, restore_on_fresh_broker
from streams.settings import StreamSettings
from streams.state import DictState
from streams.topics import ALERTS, CLAIMS, DECISIONS, NOTIFICATIONS, changelog
from vigie.broker import EmbeddedBroker

MakeSettings = Callable[..., StreamSettings]
AREAS = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(
    st.sampled_from(HAZARDS), AREAS, st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.integers(1, 64)
)
def test_a_state_key_belongs_to_the_partition_that_its_signals_are_sent_to(
    hazard: str, area: str, rest: str, partitions: int
) -> None:
    signal_key = f"{hazard}/{area}"
    everyone = list(range(partitions))
    assert partition_of(f"{signal_key}/{rest}".encode(), partitions) == DefaultPartitioner()(
        signal_key.encode(), everyone, everyone
    )


@pytest.mark.parametrize("key", [b"", b"fire", b"fire/76"])
def test_a_state_key_that_is_nobody_s_breaks_an_invariant(key: bytes) -> None:
    with pytest.raises(BrokenInvariant, match="does not start with hazard/area/"):
        partition_of(key, 4)


def table_file(settings: StreamSettings, partition: int) -> Any:
    folder = settings.data_dir / "tables" / "v1"
    folder.mkdir(parents=True, exist_ok=True)
    return Rdict(str(folder / f"ledgers-{partition}.db"), options=Options(raw_mode=True))


async def on_changelog(settings: StreamSettings, *, keys: int = 3) -> dict[tuple[int, bytes], bytes]:
    """Return what stands on the changelog, by partition and key."""
    found: dict[tuple[int, bytes], bytes] = {}
    async with consumer_of(settings, changelog(settings.app_id)) as consumer:
        async with asyncio.timeout(30):
            while len(found) < keys:
                for messages in (await consumer.getmany(timeout_ms=100)).values():
                    found |= {(message.partition, message.key): message.value for message in messages}
    return found


@pytest.mark.broker
async def test_what_the_tables_held_stands_on_a_fresh_broker_s_changelog(
    broker: EmbeddedBroker, settings_for: MakeSettings
) -> None:
    settings = settings_for(broker.url, partitions=4, app_id="restored")
    owner = partition_of(b"fire/76/node", 4)
    here, next_door = table_file(settings, owner), table_file(settings, (owner + 1) % 4)
    here[b"fire/76/node"], here[b"fire/76/stat"] = b"1", b"2"
    here[b"__faust\0offset__"] = b"41"
    next_door[b"flood/14/node"], next_door[b"flood/14/stat"] = b"3", b"4"
    here.close()
    next_door.close()

    await declare_topics(settings)
    assert await restore_on_fresh_broker(settings) == 4
    found = await on_changelog(settings)
    expected = {b"fire/76/node": b"1", b"fire/76/stat": b"2", b"flood/14/node": b"3", b"flood/14/stat": b"4"}
    assert found == {(partition_of(key, 4), key): value for key, value in expected.items()}


@pytest.mark.broker
async def test_the_newest_profile_in_force_is_restored_for_every_partition(
    broker: EmbeddedBroker, settings_for: MakeSettings
) -> None:
    settings = settings_for(broker.url, partitions=4, app_id="restored-profile")
    kept = []
    for partition, minute in enumerate((1, 2)):  # the others have not heard of it yet
        shelf = Shelf(DictState())
        shelf.change_profile(back_at(minute))
        kept.append(shelf.changes()[CHANGES])
        table = table_file(settings, partition)
        table[CHANGES.encode()] = kept[-1]
        table.close()
    await declare_topics(settings)
    assert await restore_on_fresh_broker(settings) == 4
    found = await on_changelog(settings, keys=4)
    assert found == {(partition, CHANGES.encode()): kept[1] for partition in range(4)}


def back_at(minute: int) -> ProfileChange:
    return ProfileChange(
        change_id=f"c{minute}",
        name="",
        version="",
        toml="",
        proposed_by="analyste",
        approved_by="",
        decided_at=datetime(2012, 1, 30, 7, minute, tzinfo=UTC),
    )


@pytest.mark.broker
async def test_a_broker_that_dies_while_restoring_costs_nothing(
    broker: EmbeddedBroker, settings_for: MakeSettings
) -> None:
    settings = settings_for(broker.url, app_id="restored-twice")
    table = table_file(settings, 0)
    table[b"fire/76/node"] = b"1"
    table.close()
    await declare_topics(settings)
    assert await restore_on_fresh_broker(settings) == 1
    half_read_back = settings.data_dir / "tables"
    half_read_back.mkdir()
    await declare_topics(settings)
    assert await restore_on_fresh_broker(settings) == 1
    assert not half_read_back.exists()
    forget_saved(settings)
    assert not (settings.data_dir / SAVED).exists()
    await declare_topics(settings)
    assert await restore_on_fresh_broker(settings) == 0


def test_without_tables_there_is_nothing_to_restore(settings_for: MakeSettings, tmp_path: Path) -> None:
    assert asyncio.run(restore_on_fresh_broker(settings_for())) == 0
    assert not list(tmp_path.iterdir())


@pytest.mark.broker
async def test_what_people_must_not_lose_goes_to_the_next_broker_and_what_was_taken_away_does_not(
    settings_for: MakeSettings,
) -> None:
    with EmbeddedBroker() as broker:
        settings = settings_for(broker.url, partitions=1)
        await declare_topics(settings)
        publisher = KafkaPublisher(settings)
        pairs: list[tuple[bytes | None, bytes | None]] = [(b"a", b"1"), (b"a", b"2"), (b"gone", b"1"), (b"gone", None)]
        for topic in (ALERTS, CLAIMS, NOTIFICATIONS):
            await publisher.send_raw(topic.name, pairs, partition=0)
        await publisher.stop()
        kept = await carried(settings)
    assert kept == {
        ALERTS.name: [(b"a", b"2")],
        DECISIONS.name: [],
        NOTIFICATIONS.name: [(b"a", b"2")],
    }, "whose claims they are nobody would know"

"""Keys on partitions and workers, simulated: they are put where the program puts them, and the sums hold by hand."""

import asyncio
import inspect
import random
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from faust.assignor.client_assignment import CopartitionedAssignment
from faust.assignor.copartitioned_assignor import CopartitionedAssignor

from detectors.profile import Profile, load_profile
from models.places import shipped_gazetteer
from records import Tick
from streams.publisher import KafkaPublisher
from streams.restore import partition_of
from streams.settings import StreamSettings
from streams.topics import SIGNALS

FOLDER = Path(__file__).parent / "speed"
DOCS = Path(__file__).parents[2] / "docs"
KAFKAS_OWN = {"foobar": -790332482, "abc": 479470107, "a-little-bit-long-string": -985981536}
"""Murmur2 of Kafka's own test of it, org.apache.kafka.common.utils.UtilsTest."""


@pytest.fixture(scope="module")
def skew() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        yield import_module("skew")


@pytest.fixture(scope="module")
def profile() -> Profile:
    return load_profile("world", None)


@pytest.fixture(scope="module")
def watched(skew: Any) -> Any:
    return skew.scopes(shipped_gazetteer())


@pytest.fixture(scope="module")
def france(skew: Any, watched: Any, profile: Profile) -> dict[str, float]:
    found: dict[str, float] = skew.ordinary_shares(watched[0].populations, profile)
    return found


class Batch:
    def __init__(self) -> None:
        self.keys: list[str] = []

    def append(self, *, key: bytes, value: bytes, timestamp: None) -> bool:
        self.keys.append(key.decode())
        return True

    def close(self) -> None:
        pass


class Broker:
    """Takes what a publisher hands over, as an aiokafka producer does."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self.taken: dict[str, int] = {}

    async def partitions_for(self, topic: str) -> set[int]:
        return set(range(self.partitions))

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> asyncio.Future[None]:
        self.taken.update(dict.fromkeys(batch.keys, partition))
        receipt = asyncio.get_running_loop().create_future()
        receipt.set_result(None)
        return receipt


@pytest.mark.parametrize("partitions", [4, 16, 64])
async def test_a_key_is_put_where_our_publisher_puts_it(
    skew: Any, france: dict[str, float], partitions: int, tmp_path: Path
) -> None:
    broker = Broker(partitions)
    publisher = KafkaPublisher(StreamSettings(kafka_url="kafka://nowhere", data_dir=tmp_path, partitions=partitions))
    publisher._producer = broker
    await publisher.send_raw(SIGNALS.name, ((key.encode(), b"") for key in france))
    assert broker.taken == {key: skew.partition_of(key, partitions) for key in france}
    assert broker.taken == {key: partition_of(f"{key}/head".encode(), partitions) for key in france}


def test_single_records_are_put_by_the_same_partitioner() -> None:
    assert isinstance(inspect.signature(AIOKafkaProducer).parameters["partitioner"].default, DefaultPartitioner)


@pytest.mark.parametrize("key", KAFKAS_OWN)
def test_the_partitioner_is_that_of_kafka(skew: Any, key: str) -> None:
    assert skew.partition_of(key, 64) == (KAFKAS_OWN[key] & 0x7FFFFFFF) % 64


def test_keys_are_those_of_records(france: dict[str, float]) -> None:
    gazetteer = shipped_gazetteer()
    le_havre = gazetteer.home_place("76351")
    assert Tick(hazard="fire", area=le_havre.area, at=datetime(2026, 3, 2, tzinfo=UTC)).key in france
    assert {key.split("/")[1] for key in france} == set(gazetteer.region_of_dep)


def test_an_ordinary_day_is_shared_by_people_and_hazards(skew: Any, profile: Profile) -> None:
    shares = skew.ordinary_shares({"A": 300, "B": 100}, profile)  # fire, flood, industrial: 4, 4 and 2 posts a week
    assert shares == pytest.approx(
        {"fire/A": 0.3, "flood/A": 0.3, "industrial/A": 0.15, "fire/B": 0.1, "flood/B": 0.1, "industrial/B": 0.05}
    )


@pytest.mark.parametrize("scope", [0, 1, 2])
def test_shares_of_keys_partitions_and_crises_are_whole(skew: Any, watched: Any, profile: Profile, scope: int) -> None:
    shares = skew.ordinary_shares(watched[scope].populations, profile)
    assert sum(shares.values()) == pytest.approx(1.0)
    ordinary = skew.by_partition(shares, 16)
    assert ordinary.sum() == pytest.approx(1.0)
    assert skew.burning(ordinary, 3, 0.6).sum() == pytest.approx(1.0)


def test_france_lies_in_europe_and_that_in_the_world(watched: Any) -> None:
    france, europe, world = (one.populations for one in watched)
    assert len(france) == 101
    assert france.items() <= europe.items() <= world.items()
    assert {"GB-ENG", "DE-05"} <= set(europe) - set(france)
    assert "US-TX" in set(world) - set(europe)
    assert watched[0].nodes < watched[1].nodes < watched[2].nodes


@pytest.mark.parametrize("share", [0.0, 0.6, 0.9])
def test_more_partitions_never_make_the_busiest_one_busier_and_never_part_a_key(
    skew: Any, france: dict[str, float], share: float
) -> None:
    """Four times as many partitions part each one: the key's hash is divided by powers of two."""
    key = "fire/76"
    found = [
        skew.burning(skew.by_partition(france, number), skew.partition_of(key, number), share).max()
        for number in (4, 16, 64, 1024)
    ]
    assert found == sorted(found, reverse=True)
    assert found[-1] >= share + (1.0 - share) * france[key]


def test_a_key_that_burns_adds_its_share_to_its_own_partition_alone(skew: Any) -> None:
    assert skew.burning(np.array([0.5, 0.3, 0.2]), 1, 0.6) == pytest.approx([0.2, 0.72, 0.08])


@pytest.mark.parametrize(("partitions", "workers"), [(4, 8), (16, 1), (16, 3), (16, 8), (64, 4)])
def test_partitions_are_dealt_in_numbers_as_fausts_assignor_deals_them(
    skew: Any, partitions: int, workers: int
) -> None:
    """Where the numbers do not divide, whoever joins last may get fewer; the most that one has is the same."""
    clients: dict[str, CopartitionedAssignment] = {}
    for number in range(workers):  # one joins after the other, and what the others have is kept where it can be
        clients[f"worker {number}"] = CopartitionedAssignment(topics={SIGNALS.name})
        CopartitionedAssignor({SIGNALS.name}, clients, partitions, replicas=0).get_assignment()
    theirs = [len(one.actives) for one in clients.values() if one.actives]
    owners = skew.dealt(partitions, workers, random.Random(1))  # noqa: S311  no secret
    ours = Counter(owners.tolist()).values()
    assert (max(ours), len(ours), sum(ours)) == (max(theirs), len(theirs), sum(theirs))


def test_the_busiest_worker_is_full_first_by_hand(skew: Any) -> None:
    each = skew.Costs(read=1000.0, placed=800.0, decided=400.0)
    signals, owners = np.array([0.1, 0.6, 0.1, 0.2]), np.array([0, 0, 1, 1])
    found = skew.filled(signals, owners, each)  # 0.5 * 800 + 0.7 * 400 = 680 us a post, a reader's 500
    assert found == pytest.approx((0.7, 1e6 / 680, 500 / 680))
    dear = skew.filled(signals, owners, each._replace(read=2000.0))  # now the readers are full, both
    assert dear == pytest.approx((0.7, 1000.0, 1.0))
    assert skew.key_posts_per_sec(0.5, each) == pytest.approx(5000.0)


def test_a_worker_that_stands_idle_counts_for_nothing(skew: Any, france: dict[str, float]) -> None:
    ordinary = skew.by_partition(france, 4)
    assert skew.drawn(france, ordinary, 8, 0.0) == skew.drawn(france, ordinary, 4, 0.0)


def test_the_same_is_drawn_each_time_and_a_crisis_carries_less(skew: Any, france: dict[str, float]) -> None:
    ordinary = skew.by_partition(france, 16)
    found = [skew.drawn(france, ordinary, 4, share) for share in (0.0, 0.6, 0.9)]
    assert found == [skew.drawn(france, ordinary, 4, share) for share in (0.0, 0.6, 0.9)]
    assert found[0].posts_per_sec > found[1].posts_per_sec > found[2].posts_per_sec
    assert found[2].posts_per_sec < skew.key_posts_per_sec(0.9)


def test_the_costs_are_those_of_the_page_on_performance(skew: Any) -> None:
    page = (DOCS / "performance.md").read_text(encoding="utf-8")
    told = {
        process: re.findall(r"[\d.]+", rest) for process, rest in re.findall(r"^\| ([a-z ]+) \| (\d.*)$", page, re.M)
    }
    worker, placing, deciding = map(float, told["worker"])
    reader, _ = map(float, told["the process that reads for it"])
    assert (worker, placing, deciding, reader) == (skew.WORKER_US, skew.PLACING_US, skew.DECIDING_US, skew.READER_US)
    assert sum(skew.costs(0.3)[1:]) == pytest.approx(worker / 0.03)


def test_a_signal_of_a_flood_is_held_four_times_as_long(skew: Any, profile: Profile) -> None:
    fire, flood = skew.remembered("fire", profile), skew.remembered("flood", profile)
    assert (fire, flood) == (16.5 * 3600, 66 * 3600)
    assert skew.held(1.0, profile) == pytest.approx(0.6 * fire + 0.4 * flood)


def test_the_page_on_scaling_shows_what_is_simulated(skew: Any, watched: Any, profile: Profile) -> None:
    page = (DOCS / "scaling.md").read_text(encoding="utf-8")
    shown = [line for line in page.splitlines() if re.match(r"\| (France|Europe|world) \|", line)]
    simulated = "\n".join(
        [part(watched, profile) for part in (skew.partitions_table, skew.workers_table, skew.state_table)]
    )
    assert len(shown) > 10
    assert [line for line in shown if line not in simulated.splitlines()] == []

"""On Apache Kafka: workers join and leave, again and again, in the middle of a burst: nothing lost, nobody told twice.

Posts lie on one partition, so that they are read in one order; what comes of them is spread over four, and moves with
them from worker to worker, each of which has a data folder and an outbox of its own.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from connectors.sinks.webhook import webhook_id_of
from records import Post
from streams.publisher import KafkaPublisher
from streams.topics import DEAD_LETTERS, POSTS
from tests.survival.burst import Kept, differences, soon
from tests.survival.stage import Stage, wait_until

if TYPE_CHECKING:
    from tests.kafka.conftest import Kafka

pytestmark = [pytest.mark.apache_kafka, pytest.mark.timeout(420)]
PARTITIONS, WORKERS = 4, 3
KILLED = 0.25
"""So many of those who leave are killed."""
FEW, MANY = 4, 16
"""The burst comes in so many parts, and after each of them somebody joins or leaves."""
Revisions = dict[tuple[str, int], bytes]


class Workers:
    """Some workers on one Kafka, each with a folder, receivers and an outbox of its own."""

    def __init__(self, folder: Path, kafka_url: str, number: int) -> None:
        self.stages = []
        for one in range(number):
            (folder / str(one)).mkdir()
            self.stages.append(Stage(folder / str(one), kafka_url=kafka_url, is_embedded=False, partitions=PARTITIONS))
        self.members = [Kept(stage.worker) for stage in self.stages]
        self.kills = 0

    def look(self) -> None:
        for member in self.members:
            member.look()

    def wait_until(self, what: str, is_so: Callable[[], Any]) -> None:
        def is_so_now() -> Any:
            self.look()
            return is_so()

        wait_until(what, is_so_now, look_secs=0.2)

    def someone_joins_or_leaves(self, chance: random.Random) -> str:
        """Have a worker start, end or be killed, one that reads being left; return what happened."""
        number = chance.randrange(len(self.members))
        member = self.members[number]
        if member.is_done:
            member.start()
            self.wait_until("it is ready", lambda: member.is_ready)
            return f"{number} joins"
        if sum(not one.is_done for one in self.members) == 1:
            return self.someone_joins_or_leaves(chance)
        if chance.random() < KILLED:
            self.kills += 1
            member.kill()
            return f"{number} is killed"
        member.child.stop()
        assert member.child.poll() == 0, self.stages[number].worker.log[-2000:]
        member.look()
        return f"{number} leaves"

    def publish(self, posts: Sequence[Post]) -> None:
        async def send() -> None:
            publisher = KafkaPublisher(self.stages[0].streams)
            try:
                await publisher.posts_in_order(posts)
            finally:
                await publisher.stop()

        asyncio.run(send())

    def told(self) -> Counter[str]:
        return Counter(webhook_id for stage in self.stages for webhook_id, _, _ in stage.receiver.told)

    def lines(self) -> Counter[tuple[str, int]]:
        return Counter(line for stage in self.stages for line in stage.lines())

    def close(self) -> None:
        for stage in self.stages:
            stage.close()


@pytest.fixture
def workers(node: "Kafka", clean: Callable[[], None], tmp_path: Path) -> Iterator[Workers]:
    clean()
    made = Workers(tmp_path, node.url, WORKERS)
    yield made
    made.close()


@pytest.mark.parametrize(
    "parts",
    [pytest.param(FEW, id="few"), pytest.param(MANY, id="many", marks=[pytest.mark.long, pytest.mark.timeout(0)])],
)
def test_whoever_joins_or_leaves_the_incidents_are_the_same_and_each_is_told_once(
    workers: Workers, posts: tuple[Post, ...], undisturbed: Revisions, parts: int
) -> None:
    chance = random.Random(4)  # noqa: S311  who joins and who leaves, the same each time
    stage, size = workers.stages[0], -(-len(posts) // parts)
    workers.members[0].start()
    workers.wait_until("the first is ready", lambda: workers.members[0].is_ready)
    first = workers.members[0].ready_secs[0]
    for start in range(0, len(posts), size):
        workers.publish(posts[start : start + size])
        workers.wait_until("it reads", lambda: stage.waiting()[POSTS.name] < size * 3 // 4)
        print(workers.someone_joins_or_leaves(chance), flush=True)  # noqa: T201  with pytest -s
    for member in workers.members:
        if member.is_done:
            member.start()
    workers.wait_until("all is read", lambda: not any(stage.waiting().values()))
    wanted = {webhook_id_of(alert): (alert.incident_id, alert.revision) for alert in stage.to_be_told()}
    workers.wait_until("all is told", lambda: wanted.keys() <= workers.told().keys())
    workers.wait_until("all is written", lambda: set(wanted.values()) <= workers.lines().keys())

    assert not differences(stage.revisions(), undisturbed)
    assert not stage.values(DEAD_LETTERS)
    told, lines = workers.told(), workers.lines()
    print(f"{workers.kills} kills, told {told.total()}, written {lines.total()}, wanted {len(wanted)}")  # noqa: T201
    assert set(told) == set(wanted)
    assert set(lines) == set(wanted.values())
    assert max(secs for member in workers.members for secs in member.ready_secs) < soon(first)
    assert max(told.total(), lines.total()) <= len(wanted) + workers.kills, (
        "one repeat a kill at most, under the same id"
    )

"""On Apache Kafka: a worker killed in mid-stream, and the broker itself; nothing is lost and nobody is told twice."""

import random
import signal
from typing import TYPE_CHECKING

import pytest

from records import Post
from streams.topics import POSTS
from vigie.supervisor import Watched

if TYPE_CHECKING:
    from tests.kafka.conftest import Kafka
    from tests.survival.stage import Stage

pytestmark = pytest.mark.apache_kafka
Revisions = dict[tuple[str, int], bytes]


@pytest.mark.long  # the storm, which is in every run, kills workers as well
def test_a_worker_killed_in_mid_stream_leaves_the_same_incidents_and_each_is_told_once(
    stage: "Stage", posts: tuple[Post, ...], undisturbed: Revisions
) -> None:
    chance = random.Random(20120131)  # noqa: S311  where to strike, the same each time
    stage.worker.start()
    stage.wait_until_ready()
    stage.kill_while_reading(posts, handled=chance.randrange(130, 260))
    stage.worker.start()
    stage.wait_until_drained()
    stage.assert_as_undisturbed(undisturbed, kills=1)
    assert stage.stop_worker() == 0


def test_a_broker_killed_in_mid_stream_and_started_again_on_its_data_loses_nothing(
    node: "Kafka", stage: "Stage", posts: tuple[Post, ...], undisturbed: Revisions
) -> None:
    chance = random.Random(20120201)  # noqa: S311  where to strike, the same each time
    cut = chance.randrange(200, 300)
    supervised = Watched(stage.worker)
    supervised.start()
    stage.wait_until_ready()
    stage.publish(posts[:cut])
    stage.wait_until("some posts are handled", lambda: stage.handled(POSTS) >= chance.randrange(60, 130))
    node.end(signal.SIGKILL)
    node.start()
    stage.publish(posts[cut:])
    stage.wait_until_drained(meanwhile=supervised.look)
    stage.assert_as_undisturbed(undisturbed, kills=supervised.failures)

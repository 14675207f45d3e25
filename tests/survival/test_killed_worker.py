"""A worker killed in mid-stream, again and again: nothing is lost, nothing invented, and nobody is told twice."""

import random
from typing import TYPE_CHECKING

import pytest

from records import Post

if TYPE_CHECKING:
    from tests.survival.stage import Stage

# A burst with poison on all topics, which is in every run, kills it as well.
pytestmark = [pytest.mark.broker, pytest.mark.long]


def test_the_same_incidents_as_if_nobody_had_been_killed_and_each_told_once(
    stage: "Stage", posts: tuple[Post, ...], undisturbed: dict[tuple[str, int], bytes]
) -> None:
    chance = random.Random(20120130)  # noqa: S311  where to strike, the same each time
    cut = chance.randrange(200, 300)
    stage.worker.start()
    stage.wait_until_ready()
    stage.kill_while_reading(posts[:cut], handled=chance.randrange(60, 130))
    stage.kill_while_telling(posts[cut:], told=chance.randrange(2, 6))
    stage.lose_table_files()
    stage.worker.is_slow = True  # what is fetched before it is ready must not be lost either
    stage.worker.start()
    stage.wait_until_drained()
    stage.assert_as_undisturbed(undisturbed, kills=2)
    assert stage.stop_worker() == 0

"""Edge, worker, reader and console killed at random points of a burst, the broker being there: nothing lost or twice.

By turns the worker is the one that ships, whose incidents must end as they should, and one that decides the same
however things come in batches, whose revisions must be the same to the last byte.
"""

import random
from pathlib import Path

import pytest

from tests.survival.burst import Burst, Came, strike, summary
from vigie.broker import EmbeddedBroker

# A burst with poison on all topics is in every run.
pytestmark = [pytest.mark.broker, pytest.mark.long]
SEED = 20120130


def round_of(chance: random.Random, folder: Path, *, is_exact: bool) -> Came:
    folder.mkdir()
    with EmbeddedBroker() as broker:
        burst = Burst(folder, kafka_url=broker.url, is_embedded=True, is_exact=is_exact)
        try:
            burst.start()
            strike(burst, chance)
            burst.wait_until_done()
            return burst.assert_sound()
        finally:
            burst.close()


def rounds_of(number: int, folder: Path) -> list[Came]:
    chance = random.Random(SEED)  # noqa: S311  whom to strike when, the same each time
    came = []
    for one in range(number):
        came.append(round_of(chance, folder / str(one), is_exact=one % 2 == 1))
        print(f"round {one + 1}: {came[-1]}", flush=True)  # noqa: T201  with pytest -s
    return came


@pytest.mark.timeout(0)
def test_whoever_is_killed_and_whenever_nothing_is_lost_and_nobody_is_told_twice(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    came = rounds_of(request.config.getoption("rounds"), tmp_path)
    print(summary(came))  # noqa: T201  with pytest -s
    assert all(one.is_soon for one in came)

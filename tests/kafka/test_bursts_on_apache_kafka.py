"""On Apache Kafka: a burst in which everything is killed once, or the broker is away for long: none lost or twice."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.survival.burst import Burst, Came, strike, summary

if TYPE_CHECKING:
    from tests.kafka.conftest import Kafka

pytestmark = [pytest.mark.apache_kafka, pytest.mark.long]
SEED = 20120131
SHORT_SECS, LONG_SECS = 20.0, 120.0


@contextmanager
def burst_on(node: "Kafka", clean: Callable[[], None], folder: Path, *, is_exact: bool = True) -> Iterator[Burst]:
    clean()
    folder.mkdir(exist_ok=True)
    burst = Burst(folder, kafka_url=node.url, is_embedded=False, is_exact=is_exact)
    try:
        burst.start()
        yield burst
    finally:
        burst.close()


def rounds_of(number: int, node: "Kafka", clean: Callable[[], None], folder: Path) -> list[Came]:
    chance = random.Random(SEED)  # noqa: S311  whom to strike when, the same each time
    came = []
    for one in range(number):
        with burst_on(node, clean, folder / str(one), is_exact=one % 2 == 0) as burst:  # else the worker that ships
            strike(burst, chance, partial(strike_broker, node, burst))
            burst.wait_until_done()
            came.append(burst.assert_sound())
            print(f"round {one + 1}: {came[-1]}", flush=True)  # noqa: T201  with pytest -s
    return came


def strike_broker(node: "Kafka", burst: Burst) -> None:
    node.end(signal.SIGKILL)
    node.start()
    burst.kept["worker"].excuse()


@pytest.mark.timeout(0)
def test_whoever_is_killed_and_whenever_nothing_is_lost_and_nobody_is_told_twice(
    node: "Kafka", clean: Callable[[], None], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    came = rounds_of(request.config.getoption("rounds"), node, clean, tmp_path)
    print(summary(came))  # noqa: T201  with pytest -s
    assert all(one.is_soon for one in came)


@pytest.mark.parametrize("secs", [pytest.param(SHORT_SECS, id="short"), pytest.param(LONG_SECS, id="two minutes")])
def test_a_broker_that_was_away_finds_all_of_us_again(
    node: "Kafka", clean: Callable[[], None], tmp_path: Path, secs: float
) -> None:
    with burst_on(node, clean, tmp_path) as burst:
        node.end(signal.SIGTERM)
        time.sleep(secs)
        node.start()
        burst.kept["worker"].excuse()
        began = time.monotonic()
        burst.wait_until_done()
        came = burst.assert_sound()
        print(came, f"all done {time.monotonic() - began:.0f} s after it was back")  # noqa: T201  with pytest -s
        assert came.is_soon

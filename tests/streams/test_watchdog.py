"""The watchdog: a worker that stands still for long ends, with a status that has it started again; no other does."""

from collections.abc import Callable
from typing import Any

from faust.types import TP

from streams.health import Health
from streams.watchdog import STILL_STATUS, watch

PATIENCE_SECS = 30.0


class Frozen:
    """A clock that is moved by hand."""

    at = 0.0

    def __call__(self) -> float:
        return self.at


def test_a_worker_that_stands_still_ends_and_not_with_status_0() -> None:
    clock, ended = Frozen(), list[int]()
    health = Health(stall_secs=60, monotonic=clock)
    health.saw(lag=3, committed=7)
    clock.at = 61
    watch(health, look_secs=0.01, grace_secs=0.05, end=ended.append).join(PATIENCE_SECS)
    assert ended == [STILL_STATUS]


def test_a_worker_that_moves_again_within_the_grace_is_left_alone() -> None:
    clock, ended = Frozen(), list[int]()
    health = Health(stall_secs=60, monotonic=clock)
    health.saw(lag=3, committed=7)
    clock.at = 61
    watching = watch(health, look_secs=0.01, grace_secs=2.0, end=ended.append)
    health.saw(lag=3, committed=8)
    watching.join(2.5)
    assert (watching.is_alive(), ended) == (True, [])


def test_a_worker_that_froze_while_nothing_waited_ends_too(app_with: Callable[..., Any]) -> None:
    clock, ended = Frozen(), list[int]()
    health = Health(stall_secs=60, monotonic=clock)
    health.look(app_with({TP("posts.v1", 0): 4}, {TP("posts.v1", 0): 4}))
    assert (health.lag, health.why_unhealthy()) == (0, None)
    clock.at = 61
    assert health.still_secs() == 61
    watch(health, look_secs=0.01, grace_secs=0.05, end=ended.append).join(PATIENCE_SECS)
    assert ended == [STILL_STATUS]

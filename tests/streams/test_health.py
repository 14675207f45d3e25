"""Health: a worker stands still when something waits and nothing moves; never merely because it is quiet."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from faust.types import TP

from streams.health import Health, serve
from vigie.broker import free_port

STALL_SECS = 60.0


class Seconds:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def health(seconds: Seconds) -> Health:
    return Health(stall_secs=STALL_SECS, monotonic=seconds)


@pytest.mark.parametrize(
    ("looks", "is_well"),
    [
        pytest.param([(0, 0, 7)] * 200, True, id="nothing waits, nothing moves: a quiet night"),
        pytest.param([(1, 5, 7)] * 59, True, id="something waits, not yet for long"),
        pytest.param([(1, 5, 7)] * 62, False, id="something waits and nothing moves"),
        pytest.param([(1, 5, at) for at in range(200)], True, id="always behind, but moving"),
        pytest.param([(1, 5, 7)] * 62 + [(1, 5, 8)], True, id="moving again"),
        pytest.param([(1, 5, 7)] * 62 + [(1, 0, 7)], True, id="nothing waits any more"),
        pytest.param([(1, 5, 7)] * 40 + [(1, 0, 7)] + [(1, 5, 7)] * 40, True, id="each stay is short"),
    ],
)
def test_why_unhealthy(looks: list[tuple[int, int, int]], is_well: bool, health: Health, seconds: Seconds) -> None:
    for passed, lag, committed in looks:
        seconds.at += passed
        health.saw(lag=lag, committed=committed)
    assert (health.why_unhealthy() is None) == is_well


def test_handling_a_batch_counts_as_moving_before_its_commit(
    health: Health, seconds: Seconds, event: Callable[..., Any]
) -> None:
    health.saw(lag=5, committed=7)
    seconds.at += STALL_SECS
    health.moved("posts.v1", [event(offset=offset) for offset in range(64)])
    seconds.at += STALL_SECS
    assert health.why_unhealthy() is None
    assert health.handled == {"posts.v1": 64}
    seconds.at += 1
    assert health.why_unhealthy() == "5 records wait and nothing was committed for 61 s"


def test_lag_is_summed_over_our_topics_and_partitions_only(health: Health, app_with: Callable[..., Any]) -> None:
    posts, signals, changelog = TP("posts.v1", 0), TP("signals.v1", 1), TP("vigie-ledgers-changelog", 0)
    health.look(app_with({posts: 10, signals: 5, changelog: 99}, {posts: 4, signals: None, changelog: 0}))
    assert (health.lag, health.is_ready) == (11, True)


def test_what_was_handled_does_not_wait_although_its_commit_does(
    health: Health, app_with: Callable[..., Any], event: Callable[..., Any]
) -> None:
    """Faust's commits may stop for good behind a gap: the worker is then started again, but nothing is undecided."""
    app = app_with({TP("posts.v1", 0): 10, TP("posts.v1", 1): 5}, {TP("posts.v1", 0): 4, TP("posts.v1", 1): 5})
    health.look(app)
    assert (health.lag, health.waiting) == (6, 6)
    health.moved("posts.v1", [event(offset=offset) for offset in range(4, 9)])
    health.look(app)
    assert (health.lag, health.waiting) == (6, 1)
    assert health.page()[1]["waiting"] == 1


@pytest.mark.parametrize(
    ("highwaters", "rebalancing"), [({}, False), ({TP("posts.v1", 0): 0}, True)], ids=["unassigned", "rebalancing"]
)
def test_is_not_ready_while(
    highwaters: dict[TP, int], rebalancing: bool, health: Health, app_with: Callable[..., Any]
) -> None:
    health.look(app_with(highwaters, {}, rebalancing=rebalancing))
    assert not health.is_ready


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_page_answers_503_when_it_stands_still_and_says_why(health: Health, seconds: Seconds) -> None:
    port = free_port()
    serve(health, "127.0.0.1", port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
        assert json.load(answer) == {
            "ready": False,
            "lag": 0,
            "waiting": 0,
            "profile": "",
            "model": "",
            "lacking": "",
            "handled": {},
            "sent": {},
            "wrong": None,
        }
    health.saw(lag=3, committed=0)
    seconds.at += STALL_SECS + 1
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10)
    with caught.value as refused:
        assert refused.code == 503
        assert json.load(refused)["wrong"] == "3 records wait and nothing was committed for 61 s"
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        assert b"vigie_progress_age_seconds" in answer.read()

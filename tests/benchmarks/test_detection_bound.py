"""The exact bound that detection is measured against: against a simulation of the CUSUM itself, and by hand."""

import math
import runpy
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

TRIALS = 20_000


@pytest.fixture(scope="module")
def bound() -> dict[str, Any]:
    return runpy.run_path(str(Path(__file__).parent / "detection" / "bound.py"))


def simulated(barrier: float, ratio: float, rate: float) -> tuple[float, float]:
    """Run many CUSUMs up to their alarm; return the mean time in usual posts, and its standard error."""
    rng = np.random.default_rng(2012)
    speed = (ratio - 1.0) / math.log(ratio)
    height, time, running = np.zeros(TRIALS), np.zeros(TRIALS), np.ones(TRIALS, bool)
    while running.any():
        silence = rng.exponential(1.0 / rate, TRIALS)
        time[running] += silence[running]
        height = np.maximum(height - speed * silence, 0.0) + 1.0
        running &= height < barrier
    return float(time.mean()), float(time.std() / math.sqrt(TRIALS))


@pytest.mark.parametrize(
    ("ratio", "barrier"),
    [
        pytest.param(20.0, 2.7, id="a jump by 20"),
        pytest.param(5.0, 4.2, id="a small jump, many posts"),
        pytest.param(100.0, 1.5, id="a large jump, two posts"),
    ],
)
@pytest.mark.parametrize("is_event", [False, True])
def test_the_closed_form_is_what_a_cusum_does(
    ratio: float, barrier: float, is_event: bool, bound: dict[str, Any]
) -> None:
    rate = ratio if is_event else 1.0
    exact = float(bound["mean_passage"](Decimal(barrier), Decimal(rate), (Decimal(ratio) - 1) / Decimal(ratio).ln()))
    mean, error = simulated(barrier, ratio, rate)
    assert abs(mean - exact) < 4.0 * error


@pytest.mark.parametrize("rate", [1, 20])
def test_a_barrier_below_one_post_falls_with_the_first(rate: int, bound: dict[str, Any]) -> None:
    assert float(bound["mean_passage"](Decimal("0.7"), Decimal(rate), Decimal(6))) == pytest.approx(1 / rate)


def test_the_bound_meets_the_false_alarms_it_was_given(bound: dict[str, Any]) -> None:
    speed = Decimal(19) / Decimal(20).ln()
    gamma = bound["mean_passage"](Decimal("2.7"), Decimal(1), speed)
    delay = float(20 * bound["mean_passage"](Decimal("2.7"), Decimal(20), speed))
    assert bound["posts_needed"](20.0, float(gamma)) == pytest.approx(delay, rel=1e-9)


def test_a_budget_a_thousand_times_smaller_costs_few_posts(bound: dict[str, Any]) -> None:
    posts = [bound["posts_needed"](20.0, gamma) for gamma in (1e2, 1e5)]
    assert posts[1] - posts[0] == pytest.approx(bound["first_order"](20.0, 1e3), rel=0.05)


@pytest.mark.parametrize(("ratio", "gamma"), [(1.0, 10.0), (20.0, 1.0)])
def test_no_jump_or_no_patience_is_refused(ratio: float, gamma: float, bound: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="above 1"):
        bound["posts_needed"](ratio, gamma)

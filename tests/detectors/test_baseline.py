"""What is usual: believed first, learned later, never from an incident."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.baseline import Baseline, busier, counted, counted_weak, frozen, rolled, thawed

MINUTE = 60_000_000
DAY = 1440 * MINUTE
PRIOR = 0.001


def counted_often(baseline: Baseline, posts: int) -> Baseline:
    for _ in range(posts):
        baseline = counted(baseline)
    return baseline


def after_days(posts_a_day: list[int]) -> Baseline:
    baseline = Baseline(day_at=0)
    for day, posts in enumerate(posts_a_day):
        baseline = counted_often(rolled(baseline, day * DAY, patience=DAY), posts)
    return rolled(baseline, len(posts_a_day) * DAY, patience=DAY)


def test_today_is_not_yet_part_of_the_level() -> None:
    assert after_days([0, 1000]).level(PRIOR) == pytest.approx(PRIOR, rel=0.2)


def test_learns_what_is_usual_within_weeks() -> None:
    assert after_days([20] * 60).level(PRIOR) * 1440 == pytest.approx(20, rel=0.35)
    assert after_days([0] * 60).level(PRIOR) < PRIOR / 2


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(2, 400))
def test_a_gap_of_days_is_the_same_as_so_many_empty_days(posts: list[int], gap: int) -> None:
    stepwise, at_once = after_days([*posts, *[0] * gap]), after_days(posts)
    at_once = rolled(at_once, (len(posts) + gap) * DAY, patience=DAY)
    assert at_once.level(PRIOR) == pytest.approx(stepwise.level(PRIOR), rel=1e-9)


def test_an_incident_is_not_learned() -> None:
    baseline, quiet = after_days([5] * 30), after_days([5] * 30)
    baseline = frozen(counted_often(baseline, 7), 30 * DAY + DAY // 2, posts=7)
    baseline = rolled(counted_often(baseline, 10_000), 33 * DAY, patience=8 * DAY)
    baseline = rolled(thawed(baseline, 33 * DAY), 33 * DAY + DAY // 2, patience=8 * DAY)
    assert baseline.level(PRIOR) == rolled(quiet, 31 * DAY, patience=DAY).level(PRIOR)


def test_two_incidents_of_a_branch_must_both_be_over_before_it_learns_again() -> None:
    baseline = frozen(frozen(Baseline(day_at=0), 0, posts=0), DAY, posts=0)
    assert thawed(baseline, 2 * DAY).is_frozen
    learning = thawed(thawed(baseline, 2 * DAY), 3 * DAY)
    assert not learning.is_frozen
    assert learning.day_at == 3 * DAY


def test_what_outlasts_our_patience_is_learned() -> None:
    baseline = after_days([5] * 30)
    before = baseline.level(PRIOR)
    baseline = frozen(baseline, 30 * DAY, posts=0)
    for day in range(30, 40):
        baseline = counted_often(rolled(baseline, day * DAY, patience=2 * DAY), 500)
    assert baseline.level(PRIOR) > 5 * before


def test_a_level_that_is_wrong_by_far_is_noticed_within_a_day() -> None:
    baseline = Baseline(day_at=0)
    for post in range(240):
        baseline = counted_weak(baseline, post * DAY // 240)
    assert busier(baseline, DAY, weak_rate=0.8 / 1440, shape=1.0) > 100


def test_weak_posts_raise_what_is_expected_and_only_for_a_while() -> None:
    baseline = Baseline(day_at=0)
    for minute in range(30):
        baseline = counted_weak(baseline, minute * MINUTE)
    assert busier(baseline, 30 * MINUTE, weak_rate=0.8 * PRIOR, shape=1.0) > 8
    assert busier(baseline, 20 * DAY, weak_rate=0.8 * PRIOR, shape=1.0) == pytest.approx(1.0)


def test_fewer_weak_posts_than_usual_do_not_make_a_post_weigh_more() -> None:
    assert busier(Baseline(day_at=0), DAY, weak_rate=8.0, shape=1.0) == 1.0

"""What is usual: believed first, learned later, never from an incident."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.baseline import SHAPE, Baseline, shape_at

MINUTE = 60_000_000
DAY = 1440 * MINUTE
PRIOR = 0.001


def after_days(posts_a_day: list[int]) -> Baseline:
    baseline = Baseline(day_at=0)
    for day, posts in enumerate(posts_a_day):
        baseline.roll(day * DAY, patience=DAY)
        for _ in range(posts):
            baseline.count()
    baseline.roll(len(posts_a_day) * DAY, patience=DAY)
    return baseline


def test_the_hours_of_a_day_have_mean_one() -> None:
    assert sum(SHAPE) / 24 == pytest.approx(1.0)


def test_nobody_writes_at_four_in_the_morning() -> None:
    night, evening = datetime(2012, 1, 30, 3, tzinfo=UTC), datetime(2012, 1, 30, 19, tzinfo=UTC)
    paris = ZoneInfo("Europe/Paris")
    assert shape_at(night, zone=paris, degrees_east=0) < 0.3
    assert shape_at(evening, zone=paris, degrees_east=0) > 1.3
    assert shape_at(night, zone=paris, degrees_east=-120) > 1.0


def test_today_is_not_yet_part_of_the_level() -> None:
    assert after_days([0, 1000]).level(PRIOR) == pytest.approx(PRIOR, rel=0.2)


def test_learns_what_is_usual_within_weeks() -> None:
    assert after_days([20] * 60).level(PRIOR) * 1440 == pytest.approx(20, rel=0.35)
    assert after_days([0] * 60).level(PRIOR) < PRIOR / 2


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(2, 400))
def test_a_gap_of_days_is_the_same_as_so_many_empty_days(posts: list[int], gap: int) -> None:
    stepwise, at_once = after_days([*posts, *[0] * gap]), after_days(posts)
    at_once.roll((len(posts) + gap) * DAY, patience=DAY)
    assert at_once.level(PRIOR) == pytest.approx(stepwise.level(PRIOR), rel=1e-9)


def test_an_incident_is_not_learned() -> None:
    baseline, quiet = after_days([5] * 30), after_days([5] * 30)
    for _ in range(7):
        baseline.count()
    baseline.freeze(30 * DAY + DAY // 2, posts=7)
    for _ in range(10_000):
        baseline.count()
    baseline.roll(33 * DAY, patience=8 * DAY)
    baseline.thaw(33 * DAY)
    baseline.roll(33 * DAY + DAY // 2, patience=8 * DAY)
    quiet.roll(31 * DAY, patience=DAY)
    assert baseline.level(PRIOR) == quiet.level(PRIOR)


def test_what_outlasts_our_patience_is_learned() -> None:
    baseline = after_days([5] * 30)
    before = baseline.level(PRIOR)
    baseline.freeze(30 * DAY, posts=0)
    for day in range(30, 40):
        baseline.roll(day * DAY, patience=2 * DAY)
        for _ in range(500):
            baseline.count()
    assert baseline.level(PRIOR) > 5 * before


def test_a_level_that_is_wrong_by_far_is_noticed_within_a_day() -> None:
    baseline = Baseline(day_at=0)
    for post in range(240):
        baseline.count_weak(post * DAY // 240)
    rate = baseline.expected_rate(DAY, prior_rate=1 / 1440, shape=1.0, weak_share=0.8)
    assert rate * 1440 > 100


def test_weak_posts_raise_what_is_expected_and_only_for_a_while() -> None:
    baseline = Baseline(day_at=0)

    def expected(at: int) -> float:
        return baseline.expected_rate(at, prior_rate=PRIOR, shape=1.0, weak_share=0.8)

    quiet = expected(0)
    for minute in range(30):
        baseline.count_weak(minute * MINUTE)
    assert expected(30 * MINUTE) > 8 * quiet
    assert expected(20 * DAY) == pytest.approx(quiet)


def test_fewer_weak_posts_than_usual_do_not_make_a_post_weigh_more() -> None:
    baseline = Baseline(day_at=0)
    rate = baseline.expected_rate(DAY, prior_rate=10.0, shape=1.0, weak_share=0.8)
    assert rate == 10.0

"""The hours of the week: believed first, learned by a whole area, holidays like Sundays."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.week import HOURS, SHAPE, Week, hour_of_week, local_time, noted, weekday_of

MONDAY = datetime(2026, 3, 2)
PARIS = ZoneInfo("Europe/Paris")


def after(posts: list[datetime]) -> Week:
    week = Week(day=MONDAY.toordinal())
    for local in posts:
        week = noted(week, local, country="FR")
    return week


def mornings(days: int, hour: int, posts: int) -> list[datetime]:
    return [MONDAY + timedelta(days=day, hours=hour, seconds=number) for day in range(days) for number in range(posts)]


def test_the_hours_of_a_day_have_mean_one() -> None:
    assert sum(SHAPE) / 24 == pytest.approx(1.0)


def test_nobody_writes_at_four_in_the_morning() -> None:
    night, evening = datetime(2012, 1, 30, 3, tzinfo=UTC), datetime(2012, 1, 30, 19, tzinfo=UTC)
    week = Week(day=0)

    def factor(instant: datetime, degrees_east: float) -> float:
        return week.factor(hour_of_week(local_time(instant, zone=PARIS, degrees_east=degrees_east), "FR"))

    assert factor(night, 0) < 0.3
    assert factor(evening, 0) > 1.3
    assert factor(night, -120) > 1.0


def test_an_hour_that_is_loud_every_day_is_learned_within_weeks() -> None:
    week = after(mornings(30, 6, 20))
    assert week.factor(6) > 3 * SHAPE[6]
    assert week.factor(15) < SHAPE[15] / 2


def test_a_day_of_its_own_is_learned_once_it_has_said_enough() -> None:
    week = after([local for local in mornings(120, 10, 30) if local.weekday() == 6])
    assert week.factor(24 * 6 + 10) > 2 * week.factor(10)


def test_what_was_said_today_is_not_yet_learned() -> None:
    assert after(mornings(1, 6, 500)).factor(6) == pytest.approx(SHAPE[6])
    assert after(mornings(2, 6, 500)).factor(6) == pytest.approx(SHAPE[6])


def test_a_few_posts_leave_what_was_believed() -> None:
    week = after(mornings(7, 6, 1))
    assert week.factor(6) == pytest.approx(SHAPE[6], abs=0.5)


@given(st.lists(st.integers(0, 60 * 24 * 40), max_size=60))
def test_the_factors_keep_mean_one(minutes: list[int]) -> None:
    week = after([MONDAY + timedelta(minutes=minute) for minute in sorted(minutes)])
    assert sum(week.factor(hour) for hour in range(HOURS)) / HOURS == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("day", "country", "weekday"),
    [
        pytest.param(date(2026, 7, 14), "FR", 6, id="the national holiday, a Tuesday"),
        pytest.param(date(2026, 4, 6), "FR", 6, id="Easter Monday"),
        pytest.param(date(2026, 7, 14), "", 1, id="the same day, no country named"),
        pytest.param(date(2026, 7, 15), "FR", 2, id="the day after"),
    ],
)
def test_a_public_holiday_is_a_sunday(day: date, country: str, weekday: int) -> None:
    assert weekday_of(day, country) == weekday

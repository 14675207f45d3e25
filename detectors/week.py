"""Week: how posts spread over the hours of the week, learned for one hazard in one area from all its posts.

A single commune never says enough for 168 hours, so all of an area learn together. Each hour of the day keeps to what
is believed beforehand until it has heard enough, and each hour of the week to that of the day.

Shape   `Week` never changes; `noted` returns the next one
Units   hours by the clock of the profile's zone, shifted by the sun for places east or west of home
Source  docs/detection.md 2.2
"""

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
import msgspec

from detectors.baseline import KEPT_PER_DAY

HOURS = 168
NOTHING = (0,) * 24
MOST_SILENT_DAYS = 14
SUNDAY = 6
PRIOR_POSTS = 20.0  # what is believed of an hour weighs as much as so many expected posts

_POSTS_BY_HOUR = (
    *(0.55, 0.35, 0.25, 0.20, 0.20, 0.25, 0.40, 0.70, 0.95, 1.10, 1.20, 1.25),
    *(1.35, 1.30, 1.20, 1.20, 1.25, 1.35, 1.45, 1.50, 1.60, 1.55, 1.30, 0.90),
)
SHAPE = tuple(24.0 * posts / sum(_POSTS_BY_HOUR) for posts in _POSTS_BY_HOUR)
"""A guess at how posts spread over the local hours, mean 1: what is believed beforehand, for every day alike."""


class Week(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Posts by hour of the week. A day's posts are learned two days after it began."""

    day: int  # ordinal of the running local day
    today: tuple[int, ...] = NOTHING
    yesterday: tuple[int, ...] = NOTHING
    posts: tuple[float, ...] = ()  # settled, 168 of them once there are any
    days: tuple[float, ...] = (0.0,) * 7  # how many of each day of the week were settled
    factors: tuple[float, ...] = ()  # what follows from these; none as long as nothing was settled

    def factor(self, hour_of_week: int) -> float:
        """Return how many times more posts than on average an hour of the week brings."""
        return self.factors[hour_of_week] if self.factors else SHAPE[hour_of_week % 24]


def noted(week: Week, local: datetime, *, country: str) -> Week:
    """Take one post in; days that are over settle."""
    day = local.toordinal()
    week = _rolled(week, day, country)
    if day != week.day:  # a place further west is a day behind: its hour is gone
        return week
    today = week.today
    hour = local.hour
    return msgspec.structs.replace(week, today=(*today[:hour], today[hour] + 1, *today[hour + 1 :]))


def _rolled(week: Week, day: int, country: str) -> Week:
    gone = day - week.day
    if gone < 1:
        return week
    yesterday = week.today
    settled = _settled(week, week.day - 1, week.yesterday, country)
    if gone > 1:
        settled = _settled(settled, week.day, yesterday, country)
        yesterday = NOTHING
        for silent in range(max(week.day + 1, day - MOST_SILENT_DAYS), day - 1):
            settled = _settled(settled, silent, NOTHING, country)
    factors = _factors(settled.posts, settled.days)
    return msgspec.structs.replace(settled, day=day, yesterday=yesterday, today=NOTHING, factors=factors)


def _settled(week: Week, day: int, posts: tuple[int, ...], country: str) -> Week:
    weekday = weekday_of(date.fromordinal(day), country)
    old = week.posts or (0.0,) * HOURS
    new = [value * KEPT_PER_DAY for value in old]
    for hour, number in enumerate(posts):
        new[24 * weekday + hour] += number
    days = [value * KEPT_PER_DAY for value in week.days]
    days[weekday] += 1.0
    return msgspec.structs.replace(week, posts=tuple(new), days=tuple(days))


def _factors(posts: tuple[float, ...], days: tuple[float, ...]) -> tuple[float, ...]:
    """Return the factor of each hour of the week, mean 1: first as on any day, then as on its own day."""
    per_hour = sum(posts) / (24.0 * sum(days))
    any_day = [
        (PRIOR_POSTS * SHAPE[hour] + sum(posts[hour::24])) / (PRIOR_POSTS + per_hour * sum(days)) for hour in range(24)
    ]
    factors = [
        (PRIOR_POSTS * any_day[hour % 24] + number) / (PRIOR_POSTS + per_hour * days[hour // 24])
        for hour, number in enumerate(posts)
    ]
    mean = sum(factors) / HOURS
    return tuple(factor / mean for factor in factors)


def hour_of_week(local: datetime, country: str) -> int:
    """Return the hour's number, Monday's first hour being 0."""
    return 24 * weekday_of(local.date(), country) + local.hour


def local_time(instant: datetime, *, zone: ZoneInfo, degrees_east: float) -> datetime:
    """Return the time by the zone's clock, shifted by the sun for places east or west of home."""
    return instant.astimezone(zone) + timedelta(minutes=4.0 * degrees_east)


@lru_cache(maxsize=4096)
def weekday_of(day: date, country: str) -> int:
    """Return the day of the week, Monday being 0; a public holiday is a Sunday."""
    return SUNDAY if country and day in _holidays_of(country, day.year) else day.weekday()


@lru_cache(maxsize=64)
def _holidays_of(country: str, year: int) -> holidays.HolidayBase:
    return holidays.country_holidays(country, years=year)

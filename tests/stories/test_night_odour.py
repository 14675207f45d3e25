"""An odour drifts over a dozen communes by night: one incident, not eight."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.stories.telling import Raised, Told

pytestmark = pytest.mark.broker

Describe = Callable[["list[Raised]"], str]


@pytest.fixture(scope="module")
def told(tell: Callable[[str], "Told"]) -> "Told":
    return tell("night_odour")


def test_the_day_is_a_full_one(told: "Told") -> None:
    assert told.posts >= 2800


def test_a_watch_stands_within_five_minutes_of_the_first_post(told: "Told", describe: Describe) -> None:
    delay = told.watch_delay("odour")
    assert delay is not None, describe(list(told.incidents))
    assert delay <= timedelta(minutes=5), describe(told.notified("odour"))


def test_the_alert_comes_before_the_press(told: "Told", describe: Describe) -> None:
    alert_at = told.alert_at("odour")
    assert alert_at is not None, describe(list(told.incidents))
    assert alert_at < told.tale.at("+1 01:30:00"), describe(told.notified("odour"))


def test_somebody_is_told_of_it_once_or_twice(told: "Told", describe: Describe) -> None:
    assert 1 <= len(told.notified("odour")) <= 2, describe(told.notified("odour"))


def test_no_alert_is_false(told: "Told", describe: Describe) -> None:
    assert not told.false_alerts, describe(told.false_alerts)


def test_false_watches_are_few(told: "Told", describe: Describe) -> None:
    assert len(told.false_watches) <= 2, describe(told.false_watches)  # the city profile's budget is two a day

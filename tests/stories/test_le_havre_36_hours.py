"""Le Havre, 29 to 31 January 2012: the morning of the fire with the evening before it and the night after."""

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
    return tell("le_havre_2012")


def test_the_day_is_a_full_one(told: "Told") -> None:
    assert told.posts >= 5000


def test_a_watch_stands_within_ten_seconds_of_the_first_witness(told: "Told", describe: Describe) -> None:
    delay = told.watch_delay("fire")
    assert delay is not None, describe(list(told.incidents))
    assert delay <= timedelta(seconds=10), describe(told.notified("fire"))


def test_the_alert_comes_before_the_first_picture(told: "Told", describe: Describe) -> None:
    alert_at = told.alert_at("fire")
    assert alert_at is not None, describe(list(told.incidents))
    assert alert_at < told.tale.at("+1 09:49:12"), describe(told.notified("fire"))


def test_no_alert_is_false(told: "Told", describe: Describe) -> None:
    assert not told.false_alerts, describe(told.false_alerts)


def test_false_watches_are_few(told: "Told", describe: Describe) -> None:
    assert len(told.false_watches) <= 4, describe(
        told.false_watches
    )  # of 36 hours; the city profile's budget is two a day


def test_the_fire_is_one_incident_and_at_most_two_that_see_it_from_elsewhere(told: "Told", describe: Describe) -> None:
    assert 1 <= len(told.notified("fire")) <= 3, describe(told.notified("fire"))

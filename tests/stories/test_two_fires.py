"""Two fires an hour apart in neighbouring communes: two incidents."""

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
    return tell("two_fires")


def test_the_day_is_a_full_one(told: "Told") -> None:
    assert told.posts >= 2800


def test_a_watch_stands_within_ten_seconds_of_the_first_witness(told: "Told", describe: Describe) -> None:
    delay = told.watch_delay("first")
    assert delay is not None, describe(list(told.incidents))
    assert delay <= timedelta(seconds=10), describe(told.notified("first"))


def test_the_second_fire_is_told_within_five_minutes(told: "Told", describe: Describe) -> None:
    delay = told.watch_delay("second")
    assert delay is not None, describe(list(told.incidents))
    assert delay <= timedelta(minutes=5), describe(told.notified("second"))


def test_each_fire_is_one_incident_of_its_own(told: "Told", describe: Describe) -> None:
    first = {str(incident) for incident in told.notified("first")}
    second = {str(incident) for incident in told.notified("second")}
    assert (len(first), len(second), len(first & second)) == (1, 1, 0), describe(
        told.notified("first") + told.notified("second")
    )


def test_both_become_alerts_where_they_are(told: "Told", describe: Describe) -> None:
    places = sorted(incident.revisions[-1].place.insee or "" for incident in told.alerts)
    assert places == ["44184", "44210"], describe(told.alerts)


def test_no_alert_is_false(told: "Told", describe: Describe) -> None:
    assert not told.false_alerts, describe(told.false_alerts)


def test_false_watches_are_few(told: "Told", describe: Describe) -> None:
    assert len(told.false_watches) <= 2, describe(told.false_watches)  # the city profile's budget is two a day

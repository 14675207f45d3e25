"""Saint-Fons, 28 June 2016: works on fire, first posts at 12:15, the press at 12:37, the prefect at 13:09."""

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
    return tell("saint_fons_2016")


def test_the_day_is_a_full_one(told: "Told") -> None:
    assert told.posts >= 3000


def test_a_watch_stands_within_ten_seconds_of_the_first_witness(told: "Told", describe: Describe) -> None:
    delay = told.watch_delay("fire")
    assert delay is not None, describe(list(told.incidents))
    assert delay <= timedelta(seconds=10), describe(told.notified("fire"))


def test_the_alert_comes_before_the_prefects_first_word(told: "Told", describe: Describe) -> None:
    alert_at = told.alert_at("fire")
    assert alert_at is not None, describe(list(told.incidents))
    assert alert_at < told.tale.at("13:09:00"), describe(told.notified("fire"))


def test_the_alert_comes_before_the_press(told: "Told", describe: Describe) -> None:
    alert_at = told.alert_at("fire")
    assert alert_at is not None, describe(list(told.incidents))
    assert alert_at < told.tale.at("12:37:00"), describe(told.notified("fire"))


def test_no_alert_is_false(told: "Told", describe: Describe) -> None:
    assert not told.false_alerts, describe(told.false_alerts)


def test_false_watches_are_few(told: "Told", describe: Describe) -> None:
    assert len(told.false_watches) <= 2, describe(told.false_watches)  # the budget of a commune is one every other day


def test_the_fire_is_one_incident_and_at_most_one_next_door(told: "Told", describe: Describe) -> None:
    assert 1 <= len(told.notified("fire")) <= 2, describe(told.notified("fire"))


def test_the_incident_stands_in_the_commune_of_the_works(told: "Told", describe: Describe) -> None:
    alerted = [incident for incident in told.alerts if "fire" in incident.happenings]
    assert [incident.revisions[-1].place.insee for incident in alerted] == ["69199"], describe(alerted)

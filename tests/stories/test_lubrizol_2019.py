"""Rouen, 26 September 2019: works on fire by night, a forged communiqué, the first official word after three hours."""

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
    return tell("lubrizol_2019")


def test_the_day_is_a_full_one(told: "Told") -> None:
    assert told.posts >= 3000


def test_a_watch_stands_within_ten_seconds_of_the_first_witness(told: "Told", describe: Describe) -> None:
    delay = told.watch_delay("fire")
    assert delay is not None, describe(list(told.incidents))
    assert delay <= timedelta(seconds=10), describe(told.notified("fire"))


def test_the_alert_comes_before_the_official_word_by_two_hours(told: "Told", describe: Describe) -> None:
    alert_at = told.alert_at("fire")
    assert alert_at is not None, describe(list(told.incidents))
    assert alert_at < told.tale.at("03:45:00"), describe(told.notified("fire"))


def test_no_alert_is_false(told: "Told", describe: Describe) -> None:
    assert not told.false_alerts, describe(told.false_alerts)


def test_false_watches_are_few(told: "Told", describe: Describe) -> None:
    assert len(told.false_watches) <= 3, describe(told.false_watches)  # the city profile's budget is two a day


def test_the_fire_is_one_incident_beside_the_explosions_and_few_that_smell_it(told: "Told", describe: Describe) -> None:
    """Explosions count as industrial; Maromme and Darnétal wake up or smell it long after."""
    assert 1 <= len(told.notified("fire")) <= 4, describe(told.notified("fire"))


def test_the_forged_communique_raises_nothing_of_its_own(told: "Told", describe: Describe) -> None:
    own = [incident for incident in told.notified("forged") if "fire" not in incident.happenings]
    assert not own, describe(own)

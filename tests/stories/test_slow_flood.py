"""A river rises for two days and leaves its bed in one commune after the other: one flood, not ten."""

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
    return tell("slow_flood")


def test_the_day_is_a_full_one(told: "Told") -> None:
    assert told.posts >= 3800


def test_a_watch_stands_within_two_hours_of_the_first_witness(told: "Told", describe: Describe) -> None:
    delay = told.watch_delay("flood")
    assert delay is not None, describe(list(told.incidents))
    assert delay <= timedelta(hours=2), describe(told.notified("flood"))


def test_the_alert_comes_before_red_vigilance(told: "Told", describe: Describe) -> None:
    alert_at = told.alert_at("flood")
    assert alert_at is not None, describe(list(told.incidents))
    assert alert_at < told.tale.at("20:15:00"), describe(told.notified("flood"))


def test_all_communes_are_one_incident(told: "Told", describe: Describe) -> None:
    assert 1 <= len(told.notified("flood")) <= 1, describe(told.notified("flood"))


def test_no_alert_is_false(told: "Told", describe: Describe) -> None:
    assert not told.false_alerts, describe(told.false_alerts)


def test_false_watches_are_few(told: "Told", describe: Describe) -> None:
    assert len(told.false_watches) <= 2, describe(
        told.false_watches
    )  # two days; the budget of a commune is one every other day

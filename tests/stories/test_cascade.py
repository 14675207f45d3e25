"""One post and two hundred people who pass it on: a watch at most, never an alert."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.stories.telling import Raised, Told

pytestmark = pytest.mark.broker

Describe = Callable[["list[Raised]"], str]


@pytest.fixture(scope="module")
def told(tell: Callable[[str], "Told"]) -> "Told":
    return tell("cascade")


def test_the_day_is_a_full_one(told: "Told") -> None:
    assert told.posts >= 2500


def test_one_post_is_passed_on_two_hundred_times(told: "Told") -> None:
    assert len(told.tale.own) == 201


def test_nothing_becomes_an_alert(told: "Told", describe: Describe) -> None:
    assert not told.alerts, describe(told.alerts)


def test_the_cascade_raises_one_watch_at_most(told: "Told", describe: Describe) -> None:
    assert len(told.notified("cascade")) <= 1, describe(told.notified("cascade"))


def test_false_watches_are_few(told: "Told", describe: Describe) -> None:
    assert len(told.false_watches) <= 2, describe(told.false_watches)  # the city profile's budget is two a day

"""Ten new accounts post twelve near-copies each of four alarming texts: no alert."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.stories.telling import Raised, Told

pytestmark = pytest.mark.broker

Describe = Callable[["list[Raised]"], str]


@pytest.fixture(scope="module")
def told(tell: Callable[[str], "Told"]) -> "Told":
    return tell("bot_flood")


def test_the_day_is_a_full_one(told: "Told") -> None:
    assert told.posts >= 2500


def test_there_are_ten_bots_and_a_hundred_and_twenty_posts_of_theirs(told: "Told") -> None:
    own = told.tale.own
    assert (len({post["author"] for post in own}), len(own)) == (10, 120)


def test_nothing_becomes_an_alert(told: "Told", describe: Describe) -> None:
    assert not told.alerts, describe(told.alerts)


def test_the_bots_raise_one_watch_for_each_danger_they_name_at_most(told: "Told", describe: Describe) -> None:
    assert len(told.notified("bots")) <= 2, describe(told.notified("bots"))  # fire and industrial

"""A day without any incident, nearly half of it in the words of one: drills, a film, barbecues, memories, matches."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.stories.telling import Raised, Told

pytestmark = pytest.mark.broker

Describe = Callable[["list[Raised]"], str]


@pytest.fixture(scope="module")
def told(tell: Callable[[str], "Told"]) -> "Told":
    return tell("trap_day")


def test_the_day_is_a_full_one(told: "Told") -> None:
    assert told.posts >= 4000


def test_nothing_becomes_an_alert(told: "Told", describe: Describe) -> None:
    assert not told.alerts, describe(told.alerts)


def test_false_watches_are_few(told: "Told", describe: Describe) -> None:
    assert len(told.false_watches) <= 2, describe(told.false_watches)  # the city profile's budget is two a day

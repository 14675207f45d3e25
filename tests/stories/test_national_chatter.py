"""For six hours everybody talks of a disaster far away, and of a film about one: no alert here."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.stories.telling import Raised, Told

pytestmark = pytest.mark.broker

Describe = Callable[["list[Raised]"], str]


@pytest.fixture(scope="module")
def told(tell: Callable[[str], "Told"]) -> "Told":
    return tell("national_chatter")


def test_the_day_is_a_full_one(told: "Told") -> None:
    assert told.posts >= 3500


def test_nothing_becomes_an_alert(told: "Told", describe: Describe) -> None:
    assert not told.alerts, describe(told.alerts)


def test_false_watches_are_few(told: "Told", describe: Describe) -> None:
    assert len(told.false_watches) <= 4, describe(told.false_watches)  # twice the city profile's budget of two a day

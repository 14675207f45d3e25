"""Le Havre, 14 June 2012: the sirens sound by mistake, rumours of an explosion go round, nothing has happened."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.stories.telling import Raised, Told

pytestmark = pytest.mark.broker

Describe = Callable[["list[Raised]"], str]


@pytest.fixture(scope="module")
def told(tell: Callable[[str], "Told"]) -> "Told":
    return tell("sirens_2012")


def test_the_day_is_a_full_one(told: "Told") -> None:
    assert told.posts >= 2400


def test_nothing_becomes_an_alert(told: "Told", describe: Describe) -> None:
    assert not told.alerts, describe(told.alerts)


def test_false_watches_are_few(told: "Told", describe: Describe) -> None:
    assert len(told.false_watches) <= 4, describe(
        told.false_watches
    )  # one for the rumour would be right; the city profile's budget is two a day


def test_it_is_said_to_be_denied_once_the_authority_has_spoken(told: "Told") -> None:
    spoke_at = told.tale.at("21:30:00")
    later = [alert for one in told.false_watches for alert in one.notified if alert.rumour is not None]
    assert {alert.rumour.denied_at for alert in later if alert.rumour} == {spoke_at}

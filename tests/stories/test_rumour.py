"""A forged communiqué goes round one evening: said to be maybe a rumour, a denial at hand; a true fire is an alert."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from console.messages.map_files import shipped_map
from console.messages.selection import select
from records import Alert

if TYPE_CHECKING:
    from tests.stories.telling import Raised, Told

pytestmark = pytest.mark.broker

Describe = Callable[["list[Raised]"], str]


@pytest.fixture(scope="module")
def told(tell: Callable[[str], "Told"]) -> "Told":
    return tell("rumour")


@pytest.fixture(scope="module")
def spread(told: "Told") -> list["Raised"]:
    """Return the incidents that the forged text raised, those on the map alone as well."""
    return [one for one in told.incidents if "forged" in one.happenings]


def last_open(raised: "Raised") -> Alert:
    return [alert for alert in raised.revisions if alert.level not in ("resolved", "rejected")][-1]


def test_it_is_seen_and_said_to_be_maybe_a_rumour(spread: list["Raised"], describe: Describe) -> None:
    assert spread, "nobody would have known what goes round"
    assert all(last_open(one).rumour is not None for one in spread), describe(spread)


def test_it_is_no_alert(told: "Told", spread: list["Raised"], describe: Describe) -> None:
    assert not set(map(repr, spread)) & set(map(repr, told.alerts)), describe(spread)
    assert not told.false_alerts


def test_the_forged_text_carries_its_doubt(spread: list["Raised"]) -> None:
    doubts = {doubt for one in spread for alert in one.revisions for item in alert.evidence for doubt in item.doubts}
    assert "false_official" in doubts


def test_who_should_know_denies_it(told: "Told", spread: list["Raised"]) -> None:
    denied = [found for one in spread if (found := last_open(one).rumour) is not None and found.denied_at]
    assert denied
    assert min(one.denied_at for one in denied if one.denied_at) == told.tale.at("18:52:00")
    assert all(one.denied_by == "operator" for one in denied)


def test_a_denial_is_proposed_and_nothing_of_it_is_said_as_a_fact(spread: list["Raised"]) -> None:
    selection = select(shipped_map(), last_open(spread[0]))
    proposed = {message.id for message in selection.messages if message.situation == "rumour"}
    assert {"rumour-checking-population", "rumour-denied-population", "rumour-denied-press"} <= proposed
    assert any("projet" in note["fr"] for note in selection.notes)


def test_a_true_fire_the_same_evening_is_an_alert(told: "Told") -> None:
    at = told.alert_at("fire")
    assert at is not None
    assert at < told.tale.at("20:55:00")
    fires = told.notified("fire")
    assert len(fires) == 1
    assert last_open(fires[0]).rumour is None

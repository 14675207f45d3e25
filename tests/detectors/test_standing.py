"""What is going on, and what is usual beside what came: from the state alone, before and after a restart."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from detectors.detector import Shelf
from detectors.standing import Standing

# What conftest.py makes; test files import nothing from each other.
Desk = Any
MakesSignals = Any

KEY = "fire/76"


def witnesses(signal: MakesSignals) -> list[Any]:
    """Return four who were there, on two platforms: an alert."""
    return [signal(one, 2.0 * one, platform=("twitter", "mastodon")[one % 2]) for one in range(4)]


def test_an_incident_stands_until_it_is_over(desk: Desk, signal: MakesSignals) -> None:
    standing = Standing()
    assert standing.look(KEY, desk.shelf) == []
    desk.tell(*witnesses(signal))
    standing.look(KEY, desk.shelf)
    (shown,) = standing.open()
    assert shown == desk.alerts[-1]
    assert shown.level == "alert"
    desk.wait(60 * 24)
    assert desk.levels[-1] == "resolved"
    standing.look(KEY, desk.shelf)
    assert standing.open() == []


def test_each_level_is_raised_once(desk: Desk, signal: MakesSignals) -> None:
    standing, raised = Standing(), []
    for one in witnesses(signal):
        desk.tell(one)
        raised += standing.look(KEY, desk.shelf)
    assert [(one.hazard, one.level) for one in raised] == [("fire", "watch"), ("fire", "alert")]
    desk.wait(60 * 24)
    assert standing.look(KEY, desk.shelf) == []


def test_what_rises_at_once_is_raised_on_each_level(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(*witnesses(signal))
    assert [one.level for one in Standing().look(KEY, desk.shelf)] == ["watch", "alert"]


def test_after_a_restart_the_same_stands_though_nothing_was_worked_out(desk: Desk, signal: MakesSignals) -> None:
    desk.tell(*witnesses(signal))
    before, after, cold = Standing(), Standing(), Shelf(desk.store)
    before.look(KEY, desk.shelf)
    after.look(KEY, cold)
    assert after.open() == before.open() != []
    assert list(cold.in_use()) == []
    after.forget()
    assert after.open() == []


def test_the_highest_come_first_and_of_these_the_newest(desk: Desk, signal: MakesSignals, place_with: Any) -> None:
    desk.tell(*witnesses(signal))
    for number, insee in ((7, "76540"), (8, "76217")):
        there = place_with(place_id=f"fr:{insee}", insee=insee, name=insee, lat=48.8 + number / 10, lon=1.0)
        desk.tell(*(signal(10 * number + one, number, place=there) for one in range(3)))
    standing = Standing()
    standing.look(KEY, desk.shelf)
    assert [one.level for one in standing.open()] == ["alert", "watch", "watch"]
    assert [one.place.name for one in standing.open()][1:] == ["76217", "76540"]


@pytest.fixture
def at(signal: MakesSignals) -> Callable[[float], datetime]:
    """Return the moment so many minutes after the morning's start."""
    return lambda minutes: signal(0, minutes).event_time


def rates_at(desk: Desk, at: datetime) -> Any:
    (rate,) = desk.detector.rates(desk.shelf, at)
    return rate


def test_what_came_within_the_hour_is_counted_as_the_baseline_counts(
    desk: Desk, signal: MakesSignals, at: Callable[[float], datetime]
) -> None:
    desk.tell(
        signal(1, 0, ratio=0.3, author_id="a"),  # weak: an hour later it is gone
        signal(2, 30, ratio=0.3, author_id="b"),
        signal(3, 31, ratio=0.3, author_id="b"),  # the same author once more
        signal(4, 40, ratio=20.0, author_id="c", cluster_ids=("text:1",)),
        signal(5, 41, ratio=20.0, author_id="d", cluster_ids=("text:1",)),  # a copy
        signal(6, 42, ratio=20.0, author_id="e", is_relay=True),
        signal(7, 43, ratio=20.0, author_id="f"),  # of the incident by now, and counted all the same
    )
    rate = rates_at(desk, at(60.5))
    assert (rate.hazard, rate.area, rate.came) == ("fire", "76", 3)
    assert rates_at(desk, at(200)).came == 0


def test_what_is_usual_goes_by_the_hour_and_is_not_raised_by_what_came(
    desk: Desk, signal: MakesSignals, at: Callable[[float], datetime]
) -> None:
    desk.tell(signal(1, 0, ratio=0.3))
    by_day, by_night = rates_at(desk, at(12 * 60)).usual, rates_at(desk, at(20 * 60)).usual
    assert by_day > 3 * by_night > 0
    desk.tell(*(signal(one, 5 + one / 10, ratio=0.3, author_id=f"author {one}") for one in range(2, 60)))
    assert rates_at(desk, at(12 * 60)).usual == pytest.approx(by_day)
    assert rates_at(desk, at(30)).came == 59


def test_asking_changes_nothing(desk: Desk, signal: MakesSignals, at: Callable[[float], datetime]) -> None:
    desk.tell(*witnesses(signal))
    rates_at(desk, at(60) + timedelta(days=3))
    Standing().look(KEY, desk.shelf)
    assert desk.shelf.changes() == {}

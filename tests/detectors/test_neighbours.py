"""A fire on the border of two départements is told twice, and said to be one."""

from collections.abc import Callable
from typing import Any

import pytest

from detectors.neighbours import Neighbours
from detectors.profile import load_profile
from records import Alert

# What conftest.py makes; test files import nothing from each other.
Desk = Any
MakesSignals = Any
MakesAlerts = Callable[..., list[Alert]]

HERE = {"place_id": "fr:76357", "name": "Le Tréport", "insee": "76357", "lat": 50.06, "lon": 1.38, "population": 4_700}
ACROSS = {**HERE, "place_id": "fr:80533", "name": "Mers-les-Bains", "insee": "80533", "dep": "80", "lon": 1.39}


@pytest.fixture
def neighbours() -> Neighbours:
    return Neighbours(load_profile("world", None))


@pytest.fixture
def told_of(desk: Desk, signal: MakesSignals, place_with: Callable[..., Any]) -> MakesAlerts:
    """Have somebody tell of a fire at a place, so many minutes after the morning's start."""

    def told(number: int, minutes: float, where: dict[str, Any], **changes: Any) -> list[Alert]:
        made = signal(number, minutes, ratio=500.0, author_tier=2, place=place_with(**where), **changes)
        new: list[Alert] = desk.tell(made)
        return new

    return told


def test_one_that_begins_across_the_border_soon_after_joins_the_first(
    neighbours: Neighbours, told_of: MakesAlerts
) -> None:
    (first,) = map(neighbours.joined, told_of(1, 0, HERE))
    (second,) = map(neighbours.joined, told_of(2, 12, ACROSS))
    assert (first.joins, second.joins) == ("", first.incident_id)
    assert first.area != second.area


@pytest.mark.parametrize(
    ("minutes", "where", "changes"),
    [
        pytest.param(75, ACROSS, {}, id="an hour later"),
        pytest.param(12, {**ACROSS, "lat": 49.9, "lon": 2.3}, {}, id="far away"),
        pytest.param(12, ACROSS, {"hazard": "industrial"}, id="another hazard"),
    ],
)
def test_another_happening_joins_nothing(
    minutes: float, where: dict[str, Any], changes: dict[str, Any], neighbours: Neighbours, told_of: MakesAlerts
) -> None:
    for alert in [*told_of(1, 0, HERE), *told_of(2, minutes, where, **changes)]:
        assert neighbours.joined(alert).joins == ""


def test_what_drifts_joins_as_long_as_the_other_is_talked_of(neighbours: Neighbours, told_of: MakesAlerts) -> None:
    alerts = [
        *told_of(1, 0, HERE, hazard="industrial"),
        *told_of(2, 90, HERE, hazard="industrial"),
        *told_of(3, 180, ACROSS, hazard="industrial"),
    ]
    told = [neighbours.joined(alert) for alert in alerts]
    assert told[-1].joins == told[0].incident_id


def test_every_revision_of_one_that_joined_says_so_and_a_third_joins_the_first(
    desk: Desk, neighbours: Neighbours, told_of: MakesAlerts
) -> None:
    third = {**ACROSS, "dep": "60", "place_id": "fr:60001", "insee": "60001"}
    alerts = [*told_of(1, 0, HERE), *told_of(2, 10, ACROSS), *told_of(3, 20, third)]
    told = [neighbours.joined(alert) for alert in alerts]
    assert {alert.joins for alert in told[1:]} == {told[0].incident_id}
    later = [neighbours.joined(alert) for alert in desk.wait(60 * 30, key="fire/80")]
    assert {alert.joins for alert in later} == {told[0].incident_id}


def test_an_incident_within_one_area_is_left_to_its_ledger(neighbours: Neighbours, told_of: MakesAlerts) -> None:
    alerts = [*told_of(1, 0, HERE), *told_of(2, 60, {**HERE, "place_id": "fr:76711", "insee": "76711"})]
    assert {neighbours.joined(alert).joins for alert in alerts} == {""}

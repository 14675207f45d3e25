"""What a worker shows of the detectors' state: no more than can be looked at, nothing that is not known."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from detectors.detector import Detector, Shelf
from detectors.profile import WeeklyBudget, load_profile
from records import Alert, Place, Signal
from streams.detect import Detect
from streams.metrics import WORKER
from streams.showing import INCIDENTS, MOST, Incidents, Showing, geohash_of, labels_of
from streams.state import DictState

MakeSignal = Callable[..., Signal]


@pytest.fixture
def detector() -> Detector:
    return Detector(load_profile("world", None))


@pytest.fixture
def alerts(detector: Detector, signal: MakeSignal) -> list[Alert]:
    shelf = Shelf(DictState())
    return Detect(detector)([signal(one, author_tier=2, likelihood_ratio=400.0) for one in range(2)], shelf).alerts


@pytest.fixture(autouse=True)
def nothing_is_left_shown() -> Iterator[None]:
    yield
    INCIDENTS.open = tuple


def values_of(registry: CollectorRegistry, name: str, **labels: str) -> list[float]:
    return [
        sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]


def test_no_more_incidents_are_shown_than_a_map_can_hold_and_the_rest_is_counted(alerts: list[Alert]) -> None:
    shown, registry = Incidents(), CollectorRegistry()
    registry.register(shown)
    going_on = [replace(alerts[-1], incident_id=f"inc-{number}") for number in range(MOST + 50)]
    shown.open = lambda: going_on
    assert len(values_of(registry, "vigie_incident_active")) == MOST
    assert values_of(registry, "vigie_incidents_active_hidden") == [50]
    assert sum(values_of(registry, "vigie_incidents")) == MOST + 50


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, "u0b1d6", id="a commune"),
        pytest.param({"lat": 57.64911, "lon": 10.40744}, "u4pruy", id="the one that papers show"),
        pytest.param({"level": "point", "source": "geotag"}, "u0b1d", id="where a witness stood: to five kilometres"),
        pytest.param({"level": "dep"}, "", id="the middle of a département"),
        pytest.param({"level": "country"}, "", id="the middle of a country"),
        pytest.param({"source": "home"}, "", id="where a source is at home"),
    ],
)
def test_only_a_place_that_somebody_named_is_a_point_on_a_map(
    changes: dict[str, Any], expected: str, alerts: list[Alert]
) -> None:
    place: Place = replace(alerts[0].place, **changes)
    assert geohash_of(place)[:6] == expected


def test_a_point_far_from_all_that_has_a_name_is_not_named_by_its_coordinates(alerts: list[Alert]) -> None:
    far = replace(alerts[0].place, place_id="point:51.123,3.456", name="51.123, 3.456", level="point", source="geotag")
    assert labels_of(replace(alerts[0], place=far))[4] == ""


def test_what_a_batch_raised_is_counted_and_what_a_restart_finds_is_not(detector: Detector, signal: MakeSignal) -> None:
    table, detect = DictState(), Detect(detector)
    shelf, showing = Shelf(table), Showing(detector)

    def raised() -> float:
        return sum(values_of(WORKER, "vigie_incidents_raised_total", hazard="fire"))

    before = raised()
    result = detect([signal(one, author_tier=2, likelihood_ratio=400.0) for one in range(2)], shelf)
    table.keep(result.changes)
    showing.changed(result.alerts, shelf)
    assert raised() - before == 2, "a watch, and an alert"
    assert values_of(WORKER, "vigie_incident_active", hazard="fire", level="alert", place="Le Havre") == [1]
    again = Showing(detector)
    showing.forget()
    assert values_of(WORKER, "vigie_incident_active") == []
    again.found(["fire/76", "flood/76", "no_hazard_of_ours/76"], Shelf(table))
    assert values_of(WORKER, "vigie_incident_active", hazard="fire", level="alert") == [1]
    assert raised() - before == 2


def test_the_budget_is_that_of_the_profile_in_force(detector: Detector) -> None:
    showing = Showing(detector)
    assert values_of(WORKER, "vigie_budget_per_week", level="watch") == [detector.profile.budget.watch]
    profile = replace(detector.profile, budget=WeeklyBudget(watch=3.5, alert=0.25))
    showing.decides_by(profile)
    assert values_of(WORKER, "vigie_budget_per_week", level="watch") == [3.5]
    assert values_of(WORKER, "vigie_budget_per_week", level="alert") == [0.25]

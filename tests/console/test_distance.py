"""Distance: a degree of latitude, places that are known to be so far apart, and points that are one."""

import pytest

from console.distance import kilometres
from console.reports.intake import Spot
from tests.console.made import LE_HAVRE


def at(lat: float, lon: float) -> Spot:
    return Spot(name="", lat=lat, lon=lon, accuracy="point")


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [
        pytest.param(at(49.0, 0.0), at(50.0, 0.0), 111.2, id="a degree of latitude"),
        pytest.param(at(49.44, 1.1), at(49.49, 0.11), 71.8, id="Rouen and Le Havre"),
        pytest.param(at(0.0, 179.5), at(0.0, -179.5), 111.2, id="over the date line"),
        pytest.param(at(90.0, 0.0), at(-90.0, 0.0), 20015.1, id="the poles"),
        pytest.param(LE_HAVRE, LE_HAVRE, 0.0, id="one and the same"),
    ],
)
def test_a_distance_is_that_on_the_sphere_either_way(one: Spot, other: Spot, km: float) -> None:
    assert kilometres(one, other) == pytest.approx(km, abs=0.1)
    assert kilometres(other, one) == kilometres(one, other)

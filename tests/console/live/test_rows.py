"""Rows: the order of incidents, and how precisely the map may show them."""

from typing import Any, get_args

import pytest

from console.live.rows import ORDER, Row, feature_of, ordered
from console.live.tending import Tended
from records import CrisisClock
from records.alert import Level
from tests.console.made import LE_HAVRE, an_alert, minutes


def row(**changes: Any) -> Row:
    return Row(an_alert(**changes), None)


TENDED = Tended("collègue", minutes(3), "acknowledge")


def test_every_level_has_its_place_in_the_order() -> None:
    assert sorted(ORDER) == sorted(get_args(Level))


def test_an_alert_that_nobody_looks_after_stands_above_all_others() -> None:
    rows = [
        Row(an_alert(incident_id="confirmed", level="confirmed"), TENDED),
        Row(an_alert(incident_id="taken", level="alert"), TENDED),
        Row(an_alert(incident_id="free", level="alert"), None),
        Row(an_alert(incident_id="watch-taken", level="watch"), TENDED),
        Row(an_alert(incident_id="watch-free", level="watch"), None),
    ]
    assert [one.alert.incident_id for one in ordered(rows)] == [
        "free",
        "confirmed",
        "taken",
        "watch-free",
        "watch-taken",
    ]


def test_who_looks_after_it_does_not_change_how_high_it_stands() -> None:
    heights = {Row(an_alert(level="alert"), tended).height for tended in (None, TENDED)}
    assert heights == {row(level="alert").height}
    assert row(level="alert").height < row(level="watch").height


def test_incidents_stand_by_level_then_the_newest_first() -> None:
    rows = [
        row(incident_id="a", level="watch", raised_at=minutes(1)),
        row(incident_id="b", level="alert", raised_at=minutes(0)),
        row(incident_id="c", level="watch", raised_at=minutes(2)),
        row(incident_id="d", level="signal", raised_at=minutes(9)),
    ]
    assert [one.alert.incident_id for one in ordered(rows)] == ["b", "c", "a", "d"]


def test_the_map_has_longitude_first_and_the_precision() -> None:
    feature = feature_of(row(incident_id="fire-é/1"))
    assert feature["geometry"] == {"type": "Point", "coordinates": [LE_HAVRE.lon, LE_HAVRE.lat]}
    properties = feature["properties"]
    assert (properties["precision"], properties["radius_km"], properties["href"]) == (
        "commune",
        6.0,
        "/incidents/fire-%C3%A9%2F1",
    )


def test_a_place_that_is_uncertain_is_on_no_map() -> None:
    feature = feature_of(row(unknowns=("place_uncertain",)))
    assert feature["geometry"] is None
    assert feature["properties"]["precision"] == "unknown"


@pytest.mark.parametrize(
    ("clock", "since"),
    [
        pytest.param(None, None, id="nobody counts"),
        pytest.param(CrisisClock(), minutes(-17), id="no authority"),
        pytest.param(CrisisClock(first_authority=minutes(3)), None, id="an authority spoke"),
    ],
)
def test_the_silence_of_authorities_lasts_since_the_onset(clock: CrisisClock | None, since: Any) -> None:
    assert row(clock=clock).silent_since == since

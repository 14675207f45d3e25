"""Delays, reliability, use of the budget: figures of rows that are made up."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive.taking import take
from console.trust.budget_use import heard_days, labelled, profile_named, watched_since
from console.trust.delays import delays, quantiles
from console.trust.measuring import spells
from console.trust.raised import Raised
from console.trust.reliability import reliability
from records.trust import Labelled
from tests.console.made import a_pulse, minutes

DAY = 24 * 60
ROW = Raised(
    incident_id="fire-1",
    hazard="fire",
    area="76",
    place="Le Havre",
    onset=minutes(-10),
    watch_at=minutes(0),
    alert_at=None,
    ended_at=None,
    official_at=None,
    probability=0.8,
    score=0.4,
    platforms=frozenset({"x"}),
    profile="city/2",
    detector="d/1",
    model="h/1",
    ruling="true",
    why="",
)


def test_delays_are_of_what_was_true() -> None:
    rows = [
        replace(ROW, alert_at=minutes(5), official_at=minutes(30)),
        replace(ROW, onset=minutes(-30), official_at=minutes(-3)),
        replace(ROW, hazard="flood", onset=minutes(-100)),
        replace(ROW, onset=minutes(-9999), ruling="false"),
    ]
    whole, fires, floods = delays(rows)
    assert (whole.name, fires.name, floods.name) == ("", "fire", "flood")
    assert (fires.to_watch.cases, fires.to_watch.median, fires.to_watch.most) == (2, 10.0, 30.0)
    assert (fires.to_alert.cases, fires.to_alert.median) == (1, 15.0)
    assert (fires.lead.least, fires.lead.most) == (-3.0, 30.0)
    assert floods.lead.median is None
    assert delays([])[0].to_watch.cases == 0


def test_quantiles_are_spans_that_were_there() -> None:
    found = quantiles(float(number) for number in range(1, 11))
    assert (found.least, found.median, found.nine_in_ten, found.most) == (1.0, 5.0, 9.0, 10.0)


def rows_of(truth: float, told: float, number: int) -> list[Raised]:
    rng = Random(1)  # noqa: S311  a simulation
    return [replace(ROW, probability=told, ruling="true" if rng.random() < truth else "false") for _ in range(number)]


def test_probabilities_that_hold_are_not_off_and_others_are() -> None:
    holds, boasts = reliability(rows_of(0.7, 0.7, 200)), reliability(rows_of(0.4, 0.7, 200))
    assert (holds.is_off, boasts.is_off) == (False, True)
    [one] = boasts.bins
    assert (one.low, one.true.cases) == (0.7, 200)
    assert one.told == pytest.approx(0.7)
    assert boasts.expected == pytest.approx(140.0)
    assert boasts.brier is not None
    assert holds.brier is not None
    assert boasts.brier > holds.brier


def test_chance_is_taken_for_an_error_of_probabilities_in_one_of_twenty() -> None:
    rng, off = Random(2), 0  # noqa: S311  a simulation
    for _ in range(400):
        told = [rng.random() for _ in range(40)]
        rows = [replace(ROW, probability=one, ruling="true" if rng.random() < one else "false") for one in told]
        off += reliability(rows).is_off
    assert off <= 0.06 * 400


def test_bins_hold_their_lower_edge_and_the_last_one_both() -> None:
    rows = [replace(ROW, probability=one) for one in (0.0, 0.1, 0.999, 1.0)]
    assert [(one.low, one.true.cases) for one in reliability(rows).bins] == [(0.0, 1), (0.1, 1), (0.9, 2)]


def test_of_nothing_no_brier_score_is_told() -> None:
    found = reliability([replace(ROW, ruling="")])
    assert (found.cases, found.brier, found.is_off, found.bins) == (0, None, False, ())


NOW = minutes(40 * DAY)


def test_only_what_the_profile_in_force_raised_counts_since_it_first_raised_something() -> None:
    rows = [
        replace(ROW, watch_at=minutes(DAY), ruling="false"),
        replace(ROW, profile="city/1", watch_at=minutes(30 * DAY), ruling="false"),
        replace(ROW, watch_at=minutes(31 * DAY), ruling="false"),
        replace(ROW, watch_at=minutes(32 * DAY)),
        replace(ROW, watch_at=minutes(33 * DAY), ruling=""),
    ]
    since = watched_since(rows, "city/2", NOW)
    assert since == minutes(31 * DAY)
    assert labelled(rows, "city/2", since, NOW) == [Labelled(hazard="fire", false_ones=1, true_ones=1, unjudged=1)]


@pytest.mark.parametrize(
    ("rows", "since"),
    [
        pytest.param([], NOW, id="nothing was ever raised"),
        pytest.param([replace(ROW, profile="city/1")], NOW, id="by another one only"),
        pytest.param([ROW], minutes(12 * DAY), id="long ago: it has watched since"),
        pytest.param([ROW, replace(ROW, profile="city/1", watch_at=minutes(5))], NOW, id="and another one since"),
    ],
)
def test_a_profile_that_is_not_known_to_watch_has_no_days(rows: list[Raised], since: datetime) -> None:
    assert watched_since(rows, "city/2", NOW) == since


async def test_only_hours_in_which_a_source_was_read_count(engine: AsyncEngine) -> None:
    read = [a_pulse(60 * hour, source=source) for hour in range(48) for source in ("bluesky", "press")]
    await take(engine, read, minutes(3 * DAY))
    assert await heard_days(engine, minutes(-37), minutes(5 * DAY)) == 2.0
    assert await heard_days(engine, minutes(DAY - 37), minutes(5 * DAY)) == 1.0


@pytest.mark.parametrize(
    ("toml", "name"),
    [('name = "city"\nversion = "2"', "city/2"), ("no toml", ""), ("name = 'x'", ""), (f"a = {'9' * 5000}", "")],
)
def test_a_profile_has_the_name_that_alerts_bear(toml: str, name: str) -> None:
    assert profile_named(toml) == name


def test_a_spell_ends_with_its_incident_and_what_was_false_was_none() -> None:
    rows = [ROW, replace(ROW, ended_at=minutes(60)), replace(ROW, ruling="false"), replace(ROW, ruling="")]
    assert [one.until - minutes(0) for one in spells(rows, NOW)] == [
        timedelta(days=40),
        timedelta(hours=1),
        timedelta(days=40),
    ]

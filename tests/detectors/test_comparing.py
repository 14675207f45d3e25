"""Comparing: a candidate is worse, better, the same, an exchange, or nobody knows; and it is said by how much."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.comparing import FACTORS, compare, point_from, with_budget
from detectors.profile import load_profile
from records import Place
from records.backtest import Change, Comparison, Found, FrontierPoint, OnFrontier, Outcome
from records.share import share_of

MORNING = datetime(2012, 1, 30, 7, 37, tzinfo=UTC)
LENGTH = 120.0
Minutes = tuple[float | None, float | None]
"""Of the watch and of the alert of one true incident; None: missed."""


def outcome(
    *incidents: Minutes,
    days: float = 30.0,
    false: tuple[int, int] = (60, 6),
    unjudged: tuple[int, int] = (0, 0),
    notifications: int = 100,
) -> Outcome:
    """Return what a profile made of it: incidents of two hours, false and unjudged watches and alerts over 30 days."""
    found = tuple(_found(number, *one) for number, one in enumerate(incidents))
    watches, alerts = ([one[level] for one in incidents] for level in (0, 1))
    fields: dict[str, Any] = {}
    for name, minutes, wrong, unknown in (
        ("watch", watches, false[0], unjudged[0]),
        ("alert", alerts, false[1], unjudged[1]),
    ):
        hits = sum(one is not None for one in minutes)
        waited = [LENGTH if one is None else min(one, LENGTH) for one in minutes]
        many = f"{name}es" if name == "watch" else f"{name}s"
        fields |= {
            many: hits + wrong + unknown,
            f"false_{many}": wrong,
            f"{many}_a_day": (hits + wrong + unknown) / days,
            f"false_{many}_a_day": wrong / days,
            f"unjudged_{many}_a_day": unknown / days,
            f"{name}_precision": share_of(hits, hits + wrong),
            f"{name}_recall": share_of(hits, len(minutes)),
            f"{name}_delay": sum(waited) / len(waited) if waited else None,
        }
    return Outcome(
        profile="city", version="2", notifications=notifications, raised=(), found=found, by_source=(), **fields
    )


def _found(number: int, watch: float | None, alert: float | None) -> Found:
    return Found(
        incident_id=f"fire {number}",
        hazard="fire",
        label={"en": f"Fire {number}"},
        since=MORNING,
        length_minutes=LENGTH,
        watch_minutes=watch,
        alert_minutes=alert,
    )


IN_FORCE = outcome((10.0, 20.0), (10.0, 20.0))
FRONTIER = [
    point_from(outcome((16.0, 40.0), (16.0, 40.0), false=(15, 2)), 0.25),
    point_from(outcome((12.0, 28.0), (12.0, 28.0), false=(30, 4)), 0.5),
    point_from(IN_FORCE, 1.0),
    point_from(outcome((8.0, 14.0), (8.0, 14.0), false=(120, 12)), 2.0),
]


def verdict(candidate: Outcome, in_force: Outcome = IN_FORCE, frontier: Sequence[FrontierPoint] = FRONTIER) -> str:
    return compare(in_force, candidate, frontier).is_


def beside(found: Comparison) -> dict[str, OnFrontier]:
    return {one.level: one for one in found.on_frontier}


# ----- worse -----


def test_a_candidate_that_is_later_and_more_often_wrong_is_worse_with_its_figures() -> None:
    found = compare(IN_FORCE, outcome((25.0, 45.0), (15.0, 25.0), false=(90, 9)), FRONTIER)
    assert found.is_ == "worse"
    watch, alert = beside(found)["watch"], beside(found)["alert"]
    assert (watch.false_a_day, watch.delay, watch.delay_in_force, watch.factor) == (3.0, 20.0, 10.0, 1.0)
    assert (alert.false_a_day, alert.delay, alert.delay_in_force, alert.factor) == (0.3, 35.0, 20.0, 1.0)
    assert [(one.kind, one.amount) for one in found.changes] == [
        ("watch_later", 15.0),
        ("alert_later", 25.0),
        ("watch_later", 5.0),
        ("alert_later", 5.0),
        ("watches_a_day", 1.0),
        ("alerts_a_day", pytest.approx(0.1)),
        ("false_watches", 30.0),
        ("false_alerts", 3.0),
    ]


@pytest.mark.parametrize(
    "candidate",
    [
        pytest.param(outcome((10.0, 20.0), (10.0, 20.0), false=(90, 6)), id="more false watches for nothing"),
        pytest.param(outcome((10.0, 20.0), (10.0, 20.0), false=(60, 7)), id="one false alert more in thirty days"),
        pytest.param(outcome((12.0, 20.0), (10.0, 20.0)), id="later for nothing"),
        pytest.param(outcome((10.0, 20.0), (None, 20.0)), id="an incident less for nothing"),
        pytest.param(outcome((10.0, 20.0), (10.0, None)), id="an alert less for nothing"),
        pytest.param(outcome((10.6, 20.0), (10.0, 20.0)), id="one a little later, too little for the mean"),
        pytest.param(outcome((10.0, 20.0), (10.0, 20.0), notifications=150), id="notifies more for nothing"),
    ],
)
def test_a_loss_without_any_gain_is_worse(candidate: Outcome) -> None:
    assert verdict(candidate) == "worse"
    assert verdict(IN_FORCE, candidate, ()) == "better"


def test_a_bad_bargain_is_worse_for_another_budget_alone_is_a_better_one() -> None:
    """Half the false watches for ten minutes: half the budget takes two. And alerts stay as they are."""
    found = compare(IN_FORCE, outcome((20.0, 20.0), (20.0, 20.0), false=(30, 6)), FRONTIER)
    assert found.is_ == "worse"
    assert (beside(found)["watch"].delay_in_force, beside(found)["watch"].factor) == (12.0, 0.5)


def test_a_little_sooner_for_many_more_false_ones_is_worse() -> None:
    """Nine minutes at five a day; twice the budget takes eight at four."""
    assert verdict(outcome((9.0, 20.0), (9.0, 20.0), false=(150, 6))) == "worse"


def test_an_incident_missed_for_fewer_false_ones_is_worse_where_less_budget_misses_none() -> None:
    found = compare(IN_FORCE, outcome((10.0, 20.0), (None, 20.0), false=(30, 6)), FRONTIER)
    assert found.is_ == "worse"
    assert Change(kind="watch_missed", amount=10.0, incident_id="fire 1", label={"en": "Fire 1"}) in found.changes


def test_what_nobody_judged_costs_as_false_ones_do() -> None:
    """Where not all is known that happened, more budget would look like a gift."""
    in_force = outcome((10.0, 20.0), false=(0, 0), unjudged=(60, 6))
    frontier = [
        point_from(in_force, 1.0),
        point_from(outcome((8.0, 14.0), false=(0, 0), unjudged=(120, 12)), 2.0),
        point_from(outcome((5.0, 9.0), false=(0, 0), unjudged=(480, 48)), 8.0),
    ]
    more = outcome((10.0, 20.0), false=(0, 0), unjudged=(120, 12))
    along = outcome((8.0, 14.0), false=(0, 0), unjudged=(120, 12))
    assert verdict(more, in_force, frontier) == "worse"
    assert verdict(along, in_force, frontier) == "exchange"
    assert beside(compare(in_force, along, frontier))["watch"].false_a_day == 4.0


# ----- better, the same -----


@pytest.mark.parametrize(
    "candidate",
    [
        pytest.param(outcome((10.0, 20.0), (10.0, 20.0), false=(30, 6)), id="fewer false watches"),
        pytest.param(outcome((10.0, 20.0), (10.0, 20.0), false=(60, 5)), id="one false alert less in thirty days"),
        pytest.param(outcome((8.0, 20.0), (10.0, 20.0)), id="sooner"),
        pytest.param(outcome((8.0, 15.0), (8.0, 15.0), false=(30, 3)), id="all of it"),
        pytest.param(outcome((10.0, 20.0), (10.0, 20.0), notifications=80), id="notifies less"),
    ],
)
def test_a_gain_without_any_loss_is_better(candidate: Outcome) -> None:
    assert verdict(candidate) == "better"


def test_to_find_one_more_is_better_though_it_is_one_watch_more() -> None:
    in_force = outcome((10.0, 20.0), (None, None), false=(60, 6))
    candidate = outcome((10.0, 20.0), (30.0, None), false=(60, 6), notifications=102)
    found = compare(in_force, candidate)
    assert found.is_ == "better"
    assert next((one.kind, one.amount, one.incident_id) for one in found.changes) == ("watch_found", 30.0, "fire 1")


def test_what_nobody_would_notice_is_the_same() -> None:
    candidate = outcome((10.3, 20.0), (9.8, 20.2), false=(61, 6), notifications=104)
    found = compare(IN_FORCE, candidate, FRONTIER)
    assert found.is_ == "same"
    assert {one.kind for one in found.changes} >= {"watch_later", "watch_earlier", "notifications"}


# ----- an exchange -----


@pytest.mark.parametrize("factor", [0.25, 0.5, 2.0])
def test_another_budget_alone_is_an_exchange(factor: float) -> None:
    minutes, false = {0.25: ((16.0, 40.0), (15, 2)), 0.5: ((12.0, 28.0), (30, 4)), 2.0: ((8.0, 14.0), (120, 12))}[
        factor
    ]
    found = compare(IN_FORCE, outcome(minutes, minutes, false=false), FRONTIER)
    assert found.is_ == "exchange"
    assert {one.factor for one in found.on_frontier} == {factor}
    assert all(one.delay == one.delay_in_force for one in found.on_frontier)


def test_a_budget_between_those_that_were_tried_is_an_exchange() -> None:
    assert verdict(outcome((9.0, 17.0), (9.0, 17.0), false=(90, 9))) == "exchange"


def test_behind_at_one_level_and_ahead_at_the_other_is_an_exchange() -> None:
    assert verdict(outcome((20.0, 20.0), (20.0, 20.0), false=(30, 4))) == "exchange"


def test_fewer_false_ones_than_any_budget_gives_are_ahead_however_late() -> None:
    """Watches are a bad bargain; but no budget that was tried has so few false alerts."""
    found = compare(IN_FORCE, outcome((20.0, 50.0), (20.0, 50.0), false=(30, 0)), FRONTIER)
    assert found.is_ == "exchange"
    assert list(beside(found)) == ["watch"]


@pytest.mark.parametrize(
    "candidate",
    [
        pytest.param(outcome((None, 20.0), (10.0, 20.0), (10.0, 20.0)), id="one found for one missed"),
        pytest.param(outcome((5.0, 20.0), (15.0, 20.0), (None, 20.0)), id="one sooner, one as much later"),
    ],
)
def test_the_whole_alike_and_its_parts_not_is_an_exchange(candidate: Outcome) -> None:
    in_force = outcome((10.0, 20.0), (10.0, 20.0), (None, 20.0))
    assert (in_force.watch_recall, in_force.watch_delay) == (candidate.watch_recall, candidate.watch_delay)
    assert verdict(candidate, in_force, ()) == "exchange"


def test_without_a_frontier_it_stands_beside_the_profile_in_force_alone() -> None:
    assert verdict(outcome((8.0, 14.0), (8.0, 14.0), false=(120, 12)), frontier=()) == "exchange"
    assert verdict(outcome((20.0, 28.0), (20.0, 28.0), false=(30, 4)), frontier=()) == "exchange"
    found = compare(IN_FORCE, outcome((8.0, 14.0), (8.0, 14.0), false=(120, 12)))
    assert {one.factor for one in found.on_frontier} == {1.0}


# ----- nobody knows -----


@pytest.mark.parametrize("false", [(0, 0), (30, 0), (90, 9)])
def test_where_nothing_is_known_to_have_happened_nobody_knows(false: tuple[int, int]) -> None:
    """Else the deafest would be the best."""
    found = compare(outcome(false=(60, 6)), outcome(false=false))
    assert found.is_ == "unknown"
    assert found.on_frontier == ()
    assert {one.kind for one in found.changes} == {"watches_a_day", "alerts_a_day", "false_watches", "false_alerts"}


# ----- what always holds -----

MINUTES = st.none() | st.sampled_from([0.0, 0.3, 5.0, 10.0, 10.4, 60.0, 119.0, 300.0])
COUNTS = st.tuples(st.integers(0, 90), st.integers(0, 9))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Outcome, Outcome]:
    number = draw(st.integers(0, 3))
    one, other = (
        outcome(
            *(draw(st.tuples(MINUTES, MINUTES)) for _ in range(number)),
            false=draw(COUNTS),
            unjudged=draw(COUNTS),
            notifications=draw(st.integers(0, 20)),
        )
        for _ in range(2)
    )
    return one, other


@given(pair=pairs())
@settings(deadline=None)
def test_a_profile_beside_itself_is_the_same(pair: tuple[Outcome, Outcome]) -> None:
    one, other = pair
    frontier = [point_from(one, 1.0), point_from(other, 2.0)]
    for points in ((), frontier):
        found = compare(one, one, points)
        assert found.is_ == ("same" if one.found else "unknown")
        assert found.changes == ()


@given(pair=pairs())
@settings(deadline=None)
def test_of_two_only_one_is_better(pair: tuple[Outcome, Outcome]) -> None:
    one, other = pair
    there, back = compare(one, other), compare(other, one)
    opposite = {
        "better": {"worse"},
        "worse": {"better", "exchange"},
        "same": {"same"},
        "exchange": {"exchange", "worse"},  # worse: it gains, and gives more than that is worth
        "unknown": {"unknown"},
    }
    assert back.is_ in opposite[there.is_]
    assert sorted(
        (c.incident_id, c.kind.split("_")[0], c.amount) for c in back.changes if "_a_day" in c.kind
    ) == sorted((c.incident_id, c.kind.split("_")[0], -c.amount) for c in there.changes if "_a_day" in c.kind)


@given(pair=pairs(), third=pairs())
@settings(deadline=None)
def test_a_frontier_only_ever_turns_an_exchange_into_worse(
    pair: tuple[Outcome, Outcome], third: tuple[Outcome, Outcome]
) -> None:
    one, other = pair
    frontier = [point_from(one, 1.0), *(point_from(point, 2.0) for point in third)]
    plain, full = compare(one, other).is_, compare(one, other, frontier).is_
    assert plain == full or (plain, full) == ("exchange", "worse")


# ----- budgets -----


def test_another_budget_changes_the_budget_alone(home: Place) -> None:
    profile = load_profile("city", home)
    double = with_budget(profile, 2.0)
    assert (double.budget.watch, double.budget.alert) == (28.0, 1.0)
    assert with_budget(double, 0.5) == profile
    assert 1.0 in FACTORS
    assert list(FACTORS) == sorted(FACTORS)

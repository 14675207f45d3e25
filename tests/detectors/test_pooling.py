"""Several backtests as one: counts add up, shares are of all cases, delays of all incidents."""

from datetime import UTC, datetime, timedelta

import pytest

from detectors.pooling import pooled
from records.backtest import Backtest, Found, FrontierPoint, Outcome, SourceShare
from records.share import share_of

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def outcome(*delays: float, false: int, days: float, unjudged: int = 0) -> Outcome:
    mean = sum(delays) / len(delays) if delays else None
    found = tuple(
        Found(incident_id=f"i{number}", hazard="fire", since=BEGIN, length_minutes=100.0, watch_minutes=delay)
        for number, delay in enumerate(delays)
    )
    judged = len(delays) + false
    number = judged + unjudged
    return Outcome(
        profile="city",
        version="1",
        watches=number,
        alerts=0,
        false_watches=false,
        false_alerts=0,
        watches_a_day=number / days,
        alerts_a_day=0.0,
        false_watches_a_day=false / days,
        false_alerts_a_day=0.0,
        unjudged_watches_a_day=unjudged / days,
        watch_precision=share_of(len(delays), judged),
        alert_precision=share_of(0, 0),
        watch_recall=share_of(len(delays), len(delays)),
        alert_recall=share_of(0, len(delays)),
        watch_delay=mean,
        alert_delay=None,
        notifications=number,
        raised=(),
        found=found,
        by_source=(SourceShare(source="a", signals=10, true_weight=1.0, false_weight=0.5, first=1, alone=0),),
    )


def backtest(*outcomes: Outcome, days: float, start: int = 0) -> Backtest:
    begin = BEGIN + timedelta(days=start)
    line = tuple(
        FrontierPoint(
            factor=factor,
            false_watches_a_day=outcomes[0].false_watches_a_day * factor,
            false_alerts_a_day=0.0,
            unjudged_watches_a_day=outcomes[0].unjudged_watches_a_day * factor,
            watch_recall=outcomes[0].watch_recall,
            alert_recall=outcomes[0].alert_recall,
            watch_delay=outcomes[0].watch_delay,
            alert_delay=None,
        )
        for factor in (1.0, 2.0)
    )
    return Backtest(
        starts_at=begin,
        ends_at=begin + timedelta(days=days),
        days=days,
        signals=10,
        true_incidents=len(outcomes[0].found),
        is_complete=start == 0,
        outcomes=outcomes,
        frontiers=(line,) * len(outcomes),
    )


def test_what_is_counted_adds_up_and_what_is_told_a_day_is_of_all_days() -> None:
    one = backtest(outcome(10.0, false=1, days=1.0), outcome(4.0, false=1, days=1.0), days=1.0)
    other = backtest(outcome(40.0, 70.0, false=2, days=9.0), outcome(40.0, 70.0, false=2, days=9.0), days=9.0, start=5)
    found = pooled([("one", one), ("other", other)])
    in_force, candidate = found.outcomes
    assert (in_force.watches, in_force.false_watches, found.days, found.signals) == (6, 3, 10.0, 20)
    assert in_force.false_watches_a_day == pytest.approx(0.3)
    assert in_force.watch_delay == pytest.approx((10 + 40 + 70) / 3)
    assert in_force.watch_precision == share_of(3, 6)
    assert [one.incident_id for one in in_force.found] == ["one/i0", "other/i0", "other/i1"]
    assert (found.starts_at, found.ends_at) == (BEGIN, BEGIN + timedelta(days=14))
    assert not found.is_complete
    assert found.frontiers[0][1].false_watches_a_day == pytest.approx(0.6)
    assert candidate.by_source[0].signals == 20
    assert found.comparison is not None
    assert found.comparison.is_ == "better"
    assert [(one.kind, one.amount) for one in found.comparison.changes] == [("watch_earlier", 6.0)]


def test_what_nobody_judged_counts_as_it_does_in_one() -> None:
    quiet, loud = outcome(10.0, false=0, days=1.0), outcome(10.0, false=0, days=1.0, unjudged=6)
    one, other = backtest(quiet, loud, days=1.0), backtest(loud, loud, days=1.0)
    found = pooled([("one", one), ("other", other)])
    assert [each.unjudged_watches_a_day for each in found.outcomes] == [3.0, 6.0]
    assert [point.unjudged_watches_a_day for point in found.frontiers[0]] == [3.0, 6.0]
    assert found.comparison is not None
    assert found.comparison.is_ == "worse"


def test_one_alone_is_itself_in_figures() -> None:
    one = backtest(outcome(10.0, false=1, days=2.0), days=2.0)
    found = pooled([("one", one)])
    assert found.outcomes[0].watch_delay == one.outcomes[0].watch_delay
    assert found.frontiers == one.frontiers


def test_nothing_that_is_known_to_have_happened_has_no_delay() -> None:
    one = backtest(outcome(false=3, days=1.0), days=1.0)
    assert pooled([("one", one), ("two", one)]).outcomes[0].watch_delay is None

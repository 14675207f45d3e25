"""Pooling: several backtests as one, so that a candidate is judged by all that it was tried on.

Units   what is told a day: of all days together; delays: of all true incidents together
"""

from collections.abc import Iterable, Sequence
from itertools import chain

from msgspec.structs import replace

from detectors.comparing import compare
from records.backtest import Backtest, Found, FrontierPoint, Outcome, SourceShare
from records.share import Share, share_of


def pooled(tests: Sequence[tuple[str, Backtest]]) -> Backtest:
    """Return backtests of the same profiles as one; each is named, and its incidents are told apart by that."""
    days = sum(test.days for _, test in tests)
    outcomes = tuple(
        _outcome([(name, test.outcomes[number]) for name, test in tests], days)
        for number in range(len(tests[0][1].outcomes))
    )
    frontiers = tuple(
        _frontier([test for _, test in tests], number, days)
        for number in range(min(len(test.frontiers) for _, test in tests))
    )
    return Backtest(
        starts_at=min(test.starts_at for _, test in tests),
        ends_at=max(test.ends_at for _, test in tests),
        days=days,
        signals=sum(test.signals for _, test in tests),
        true_incidents=sum(test.true_incidents for _, test in tests),
        is_complete=all(test.is_complete for _, test in tests),
        outcomes=outcomes,
        frontiers=frontiers,
        comparison=compare(outcomes[0], outcomes[1], *frontiers[:1]) if len(outcomes) > 1 else None,
    )


def _outcome(parts: Sequence[tuple[str, Outcome]], days: float) -> Outcome:
    outcomes = [one for _, one in parts]
    first = outcomes[0]
    watches, alerts, false_watches, false_alerts, notifications, failed = (
        sum(getattr(one, name) for one in outcomes)
        for name in ("watches", "alerts", "false_watches", "false_alerts", "notifications", "failed")
    )
    watch_precision, alert_precision = (
        _share(getattr(one, name) for one in outcomes) for name in ("watch_precision", "alert_precision")
    )
    return Outcome(
        profile=first.profile,
        version=first.version,
        watches=watches,
        alerts=alerts,
        false_watches=false_watches,
        false_alerts=false_alerts,
        watches_a_day=watches / days,
        alerts_a_day=alerts / days,
        false_watches_a_day=false_watches / days,
        false_alerts_a_day=false_alerts / days,
        unjudged_watches_a_day=(watches - watch_precision.cases) / days,
        unjudged_alerts_a_day=(alerts - alert_precision.cases) / days,
        watch_precision=watch_precision,
        alert_precision=alert_precision,
        watch_recall=_share(one.watch_recall for one in outcomes),
        alert_recall=_share(one.alert_recall for one in outcomes),
        watch_delay=_mean((one.watch_delay, len(one.found)) for one in outcomes),
        alert_delay=_mean((one.alert_delay, len(one.found)) for one in outcomes),
        notifications=notifications,
        failed=failed,
        raised=(),
        found=tuple(chain.from_iterable(_named(name, one.found) for name, one in parts)),
        by_source=_sources(chain.from_iterable(one.by_source for one in outcomes)),
    )


def _named(name: str, found: Iterable[Found]) -> Iterable[Found]:
    return (replace(one, incident_id=f"{name}/{one.incident_id}") for one in found)


def _share(shares: Iterable[Share]) -> Share:
    found = list(shares)
    return share_of(sum(one.hits for one in found), sum(one.cases for one in found))


def _mean(values: Iterable[tuple[float | None, int]]) -> float | None:
    """Return the mean of means, each of so many."""
    known = [(value, number) for value, number in values if value is not None and number]
    total = sum(number for _, number in known)
    return sum(value * number for value, number in known) / total if total else None


def _sources(shares: Iterable[SourceShare]) -> tuple[SourceShare, ...]:
    found: dict[str, SourceShare] = {}
    for one in shares:
        had = found.get(one.source)
        found[one.source] = one if had is None else _added(had, one)
    return tuple(sorted(found.values(), key=lambda one: (-one.true_weight, one.source)))


def _added(one: SourceShare, other: SourceShare) -> SourceShare:
    names = ("signals", "true_weight", "false_weight", "first", "alone")
    return replace(one, **{name: getattr(one, name) + getattr(other, name) for name in names})


def _frontier(tests: Sequence[Backtest], number: int, days: float) -> tuple[FrontierPoint, ...]:
    """Return the frontier of one profile; each test has a point for each budget."""
    lines = [test.frontiers[number] for test in tests]
    return tuple(
        _point([(test, point) for test, point in zip(tests, points, strict=True)], days)
        for points in zip(*lines, strict=True)
    )


def _point(parts: Sequence[tuple[Backtest, FrontierPoint]], days: float) -> FrontierPoint:
    points = [point for _, point in parts]
    false_watches, false_alerts, unjudged_watches, unjudged_alerts = (
        sum(getattr(point, f"{name}_a_day") * test.days for test, point in parts) / days
        for name in ("false_watches", "false_alerts", "unjudged_watches", "unjudged_alerts")
    )
    return FrontierPoint(
        factor=points[0].factor,
        false_watches_a_day=false_watches,
        false_alerts_a_day=false_alerts,
        unjudged_watches_a_day=unjudged_watches,
        unjudged_alerts_a_day=unjudged_alerts,
        watch_recall=_share(point.watch_recall for point in points),
        alert_recall=_share(point.alert_recall for point in points),
        watch_delay=_mean((point.watch_delay, test.true_incidents) for test, point in parts),
        alert_delay=_mean((point.alert_delay, test.true_incidents) for test, point in parts),
    )

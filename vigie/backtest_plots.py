"""Plots of a backtest, as PNG: the frontier, each incident's delay, what a day brings, and what each source gave."""

from collections import Counter
from datetime import UTC, timedelta
from functools import partial
from typing import Any

from records.backtest import Backtest, Found
from vigie.backtest_report import names_of
from vigie.plotting import Draw


def plots_of(found: Backtest) -> dict[str, Draw]:
    """Return what draws each plot, by its name; those that need a truth, only where there is one."""
    plots = {"days": _days, "sources": _sources}
    if found.true_incidents:
        plots["delays"] = _delays
    if found.frontiers and found.true_incidents:
        plots["frontier"] = _frontier
    return {name: partial(draw, found) for name, draw in plots.items()}


def _frontier(found: Backtest, axes: Any) -> None:
    """Draw delay against watches a day that are not known to be true, over the budget."""
    for name, points in zip(names_of(found.outcomes), found.frontiers, strict=True):
        drawn: dict[tuple[float, float], list[str]] = {}
        for point in points:
            if point.watch_delay is not None:
                a_day = point.false_watches_a_day + point.unjudged_watches_a_day
                drawn.setdefault((a_day, point.watch_delay), []).append(f"×{point.factor:g}")
        axes.plot(*zip(*sorted(drawn), strict=True), marker="o", label=name)
        for at, factors in drawn.items():
            axes.annotate(" ".join(factors), at, xytext=(4, 6), textcoords="offset points", fontsize=8)
    axes.set(title="Delay and false alarms")
    axes.set(xlabel="watches a day that are not known to be true", ylabel="mean delay of the watch, minutes")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.margins(0.15)
    axes.legend()


def _delays(found: Backtest, axes: Any) -> None:
    """Draw each true incident's delay until the watch; one that was missed is marked."""
    height = 0.8 / len(found.outcomes)
    for number, (name, outcome) in enumerate(zip(names_of(found.outcomes), found.outcomes, strict=True)):
        rows = [row + number * height for row in range(len(outcome.found))]
        axes.barh(rows, [one.watch_minutes or 0.0 for one in outcome.found], height, label=name)
        for row, one in zip(rows, outcome.found, strict=True):
            if one.watch_minutes is None:
                axes.text(0, row, " missed", va="center", fontsize=8)
    first = found.outcomes[0].found
    axes.set_yticks(range(len(first)), [_label(one) for one in first])
    axes.invert_yaxis()
    axes.set(xlabel="minutes from the first post to the watch", title="Delay of each true incident")
    axes.legend()


def _label(one: Found) -> str:
    return one.label.get("en") or one.incident_id


def _days(found: Backtest, axes: Any) -> None:
    """Draw how many watches a day brings."""
    first, last = found.starts_at.astimezone(UTC).date(), found.ends_at.astimezone(UTC).date()
    all_days = [first + timedelta(days=number) for number in range((last - first).days + 1)]  # a day without one is 0
    for name, outcome in zip(names_of(found.outcomes), found.outcomes, strict=True):
        watches = Counter(one.watch_at.astimezone(UTC).date() for one in outcome.raised if one.watch_at)
        axes.step(all_days, [watches[day] for day in all_days], where="mid", marker="o", label=name)
    axes.set(xlabel="day (UTC)", ylabel="watches", title="Watches a day")
    axes.tick_params(axis="x", rotation=30)
    axes.legend()


def _sources(found: Backtest, axes: Any) -> None:
    """Draw the weight of each source in what was true and in what was false, by the first profile."""
    shares = found.outcomes[0].by_source
    names = [one.source for one in shares]
    axes.barh(names, [one.true_weight for one in shares], label="in what was true")
    axes.barh(names, [-one.false_weight for one in shares], label="in what was false")
    axes.invert_yaxis()
    axes.set(xlabel="weight of evidence, nats", title=f"What each source gave, by {names_of(found.outcomes)[0]}")
    axes.legend()

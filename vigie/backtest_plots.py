"""Plots of a backtest, as PNG: the frontier, each incident's delay, what a day brings, and what each source gave."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from records.backtest import Backtest, Found, Outcome

INCHES = (8.0, 5.0)
DPI = 120


def write_plots(found: Backtest, folder: Path) -> list[Path]:
    """Write the plots into a folder, made where it is not there; return their files."""
    folder.mkdir(parents=True, exist_ok=True)
    plots: dict[str, Callable[[Backtest, Any], None]] = {"days": _days, "sources": _sources}
    if found.true_incidents:
        plots["delays"] = _delays
    if found.frontiers:
        plots["frontier"] = _frontier
    return [_written(found, draw, folder / f"{name}.png") for name, draw in sorted(plots.items())]


def _written(found: Backtest, draw: Callable[[Backtest, Any], None], path: Path) -> Path:
    figure = Figure(figsize=INCHES, layout="constrained")
    draw(found, figure.subplots())
    figure.savefig(path, dpi=DPI)
    return path


def _name(outcome: Outcome) -> str:
    return f"{outcome.profile} {outcome.version}"


def _frontier(found: Backtest, axes: Any) -> None:
    """Draw delay against false watches a day, over the budget."""
    for outcome, points in zip(found.outcomes, found.frontiers, strict=True):
        drawn: dict[tuple[float, float], list[str]] = {}
        for point in points:
            if point.watch_delay is not None:
                drawn.setdefault((point.false_watches_a_day, point.watch_delay), []).append(f"×{point.factor:g}")
        axes.plot(*zip(*sorted(drawn), strict=True), marker="o", label=_name(outcome))
        for at, factors in drawn.items():
            axes.annotate(" ".join(factors), at, xytext=(4, 6), textcoords="offset points", fontsize=8)
    axes.set(xlabel="false watches a day", ylabel="mean delay of the watch, minutes", title="Delay and false alarms")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.margins(0.15)
    axes.legend()


def _delays(found: Backtest, axes: Any) -> None:
    """Draw each true incident's delay until the watch; one that was missed is marked."""
    height = 0.8 / len(found.outcomes)
    for number, outcome in enumerate(found.outcomes):
        rows = [row + number * height for row in range(len(outcome.found))]
        axes.barh(rows, [one.watch_minutes or 0.0 for one in outcome.found], height, label=_name(outcome))
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
    for outcome in found.outcomes:
        days: Counter[date] = Counter(one.watch_at.date() for one in outcome.raised if one.watch_at)
        axes.step(sorted(days), [days[day] for day in sorted(days)], where="mid", marker="o", label=_name(outcome))
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
    axes.set(xlabel="weight of evidence, nats", title=f"What each source gave, by {_name(found.outcomes[0])}")
    axes.legend()

"""Plots of the benchmarks of speed: what a post costs and where, how soon it is decided, what more workers bring."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from math import isfinite
from typing import Any

from vigie.bench.latency import Buckets, Latency
from vigie.bench.scale import Scale
from vigie.bench.throughput import Throughput
from vigie.plotting import Draw

STEPS = {
    "gate_us": ("edge", "the gate"),
    "read_us": ("reader", "reading"),
    "place_us": ("worker", "placing"),
    "detect_us": ("worker", "deciding"),
}
"""Of each step of the plain loop: the process that takes it in the pipeline, and its name."""
ALL = "all"
BAR = 0.38  # of the height of a row: two of them side by side


def throughput_plot(found: Throughput) -> dict[str, Draw]:
    """Return what draws the processor time a post, of each process beside the steps that it takes in the plain loop."""
    return {"throughput": partial(_throughput, found)}


def latency_plot(found: Latency) -> dict[str, Draw]:
    """Return what draws the share of posts that were decided, and told of, within a time; nothing where none was."""
    return {"latency": partial(_latency, found)} if found.decisions else {}


def scale_plot(found: Sequence[Scale]) -> dict[str, Draw]:
    """Return what draws work and posts a second against workers, as times what one worker does."""
    return {"scale": partial(_scale, found)}


def _throughput(found: Throughput, axes: Any) -> None:
    spent = {**found.cpu_us_per_post, ALL: found.cpu_us_per_post_all}
    rows = {name: row for row, name in enumerate(spent)}
    own = axes.barh([row - BAR / 2 for row in rows.values()], list(spent.values()), BAR, label="Vigie", color="0.7")
    axes.bar_label(own, fmt="%.1f", padding=3)
    reached = dict.fromkeys(rows, 0.0)
    for field, us in asdict(found.stages).items():
        process, step = STEPS[field]
        names = (process if process in rows else "worker", ALL)  # where none reads for it, a worker does
        at = [rows[name] + BAR / 2 for name in names]
        bars = axes.barh(at, us, BAR, left=[reached[name] for name in names], label=f"plain loop: {step}, {us:.1f}")
        axes.bar_label(bars, labels=[f"{us:.1f}"] * len(names), label_type="center", fontsize=8)
        reached |= {name: reached[name] + us for name in names}
    axes.set_yticks(list(rows.values()), list(rows))
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.set(xlabel="microseconds of processor time for each post offered")
    axes.set_title(
        f"{found.posts_per_sec:,.0f} posts/s, {found.ratio:.2f} of the plain loop's {found.ceiling_posts_per_sec:,.0f} "
        f"({found.cpu_ratio:.2f} by processor time)\n"
        f"{found.offered:,} posts, {found.pass_ratio * 100:g} % through the gate"
    )
    axes.legend()


def _latency(found: Latency, axes: Any) -> None:
    decided = {"p50": found.p50_secs, "p99": found.p99_secs}
    _cumulative(axes, f"receipt to decision ({found.decisions:,})", found.histogram, decided)
    alerted = {"p50": found.alert_p50_secs, "p99": found.alert_p99_secs}
    _cumulative(axes, f"receipt to alert ({found.alerts:,})", found.alert_histogram, alerted)
    edges = [float(edge) for edge in found.histogram if float(edge) <= axes.dataLim.x1]
    axes.set(xscale="log", xlabel="seconds", ylabel="share within that time", ylim=(0.0, 1.05))
    axes.set_xticks(edges, [f"{edge:g}" for edge in edges], rotation=60)
    axes.minorticks_off()
    axes.margins(x=0.1)
    axes.set_title(
        f"{found.offered_per_sec:,g} posts/s offered, {found.posts:,} posts, "
        f"{found.pass_ratio * 100:g} % through the gate"
    )
    axes.legend(loc="upper left")


def _cumulative(axes: Any, name: str, histogram: Buckets, quantiles: dict[str, float | None]) -> None:
    """Draw a histogram up to the edge within which all lies, its quantiles marked; nothing where nothing is in it."""
    known = {share: secs for share, secs in quantiles.items() if secs is not None}
    if not known:
        return
    whole = max(histogram.values())
    points = sorted((float(edge), count / whole) for edge, count in histogram.items())
    last = next(edge for edge, share in points if share == 1.0)
    shown = [(edge, share) for edge, share in points if edge <= last and isfinite(edge)]
    label = ", ".join([name, *(f"{share} ≤ {secs:g} s" for share, secs in known.items())])
    (line,) = axes.plot(*zip(*shown, strict=True), marker=".", label=label)
    reached = dict(shown)
    for share, secs in known.items():
        if secs in reached:
            axes.plot(secs, reached[secs], marker="o", color=line.get_color())
            _note(axes, share, secs, reached[secs], lift=-12)


def _scale(found: Sequence[Scale], axes: Any) -> None:
    first = found[0]
    rows = sorted(found, key=lambda one: one.workers)
    workers = [one.workers for one in rows]
    rates = [one.posts_per_sec / first.posts_per_sec * first.workers for one in rows]
    axes.plot([0, workers[-1]], [0, workers[-1]], linestyle="--", color="0.6", label="ideal")
    axes.plot(workers, [one.speedup_by_cpu for one in rows], marker="o", label="work, by processor time")
    axes.plot(workers, rates, marker="s", label="posts/s, by the clock: no more than the cores give")
    for one, rate in zip(rows, rates, strict=True):
        _note(axes, f"×{one.speedup_by_cpu:g}", one.workers, one.speedup_by_cpu, lift=4)
        _note(axes, f"{one.posts_per_sec:,.0f} posts/s", one.workers, rate, lift=-12)
    axes.set_xticks(workers)
    axes.set(xlabel="workers", ylabel="times what one worker does", xlim=(0, workers[-1] * 1.2), ylim=(0, None))
    axes.set_title(f"{first.posts:,} posts that passed the gate, {first.partitions} partitions")
    axes.legend()


def _note(axes: Any, text: str, x: float, y: float, *, lift: int) -> None:
    """Write something beside a point, so many points of the page above it."""
    axes.annotate(text, (x, y), xytext=(6, lift), textcoords="offset points")

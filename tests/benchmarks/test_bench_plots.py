"""Plots of the benchmarks of speed, drawn from reports that are made up; what they show stands in them."""

from dataclasses import replace
from typing import Any

import pytest
from matplotlib.figure import Figure

from vigie.bench.ceiling import Stages
from vigie.bench.latency import Latency, quantile
from vigie.bench.plots import latency_plot, scale_plot, throughput_plot
from vigie.bench.scale import Scale
from vigie.bench.throughput import Throughput
from vigie.plotting import Draw

THROUGHPUT = Throughput(
    offered=100_000,
    pass_ratio=0.03,
    posts_per_sec=18_948,
    ceiling_posts_per_sec=32_890,
    ratio=0.576,
    cpu_us_per_post={"edge": 14.1, "broker": 3.4, "worker": 35.9, "reader": 28.2},
    cpu_us_per_post_all=81.6,
    cpu_ratio=0.694,
    cores_used=1.54,
    raw_posts_per_sec=210_000,
    raw_ratio=0.0027,
    memory_mb={"worker": 278.0},
    ready_secs=5.9,
    stages=Stages(gate_us=7.1, read_us=28.4, place_us=14.5, detect_us=6.6),
)
DECIDED = {"0.05": 0.0, "0.1": 300.0, "0.2": 594.0, "0.5": 600.0, "1.0": 600.0, "+Inf": 600.0}
TOLD = {"0.05": 0.0, "0.1": 2.0, "0.2": 8.0, "0.5": 10.0, "1.0": 10.0, "+Inf": 10.0}
LATENCY = Latency(
    asked_per_sec=1_000.0,
    offered_per_sec=1_000.0,
    pass_ratio=0.2,
    posts=20_000,
    decisions=600,
    p50_secs=0.1,
    p99_secs=0.2,
    alerts=10,
    alert_p50_secs=0.2,
    alert_p99_secs=0.5,
    histogram=DECIDED,
    alert_histogram=TOLD,
)
ONE = Scale(
    workers=1,
    partitions=16,
    posts=4_000,
    posts_per_sec=900.0,
    cpu_us_per_post=1_100.0,
    efficiency=1.0,
    speedup_by_cpu=1.0,
    busiest_share=1.0,
    busiest_signals_share=1.0,
    memory_mb=600.0,
    ready_secs=6.0,
)
FOUR = replace(ONE, workers=4, posts_per_sec=1_035.0, efficiency=0.84, speedup_by_cpu=3.36)


def drawn(plots: dict[str, Draw]) -> Any:
    """Return the axes onto which the one plot was drawn."""
    (draw,) = plots.values()
    axes = Figure().subplots()
    draw(axes)
    return axes


def words(axes: Any) -> list[str]:
    """Return all that is written within a plot."""
    return [text.get_text() for text in (*axes.texts, *axes.get_legend().get_texts())]


def widths(axes: Any, row: str, label: str) -> list[float]:
    """Return how far the bars of one kind reach in one row."""
    at = [tick.get_text() for tick in axes.get_yticklabels()].index(row)
    bars = [bar for kind in axes.containers if kind.get_label().startswith(label) for bar in kind]
    return [round(bar.get_width(), 1) for bar in bars if abs(bar.get_y() + bar.get_height() / 2 - at) < 0.5]


def points(axes: Any, label: str) -> list[tuple[float, float]]:
    """Return the points of one line."""
    (line,) = (line for line in axes.lines if line.get_label().startswith(label))
    return [(float(x), round(float(y), 3)) for x, y in line.get_xydata()]


def test_each_process_stands_beside_the_steps_that_it_takes_in_the_plain_loop() -> None:
    axes = drawn(throughput_plot(THROUGHPUT))
    rows = [tick.get_text() for tick in axes.get_yticklabels()]
    assert {row: widths(axes, row, "Vigie") for row in rows} == {
        "edge": [14.1],
        "broker": [3.4],
        "worker": [35.9],
        "reader": [28.2],
        "all": [81.6],
    }
    assert {row: widths(axes, row, "plain loop") for row in rows} == {
        "edge": [7.1],
        "broker": [],
        "worker": [14.5, 6.6],
        "reader": [28.4],
        "all": [7.1, 28.4, 14.5, 6.6],
    }
    assert {"14.1", "81.6", "plain loop: deciding, 6.6"} <= set(words(axes))
    assert axes.get_title() == (
        "18,948 posts/s, 0.58 of the plain loop's 32,890 (0.69 by processor time)\n100,000 posts, 3 % through the gate"
    )


def test_where_none_reads_for_it_a_worker_reads_itself() -> None:
    processes = {"edge": 14.1, "broker": 3.4, "worker": 64.1}
    axes = drawn(throughput_plot(replace(THROUGHPUT, cpu_us_per_post=processes)))
    assert widths(axes, "worker", "plain loop") == [28.4, 14.5, 6.6]


def test_the_share_within_a_time_is_drawn_up_to_where_all_lies_and_the_quantiles_are_marked() -> None:
    axes = drawn(latency_plot(LATENCY))
    assert points(axes, "receipt to decision") == [(0.05, 0.0), (0.1, 0.5), (0.2, 0.99), (0.5, 1.0)]
    assert points(axes, "receipt to alert") == [(0.05, 0.0), (0.1, 0.2), (0.2, 0.8), (0.5, 1.0)]
    assert {(0.1, 0.5), (0.2, 0.99), (0.2, 0.8), (0.5, 1.0)} == {
        note.xy for note in axes.texts if note.get_text() in {"p50", "p99"}
    }
    assert "receipt to decision (600), p50 ≤ 0.1 s, p99 ≤ 0.2 s" in words(axes)
    assert "receipt to alert (10), p50 ≤ 0.2 s, p99 ≤ 0.5 s" in words(axes)
    assert "1,000 posts/s" in axes.get_title()


def test_without_alerts_only_decisions_are_drawn_and_without_decisions_nothing() -> None:
    silent = replace(LATENCY, alerts=0, alert_p50_secs=None, alert_p99_secs=None, alert_histogram={})
    assert not [text for text in words(drawn(latency_plot(silent))) if "alert" in text]
    assert latency_plot(replace(silent, decisions=0, p50_secs=None, p99_secs=None)) == {}


def test_what_takes_longer_than_the_last_edge_is_left_open() -> None:
    slow = replace(LATENCY, p99_secs=float("inf"), histogram={"0.1": 300.0, "0.2": 500.0, "+Inf": 600.0})
    axes = drawn(latency_plot(slow))
    assert points(axes, "receipt to decision") == [(0.1, 0.5), (0.2, 0.833)]
    assert "receipt to decision (600), p50 ≤ 0.1 s, p99 ≤ inf s" in words(axes)


@pytest.mark.parametrize("found", [[ONE, FOUR], [FOUR, ONE]], ids=["as usual", "the larger first"])
def test_work_and_posts_a_second_are_drawn_as_times_what_one_worker_does(found: list[Scale]) -> None:
    axes = drawn(scale_plot(found))
    rates = (900.0, 1_035.0)
    assert points(axes, "ideal") == [(0.0, 0.0), (4.0, 4.0)]
    assert points(axes, "work") == [(1.0, 1.0), (4.0, 3.36)]
    first = found[0].posts_per_sec / found[0].workers
    assert points(axes, "posts/s") == [(1.0, round(rates[0] / first, 3)), (4.0, round(rates[1] / first, 3))]
    assert {"×1", "×3.36", "900 posts/s", "1,035 posts/s"} <= set(words(axes))


def test_without_values_there_is_no_quantile() -> None:
    assert quantile({}, 0.5) is None
    assert quantile({"0.05": 0.0, "+Inf": 0.0}, 0.5) is None

"""Latency: from our receiving a post to the decision on its signal, and to the alert it causes, at a steady rate."""

import time
from dataclasses import dataclass
from pathlib import Path

import uvloop

from models.gate import Gate
from vigie.bench.ceiling import WARM
from vigie.bench.load import Texts, load
from vigie.bench.pipeline import offer, warm_pipeline
from vigie.loading import loading
from vigie.pipeline import Pipeline

DECISION, ALERT = "vigie_post_to_decision_seconds", "vigie_post_to_alert_seconds"

Buckets = dict[str, float]
"""A histogram: how many values lie at or below each edge, in seconds."""


@dataclass(frozen=True)
class Latency:
    """How long it took at one rate; the upper edges of the buckets in which the values lie."""

    asked_per_sec: float
    offered_per_sec: float  # less than asked where the edge could not take them in time
    pass_ratio: float
    posts: int
    decisions: int
    p50_secs: float | None  # None where nothing was decided
    p99_secs: float | None
    alerts: int
    alert_p50_secs: float | None  # None without alerts
    alert_p99_secs: float | None
    histogram: Buckets
    alert_histogram: Buckets


def latency(rate: float, secs: float, pass_ratio: float, texts: Path | None = None) -> Latency:
    """Measure at a steady rate, after some posts at full speed."""
    with loading():  # as an edge does
        passes = Gate.load()
        posts = load(WARM + int(rate * secs), pass_ratio, Texts(passes, texts), rate=rate)

    async def measured() -> tuple[float, Buckets, Buckets]:
        async with warm_pipeline(posts[:WARM], passes) as (pipeline, _):
            before = {name: buckets(pipeline, name) for name in (DECISION, ALERT)}
            began = time.monotonic()
            await offer(pipeline, posts[WARM:], passes, rate=rate)
            offered_secs = time.monotonic() - began
            await pipeline.drained()
            after = {name: buckets(pipeline, name) for name in (DECISION, ALERT)}
            decided, alerted = ({e: n - before[name].get(e, 0) for e, n in after[name].items()} for name in after)
            return offered_secs, decided, alerted

    offered_secs, decided, alerted = uvloop.run(measured())
    return Latency(
        asked_per_sec=rate,
        offered_per_sec=round((len(posts) - WARM) / offered_secs, 1),
        pass_ratio=pass_ratio,
        posts=len(posts) - WARM,
        decisions=int(max(decided.values(), default=0)),
        p50_secs=quantile(decided, 0.5),
        p99_secs=quantile(decided, 0.99),
        alerts=int(max(alerted.values(), default=0)),
        alert_p50_secs=quantile(alerted, 0.5),
        alert_p99_secs=quantile(alerted, 0.99),
        histogram=decided,
        alert_histogram=alerted,
    )


def quantile(cumulative: Buckets, share: float) -> float | None:
    """Return the upper edge of the bucket in which a share of the values lies, in seconds; None without values."""
    edges = sorted((float(edge), count) for edge, count in cumulative.items())
    whole = max(cumulative.values(), default=0.0)
    return next(edge for edge, count in edges if count >= share * whole) if whole else None


def buckets(pipeline: Pipeline, name: str) -> Buckets:
    """Return a histogram of the worker, all its labels together."""
    found: Buckets = {}
    for line in pipeline.worker.metrics().splitlines():
        if line.startswith(f"{name}_bucket{{"):
            labels, _, value = line.rpartition(" ")
            edge = labels.rpartition('le="')[2].partition('"')[0]
            found[edge] = found.get(edge, 0.0) + float(value)
    return found

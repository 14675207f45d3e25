"""Throughput: posts a second from the edge to the decision, beside the ceiling of the same run."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import uvloop

from models.gate import Gate
from records import Post
from vigie.bench.ceiling import WARM, Stages, ceiling
from vigie.bench.load import Texts, load
from vigie.bench.pipeline import Meter, Spent, offer, raw_rate, warm_pipeline
from vigie.loading import loading


@dataclass(frozen=True)
class Throughput:
    """One run of the pipeline at full speed, and its ceiling.

    Units   posts a second as offered to the gate, but for the raw ones, which are those that passed; microseconds of
            processor time reckoned on each post offered; millions of bytes
    """

    offered: int
    pass_ratio: float
    posts_per_sec: float
    ceiling_posts_per_sec: float  # the plain loop, one process a core
    ratio: float
    cpu_us_per_post: dict[str, float]  # by process
    cpu_us_per_post_all: float
    cpu_ratio: float  # processor time of the loop / of the pipeline: what the ratio would be were both cores full
    cores_used: float
    raw_posts_per_sec: float  # that passed, their bytes read from the topic and nothing done with them
    raw_ratio: float  # posts that passed, handled a second / raw ones
    memory_mb: dict[str, float]
    ready_secs: float  # from the worker's start
    stages: Stages


def throughput(count: int, pass_ratio: float, texts: Path | None = None) -> Throughput:
    """Measure the pipeline at full speed, then the ceiling."""
    with loading():  # as an edge does
        passes = Gate.load()
        posts = load(WARM + count, pass_ratio, Texts(passes, texts))
    found = uvloop.run(_run(posts, passes))
    most = ceiling(count, pass_ratio, texts)
    cpu_secs, rate = found.spent.cpu_secs, count / found.spent.secs
    each = {name: round(secs / count * 1e6, 1) for name, secs in cpu_secs.items()}
    everything = sum(cpu_secs.values()) / count * 1e6
    return Throughput(
        offered=count,
        pass_ratio=pass_ratio,
        posts_per_sec=round(rate),
        ceiling_posts_per_sec=round(most.posts_per_sec),
        ratio=round(rate / most.posts_per_sec, 3),
        cpu_us_per_post=each,
        cpu_us_per_post_all=round(everything, 1),
        cpu_ratio=round(sum(asdict(most.stages).values()) / everything, 3),
        cores_used=round(sum(cpu_secs.values()) / found.spent.secs, 2),
        raw_posts_per_sec=round(found.raw_posts_per_sec),
        raw_ratio=round(rate * pass_ratio / found.raw_posts_per_sec, 4),
        memory_mb=found.memory_mb,
        ready_secs=round(found.ready_secs, 1),
        stages=most.stages,
    )


class _Run(NamedTuple):
    """What the pipeline used."""

    spent: Spent
    memory_mb: dict[str, float]
    raw_posts_per_sec: float
    ready_secs: float


async def _run(posts: Sequence[Post], passes: Gate) -> _Run:
    async with warm_pipeline(posts[:WARM], passes) as (pipeline, ready_secs):
        meter = Meter(pipeline)
        await offer(pipeline, posts[WARM:], passes)
        await pipeline.drained()
        return _Run(meter.spent(), meter.memory_mb(), await raw_rate(pipeline.streams), ready_secs)

"""The pipeline under load: what it costs, by process, from the edge to the decision."""

import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from connectors import runner
from connectors.contract import Unobserved
from connectors.cursors import ForgetfulCursors
from records import Post, SystemClock
from streams.reader import consumer_of, ends_of, is_past
from streams.settings import StreamSettings
from streams.topics import POSTS
from vigie.bench.ceiling import SETTINGS
from vigie.bench.load import Paced
from vigie.bench.processes import cpu_secs, family, memory_mb
from vigie.pipeline import Pipeline, PipelineFailed

PARTITIONS = 4


@dataclass(frozen=True)
class Spent:
    """What a run took: seconds by the clock, and processor time by process."""

    secs: float
    cpu_secs: dict[str, float]


@dataclass
class Meter:
    """The processes of a pipeline, and what they have used; the edge is this one."""

    pipeline: Pipeline
    began: float = field(default_factory=time.monotonic)
    before: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.before = self._cpu_secs()

    def pids(self) -> dict[str, int]:
        """Return who does what: the worker's own process, and the one that reads for it."""
        worker, *others = family(_pid_of(self.pipeline.worker.process))
        reading = {"reader": others[0]} if others else {}
        return {"edge": os.getpid(), "broker": _pid_of(self.pipeline.broker.process), "worker": worker, **reading}

    def memory_mb(self) -> dict[str, float]:
        """Return what each holds now; this process holds the whole load besides."""
        return {name: round(memory_mb(pid)) for name, pid in self.pids().items() if name != "edge"}

    def spent(self) -> Spent:
        """Return what has been used since the beginning."""
        now = self._cpu_secs()
        return Spent(time.monotonic() - self.began, {name: now[name] - self.before[name] for name in now})

    def _cpu_secs(self) -> dict[str, float]:
        return {name: cpu_secs(pid) for name, pid in self.pids().items()}


def _pid_of(process: object) -> int:
    pid = getattr(process, "pid", None)
    if not isinstance(pid, int):
        raise PipelineFailed("the pipeline is not started")
    return pid


class Warm(NamedTuple):
    """A pipeline that has handled some posts, and how long its worker took from its start until it was ready."""

    pipeline: Pipeline
    ready_secs: float


@asynccontextmanager
async def warm_pipeline(posts: Sequence[Post], passes: Callable[[str], bool]) -> AsyncIterator[Warm]:
    """Start a pipeline, and let it handle some posts first."""
    pipeline = Pipeline(SETTINGS, partitions=PARTITIONS, is_exact=False)
    came: dict[str, float] = {}
    try:
        await pipeline.start(lambda what: came.update({what: time.monotonic()}))
        await offer(pipeline, posts, passes)
        await pipeline.drained()
        yield Warm(pipeline, came["ready"] - came["worker"])
    finally:
        await pipeline.stop()


async def offer(pipeline: Pipeline, posts: Sequence[Post], passes: Callable[[str], bool], *, rate: float = 0.0) -> None:
    """Offer posts at the edge; return when the broker has what passed."""
    clock = SystemClock()
    await runner.run(
        Paced(posts, rate, clock),
        gate=passes,
        publisher=pipeline,
        cursors=ForgetfulCursors(),
        observer=Unobserved(),
        clock=clock,
    )


async def raw_rate(streams: StreamSettings) -> float:
    """Return the values a second at which what stands on the topic of posts can be fetched by who is connected."""
    async with consumer_of(streams, POSTS) as consumer:
        ends, read, began = await ends_of(streams, consumer), 0, time.monotonic()
        while not await is_past(consumer, ends):
            read += sum(map(len, (await consumer.getmany(timeout_ms=200)).values()))
        return read / (time.monotonic() - began)

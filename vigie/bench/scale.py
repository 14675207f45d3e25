"""Scale: what more workers bring, on one broker, with load that is spread or that speaks of one town.

As many workers as are asked for take up what is on the topic. What counts is the processor time a post: posts a second
tell of the machine, where it has fewer cores than there are processes.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import uvloop

from models.gate import Gate
from records import Post
from streams.declaring import declare_topics
from streams.publisher import KafkaPublisher
from streams.settings import StreamSettings
from streams.topics import POSTS, SIGNALS
from vigie.bench.load import Texts, load
from vigie.bench.processes import cpu_secs, family, memory_mb
from vigie.broker import EmbeddedBroker, free_port
from vigie.children import Child
from vigie.pipeline import PipelineFailed

Told = Mapping[str, Any]  # what a worker's health page says

LOOK_SECS = 0.2
READY_SECS = 180.0


@dataclass(frozen=True)
class Scale:
    """One number of workers.

    Units   posts that passed the gate: a second by the clock, microseconds of processor time of all workers for each;
            the efficiency is that of a post with one worker / with so many
    """

    workers: int
    partitions: int
    posts: int
    posts_per_sec: float
    cpu_us_per_post: float
    efficiency: float
    speedup_by_cpu: float  # workers * efficiency: how many times one worker's work, were there a core for each
    busiest_share: float  # of all posts, what the busiest worker took: 1/workers where they share alike
    busiest_signals_share: float  # and of all signals, whose keys are areas: a town on fire is one worker's
    memory_mb: float  # of the largest worker, with the process that reads for it
    ready_secs: float  # from the start of the workers until all are ready


def scale(workers: Sequence[int], partitions: int, count: int, pass_ratio: float, texts: Path | None) -> list[Scale]:
    """Measure each number of workers on a broker of its own, over the same posts."""
    passes = Gate.load()
    share = int(count / pass_ratio)
    posts = [post for post in load(share, pass_ratio, Texts(passes, texts)) if passes(post.text)]
    found: list[Scale] = []
    for number in workers:
        one = uvloop.run(_measured(number, partitions, posts))
        efficiency = (found[0] if found else one).cpu_us_per_post / one.cpu_us_per_post
        found.append(replace(one, efficiency=round(efficiency, 3), speedup_by_cpu=round(number * efficiency, 2)))
    return found


async def _measured(workers: int, partitions: int, posts: Sequence[Post]) -> Scale:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vigie-")))
        broker = EmbeddedBroker(log_path=folder / "broker.log")
        stack.callback(broker.stop)
        broker.start()
        # not said to be embedded: its workers would be taken for gone after a second of silence
        streams = StreamSettings(kafka_url=broker.url, data_dir=folder, partitions=partitions, has_ticks=False)
        await declare_topics(streams)
        publisher = KafkaPublisher(streams)
        stack.push_async_callback(publisher.stop)
        children = [_worker(number, streams, folder) for number in range(workers)]
        began = time.monotonic()
        for child in children:
            stack.callback(child.stop)
            child.start()
        await _until(children, lambda told: all(one.get("ready") for one in told))
        ready_secs = time.monotonic() - began
        before, began = [_cpu_secs(child) for child in children], time.monotonic()
        await publisher.posts(posts)
        told = await _until(children, lambda told: _is_drained(told, len(posts)))
        secs = time.monotonic() - began
        spent = sum(_cpu_secs(child) for child in children) - sum(before)
        taken, decided = ([int(one["handled"].get(topic.name, 0)) for one in told] for topic in (POSTS, SIGNALS))
        return Scale(
            workers=workers,
            partitions=partitions,
            posts=len(posts),
            posts_per_sec=round(len(posts) / secs),
            cpu_us_per_post=round(spent / len(posts) * 1e6),
            efficiency=1.0,
            speedup_by_cpu=1.0,
            busiest_share=round(max(taken) / sum(taken), 3),
            busiest_signals_share=round(max(decided) / max(sum(decided), 1), 3),
            memory_mb=round(max(_memory_mb(child) for child in children)),
            ready_secs=round(ready_secs, 1),
        )


def _worker(number: int, streams: StreamSettings, folder: Path) -> Child:
    port = free_port()
    environ = {
        "VIGIE_SETTINGS": os.devnull,
        "VIGIE_KAFKA_URL": streams.kafka_url,
        "VIGIE_KAFKA_PARTITIONS": str(streams.partitions),
        "VIGIE_WORKER_HEALTH_PORT": str(port),
        "VIGIE_DATA_DIR": str(folder / f"worker-{number}"),
        "VIGIE_TERRITORY_PROFILE": "world",
    }
    return Child(f"worker {number}", ["worker", "--recorded"], environ=environ, health_port=port)


async def _until(children: Sequence[Child], is_so: Callable[[Sequence[Told]], bool]) -> Sequence[Told]:
    """Return what the workers tell once it is so.

    Errors  PipelineFailed when one ends, or it takes too long
    """
    deadline = time.monotonic() + READY_SECS
    while True:
        told = [await asyncio.to_thread(_told_by, child) for child in children]
        if is_so(told):
            return told
        if time.monotonic() > deadline or any(not child.is_running for child in children):
            raise PipelineFailed("the workers did not get there; their log stands above")
        await asyncio.sleep(LOOK_SECS)


def _told_by(child: Child) -> Told:
    return child.health() or {}


def _is_drained(told: Sequence[Told], posts: int) -> bool:
    def all_of(kind: str, topic: str) -> int:
        return sum(one.get(kind, {}).get(topic, 0) for one in told)

    return all_of("handled", POSTS.name) >= posts and all_of("handled", SIGNALS.name) >= all_of("sent", SIGNALS.name)


def _cpu_secs(child: Child) -> float:
    return sum(cpu_secs(pid) for pid in family(_pid(child)))


def _memory_mb(child: Child) -> float:
    return sum(memory_mb(pid) for pid in family(_pid(child)))


def _pid(child: Child) -> int:
    if child.process is None:
        raise PipelineFailed(f"{child.name} is not started")
    return child.process.pid

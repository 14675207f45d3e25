"""`vigie bench`: how many posts a second go from the edge to a decision, beside the ceiling of the same run.

The ceiling is a plain loop of the same functions (gate, enrich, detect), without broker, codec and processes, on as
many cores as the pipeline has. Figures depend on the machine; ratios less so.
"""

import asyncio
import csv
import json
import multiprocessing
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import uvloop
from msgspec.structs import replace

from connectors import runner
from connectors.contract import Capabilities, Reading, Unobserved
from connectors.cursors import ForgetfulCursors
from detectors.detector import Shelf
from models.gate import Gate
from records import Clock, Post, SettingsError, SystemClock
from streams.state import DictState
from vigie import assembly
from vigie.pipeline import Pipeline
from vigie.settings import Settings, Territory

BATCH = 64
CORES = 2
SEED = 20120130
TINY = 1e-9  # 3 % of 100 is 3, whatever floats say
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
CHECKOUT = Path(__file__).resolve().parent.parent
CORPUS = CHECKOUT / "models" / "corpus"
DETECTION = CHECKOUT / "tests" / "benchmarks" / "detection"


@dataclass(frozen=True)
class Throughput:
    """One run of the pipeline at full speed, and the ceiling."""

    offered: int
    pass_ratio: float
    posts_per_sec: float
    ceiling_posts_per_sec: float  # the plain loop, one process a core
    ratio: float
    cpu_us_per_post: float  # edge, broker and worker together
    worker_memory_mb: float
    broker_memory_mb: float


@dataclass(frozen=True)
class Latency:
    """From our receiving a post to the decision on its signal, at a steady offered rate."""

    offered_per_sec: float
    posts: int
    p50_secs: float
    p99_secs: float


def load(count: int, pass_ratio: float, passes: Gate) -> list[Post]:
    """Return posts with the corpus's texts, of which a share passes the gate; the same ones each time.

    Shape   texts repeat, but each post has its own author and place name, so that nothing is folded as a copy
    """
    chance = random.Random(SEED)  # noqa: S311  a load, not a secret
    texts = sorted({row["text"] for path in CORPUS.rglob("*.tsv") for row in _rows(path)})
    inside = [text for text in texts if passes(text)]
    outside = [text for text in texts if not passes(text)]
    towns = ("Le Havre", "Rouen", "Lyon", "Nantes", "Lille", "Dunkerque", "Martigues", "Toulouse", "Dieppe", "Caen")
    now = datetime.now(UTC)
    posts = []
    for number in range(count):
        is_inside = int((number + 1) * pass_ratio + TINY) > int(number * pass_ratio + TINY)
        text = chance.choice(inside if is_inside else outside)
        if is_inside:
            text = f"{text} {chance.choice(towns)} {number:x}"
        posts.append(
            Post(
                source="bench",
                id=str(number),
                posted_at=now,
                received_at=now,
                author_id=f"{number % 5000:x}",
                text=text,
            )
        )
    return posts


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


class Paced:
    """A source that offers posts at a rate, each received when it is offered; rate 0: as fast as they are taken."""

    name = "bench"
    is_trusted = False
    capabilities = Capabilities()

    def __init__(self, posts: Sequence[Post], rate: float, clock: Clock) -> None:
        self.posts = posts
        self.rate = rate
        self.clock = clock

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        """Yield the posts once."""
        began = time.monotonic()
        for number, post in enumerate(self.posts):
            if not self.rate:
                yield Reading(str(number), post)
                continue
            wait = began + number / self.rate - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            yield Reading(str(number), replace(post, received_at=self.clock.now()))


def throughput(count: int, pass_ratio: float) -> Throughput:
    """Measure the pipeline at full speed, then the ceiling."""
    passes = Gate.load()
    posts = load(count, pass_ratio, passes)
    pipeline_rate, cpu_secs, memory = uvloop.run(_pipeline_rate(posts, passes))
    ceiling = ceiling_rate(count, pass_ratio)
    return Throughput(
        offered=count,
        pass_ratio=pass_ratio,
        posts_per_sec=round(pipeline_rate),
        ceiling_posts_per_sec=round(ceiling),
        ratio=round(pipeline_rate / ceiling, 3),
        cpu_us_per_post=round(cpu_secs / count * 1e6, 1),
        worker_memory_mb=round(memory["worker"] / 1e6),
        broker_memory_mb=round(memory["broker"] / 1e6),
    )


def _settings() -> Settings:
    return Settings(territory=Territory(profile="world"))


async def _pipeline_rate(posts: Sequence[Post], passes: Gate) -> tuple[float, float, dict[str, float]]:
    async with Pipeline(_settings(), partitions=4, is_exact=False) as pipeline:
        await _offer(pipeline, posts[: BATCH * 50], passes, rate=0)  # warm
        await pipeline.drained()
        cpu = _cpu_secs(pipeline)
        began = time.monotonic()
        await _offer(pipeline, posts, passes, rate=0)
        await pipeline.drained()
        took = time.monotonic() - began
        memory = {"worker": _memory(pipeline.worker.process), "broker": float(pipeline.broker.memory_bytes())}
        return len(posts) / took, _cpu_secs(pipeline) - cpu, memory


async def _offer(pipeline: Pipeline, posts: Sequence[Post], passes: Gate, *, rate: float) -> None:
    clock = SystemClock()
    await runner.run(
        Paced(posts, rate, clock),
        gate=passes,
        publisher=pipeline,
        cursors=ForgetfulCursors(),
        observer=Unobserved(),
        clock=clock,
    )


def latency(rate: float, secs: float, pass_ratio: float) -> Latency:
    """Measure the time from receipt to decision at a steady rate."""
    passes = Gate.load()
    posts = load(int(rate * secs), pass_ratio, passes)

    async def measured() -> dict[str, float]:
        async with Pipeline(_settings(), partitions=4, is_exact=False) as pipeline:
            await _offer(pipeline, posts[: BATCH * 10], passes, rate=0)
            await pipeline.drained()
            before = _latencies(pipeline)
            await _offer(pipeline, posts, passes, rate=rate)
            await pipeline.drained()
            return {edge: count - before.get(edge, 0) for edge, count in _latencies(pipeline).items()}

    buckets = uvloop.run(measured())
    return Latency(rate, len(posts), quantile(buckets, 0.5), quantile(buckets, 0.99))


def quantile(cumulative: dict[str, float], share: float) -> float:
    """Return the upper edge of the histogram bucket in which a share of the values lies, in seconds."""
    edges = sorted((float(edge), count) for edge, count in cumulative.items())
    whole = edges[-1][1]
    return next(edge for edge, count in edges if count >= share * whole)


def _latencies(pipeline: Pipeline) -> dict[str, float]:
    page = pipeline.worker.metrics()
    prefix = 'vigie_post_to_decision_seconds_bucket{le="'
    found: dict[str, float] = {}
    for line in page.splitlines():
        if line.startswith(prefix):
            edge, _, value = line.removeprefix(prefix).partition('"} ')
            found[edge] = float(value)
    return found


def ceiling_rate(count: int, pass_ratio: float) -> float:
    """Return the posts a second of the plain loop, one process a core, all at once."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(CORES) as pool:
        rates = pool.starmap(loop_rate, [(count // CORES, pass_ratio)] * CORES, chunksize=1)
    return float(sum(rates))


def loop_rate(count: int, pass_ratio: float) -> float:
    """Return the posts a second of gate, enrich and detect in a loop."""
    passes = Gate.load()
    steps = assembly.steps(_settings())
    posts = load(count, pass_ratio, passes)
    table = DictState()
    shelf = Shelf(table)
    _loop(posts[: BATCH * 10], passes, steps, shelf, table)
    began = time.monotonic()
    _loop(posts, passes, steps, shelf, table)
    return count / (time.monotonic() - began)


def _loop(posts: Sequence[Post], passes: Gate, steps: Any, shelf: Shelf, table: DictState) -> None:
    kept = [post for post in posts if passes(post.text)]
    for start in range(0, len(kept), BATCH):
        results = steps.enrich(kept[start : start + BATCH])
        detected = steps.detect([signal for result in results for signal in result.signals], shelf)
        table.keep(detected.changes)


def _cpu_secs(pipeline: Pipeline) -> float:
    times = os.times()
    return times.user + times.system + sum(_process_secs(p) for p in (pipeline.worker.process, pipeline.broker.process))


def _process_secs(process: Any) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND  # utime, stime: proc(5)


def _memory(process: Any) -> float:
    return float(int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))


def detection(arguments: Sequence[str], *, folder: Path = DETECTION) -> int:
    """Run the detection benchmark of the checkout in a process of its own; return its status.

    Errors  SettingsError where the benchmark or what it needs is not there
    """
    if not (folder / "__main__.py").is_file():
        raise SettingsError(f"{folder}: the detection benchmark is not there: it comes with a checkout, not a package")
    if find_spec("numba") is None:
        raise SettingsError(
            "the detection benchmark needs numba, which is not installed: pip install -e '.[bench]' in the checkout"
        )
    return subprocess.run([sys.executable, str(folder), *arguments], check=False).returncode  # noqa: S603  our own


def as_json(result: Throughput | Latency) -> str:
    """Return a result as one line of JSON."""
    return json.dumps(asdict(result))

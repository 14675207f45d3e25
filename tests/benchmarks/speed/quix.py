"""Quix: the same functions in QuixStreams, beside Vigie in the same run, on the same edge and the same kind of broker.

Run     `python tests/benchmarks/speed/quix.py [--posts 100000] [--pass-ratio 0.03] [--rounds 2] [--json FILE]`
Shape   posts go from the edge through the gate onto `posts.v1` of an embedded broker of their own; what reads them is
        Vigie's worker or, in a process of its own, a QuixStreams application: the same enrich and detect, signals on
        `signals.v1`, alerts on `alerts.v1`, the detectors' changes on a changelog, receipts awaited before offsets are
        committed. In turns, so that a busy machine disturbs both
Units   posts offered at the edge a second, until all of them are decided; microseconds of processor time a post
        offered, and megabytes of memory, by process. `--idle`: shares of a core while nothing comes
Errors  exit status 2 where quixstreams is not installed: pip install -e '.[rivals]' in an environment of its own

What is tuned for QuixStreams: it has no batches, so a sink gathers what came since the last checkpoint, over all
partitions, and the functions run when it is flushed; checkpoints of 1,000 records or a tenth of a second, which cost it
less than smaller ones; posts are read apart, share by share, as Vigie's are; a producer that lingers and compresses
as Vigie's does; quiet logs, no store of its own, no poll that outlasts a checkpoint. What it need not do: keep the
detectors' memory in files, as Vigie does.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import uvloop

from detectors.detector import Shelf
from models.gate import Gate
from records import Post, Signal, decode, encode
from streams.enrich import Enriched
from streams.health import Health, serve
from streams.shares import AHEAD, SHARE, begin, placed
from streams.state import DictState
from streams.topics import ALERTS, POSTS, SIGNALS, changelog
from streams.wiring import KEPT_TOGETHER
from vigie import assembly
from vigie.bench.ceiling import SETTINGS, WARM
from vigie.bench.load import Texts, load
from vigie.bench.pipeline import PARTITIONS, Meter, offer
from vigie.children import Child, end_with_parent
from vigie.loading import loading
from vigie.pipeline import Pipeline

COMMIT_EVERY, COMMIT_SECS = 1_000, 0.1  # records, over both topics
POLL_SECS = 0.01
IDLE_SECS = 15.0
Pairs = Iterable[tuple[bytes, bytes | None]]


@dataclass(frozen=True)
class Measured:
    """One run of one of the two."""

    name: str
    posts_per_sec: float
    cpu_us_per_post: dict[str, float]  # by process
    memory_mb: dict[str, float]
    handled: int  # posts that passed the gate
    signals: int
    alerts: int

    @property
    def cpu_us(self) -> float:
        """Return what all of them took a post."""
        return sum(self.cpu_us_per_post.values())


class QuixWorker(Child):
    """The QuixStreams application, in the place of Vigie's worker."""

    def start(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603  this very file
            [sys.executable, "-W", "ignore", str(Path(__file__)), "--worker", *self.command],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509  no thread of ours runs before it
        )


class QuixPipeline(Pipeline):
    """The same pipeline around the other worker."""

    def __init__(self) -> None:
        super().__init__(SETTINGS, partitions=PARTITIONS, is_exact=False)
        self.worker = QuixWorker(
            "quix", [self.streams.bootstrap_servers, str(self.health_port)], environ={}, health_port=self.health_port
        )


def vigie_pipeline() -> Pipeline:
    """Return Vigie's own."""
    return Pipeline(SETTINGS, partitions=PARTITIONS, is_exact=False)


RUNNERS: dict[str, Callable[[], Pipeline]] = {"Vigie": vigie_pipeline, "QuixStreams": QuixPipeline}


async def measured(name: str, posts: Sequence[Post], passes: Gate) -> Measured:
    """Offer posts as fast as they are taken, and wait until all of them are decided; the first ones warm it up."""
    warming, posts = posts[:WARM], posts[WARM:]
    async with RUNNERS[name]() as pipeline:
        await offer(pipeline, warming, passes)
        before = await pipeline.drained()
        meter = Meter(pipeline)
        await offer(pipeline, posts, passes)
        after = await pipeline.drained()
        spent = meter.spent()
        return Measured(
            name=name,
            posts_per_sec=round(len(posts) / spent.secs),
            cpu_us_per_post={who: round(secs / len(posts) * 1e6, 1) for who, secs in spent.cpu_secs.items()},
            memory_mb=meter.memory_mb(),
            handled=after["handled"][POSTS.name] - before["handled"][POSTS.name],
            signals=after["sent"].get(SIGNALS.name, 0) - before["sent"].get(SIGNALS.name, 0),
            alerts=after["sent"].get(ALERTS.name, 0) - before["sent"].get(ALERTS.name, 0),
        )


async def idle(name: str) -> str:
    """Return what each process takes while nothing comes."""
    async with RUNNERS[name]() as pipeline:
        await asyncio.sleep(IDLE_SECS)  # until it has settled
        meter = Meter(pipeline)
        await asyncio.sleep(IDLE_SECS)
        spent = meter.spent()
    return f"{name}: " + ", ".join(f"{who} {secs / spent.secs:.1%}" for who, secs in spent.cpu_secs.items())


def work(bootstrap_servers: str, health_port: int) -> None:
    """Run the QuixStreams application until it is told to end."""
    quixstreams, sinks = import_module("quixstreams"), import_module("quixstreams.sinks")  # only who compares has them
    producer = import_module("confluent_kafka").Producer(
        {
            "bootstrap.servers": bootstrap_servers,
            "acks": "all",
            "linger.ms": 5,
            "compression.type": "lz4",
            "partitioner": "murmur2_random",  # Kafka's own, as Vigie's producer has it
            "batch.size": 900 * 1024,
        }
    )
    health = Health(stall_secs=60.0)
    step = Steps(producer, health)

    class Gathering(sinks.BaseSink):  # type: ignore[misc, name-defined, unused-ignore]
        """Gathers what comes between two checkpoints, then has it handled."""

        def __init__(self, handle: Callable[[list[tuple[int, bytes]]], None]) -> None:
            super().__init__()
            self.handle = handle
            self.gathered: list[tuple[int, bytes]] = []

        def add(
            self, value: Any, key: Any, timestamp: int, headers: Any, topic: str, partition: int, offset: int
        ) -> None:
            self.gathered.append((partition, value))

        def flush(self) -> None:
            gathered, self.gathered = self.gathered, []
            if gathered:
                self.handle(gathered)

    app = quixstreams.Application(
        broker_address=bootstrap_servers,
        consumer_group="quix",
        auto_offset_reset="earliest",
        commit_every=COMMIT_EVERY,
        commit_interval=COMMIT_SECS,
        consumer_poll_timeout=POLL_SECS,
        consumer_extra_config={
            "session.timeout.ms": 6000,
            "fetch.wait.max.ms": 20,
            "receive.message.max.bytes": 1 << 30,
        },
        loglevel="WARNING",
        auto_create_topics=False,
        use_changelog_topics=False,
    )
    for topic, handle in ((POSTS, step.enrich), (SIGNALS, step.detect)):
        source = app.topic(topic.name, value_deserializer="bytes", key_deserializer="bytes")
        app.dataframe(source).sink(Gathering(handle))
    serve(health, "127.0.0.1", health_port)
    health.is_ready = True
    app.run()


class Steps:
    """Vigie's steps, on what a sink has gathered."""

    def __init__(self, producer: Any, health: Health) -> None:
        self.producer, self.health = producer, health
        self.steps = assembly.steps(SETTINGS, is_apart=True)
        self.shelves: dict[int, tuple[Shelf, DictState]] = {}
        self.changelog = changelog("vigie").name
        self.refused: list[str] = []

    def enrich(self, gathered: list[tuple[int, bytes]]) -> None:
        """Make signals of posts."""
        posts = [decode(value, Post) for _, value in gathered]
        shares = [posts[start : start + SHARE] for start in range(0, len(posts), SHARE)]
        begun = [begin(self.steps.enrich, share) for share in shares[:AHEAD]]
        results: list[Enriched | Exception] = []
        for number, share in enumerate(shares):  # while one is placed, the next ones are read
            read = begun[number]()
            if number + AHEAD < len(shares):
                begun.append(begin(self.steps.enrich, shares[number + AHEAD]))
            results += placed(self.steps.enrich, share, read)
        signals = [signal for one in results if not isinstance(one, Exception) for signal in one.signals]
        self._send(SIGNALS.name, ((signal.key.encode(), encode(signal)) for signal in signals))
        self._received()
        self.health.handled[POSTS.name] += len(posts)
        self.health.sent[SIGNALS.name] += len(signals)

    def detect(self, gathered: list[tuple[int, bytes]]) -> None:
        """Make alerts of signals, each partition's on its own shelf."""
        for partition in sorted({partition for partition, _ in gathered}):
            values = [decode(value, Signal) for of, value in gathered if of == partition]
            for start in range(0, len(values), KEPT_TOGETHER):
                self._detect(partition, values[start : start + KEPT_TOGETHER])
        self._received()
        self.health.handled[SIGNALS.name] += len(gathered)

    def _detect(self, partition: int, signals: Sequence[Signal]) -> None:
        table = DictState()
        shelf, table = self.shelves.setdefault(partition, (Shelf(table), table))
        result = self.steps.detect(signals, shelf)
        self._send(ALERTS.name, ((alert.key.encode(), encode(alert)) for alert in result.alerts))
        self._send(self.changelog, ((key.encode(), value) for key, value in result.changes.items()), partition)
        table.keep(result.changes)
        self.health.sent[ALERTS.name] += len(result.alerts)

    def _send(self, topic: str, pairs: Pairs, partition: int = -1) -> None:
        for key, value in pairs:
            self.producer.produce(topic, value, key, partition, on_delivery=self._delivered)

    def _delivered(self, error: Any, message: Any) -> None:
        if error is not None:
            self.refused.append(str(error))

    def _received(self) -> None:
        """Wait until the broker has all that was sent."""
        left = self.producer.flush(30.0)
        if left or self.refused:
            raise RuntimeError(f"{left} records not taken: {self.refused[:3]}")


def table(found: Sequence[Measured]) -> str:
    """Return the runs as markdown, then the ratio of their medians."""
    shown = ("edge", "broker", "worker", "reader")
    lines = [
        "| | posts/s | CPU a post, us: all | "
        + " | ".join(shown)
        + " | MB: broker | worker | reader | passed | signals | alerts |",
        "| --- " * 13 + "|",
    ]
    for one in found:
        spent = [f"{one.cpu_us_per_post[who]:.1f}" for who in shown]
        memory = [f"{one.memory_mb[who]:.0f}" for who in shown[1:]]
        cells = [one.name, f"{one.posts_per_sec:.0f}", f"{one.cpu_us:.1f}", *spent, *memory]
        lines.append("| " + " | ".join([*cells, f"{one.handled}", f"{one.signals}", f"{one.alerts}"]) + " |")
    speed = {name: statistics.median(one.posts_per_sec for one in found if one.name == name) for name in RUNNERS}
    cpu = {name: statistics.median(one.cpu_us for one in found if one.name == name) for name in RUNNERS}
    lines += [
        "",
        f"Vigie over QuixStreams, medians: {speed['Vigie'] / speed['QuixStreams']:.2f} times the posts a second, "
        f"{cpu['Vigie'] / cpu['QuixStreams']:.2f} times the processor time a post.",
    ]
    return "\n".join(lines)


def main() -> int:
    """Compare, or be the worker that is compared; return the exit status."""
    if sys.argv[1:2] == ["--worker"]:
        work(sys.argv[2], int(sys.argv[3]))
        return 0
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--posts", type=int, default=100_000)
    parser.add_argument("--pass-ratio", type=float, default=0.03, help="the share that passes the gate")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--idle", action="store_true", help="measure what they take while nothing comes")
    parser.add_argument("--json", type=Path, help="write the figures there")
    given = parser.parse_args()
    if find_spec("quixstreams") is None:
        sys.stderr.write(
            "quixstreams is not installed: pip install -e '.[rivals]' in the checkout, in an environment of its own, "
            "for it asks for an older pydantic\n"
        )
        return 2
    passes = Gate.load()
    if given.idle:
        for name in RUNNERS:
            sys.stdout.write(f"{uvloop.run(idle(name))}\n")
        return 0
    with loading():  # as an edge does
        posts = load(WARM + given.posts, given.pass_ratio, Texts(passes))
    found = [uvloop.run(measured(name, posts, passes)) for _ in range(given.rounds) for name in RUNNERS]
    sys.stdout.write(f"{table(found)}\n")
    if given.json:
        given.json.write_text(json.dumps([asdict(one) for one in found], indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

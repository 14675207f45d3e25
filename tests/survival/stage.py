"""A stage for survival tests: a worker of its own on some broker, two receivers, and posts; anything may be killed.

Nothing here waits for a span of time: it waits for something to be so, and fails when that takes too long.
"""

import asyncio
import fcntl
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from connectors.pseudonym import FixedPseudonyms
from connectors.sinks.contract import line_from
from connectors.sinks.webhook import webhook_id_of
from connectors.sources.plain import plain_from, post_from
from detectors.detector import Shelf
from models.gate import Gate
from records import Alert, Post, SourceUnavailable, decode, encode
from streams.declaring import declare_topics, table_dir
from streams.publisher import KafkaPublisher
from streams.reader import consumer_of, ends_of
from streams.settings import StreamSettings
from streams.state import DictState
from streams.topics import ALERTS, POSTS, PULSE, SIGNALS, Topic
from streams.wiring import Steps
from vigie import assembly
from vigie.broker import free_port
from vigie.children import Child, end_with_parent
from vigie.settings import Settings, Territory
from vigie.source_settings import RecordedSource
from vigie.story import le_havre_2012

SOURCES = ("facebook", "twitter")  # of the story
PATIENCE_SECS = 180.0
LOOK_SECS = 0.02
BROKER_MB = 64  # the least that the settings allow
SECRET = "whsec_" + "c3Vydml2YWw" * 4  # of these tests alone
WAY = (POSTS, SIGNALS, ALERTS)  # in the order in which things are handled


class TookTooLong(AssertionError):
    """What was waited for did not come about."""


def wait_until(
    what: str, is_so: Callable[[], Any], *, secs: float = PATIENCE_SECS, look_secs: float = LOOK_SECS
) -> Any:
    """Return what `is_so` returns as soon as that is true."""
    deadline = time.monotonic() + secs
    while not (found := is_so()):
        if time.monotonic() > deadline:
            raise TookTooLong(f"{what}: not so after {secs:.0f} s")
        time.sleep(look_secs)
    return found


class Receiver:
    """A webhook's receiver on the loopback interface: remembers what it is told; may do something before it answers."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, int]] = []  # webhook-id, incident, revision
        self.before_answer: Callable[[int], object] = lambda told: None
        self.is_well = True
        self.refused = 0
        receiver = self

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if not receiver.is_well:
                    receiver.refused += 1
                    self.send_error(503)
                    return
                if body["type"] != "digest":  # which whoever comes on duty gets beside
                    data = body["data"]
                    receiver.told.append((self.headers["webhook-id"], data["incident_id"], data["revision"]))
                    receiver.before_answer(len(receiver.told))
                with suppress(OSError):  # whoever asked may be dead by now
                    self.send_response(204)
                    self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=self.server.serve_forever, name="receiver", daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/alerts"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class StageProcess(Child):
    """A process of ours in a stage's folder, by the settings there; its log stays with its stage."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, *, health_port: int = 0) -> None:
        super().__init__(name, list(command), environ={}, health_port=health_port)
        self.folder = folder

    def start(self) -> None:
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  the program is ourselves
                [sys.executable, *self.command],
                cwd=self.folder,
                env={**os.environ, **self.environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent,  # noqa: PLW1509  no thread of ours is in the middle of anything
            )

    @property
    def log_path(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""


class RecordedWorker(StageProcess):
    """The worker process, on the records' time."""

    def __init__(self, folder: Path, *, health_port: int) -> None:
        program = str(Path(__file__).with_name("recorded_worker.py"))
        super().__init__("worker", [program], folder, health_port=health_port)
        self.is_exact = True
        self.is_hurried = False
        self.is_slow = False

    def start(self) -> None:
        ways = {"--exact": self.is_exact, "--hurried": self.is_hurried, "--slow": self.is_slow}
        self.command = [part for part in self.command if part not in ways] + [
            way for way, is_so in ways.items() if is_so
        ]
        super().start()


class Stage:
    """A worker process with its settings, receivers and broker; posts in, revisions out."""

    def __init__(self, folder: Path, *, kafka_url: str, is_embedded: bool, partitions: int = 1) -> None:
        self.folder = folder
        self.receiver = Receiver()
        self.health_port = free_port()
        self.streams = StreamSettings(
            kafka_url=kafka_url, data_dir=folder / "data", is_embedded=is_embedded, partitions=partitions
        )
        self.worker = RecordedWorker(folder, health_port=self.health_port)
        self.write_settings()
        asyncio.run(declare_topics(self.streams))

    def write_settings(self) -> None:
        """Write what the processes read when they start."""
        (self.folder / "secret").write_text(SECRET)
        port = self.streams.bootstrap_servers.rpartition(":")[2]
        broker = f"[broker]\nport = {port}\n" if self.streams.is_embedded else ""
        url = "embedded" if self.streams.is_embedded else self.streams.kafka_url
        lines = [
            '[territory]\ncommune = "76351"',
            '[data]\ndir = "data"',
            f'[kafka]\nurl = "{url}"\npartitions = {self.streams.partitions}\n{broker}',
            f"[worker]\nhealth_port = {self.health_port}\nstall_secs = 15",
            *self.tables(),
            '[[receivers]]\nkind = "jsonl"\npath = "alerts.jsonl"',
            f'[[receivers]]\nkind = "webhook"\nname = "cell"\nurl = "{self.receiver.url}"\nsecret_file = "secret"',
        ]
        (self.folder / "vigie.toml").write_text("\n\n".join(lines), encoding="utf-8")

    def tables(self) -> list[str]:
        """Return the tables of the settings that differ from stage to stage."""
        return [
            f'[[sources]]\nkind = "recorded"\nname = "{name}"\npath = "nothing.jsonl"\nplace = "76351"'
            for name in SOURCES
        ]

    def wait_until(self, what: str, is_so: Callable[[], Any], *, look_secs: float = LOOK_SECS) -> None:
        """Wait for something to be so."""
        wait_until(what, is_so, look_secs=look_secs)

    def stop_worker(self) -> int:
        """Ask the worker to finish; return its exit status."""
        process = self.worker.process
        if process is None:
            raise AssertionError("no worker was started")
        process.terminate()
        return process.wait(PATIENCE_SECS)

    def health(self) -> dict[str, Any]:
        """Return what the worker's health page says; nothing while it does not answer."""
        if not self.worker.is_running:
            log = self.worker.log_path.read_text(errors="replace")
            raise AssertionError(f"the worker ended by itself:\n{log[-4000:]}")
        return self.worker.health() or {}

    def handled(self, topic: Topic) -> int:
        """Return how many values of a topic this worker has handled since it was started."""
        return int(self.health().get("handled", {}).get(topic.name, 0))

    def wait_until_ready(self) -> None:
        """Wait until the worker takes posts."""
        wait_until("worker ready", lambda: self.health().get("ready"))

    def metric(self, name: str) -> dict[str, float]:
        """Return a counter of the worker's, by its first label's value."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        samples = [s for family in text_string_to_metric_families(text) for s in family.samples if s.name == name]
        return {next(iter(sample.labels.values()), ""): sample.value for sample in samples}

    def publish(self, posts: Sequence[Post]) -> None:
        """Put posts on their topic."""
        self.publish_raw(POSTS, [(post.key.encode(), encode(post)) for post in posts])

    def publish_raw(self, topic: Topic, pairs: Sequence[tuple[bytes | None, bytes | None]]) -> None:
        """Put keys and values on a topic as they are."""

        async def send() -> None:
            publisher = KafkaPublisher(self.streams)
            try:
                await publisher.send_raw(topic.name, pairs)
            finally:
                await publisher.stop()

        asyncio.run(send())

    def waiting(self) -> dict[str, int]:
        """Return how many records of each topic nobody has committed yet, as the broker says."""
        return asyncio.run(self._waiting())

    async def _waiting(self) -> dict[str, int]:
        partitions = {
            topic.name: [TopicPartition(topic.name, number) for number in range(self.streams.partitions)]
            for topic in WAY
        }
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.streams.bootstrap_servers, group_id=self.streams.app_id, enable_auto_commit=False
        )
        await consumer.start()
        try:
            consumer.assign([one for ours in partitions.values() for one in ours])  # which does not join the group
            committed = {
                name: sum([await consumer.committed(one) or 0 for one in ours]) for name, ours in partitions.items()
            }
        finally:
            await consumer.stop()
        left = {}
        for topic in WAY:  # in this order: what is done with on one topic stands on the next
            async with consumer_of(self.streams, topic) as reader:
                left[topic.name] = sum((await ends_of(self.streams, reader)).values()) - committed[topic.name]
        return left

    def wait_until_drained(self, meanwhile: Callable[[], Any] | None = None) -> None:
        """Wait until all is read, decided and told; meanwhile watch the worker, which by itself must not end."""
        watch = meanwhile or self.health
        try:
            wait_until("all topics read to their end", lambda: (watch(), self._is_even())[1], look_secs=0.3)
        except TookTooLong as error:
            log = self.worker.log_path.read_text(errors="replace")
            raise TookTooLong(f"{error}; left {self.waiting()}, health {self.health()}, log:\n{log[-6000:]}") from error
        wait_until("all receivers told", lambda: len(self.lines()) >= len(self.to_be_told()), look_secs=0.1)
        wanted = {webhook_id_of(alert) for alert in self.to_be_told()}
        wait_until("webhook told", lambda: wanted <= {told for told, _, _ in self.receiver.told})

    def _is_even(self) -> bool:
        try:
            return not any(self.waiting().values())
        except (KafkaError, TimeoutError):  # the broker is not there, or not itself yet
            return False

    def values(self, topic: Topic, count: int | None = None) -> list[bytes]:
        """Return the values that stand on a topic."""
        return asyncio.run(self._values(topic, count))

    async def _values(self, topic: Topic, count: int | None) -> list[bytes]:
        found: list[bytes] = []
        async with consumer_of(self.streams, topic) as consumer, asyncio.timeout(PATIENCE_SECS):
            end = count if count is not None else sum((await ends_of(self.streams, consumer)).values())
            while len(found) < end:
                for messages in (await consumer.getmany(timeout_ms=100)).values():
                    found.extend(message.value for message in messages)
        return found

    def to_be_told(self) -> list[Alert]:
        """Return the revisions that receivers are told of: a signal is for the map alone, and so is its end."""
        alerts = [alert for alert in self.alerts().values() if alert.level != "signal"]
        begun = {alert.incident_id for alert in alerts if alert.level not in ("resolved", "rejected")}
        return [alert for alert in alerts if alert.incident_id in begun]

    def revisions(self) -> dict[tuple[str, int], bytes]:
        """Return all revisions on the topic; one that stands there twice must be the same byte for byte."""
        found: dict[tuple[str, int], bytes] = {}
        for value in self.values(ALERTS):
            fields = json.loads(value)
            key = (fields["incident_id"], fields["revision"])
            assert found.setdefault(key, value) == value, f"{key} was revised behind our back"
        return found

    def alerts(self) -> dict[tuple[str, int], Alert]:
        """Return all revisions on the topic, read."""
        return {key: decode(value, Alert) for key, value in self.revisions().items()}

    def lines(self) -> list[tuple[str, int]]:
        """Return what stands in the receivers' file."""
        path = self.folder / "alerts.jsonl"
        if not path.exists():
            return []
        whole = path.read_bytes().rpartition(b"\n")[0].splitlines()
        return [(line["incident_id"], line["revision"]) for line in map(json.loads, whole)]

    def kill_while_reading(self, posts: Sequence[Post], *, handled: int) -> None:
        """Kill the worker when it has handled so many: batches are taken, signals half sent, little is noted."""
        middle = (handled + len(posts)) // 2
        self.publish(posts[:middle])
        wait_until("some posts are handled", lambda: self.handled(POSTS) >= handled)
        self.publish(posts[middle:])  # so that some wait, however late we hear of it
        self.worker.kill()
        assert self.waiting()[POSTS.name] > 0, "it was killed too late to prove anything"

    def kill_while_telling(self, posts: Sequence[Post], *, told: int) -> None:
        """Start the worker, kill it when so many more were told: the receiver knows, the outbox does not."""
        strike_at = len(self.receiver.told) + told
        self.receiver.before_answer = lambda count: self.worker.kill() if count == strike_at else None
        self.publish(posts)
        self.worker.start()
        wait_until("the worker is killed while telling", lambda: not self.worker.is_running)
        assert self.waiting()[POSTS.name] > 0, "it was killed too late to prove anything"

    def lose_table_files(self) -> None:
        """Let the next worker stand on another machine: it must fetch the table before it takes posts."""
        shutil.rmtree(table_dir(self.streams))

    def assert_as_undisturbed(self, undisturbed: dict[tuple[str, int], bytes], *, kills: int) -> None:
        """Check that the incidents are those of a plain loop, byte for byte, and that each revision was told once."""
        assert self.revisions() == undisturbed
        to_be_told = {webhook_id_of(alert): (alert.incident_id, alert.revision) for alert in self.to_be_told()}
        assert sorted(self.lines()) == sorted(to_be_told.values())
        told = {webhook_id: (incident, revision) for webhook_id, incident, revision in self.receiver.told}
        assert told == to_be_told
        assert len(self.receiver.told) <= len(undisturbed) + kills, "one repeat a kill at most, under the same id"

    def close(self) -> None:
        """Leave nothing behind."""
        self.worker.kill()
        self.receiver.close()


@dataclass(frozen=True)
class Believed:
    """What receivers were told of one incident."""

    hazard: str
    place_id: str
    levels: tuple[str, ...]
    onset: str
    evidence: tuple[str, ...]

    @classmethod
    def all_of(cls, lines: Iterable[dict[str, Any]]) -> dict[str, "Believed"]:
        """Return the incidents that revisions tell of, by their ids."""
        found: dict[str, list[dict[str, Any]]] = {}
        for line in sorted(lines, key=lambda line: (line["incident_id"], line["revision"])):
            found.setdefault(line["incident_id"], []).append(line)
        return {
            incident: cls(
                hazard=lines[-1]["hazard"],
                place_id=lines[-1]["place"]["place_id"],
                levels=tuple(line["level"] for line in lines),
                onset=lines[-1]["onset"],
                evidence=tuple(sorted(lines[-1]["evidence"])),
            )
            for incident, lines in found.items()
        }


class Machine:
    """`vigie run` on a machine of its own, embedded broker and all, with a recording to read and posts sent to it."""

    def __init__(self, folder: Path, recording: Sequence[dict[str, Any]], *, speed: float) -> None:
        self.folder = folder
        self.receiver = Receiver()
        self.health_port, self.broker_port, self.webhook_port = free_port(), free_port(), free_port()
        self.console_port = free_port()
        self.seen: set[int] = set()  # every process that was ever there
        self.process: subprocess.Popen[bytes] | None = None
        (folder / "posts.jsonl").write_bytes(b"".join(msgspec.json.encode(post) + b"\n" for post in recording))
        (folder / "secret").write_text(SECRET)
        (folder / "vigie.toml").write_text(
            f"""
[territory]
commune = "76351"
[data]
dir = "data"
[kafka]
partitions = 1
[broker]
port = {self.broker_port}
max_memory_mb = {BROKER_MB}
[worker]
health_port = {self.health_port}
[edge]
metrics_port = 0
[console]
port = {self.console_port}
metrics_port = 0
[[sources]]
kind = "recorded"
name = "story"
path = "posts.jsonl"
speed = {speed}
place = "76351"
[[sources]]
kind = "webhook"
name = "staff"
port = {self.webhook_port}
scheme = "bearer"
secret_file = "secret"
is_trusted = true
place = "76351"
[[receivers]]
kind = "jsonl"
path = "alerts.jsonl"
[[receivers]]
kind = "webhook"
name = "cell"
url = "{self.receiver.url}"
secret_file = "secret"
""",
            encoding="utf-8",
        )

    def start(self) -> None:
        with (self.folder / "run.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "vigie", "run"],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent,  # noqa: PLW1509  no thread of ours runs before it
            )

    @property
    def log(self) -> str:
        return (self.folder / "run.log").read_text(errors="replace")

    def processes(self) -> dict[str, int]:
        """Return the processes that it has started: worker, connect, console, broker."""
        if self.process is None or self.process.poll() is not None:
            raise AssertionError(f"vigie run ended by itself:\n{self.log[-4000:]}")
        names: dict[str, int] = {}
        for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            with suppress(OSError):
                command = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
                names |= {word: int(pid) for word in ("worker", "connect", "console", "broker") if word in command}
        self.seen |= set(names.values())
        return names

    def kill(self, name: str) -> int:
        """Kill one of the processes; return which it was."""
        pid = self.processes()[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill_supervisor(self) -> None:
        """Kill what has started all others; return when none of them is there any more."""
        ours = set(self.processes().values())
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        wait_until("none is left behind", lambda: not [pid for pid in ours if Path(f"/proc/{pid}").exists()])

    def handled(self, topic: Topic) -> int:
        """Return how many values of a topic the worker has handled since it was started; 0 while it is not there."""
        self.processes()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}/healthz", timeout=10) as answer:
                return int(json.load(answer)["handled"].get(topic.name, 0))
        except (OSError, ValueError):
            return 0

    @property
    def is_console_ready(self) -> bool:
        """Tell whether the console has read all that stood on the topics when it began."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.console_port}/healthz", timeout=10) as answer:
                return bool(json.load(answer)["ready"])
        except (OSError, ValueError):
            return False

    def archived(self) -> set[tuple[str, int]]:
        """Return the revisions that the console's archive holds."""
        with closing(sqlite3.connect(self.folder / "data" / "console.sqlite")) as archive:
            return set(archive.execute("SELECT incident_id, revision FROM revision"))

    def burden_broker(self) -> None:
        """Put on a topic that nobody reads what makes the broker grow past its bound."""
        streams = StreamSettings(
            kafka_url=f"kafka://127.0.0.1:{self.broker_port}", data_dir=self.folder, is_embedded=True, partitions=1
        )

        async def send() -> None:
            publisher = KafkaPublisher(streams)
            try:
                for _ in range(BROKER_MB):
                    await publisher.send_raw(PULSE.name, [(b"burden", os.urandom(1_000_000))])
            finally:
                await publisher.stop()

        with suppress(SourceUnavailable):  # it has been replaced before all was sent
            asyncio.run(send())

    def send(self, post: dict[str, Any]) -> bool:
        """Send a post to the webhook; tell whether it was taken."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.webhook_port}/ingest/staff",
            data=msgspec.json.encode(post),
            headers={"authorization": f"Bearer {SECRET}", "content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  our own address
                return bool(answer.status == HTTPStatus.ACCEPTED)
        except OSError:
            return False

    def lines(self) -> list[dict[str, Any]]:
        """Return what stands in the receivers' file."""
        path = self.folder / "alerts.jsonl"
        whole = path.read_bytes().rpartition(b"\n")[0].splitlines() if path.exists() else []
        return [json.loads(line) for line in whole]

    def wait_until(self, what: str, is_so: Callable[[], Any]) -> Any:
        """Wait for something to be so, `vigie run` being there all the while."""
        return wait_until(what, lambda: (self.processes(), is_so())[1], look_secs=0.1)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.receiver.close()


@dataclass(frozen=True)
class Hurried:
    """The story told so much faster that nothing waits for time to pass; its end is held back."""

    recording: tuple[dict[str, Any], ...]
    held_back: tuple[dict[str, Any], ...]  # the last posts of the incident

    @classmethod
    def until(cls, at: datetime, *, pace: float, held_back: int) -> "Hurried":
        """Return the story with its last post at a moment."""
        posts = story_posts()
        told = [_told(post, at - (posts[-1].posted_at - post.posted_at) / pace) for post in posts]
        last = [fields for fields in told if fields["id"].startswith("e")][-held_back:]
        return cls(recording=tuple(fields for fields in told if fields not in last), held_back=tuple(last))


def _told(post: Post, at: datetime) -> dict[str, Any]:
    fields = {"id": post.id, "platform": post.source, "author": post.author_id, "ts": at.isoformat(), "text": post.text}
    return fields | ({"repost_of": post.repost_of} if post.repost_of else {})


def plain_loop_of(recording: Sequence[dict[str, Any]]) -> dict[str, Believed]:
    """Return the incidents that a plain loop finds in a recording."""
    posts = []
    for fields in recording:
        plain = plain_from(msgspec.json.encode(fields))
        posts.append(
            post_from(
                plain, source="story", received_at=None, pseudonyms=FixedPseudonyms(b"survival"), is_trusted=False
            )
        )
    return Believed.all_of(
        json.loads(msgspec.json.encode(line_from(alert))) for alert in PlainLoop(["story"]).observe(posts)
    )


@cache
def story_posts() -> tuple[Post, ...]:
    """Return the posts of the Le Havre morning that pass the gate, in their order."""
    pseudonyms, gate = FixedPseudonyms(b"survival"), Gate.load()
    found = []
    for fields in le_havre_2012().posts:
        if gate(fields["text"]):
            plain = plain_from(msgspec.json.encode(fields))
            post = post_from(
                plain, source=plain.source, received_at=None, pseudonyms=pseudonyms, is_trusted=False, value=b""
            )
            found.append(replace(post, received_at=post.posted_at))
    assert len(found) > 300
    return tuple(found)


@cache
def plain_loop(folder: Path) -> dict[tuple[str, int], bytes]:
    """Return the revisions that a plain loop makes of the story's posts: no broker, no batches, nobody killed.

    Where several processes share the tests, the first makes them for all, and leaves them in a folder.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        return _plain_loop()
    kept = folder / f"undisturbed-{run}"
    with (folder / f"undisturbed-{run}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_bytes(msgspec.msgpack.encode(list(_plain_loop().items())))
    found = msgspec.msgpack.decode(kept.read_bytes(), type=list[tuple[tuple[str, int], bytes]])
    return dict(found)


def _plain_loop() -> dict[tuple[str, int], bytes]:
    revisions = PlainLoop(SOURCES).revisions_of(story_posts())
    assert {"watch", "alert"} <= {decode(value, Alert).level for value in revisions.values()}
    return revisions


class PlainLoop:
    """Posts read and decided one by one: no broker, no batches, nobody killed."""

    def __init__(self, sources: Sequence[str]) -> None:
        self._steps, self._shelf = _steps(tuple(sources)), Shelf(DictState())

    def observe(self, posts: Sequence[Post]) -> list[Alert]:
        """Return the revisions that come of posts."""
        return [
            alert
            for result in self._steps.enrich(posts)
            for one in result.signals
            for alert in self._steps.detect.detector.observe(one, self._shelf)
        ]

    def revisions_of(self, posts: Sequence[Post]) -> dict[tuple[str, int], bytes]:
        """Return the revisions that come of posts, as they stand on their topic."""
        return {(alert.incident_id, alert.revision): encode(alert) for alert in self.observe(posts)}


@cache
def _steps(sources: tuple[str, ...]) -> Steps:
    places = tuple(
        RecordedSource(kind="recorded", name=name, path=Path("nothing.jsonl"), place="76351") for name in sources
    )
    return assembly.steps(Settings(territory=Territory(commune="76351"), sources=places), is_exact=True)


def remove_topics(kafka_url: str) -> None:
    """Remove all topics and what groups have read of them; return when they are gone."""

    async def remove() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka_url.removeprefix("kafka://"))
        await admin.start()
        try:
            async with asyncio.timeout(PATIENCE_SECS):
                while names := [name for name in await admin.list_topics() if not name.startswith("__")]:
                    await admin.delete_topics(names)
        finally:
            await admin.close()

    asyncio.run(remove())

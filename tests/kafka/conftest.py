"""Apache Kafka itself, one node: brought by Maven, started for these tests, killed by them and started again.

Where Java or Maven is missing the tests are skipped, saying so. In CI they fail instead: there they are required.
"""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from detectors.retracting import without_words
from records import Alert, Post, decode
from tests.survival import stage as staging
from vigie.broker import free_port
from vigie.children import end_with_parent

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".kafka"
CLUSTER_ID = "dmlnaWUtdGVzdHMtMDAwMQ"
OLDEST_JAVA = 17
START_SECS = 60.0
PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={folder}/data
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.cleaner.backoff.ms=500
log.initial.task.delay.ms=3600000
log.retention.check.interval.ms=3600000
"""


class Kafka:
    """One node, broker and controller."""

    def __init__(self, folder: Path, libs: Path) -> None:
        self.folder = folder
        self.port = free_port()
        # It lives for a few minutes: what makes a long life cheap takes more than it gives.
        self.java = ["java", "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{libs}/*"]
        self.properties = folder / "server.properties"
        self.properties.write_text(
            PROPERTIES.format(port=self.port, controller_port=free_port(), folder=folder), encoding="utf-8"
        )
        self.process: subprocess.Popen[bytes] | None = None
        self._run("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(self.properties))

    @property
    def url(self) -> str:
        return f"kafka://127.0.0.1:{self.port}"

    def _run(self, *command: str) -> None:
        subprocess.run(  # noqa: S603  Kafka's own tool
            [*self.java, *command], check=True, capture_output=True, timeout=START_SECS
        )

    def start(self) -> None:
        """Start it on what it kept; return when it takes connections."""
        with (self.folder / "kafka.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  Kafka itself
                [*self.java, "kafka.Kafka", str(self.properties)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent,  # noqa: PLW1509  no thread of ours runs before it
            )
        deadline = time.monotonic() + START_SECS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"Kafka does not start:\n{(self.folder / 'kafka.log').read_text()[-4000:]}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def end(self, number: signal.Signals) -> None:
        """Send it a signal and wait until it is gone."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(START_SECS)


def missing(what: str) -> NoReturn:
    """Skip, or fail where Apache Kafka is required: in CI, unless it says that it does without."""
    if os.environ.get("CI") == "true" and not os.environ.get("VIGIE_NO_APACHE_KAFKA"):
        pytest.fail(f"{what}; CI requires the tests on Apache Kafka, unless VIGIE_NO_APACHE_KAFKA is set")
    pytest.skip(f"{what}; the tests on Apache Kafka need Java {OLDEST_JAVA} and Maven")


def java_version() -> int:
    """Return Java's major version, 0 without Java."""
    if shutil.which("java") is None:
        return 0
    told = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S607
    words = told.partition('version "')[2].partition('"')[0].split(".")
    return int(words[0]) if words[0].isdecimal() else 0


@pytest.fixture(scope="session")
def libs() -> Path:
    """Return a folder with Kafka's jars; the one place that decides what happens where Kafka cannot be had."""
    if os.environ.get("VIGIE_NO_APACHE_KAFKA"):
        missing("VIGIE_NO_APACHE_KAFKA is set")
    if java_version() < OLDEST_JAVA:
        missing(f"no Java {OLDEST_JAVA}")
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests in other processes want them as well
        return fetched()


def fetched() -> Path:
    """Return the folder once Maven has filled it, unless it did so in an earlier run."""
    pom, found, stamp = HERE / "pom.xml", CACHE / "libs", CACHE / "pom.xml"
    if stamp.exists() and stamp.read_bytes() == pom.read_bytes():
        return found
    if shutil.which("mvn") is None:
        missing("no Maven, and no jars from an earlier run")
    shutil.rmtree(found, ignore_errors=True)
    copied = subprocess.run(  # noqa: S603  Maven, on the pom beside this file
        ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={found}"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    if copied.returncode:
        missing(f"Maven cannot fetch Kafka: {copied.stdout[-500:]}")
    shutil.copyfile(pom, stamp)
    return found


@pytest.fixture(scope="module")
def node(libs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """Provide one running node; not for longer than it is asked for, since it works while nobody does."""
    kafka = Kafka(tmp_path_factory.mktemp("kafka"), libs)
    kafka.start()
    yield kafka
    kafka.end(signal.SIGKILL)


@pytest.fixture(scope="session")
def posts() -> tuple[Post, ...]:
    """Return the posts of the Le Havre morning that pass the gate."""
    return staging.story_posts()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], bytes]:
    """Return the revisions that a plain loop makes of them."""
    return staging.plain_loop(tmp_path_factory.getbasetemp().parent)


@pytest.fixture
def stage(node: Kafka, tmp_path: Path) -> Iterator[staging.Stage]:
    """Provide a stage on Apache Kafka, its topics empty."""
    staging.remove_topics(node.url)
    made = staging.Stage(tmp_path, kafka_url=node.url, is_embedded=False)
    yield made
    made.close()


@pytest.fixture
def clean(node: Kafka) -> Callable[[], None]:
    """Return what removes all topics."""
    return lambda: staging.remove_topics(node.url)


@pytest.fixture(scope="session")
def alerts(undisturbed: dict[tuple[str, int], bytes]) -> tuple[Alert, Alert]:
    """Return a revision that shows a post, and the next one, which does not any more."""
    shown = decode(next(iter(undisturbed.values())), Alert)
    return shown, without_words(shown, shown.evidence[0].post_key)

"""On Apache Kafka: deploy/kafka's files start it, and Vigie works with the rights of docs/kafka.md, and no others.

The commands of the page are run as written, but for where things stand, who is root, and how Kafka is started.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from records import Post, SourceUnavailable, SystemClock, encode
from streams.app import make_app
from streams.declaring import all_topics, declare_topics
from streams.publisher import KafkaPublisher
from streams.recorded_topic import RecordedTopic
from streams.settings import KafkaSecurity, StreamSettings
from streams.topics import POSTS
from tests.deploy.supervising import Supervised, Unit
from vigie.broker import free_port
from vigie.children import end_with_parent
from vigie.settings import Settings, load
from vigie.sweeping import sweep_now

pytestmark = [pytest.mark.apache_kafka, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PAGE = (ROOT / "docs" / "kafka.md").read_text(encoding="utf-8")
PATIENCE_SECS = 150.0
JAVA = ("-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")  # for a short life
TOOLS = {
    "kafka-storage.sh": "kafka.tools.StorageTool",
    "kafka-acls.sh": "org.apache.kafka.tools.AclCommand",
    "kafka-server-start.sh": "kafka.Kafka",
}
UNITS = ("vigie-worker@.service", "vigie-connect.service", "vigie-console.service")
SETTINGS = """
[territory]
commune = "76351"
[data]
dir = "data"
[worker]
health_port = {health}
[edge]
metrics_port = 0
[console]
port = {console}
metrics_port = 0
[[sources]]
kind = "recorded"
name = "recorded"
path = "posts.jsonl"
[[sources]]
kind = "webhook"
name = "staff"
port = {webhook}
scheme = "bearer"
secret_file = "vigie.password"
"""
PASSWORDS = {"PLAIN": "said-as-it-is", "SCRAM-SHA-256": "proved-by-256"}
"""What a Kafka may want instead of SCRAM-SHA-512; a password of its own for each, which no other lets in."""
MECHANISMS = f"""
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  user_vigie="{PASSWORDS["PLAIN"]}";
"""
LOGGING = "Configuration: {Loggers: {Root: {level: INFO}, Logger: []}}\n"  # the image brings one of its own
POST = (
    '{"id": "1", "platform": "p", "author": "a", "ts": "2026-11-30T07:37:00Z", "text": "Incendie au port du Havre !"}\n'
)


class Node:
    """One node of Apache Kafka, set up by files and commands of the repository in a folder of its own."""

    def __init__(self, folder: Path, libs: Path) -> None:
        self.folder, self.libs, self.port = folder, libs, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        for name in ("etc", "vigie", "data", "bin"):
            (folder / name).mkdir()
        for name, tool in TOOLS.items():
            script = folder / "bin" / name
            script.write_text(f'#!/bin/sh\nexec java {" ".join(JAVA)} -cp "{libs}/*" {tool} "$@"\n', encoding="utf-8")
            script.chmod(0o755)

    def moved(self, text: str) -> str:
        """Return a file or command of ours with its paths and addresses as they are here."""
        here = {
            "/opt/kafka/bin": f"{self.folder}/bin",
            "/etc/kafka": f"{self.folder}/etc",
            "/var/lib/kafka": f"{self.folder}/data",
            "kafka-1.example:9093": f"localhost:{self.port}",
            "://:9093": f"://127.0.0.1:{self.port}",
            "kafka-1.example": "localhost",
            "runuser -u kafka -- ": "",
            "chgrp kafka kafka.pem": "true",
            "systemctl enable --now kafka.service": "true",
        }
        for theirs, ours in here.items():
            text = text.replace(theirs, ours)
        return text

    def run(self, commands: str) -> None:
        """Run commands of the page."""
        done = subprocess.run(  # noqa: S603
            ["/bin/bash", "-euo", "pipefail", "-c", self.moved(commands)],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECS,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"

    def start(self, properties: Path) -> None:
        """Start it; return when it takes connections."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  Kafka itself
                [str(self.folder / "bin" / "kafka-server-start.sh"), str(properties)],
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent,  # noqa: PLW1509  no thread of ours runs before it
            )
        until("Kafka answers", lambda: "Kafka Server started" in self.log or self.has_ended())

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def has_ended(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log[-4000:]
        return False

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECS)


def until(what: str, is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECS
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not so after {PATIENCE_SECS:.0f} s"
        time.sleep(0.1)


def blocks(language: str) -> list[str]:
    """Return the blocks of the page in one language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def secured(libs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Provide the node of docs/kafka.md with TLS, passwords and rights; the user vigie has none yet.

    It takes the mechanisms that the page does not set up as well: for them alone another node would have to start.
    """
    node = Node(tmp_path_factory.mktemp("secured"), libs)
    properties = node.folder / "etc" / "server.properties"
    text = node.moved((DEPLOY / "kafka" / "server.secure.properties").read_text(encoding="utf-8"))
    text = text.replace("127.0.0.1:9094", f"127.0.0.1:{free_port()}") + MECHANISMS
    enabled = f"sasl.enabled.mechanisms={','.join(PASSWORDS)},"
    properties.write_text(text.replace("sasl.enabled.mechanisms=", enabled), encoding="utf-8")
    certificates, users, _ = blocks("sh")
    node.run(certificates)
    theirs = f'--add-scram "SCRAM-SHA-256=[name=vigie,password={PASSWORDS["SCRAM-SHA-256"]}]"'
    node.run(users.replace("--add-scram", f"{theirs} --add-scram", 1))
    try:
        node.start(properties)
        yield node
    finally:
        node.stop()


@pytest.fixture(scope="module")
def settings(secured: Node) -> Settings:
    """Return the settings that the page gives Vigie, beside a source and a worker."""
    etc = secured.folder / "vigie"
    (etc / "ca.pem").write_bytes((secured.folder / "etc" / "ca.pem").read_bytes())
    (etc / "vigie.password").write_bytes((secured.folder / "etc" / "vigie.password").read_bytes())
    (etc / "data").mkdir(mode=0o700)  # StateDirectory
    (etc / "posts.jsonl").write_text(POST, encoding="utf-8")
    ports = {name: free_port() for name in ("health", "console", "webhook")}
    said = secured.moved(blocks("toml")[1]) + SETTINGS.format(**ports)
    (etc / "vigie.toml").write_text(said, encoding="utf-8")
    return load(etc / "vigie.toml")


def test_without_rights_vigie_says_that_it_has_none(settings: Settings) -> None:
    with pytest.raises(SourceUnavailable, match="AuthorizationFailed"):
        asyncio.run(declare_topics(settings.streams()))


@pytest.fixture(scope="module")
def rights(secured: Node) -> None:
    """Give the user vigie the rights of the page."""
    secured.run(blocks("sh")[2])


@pytest.mark.usefixtures("rights")
def test_with_the_rights_of_the_page_all_of_vigie_works_as_its_units_start_it(
    secured: Node, settings: Settings
) -> None:
    worker, connect, console = units = [unit(secured, settings, name) for name in UNITS]
    try:
        for one in units:
            one.start()
        until("the worker has read the post", lambda: '"posts.v1": 1' in answer(settings.worker.health_port))
        until("the console has read the topics", lambda: '"ready":true' in answer(settings.console.port))
        swept = asyncio.run(sweep_now(settings.streams(), SystemClock())).topics
        assert {one.topic: one.trouble for one in swept if one.trouble} == {}
        assert {one.topic for one in swept} == {topic.name for topic in all_topics(settings.streams())}
        assert asyncio.run(read_again(settings.streams())) == ["Incendie au port du Havre !"]
        assert [one.stop() for one in (connect, worker, console)] == [0, 0, 0], "\n".join(one.log for one in units)
    finally:
        for one in units:
            one.close()
    assert [one.starts for one in units] == [1, 1, 1], "nothing ended by itself"
    assert not [one.unit.name for one in units if "Authorization" in one.log]
    assert (settings.data.dir / "worker-1" / "tables").is_dir()


def unit(secured: Node, settings: Settings, name: str) -> Supervised:
    """Return one of Vigie's units, its paths and its port as they are here."""
    etc = secured.folder / "vigie"
    moved = {
        "/opt/vigie/.venv/bin/vigie": f"{sys.executable} -m vigie",
        "/etc/vigie": str(etc),
        "/var/lib/vigie": str(settings.data.dir),
        "=9111": f"={settings.worker.health_port}",
    }
    found = Unit.read(DEPLOY / "systemd" / name, instance="1", moved=moved)
    return Supervised(found, etc / f"{name}.log", also={"PYTHONPATH": str(ROOT)})


def a_post(text: str) -> Post:
    now = SystemClock().now()
    return Post(source="recorded", id=text, author_id="a", posted_at=now, received_at=now, text=text)


async def read_again(streams: StreamSettings) -> list[str]:
    """Return the texts of the posts on the topic, read again as a source of it does."""
    source = RecordedTopic(streams, POSTS.name, clock=SystemClock())
    return [reading.post.text async for reading in source.read(None) if isinstance(reading.post, Post)]


def answer(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as said:
            return str(said.read().decode())
    except OSError:
        return ""


def with_password(settings: Settings, mechanism: str, password: str) -> StreamSettings:
    """Return the settings of the page with another mechanism and another password."""
    streams = settings.streams()
    said: Any = {**vars(streams.security), "sasl_mechanism": mechanism, "password": password}
    return replace(streams, security=KafkaSecurity(**said))


@pytest.mark.usefixtures("rights")
@pytest.mark.parametrize("mechanism", PASSWORDS)
async def test_every_client_gets_in_by_the_other_mechanisms_too(mechanism: str, settings: Settings) -> None:
    streams = with_password(settings, mechanism, PASSWORDS[mechanism])
    await declare_topics(streams)
    publisher, program = KafkaPublisher(streams), make_app(streams).producer
    try:
        await publisher.posts([a_post(mechanism)])
        await program.start()
        await program.send_and_wait(POSTS.name, b"faust", encode(a_post(f"{mechanism} of Faust")), None, None, {})
    finally:
        await publisher.stop()
        await program.stop()
    assert {mechanism, f"{mechanism} of Faust"} <= set(await read_again(streams))


@pytest.mark.parametrize("mechanism", [*PASSWORDS, "SCRAM-SHA-512"])
async def test_whoever_has_the_password_of_another_mechanism_is_not_let_in(
    mechanism: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    (wrong, *_) = (password for name, password in PASSWORDS.items() if name != mechanism)
    with pytest.raises(SourceUnavailable):
        await declare_topics(with_password(settings, mechanism, wrong))
    assert "SaslAuthenticationFailed" in caplog.text


def test_the_plain_node_starts_by_its_unit_on_what_the_image_makes_of_its_file(
    libs: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The image's own program joins the mounted file and the variables of compose.yaml; Kafka starts on that."""
    node = Node(tmp_path_factory.mktemp("plain"), libs)
    for name in ("defaults", "mounted", "final"):
        (node.folder / name).mkdir()
    for name in ("server.properties", "log4j2.yaml", "tools-log4j2.yaml"):
        (node.folder / "defaults" / name).write_text(LOGGING if "yaml" in name else "", encoding="utf-8")
    controller = str(free_port())
    shipped = (DEPLOY / "kafka" / "server.properties").read_text(encoding="utf-8").replace("9093", controller)
    (node.folder / "mounted" / "server.properties").write_text(shipped, encoding="utf-8")
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]["kafka"]
    said = {name: value.replace("9093", controller) for name, value in service["environment"].items()}
    here = {name: value.replace("9092", str(node.port)).replace("kafka:", "localhost:") for name, value in said.items()}
    folders = [str(node.folder / name) for name in ("defaults", "mounted", "final")]
    subprocess.run(  # noqa: S603
        ["java", *JAVA, "-cp", f"{libs}/*", "kafka.docker.KafkaDockerWrapper", "setup"]
        + [part for option, folder in zip(("-D", "-M", "-F"), folders, strict=True) for part in (option, folder)],
        env={**os.environ, **here, "CLUSTER_ID": "dmlnaWUtdGVzdHMtMDAwMQ", "KAFKA_LOG_DIRS": str(node.folder / "data")},
        check=True,
        capture_output=True,
        timeout=PATIENCE_SECS,
    )
    made = (node.folder / "final" / "server.properties").read_text(encoding="utf-8")
    assert "auto.create.topics.enable=false" in made
    assert f"advertised.listeners=PLAINTEXT://localhost:{node.port}" in made
    unit = Unit.read(
        DEPLOY / "systemd" / "kafka.service",
        moved={"/opt/kafka/bin": f"{node.folder}/bin", "/etc/kafka": f"{node.folder}/final"},
    )
    kafka = Supervised(unit, node.folder / "log")
    kafka.start()
    try:
        until("Kafka answers", lambda: "Kafka Server started" in kafka.log)
        asyncio.run(declare_topics(StreamSettings(kafka_url=f"kafka://localhost:{node.port}", data_dir=node.folder)))
        assert kafka.stop() in unit.good_statuses
        assert (kafka.starts, kafka.left) == (1, [])
    finally:
        kafka.close()

"""The whole of Vigie on one machine, as `vigie run` starts it, with hands for tests: posts put on its broker."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from records import Post, SourceStatus
from records.source_status import State, Way
from streams.publisher import KafkaPublisher
from streams.settings import StreamSettings
from vigie.broker import free_port

READY_SECS = 150.0
SETTINGS = """
[territory]
commune = "76351"
[console]
port = {console}
metrics_port = 0
cell = "Ville du Havre"
[broker]
port = {broker}
[worker]
health_port = {health}
[edge]
metrics_port = 0
"""


class Whole:
    """A running `vigie run`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.broker, self.health = free_port(), free_port(), free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = folder / "log"
        text = SETTINGS.format(console=self.port, broker=self.broker, health=self.health)
        (folder / "vigie.toml").write_text(text, encoding="utf-8")
        self._streams = StreamSettings(
            kafka_url=f"kafka://127.0.0.1:{self.broker}", data_dir=folder / "outside", is_embedded=True, partitions=4
        )
        self._numbers = itertools.count(1)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until all of it is ready."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("VIGIE_")}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "vigie", "run"], cwd=self.folder, env=environ, stdout=log, stderr=log
            )
        deadline = time.monotonic() + READY_SECS
        while not all(_is_ready(port) for port in (self.port, self.health)):
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, self.log.read_text(encoding="utf-8")
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop it, as Ctrl-C does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=120)

    def kill_console(self) -> None:
        """Kill the process of the console, and wait until the supervisor has another one ready."""
        found = subprocess.run(  # noqa: S603
            ["/usr/bin/pgrep", "-P", str(self.process.pid if self.process else 0), "-f", "vigie console"],
            check=True,
            capture_output=True,
        )
        os.kill(int(found.stdout.split()[0]), signal.SIGKILL)
        while _is_ready(self.port):
            time.sleep(0.05)
        deadline = time.monotonic() + READY_SECS
        while not _is_ready(self.port):
            assert time.monotonic() < deadline, self.log.read_text(encoding="utf-8")
            time.sleep(0.2)

    @property
    def first_password(self) -> str:
        """The one-time password that the first start prints."""
        found = re.search(r"account='admin' password='([^']+)'", self.log.read_text(encoding="utf-8"))
        assert found is not None
        return found[1]

    async def hear(self, *texts: str, lang: str = "fr", platform: str = "bluesky") -> list[Post]:
        """Put what people write just now on the broker, each by another author, and say that we listen."""
        now = datetime.now(UTC)
        posts = [
            self._post(text, number, now, lang, platform) for text, number in zip(texts, self._numbers, strict=False)
        ]
        publisher = KafkaPublisher(self._streams)
        try:
            await publisher.statuses([_status("bluesky", "listening", now), _status("page", "blind", now)])
            await publisher.posts(posts)
        finally:
            await publisher.stop()
        return posts

    @staticmethod
    def _post(text: str, number: int, now: datetime, lang: str, platform: str) -> Post:
        return Post(
            source="bluesky",
            platform=platform,
            id=f"{platform}-{number}",
            posted_at=now,
            received_at=now,
            author_id=f"author-{number}",
            text=text,
            lang=lang,
            url=f"https://bsky.app/profile/a/post/{number}",
        )


def _status(source: str, state: State, now: datetime) -> SourceStatus:
    way: Way = "network" if source == "bluesky" else "page"
    why = "" if state == "listening" else "HTTP 503"
    return SourceStatus(source=source, way=way, state=state, at=now, since=now, why=why, last_sign_at=now)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return bool(json.load(answer)["ready"])
    except OSError:
        return False


@contextmanager
def running(folder: Path) -> Iterator[Whole]:
    """Run the whole, and stop it at the end."""
    whole = Whole(folder)
    try:
        whole.start()
        yield whole
    finally:
        whole.stop()

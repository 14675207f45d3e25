"""Vigie watched as an operator would have it: run by its unit, scraped by Prometheus, told of by Alertmanager.

All of it is real. The committed configurations are used, and changed in what a test cannot wait for or share: ports,
folders, how often one looks, and for how long something must be wrong (`hurried`). What is asked stays as it is.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import yaml
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from msgspec.structs import replace

from detectors.drift import LEAST_POSTS
from records import Signal, decode
from tests.deploy.drawn import ROOT
from tests.deploy.supervising import Supervised, Unit
from tests.survival.stage import Hurried
from vigie.broker import free_port
from vigie.children import end_with_parent
from vigie.recording import Facts, Row, table_of
from vigie.recordings import Recordings

DEPLOY = ROOT / "deploy"
PATIENCE_SECS = 150.0
LOOK_SECS = 0.2
SETTINGS = """
[territory]
commune = "76351"
[data]
dir = "{data}"
[kafka]
partitions = 1
[worker]
health_port = {worker}
[edge]
metrics_port = {edge}
[console]
port = {console}
metrics_port = {pages}
[[sources]]
kind = "recorded"
name = "story"
path = "{folder}/posts.jsonl"
speed = {speed}
place = "76351"
[[sources]]
kind = "mastodon"
name = "mastodon"
base_url = "http://127.0.0.1:{mastodon}"
token_file = "{folder}/token"
streams = ["public:local"]
[[sources]]
kind = "webhook"
name = "staff"
port = {staff}
scheme = "bearer"
secret_file = "{folder}/secret"
is_trusted = true
place = "76351"
[[receivers]]
kind = "jsonl"
path = "{data}/alerts.jsonl"
[[receivers]]
kind = "jsonl"
name = "others"
path = "{data}/others.jsonl"
[[receivers]]
kind = "alertmanager"
url = "http://127.0.0.1:{alertmanager}"
[[routes]]
name = "cell"
receivers = ["jsonl", "alertmanager"]
escalate_after_minutes = 60
escalate_to = ["others"]
"""
TOKEN = "local-token"  # what the local server of Mastodon accepts
SECRET = "of-these-tests-alone"
# Strangers in a story that is pressed into minutes raise a watch; the word alert waits for voices that are known.
WITNESSES = (
    "Énorme incendie à la centrale EDF du Havre, je vois les flammes depuis ma fenêtre",
    "La centrale thermique du Havre brûle, une fumée noire énorme au-dessus du port",
    "Je suis à côté de la centrale du Havre, ça brûle, les pompiers arrivent de partout",
    "De chez moi au Havre je vois le feu sur la centrale, des flammes de vingt mètres",
    "Fumée noire épaisse sur la centrale EDF au Havre, on sent le brûlé jusqu'ici",
    "Le feu à la centrale électrique du Havre, j'y suis, les employés évacuent",
    "Les flammes sortent du toit de la centrale du Havre, je filme depuis le quai",
    "Explosion puis incendie à la centrale du Havre, je l'ai vu de mes yeux",
)
SPEED = 60.0  # the twelve minutes into which the story is pressed take twelve seconds


class Post:
    """A mail server of the tests' own: remembers what it was sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802  the library's name
        assert isinstance(envelope.content, bytes)
        self.sent.append(envelope.content)
        return "250 OK"


def hurried(rules: str) -> str:
    """Return the rules, each of which must hold for a second only before it fires."""
    return re.sub(r"^( +for:) \S+$", r"\1 1s", rules, flags=re.MULTILINE)


def record_weeks(folder: Path, now: datetime) -> None:
    """Write a recording of this week and of one before: what has drifted since is looked for in it at the start."""
    signal = decode((ROOT / "tests" / "golden" / "signal.json").read_bytes(), Signal)
    for days in (20, 2):
        at = now - timedelta(days=days)
        rows = [
            Row(replace(signal, post_key=f"s:{days}:{number}", event_time=at, received_at=at), 0, number, at)
            for number in range(LEAST_POSTS)
        ]
        Recordings(folder).write(folder / f"{at.date()}.parquet", table_of(rows), Facts())


class Watched:
    """All of it on one machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        names = ("worker", "edge", "console", "pages", "mastodon", "staff", "alertmanager", "prometheus", "mail")
        self.ports = {name: free_port() for name in names}
        self.manual = folder / "manual"
        self.post = Post()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._mail = Controller(self.post, hostname="127.0.0.1", port=self.ports["mail"])
        self.vigie = self._unit()
        self._may_start_again = False

    def url(self, name: str) -> str:
        """Return where something answers."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def start(self) -> None:
        """Start all, Prometheus before Vigie: it sees counters at zero; the manual is built meanwhile."""
        self._mail.start()
        self._run("manual", [sys.executable, "docs/site/build.py", str(self.manual)])
        self._run(
            "mastodon", [sys.executable, "-m", "vigie", "fake", "mastodon", "--port", str(self.ports["mastodon"])]
        )
        self._start_alertmanager()
        self._start_prometheus()
        self.vigie.start()

    def close(self) -> None:
        """End all."""
        self.vigie.close()
        for name in list(self._processes):
            self.end(name)
        self._mail.stop()

    def end(self, name: str) -> None:
        """Kill one of the programs around Vigie."""
        process = self._processes.pop(name)
        process.kill()
        process.wait(20)

    def wait_for_the_manual(self) -> None:
        """Wait until the manual is built, which Prometheus serves."""
        status = self._processes.pop("manual").wait(PATIENCE_SECS)
        assert status == 0, (self.folder / "manual.log").read_text(encoding="utf-8")

    def query(self, expr: str) -> list[dict[str, Any]]:
        """Return what Prometheus answers to an expression just now."""
        answer = self.asked("prometheus", f"/api/v1/query?{urlencode({'query': expr})}")
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def alerts(self) -> list[dict[str, Any]]:
        """Return what Alertmanager has."""
        found: list[dict[str, Any]] = self.asked("alertmanager", "/api/v2/alerts")
        return found

    def mails(self) -> list[EmailMessage]:
        """Return what people were mailed."""
        return [message_from_bytes(one, policy=default) for one in self.post.sent]

    def kill_vigie(self) -> None:
        """Kill `vigie run` and all that it has started, at once, as a machine without memory does."""
        self._may_start_again = True
        for pid in self.vigie.left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def tell(self) -> bool:
        """Have the town's own people report what they see; tell whether it was taken."""
        now = datetime.now(UTC).isoformat()
        posts = [
            {"id": f"w{number}", "author": f"agent-{number}", "ts": now, "text": text}
            for number, text in enumerate(WITNESSES)
        ]
        request = urllib.request.Request(  # noqa: S310  our own address
            f"{self.url('staff')}/ingest/staff",
            data=msgspec.json.encode(posts),
            headers={"authorization": f"Bearer {SECRET}", "content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return bool(answer.status == HTTPStatus.ACCEPTED)

    def wait_until(self, what: str, is_so: Callable[[], Any]) -> Any:
        """Wait for something to be so; return what it is."""
        deadline = time.monotonic() + PATIENCE_SECS
        while True:
            with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                if found := is_so():
                    return found
            is_hopeless = time.monotonic() > deadline or (self.vigie.starts > 1 and not self._may_start_again)
            assert not is_hopeless, f"{what}: not so\n{self.vigie.log[-3000:]}"
            time.sleep(LOOK_SECS)

    def asked(self, name: str, path: str) -> Any:
        """Return what one of the programs answers."""
        with urllib.request.urlopen(self.url(name) + path, timeout=10) as answer:  # noqa: S310  our own address
            return json.load(answer)

    def _unit(self) -> Supervised:
        data, etc = self.folder / "data", self.folder / "etc"
        data.mkdir(mode=0o700)
        etc.mkdir()
        (self.folder / "token").write_text(TOKEN)
        (self.folder / "secret").write_text(SECRET)
        story = Hurried.until(datetime.now(UTC), pace=35, held_back=0).recording
        taken_back = [{**story[-1], "id": post["id"], "verb": "delete"} for post in story[-40:-1:8]]
        posts = [*story[:-1], *taken_back, story[-1]]
        (self.folder / "posts.jsonl").write_bytes(b"".join(msgspec.json.encode(post) + b"\n" for post in posts))
        record_weeks(data / "recording", datetime.now(UTC))
        text = SETTINGS.format(folder=self.folder, data=data, speed=SPEED, **self.ports)
        (etc / "vigie.toml").write_text(text, encoding="utf-8")
        moved = {
            "/opt/vigie/.venv/bin/vigie": f"{sys.executable} -m vigie",
            "/etc/vigie": str(etc),
            "/var/lib/vigie": str(data),
        }
        unit = Unit.read(DEPLOY / "systemd" / "vigie.service", moved=moved)
        return Supervised(unit, self.folder / "vigie.log", also={"PYTHONPATH": str(ROOT)})

    def _start_alertmanager(self) -> None:
        place = self.folder / "alertmanager"
        shutil.copytree(DEPLOY / "alertmanager", place)
        config = yaml.safe_load((place / "alertmanager.yml").read_text(encoding="utf-8"))
        config["global"]["smtp_smarthost"] = f"127.0.0.1:{self.ports['mail']}"
        for route in (config["route"], *config["route"]["routes"]):
            route |= {"group_wait": "1s", "group_interval": "2s"}
        (place / "alertmanager.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        self._run(
            "alertmanager",
            [
                "prometheus-alertmanager",
                "--cluster.listen-address=",
                f"--web.listen-address=127.0.0.1:{self.ports['alertmanager']}",
                f"--storage.path={place / 'data'}",
                f"--config.file={place / 'alertmanager.yml'}",
            ],
        )

    def _start_prometheus(self) -> None:
        place = self.folder / "prometheus"
        shutil.copytree(DEPLOY / "prometheus", place)
        rules = place / "rules" / "vigie.yml"
        rules.write_text(hurried(rules.read_text(encoding="utf-8")), encoding="utf-8")
        text = (place / "prometheus.yml").read_text(encoding="utf-8")
        theirs = {9101: "worker", 9102: "edge", 9103: "pages", 9093: "alertmanager", 9090: "prometheus"}
        for port, name in theirs.items():
            assert f"127.0.0.1:{port}" in text
            text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{self.ports[name]}")
        text = text.replace("scrape_interval: 15s", "scrape_interval: 2s")  # within which a busy machine answers
        text = text.replace("evaluation_interval: 15s", "evaluation_interval: 1s")
        (place / "prometheus.yml").write_text(text, encoding="utf-8")
        self._run(
            "prometheus",
            [
                "prometheus",
                f"--config.file={place / 'prometheus.yml'}",
                f"--storage.tsdb.path={place / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.ports['prometheus']}",
                f"--web.user-assets={self.manual}",
            ],
        )

    def _run(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(  # noqa: S603
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent,  # noqa: PLW1509  no thread of ours holds a lock then
            )


@contextmanager
def running(folder: Path) -> Iterator[Watched]:
    """Run all of it, and end it."""
    made = Watched(folder)
    try:
        made.start()
        yield made
    finally:
        made.close()

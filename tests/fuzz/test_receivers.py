"""Whatever an alert says, and whatever a receiver answers: it is told, put off or given up; nothing else comes out.

Each kind of receiver that the settings know is here, made from settings as a worker makes it. Those that speak HTTP are
answered by a server that says anything.
"""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any, ClassVar, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pydantic import TypeAdapter
from rich.console import Console

from connectors.cap_rules import Box, problems_in
from connectors.sinks.alertmanager import Alertmanager
from connectors.sinks.contract import TryLater, Undeliverable
from records import Alert, MalformedRecord, ManualClock, decode
from streams.topics import ALERTS
from tests.console.made import MORNING, a_silence
from tests.fuzz.depth import fuzzing
from tests.fuzz.found import found
from tests.fuzz.mutating import changed, hostile
from tests.fuzz.told import values_of
from vigie.receiver_assembly import sink_from
from vigie.receiver_settings import ReceiverSettings
from vigie.settings import Data, Settings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KINDS: dict[str, dict[str, Any]] = {
    "alertmanager": {"url": "http://127.0.0.1:{port}"},
    "apprise": {"urls_file": "{folder}/urls", "with_quotes": True},
    "cap": {"folder": "{folder}/cap", "base_url": "https://v.example", "sender": "v@v.example"},
    "feeds": {"folder": "{folder}/feeds"},
    "jsonl": {"path": "{folder}/alerts.jsonl"},
    "terminal": {},
    "webhook": {"name": "cell", "url": "http://127.0.0.1:{port}/hook", "secret_file": "{folder}/secret"},
}
SILENCES = [
    b'[{"id":"1","status":{"state":"active"},"matchers":[{"name":"hazard","value":"fire","isRegex":false,"isEqual":true}]'
    b',"startsAt":"2012-01-30T07:00:00Z","endsAt":"2012-01-30T09:00:00Z","createdBy":"x","comment":"y"}]',
    b'{"silenceID":"1"}',
    b"[]",
]
ARABIC = "\u0661".encode().decode("latin-1")  # a digit that is none of ours, as it comes over the wire
STATUSES = (200, 200, 200, 201, 204, 301, 302, 400, 401, 404, 408, 410, 413, 429, 500, 503, 599)


def test_every_kind_of_receiver_is_fuzzed() -> None:
    union = get_args(get_args(ReceiverSettings)[0])
    assert {get_args(model.model_fields["kind"].annotation)[0] for model in union} == set(KINDS)


class Anything(BaseHTTPRequestHandler):
    """Answers anything."""

    chance = Random(0)  # noqa: S311
    kept: ClassVar[list[bytes]] = []  # what is answered first, one after the other: what was found once
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def answer(self) -> None:
        """Read what is sent, and answer by chance."""
        self.rfile.read(int(self.headers.get("content-length", "0")))
        status, body = (200, self.kept.pop(0)) if self.kept else (None, changed(self.chance, SILENCES))
        self.send_response(status or self.chance.choice(STATUSES))
        self.send_header("retry-after", self.chance.choice(("1", "9" * 400, "-1", "Thu, 99 Foo", ARABIC, "")))
        self.send_header("location", self.chance.choice(("http://[::1", "/", "http://169.254.169.254/")))
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815  the library's names


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Serve anything; give the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Anything)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
async def make(tmp_path: Path, port: int) -> AsyncIterator[Callable[[str], Any]]:
    """Return what makes the sink of a kind of receiver; close it at the end."""
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "urls").write_text(f"json://127.0.0.1:{port}/\n")
    made: list[Any] = []

    def sink(kind: str) -> Any:
        said = json.loads(json.dumps(KINDS[kind]).replace("{port}", str(port)).replace("{folder}", str(tmp_path)))
        receiver: Any = TypeAdapter(ReceiverSettings).validate_python({"kind": kind, **said})
        settings = Settings(data=Data(dir=tmp_path))
        made.append(sink_from(receiver, settings, ManualClock(MORNING), Console(file=StringIO(), width=80)))
        return made[-1]

    yield sink
    for one in made:
        closed = one.close() if hasattr(one, "close") else None
        if asyncio.iscoroutine(closed):
            await closed


def readable(value: bytes) -> Alert | None:
    """Return the alert of a hostile value, if it is one."""
    with suppress(MalformedRecord):
        return decode(value, Alert)
    return None


ALERT = hostile(values_of(ALERTS)).map(readable).filter(lambda alert: alert is not None)


@pytest.mark.parametrize("kind", KINDS)
async def test_any_alert_is_told_put_off_or_given_up(kind: str, make: Callable[[str], Any], tmp_path: Path) -> None:
    sink = make(kind)
    outcomes = [(decode(path.read_bytes(), Alert), 0) for of, path in found("receivers") if of == kind]

    @fuzzing(40)
    @given(alert=ALERT, seed=st.integers(0, 2**32))
    def law(alert: Any, seed: int) -> None:
        Anything.chance = Random(seed)  # noqa: S311
        outcomes.append((alert, seed))

    law()
    told = 0
    for alert, seed in outcomes:
        Anything.chance = Random(seed)  # noqa: S311
        with suppress(TryLater, Undeliverable):
            await sink.send(alert)
            told += 1
    assert told, "nothing was ever told"
    check_written(kind, tmp_path)


def check_written(kind: str, folder: Path) -> None:
    """Look whether what other programs read can be read."""
    if kind == "jsonl":
        for line in (folder / "alerts.jsonl").read_bytes().splitlines():
            assert json.loads(line)["incident_id"]
    if kind == "feeds":
        assert json.loads((folder / "feeds/incidents.geojson").read_bytes())["type"] == "FeatureCollection"
        etree.fromstring((folder / "feeds/incidents.atom").read_bytes(), None)
    if kind == "cap":
        for path in (folder / "cap").glob("*.xml"):
            assert problems_in(path.read_bytes(), territory=[Box(-90, -180, 90, 180)]) == []


async def test_whatever_an_alertmanager_says_of_its_silences_is_read_or_tried_later(make: Callable[[str], Any]) -> None:
    sink = make("alertmanager")
    assert isinstance(sink, Alertmanager)
    for answer in [path.read_bytes() for of, path in found("answers") if of == "alertmanager"]:
        Anything.kept = [answer]
        with suppress(TryLater, Undeliverable):
            await sink.silences()
    set_there = set()
    for seed in range(fuzzing(60).max_examples):
        Anything.chance = Random(seed)  # noqa: S311
        with suppress(TryLater, Undeliverable):
            await sink.silences()
        Anything.kept = [b"[]", changed(Anything.chance, SILENCES[1:2])]
        with suppress(TryLater, Undeliverable):
            set_there.add(await sink.silence(a_silence()))
    assert set_there, "no answer was ever taken for that to a silence"

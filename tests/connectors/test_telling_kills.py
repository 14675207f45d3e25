"""Killed at any point, again and again: each receiver gets each of many revisions, and sees none twice."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from records import Alert

INCIDENTS = 20
SECRET = "whsec_" + "a2lsbGluZyBub3RpZmllcnMgYWdhaW4u"
PATIENCE_SECS = 240.0

NOTIFIER = """
import asyncio, sys
from pathlib import Path
import msgspec
from connectors.sinks.jsonl import JsonLines
from connectors.sinks.outbox import Outbox, Patience
from connectors.sinks.webhook import WebhookSink
from records import Alert, SystemClock, decode

folder, url, secret, count, incidents = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
alert = decode((folder / "alert.json").read_bytes(), Alert)
position = folder / "position"  # as Kafka's offsets: noted once what was read is in the outbox

def revision(n):
    return msgspec.structs.replace(alert, incident_id=f"inc-{n % incidents}", revision=1 + n // incidents)

async def main():
    clock = SystemClock()
    sinks = [JsonLines(folder / "out.jsonl"), WebhookSink(url, secret=secret, clock=clock, name="cell")]
    outbox = Outbox(folder / "outbox.sqlite", sinks, clock=clock, patience=Patience(first_wait_secs=0.01))
    telling = asyncio.create_task(outbox.run(look_every_secs=0.02))
    read = int(position.read_text()) if position.exists() else 0
    while read < count:
        await outbox.enqueue([revision(n) for n in range(read, min(read + 20, count))])
        read = min(read + 20, count)
        beside = position.with_suffix(".new")
        beside.write_text(str(read))
        beside.replace(position)
    while any(state == "pending" for _, state in outbox.counts()):
        await asyncio.sleep(0.02)
    telling.cancel()
    await asyncio.wait({telling})

asyncio.run(main())
"""


class Cell:
    """A receiver of webhooks that is not always well; it drops what it knows by its id, as receivers should."""

    def __init__(self) -> None:
        self.seen: dict[str, tuple[str, int]] = {}
        self.requests = 0
        cell, chance = self, random.Random("cell")  # noqa: S311  the same each time

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = msgspec.json.decode(self.rfile.read(int(self.headers["content-length"])))
                cell.requests += 1
                mood = chance.random()
                if mood > 0.02:
                    told = body["data"]["incident_id"], body["data"]["revision"]
                    cell.seen.setdefault(self.headers["webhook-id"], told)
                if mood < 0.04:  # not taken, or taken and not said
                    self.send_error(503)
                    return
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/alerts"


@pytest.fixture
def cell() -> Iterator[Cell]:
    made = Cell()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.timeout(PATIENCE_SECS + 60)
@pytest.mark.parametrize(
    ("revisions", "kills_due"), [(200, 5), pytest.param(1_000, 25, id="a thousand", marks=pytest.mark.long)]
)
def test_all_revisions_reach_each_receiver_once_whatever_is_killed(
    tmp_path: Path, alert: Alert, cell: Cell, revisions: int, kills_due: int
) -> None:
    (tmp_path / "alert.json").write_bytes(msgspec.json.encode(alert))
    command = [sys.executable, "-c", NOTIFIER, str(tmp_path), cell.url, SECRET, str(revisions), str(INCIDENTS)]
    chance = random.Random("notifier")  # noqa: S311  where to strike, the same each time
    kills, deadline = 0, time.monotonic() + PATIENCE_SECS
    while True:
        notifier = subprocess.Popen(  # noqa: S603  the program above
            command, env=os.environ | {"PYTHONPATH": str(Path.cwd())}
        )
        before, life = cell.requests, chance.randrange(1, 60)
        while notifier.poll() is None and (kills >= kills_due or cell.requests < before + life):
            assert time.monotonic() < deadline, "not done in time"
            time.sleep(0.002)
        if notifier.poll() is not None:
            break
        notifier.send_signal(signal.SIGKILL)
        notifier.wait()
        kills += 1
    assert notifier.returncode == 0
    assert kills == kills_due
    due = [(f"inc-{n % INCIDENTS}", 1 + n // INCIDENTS) for n in range(revisions)]
    lines = [msgspec.json.decode(line) for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    written = [(line["incident_id"], line["revision"]) for line in lines]
    assert sorted(written) == sorted(due), "the file has each once"
    told = list(cell.seen.values())
    assert sorted(told) == sorted(due), "the cell sees each once, by its id"
    for incident in {name for name, _ in due}:
        for seen in (written, told):
            in_turn = [revision for name, revision in seen if name == incident]
            assert in_turn == sorted(in_turn)
    assert cell.requests < revisions * 1.1 + kills_due * 2, "hardly more is sent than is due"

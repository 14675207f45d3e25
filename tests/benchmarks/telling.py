"""Telling: from an alert revision on its topic to a webhook on this machine, at a steady rate.

Run     `python tests/benchmarks/telling.py [revisions a second] [seconds]`
Shape   the embedded broker, a real worker with a webhook and a file to tell, and this process at both ends
Units   seconds from the broker's receipt of a revision to the request at the webhook, by one clock
"""

import asyncio
import os
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec

from records import Alert, decode
from streams.declaring import declare_topics
from streams.publisher import KafkaPublisher
from streams.settings import StreamSettings
from vigie.broker import EmbeddedBroker, free_port
from vigie.children import Child

GOLDEN = Path(__file__).parents[1] / "golden" / "alert.json"
SETTINGS = """
[data]
dir = "data"
[broker]
port = {broker}
[worker]
health_port = {health}
[[receivers]]
kind = "jsonl"
path = "alerts.jsonl"
[[receivers]]
kind = "webhook"
name = "cell"
url = "{url}"
secret_file = "secret"
"""
READY_SECS = 120.0


class Cell:
    """A webhook that notes when it was told of what."""

    def __init__(self) -> None:
        self.told: dict[str, float] = {}
        cell = self

        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = msgspec.json.decode(self.rfile.read(int(self.headers["content-length"])))
                cell.told.setdefault(body["data"]["incident_id"], time.monotonic())
                self.send_response(204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_address[1]}/alerts"


async def told_of(streams: StreamSettings, rate: float, seconds: float) -> dict[str, float]:
    """Publish revisions at a rate; return when the broker had each."""
    alert = decode(GOLDEN.read_bytes(), Alert)
    publisher = KafkaPublisher(streams)
    await publisher.start()
    published: dict[str, float] = {}
    began = time.monotonic()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        one = msgspec.structs.replace(
            alert, incident_id=f"fire-{number}", revision=1, level="alert", raised_at=datetime.now(UTC)
        )
        await publisher.alerts([one])
        published[one.incident_id] = time.monotonic()
    await publisher.stop()
    return published


def measured(rate: float, seconds: float) -> list[float]:
    """Return the delays, sorted."""
    cell = Cell()
    with tempfile.TemporaryDirectory(prefix="vigie-") as name, EmbeddedBroker() as broker:
        folder = Path(name)
        health = free_port()
        (folder / "secret").write_text("whsec_" + "dGVsbGluZyBiZW5jaG1hcmsgc2VjcmV0")
        (folder / "vigie.toml").write_text(SETTINGS.format(broker=broker.port, health=health, url=cell.url))
        streams = StreamSettings(kafka_url=broker.url, data_dir=folder / "data", is_embedded=True)
        asyncio.run(declare_topics(streams))
        worker = Child("worker", ["worker"], environ={"VIGIE_SETTINGS": str(folder / "vigie.toml")}, health_port=health)
        worker.start()
        try:
            deadline = time.monotonic() + READY_SECS
            while not (worker.health() or {}).get("ready"):
                if time.monotonic() > deadline or worker.poll() is not None:
                    raise SystemExit("the worker did not get ready")
                time.sleep(0.1)
            published = asyncio.run(told_of(streams, rate, seconds))
            deadline = time.monotonic() + 60
            while len(cell.told) < len(published) and time.monotonic() < deadline:
                time.sleep(0.05)
        finally:
            worker.stop()
    missing = len(published) - len(cell.told)
    if missing:
        raise SystemExit(f"{missing} of {len(published)} were not told in a minute")
    return sorted(cell.told[name] - at for name, at in published.items())


if __name__ == "__main__":
    at_rate = float(sys.argv[1]) if len(sys.argv) > 1 else 50.0
    for_secs = float(sys.argv[2]) if len(sys.argv) > 2 else 30.0
    delays = measured(at_rate, for_secs)
    quantiles = {f"p{share}": delays[min(len(delays) - 1, len(delays) * share // 100)] for share in (50, 90, 99)}
    shown = ", ".join(f"{name} {delay:.3f} s" for name, delay in quantiles.items())
    load = os.getloadavg()[0]
    sys.stdout.write(
        f"{at_rate:g} a second, {len(delays)} revisions: {shown}, most {delays[-1]:.3f} s; load {load:.1f}\n"
    )

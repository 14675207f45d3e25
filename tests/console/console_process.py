"""The console's own process, with hands for tests: it can be killed, and its broker taken away."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from console.access import tokens
from console.access.account_rows import insert_account, named
from console.archive import tables
from console.archive.database import address_from, opened, writing
from records import Alert, Silence, Verdict, decode
from streams.publisher import KafkaPublisher
from streams.reader import standing
from streams.settings import StreamSettings
from streams.topics import DECISIONS, OnDecisions
from vigie.broker import free_port

READY_SECS = 90.0
SETTINGS = """
[console]
port = {port}
metrics_port = {metrics}
database = "{database}"
verifies_watches = false
"""


@dataclass(frozen=True)
class Kept:
    """What an archive has of decisions: their ids."""

    decisions: list[str]
    audited: list[str]
    waiting: list[str]  # for the broker


class Console:
    """A running `vigie console`."""

    def __init__(self, folder: Path, database: str, *, broker: int, metrics: int = 0) -> None:
        self.folder, self.database, self.broker, self.port = folder, database, broker, free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"log-{self.port}"
        self.settings = folder / f"vigie-{self.port}.toml"
        self.settings.write_text(SETTINGS.format(port=self.port, metrics=metrics, database=database), encoding="utf-8")
        self.streams = StreamSettings(
            kafka_url=f"kafka://127.0.0.1:{broker}", data_dir=folder / "outside", is_embedded=True, partitions=4
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; do not wait."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("VIGIE_")}
        environ |= {"VIGIE_BROKER_PORT": str(self.broker), "VIGIE_SETTINGS": str(self.settings)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "vigie", "console"], cwd=self.folder, env=environ, stdout=log, stderr=log
            )

    async def answers(self, *, is_ready: bool = False) -> None:
        """Wait until it answers, and until it has read the topics where that is wanted."""
        deadline = time.monotonic() + READY_SECS
        while (health := await asyncio.to_thread(self._health)) is None or (is_ready and not health["ready"]):
            assert self.process is None or self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            await asyncio.sleep(0.05)

    def _health(self) -> dict[str, Any] | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except OSError:
            return None

    @property
    def said(self) -> str:
        """All that it has logged."""
        return self.log.read_text(encoding="utf-8")

    def tell(self, number: int) -> None:
        """Send it a signal."""
        if self.process is not None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """Kill it: it can do nothing more."""
        self.tell(signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """Wait until it has ended; return its status."""
        return self.process.wait(timeout=60) if self.process is not None else 0

    def stop(self) -> None:
        """Stop it as Ctrl-C does."""
        if self.process is not None and self.process.poll() is None:
            self.tell(signal.SIGTERM)
            self.wait()

    async def token(self) -> str:
        """Make an operator, and a token by which a program acts for him."""
        engine, now = await opened(address_from(self.database)), datetime.now(UTC)
        try:
            async with writing(engine) as connection:
                await insert_account(connection, "astreinte", "operator", now, {"must_change": False}, by="tests")
                row = await named(connection, "astreinte")
                assert row is not None
                return await tokens.make(connection, row["account_id"], label="tests", role="operator", now=now, days=1)
        finally:
            await engine.dispose()

    async def hear(self, *alerts: Alert) -> None:
        """Put alerts on the broker."""
        publisher = KafkaPublisher(self.streams)
        try:
            await publisher.alerts(alerts)
        finally:
            await publisher.stop()

    async def decided(self) -> list[Verdict | Silence]:
        """Return all that stands on `decisions.v1`."""
        async with aclosing(standing(self.streams, DECISIONS)) as messages:
            return [decode(one.value, OnDecisions) async for one in messages if one.value is not None]

    async def kept(self) -> Kept:
        """Return what the archive has of decisions."""
        engine = await opened(address_from(self.database))
        try:
            async with engine.connect() as connection:
                audited = await connection.scalars(select(tables.audit.c.detail).order_by(tables.audit.c.number))
                return Kept(
                    decisions=list(await connection.scalars(select(tables.decision.c.decision_id))),
                    audited=[one["decision_id"] for one in audited if "decision_id" in one],
                    waiting=list(await connection.scalars(select(tables.outgoing.c.object))),
                )
        finally:
            await engine.dispose()

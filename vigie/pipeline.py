"""A pipeline of its own: embedded broker, worker, and this process at both ends. For replays, the demo and benchmarks.

Everything in it lives in event time: the worker's clock does not tick, the records tell the time.
"""

import asyncio
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from records import Alert, Bulletin, DeadLetter, Post, ProfileChange, Pulse, Tick, Verdict, VigieError
from streams.declaring import declare_topics
from streams.publisher import KafkaPublisher
from streams.reader import read
from streams.settings import StreamSettings
from streams.topics import ALERTS, CONTEXT, DECISIONS, POSTS, SIGNALS
from streams.wiring import tick_from
from vigie.broker import EmbeddedBroker, free_port
from vigie.children import Child
from vigie.settings import Settings

READY_SECS = 120.0
LOOK_SECS = 0.1


class PipelineFailed(VigieError):
    """The pipeline's own process ended or stood still."""


class Pipeline:
    """Posts in, alerts out, through the real broker and the real worker."""

    def __init__(self, settings: Settings, *, partitions: int = 1, is_exact: bool = True) -> None:
        self.is_exact = is_exact
        self._folder = tempfile.TemporaryDirectory(prefix="vigie-")
        folder = Path(self._folder.name)
        self.broker = EmbeddedBroker(log_path=folder / "broker.log")
        self.health_port = free_port()
        self.streams = StreamSettings(
            kafka_url=self.broker.url,
            data_dir=folder / "data",
            is_embedded=True,
            partitions=partitions,
            has_ticks=False,
        )
        self.worker = Child(
            "worker",
            ["worker", "--recorded", *(["--exact"] if is_exact else [])],
            environ=_environ(settings, self, folder),
            health_port=self.health_port,
        )
        self.publisher = KafkaPublisher(self.streams)
        self.published = 0
        self.ticks = 0
        self.stated: Counter[str] = Counter()  # bulletins and verdicts, by topic

    async def start(self, on_progress: Callable[[str], None] | None = None) -> None:
        """Start the broker and the worker; return when posts are taken.

        Errors  PipelineFailed when the worker ends or does not get ready
        """
        say = on_progress or (lambda _: None)
        say("broker")
        self.broker.start()
        await declare_topics(self.streams)
        say("worker")
        self.worker.start()
        deadline = time.monotonic() + READY_SECS
        while not (await self._health() or {}).get("ready"):
            if time.monotonic() > deadline:
                raise PipelineFailed(f"worker: not ready after {READY_SECS:.0f} s")
            await asyncio.sleep(LOOK_SECS)
        say("ready")

    async def posts(self, posts: Sequence[Post]) -> None:
        """Hand over posts; exactly, one after the other, since what a post is taken for depends on those before it."""
        await (self.publisher.posts_in_order(posts) if self.is_exact else self.publisher.posts(posts))
        self.published += len(posts)

    async def dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Hand over what could not be read."""
        await self.publisher.dead_letters(letters)

    async def pulses(self, pulses: Sequence[Pulse]) -> None:
        """Hand over counts of what was not kept."""
        await self.publisher.pulses(pulses)

    async def bulletins(self, bulletins: Sequence[Bulletin]) -> None:
        """Hand over what authorities and operators state."""
        await self.publisher.bulletins(bulletins)
        self.stated[CONTEXT.name] += len(bulletins)

    async def verdicts(self, verdicts: Sequence[Verdict]) -> None:
        """Hand over what people decided."""
        await self.publisher.verdicts(verdicts)
        self.stated[DECISIONS.name] += len(verdicts)

    async def profile_changes(self, changes: Sequence[ProfileChange]) -> None:
        """Hand over by which profile it is to be decided from here on."""
        await self.publisher.profile_changes(changes)
        self.stated[DECISIONS.name] += len(changes)

    async def pass_time(self, keys: Sequence[str], at: datetime) -> None:
        """Let event time pass for state keys, `hazard/area`."""
        ticks: list[Tick] = [tick_from(key, at) for key in keys]
        await self.publisher.signals(ticks)
        self.ticks += len(ticks)

    async def drained(self) -> dict[str, Any]:
        """Wait until everything handed over is decided; return what the worker counted.

        Errors  PipelineFailed when the worker ends
        """
        while True:
            health = await self._health()
            if health is not None and self._is_drained(health):
                return health
            await asyncio.sleep(LOOK_SECS)

    def _is_drained(self, health: dict[str, Any]) -> bool:
        handled, sent = health["handled"], health["sent"]
        return bool(
            handled.get(POSTS.name, 0) >= self.published
            and all(handled.get(topic, 0) >= count for topic, count in self.stated.items())
            and handled.get(SIGNALS.name, 0) >= sent.get(SIGNALS.name, 0) + self.ticks
        )

    async def alerts(self) -> list[Alert]:
        """Return all revisions raised so far, in event time."""
        health = await self.drained()
        found: list[Alert] = await read(self.streams, ALERTS, int(health["sent"].get(ALERTS.name, 0)))
        return sorted(found, key=lambda alert: (alert.raised_at, alert.incident_id, alert.revision))

    async def _health(self) -> dict[str, Any] | None:
        self.broker.check()
        status = self.worker.poll()
        if status is not None:
            raise PipelineFailed(f"worker: ended with status {status}; its log stands above")
        return await asyncio.to_thread(self.worker.health)

    async def stop(self) -> None:
        """Stop everything and leave nothing on disk."""
        await self.publisher.stop()
        await asyncio.to_thread(self.worker.stop)
        self.broker.stop()
        self._folder.cleanup()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _environ(settings: Settings, pipeline: Pipeline, folder: Path) -> dict[str, str]:
    territory = settings.territory
    environ = {
        "VIGIE_SETTINGS": os.devnull,
        "VIGIE_BROKER_PORT": str(pipeline.broker.port),
        "VIGIE_KAFKA_URL": "embedded",
        "VIGIE_KAFKA_PARTITIONS": str(pipeline.streams.partitions),
        "VIGIE_WORKER_HEALTH_PORT": str(pipeline.health_port),
        "VIGIE_DATA_DIR": str(folder / "data"),
        "VIGIE_TERRITORY_COMMUNE": territory.commune,
        "VIGIE_TERRITORY_PROFILE": territory.profile,
        "VIGIE_DUTY": json.dumps([duty.model_dump(mode="json") for duty in settings.duty]),
        "VIGIE_OFFICIAL_ACCOUNTS": json.dumps([one.model_dump(mode="json") for one in settings.official_accounts]),
        "VIGIE_SOURCES": json.dumps([source.model_dump(mode="json") for source in settings.sources]),
    }
    if territory.local_places:
        environ["VIGIE_TERRITORY_LOCAL_PLACES"] = str(territory.local_places.resolve())
    return environ

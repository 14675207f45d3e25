"""`vigie run`: everything on one machine, supervised from outside, with one log.

Faust does not reliably come back from broker outages by itself, and the embedded broker never frees memory. So a
process that ends or stands still is started again, and a broker that has grown, or that has what people wrote for as
long as was promised, is replaced: reading stops, what was read is decided, the detectors' state is carried over, and
reading goes on where it stopped.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import structlog

from records import SourceUnavailable, VigieError
from streams.declaring import declare_topics
from streams.restore import Carried, carried, forget_saved, put_back, restore_on_fresh_broker
from streams.settings import StreamSettings
from streams.topics import ALERTS, GONE_BY, POSTS, SIGNALS
from vigie.broker import BrokerDied, EmbeddedBroker, free_port
from vigie.children import Child
from vigie.settings import FILE_VARIABLE, Settings

log = structlog.get_logger()

LOOK_SECS = 0.5
READY_SECS = 120.0
DRAIN_SECS = 120.0
FIRST_WAIT_SECS, LONGEST_WAIT_SECS = 1.0, 8.0
"""What ends because its broker is away must soon be there when that is back."""
CALM_SECS = 120.0  # a process that ran so long starts again without delay
SILENT_SECS = 60.0  # a health page without an answer for so long is no better than a bad one
MIB = 1 << 20
ON_THIS_MACHINE = ("127.0.0.1", "0.0.0.0", "localhost")  # noqa: S104  where its health page answers us


class NotReady(VigieError):
    """A process did not get ready in time."""


class Watched:
    """One process with its restarts."""

    def __init__(self, child: Child, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.child = child
        self.monotonic = monotonic
        self.failures = 0
        self.is_done = False
        self.started_at = 0.0
        self.answered_at = 0.0
        self.next_start_at = 0.0

    def start(self) -> None:
        """Start it."""
        self.child.start()
        self.started_at = self.answered_at = self.monotonic()

    def look(self) -> None:
        """Start it again when it has ended, or when it stands still."""
        if self.is_done:
            return
        status = self.child.poll()
        if self.child.is_running:
            self._look_at_health()
            return
        if self.child.process is not None:
            self._ended(status)
        elif self.monotonic() >= self.next_start_at:
            self.start()

    def _ended(self, status: int | None) -> None:
        self.child.process = None
        if status == 0:
            self.is_done = True
            log.info("process has done its work", child=self.child.name)
            return
        ran_secs = self.monotonic() - self.started_at
        self.failures = 1 if ran_secs > CALM_SECS else self.failures + 1
        wait = min(LONGEST_WAIT_SECS, FIRST_WAIT_SECS * 2.0 ** (self.failures - 1))
        self.next_start_at = self.monotonic() + wait
        log.error("process ended: it will be started again", child=self.child.name, status=status, wait_secs=wait)

    def _look_at_health(self) -> None:
        if not self.child.health_port:
            return
        health = self.child.health()
        now = self.monotonic()
        if health is not None:
            self.answered_at = now
        wrong = health.get("wrong") if health else None
        if health is None and now - max(self.answered_at, self.started_at) > SILENT_SECS:
            wrong = f"no answer for {SILENT_SECS:.0f} s"
        if wrong:
            log.error("process stands still: it will be started again", child=self.child.name, why=wrong)
            self.child.kill()


class Supervisor:
    """Starts, watches and stops the processes of one machine."""

    def __init__(self, settings: Settings, settings_file: Path | None) -> None:
        self.settings = settings
        self.broker: EmbeddedBroker | None = None
        if settings.is_embedded:
            self.broker = EmbeddedBroker(port=settings.broker.port or None, log_path=settings.data.dir / "broker.log")
        environ = {FILE_VARIABLE: str(settings_file.absolute())} if settings_file else {}
        if self.broker is not None:
            environ["VIGIE_BROKER_PORT"] = str(self.broker.port)
        self.health_port = settings.worker.health_port or free_port()
        environ["VIGIE_WORKER_HEALTH_PORT"] = str(self.health_port)
        self.worker = Watched(Child("worker", ["worker"], environ=environ, health_port=self.health_port))
        self.edge = Watched(Child("edge", ["connect"], environ=environ))
        self.console: Watched | None = None
        if settings.console.port and not settings.console.is_there:
            log.warning(
                "no page for people: its libraries are not installed",
                mend="pip install -e '.[console]' in the checkout",
            )
        if settings.console.is_there:
            answers = settings.console.port if settings.console.host in ON_THIS_MACHINE else 0
            self.console = Watched(Child("console", ["console"], environ=environ, health_port=answers))
        self.broker_started_at = 0.0
        self.is_told_to_stop = False

    def run(self) -> int:
        """Run until SIGINT or SIGTERM; return the exit status."""
        self.settings.data.dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._told_to_stop)
        try:
            self._start()
            while not self.is_told_to_stop:
                time.sleep(LOOK_SECS)
                self._look()
        finally:
            self._stop()
        return 0

    def _told_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self.is_told_to_stop:  # asked twice: at once
            for watched in self._all:
                watched.child.kill()
            os._exit(128 + number)  # and the broker ends with us
        self.is_told_to_stop = True

    @property
    def _all(self) -> list[Watched]:
        """All processes but the broker, in the order in which they are stopped."""
        return [self.edge, self.worker, *([self.console] if self.console else [])]

    @property
    def streams(self) -> StreamSettings:
        """Return the stream settings with the embedded broker's address, where there is one."""
        if self.broker is None:
            return self.settings.streams()
        broker = self.settings.broker.model_copy(update={"port": self.broker.port})
        return self.settings.model_copy(update={"broker": broker}).streams()

    def _start(self) -> None:
        if self.broker is None:
            log.info("starting on a Kafka of your own", kafka=self.settings.kafka.url)
        else:
            log.warning(
                "embedded broker: what is in flight dies with it; set VIGIE_KAFKA_URL for a durable one",
                port=self.broker.port,
            )
        self._start_all()
        if self.settings.sources:
            log.info("watching", commune=self.settings.territory.commune or "everywhere")
        else:
            log.error("blind: there is no [[sources]] table, so nothing is read; `vigie init` writes one")

    def _start_all(self, kept: Carried | None = None) -> None:
        if self.broker is not None:
            self.broker.start()
            self.broker_started_at = time.monotonic()
            asyncio.run(declare_topics(self.streams, is_fresh=True))  # at once: the console goes on asking for them
            asyncio.run(restore_on_fresh_broker(self.streams))
            if kept:
                asyncio.run(put_back(self.streams, kept))
        self.worker.start()
        self._start_console()
        self._wait_until_ready()
        if self.broker is not None:
            forget_saved(self.streams)
        if not self.edge.is_done:
            self.edge.start()

    def _start_console(self) -> None:
        """Start the page for people; one that runs already is told that the broker is another."""
        if self.console is None:
            return
        if self.console.child.is_running:
            self.console.child.tell(signal.SIGHUP)
        else:
            self.console.start()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECS
        while not (self.worker.child.health() or {}).get("ready"):
            if self.is_told_to_stop:
                return
            if self.worker.child.poll() is not None or time.monotonic() > deadline:
                raise NotReady(
                    f"worker: not ready (status {self.worker.child.poll()}); see its log above and `vigie check`"
                )
            time.sleep(LOOK_SECS)

    def _look(self) -> None:
        if self.broker is not None:
            try:
                self.broker.check()
            except BrokerDied as error:
                log.error("embedded broker died: what was in flight is lost; starting afresh", error=str(error))  # noqa: TRY400
                self._replace_broker(is_alive=False)
                return
            if self._is_broker_full() or time.monotonic() - self.broker_started_at > GONE_BY.total_seconds():
                self._replace_broker(is_alive=True)
                return
        for watched in self._all:
            watched.look()

    def _is_broker_full(self) -> bool:
        return self.broker is not None and self.broker.memory_bytes() > self.settings.broker.max_memory_mb * MIB

    def _replace_broker(self, *, is_alive: bool) -> None:
        """Put a fresh broker in the place of one that has grown or died; carry over what must not be lost."""
        if self.broker is None:
            return
        log.warning("replacing the embedded broker", memory_mb=self.broker.memory_bytes() // MIB)
        self.edge.child.stop()
        kept: Carried = {}
        if is_alive:
            self._drain()
            self.worker.child.stop()
            kept = self._carried()
        else:
            self.worker.child.kill()
        self.broker.stop()
        self._start_again(self.broker, kept)
        log.info("reading on")

    def _carried(self) -> Carried:
        try:
            return asyncio.run(carried(self.streams))
        except SourceUnavailable as error:
            log.error("silences, decisions and alerts of the old broker are lost", error=str(error))  # noqa: TRY400
            return {}

    def _start_again(self, broker: EmbeddedBroker, kept: Carried) -> None:
        """Start everything on a fresh broker; what does not get ready is tried again, after waits that grow."""
        wait = FIRST_WAIT_SECS
        while not self.is_told_to_stop:
            try:
                self._start_all(kept)
            except (NotReady, BrokerDied, SourceUnavailable) as error:
                log.error("not ready on a fresh broker: trying again", error=str(error), wait_secs=wait)  # noqa: TRY400
                self.worker.child.stop()
                broker.stop()
                time.sleep(wait)
                wait = min(LONGEST_WAIT_SECS, 2 * wait)
            else:
                return

    def _drain(self) -> None:
        """Wait until everything on the topics is decided, or give up waiting, saying so."""
        deadline = time.monotonic() + DRAIN_SECS
        previous = None
        while time.monotonic() < deadline:
            health = self.worker.child.health() or {}
            handled, sent = health.get("handled", {}), health.get("sent", {})
            now = (health.get("waiting"), handled, sent)
            is_even = handled.get(SIGNALS.name, 0) >= sent.get(SIGNALS.name, 0)
            if health.get("waiting") == 0 and is_even and now == previous:
                return
            previous = now
            time.sleep(2 * LOOK_SECS)
        log.error("embedded broker: not drained in time; what is left on it is lost", topics=[POSTS.name, ALERTS.name])

    def _stop(self) -> None:
        log.info("stopping: sources, then worker and console, then broker")
        self.edge.child.stop()
        if self.broker is not None and self.broker.is_running and self.worker.child.is_running:
            self._drain()
        for watched in self._all:
            watched.child.stop()
        if self.broker is not None:
            self.broker.stop()
        log.info("stopped")

"""A burst: a morning read by the edge in a few seconds, decided by the worker, told and shown; anything may be killed.

Whoever ends is started again as `vigie run` does it. What must come out is what a plain loop makes of the same posts.
"""

import json
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from connectors.pseudonym import Keys
from connectors.sinks.webhook import webhook_id_of
from models.gate import Gate
from records import Post, decode
from streams.topics import ALERTS, DEAD_LETTERS, POSTS, SIGNALS
from tests.survival.stage import PATIENCE_SECS, PlainLoop, Stage, StageProcess, wait_until
from vigie.bench.processes import family
from vigie.broker import free_port
from vigie.children import Child
from vigie.story import le_havre_2012
from vigie.supervisor import Watched

SOURCE = "story"
BURST_SECS = 6.0
MORNING = timedelta(hours=7)
READY_SECS = 30.0
"""So soon after a kill, or after what it needs is back, a worker must take posts again."""
SLOW = 3.0
"""A machine so slow that its first start takes more than a third of that may take so many times as long."""
LOOK_SECS = 0.2
Revision = tuple[str, int]
"""An incident, and the number of a revision of it."""


class Kept(Watched):
    """A process that is started again as `vigie run` does it, and how long it took until it was ready again."""

    def __init__(self, child: Child) -> None:
        super().__init__(child)
        self.ends = 0
        self.ready_secs: list[float] = []
        self.is_done = True  # until it is started
        self._down_since: float | None = None
        self._lock = threading.RLock()

    @property
    def is_ready(self) -> bool:
        return self._down_since is None

    def start(self) -> None:
        with self._lock:
            self.is_done = False
            self.missed()
            super().start()

    def look(self) -> None:
        with self._lock:
            ended = self.failures
            super().look()
            self.ends += self.failures > ended
            if self._down_since is not None and (self.child.health() or {}).get("ready"):
                self.ready_secs.append(self.monotonic() - self._down_since)
                self._down_since = None

    def missed(self) -> None:
        """Measure from now on how long it takes until it is ready, unless that is measured already."""
        if self._down_since is None and self.child.health_port:
            self._down_since = self.monotonic()

    def excuse(self) -> None:
        """Do not count what it has waited so far: it could not be ready."""
        with self._lock:
            if self._down_since is not None:
                self._down_since = self.monotonic()

    def kill(self) -> None:
        """Kill it, if it runs."""
        with self._lock:
            if self.child.is_running:
                self.child.kill()
                self.missed()


class Came(NamedTuple):
    """What came of a burst."""

    revisions: int
    told: int
    lost: int
    twice: int
    repeated: int  # requests for what the webhook had been told already, under the same id
    first_secs: float  # from the worker's first start until it took posts
    ready_secs: float  # the longest time from a kill until it took them again

    @property
    def is_soon(self) -> bool:
        """Tell whether the worker was there again as soon as is promised, or as this machine can at all."""
        return self.ready_secs < soon(self.first_secs)


class Burst(Stage):
    """Edge, worker and console on one broker, kept alive from a thread beside."""

    def __init__(self, folder: Path, *, kafka_url: str, is_embedded: bool, is_exact: bool = True) -> None:
        self.console_port = free_port()
        super().__init__(folder, kafka_url=kafka_url, is_embedded=is_embedded)
        self.worker.is_exact = is_exact
        (folder / "morning.jsonl").write_bytes(b"".join(msgspec.json.encode(post) + b"\n" for post in morning()))
        write_keys(folder / "data" / "pseudonyms.json")
        vigie = ["-m", "vigie"]
        self.kept = {
            "edge": Kept(StageProcess("edge", [*vigie, "connect"], folder)),
            "worker": Kept(self.worker),
            "console": Kept(StageProcess("console", [*vigie, "console"], folder, health_port=self.console_port)),
        }
        self._is_over = threading.Event()
        self._keeping = threading.Thread(target=self._keep, name="keeping", daemon=True)

    def tables(self) -> list[str]:
        return [
            "[edge]\nmetrics_port = 0",
            f"[console]\nport = {self.console_port}\nmetrics_port = 0",
            f'[[sources]]\nkind = "recorded"\nname = "{SOURCE}"\npath = "morning.jsonl"\nplace = "76351"\n'
            f"speed = {round(MORNING.total_seconds() / BURST_SECS)}",
        ]

    def start(self) -> None:
        """Start all three, and keep them; return when the worker takes posts and the first have come."""
        self._keeping.start()
        self.kept["worker"].start()
        self.kept["console"].start()
        wait_until("the worker is ready", lambda: self.kept["worker"].is_ready)
        self.kept["edge"].start()
        wait_until("the worker reads", lambda: (self.worker.health() or {}).get("handled", {}).get(POSTS.name))

    def _keep(self) -> None:
        while not self._is_over.wait(LOOK_SECS):
            for kept in self.kept.values():
                kept.look()

    def wait_until_done(self) -> None:
        """Wait until all that the source has is read, decided, told and shown."""
        wait_until("the edge has read all", lambda: self.kept["edge"].is_done, look_secs=LOOK_SECS)
        self.wait_until_drained(meanwhile=lambda: None)
        wait_until("the worker is ready", lambda: self.kept["worker"].is_ready, look_secs=LOOK_SECS)
        revisions = set(self.revisions())
        wait_until("all is in the archive", lambda: revisions <= self.archived(), look_secs=LOOK_SECS)

    def archived(self) -> set[Revision]:
        """Return the revisions that the console's archive holds."""
        with suppress(sqlite3.Error), closing(sqlite3.connect(self.folder / "data" / "console.sqlite")) as archive:
            return set(archive.execute("SELECT incident_id, revision FROM revision"))
        return set()

    def assert_sound(self) -> Came:
        """Check that no post is lost, the incidents are those of a plain loop, and each was told and shown once."""
        values = tuple(dict.fromkeys(self.values(POSTS)))
        assert [decode(value, Post).id for value in values] == [post["id"] for post in let_through()]
        assert not self.values(DEAD_LETTERS)
        revisions = self.revisions()
        expected = expected_of(values)
        if self.worker.is_exact:
            assert not differences(revisions, expected)
        assert finals_of(revisions) == finals_of(expected)
        assert self.archived() == set(revisions)
        came = self._came(revisions)
        assert (came.lost, came.twice) == (0, 0), came
        assert came.repeated <= self.kept["worker"].ends, came
        self._assert_outcomes_add_up()
        return came

    def _came(self, revisions: Mapping[Revision, bytes]) -> Came:
        wanted = {(alert.incident_id, alert.revision): webhook_id_of(alert) for alert in self.to_be_told()}
        lines, told = self.lines(), {webhook_id for webhook_id, _, _ in self.receiver.told}
        assert told <= set(wanted.values()), "the webhook was told what nobody had to be told of"
        assert set(lines) <= set(wanted), "the file has what nobody had to be told of"
        return Came(
            revisions=len(revisions),
            told=len(told),
            lost=len(wanted.keys() - set(lines)) + len(set(wanted.values()) - told),
            twice=len(lines) - len(set(lines)) + len(set(self.receiver.told)) - len(told),
            repeated=len(self.receiver.told) - len(told),
            first_secs=round(self.kept["worker"].ready_secs[0], 1),
            ready_secs=round(max(self.kept["worker"].ready_secs[1:], default=0.0), 1),
        )

    def _assert_outcomes_add_up(self) -> None:
        """Check the counters of the worker that is there now: what it has read is the sum of what became of it."""
        handled = self.health()["handled"]
        for topic, counter in (
            (POSTS, "vigie_posts_total"),
            (SIGNALS, "vigie_signals_total"),
            (ALERTS, "vigie_alerts_read_total"),
        ):
            assert sum(self.metric(counter).values()) == handled.get(topic.name, 0), counter

    def kill_reader(self) -> None:
        """Kill the process that reads posts for the worker, as soon as there is one; the worker then ends by itself."""
        wait_until("a process reads for the worker", self._kill_reader)
        self.kept["worker"].missed()

    def _kill_reader(self) -> bool:
        process = self.worker.process
        with suppress(OSError):  # it has ended meanwhile
            for reader in family(process.pid)[1:] if process is not None else ():
                os.kill(reader, signal.SIGKILL)
                return True
        return False

    def close(self) -> None:
        """Leave nothing behind."""
        self._is_over.set()
        if self._keeping.is_alive():
            self._keeping.join(PATIENCE_SECS)
        for kept in self.kept.values():
            kept.child.kill()
        self.receiver.close()


def strike(burst: Burst, chance: random.Random, strike_broker: Callable[[], None] | None = None) -> None:
    """Kill each kind of process once, in an order and at points of the burst that chance chooses."""
    strikes = [burst.kill_reader, *(kept.kill for kept in burst.kept.values())]
    strikes += [strike_broker] if strike_broker else []
    chance.shuffle(strikes)
    began = time.monotonic()
    for one, moment in zip(strikes, sorted(chance.uniform(0.0, BURST_SECS) for _ in strikes), strict=True):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        one()


def soon(first_secs: float) -> float:
    """Return within how many seconds a worker must be ready again that was ready after so many when it was started."""
    return max(READY_SECS, SLOW * first_secs)


def summary(came: Sequence[Came]) -> str:
    """Return what came of many bursts, in a line."""
    return (
        f"{len(came)} rounds: {sum(one.lost for one in came)} lost, {sum(one.twice for one in came)} twice,"
        f" {sum(one.repeated for one in came)} repeated under their ids,"
        f" ready after {max(one.ready_secs for one in came)} s at most"
    )


class Final(NamedTuple):
    """How an incident stood at last: what does not hang on how posts and signals come in batches."""

    hazard: str
    level: str
    onset: str
    place_id: str
    counts: tuple[int, ...]
    evidence: tuple[str, ...]


def finals_of(revisions: Mapping[Revision, bytes]) -> dict[str, Final]:
    """Return how each incident stood at last, by its id."""
    last = {incident: json.loads(revisions[incident, number]) for incident, number in sorted(revisions)}
    return {
        incident: Final(
            hazard=fields["hazard"],
            level=fields["level"],
            onset=fields["onset"],
            place_id=fields["place"]["place_id"],
            counts=tuple(fields[name] for name in ("posts", "authors", "witnesses", "copies")),
            evidence=tuple(item["post_key"] for item in fields["evidence"]),
        )
        for incident, fields in last.items()
    }


def differences(found: Mapping[Revision, bytes], expected: Mapping[Revision, bytes]) -> dict[Revision, Any]:
    """Return the revisions that are not the same, each with the fields that differ: found, expected."""
    wrong = {}
    for key in found.keys() | expected.keys():
        ours, theirs = (json.loads(side.get(key, b"{}")) for side in (found, expected))
        fields = {name: (ours.get(name), theirs.get(name)) for name in ours.keys() | theirs.keys()}
        if found.get(key) != expected.get(key):
            wrong[key] = {name: pair for name, pair in fields.items() if pair[0] != pair[1]}
    return wrong


@cache
def expected_of(values: tuple[bytes, ...]) -> dict[Revision, bytes]:
    """Return the revisions that a plain loop makes of posts as they stand on their topic."""
    return PlainLoop([SOURCE]).revisions_of([decode(value, Post) for value in values])


@cache
def morning() -> Sequence[Mapping[str, Any]]:
    """Return the posts of the Le Havre morning."""
    return le_havre_2012().posts


@cache
def let_through() -> Sequence[Mapping[str, Any]]:
    """Return those that the gate lets through."""
    gate = Gate.load()
    return [post for post in morning() if gate(post["text"])]


def write_keys(path: Path) -> None:
    """Write the keys of pseudonyms: the same in all bursts, so that the same posts come of the same morning."""
    keys = Keys(post_key=b"post" * 8, author_key=b"author12" * 4, made_at=datetime.now(UTC))
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(msgspec.json.encode(keys))
    path.chmod(0o600)

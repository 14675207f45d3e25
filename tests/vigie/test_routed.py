"""Routes, a silence and an escalation through broker and worker: who is told what, what waits, what is said of it."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from records import Alert, Notification, Verdict, decode
from streams.declaring import declare_topics
from streams.publisher import KafkaPublisher
from streams.reader import newest
from streams.settings import StreamSettings
from streams.topics import NOTIFICATIONS
from vigie.broker import EmbeddedBroker, free_port
from vigie.children import Child
from vigie.cli import main

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

GOLDEN = Path(__file__).parents[1] / "golden" / "alert.json"
TOML = """
[data]
dir = "data"
[kafka]
partitions = 1
[broker]
port = {broker}
[worker]
health_port = {health}
[digest]
times = []
[[receivers]]
kind = "jsonl"
name = "cell"
path = "cell.jsonl"
[[receivers]]
kind = "jsonl"
name = "watch"
path = "watch.jsonl"
[[receivers]]
kind = "jsonl"
name = "duty"
path = "duty.jsonl"
[[routes]]
name = "alerts"
receivers = ["cell"]
matchers = ["level =~ alert|confirmed"]
continue = true
escalate_after_minutes = 0.1
escalate_to = ["duty"]
[[routes]]
name = "all"
receivers = ["watch"]
[[inhibitions]]
source = ["level = alert"]
target = ["level = watch"]
equal = ["area", "hazard"]
"""
READY_SECS, TOLD_SECS = 120.0, 60.0


class Bench:
    """A worker with its settings on a broker; alerts and decisions in, files out."""

    def __init__(self, folder: Path, broker: EmbeddedBroker) -> None:
        self.folder = folder
        self.settings_file = folder / "vigie.toml"
        health = free_port()
        self.settings_file.write_text(TOML.format(broker=broker.port, health=health))
        self.streams = StreamSettings(kafka_url=broker.url, data_dir=folder / "data", is_embedded=True, partitions=1)
        self.worker = Child(
            "worker", ["worker"], environ={"VIGIE_SETTINGS": str(self.settings_file)}, health_port=health
        )

    def start(self) -> None:
        asyncio.run(declare_topics(self.streams))
        self.worker.start()
        self.until(lambda: (self.worker.health() or {}).get("ready"), READY_SECS)

    def until(self, is_so: Callable[[], Any], secs: float = TOLD_SECS) -> None:
        deadline = time.monotonic() + secs
        while not is_so():
            assert self.worker.poll() is None, "the worker ended"
            assert time.monotonic() < deadline, {name: self.told(name) for name in ("cell", "watch", "duty")}
            time.sleep(0.05)

    def publish(self, alerts: Sequence[Alert] = (), verdicts: Sequence[Verdict] = ()) -> None:
        async def send() -> None:
            publisher = KafkaPublisher(self.streams)
            await publisher.alerts(alerts)
            await publisher.verdicts(verdicts)
            await publisher.stop()

        asyncio.run(send())

    def told(self, name: str) -> list[tuple[str, int]]:
        path = self.folder / f"{name}.jsonl"
        lines = path.read_bytes().splitlines() if path.exists() else []
        return [(line["incident_id"], line["revision"]) for line in map(json.loads, lines)]

    def reported(self, incidents: str, name: str) -> dict[tuple[str, int], str]:
        """Return what a receiver's notifications have become, as the topic has it."""
        found = asyncio.run(newest(self.streams, NOTIFICATIONS)).values()
        said = [decode(value, Notification) for value in found]
        return {
            (one.incident_id, one.revision): one.state
            for one in said
            if one.receiver == name and one.incident_id.startswith(incidents)
        }

    def vigie(self, *arguments: str) -> str:
        done = CliRunner().invoke(main, [*arguments, "--settings", str(self.settings_file)])
        assert done.exit_code == 0, done.output
        return str(done.stdout)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with EmbeddedBroker() as broker:
        made = Bench(tmp_path_factory.mktemp("routed"), broker)
        made.start()
        yield made
        made.worker.stop()


def alert(incident: str, revision: int, level: str, **fields: Any) -> Alert:
    golden = decode(GOLDEN.read_bytes(), Alert)
    now = datetime.now(UTC)
    return replace(
        golden,
        incident_id=incident,
        revision=revision,
        level=level,
        onset=now - timedelta(minutes=5),
        raised_at=now,
        **fields,
    )


def test_each_receiver_is_told_by_its_routes_and_of_the_end_as_well(bench: Bench) -> None:
    bench.publish([alert("fire-1", 1, "watch", area="14"), alert("fire-1", 2, "alert", area="14")])
    bench.publish([alert("fire-1", 3, "resolved", area="14")])
    bench.until(lambda: ("fire-1", 3) in bench.told("cell"))
    bench.until(lambda: ("fire-1", 3) in bench.told("watch"))
    assert bench.told("cell") == [("fire-1", 2), ("fire-1", 3)]
    assert bench.told("watch") == [("fire-1", 1), ("fire-1", 2), ("fire-1", 3)]


def test_nobody_is_told_the_end_of_a_faint_signal_nor_that_words_are_gone(bench: Bench) -> None:
    """Files keep what they are told: they get the revision without words, and no end of what nobody heard of."""
    bench.publish([alert("fire-8", 1, "signal", area="15"), alert("fire-8", 2, "resolved", area="15")])
    first = alert("fire-9", 1, "watch", area="15")
    evidence = tuple(replace(one, text="", url=None, is_removed=True) for one in first.evidence)
    bench.publish([first, replace(first, revision=2, evidence=evidence)])
    bench.publish([alert("fire-9", 3, "rejected", area="15")])
    bench.until(lambda: ("fire-9", 3) in bench.told("watch"))
    assert [one for one in bench.told("watch") if one[0] in ("fire-8", "fire-9")] == [
        ("fire-9", 1),
        ("fire-9", 2),
        ("fire-9", 3),
    ]
    assert not [one for one in bench.told("cell") if one[0] in ("fire-8", "fire-9")]


def test_a_silence_holds_back_until_it_is_ended_and_then_the_newest_is_told(bench: Bench) -> None:
    silence_id = bench.vigie(
        "silence", "add", "hazard = flood", "area = 27", "--for", "1h", "--by", "permanence", "--because", "essai"
    ).strip()
    assert "permanence" in bench.vigie("silence", "list")
    time.sleep(2)  # until every worker has heard of it
    bench.publish([alert("flood-1", 1, "watch", hazard="flood", area="27")])
    bench.publish([alert("flood-1", 2, "watch", hazard="flood", area="27"), alert("fire-2", 1, "watch", area="27")])
    bench.until(lambda: ("fire-2", 1) in bench.told("watch"))
    assert not [one for one in bench.told("watch") if one[0] == "flood-1"]
    bench.until(lambda: bench.reported("flood-1", "watch") == {("flood-1", 1): "superseded", ("flood-1", 2): "held"})
    bench.vigie("silence", "end", silence_id)
    bench.until(lambda: ("flood-1", 2) in bench.told("watch"))
    assert ("flood-1", 1) not in bench.told("watch")
    bench.until(lambda: bench.reported("flood-1", "watch") == {("flood-1", 1): "superseded", ("flood-1", 2): "sent"})


def test_a_watch_waits_while_an_alert_is_on_in_the_same_place(bench: Bench) -> None:
    bench.publish([alert("fire-3", 1, "alert", area="60")])
    bench.until(lambda: ("fire-3", 1) in bench.told("watch"))
    bench.publish([alert("fire-4", 1, "watch", area="60"), alert("fire-5", 1, "watch", area="80")])
    bench.until(lambda: ("fire-5", 1) in bench.told("watch"))
    assert ("fire-4", 1) not in bench.told("watch")
    bench.publish([alert("fire-3", 2, "resolved", area="60")])
    bench.until(lambda: ("fire-4", 1) in bench.told("watch"))


def test_what_nobody_answers_for_is_told_to_who_is_on_duty_and_what_somebody_does_is_not(bench: Bench) -> None:
    bench.publish([alert("fire-6", 1, "alert", area="61")])
    bench.until(lambda: ("fire-6", 1) in bench.told("cell"))
    answered = Verdict(
        incident_id="fire-6",
        hazard="fire",
        area="61",
        decision="acknowledge",
        decided_at=datetime.now(UTC),
        decided_by="permanence",
    )
    bench.publish(verdicts=[answered])
    bench.publish([alert("fire-7", 1, "alert", area="62")])
    bench.until(lambda: ("fire-7", 1) in bench.told("duty"))
    assert ("fire-6", 1) not in bench.told("duty")


def test_all_that_was_told_is_reported_whatever_is_killed(bench: Bench) -> None:
    names = [f"many-{number}" for number in range(200)]
    for names_now in (names[:100], names[100:]):
        before = len(bench.told("cell"))
        bench.publish([alert(name, 1, "alert", area="33") for name in names_now])
        bench.until(lambda before=before: len(bench.told("cell")) > before + 20)  # type: ignore[misc]
        bench.worker.kill()  # while it tells, and most of what it told was not reported
        bench.worker.start()
    due = {(name, 1): "sent" for name in names}
    bench.until(lambda: bench.reported("many-", "cell") == due)
    assert bench.reported("many-", "watch") == due
    assert sorted(one for one in bench.told("cell") if one[0].startswith("many-")) == sorted(due)

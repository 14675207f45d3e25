"""The outbox: nothing forgotten, nothing repeated that need not be, each receiver in its own time and in order."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.sinks.contract import TryLater, Undeliverable
from connectors.sinks.jsonl import JsonLines
from connectors.sinks.outbox import Outbox, Patience
from connectors.sinks.outbox_store import Intake, NewRow, Store
from records import Alert, ManualClock


class Box:
    """A sink that keeps what it gets, after failing as told."""

    def __init__(self, name: str = "box", failures: list[Exception] | None = None) -> None:
        self.name = name
        self.failures = failures or []
        self.got: list[tuple[str, int]] = []

    async def send(self, alert: Alert) -> None:
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        self.got.append((alert.incident_id, alert.revision))


def revisions(alert: Alert, *numbers: int, incident: str = "inc-1") -> list[Alert]:
    return [msgspec.structs.replace(alert, incident_id=incident, revision=number) for number in numbers]


class Bench:
    """An outbox on a clock that moves when it waits."""

    def __init__(self, path: Path, clock: ManualClock, witness: Any) -> None:
        self.path, self.clock, self.witness = path, clock, witness
        self.waits: list[float] = []

    def outbox(self, *sinks: Any, **more: Any) -> Outbox:
        return Outbox(
            self.path, sinks, clock=self.clock, observer=self.witness, sleep=self.sleep, chance=lambda: 1.0, **more
        )

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock.advance(timedelta(seconds=seconds))


@pytest.fixture
def bench(tmp_path: Path, clock: ManualClock, witness: Any) -> Bench:
    return Bench(tmp_path / "outbox.sqlite", clock, witness)


async def test_each_receiver_gets_each_revision_once_in_order(bench: Bench, alert: Alert) -> None:
    one, two = Box("one"), Box("two")
    outbox = bench.outbox(one, two)
    assert await outbox.enqueue(revisions(alert, 2, 1, 3)) == 6
    assert await outbox.enqueue(revisions(alert, 1, 2, 3)) == 0
    assert await outbox.drain() == 6
    assert await outbox.drain() == 0
    assert one.got == two.got == [("inc-1", 1), ("inc-1", 2), ("inc-1", 3)]
    assert outbox.counts() == {("one", "sent"): 3, ("two", "sent"): 3}
    outbox.close()


async def test_a_restart_resumes(bench: Bench, alert: Alert) -> None:
    first = bench.outbox(Box(failures=[TryLater("down")] * 3))
    await first.enqueue(revisions(alert, 1, 2))
    assert await first.drain() == 0
    first.close()
    bench.clock.advance(timedelta(minutes=1))
    box = Box()
    second = bench.outbox(box)
    assert await second.drain() == 2
    assert box.got == [("inc-1", 1), ("inc-1", 2)]
    second.close()


async def test_a_receiver_that_is_down_is_tried_again_and_keeps_nobody_waiting(bench: Bench, alert: Alert) -> None:
    down, well = Box("down", [TryLater("x"), TryLater("x"), RuntimeError("a bug")]), Box("well")
    outbox = bench.outbox(down, well)
    await outbox.enqueue(revisions(alert, 1, 2))
    assert await outbox.drain() == 2
    assert (down.got, len(well.got)) == ([], 2)
    assert await outbox.drain_all() == 2
    assert down.got == [("inc-1", 1), ("inc-1", 2)]
    assert bench.witness.sinks["down", "put_off"] == 3
    assert sum(bench.waits) >= 1 + 2 + 4
    outbox.close()


async def test_one_incident_that_fails_does_not_hold_the_others(bench: Bench, alert: Alert) -> None:
    class Picky(Box):
        async def send(self, alert: Alert) -> None:
            if alert.incident_id == "bad":
                raise TryLater("not this one")
            await super().send(alert)

    box = Picky()
    outbox = bench.outbox(box)
    await outbox.enqueue(revisions(alert, 1, 2, incident="bad") + revisions(alert, 1, 2, incident="good"))
    assert await outbox.drain() == 2
    assert box.got == [("good", 1), ("good", 2)]
    outbox.close()


async def test_a_dead_receiver_is_left_alone_for_a_while(bench: Bench, alert: Alert) -> None:
    box = Box(failures=[TryLater("down")] * 100)
    outbox = bench.outbox(box)
    await outbox.enqueue([found for i in range(50) for found in revisions(alert, 1, incident=f"i{i}")])
    for _ in range(10):
        await outbox.drain()
    assert bench.witness.sinks["box", "put_off"] == 3
    outbox.close()


async def test_gives_up_after_the_ceiling_and_says_so(bench: Bench, alert: Alert) -> None:
    box = Box(failures=[TryLater("down")] * 10_000)
    outbox = bench.outbox(box, patience=Patience(give_up_after=timedelta(hours=1)))
    await outbox.enqueue(revisions(alert, 1))
    assert await outbox.drain_all() == 0
    assert outbox.counts() == {("box", "failed"): 1}
    assert bench.witness.sinks["box", "put_off"] < 25
    outbox.close()


@pytest.mark.parametrize("is_started_again", [False, True])
async def test_a_clock_that_is_set_back_lets_nobody_wait_for_what_it_said_before(
    bench: Bench, alert: Alert, is_started_again: bool
) -> None:
    box = Box(failures=[TryLater("down")] * 3)
    outbox = bench.outbox(box)
    for number in range(3):
        await outbox.enqueue(revisions(alert, 1, incident=f"inc-{number}"))
    assert await outbox.drain() == 0, "and it is left alone for a while"
    bench.clock.advance(timedelta(hours=-1))
    if is_started_again:
        outbox.close()
        outbox = bench.outbox(box)
    assert await outbox.drain() == 3
    assert box.got == [("inc-0", 1), ("inc-1", 1), ("inc-2", 1)]
    outbox.close()


async def test_a_refusal_is_final_and_the_next_revision_goes_on(bench: Bench, alert: Alert) -> None:
    box = Box(failures=[Undeliverable("410")])
    outbox = bench.outbox(box)
    await outbox.enqueue(revisions(alert, 1, 2))
    assert await outbox.drain() == 1
    assert box.got == [("inc-1", 2)]
    assert bench.witness.sinks["box", "failed"] == 1
    assert outbox.waits_secs() == 0
    assert outbox.forget_before(bench.clock.now() + timedelta(days=1)) == 2
    outbox.close()


async def test_runs_by_itself(bench: Bench, alert: Alert, until: Any) -> None:
    box = Box()
    outbox = bench.outbox(box)
    task = asyncio.create_task(outbox.run())
    await asyncio.sleep(0.01)
    await outbox.enqueue(revisions(alert, 1))
    await until(lambda: bool(box.got))
    task.cancel()
    await asyncio.wait({task})
    outbox.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    plan=st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 4)), max_size=12),
    failures=st.lists(st.booleans(), max_size=10),
)
async def test_any_order_and_failures_give_each_once(
    plan: list[tuple[str, int]], failures: list[bool], bench: Bench, alert: Alert
) -> None:
    bench.path.unlink(missing_ok=True)
    for suffix in ("-wal", "-shm"):
        bench.path.with_name(bench.path.name + suffix).unlink(missing_ok=True)

    class Moody(Box):
        async def send(self, alert: Alert) -> None:
            if failures and failures.pop():
                raise TryLater("mood")
            await super().send(alert)

    box = Moody()
    outbox = bench.outbox(box)
    await outbox.enqueue([found for name, number in plan for found in revisions(alert, number, incident=name)])
    await outbox.drain_all()
    outbox.close()
    assert sorted(box.got) == sorted(set(plan))
    for name in "abc":
        numbers = [number for incident, number in box.got if incident == name]
        assert numbers == sorted(numbers)


CHILD = """
import asyncio, os, signal, sys
from pathlib import Path
import msgspec
from connectors.sinks.jsonl import JsonLines
from connectors.sinks.outbox import Outbox
from records import Alert, SystemClock, decode

folder, die_at, when = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
alert = decode((folder / "alert.json").read_bytes(), Alert)

class Mortal(JsonLines):
    async def send(self, alert):
        if when == "before" and alert.revision == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        await super().send(alert)
        if when == "between" and alert.revision == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

async def main():
    outbox = Outbox(folder / "outbox.sqlite", [Mortal(folder / "out.jsonl")], clock=SystemClock())
    await outbox.enqueue([msgspec.structs.replace(alert, revision=n) for n in range(1, 6)])
    await outbox.drain()

asyncio.run(main())
"""


@pytest.mark.parametrize("when", ["before", "between"])
async def test_a_kill_loses_nothing_and_the_file_has_each_line_once(
    when: str, tmp_path: Path, clock: ManualClock, alert: Alert
) -> None:
    (tmp_path / "alert.json").write_bytes(msgspec.json.encode(alert))
    command = [sys.executable, "-c", CHILD, str(tmp_path), "3", when]
    killed = await asyncio.to_thread(
        subprocess.run, command, check=False, env=os.environ | {"PYTHONPATH": str(Path.cwd())}, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL
    with (tmp_path / "out.jsonl").open("ab") as file:
        file.write(b'{"incident_id":"inc-1","revis')  # half a line, as a power cut leaves it
    sink = JsonLines(tmp_path / "out.jsonl")
    clock.advance(timedelta(days=365))
    outbox = Outbox(tmp_path / "outbox.sqlite", [sink], clock=clock)
    await outbox.drain()
    outbox.close()
    sink.close()
    lines = [msgspec.json.decode(line) for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    assert [line["revision"] for line in lines] == [1, 2, 3, 4, 5]


async def test_it_says_how_long_a_receiver_waited_but_not_for_what_something_kept_back(
    bench: Bench, alert: Alert
) -> None:
    outbox = bench.outbox(Box(failures=[TryLater("down")]))
    await outbox.enqueue(revisions(alert, 1))
    bench.clock.advance(timedelta(seconds=3))
    assert await outbox.drain() == 0
    bench.clock.advance(timedelta(seconds=4))
    assert await outbox.drain() == 1
    assert bench.witness.waits == [7.0]
    outbox.close()


async def test_it_says_how_much_waits_for_each_receiver_and_since_when(bench: Bench, alert: Alert) -> None:
    outbox = bench.outbox(Box("well"), Box("down", failures=[TryLater("down")] * 99))
    await outbox.enqueue(revisions(alert, 1, 2))
    await outbox.drain()
    bench.clock.advance(timedelta(minutes=2))
    running = asyncio.create_task(outbox.run(look_every_secs=0.01))
    await bench.witness.has_stood.wait()
    running.cancel()
    await asyncio.wait({running})
    none = {"failed": 0, "superseded": 0}
    assert bench.witness.stood == {
        "well": ({"pending": 0, "sent": 2, **none}, 0, 0.0),
        "down": ({"pending": 2, "sent": 0, **none}, 2, 120.0),
    }
    outbox.close()


def test_what_stands_behind_a_held_revision_waits_for_nobody_and_what_was_tried_waits_since_then(
    tmp_path: Path,
) -> None:
    """Else a deletion during a silence, or one failure after it, would call somebody though nothing is wrong."""
    store = Store(tmp_path / "outbox.sqlite")

    def row(revision: int) -> NewRow:
        return NewRow("fire-1", revision, "cell", "", "", "watch", is_urgent=False, alert=b"{}", next_try_at=0.0)

    store.take(Intake(rows=[row(1)]), 1000.0)
    (held,) = [one.id for one in store.pending("cell")]
    store.hold(held, 1000.0, 30_000.0, "silence")
    store.take(Intake(rows=[row(2)]), 1100.0)
    assert (store.waits(), store.oldest_pending()) == ({}, None)
    store.put_off(held, 30_000.0, 30_060.0, "451")
    assert store.waits() == {"cell": (2, 30_000.0)}
    store.close()

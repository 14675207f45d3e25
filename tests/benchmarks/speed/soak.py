"""Soak: `vigie run`, all of it, on posts at a steady rate for as long as you like; is its memory flat, is nothing left?

Run     `python tests/benchmarks/speed/soak.py [--minutes 120] [--rate 500] [--pass-ratio 0.03] [--into FOLDER]`
Shape   a Jetstream server on the loopback (`firehose.py`) is read by the edge; gate, embedded broker, worker, outbox,
        console and a webhook's receiver as on one machine. Memory every few seconds, the rest once a minute. The
        time is parted into sixths: the first is warming up, the second is compared with the last, by medians
Units   megabytes (1e6) of memory, of a process and what it has started; what is shared counts in parts. Seconds from
        our receipt of a post to the decision on its signal
Errors  exit status 1 when the worker's memory is not flat, something was left at the end, latency rose, something was
        not counted or told once
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from streams.topics import ALERTS, POSTS, SIGNALS

if TYPE_CHECKING:
    from tests.benchmarks.speed import firehose, watched
else:
    import firehose
    import watched

SAMPLE_SECS = 5.0
LOOK_SECS, LEAST_LOOKS = 60.0, 30
READY_SECS = 180.0
DRAIN_SECS = 180.0
FLAT = 0.05
"""So much may the worker's memory have grown from the second sixth to the last."""
SLOWER = 1.25
"""And so many times as long may p50 and p99 be, or NOTICED_SECS more: a bucket's edge is no finer."""
NOTICED_SECS = 0.05
SIXTHS = 6
MB = 1e6


@dataclass(frozen=True, kw_only=True)
class Minute:
    """What was seen once a minute; latencies are those of the minute."""

    secs: float  # since the first post
    made: int
    waiting: int  # records not handled
    latency: Counter[str]  # seconds from receipt to decision: upper edges, cumulative, since the worker's start
    due: int  # areas where time alone will change something
    state_keys: int | None
    disk_mb: float
    worker: int  # its process


class Memory(NamedTuple):
    """What a process and what it has started take at a moment."""

    secs: float
    name: str
    process: int
    mb: float


@dataclass
class Soak:
    """What was seen."""

    rate: float
    pass_ratio: float
    minutes: list[Minute] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    made: int = 0
    read: Counter[str] = field(default_factory=Counter)
    handled: Counter[str] = field(default_factory=Counter)
    waiting: int = -1  # records not handled
    lag: int = -1  # records not committed
    alerts: int = 0
    in_file: Counter[tuple[str, int]] = field(default_factory=Counter)
    at_cell: Counter[tuple[str, int]] = field(default_factory=Counter)
    status: int = -1

    def life(self, name: str) -> list[Memory]:
        """Return what a process took, of those of its name the one that lived longest."""
        own = [one for one in self.memory if one.name == name]
        lives = [list(group) for _, group in groupby(own, key=lambda one: one.process)]
        return max(lives, key=lambda life: life[-1].secs - life[0].secs, default=[])

    def lives(self, name: str) -> int:
        """Return how many processes of a name there were: the embedded broker is replaced, and with it the worker."""
        return len({one.process for one in self.memory if one.name == name})


def sixths(life: Sequence[Memory]) -> list[float]:
    """Return the median memory of each sixth of a process's life."""
    if not life:
        return []
    began, span = life[0].secs, life[-1].secs - life[0].secs + 1e-9
    parts: list[list[float]] = [[] for _ in range(SIXTHS)]
    for one in life:
        parts[int((one.secs - began) / span * SIXTHS)].append(one.mb)
    return [median(part) if part else float("nan") for part in parts]


def latencies(minutes: Sequence[Minute]) -> list[tuple[float, float]]:
    """Return p50 and p99 of each sixth of the time."""
    parts: list[Counter[str]] = [Counter() for _ in range(SIXTHS)]
    for number, found in enumerate(by_minute(minutes)):
        parts[number * SIXTHS // len(minutes)].update(found)
    return [(watched.quantile(part, 0.5), watched.quantile(part, 0.99)) for part in parts]


def by_minute(minutes: Sequence[Minute]) -> Iterator[Counter[str]]:
    """Yield each minute's own latencies; a worker that was started again counts from zero."""
    before, worker = Counter[str](), 0
    for minute in minutes:
        if minute.worker != worker:
            before, worker = Counter(), minute.worker
        yield minute.latency - before
        before = minute.latency


class Verdict(NamedTuple):
    """One thing that must hold."""

    what: str
    found: str
    target: str
    is_met: bool


def verdicts(soak: Soak) -> list[Verdict]:
    """Return what must hold, and whether it does."""
    worker = sixths(soak.life("worker"))
    slow = latencies(soak.minutes)
    growth = worker[-1] / worker[1] - 1.0
    kept = soak.read["kept"]
    counted = sum(soak.read.values())
    told = set(soak.in_file)
    found = [
        Verdict("worker's memory, last sixth over second", f"{growth:+.1%}", f"at most {FLAT:+.0%}", growth <= FLAT),
        Verdict("records not handled at the end", f"{soak.waiting}", "0", soak.waiting == 0),
        Verdict("records not committed at the end", f"{soak.lag}", "0", soak.lag == 0),
        *(
            Verdict(
                f"{name}, last sixth over second",
                f"{late:.3f} s over {early:.3f} s",
                f"at most {SLOWER:g} times, or {NOTICED_SECS:g} s more",
                late <= max(SLOWER * early, early + NOTICED_SECS),
            )
            for name, early, late in zip(("p50", "p99"), slow[1], slow[-1], strict=True)
        ),
        Verdict("posts made, and counted at the edge", f"{soak.made}, {counted:.0f}", "alike", soak.made == counted),
        Verdict("revisions in the file, and at the webhook", f"{len(told)}", "the same", told == set(soak.at_cell)),
        Verdict(
            "told more than once",
            f"{soak.in_file.total() - len(told)}, {soak.at_cell.total() - len(soak.at_cell)}",
            "0, 0",
            {*soak.in_file.values(), *soak.at_cell.values()} <= {1},
        ),
        Verdict("exit status of `vigie run`", f"{soak.status}", "0", soak.status == 0),
    ]
    if soak.lives("worker") == 1:  # a worker's counters begin with it
        handled = soak.handled[POSTS.name]
        found.append(Verdict("posts kept, and handled", f"{kept:.0f}, {handled}", "alike", kept == handled))
    return found


async def soaked(minutes: float, rate: float, pass_ratio: float, broker_mb: int, folder: Path) -> Soak:
    """Run it all, and watch."""
    soak = Soak(rate, pass_ratio)
    words = firehose.Words(rate, pass_ratio)
    cell = firehose.Cell()
    async with firehose.Firehose(words, rate, int(minutes * 60 * rate)).running() as hose:
        run = watched.Watched(folder, source_port=hose.port, cell_url=cell.url, broker_mb=broker_mb)
        try:
            await _watch(soak, run, hose)
            await asyncio.to_thread(_finish, soak, run)
        finally:
            soak.status = await asyncio.to_thread(run.stop)
    soak.made = hose.made
    soak.in_file, soak.at_cell = run.told(), Counter(cell.told)
    cell.close()
    return soak


async def _watch(soak: Soak, run: "watched.Watched", hose: "firehose.Firehose") -> None:
    """Look at it until all posts are made."""
    deadline = time.monotonic() + READY_SECS
    while hose.began_at is None:
        run.processes()
        if time.monotonic() > deadline:
            raise watched.Ended(f"nobody came to read within {READY_SECS:.0f} s:\n{run.log[-4000:]}")
        await asyncio.sleep(0.2)
    began = time.monotonic()
    next_look = every = min(LOOK_SECS, hose.posts / hose.rate / LEAST_LOOKS)
    while hose.made < hose.posts:
        await asyncio.sleep(min(SAMPLE_SECS, every))
        secs = time.monotonic() - began
        await asyncio.to_thread(_weigh, soak, run, secs)
        if secs >= next_look:
            next_look += every
            await asyncio.to_thread(_look, soak, run, secs, hose.made)


def _weigh(soak: Soak, run: "watched.Watched", secs: float) -> None:
    for name, process in run.processes().items():
        if taken := watched.own_memory_mb(process) if name == "supervisor" else watched.memory_mb(process):
            soak.memory.append(Memory(secs, name, process, taken))


def _look(soak: Soak, run: "watched.Watched", secs: float, made: int) -> None:
    health = run.health()
    if not health:  # the broker is being replaced
        return
    minute = Minute(
        secs=secs,
        made=made,
        waiting=int(health["waiting"]),
        latency=run.counted(watched.LATENCY, "le"),
        due=int(run.counted("vigie_incidents_due").total()),
        state_keys=run.state_keys(),
        disk_mb=run.disk_bytes() / MB,
        worker=run.processes().get("worker", 0),
    )
    soak.minutes.append(minute)
    p50, p99 = (watched.quantile(list(by_minute(soak.minutes))[-1], share) for share in (0.5, 0.99))
    worker = next((one.mb for one in reversed(soak.memory) if one.name == "worker"), 0.0)
    say(f"{secs / 60:4.0f} min: worker {worker:.0f} MB, {minute.waiting} wait, p50 {p50:.2f} s, p99 {p99:.2f} s")


def _finish(soak: Soak, run: "watched.Watched") -> None:
    """Wait until all is read, decided and told; then note what there is."""
    deadline = time.monotonic() + DRAIN_SECS
    before: object = None
    while time.monotonic() < deadline:
        health = run.health()
        now = health.get("handled"), health.get("sent"), len(run.told()), health.get("lag")
        if health.get("waiting") == 0 and now == before:
            break
        before = now
        time.sleep(2.0)
    health = run.health()
    soak.waiting, soak.lag = int(health.get("waiting", -1)), int(health.get("lag", -1))
    soak.handled = Counter(health.get("handled", {}))
    soak.alerts = int(health.get("sent", {}).get(ALERTS.name, 0))
    soak.read = run.read()


def tables(soak: Soak) -> str:
    """Return what was found, as markdown."""
    slow = latencies(soak.minutes)
    rows = [
        (name, soak.lives(name), sixths(soak.life(name))) for name in ("supervisor", "worker", "connect", "console")
    ]
    broker = soak.life("broker")
    hours = (broker[-1].secs - broker[0].secs) / 3600 if broker else 0.0
    last = soak.minutes[-1]
    lines = [
        f"{soak.made} posts at {soak.rate:g} a second, {soak.read['kept'] / max(soak.made, 1):.1%} through the gate; "
        f"{soak.handled[SIGNALS.name]} values on {SIGNALS.name}, {soak.alerts} revisions, {len(soak.in_file)} told.",
        "",
        "| median of each sixth | processes | 1 | 2 | 3 | 4 | 5 | 6 | last / second |",
        "| --- " * 9 + "|",
        *(
            f"| memory of {name}, MB | {lives} | "
            + " | ".join(f"{one:.0f}" for one in row)
            + f" | {row[-1] / row[1]:.3f} |"
            for name, lives, row in rows
            if row
        ),
        *(
            f"| {name}, s | | "
            + " | ".join(f"{pair[at]:.3f}" for pair in slow)
            + f" | {slow[-1][at] / max(slow[1][at], 1e-9):.3f} |"
            for at, name in enumerate(("p50", "p99"))
        ),
        "",
        f"The embedded broker frees nothing, by design: {broker[0].mb:.0f} MB at first, {broker[-1].mb:.0f} at last, "
        f"{(broker[-1].mb - broker[0].mb) / max(hours, 1e-9):.0f} MB an hour; {soak.lives('broker')} of them."
        if broker
        else "",
        f"At the end: {last.state_keys} keys of state, {last.due} areas that wait for time, "
        f"{last.disk_mb:.1f} MB in the data folder.",
        "",
        "| what | found | target | met |",
        "| --- " * 4 + "|",
        *(
            f"| {one.what} | {one.found} | {one.target} | {'yes' if one.is_met else '**no**'} |"
            for one in verdicts(soak)
        ),
    ]
    return "\n".join(lines)


def written(soak: Soak, folder: Path) -> list[Path]:
    """Write all figures as JSON, and a plot; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "soak.json"
    minutes = [
        vars(minute) | {"p50": watched.quantile(found, 0.5), "p99": watched.quantile(found, 0.99)}
        for minute, found in zip(soak.minutes, by_minute(soak.minutes), strict=True)
    ]
    figures = {
        "rate": soak.rate,
        "pass_ratio": soak.pass_ratio,
        "made": soak.made,
        "read": soak.read,
        "verdicts": [one._asdict() for one in verdicts(soak)],
        "minutes": minutes,
        "memory": [one._asdict() for one in soak.memory],
    }
    path.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return [path, drawn(soak, folder / "soak.png")]


def drawn(soak: Soak, path: Path) -> Path:
    """Draw what was seen over time."""
    from matplotlib.figure import Figure  # noqa: PLC0415  only who asks for plots needs it

    figure = Figure(figsize=(9.0, 10.0), layout="constrained")
    memory, latency, lag, state = figure.subplots(4, 1, sharex=True)
    for name in ("supervisor", *watched.NAMES):
        own = [one for one in soak.memory if one.name == name]
        memory.plot([one.secs / 60 for one in own], [one.mb for one in own], label=name)
    most = max(one.mb for one in soak.memory)
    memory.set(
        ylabel="memory, MB",
        ylim=(0.0, 1.25 * most),
        title=f"{soak.rate:g} posts/s, {soak.pass_ratio:.0%} through the gate",
    )
    memory.legend(ncols=5, fontsize=8)
    at = [minute.secs / 60 for minute in soak.minutes]
    for share in (0.5, 0.99):
        slow = [watched.quantile(found, share) for found in by_minute(soak.minutes)]
        latency.plot(at, slow, label=f"p{share * 100:.0f}")
    latency.set(ylabel="receipt to decision, s", ylim=(0.0, None))
    latency.legend(fontsize=8)
    lag.step(at, [minute.waiting for minute in soak.minutes], where="post")
    lag.set(ylabel="records not handled")
    state.plot(at, [minute.disk_mb for minute in soak.minutes], color="tab:brown")
    state.set(ylabel="data folder, MB (brown)", xlabel="minutes", ylim=(0.0, None))
    keys = state.twinx()
    keys.plot(at, [minute.state_keys or float("nan") for minute in soak.minutes], color="tab:green")
    keys.set(ylabel="keys of state (green)", ylim=(0.0, None))
    figure.savefig(path, dpi=110)
    return path


def say(line: str) -> None:
    """Tell how it goes on."""
    sys.stderr.write(f"{line}\n")


def main() -> int:
    """Run as told; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--rate", type=float, default=500.0, help="posts a second")
    parser.add_argument("--pass-ratio", type=float, default=0.03, help="the share that passes the gate")
    parser.add_argument("--broker-mb", type=int, default=1024, help="the size at which the embedded broker is replaced")
    parser.add_argument("--into", type=Path, help="write soak.json and soak.png there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vigie-soak-") as folder:
        soak = asyncio.run(soaked(given.minutes, given.rate, given.pass_ratio, given.broker_mb, Path(folder)))
    sys.stdout.write(f"{tables(soak)}\n")
    for path in written(soak, given.into) if given.into else ():
        say(f"written: {path}")
    return 0 if all(one.is_met for one in verdicts(soak)) else 1


if __name__ == "__main__":
    sys.exit(main())

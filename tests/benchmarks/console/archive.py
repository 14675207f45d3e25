"""Archive: how fast it takes revisions, live and when it is filled again, and how long looks into it take.

Run     `python tests/benchmarks/console/archive.py [revisions] [address of a database]`
Shape   incidents of forty revisions with eight posts each, half of which are new in each revision; batches of five
        hundred, as a refill reads them, and of ten, as they come live
Units   revisions a second; milliseconds; work: processor time of this process, whatever else the machine does;
        megabytes: millions of bytes of the file, on SQLite alone
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive import looking
from console.archive.database import address_from, opened
from console.archive.keeping import keep
from console.archive.taking import take
from console.archive.words import WORDS_KEPT
from records import Alert
from tests.console.made import an_alert, minutes, some_evidence

REVISIONS = 40
POSTS = 8
REFILL, LIVE = 500, 10
LIVE_BATCHES = 200
LOOKS = 20


def told(incidents: int, name: str) -> Iterator[Alert]:
    """Yield revisions, those of a hundred incidents interleaved, as partitions bring them."""
    for first in range(0, incidents, 100):
        for revision in range(1, REVISIONS + 1):
            for number in range(first, min(first + 100, incidents)):
                begin = number * 1000 + revision * POSTS // 2
                shown = tuple(some_evidence(begin + place) for place in range(POSTS))
                shown = tuple(replace(one, event_time=minutes(0)) for one in shown)
                yield an_alert(incident_id=f"{name}-{number}", revision=revision, evidence=shown)


async def main(revisions: int, address: str) -> None:
    """Print what was measured."""
    engine = await opened(address_from(address))
    now = minutes(0) + timedelta(hours=1)
    alerts = told(revisions // REVISIONS, "refill")
    begun, worked = time.perf_counter(), time.process_time()
    while batch := list(islice(alerts, REFILL)):
        await take(engine, batch, now)
    secs, work = time.perf_counter() - begun, time.process_time() - worked
    say(f"refill      {revisions} revisions in {secs:.1f} s ({work:.1f} of work): {revisions / secs:.0f} a second")

    alerts = told(LIVE * LIVE_BATCHES // REVISIONS, "live")
    spans = []
    while batch := list(islice(alerts, LIVE)):
        begun = time.perf_counter()
        await take(engine, batch, now)
        spans.append(time.perf_counter() - begun)
    spans.sort()
    say(
        f"live        {LIVE * len(spans) / sum(spans):.0f} a second in batches of {LIVE}; "
        f"p50 {1000 * spans[len(spans) // 2]:.0f} ms, p99 {1000 * spans[len(spans) * 99 // 100]:.0f} ms a batch"
    )
    begun = time.perf_counter()
    await take(engine, list(islice(told(revisions // REVISIONS, "refill"), REFILL)), now)
    say(f"known       {REFILL} revisions that are known: {1000 * (time.perf_counter() - begun):.0f} ms")
    last = await looking.last_sequence(engine)
    looks: dict[str, Callable[[], Awaitable[Any]]] = {
        "incidents": lambda: looking.heads(engine),
        "text": lambda: looking.heads(engine, text="centrale"),
        "incident": lambda: looking.incident(engine, "refill-7"),
        "changed": lambda: looking.changed_since(engine, last - 50),
    }
    for name, look in looks.items():
        spans = []
        for _ in range(LOOKS):
            begun = time.perf_counter()
            await look()
            spans.append(time.perf_counter() - begun)
        spans.sort()
        say(f"{name:<12}p50 {1000 * spans[len(spans) // 2]:.1f} ms, longest {1000 * spans[-1]:.1f} ms")
    if engine.dialect.name == "sqlite":
        whole = await megabytes(engine)
        await keep(engine, now + WORDS_KEPT)
        say(f"on disk     {whole:.0f} MB; {await megabytes(engine):.0f} MB without the words")
    await engine.dispose()


async def megabytes(engine: AsyncEngine) -> float:
    """Return how much of the file is in use: pages that were let go of stay in it, to be written anew."""
    async with engine.connect() as connection:
        names = ("page_count", "freelist_count", "page_size")
        pages, free, size = [int(await connection.scalar(text(f"PRAGMA {name}"))) for name in names]
    return (pages - free) * size / 1e6


def say(line: str) -> None:
    """Write a line."""
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        default = f"sqlite:///{Path(folder) / 'console.sqlite'}"
        asyncio.run(main(asked, sys.argv[2] if len(sys.argv) > 2 else default))

"""Sweeping: what the privacy papers promise is looked after, every two hours, and now by `vigie privacy sweep`."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from rich.table import Table

from records import Clock, SourceUnavailable
from streams.publisher import KafkaPublisher
from streams.settings import StreamSettings
from streams.sweep import Swept, sweep
from streams.taking_back import TakenBack, take_back
from streams.topics import SWEEP, TOPICS
from vigie import metrics
from vigie.settings import RECORDING, Settings

log = structlog.get_logger()

FIRST_SECS = 300.0  # after a start; others have more urgent things to do then


@dataclass(frozen=True)
class Sweeping:
    """What one sweep has found, and done."""

    topics: list[Swept]
    taken_back: TakenBack


def show_promises() -> None:
    """Show for how long each topic may keep what is on it."""
    for topic in TOPICS:
        if topic.retention is not None:
            metrics.RETENTION.labels(topic.name).set(topic.retention.total_seconds())


async def swept(settings: StreamSettings, publisher: KafkaPublisher, clock: Clock) -> Sweeping:
    """Sweep once. The embedded broker has nothing to be set: it is replaced before anything on it is too old.

    Errors  SourceUnavailable when the broker does not answer
    """
    topics = [] if settings.is_embedded else await sweep(settings, publisher, clock)
    taken_back = await take_back(settings, publisher, clock)
    now = clock.now()
    for one in topics:
        age = (now - one.oldest_at).total_seconds() if one.oldest_at else 0.0
        metrics.OLDEST.labels(one.topic).set(age)
        if one.put_back:
            log.warning("topic had other settings: ours are back", topic=one.topic, settings=list(one.put_back))
        if one.trouble:
            log.error("topic could not be looked after", topic=one.topic, error=one.trouble)
        if one.is_over_time(now):
            log.error("topic keeps records for too long, and does not let go of them", topic=one.topic)
    metrics.SWEPT.set(now.timestamp())
    for what, number in taken_back._asdict().items():
        metrics.TAKEN_BACK.labels(what).inc(number)
    log.info("swept", let_go=sum(one.let_go for one in topics), **taken_back._asdict())
    return Sweeping(topics, taken_back)


async def sweep_now(settings: StreamSettings, clock: Clock) -> Sweeping:
    """Sweep once, from a process that does nothing else."""
    publisher = KafkaPublisher(settings)
    try:
        return await swept(settings, publisher, clock)
    finally:
        await publisher.stop()


def table_of(done: Sweeping, now: datetime) -> Table:
    """Return what was found and done, for people."""
    table = Table(title=f"{done.taken_back.posts} posts and {done.taken_back.alerts} alerts taken back")
    for name in ("topic", "kept at most", "oldest", "done"):
        table.add_column(name)
    for one in done.topics:
        notes = [f"settings put back: {', '.join(one.put_back)}"] if one.put_back else []
        notes += [f"{one.let_go} let go"] if one.let_go else []
        notes += ["KEPT FOR TOO LONG"] if one.is_over_time(now) else []
        notes += [f"NOT LOOKED AFTER: {one.trouble}"] if one.trouble else []
        oldest = hours(now - one.oldest_at) if one.oldest_at else "nothing there"
        table.add_row(
            one.topic, hours(one.retention) if one.retention else "the newest of a key", oldest, "; ".join(notes)
        )
    return table


def hours(span: timedelta) -> str:
    """Return a span in hours."""
    return f"{span / timedelta(hours=1):.1f} h"


async def sweep_for_ever(settings: StreamSettings, publisher: KafkaPublisher, clock: Clock) -> None:
    """Sweep every two hours; a broker that is away is asked again the next time."""
    await asyncio.sleep(FIRST_SECS)
    while True:
        try:
            await swept(settings, publisher, clock)
        except SourceUnavailable as error:
            log.warning("not swept", error=str(error))
        except Exception as error:  # a bug of ours must not end the looking after
            log.exception("not swept", error=repr(error))
        await asyncio.sleep(SWEEP.total_seconds())


async def let_go_for_ever(settings: Settings, clock: Clock) -> None:
    """Let go, every two hours, of recordings that are too old; where there is a console, its recorder does it."""
    await asyncio.sleep(FIRST_SECS)
    while True:
        try:
            for line in await asyncio.to_thread(_let_go, settings, clock):
                log.info("recording swept", found=line)
        except OSError as error:
            log.warning("recording not swept", error=str(error))
        await asyncio.sleep(SWEEP.total_seconds())


def _let_go(settings: Settings, clock: Clock) -> list[str]:
    is_left = (settings.data.dir / RECORDING).exists() and not settings.console.is_there
    if not is_left or not settings.recording.is_there:
        return []
    from vigie.recording_shown import let_go  # noqa: PLC0415  needs the extra `recording`

    return let_go(settings, clock)

"""The edge process: all sources, read side by side through the gate, onto the topics."""

import asyncio
import signal
import socket
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, get_args

import structlog
import uvloop
from starlette.applications import Starlette

from connectors import runner
from connectors.blindness import blindness
from connectors.contract import Source
from connectors.cursors import SqliteCursors
from connectors.register import Recognising
from connectors.watch import Watch
from records import Clock, SourceUnavailable
from records.source_status import State, Way
from streams.declaring import declare_topics
from streams.metrics import start_at_zero
from streams.publisher import KafkaPublisher
from streams.taking_back import TakenBack
from vigie import edge_assembly, metrics
from vigie.serving import listening_on, serve, serve_metrics
from vigie.settings import Settings
from vigie.source_assembly import ServedSource, Workshop, watch_over
from vigie.source_settings import FacebookSource
from vigie.sweeping import let_go_for_ever, show_promises, sweep_for_ever

log = structlog.get_logger()

STATUS_SECS = 5.0
MOST_AT_ONCE = 200
"""Connections to a webhook, each of which may hold a megabyte that is not whole yet; others are told to come again."""


def run_edge(settings: Settings, clock: Clock) -> None:
    """Read until every source has ended, or until SIGTERM or SIGINT; what was read is handed over before this returns.

    Errors  SettingsError when a source cannot be used as set; SourceUnavailable when the broker is gone
    """
    uvloop.run(_run(settings, clock))


async def _run(settings: Settings, clock: Clock) -> None:
    streams = settings.streams()
    settings.data.dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    gate = edge_assembly.gate(settings)
    watch = Watch(edge_assembly.EdgeMetrics([source.name for source in settings.sources]), clock)
    names = edge_assembly.pseudonyms(settings, clock)
    shop = Workshop(settings, clock, watch, names)
    sources = shop.reading()
    publisher = KafkaPublisher(streams)
    recognising = Recognising(publisher, edge_assembly.register(settings, names))
    cursors = SqliteCursors(edge_assembly.cursors_path(settings))
    watch_over(watch, settings, sources)
    work: list[Coroutine[Any, Any, None]] = [
        _read(
            source,
            watch,
            runner.run(source, gate=gate, publisher=recognising, cursors=cursors, observer=watch, clock=clock),
        )
        for source in sources
    ]
    work += [_serve(served.source, served.application, watch) for served in shop.served(gate, recognising)]
    metrics.LOOKED.set(clock.now().timestamp())
    metrics.SWEPT.set(clock.now().timestamp())
    show_promises()
    start_at_zero(metrics.TAKEN_BACK, TakenBack._fields)
    serve_metrics(metrics.EDGE, settings.metrics.host, settings.edge.metrics_port, "edge.metrics_port")
    await declare_topics(streams)
    await publisher.start()
    log.info("edge starts", sources=[source.name for source in settings.sources])
    beside = {
        asyncio.create_task(_tell_statuses(watch, publisher, clock)),
        asyncio.create_task(sweep_for_ever(streams, publisher, clock)),
        asyncio.create_task(let_go_for_ever(settings, clock)),
    }
    try:
        await _until_done_or_told(work)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)
        watch.stopped()
        with suppress(SourceUnavailable):
            await publisher.statuses(list(watch.statuses().values()))
        await publisher.stop()
        cursors.close()
    log.info("edge ends")


async def _read(source: Source, watch: Watch, reading: Coroutine[Any, Any, None]) -> None:
    """Read a source to its end; what goes wrong in it must not end the others."""
    try:
        await reading
    except SourceUnavailable:  # the broker: nothing can be kept
        raise
    except Exception as error:  # a bug in it, or settings that the platform refuses
        log.exception("source ends: the others go on", source=source.name, error=repr(error))
        watch.broken(source.name, str(error) or repr(error))
    else:
        watch.ended(source.name, "read to its end")


async def _tell_statuses(watch: Watch, publisher: KafkaPublisher, clock: Clock) -> None:
    """Say how each source stands: at once where that changes, and once a minute."""
    while True:
        await asyncio.sleep(STATUS_SECS)
        news = watch.news()
        show_statuses(watch, clock)
        if news:
            with suppress(SourceUnavailable):  # what is told of must not end the listening; it is said again
                await publisher.statuses(news)


def show_statuses(watch: Watch, clock: Clock) -> None:
    """Set the gauges of the sources, and of what we are blind to."""
    metrics.LOOKED.set(clock.now().timestamp())
    statuses = watch.statuses()
    for name, status in statuses.items():
        for state in get_args(State):
            metrics.SOURCE_STATE.labels(name, state).set(state == status.state)
        if status.last_sign_at:
            metrics.LAST_SIGN.labels(name).set(status.last_sign_at.timestamp())
        if status.last_post_at:
            metrics.LAST_POST.labels(name).set(status.last_post_at.timestamp())
        if status.spent_usd is not None and status.ceiling_usd is not None:
            metrics.SPENT.labels(name).set(status.spent_usd)
            metrics.CEILING.labels(name).set(status.ceiling_usd)
    blind = {one.way for one in blindness(statuses.values(), clock.now())}
    for way in get_args(Way):
        metrics.BLIND.labels(way).set(way in blind)


async def _until_done_or_told(work: list[Coroutine[Any, Any, None]]) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    tasks = [asyncio.create_task(one) for one in work]
    stop = asyncio.create_task(told.wait())
    try:
        pending = set(tasks)
        while pending and not told.is_set():
            done, _ = await asyncio.wait({*pending, stop}, return_when=asyncio.FIRST_COMPLETED)
            pending -= done
            for task in done - {stop}:
                task.result()
    finally:
        stop.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(stop, *tasks, return_exceptions=True)


async def _serve(source: ServedSource, application: Starlette, watch: Watch) -> None:
    listening = listening_socket(source)
    if not isinstance(source, FacebookSource):  # whose Page is asked too
        watch.serves(source.name)
    log.info("webhook listens", source=source.name, host=source.host, port=source.port)
    await serve(application, listening, most_at_once=MOST_AT_ONCE)


def listening_socket(source: ServedSource) -> socket.socket:
    """Return a socket on a webhook's address.

    Errors  SettingsError when the address cannot be listened on
    """
    return listening_on(source.host, source.port, f"sources.{source.name}")

"""`vigie check`: loads all, connects to all, and prints a line per problem with what would do."""

import asyncio
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from detectors.profile import load_profile
from models.gate import Gate
from models.hazard import HazardModel
from models.places import Gazetteer
from records import SettingsError, SourceUnavailable, SystemClock
from streams.app import declare_topics
from streams.settings import StreamSettings
from vigie import assembly
from vigie.broker import BrokerDied, EmbeddedBroker
from vigie.edge import listening_socket
from vigie.settings import (
    BlueskySource,
    JsonlReceiver,
    Problem,
    RecordedSource,
    Settings,
    UnusableSettings,
    WebhookReceiver,
    WebhookSource,
    load,
    secret_from,
)

CONNECT_SECS = 5.0
KAFKA_SECS = 20.0
LEAST_FREE_MB = 500

Check = Callable[[Settings], Iterator[Problem]]


def problems_with(settings_file: Path | None, say: Callable[[str], None]) -> list[Problem]:
    """Return everything that stands in the way of `vigie run`; `say` is told what is being looked at."""
    try:
        settings = load(settings_file)
    except UnusableSettings as error:
        return error.problems
    found: list[Problem] = []
    for name, check in CHECKS.items():
        say(name)
        try:
            found.extend(check(settings))
        except SettingsError as error:
            found.append(problem_from(error))
    return found


def problem_from(error: SettingsError) -> Problem:
    """Return an error's three parts: its words are `where: what was found; what would do`."""
    where, _, rest = str(error).partition(": ")
    what, _, hint = rest.rpartition("; ")
    return Problem(where, what or rest, hint if what else "mend it there")


def _models(_: Settings) -> Iterator[Problem]:
    HazardModel.load()
    yield from ()


def _gate(settings: Settings) -> Iterator[Problem]:
    Gate.load(settings.edge.lexicon)
    yield from ()


def _territory(settings: Settings) -> Iterator[Problem]:
    gazetteer = Gazetteer()
    home = assembly.home_of(settings, gazetteer)
    load_profile(settings.territory.profile or assembly.default_profile(home), home)
    assembly.local_places(settings)
    for source in settings.sources:
        if source.place:
            try:
                gazetteer.home_place(source.place)
            except SettingsError as error:
                yield Problem(f"sources.{source.name}.place", *_halves(error))


def _halves(error: SettingsError) -> tuple[str, str]:
    problem = problem_from(error)
    return f"{problem.where}: {problem.found}", problem.hint


def _data(settings: Settings) -> Iterator[Problem]:
    folder = settings.data.dir
    parent = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not parent.is_dir():
        yield Problem("data.dir", f"{parent} is a file", "give a folder")
        return
    if not os.access(parent, os.W_OK):
        yield Problem("data.dir", f"{parent} cannot be written", "give a folder that this user may write")
    free_mb = shutil.disk_usage(parent).free >> 20
    if free_mb < LEAST_FREE_MB:
        yield Problem("data.dir", f"{free_mb} MB are free at {parent}", f"make room for {LEAST_FREE_MB} MB at least")


def _kafka(settings: Settings) -> Iterator[Problem]:
    if settings.is_embedded:
        try:
            with EmbeddedBroker() as broker:
                streams = StreamSettings(kafka_url=broker.url, data_dir=settings.data.dir, is_embedded=True)
                yield from _answers(streams, "embedded broker", "see whether this machine lets it run")
        except BrokerDied as error:
            yield Problem("kafka.url", str(error), "see whether this machine lets it run, or set VIGIE_KAFKA_URL")
        return
    hint = "start that broker, or set VIGIE_KAFKA_URL to one that answers; with TLS or SASL see [kafka]"
    yield from _answers(settings.streams(), "kafka.url", hint)


def _answers(streams: StreamSettings, where: str, hint: str) -> Iterator[Problem]:
    try:
        asyncio.run(asyncio.wait_for(declare_topics(streams), KAFKA_SECS))
    except SourceUnavailable as error:
        yield Problem(where, str(error), hint)
    except TimeoutError:
        yield Problem(where, f"{streams.kafka_url}: no answer in {KAFKA_SECS:.0f} s", hint)


def _sources(settings: Settings) -> Iterator[Problem]:
    if not settings.sources:
        yield Problem(
            "sources", "there is none, so nothing is read", "add a [[sources]] table; kind is bluesky, webhook …"
        )
    names = [source.name for source in settings.sources]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem(f"sources.{name}", "two sources have this name", "give each its own")
    for source in settings.sources:
        where = f"sources.{source.name}"
        if isinstance(source, BlueskySource):
            yield from _reachable(source.url, f"{where}.url")
        elif isinstance(source, RecordedSource) and not source.path.is_file():
            yield Problem(f"{where}.path", f"no file {source.path}", "give a .jsonl or .csv file, plain or .gz")
        elif isinstance(source, WebhookSource):
            yield from _webhook(source)


def _webhook(source: WebhookSource) -> Iterator[Problem]:
    try:
        listening_socket(source).close()
    except SettingsError as error:
        yield problem_from(error)
    try:
        assembly.sender_from(source)
    except SettingsError as error:
        yield problem_from(error)


def _receivers(settings: Settings) -> Iterator[Problem]:
    if not settings.receivers:
        yield Problem(
            "receivers", "there is none, so nobody is told", "add a [[receivers]] table; kind is terminal, jsonl …"
        )
    for receiver in settings.receivers:
        where = f"receivers.{receiver.name}"
        if isinstance(receiver, JsonlReceiver):
            if not receiver.path.absolute().parent.is_dir():
                yield Problem(
                    f"{where}.path", f"no folder {receiver.path.absolute().parent}", "make it, or give another path"
                )
        elif isinstance(receiver, WebhookReceiver):
            secret_from(receiver.secret_file, f"{where}.secret_file")
            assembly.sink_from(receiver, settings, SystemClock())
            yield from _reachable(receiver.url, f"{where}.url")


def _reachable(url: str, where: str) -> Iterator[Problem]:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme in ("https", "wss") else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=CONNECT_SECS).close()
    except OSError as error:
        reason = error.strerror or str(error)
        yield Problem(
            where, f"{parts.hostname}:{port} does not answer: {reason}", "see the address, the network, the proxy"
        )


def _ports(settings: Settings) -> Iterator[Problem]:
    for where, port in (
        ("worker.health_port", settings.worker.health_port),
        ("edge.metrics_port", settings.edge.metrics_port),
    ):
        if not port:
            continue
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError as error:
            yield Problem(where, f"port {port}: {error.strerror}", "free that port, set another, or 0 for none")


CHECKS: dict[str, Check] = {
    "territory, profile and places": _territory,
    "hazard model": _models,
    "gate": _gate,
    "data folder": _data,
    "ports": _ports,
    "receivers": _receivers,
    "sources": _sources,
    "broker": _kafka,
}

"""`vigie check`: loads all, connects to all, and prints a line per problem with what would do."""

import asyncio
import shutil
import socket
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from connectors.contract import Unobserved
from connectors.pseudonym import FixedPseudonyms
from connectors.sinks.feeds import GEOJSON, features_from
from connectors.sinks.targets import targets_in
from console.messages.map_files import check_map
from models.hazard import HazardModel
from models.places import shipped_gazetteer
from records import SettingsError, SourceUnavailable, SystemClock, VigieError
from streams.declaring import declare_topics
from streams.settings import StreamSettings
from vigie import assembly, edge_assembly, territory
from vigie.broker import BrokerDied, EmbeddedBroker
from vigie.duty_settings import duties_from
from vigie.edge import listening_socket
from vigie.model_promoting import read_by, refuse_lacking
from vigie.promoting import decided_by
from vigie.receiver_assembly import check_alertmanager, sink_from
from vigie.receiver_settings import (
    AlertmanagerReceiver,
    AppriseReceiver,
    CapReceiver,
    FeedsReceiver,
    JsonlReceiver,
    ReceiverSettings,
    WebhookReceiver,
)
from vigie.rumour_settings import accounts_from, counted, unread
from vigie.serving import listening_on, reason_of
from vigie.settings import (
    DEFAULT_FILE,
    Problem,
    Settings,
    UnusableSettings,
    load,
)
from vigie.source_assembly import MAKERS, Workshop, sender_from
from vigie.source_settings import (
    BlueskySource,
    FacebookSource,
    PressSource,
    RecordedSource,
    SourceSettings,
    TopicSource,
    WebhookSource,
)
from vigie.telling import digest_plan, router

CONNECT_SECS = 5.0
LOOPBACK = "127.0.0.1"  # where the embedded broker listens, whoever may read metrics
KAFKA_SECS = 20.0
LEAST_FREE_MB = 500
ASKED_BY_PROXY = frozenset({"http", "https", "ws", "wss"})
"""What our clients ask through the proxy that the environment names; a Kafka is asked directly."""
PROXY_PORTS = {"https": 443, "socks5": 1080, "socks5h": 1080}  # where none is given; 80 else

Check = Callable[[Settings], Iterator[Problem]]


def problems_with(settings_file: Path | None, say: Callable[[str], None]) -> list[Problem]:
    """Return everything that stands in the way of `vigie run`; `say` is told what is being looked at."""
    try:
        settings = load(settings_file)
    except UnusableSettings as error:
        return error.problems
    found: list[Problem] = []
    if settings_file is None and not DEFAULT_FILE.exists() and not settings.sources:
        found.append(
            Problem(
                str(DEFAULT_FILE),
                f"is not in {Path.cwd()}",
                "go to its folder, name it with --settings, or write one with `vigie init --commune INSEE`",
            )
        )
    for name, check in CHECKS.items():
        say(f"{name}: {BESIDE[name](settings)}" if name in BESIDE else name)
        found.extend(check(settings))
    return found


def problem_from(error: VigieError) -> Problem:
    """Return an error's parts: its words are `where: what was found; what would do`."""
    where, _, rest = str(error).partition(": ")
    what, _, hint = rest.rpartition("; ")
    return Problem(where, what or hint, hint if what else "")


def _tried(attempt: Callable[[], object]) -> Iterator[Problem]:
    try:
        attempt()
    except VigieError as error:
        yield problem_from(error)


def _models(settings: Settings) -> Iterator[Problem]:
    yield from _tried(HazardModel.load)
    yield from _tried(lambda: refuse_lacking(settings))


def _gate(settings: Settings) -> Iterator[Problem]:
    yield from _tried(lambda: edge_assembly.gate(settings))


def _territory(settings: Settings) -> Iterator[Problem]:
    gazetteer = shipped_gazetteer()
    try:
        home = territory.home_of(settings, gazetteer)
    except SettingsError as error:
        yield problem_from(error)
    else:
        yield from _tried(lambda: territory.profile_of(settings, home))
    yield from _tried(lambda: territory.local_places(settings, gazetteer))
    for source in settings.sources:
        if source.place:
            yield from _tried(lambda source=source: territory.usual_place(gazetteer, source))  # type: ignore[misc]


def _data(settings: Settings) -> Iterator[Problem]:
    yield from _writable(settings.data.dir, "data.dir")


def _writable(folder: Path, where: str) -> Iterator[Problem]:
    try:
        parent = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if not parent.is_dir():
            yield Problem(where, f"{parent} is a file", "give a folder")
            return
        tempfile.TemporaryFile(dir=parent).close()
        free_mb = shutil.disk_usage(parent).free >> 20
    except OSError as error:
        yield Problem(where, f"cannot write to {folder}: {error.strerror}", "give a folder that this user may write")
        return
    if free_mb < LEAST_FREE_MB:
        yield Problem(where, f"{free_mb} MB are free at {parent}", f"make room for {LEAST_FREE_MB} MB at least")


def _kafka(settings: Settings) -> Iterator[Problem]:
    if settings.is_embedded:
        try:
            with EmbeddedBroker() as broker:
                streams = StreamSettings(kafka_url=broker.url, data_dir=settings.data.dir, is_embedded=True)
                yield from _answers(streams, "embedded broker", "see whether this machine lets it run")
        except BrokerDied as error:
            yield Problem("kafka.url", str(error), "see whether this machine lets it run, or set VIGIE_KAFKA_URL")
        except SettingsError as error:
            yield problem_from(error)
        return
    hint = "start that broker, or set VIGIE_KAFKA_URL to one that answers"
    brokers = settings.kafka.url.removeprefix("kafka://").split(",")
    silent = [problem for broker in brokers for problem in _reachable(f"kafka://{broker}", "kafka.url", hint)]
    yield from silent
    if len(silent) < len(brokers):
        try:
            yield from _answers(settings.streams(), "kafka.url", "see [kafka]: tls, sasl_mechanism, username")
        except SettingsError as error:
            yield problem_from(error)


def _answers(streams: StreamSettings, where: str, hint: str) -> Iterator[Problem]:
    try:
        asyncio.run(asyncio.wait_for(declare_topics(streams), KAFKA_SECS))
    except SourceUnavailable as error:
        yield Problem(where, str(error), hint)
    except TimeoutError:
        found = f"{streams.kafka_url} takes connections, but gives no answer as a Kafka in {KAFKA_SECS:.0f} s"
        yield Problem(where, found, hint)


def _sources(settings: Settings) -> Iterator[Problem]:
    if not settings.sources:
        yield Problem(
            "sources", "there is none, so nothing is read", "add a [[sources]] table; kind is bluesky, webhook …"
        )
    yield from _twice("sources", [source.name for source in settings.sources])
    for source in settings.sources:
        yield from _source(source, settings)


def _source(source: SourceSettings, settings: Settings) -> Iterator[Problem]:
    where = f"sources.{source.name}"
    if isinstance(source, WebhookSource | FacebookSource):
        yield from _tried(lambda: listening_socket(source).close())
    if isinstance(source, WebhookSource):
        yield from _tried(lambda: sender_from(source))
    elif isinstance(source, RecordedSource):
        if not source.path.is_file():
            yield Problem(f"{where}.path", f"no file {source.path}", "give a .jsonl or .csv file, plain or .gz")
    elif not isinstance(source, TopicSource):
        names = FixedPseudonyms(b"check")
        shop = Workshop(settings, SystemClock(), Unobserved(), names)
        yield from _tried(lambda: MAKERS[type(source)](shop, source))
    for key, url in _addresses(source):
        yield from _reachable(url, f"{where}.{key}")


def _addresses(source: SourceSettings) -> Iterator[tuple[str, str]]:
    """Name the addresses that a source reads from."""
    if isinstance(source, BlueskySource):
        yield "url", source.url
    elif isinstance(source, PressSource):
        for number, feed in enumerate(source.feeds):
            yield f"feeds.{number}.url", feed.url
    elif base_url := getattr(source, "base_url", ""):
        yield "base_url", base_url


def _twice(table: str, names: Sequence[str]) -> Iterator[Problem]:
    for name, times in sorted(Counter(names).items()):
        if times > 1:
            yield Problem(f"{table}.{name}", f"{times} {table} have this name", "give each a name of its own")


def _receivers(settings: Settings) -> Iterator[Problem]:
    if not settings.receivers:
        yield Problem(
            "receivers", "there is none, so nobody is told", "add a [[receivers]] table; kind is terminal, jsonl …"
        )
    yield from _twice("receivers", [receiver.name for receiver in settings.receivers])
    yield from _tried(lambda: router(settings))
    yield from _tried(lambda: duties_from(settings.duty))
    yield from _tried(lambda: digest_plan(settings))
    for receiver in settings.receivers:
        yield from _receiver(receiver, settings)


def _receiver(receiver: ReceiverSettings, settings: Settings) -> Iterator[Problem]:
    where = f"receivers.{receiver.name}"
    if isinstance(receiver, JsonlReceiver):
        yield from _appendable(receiver.path, f"{where}.path")
    elif isinstance(receiver, CapReceiver):
        yield from _writable(receiver.folder, f"{where}.folder")
    elif isinstance(receiver, FeedsReceiver):
        yield from _feeds(receiver, where)
    elif isinstance(receiver, AppriseReceiver):
        yield from _tried(lambda: targets_in(receiver.urls_file, f"{where}.urls_file", timeout_secs=1))
    elif isinstance(receiver, WebhookReceiver):
        yield from _address(receiver.url, f"{where}.url", lambda: sink_from(receiver, settings, SystemClock()))
    elif isinstance(receiver, AlertmanagerReceiver):
        yield from _address(receiver.url, f"{where}.url", lambda: check_alertmanager(receiver))


def _feeds(receiver: FeedsReceiver, where: str) -> Iterator[Problem]:
    yield from _writable(receiver.folder, f"{where}.folder")
    yield from _tried(lambda: features_from(receiver.folder / GEOJSON))
    if receiver.port:
        yield from _tried(lambda: listening_on(receiver.host, receiver.port, where).close())


def _address(url: str, where: str, attempt: Callable[[], object]) -> Iterator[Problem]:
    problems = list(_tried(attempt))
    yield from problems
    if all(problem.where != where for problem in problems):
        yield from _reachable(url, where)


def _appendable(path: Path, where: str) -> Iterator[Problem]:
    folder = path.absolute().parent
    if not folder.is_dir():
        yield Problem(where, f"no folder {folder}", "make it, or give another path")
    elif path.is_dir():
        yield Problem(where, f"{path} is a folder", "give a file in it")


def _reachable(url: str, where: str, hint: str = "see the address, the network, the proxy") -> Iterator[Problem]:
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme in ("https", "wss") else 80)
    except ValueError:
        yield Problem(where, f"{parts.hostname} has a port that is none", "give a TCP port from 1 to 65535")
        return
    host = parts.hostname or ""
    try:
        proxy = _proxy_for(parts.scheme, host)
    except ValueError:
        yield Problem(where, "the proxy of the environment has a port that is none", "write it as http://proxy:3128")
        return
    try:
        socket.create_connection(proxy or (host, port), timeout=CONNECT_SECS).close()
    except (OSError, UnicodeError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else "this is no name of a machine"
        asked = "{}:{}, the proxy of the environment,".format(*proxy) if proxy else f"{host}:{port}"
        yield Problem(where, f"{asked} does not answer: {reason}", hint)


def _proxy_for(scheme: str, host: str) -> tuple[str, int] | None:
    """Return the proxy by which our clients ask a host, as HTTPS_PROXY, HTTP_PROXY and NO_PROXY say; None: directly."""
    if scheme not in ASKED_BY_PROXY or proxy_bypass(host, proxies := getproxies()):
        return None
    named = proxies.get({"wss": "https", "ws": "http"}.get(scheme, scheme)) or proxies.get("all")
    if named is None:
        return None
    parts = urlsplit(named if "//" in named else f"//{named}")
    return parts.hostname or "", parts.port or PROXY_PORTS.get(parts.scheme, 80)


def _ports(settings: Settings) -> Iterator[Problem]:
    listening = {"worker.health_port": settings.worker.health_port, "edge.metrics_port": settings.edge.metrics_port}
    if settings.console.port:
        listening["console.metrics_port"] = settings.console.metrics_port
    if settings.is_embedded:
        listening["broker.port"] = settings.broker.port
    shown = {"console.port": settings.console.port} if settings.console.port else {}
    given = {where: port for where, port in listening.items() if port}
    served = (source for source in settings.sources if isinstance(source, WebhookSource | FacebookSource))
    webhooks = {f"sources.{source.name}.port": source.port for source in served}
    feeds = (one for one in settings.receivers if isinstance(one, FeedsReceiver) and one.port)
    yield from _shared({**given, **shown, **webhooks, **{f"receivers.{one.name}.port": one.port for one in feeds}})
    for where, port in given.items():
        try:
            socket.create_server((LOOPBACK if where == "broker.port" else settings.metrics.host, port)).close()
        except OSError as error:
            yield Problem(
                where,
                f"cannot listen on port {port}: {reason_of(error)}",
                "stop what listens there (Vigie itself, when it runs), or set another port",
            )


def _shared(ports: dict[str, int]) -> Iterator[Problem]:
    first: dict[int, str] = {}
    for where, port in ports.items():
        if port in first:
            yield Problem(where, f"port {port} is that of {first[port]} too", "give each a port of its own")
        first.setdefault(port, where)


def _messages(settings: Settings) -> Iterator[Problem]:
    own = settings.messages.map
    if own is None:
        return
    try:
        findings = check_map(own)
    except SettingsError as error:
        found = problem_from(error)
        yield Problem(f"messages.map: {found.where}", found.found, found.hint)
    else:
        yield from (Problem(f"{one.file}: line {one.line}", one.what, one.mend) for one in findings)


def _rumours(settings: Settings) -> Iterator[Problem]:
    yield from _tried(lambda: assembly.doubts(settings))


def _accounts(settings: Settings) -> Iterator[Problem]:
    yield from _tried(lambda: accounts_from(settings.official_accounts))
    for platform in unread(settings.official_accounts, settings.sources):
        yield Problem("official_accounts", f"no source reads {platform}", "add that source, or take its accounts out")


def _console(settings: Settings) -> Iterator[Problem]:
    if not settings.console.port:
        return
    if not settings.console.is_there:
        yield Problem(
            "console", "its libraries are not installed", "pip install -e '.[console]' in the checkout, or set port = 0"
        )
        return
    from vigie.console_check import faults_in  # noqa: PLC0415  without these libraries it cannot be imported

    yield from map(problem_from, faults_in(settings, SystemClock()))


def _recording(settings: Settings) -> Iterator[Problem]:
    recording = settings.recording
    if recording.is_on and settings.console.is_there and not recording.is_there:
        yield Problem(
            "recording",
            "its library is not installed",
            "pip install -e '.[recording]' in the checkout, or is_on = false",
        )
    if not recording.is_there:
        return
    from vigie.recording_shown import recordings_of  # noqa: PLC0415  without the library it cannot be imported

    for one in recordings_of(settings).shown():
        if one.trouble:
            where, _, what = one.trouble.partition(": ")
            yield Problem(where, what, "remove it, or put back one that was backed up")


BESIDE: dict[str, Callable[[Settings], str]] = {
    "territory, profile and places": decided_by,
    "hazard model": read_by,
    "official accounts": lambda settings: counted(settings.official_accounts),
}
"""What a check tells while it looks."""

CHECKS: dict[str, Check] = {
    "territory, profile and places": _territory,
    "hazard model": _models,
    "gate": _gate,
    "rumours": _rumours,
    "official accounts": _accounts,
    "data folder": _data,
    "message map": _messages,
    "ports": _ports,
    "console": _console,
    "recording": _recording,
    "receivers": _receivers,
    "sources": _sources,
    "broker": _kafka,
}

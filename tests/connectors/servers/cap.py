"""A server of CAP alerts on the loopback: an Atom feed as MeteoAlarm's, an RSS feed, the alerts, and faults on demand.

Written after the OASIS standard CAP 1.2, the committee note "Example Practices: CAP Feeds 1.0", and the entries of
https://feeds.meteoalarm.org/feeds/meteoalarm-legacy-atom-france (one entry for each language and area of an alert,
all of them linking to the one document; ETag and 304 as of RFC 9110). What it cannot prove: how often a real feed
changes, how long an alert stays in it, whether its documents are signed and well, real rate limits.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from xml.sax.saxutils import escape

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
AREAS = (("Seine-Maritime", "FR232"), ("Eure", "FR231"))


@dataclass(kw_only=True)
class Alert:
    """One alert to be served."""

    identifier: str
    sent: str = "2026-11-22T07:00:00+01:00"
    status: str = "Actual"
    message: str = "Alert"
    scope: str = "Public"
    references: tuple[str, ...] = ()  # identifiers
    event: str = "Vigilance orange inondation"
    severity: str = "Severe"
    level: str = "3; orange; Severe"
    type: str = "12; flooding"
    areas: tuple[tuple[str, str], ...] = AREAS
    has_info: bool = True

    @property
    def path(self) -> str:
        return f"/api/v1/warnings/feeds-france/{hashlib.sha256(self.identifier.encode()).hexdigest()[:12]}"


def document(alert: Alert, sent: dict[str, str]) -> bytes:
    """Return the alert as CAP 1.2."""
    references = " ".join(f"vigilance@example.org,{one},{sent.get(one, alert.sent)}" for one in alert.references)
    languages = (("en-GB", "Severe warning"), ("fr-FR", alert.event)) if alert.has_info else ()
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<alert xmlns="{CAP}"><identifier>{escape(alert.identifier)}</identifier>'
        "<sender>vigilance@example.org</sender>"
        f"<sent>{alert.sent}</sent><status>{alert.status}</status><msgType>{alert.message}</msgType>"
        f"<scope>{alert.scope}</scope>"
        + (f"<references>{escape(references)}</references>" if references else "")
        + "".join(info(alert, language, event) for language, event in languages)
        + "</alert>"
    ).encode()


def info(alert: Alert, language: str, event: str) -> str:
    areas = "".join(
        f"<area><areaDesc>{escape(name)}</areaDesc><geocode><valueName>NUTS3</valueName><value>{code}</value></geocode>"
        "</area>"
        for name, code in alert.areas
    )
    pairs = (("awareness_level", alert.level), ("awareness_type", alert.type))
    parameters = "".join(
        f"<parameter><valueName>{name}</valueName><value>{escape(value)}</value></parameter>" for name, value in pairs
    )
    return (
        f"<info><language>{language}</language><category>Met</category><event>{escape(event)}</event>"
        "<responseType>Monitor</responseType><urgency>Future</urgency>"
        f"<severity>{alert.severity}</severity><certainty>Likely</certainty>"
        "<effective>2026-11-22T08:00:00+01:00</effective><onset>2026-11-22T09:00:00+01:00</onset>"
        "<expires>2026-11-23T06:00:00+01:00</expires><senderName>Service d’essai</senderName>"
        f"<headline>{escape(event)}</headline><description>Des crues sont possibles.</description>"
        "<web>https://vigilance.example.org/</web><contact>agent.secret@example.org</contact>"
        f"{parameters}{areas}</info>"
    )


@dataclass
class Answer:
    """What the next request for a path is answered with, once."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class CapServer:
    """The feeds, their alerts, and what is to go wrong next."""

    def __init__(self, alerts: list[Alert] | None = None) -> None:
        self.alerts = alerts or []
        self.shown: int | None = None  # how many of the newest the feed shows; None for all
        self.once: dict[str, list[Answer]] = {}  # by path: other answers, before the true one
        self.always: dict[str, Answer] = {}
        self.abort_after: int | None = None  # documents until the connection is torn in the middle of one, once
        self.slow_chunks = False
        self.has_etag = True
        self.is_newest_first = True
        self.raw: dict[str, bytes] = {}  # documents instead of the true ones
        self.entries: list[str] = []  # further entries of the Atom feed, as they are
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["CapServer"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = int(server.sockets[0].getsockname()[1])
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                headers: dict[str, str] = {}
                while (text := (await reader.readline()).decode("latin-1").strip()) != "":
                    name, _, value = text.partition(":")
                    headers[name.lower()] = value.strip()
                path = line.decode("latin-1").split(" ")[1]
                self.requests.append((path, headers))
                if not await self._answer(path, headers, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, path: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> bool:
        answer = self._found(path, headers)
        answer.headers.setdefault("Content-Length", str(len(answer.body)))
        head = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
        head += [f"{name}: {value}" for name, value in answer.headers.items()]
        writer.write("\r\n".join([*head, "", ""]).encode("latin-1"))
        if self._is_torn(path):
            writer.write(answer.body[: len(answer.body) // 2])
            await writer.drain()
            writer.transport.abort()
            return False
        step = 7 if self.slow_chunks else len(answer.body) or 1
        for start in range(0, len(answer.body), step):
            writer.write(answer.body[start : start + step])
            await writer.drain()
            await asyncio.sleep(0)
        return True

    def _is_torn(self, path: str) -> bool:
        if self.abort_after is None or path.startswith("/feeds/"):
            return False
        self.abort_after -= 1
        if self.abort_after >= 0:
            return False
        self.abort_after = None
        return True

    def _found(self, path: str, headers: dict[str, str]) -> Answer:
        if self.once.get(path):
            return self.once[path].pop(0)
        if path in self.always:
            return Answer(self.always[path].status, dict(self.always[path].headers), self.always[path].body)
        body = self.body_of(path)
        if body is None:
            return Answer(404, {"Content-Type": "text/plain"}, b"not found")
        kind = {"/feeds/atom": "application/atom+xml", "/feeds/rss": "application/rss+xml"}
        told = {"Content-Type": kind.get(path, "application/cap+xml")}
        if self.has_etag:
            told["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.has_etag and headers.get("if-none-match") == told["ETag"]:
            return Answer(304, told)
        return Answer(200, told, body)

    def body_of(self, path: str) -> bytes | None:
        if path in self.raw:
            return self.raw[path]
        if path in ("/feeds/atom", "/feeds/rss"):
            return (self.atom() if path == "/feeds/atom" else self.rss()).encode()
        sent = {alert.identifier: alert.sent for alert in self.alerts}
        return next((document(alert, sent) for alert in self.alerts if alert.path == path), None)

    def _listed(self) -> list[Alert]:
        listed = self.alerts if self.shown is None else self.alerts[-self.shown :]
        return listed[::-1] if self.is_newest_first else listed

    def atom(self) -> str:
        """Return the Atom feed: an entry for each language and area of an alert."""
        entries = [
            self._entry(alert, index, number, name, code)
            for alert in self._listed()
            for index in range(2)
            for number, (name, code) in enumerate(alert.areas)
        ]
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n'
            f'<feed xmlns="http://www.w3.org/2005/Atom" xmlns:cap="{CAP}">'
            "<id>tag:example.org,2026:FR</id><title>Alerts</title><updated>2026-11-22T06:00:00Z</updated>"
            "<author><name>Agent Secret</name></author>" + "".join([*entries, *self.entries]) + "</feed>"
        )

    def _entry(self, alert: Alert, index: int, number: int, name: str, code: str) -> str:
        link = f"{self.url}{alert.path}"
        return (
            f"<entry><cap:geocode><valueName>NUTS3</valueName><value>{code}</value></cap:geocode>"
            f"<cap:areaDesc>{escape(name)}</cap:areaDesc><cap:event>{escape(alert.event)}</cap:event>"
            f"<cap:sent>{alert.sent}</cap:sent><cap:severity>{alert.severity}</cap:severity>"
            f"<cap:message_type>{alert.message}</cap:message_type><cap:status>{alert.status}</cap:status>"
            f"<cap:identifier>{escape(alert.identifier)}</cap:identifier>"
            f'<link href="{link}" type="application/cap+xml"/>'
            f'<link href="https://example.org?geocode=NUTS3:{code}" hreflang="en" rel="related"/>'
            f"<author><name>Agent Secret</name></author><published>{alert.sent}</published>"
            f"<id>{link}?index_info={index}&amp;index_area={number}</id>"
            f"<title>Warning - {escape(name)}</title><updated>{alert.sent}</updated></entry>"
        )

    def rss(self) -> str:
        """Return the RSS feed: an item for each alert."""
        items = "".join(
            f"<item><title>{escape(alert.event)}</title><link>{self.url}{alert.path}</link>"
            f'<guid isPermaLink="false">{escape(alert.identifier)}</guid>'
            f"<pubDate>{datetime.fromisoformat(alert.sent):%a, %d %b %Y %H:%M:%S %z}</pubDate></item>"
            for alert in self._listed()
        )
        return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Alerts</title>{items}</channel></rss>'


async def serve_demo(port: int) -> None:
    """Serve invented alerts on a port for ever, a new one every second; the newest fifty are shown."""
    server = CapServer()
    server.port, server.shown = port, 50
    kinds = (
        ("Vigilance jaune orages", "3; Thunderstorm", "2; yellow; Moderate", "Moderate"),
        ("Vigilance orange inondation", "12; flooding", "3; orange; Severe", "Severe"),
        ("Vigilance jaune feux de forêt", "8; forest-fire", "2; yellow; Moderate", "Moderate"),
    )
    async with server.running():
        number = 0
        while True:
            number += 1
            event, kind, level, severity = kinds[number % len(kinds)]
            now = datetime.now(UTC)
            server.alerts.append(
                Alert(
                    identifier=f"demo.{number}",
                    sent=now.isoformat(timespec="seconds"),
                    event=event,
                    type=kind,
                    level=level,
                    severity=severity,
                )
            )
            del server.alerts[:-100]
            await asyncio.sleep(1)

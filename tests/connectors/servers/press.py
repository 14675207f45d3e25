"""A publisher's web server on the loopback: feeds, robots.txt and tdmrep.json over HTTP/1.1, and faults on demand.

Written after RFC 9110 (13: conditional requests, 15.4: redirects, 10.2.3: Retry-After), RFC 9112 (7.1: chunks),
RFC 9309 (robots.txt), the report on the TDM Reservation Protocol of the W3C's community group, the RSS 2.0
specification and RFC 4287 (Atom). What it cannot prove: what publishers' delivery networks do (bot walls, caches that
do not agree with each other, wrong 304s), how often they let themselves be asked, the thousand ways to break a feed.
"""

import asyncio
import gzip
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from http import HTTPStatus

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:georss="http://www.georss.org/georss" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Le Littoral</title><link>https://littoral.example/'
    "</link><description>Toute l'actualité</description><language>fr</language>\n"
)


@dataclass
class Item:
    """One entry of a feed."""

    guid: str
    title: str
    said_at: datetime
    summary: str = ""
    point: str = ""

    def xml(self) -> str:
        point = f"<georss:point>{self.point}</georss:point>" if self.point else ""
        date = format_datetime(self.said_at)
        return (
            f'<item><title>{escape(self.title)}</title><guid isPermaLink="false">{escape(self.guid)}</guid>'
            f"<link>https://littoral.example/{escape(self.guid)}</link><description>{escape(self.summary)}</description>"
            f"<dc:creator>Camille Secrète</dc:creator><pubDate>{date}</pubDate>{point}</item>\n"
        )


def rss(items: Sequence[Item]) -> bytes:
    """Return a feed, newest first, as publishers do."""
    newest_first = sorted(items, key=lambda item: item.said_at, reverse=True)
    return (HEAD + "".join(item.xml() for item in newest_first) + "</channel></rss>\n").encode()


@dataclass
class Page:
    """One resource, and what is to go wrong with it."""

    body: bytes = b""
    content_type: str = "application/rss+xml; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    modified: datetime | None = None
    has_etag: bool = True
    is_packed: bool = False
    says_packed: bool = True
    status: int = 200
    location: str = ""
    chunk_bytes: int | None = None  # sent in chunks of so many bytes, with a breath after each
    never_ends: bool = False  # the last chunk does not come

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:16]}"' if self.has_etag else ""


@dataclass
class Asked:
    """One request as it came in."""

    path: str
    headers: dict[str, str]


class Publisher:
    """The pages, who asked for them, and what is to go wrong next."""

    def __init__(self, pages: dict[str, Page] | None = None) -> None:
        self.pages = pages or {}
        self.asked: list[Asked] = []
        self.statuses: list[int] = []  # as answered, in the order of `asked`
        self.refuse_with: list[tuple[int, dict[str, str]]] = []  # the next answers to feeds, one each
        self.abort_after: list[int] = []  # bytes of the next bodies after which the socket is torn
        self.on_served: Callable[[str], None] = lambda _: None  # told when a page was sent whole, or need not be sent
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked_for(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Publisher"]:
        server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)
        self.port = int(server.sockets[0].getsockname()[1])
        try:
            yield self
        finally:
            server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, one after the other, until the client leaves."""
        try:
            while await self._answer(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return  # the client has left, or we are to stop
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        path = first.split(" ")[1]
        self.asked.append(Asked(path, headers))
        page = self.pages.get(path)
        is_feed = not path.endswith((".txt", ".json"))
        if is_feed and self.refuse_with:
            status, more = self.refuse_with.pop(0)
            return await self._send(writer, status, more, b"refused")
        if page is None:
            return await self._send(writer, 404, {}, b"not here")
        if is_fresh(page, headers):
            self.on_served(path)
            return await self._send(writer, 304, validators(page), b"")
        if page.status != HTTPStatus.OK:
            location = {"Location": page.location} if page.location else {}
            return await self._send(writer, page.status, {**location, **page.headers}, page.body)
        is_whole = await self._send_page(writer, page, is_feed=is_feed)
        if is_whole:
            self.on_served(path)
        return is_whole

    async def _send_page(self, writer: asyncio.StreamWriter, page: Page, *, is_feed: bool) -> bool:
        body = gzip.compress(page.body) if page.is_packed else page.body
        headers = {"Content-Type": page.content_type, **validators(page)}
        if page.is_packed and page.says_packed:
            headers["Content-Encoding"] = "gzip"
        torn_after = self.abort_after.pop(0) if is_feed and self.abort_after else None
        return await self._send(writer, 200, headers | page.headers, body, page=page, torn_after=torn_after)

    async def _send(
        self,
        writer: asyncio.StreamWriter,
        status: int,
        headers: dict[str, str],
        body: bytes,
        *,
        page: Page | None = None,
        torn_after: int | None = None,
    ) -> bool:
        """Send an answer; tell whether the connection may go on."""
        self.statuses.append(status)
        is_split = page is not None and (page.chunk_bytes is not None or page.never_ends)
        length = {"Transfer-Encoding": "chunked"} if is_split else {"Content-Length": str(len(body))}
        if status == HTTPStatus.NOT_MODIFIED:
            length = {}
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
        lines += [f"{name}: {value}" for name, value in {**headers, **length}.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode("utf-8"))
        if torn_after is not None:
            writer.write(body[:torn_after])
            await writer.drain()
            writer.transport.abort()
            return False
        if is_split and page is not None:
            await send_chunks(writer, page, body)
        else:
            writer.write(body)
        await writer.drain()
        return True


async def send_chunks(writer: asyncio.StreamWriter, page: Page, body: bytes) -> None:
    size = page.chunk_bytes or len(body) or 1
    for at in range(0, len(body), size):
        part = body[at : at + size]
        writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        await writer.drain()
        await asyncio.sleep(0)
    if page.never_ends:
        await asyncio.Event().wait()
    writer.write(b"0\r\n\r\n")


def validators(page: Page) -> dict[str, str]:
    found = {"ETag": page.etag} if page.etag else {}
    if page.modified:
        found["Last-Modified"] = format_datetime(page.modified, usegmt=True)
    return found


def is_fresh(page: Page, headers: dict[str, str]) -> bool:
    """Apply the conditions of a request; an entity tag goes before a date (RFC 9110, 13.2.2)."""
    if page.status != HTTPStatus.OK:
        return False
    if "if-none-match" in headers:
        return bool(page.etag) and page.etag in headers["if-none-match"]
    since = headers.get("if-modified-since")
    return bool(page.modified and since) and since == format_datetime(page.modified or datetime.now(UTC), usegmt=True)


DEMO = (
    ("Incendie dans un entrepôt du port, un panache de fumée visible de loin", "Les secours sont sur place."),
    ("La Seine monte encore à Rouen, les quais bas fermés", "Le pic est attendu cette nuit."),
    ("Fort dégagement d'odeur dans la zone industrielle", "L'exploitant indique vérifier ses installations."),
    ("Le marché de Noël ouvre samedi", "Une centaine d'exposants sont annoncés."),
    ("Coupure de courant dans trois quartiers du Havre", "Le rétablissement est prévu dans la soirée."),
    ("Arbres tombés sur la départementale, circulation coupée", "Une déviation est en place."),
)


async def serve_demo(port: int) -> None:
    """Serve a feed of invented news at /rss.xml for ever, a new one every second."""
    publisher = Publisher({"/rss.xml": Page(rss([]))})
    publisher.port = port
    items: list[Item] = []
    async with publisher.running():
        number = 0
        while True:
            title, summary = DEMO[number % len(DEMO)]
            number += 1
            items.append(Item(f"demo-{number}", f"{title} ({number})", datetime.now(UTC), summary))
            del items[:-40]
            publisher.pages["/rss.xml"].body = rss(items)
            del publisher.asked[:], publisher.statuses[:]
            await asyncio.sleep(1)


def numbered(first: int, last: int, since: datetime) -> list[Item]:
    """Return items by number, a minute apart."""
    return [
        Item(f"n-{number}", f"Nouvelle numéro {number}", since + timedelta(minutes=number))
        for number in range(first, last + 1)
    ]

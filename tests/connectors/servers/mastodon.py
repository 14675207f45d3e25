"""A Mastodon instance on the loopback: its streams over server-sent events, its timelines, and faults on demand.

Written after streaming/{index,errors}.js, lib/mastodon/snowflake.rb, app/models/concerns/paginable.rb and
config/initializers/rack_attack.rb of https://github.com/mastodon/mastodon, and content/en/methods/{streaming,timelines,
instance}.md and content/en/entities/*.md of https://github.com/mastodon/documentation. What it cannot prove: real
volumes, real rate limits, what a proxy in between does to a stream, how late posts of other instances come, and the
fields of forks.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "local-token"
GREETING, THUMP = b":)\n", b":thump\n"
MOST = 40
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Query = dict[str, list[str]]


def id_at(moment: datetime, sequence: int = 1) -> str:
    return str((((moment - EPOCH) // timedelta(milliseconds=1)) << 16) | sequence)


def account_of(username: str, host: str = "", **more: Any) -> dict[str, Any]:
    """Return an account with all that an instance tells of it."""
    home = host or "bassin.example"
    return {
        "id": str(100_000 + sum(username.encode())),
        "username": username,
        "acct": f"{username}@{host}" if host else username,
        "display_name": f"Nom de {username}",
        "locked": False,
        "bot": False,
        "discoverable": True,
        "indexable": True,
        "group": False,
        "created_at": "2022-11-01T00:00:00.000Z",
        "note": f"<p>profil de {username}</p>",
        "url": f"https://{home}/@{username}",
        "uri": f"https://{home}/users/{username}",
        "avatar": f"https://{home}/avatars/{username}.png",
        "followers_count": 12,
        "fields": [{"name": "site", "value": f"https://{username}.example", "verified_at": None}],
        **more,
    }


def status_of(status_id: str, content: str, account: dict[str, Any], moment: datetime, **more: Any) -> dict[str, Any]:
    """Return a status with all that an instance tells of it."""
    return {
        "id": status_id,
        "created_at": moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "in_reply_to_id": None,
        "in_reply_to_account_id": None,
        "sensitive": False,
        "spoiler_text": "",
        "visibility": "public",
        "language": "fr",
        "uri": f"{account['uri']}/statuses/{status_id}",
        "url": f"{account['url']}/{status_id}",
        "replies_count": 0,
        "reblogs_count": 0,
        "favourites_count": 0,
        "edited_at": None,
        "content": f"<p>{content}</p>",
        "reblog": None,
        "account": account,
        "media_attachments": [],
        "mentions": [],
        "tags": [],
        "emojis": [],
        "card": None,
        "poll": None,
        "filtered": [],
        **more,
    }


def event(name: str, payload: object) -> bytes:
    """Return an event as the streaming server writes it."""
    data = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\ndata: {data}\n\n".encode()


@dataclass
class Refusal:
    """One answer that is refused."""

    path: str  # what the address begins with
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    left: int = 1


@dataclass(eq=False)
class Listener:
    """One open stream."""

    channel: str
    frames: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)


class Mastodon:
    """The instance, its listeners, and what is to go wrong next."""

    def __init__(self, script: Iterable[bytes] = ()) -> None:
        self.script = list(script)  # frames that every listener gets first
        self.statuses: dict[int, dict[str, Any]] = {}
        self.listeners: list[Listener] = []
        self.requests: list[tuple[str, Query]] = []
        self.agents: list[str] = []
        self.refusals: list[Refusal] = []
        self.abort_after: int | None = None  # frames until the connection is torn, once
        self.close_after: int | None = None  # frames until the stream is ended in good order, once
        self.chunk_bytes: int | None = None  # frames are sent in pieces of so many bytes
        self.copies = 1  # how often each frame is sent
        self.spoilt: set[str] = set()  # ids whose JSON is cut short, wherever they are told
        self.floor = 0  # statuses below are gone, and nobody is told
        self.is_silent = False
        self.content_type = "text/event-stream"
        self.has_instance = True
        self.streaming_url: str | None = None  # None: not told
        self.date: datetime | None = None  # None: no Date header
        self.during_page: list[Any] = []  # called before the next pages are answered
        self.port = 0
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Mastodon"]:
        server = await asyncio.start_server(self._handle, "127.0.0.1", self.port)
        self.port = int(server.sockets[0].getsockname()[1])
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()
            for task in self._connections:
                task.cancel()
            if self._connections:
                await asyncio.wait(self._connections)

    def publish(self, status: dict[str, Any], *, is_told: bool = True) -> None:
        """Take a status in, and tell those who listen."""
        self.statuses[int(status["id"])] = status
        if is_told:
            self._tell("update", status)

    def edit(self, status_id: str, **changes: Any) -> None:
        status = {**self.statuses[int(status_id)], **changes}
        self.statuses[int(status_id)] = status
        self._tell("status.update", status)

    def delete(self, status_id: str) -> None:
        """Remove a status; those who listen are told its id and nothing else."""
        gone = self.statuses.pop(int(status_id))
        for listener in self.listeners:
            if belongs(gone, listener.channel):
                listener.frames.put_nowait(event("delete", status_id))

    def thump(self) -> None:
        for listener in self.listeners:
            listener.frames.put_nowait(THUMP)

    def send(self, frame: bytes) -> None:
        """Send bytes as they are."""
        for listener in self.listeners:
            listener.frames.put_nowait(frame)

    def _tell(self, name: str, status: dict[str, Any]) -> None:
        for listener in self.listeners:
            if belongs(status, listener.channel):
                listener.frames.put_nowait(self._spoilt(event(name, status), status))

    def _spoilt(self, frame: bytes, status: dict[str, Any]) -> bytes:
        return frame[:-30] + b"\n\n" if status["id"] in self.spoilt else frame

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):  # cancelled: we stop
            while await self._answer(reader, writer):
                pass
        self._connections.discard(task)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; tell whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        request, *lines = head.split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        parts = urlsplit(request.split(" ")[1])
        query = parse_qs(parts.query)
        self.requests.append((parts.path, query))
        self.agents.append(headers.get("user-agent", ""))
        refusal = next((one for one in self.refusals if one.left and parts.path.startswith(one.path)), None)
        if refusal:
            refusal.left -= 1
            return await self._json(writer, refusal.status, {"error": "as told"}, refusal.headers)
        if parts.path == "/api/v2/instance":
            return await self._describe(writer)
        if parts.path == "/api/v1/streaming/health":
            return await self._json(writer, 200, "OK")
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return await self._json(writer, 401, {"error": "The access token is invalid"})
        if parts.path.startswith("/api/v1/streaming/"):
            return await self._stream(writer, parts.path.removeprefix("/api/v1/streaming/"), query)
        return await self._timeline(writer, parts.path.removeprefix("/api/v1/timelines/"), query)

    async def _describe(self, writer: asyncio.StreamWriter) -> bool:
        if not self.has_instance:
            return await self._json(writer, 404, {"error": "Not found"})
        urls = {"streaming": self.streaming_url} if self.streaming_url else {}
        told = {"domain": "bassin.example", "version": "4.5.0", "configuration": {"urls": urls}}
        return await self._json(writer, 200, told)

    async def _timeline(self, writer: asyncio.StreamWriter, path: str, query: Query) -> bool:
        if self.during_page:
            self.during_page.pop(0)()
        channel = channel_of_timeline(path, query)
        if channel is None:
            return await self._json(writer, 404, {"error": "Record not found"})
        page = self._page(channel, query)
        statuses = ",".join(self._told(status) for status in page)
        return await self._body(writer, 200, f"[{statuses}]".encode(), {"Content-Type": "application/json"})

    def _told(self, status: dict[str, Any]) -> str:
        text = json.dumps(status, ensure_ascii=False)
        return text.replace('"account": {', '"account": 7, "x": {', 1) if status["id"] in self.spoilt else text

    def _page(self, channel: str, query: Query) -> list[dict[str, Any]]:
        """Return a page, newest first: the oldest after min_id, or the newest below max_id."""
        limit = min(int(query.get("limit", ["20"])[0]), MOST)
        above = max(int(query.get(name, ["0"])[0]) for name in ("min_id", "since_id"))
        below = int(query.get("max_id", [str(1 << 64)])[0])
        ids = sorted(
            number
            for number, status in self.statuses.items()
            if max(above, self.floor - 1) < number < below and belongs(status, channel)
        )
        chosen = ids[:limit] if "min_id" in query else ids[-limit:]
        return [self.statuses[number] for number in reversed(chosen)]

    async def _stream(self, writer: asyncio.StreamWriter, path: str, query: Query) -> bool:
        channel = channel_of_stream(path, query)
        if channel is None:
            return await self._json(writer, 400, {"error": "Unknown channel requested"})
        await self._head(writer, 200, {"Content-Type": self.content_type, "Cache-Control": "no-store"})
        listener = Listener(channel)
        self.listeners.append(listener)
        try:
            if not self.is_silent:
                await self._write(writer, GREETING)
            for frame in self.script:
                await self._write(writer, frame)
            await self._feed(writer, listener)
        finally:
            self.listeners.remove(listener)
        return False

    async def _feed(self, writer: asyncio.StreamWriter, listener: Listener) -> None:
        while True:
            if self.abort_after == 0:
                self.abort_after = None
                writer.transport.abort()
                return
            if self.close_after == 0:
                self.close_after = None
                break
            frame = await listener.frames.get()
            for _ in range(self.copies):
                await self._write(writer, frame)
            if frame.startswith(b"event"):
                self.abort_after = self.abort_after and self.abort_after - 1
                self.close_after = self.close_after and self.close_after - 1
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _write(self, writer: asyncio.StreamWriter, frame: bytes) -> None:
        size = self.chunk_bytes or len(frame)
        for at in range(0, len(frame), size):
            piece = frame[at : at + size]
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
            if self.chunk_bytes:
                await asyncio.sleep(0)

    async def _json(
        self, writer: asyncio.StreamWriter, status: int, told: object, headers: dict[str, str] | None = None
    ) -> bool:
        body = json.dumps(told).encode()
        return await self._body(writer, status, body, {"Content-Type": "application/json", **(headers or {})})

    async def _body(self, writer: asyncio.StreamWriter, status: int, body: bytes, headers: dict[str, str]) -> bool:
        await self._head(writer, status, {**headers, "Content-Length": str(len(body))})
        writer.write(body)
        await writer.drain()
        return True

    async def _head(self, writer: asyncio.StreamWriter, status: int, headers: dict[str, str]) -> None:
        told = dict(headers)
        if self.date:
            told["Date"] = self.date.strftime("%a, %d %b %Y %H:%M:%S GMT")
        if "Content-Length" not in told:
            told["Transfer-Encoding"] = "chunked"
        lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        writer.write(f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{lines}\r\n".encode())
        await writer.drain()


def channel_of_stream(path: str, query: Query) -> str | None:
    if path in ("public", "public/local", "public/remote", "user"):
        return path.replace("/", ":")
    if path in ("hashtag", "hashtag/local") and "tag" in query:
        return f"{path.replace('/', ':')} {query['tag'][0].lower()}"
    if path == "list" and "list" in query:
        return f"list {query['list'][0]}"
    return None


def channel_of_timeline(path: str, query: Query) -> str | None:
    kind, _, rest = path.partition("/")
    scope = next((f":{name}" for name in ("local", "remote") if query.get(name) == ["true"]), "")
    if kind == "public":
        return f"public{scope}"
    if kind == "tag":
        return f"hashtag{scope} {unquote(rest).lower()}"
    if kind == "list":
        return f"list {rest}"
    return "user" if kind == "home" else None


def belongs(status: dict[str, Any], channel: str) -> bool:
    """Tell whether a status is told on a channel; replies and boosts are on no public timeline."""
    kind, _, rest = channel.partition(" ")
    if kind in ("user", "list"):
        return True
    if status["visibility"] != "public" or status["reblog"]:
        return False
    is_local = "@" not in status["account"]["acct"]
    if kind.endswith((":local", ":remote")) and is_local != kind.endswith(":local"):
        return False
    if kind.startswith("hashtag"):
        return rest in {tag["name"] for tag in status["tags"]}
    return not status["in_reply_to_id"]


DEMO = (
    "De la fumée noire au-dessus de la zone industrielle, ça sent le caoutchouc brûlé",
    "Belle lumière sur le port ce soir",
    "L'eau monte sur le quai, la rue est déjà coupée",
    "Quelqu'un sait pourquoi les sirènes sonnent ?",
    "Le marché est ouvert jusqu'à midi",
    "Grosse odeur de gaz près de la gare, les pompiers arrivent",
)


async def serve_demo(port: int) -> None:
    """Serve invented posts for ever, one a second; every sixth is edited and every tenth removed."""
    server = Mastodon()
    server.port = port
    tags = [{"name": name, "url": f"https://bassin.example/tags/{name}"} for name in ("lehavre", "rouen")]
    async with server.running():
        number = 0
        while True:
            now = datetime.now(UTC)
            writer = account_of(f"voisine{number % 7}", indexable=number % 5 != 0)
            status = status_of(id_at(now), DEMO[number % len(DEMO)], writer, now, tags=tags)
            server.publish(status)
            if number % 6 == 5:
                edited = (now + timedelta(milliseconds=1)).isoformat()
                server.edit(status["id"], content=f"{status['content']}<p>(corrigé)</p>", edited_at=edited)
            if number % 10 == 9:
                server.delete(status["id"])
            while len(server.statuses) > 500:
                server.statuses.pop(next(iter(server.statuses)))
            if number % 15 == 0:
                server.thump()
            number += 1
            await asyncio.sleep(1)

"""The X API v2 on the loopback, behind TLS: rules, filtered stream, recent search, and faults on demand.

Written after https://docs.x.com/x-api/posts/filtered-stream, /x-api/fundamentals/{consuming-streaming-data,
handling-disconnections,edit-posts}, the platform's OpenAPI (OperationalDisconnectProblem, ConnectionExceptionProblem,
InvalidRuleProblem, DuplicateRuleProblem, RulesResponseMetadata) and what tweepy 4.17 asks for. Its certificate is for
api.twitter.com, signed by an authority of its own; `connector` gives what finds and trusts it. What it cannot prove:
real rates, limits and prices, the syntax of rules, how late a post reaches the stream or the search, account review.
"""

import asyncio
import itertools
import json
import logging
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from socket import AF_INET, AddressFamily
from typing import Any

import aiohttp
import trustme
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

HOST = "api.twitter.com"
TOKEN = "local-bearer-token"
PROBLEMS = "https://api.twitter.com/2/problems"
DEFAULTS = {"id", "text", "edit_history_tweet_ids"}
TIME = "%Y-%m-%dT%H:%M:%SZ"
STREAM_PARAMETERS = {"tweet.fields", "expansions", "media.fields", "place.fields", "backfill_minutes"}
SEARCH_PARAMETERS = (STREAM_PARAMETERS - {"backfill_minutes"}) | {
    "query",
    "start_time",
    "end_time",
    "max_results",
    "next_token",
}
DISCONNECT = {
    "errors": [
        {
            "title": "operational-disconnect",
            "disconnect_type": "UpstreamOperationalDisconnect",
            "detail": "This stream has been disconnected upstream for operational reasons.",
            "type": f"{PROBLEMS}/operational-disconnect",
        }
    ]
}
TOO_MANY = {
    "title": "ConnectionException",
    "detail": "This stream is currently at the maximum allowed connection limit.",
    "connection_issue": "TooManyConnections",
    "type": f"{PROBLEMS}/streaming-connection",
}
UNAUTHORIZED = {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}


@cache
def authority() -> trustme.CA:
    """Return the authority that signs the server's certificate, one a process."""
    return trustme.CA()


@cache
def trust() -> ssl.SSLContext:
    """Return what trusts that authority, and no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority().configure_trust(context)
    return context


class Loopback(AbstractResolver):
    """Finds one name, on the loopback, and no other."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def resolve(self, host: str, port: int = 0, family: AddressFamily = AF_INET) -> list[ResolveResult]:
        if host != HOST:
            raise OSError(f"{host} is not asked for here")
        found = ResolveResult(hostname=host, host="127.0.0.1", port=self.port, family=AF_INET, proto=0, flags=0)
        return [found]

    async def close(self) -> None:
        return


class XApi:
    """The posts, the rules, who listens, and what is to go wrong next."""

    def __init__(self, lines: list[bytes] | None = None) -> None:
        self.lines = list(lines or ())  # as they go over the wire, whole: what was not asked for is taken out
        self.rules: dict[str, dict[str, str]] = {}
        self.port = 0
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.keep_alive_secs: float | None = 20.0  # None: never
        self.is_replayed = True  # a subscriber gets all; else what comes from now on, as at the platform
        self.at = 0  # how far the posts have been published, when not replayed
        self.passes_by = False  # what is published while nobody listens is never told, as at the platform
        self.max_connections = 1
        self.lost_at_a_tear = 0  # posts that pass while nobody is connected
        self.tears: list[int] = []  # lines after which the socket is torn, one a connection
        self.disconnect_after: int | None = None  # lines until an operational disconnect, once
        self.closes_at_once = False
        self.refusals: list[tuple[int, dict[str, str], bytes]] = []  # for the next openings of the stream
        self.rule_refusals: list[tuple[int, dict[str, str], bytes]] = []
        self.search_refusals: list[tuple[int, dict[str, str], bytes]] = []
        self.bad_rules: set[str] = set()
        self.piece_bytes: int | None = None  # a line goes out in pieces of so many bytes
        self.asked: list[tuple[str, str, dict[str, str]]] = []  # method, path, query
        self.bodies: list[dict[str, Any]] = []
        self.opened_at: list[datetime] = []
        self.sent = 0
        self.listening = 0
        self.news = asyncio.Event()
        self._rule_ids = itertools.count(1165037377523306497)

    def publish(self, *lines: bytes) -> None:
        """Add posts, which go to whoever listens."""
        self.lines.extend(lines)
        self.news.set()

    def connector(self, *, is_trusting: bool = True) -> aiohttp.TCPConnector:
        """Return what brings a client of api.twitter.com here."""
        return aiohttp.TCPConnector(resolver=Loopback(self.port), ssl=trust() if is_trusting else True)

    def asked_for(self, path: str, method: str = "GET") -> list[dict[str, str]]:
        """Return the queries of all requests for a path."""
        return [query for asked_method, asked, query in self.asked if (asked_method, asked) == (method, path)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator["XApi"]:
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/2/tweets/search/stream", self._stream)
        app.router.add_get("/2/tweets/search/stream/rules", self._list_rules)
        app.router.add_post("/2/tweets/search/stream/rules", self._change_rules)
        app.router.add_get("/2/tweets/search/recent", self._search)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority().issue_cert(HOST, "api.x.com").configure_cert(tls)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.05)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, ssl_context=tls)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append((request.method, request.path, dict(request.query)))
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response(UNAUTHORIZED, status=401)
        response: web.StreamResponse = await handler(request)
        return response

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        self.opened_at.append(self.now())
        if self.refusals:
            return refusal(*self.refusals.pop(0))
        if not set(request.query) <= STREAM_PARAMETERS:
            return invalid(f"unknown parameters {sorted(set(request.query) - STREAM_PARAMETERS)}")
        if self.listening >= self.max_connections:
            reset = int((self.now() + timedelta(seconds=90)).timestamp())
            headers = {"x-rate-limit-limit": "50", "x-rate-limit-remaining": "0", "x-rate-limit-reset": str(reset)}
            return web.json_response(TOO_MANY, status=429, headers=headers)
        response = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        if self.closes_at_once:
            return response
        self.listening += 1
        self.at = len(self.lines) if self.passes_by else self.at
        try:
            await self._send_lines(request, response)
        finally:
            self.listening -= 1
        return response

    async def _send_lines(self, request: web.Request, response: web.StreamResponse) -> None:
        """Send what there is, then wait for more; a keep-alive in between."""
        tear, at, lines = self.tears.pop(0) if self.tears else None, 0, 0
        while True:
            self.news.clear()
            at = at if self.is_replayed else self.at
            while at < len(self.lines):
                if self._is_torn(request, tear, lines):
                    return
                if self.disconnect_after == lines:
                    self.disconnect_after = None
                    await response.write(json.dumps(DISCONNECT).encode() + b"\r\n")
                    return
                line = self.lines[at]
                at, lines, self.sent = at + 1, lines + 1, self.sent + 1
                self.at = max(self.at, at)
                await self._write(response, shown(line, request.query) + b"\r\n")
            if self._is_torn(request, tear, lines):
                return
            if not await is_set_within(self.news, self.keep_alive_secs):
                await response.write(b"\r\n")

    def _is_torn(self, request: web.Request, tear: int | None, lines: int) -> bool:
        if tear is None or lines < tear or not request.transport:
            return False
        request.transport.abort()
        self.at = min(self.at + self.lost_at_a_tear, len(self.lines))
        return True

    async def _write(self, response: web.StreamResponse, line: bytes) -> None:
        step = self.piece_bytes or len(line)
        for at in range(0, len(line), step):
            await response.write(line[at : at + step])

    async def _list_rules(self, _: web.Request) -> web.Response:
        if self.rule_refusals:
            return refusal(*self.rule_refusals.pop(0))
        found = [{"id": rule_id, **rule} for rule_id, rule in self.rules.items()]
        answer: dict[str, Any] = {"meta": {"sent": self._sent_at(), "result_count": len(found)}}
        return web.json_response({"data": found, **answer} if found else answer)

    async def _change_rules(self, request: web.Request) -> web.Response:
        dry_run = request.query.get("dry_run", "false")
        if dry_run not in ("true", "false"):
            return invalid("dry_run is true or false")
        body = await request.json()
        self.bodies.append({"dry_run": dry_run == "true", **body})
        if "delete" in body:
            gone = [self.rules.pop(rule_id, None) for rule_id in body["delete"]["ids"] if dry_run == "false"]
            summary = {"deleted": len(gone), "not_deleted": 0}
            return web.json_response({"meta": {"sent": self._sent_at(), "summary": summary}})
        return self._add_rules(body["add"], is_tried=dry_run == "true")

    def _add_rules(self, rules: list[dict[str, str]], *, is_tried: bool) -> web.Response:
        made: list[dict[str, str]] = []
        errors: list[dict[str, Any]] = []
        for rule in rules:
            value, rule_id = rule["value"], str(next(self._rule_ids))
            twin = next((known for known, other in self.rules.items() if other["value"] == value), None)
            if value in self.bad_rules or len(value) > 1024:
                problem = {"title": "UnprocessableEntity", "type": f"{PROBLEMS}/invalid-rules"}
                errors.append({"value": value, "details": ["no viable alternative at input"], **problem})
            elif twin:
                problem = {"title": "DuplicateRule", "type": f"{PROBLEMS}/duplicate-rules"}
                errors.append({"value": value, "id": twin, **problem})
            else:
                made.append({**rule, "id": rule_id})
                if not is_tried:
                    self.rules[rule_id] = dict(rule)
        invalid_rules = sum(error["title"] == "UnprocessableEntity" for error in errors)
        summary = {
            "created": len(made),
            "not_created": len(errors),
            "valid": len(rules) - invalid_rules,
            "invalid": invalid_rules,
        }
        answer: dict[str, Any] = {"meta": {"sent": self._sent_at(), "summary": summary}}
        if made:
            answer["data"] = made
        if errors:
            answer["errors"] = errors
        return web.json_response(answer, status=400 if invalid_rules and not made else 201 if made else 200)

    async def _search(self, request: web.Request) -> web.Response:
        """Answer with a page, the newest first, of what was published and lies within the times asked for."""
        query = request.query
        if self.search_refusals:
            return refusal(*self.search_refusals.pop(0))
        if not set(query) <= SEARCH_PARAMETERS or not 0 < len(query.get("query", "")) <= 512:
            return invalid("unknown parameters, or no query of at most 512 characters")
        size = int(query.get("max_results", "10"))
        start, end = at_utc(query["start_time"]), at_utc(query["end_time"])
        if not 10 <= size <= 100 or start < self.now() - timedelta(days=7) or end > self.now() - timedelta(seconds=10):
            return invalid("max_results is 10 to 100; times lie within seven days and ten seconds from now")
        published = self.lines if self.is_replayed or self.passes_by else self.lines[: self.at]
        found = [line for line in reversed(published) if start <= written_at(line) < end]
        offset = int(query.get("next_token", "0"))
        page = [json.loads(shown(line, query)) for line in found[offset : offset + size]]
        meta: dict[str, Any] = {"result_count": len(page)}
        if offset + size < len(found):
            meta["next_token"] = str(offset + size)
        answer: dict[str, Any] = {"meta": meta}
        if page:
            answer["data"] = [one["data"] for one in page]
            for kind in ("media", "places"):
                shared = [item for one in page for item in one.get("includes", {}).get(kind, ())]
                if shared:
                    answer.setdefault("includes", {})[kind] = shared
        return web.json_response(answer)

    def _sent_at(self) -> str:
        return self.now().strftime("%Y-%m-%dT%H:%M:%S.000Z")


def at_utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@lru_cache(maxsize=1 << 15)
def written_at(line: bytes) -> datetime:
    return at_utc(json.loads(line)["data"]["created_at"])


async def is_set_within(news: asyncio.Event, seconds: float | None) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        return False
    return True


def shown(line: bytes, query: Any) -> bytes:
    """Return a line with what was asked for; one that is not JSON goes out as it is."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if not isinstance(told, dict) or not isinstance(told.get("data"), dict):
        return line
    fields = DEFAULTS | set(query.get("tweet.fields", "").split(","))
    told["data"] = {name: value for name, value in told["data"].items() if name in fields}
    includes = told.pop("includes", {})
    kept = {}
    if "attachments.media_keys" in query.get("expansions", "") and "media" in includes:
        kept["media"] = only(includes["media"], {"media_key", "type"}, query.get("media.fields", ""))
    if "geo.place_id" in query.get("expansions", "") and "places" in includes:
        kept["places"] = only(includes["places"], {"id", "full_name"}, query.get("place.fields", ""))
    if kept:
        told["includes"] = kept
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def only(found: list[dict[str, Any]], always: set[str], asked: str) -> list[dict[str, Any]]:
    fields = always | set(asked.split(","))
    return [{name: value for name, value in one.items() if name in fields} for one in found]


def refusal(status: int, headers: dict[str, str], body: bytes) -> web.Response:
    kind = "application/json" if body[:1] == b"{" else "text/html"
    return web.Response(status=status, headers={"Content-Type": kind, **headers}, body=body)


def invalid(detail: str) -> web.Response:
    problem = {"title": "Invalid Request", "detail": detail, "type": f"{PROBLEMS}/invalid-request"}
    return web.json_response({"errors": [{"message": detail}], **problem}, status=400)


DEMO = (
    "Grosse fumée noire au-dessus de la zone industrielle, on la voit depuis le pont",
    "Belle lumière sur le port ce matin",
    "Odeur d'œuf pourri dans tout le quartier de la gare, ça prend à la gorge",
    "La rue du Moulin est sous l'eau, les voitures sont bloquées",
    "Quelqu'un a-t-il entendu l'explosion vers les docks ?",
)


def demo_line(number: int, now: datetime) -> bytes:
    """Return an invented post."""
    post_id = str(1990000000000000000 + number)
    data = {
        "id": post_id,
        "text": DEMO[number % len(DEMO)],
        "created_at": now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "lang": "fr",
        "author_id": str(910000000000000100 + number % 7),
        "conversation_id": post_id,
        "edit_history_tweet_ids": [post_id],
    }
    rules = [{"id": "1165037377523306497", "tag": "vigie:demo"}]
    return json.dumps({"data": data, "matching_rules": rules}, ensure_ascii=False).encode()


async def serve_demo(port: int) -> None:
    """Serve invented posts for ever, one a second, to whoever shows the token `local-bearer-token`."""
    server = XApi()
    server.port, server.is_replayed = port, False
    pem = Path(tempfile.gettempdir()) / f"vigie-fake-x-{port}.pem"
    async with server.running():
        await asyncio.to_thread(pem.write_bytes, authority().cert_pem.bytes())
        logging.getLogger(__name__).warning("the authority of this server: %s", pem)
        for number in itertools.count():
            server.lines.clear()  # what was sent is not kept
            server.at = 0
            server.publish(demo_line(number, datetime.now(UTC)))
            await asyncio.sleep(1)

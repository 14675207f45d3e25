"""A Jetstream server, version 2, on the loopback: the real wire, a small archive, and faults on demand.

Written after lexicons/network/bsky/jetstream/subscribeEvents.json and internal/subscribe/{doc,handler,cursor}.go of
https://github.com/bluesky-social/jetstream. What it cannot prove: real volumes, real rate limits, undocumented fields.
"""

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import zstandard
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

SUBSCRIBE = "network.bsky.jetstream.subscribeEvents"
SUBPROTOCOL = Subprotocol("xrpc.v1.json")
FIRST_TIME_CURSOR = 10**15
LEGACY = {"wantedCollections", "wantedDids", "compress", "requireHello"}
KINDS = {"commit", "identity", "account", "sync"}
SENT_AHEAD_BYTES = 1 << 14  # who reads slowly holds us back
SAMPLES = 200  # payloads that a dictionary is made of
LAST_WORDS_SECS = 1.0  # a server that is stopped does not wait longer for who no longer reads


def micros(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1e6)


def trained_dictionary(samples: list[bytes], dict_id: int) -> zstandard.ZstdCompressionDict:
    many: list[bytes | bytearray | memoryview[int]] = [
        sample.replace(b"bafy", str(i).encode()) for i in range(60) for sample in samples
    ]
    return zstandard.train_dictionary(8192, many, k=64, d=8, dict_id=dict_id)


class Jetstream:
    """The archive, its subscribers, and what is to go wrong next."""

    def __init__(self, payloads: list[dict[str, Any]]) -> None:
        self.payloads = payloads
        self.floor = 0  # seqs below are gone
        self.abort_after: int | None = None  # frames until the socket is torn, once
        self.too_slow_after: int | None = None  # frames until an error frame, once
        self.refuse_with: tuple[int, str] | None = None
        self.corrupt: set[int] = set()  # seqs whose packed frame is damaged
        self.queries: list[dict[str, list[str]]] = []
        self.offered: list[str | None] = []
        self.has_dictionary = True
        self.live_from: int | None = 0  # where a subscriber without cursor starts; None for the tip
        self.news = asyncio.Event()
        self._frames: dict[tuple[int, bool], tuple[dict[str, Any], bytes]] = {}  # made once: by place and packing
        samples = [self._text(payload) for payload in payloads[:SAMPLES]]
        self.dictionary = trained_dictionary(samples, 20261122)
        self.port = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def publish(self, payload: dict[str, Any]) -> None:
        self.payloads.append(payload)
        self.news.set()

    def retrain(self) -> None:
        """Retire the dictionary that clients hold."""
        samples = [self._text(payload) for payload in self.payloads[:SAMPLES]]
        self.dictionary = trained_dictionary(samples, self.dictionary.dict_id() + 1)
        self._frames.clear()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Jetstream"]:
        async with serve(
            self._handle,
            "127.0.0.1",
            self.port,
            compression=None,
            close_timeout=LAST_WORDS_SECS,
            process_request=self._before,
            select_subprotocol=lambda _, offers: SUBPROTOCOL if SUBPROTOCOL in offers else None,
        ) as server:
            self.port = self._port_of(server)
            yield self

    def _port_of(self, server: Server) -> int:
        return int(next(iter(server.sockets)).getsockname()[1])

    def _before(self, _: ServerConnection, request: Request) -> Response | None:
        parts = urlsplit(request.path)
        query = parse_qs(parts.query)
        if parts.path == "/xrpc/network.bsky.jetstream.getZstdDictionary":
            return self._dictionary_response(query)
        if parts.path != f"/xrpc/{SUBSCRIBE}":
            return refused(404, "NotFound", parts.path)
        self.queries.append(query)
        self.offered.append(request.headers.get("Sec-WebSocket-Protocol"))
        return self._why_not(query)

    def _why_not(self, query: dict[str, list[str]]) -> Response | None:
        if self.refuse_with:
            status, name = self.refuse_with
            self.refuse_with = None
            return refused(status, name, "as told")
        if LEGACY & set(query) or not set(query.get("kinds", [])) <= KINDS:
            return refused(400, "InvalidRequest", "use kinds, dids, collections")
        dictionary = query.get("zstdDictionary", [""])[0]
        if dictionary and int(dictionary) != self.dictionary.dict_id():
            return refused(400, "UnknownZstdDictionary", f"current {self.dictionary.dict_id()}")
        cursor = int(query.get("cursor", ["-1"])[0])
        if 0 <= cursor < FIRST_TIME_CURSOR and cursor < self.floor:
            return refused(400, "CursorTooOld", f"below the floor {self.floor}")
        return None

    def _dictionary_response(self, query: dict[str, list[str]]) -> Response:
        current = self.dictionary.dict_id()
        if not self.has_dictionary or query.get("id", [str(current)]) != [str(current)]:
            return refused(404, "DictionaryNotFound", f"current {current}")
        body = self.dictionary.as_bytes()
        headers = Headers(
            {
                "Content-Type": "application/octet-stream",
                "X-Zstd-Dictionary-Id": str(current),
                "Content-Length": str(len(body)),
            }
        )
        return Response(200, "OK", headers, body)

    async def _handle(self, connection: ServerConnection) -> None:
        assert connection.request
        query = parse_qs(urlsplit(connection.request.path).query)
        connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENT_AHEAD_BYTES)
        try:
            await self._stream(connection, query)
        except ConnectionClosed:
            return

    async def _stream(self, connection: ServerConnection, query: dict[str, list[str]]) -> None:
        is_packed = "zstdDictionary" in query
        at, notice = self._start(query)
        if notice:
            await self._send(connection, {"$type": f"{SUBSCRIBE}#info", "name": notice}, is_packed=is_packed)
        frames = 0
        while True:
            self.news.clear()
            while at < len(self.payloads):
                payload = self.payloads[at]
                at += 1
                if not wants(query, payload):
                    continue
                if await self._is_ended(connection, frames, is_packed=is_packed):
                    return
                await connection.send(self._frame(at - 1, is_packed=is_packed), text=not is_packed)
                frames += 1
            if await is_closed_before(connection, self.news):
                return

    async def _is_ended(self, connection: ServerConnection, frames: int, *, is_packed: bool) -> bool:
        """End the connection when it is time for a fault, once."""
        if self.abort_after is not None and frames >= self.abort_after:
            self.abort_after = None
            connection.transport.abort()
            return True
        if self.too_slow_after is not None and frames >= self.too_slow_after:
            self.too_slow_after = None
            await self._send_error(connection, "ConsumerTooSlow", is_packed=is_packed)
            return True
        return False

    def _start(self, query: dict[str, list[str]]) -> tuple[int, str]:
        """Return the index to start at and the name of the notice, if one is due."""
        if "cursor" not in query:
            return self._live(), ""
        cursor = int(query["cursor"][0])
        held = [payload for payload in self.payloads if payload["seq"] >= self.floor]
        first = self.payloads.index(held[0]) if held else len(self.payloads)
        if cursor >= FIRST_TIME_CURSOR:
            at = next((i for i, p in enumerate(self.payloads) if micros(p["time"]) >= cursor), len(self.payloads))
            is_outdated = bool(held) and cursor < micros(held[0]["time"])
            return max(at, first), "OutdatedCursor" if is_outdated else ""
        if self.payloads and cursor > self.payloads[-1]["seq"] + 1:
            return len(self.payloads), "FutureCursor"
        at = next((i for i, p in enumerate(self.payloads) if p["seq"] >= cursor), len(self.payloads))
        return max(at, first), ""

    def _live(self) -> int:
        return self.live_from if self.live_from is not None else len(self.payloads)

    def _text(self, payload: dict[str, Any]) -> bytes:
        return json.dumps({"$type": "message", "payload": payload}, separators=(",", ":")).encode()

    def _frame(self, at: int, *, is_packed: bool) -> bytes:
        payload = self.payloads[at]
        known, frame = self._frames.get((at, is_packed), (None, b""))
        if known is not payload:
            text = self._text(payload)
            frame = self.packed(text) if is_packed else text
            self._frames[at, is_packed] = payload, frame
        if is_packed and payload.get("seq") in self.corrupt:
            return frame[:12] + bytes(byte ^ 0x5A for byte in frame[12:])
        return frame

    async def _send(self, connection: ServerConnection, payload: dict[str, Any], *, is_packed: bool) -> None:
        text = self._text(payload)
        await connection.send(self.packed(text) if is_packed else text, text=not is_packed)

    def packed(self, text: bytes) -> bytes:
        return zstandard.ZstdCompressor(level=1, dict_data=self.dictionary).compress(text)

    async def _send_error(self, connection: ServerConnection, name: str, *, is_packed: bool) -> None:
        text = json.dumps({"$type": "error", "error": name, "message": "reconnect"})
        await connection.send(self.packed(text.encode()) if is_packed else text)
        await connection.close(1008, name)


async def is_closed_before(connection: ServerConnection, news: asyncio.Event) -> bool:
    """Wait for news or for the subscriber to leave; tell whether it left."""
    closed = asyncio.create_task(connection.wait_closed())
    waiting = asyncio.create_task(news.wait())
    await asyncio.wait({closed, waiting}, return_when=asyncio.FIRST_COMPLETED)
    has_left = closed.done()
    for task in (closed, waiting):
        task.cancel()
    return has_left


def wants(query: dict[str, list[str]], payload: dict[str, Any]) -> bool:
    """Apply the three filters, each on its own; collections only concern commits."""
    kind = payload["$type"].rpartition("#")[2]
    if "kinds" in query and kind not in query["kinds"]:
        return False
    if "dids" in query and payload["did"] not in query["dids"]:
        return False
    return not ("collections" in query and kind == "commit" and payload["collection"] not in query["collections"])


def refused(status: int, name: str, message: str) -> Response:
    body = json.dumps({"error": name, "message": message}).encode()
    headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body))})
    return Response(status, HTTPStatus(status).phrase, headers, body)


DEMO = (
    "Grosse fumée noire au-dessus du port du Havre, ça sent le plastique brûlé",
    "Quelqu'un sait ce qui brûle vers la zone industrielle ? On voit les flammes d'ici",
    "Bonne journée à tous, il fait beau sur la plage",
    "L'eau monte rue de la République à Rouen, les caves sont inondées",
    "Concert ce soir au Magic Mirrors, il reste des places",
)


async def serve_demo(port: int) -> None:
    """Serve invented posts for ever, one a second."""
    server = Jetstream([demo_payload(number) for number in range(len(DEMO))])
    server.port = port
    async with server.running():
        for number in itertools.count(len(DEMO)):
            await asyncio.sleep(1.0)
            server.publish(demo_payload(number))


def demo_payload(number: int) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {
        "$type": f"{SUBSCRIBE}#commit",
        "seq": 1000 + number,
        "did": f"did:plc:demo{number % 7:020d}",
        "time": now,
        "witnessedAt": now,
        "rev": "3demo",
        "operation": "create",
        "collection": "app.bsky.feed.post",
        "rkey": f"3demo{number:06d}",
        "cid": f"bafyrei{number:06d}",
        "record": {
            "$type": "app.bsky.feed.post",
            "text": DEMO[number % len(DEMO)],
            "createdAt": now,
            "langs": ["fr"],
        },
    }

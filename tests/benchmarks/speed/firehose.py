"""Firehose: a Jetstream server that makes its posts up at a steady rate, and the cell's webhook at the other end.

Post number n has the same words each time and was said n / rate seconds after the first reader came; whoever comes back
with a cursor is given what he missed. So nothing is kept here, however long it runs.

Shape   a share of the posts passes the gate. Those are everyday posts with the words of a danger, but for a dozen each
        incident: one begins every ten minutes in the next of ten towns, and witnesses write of it
"""

import asyncio
import csv
import json
import random
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.typing import Subprotocol

from models.gate import Gate
from vigie.bench.load import CORPUS

SUBSCRIBE = "network.bsky.jetstream.subscribeEvents"
SUBPROTOCOL = Subprotocol("xrpc.v1.json")
FIRST_TIME_CURSOR = 10**15  # from here on a cursor is microseconds
TURN_SECS = 0.02
SEED = 20120130
AUTHORS = 5_000
NAMED_SHARE = 0.12  # of everyday posts that name a town, as in `vigie/scenarios/everyday.py`
TOWNS = ("Le Havre", "Rouen", "Lyon", "Nantes", "Lille", "Dunkerque", "Martigues", "Toulouse", "Dieppe", "Caen")
INCIDENT_SECS = 600.0
WITNESSES = 12  # an incident, one every 15 seconds
WITNESS_SECS = 15.0


class Words:
    """What is said: the words of post number n, the same each time."""

    def __init__(self, rate: float, pass_ratio: float, seed: int = SEED) -> None:
        passes = Gate.load()
        everyday = sorted({row["text"] for row in _rows("everyday")})
        self.harmless = [text for text in everyday if not passes(text)]
        self.suspicious = [text for text in everyday if passes(text)]
        self.witnesses = [row["text"] for row in _rows("train") if is_witness(row) and passes(row["text"])]
        self.rate, self.pass_ratio, self.seed = rate, pass_ratio, seed

    def post(self, number: int) -> tuple[str, str]:
        """Return author and text of a post."""
        chance = random.Random(self.seed * 1_000_003 + number)  # noqa: S311  a load, not a secret
        if (number + 1) * self.pass_ratio // 1 == number * self.pass_ratio // 1:
            return f"{chance.randrange(AUTHORS):x}", chance.choice(self.harmless)
        incident, since = divmod(number / self.rate, INCIDENT_SECS)
        turn = since / WITNESS_SECS
        if turn < WITNESSES and turn % 1 < self.secs_between / WITNESS_SECS:
            text = f"{chance.choice(self.witnesses)} {TOWNS[int(incident) % len(TOWNS)]}"
            return f"witness{number:x}", text
        text = chance.choice(self.suspicious)
        is_named = chance.random() < NAMED_SHARE
        return f"{chance.randrange(AUTHORS):x}", f"{text} {chance.choice(TOWNS)} {number:x}" if is_named else text

    @property
    def secs_between(self) -> float:
        """Return how long it is from one post that passes the gate to the next."""
        return 1.0 / (self.rate * self.pass_ratio)


def is_witness(row: dict[str, str]) -> bool:
    """Tell whether a text of the corpus says what its author sees happen now."""
    return row["witness"] == "1" and row["actuality"] == "now" and row["hazard"] in ("fire", "flood", "industrial")


def _rows(part: str) -> Iterator[dict[str, str]]:
    for path in sorted((CORPUS / part).glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


class Firehose:
    """The server: begins when the first reader comes, and ends after so many posts."""

    def __init__(self, words: Words, rate: float, posts: int) -> None:
        self.words, self.rate, self.posts = words, rate, posts
        self.port = 0
        self.began_at: datetime | None = None
        self._began = 0.0

    @property
    def made(self) -> int:
        """Return how many posts were made so far."""
        if self.began_at is None:
            return 0
        return min(self.posts, int((time.monotonic() - self._began) * self.rate))

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Firehose"]:
        """Serve on a port of the loopback."""
        async with serve(
            self._handle,
            "127.0.0.1",
            0,
            compression=None,
            close_timeout=1.0,
            process_request=self._before,
            select_subprotocol=lambda _, offers: SUBPROTOCOL if SUBPROTOCOL in offers else None,
        ) as server:
            self.port = int(next(iter(server.sockets)).getsockname()[1])
            yield self

    def _before(self, _: ServerConnection, request: Request) -> Response | None:
        if urlsplit(request.path).path == f"/xrpc/{SUBSCRIBE}":
            return None
        body = b'{"error":"DictionaryNotFound"}'  # frames go out unpacked
        return Response(404, HTTPStatus(404).phrase, Headers({"Content-Length": str(len(body))}), body)

    async def _handle(self, connection: ServerConnection) -> None:
        if self.began_at is None:
            self.began_at, self._began = datetime.now(UTC), time.monotonic()
        at = self._start(connection)
        with suppress(ConnectionClosed):
            while connection.state is State.OPEN:
                end = self.made
                for number in range(at, end):
                    await connection.send(self.frame(number))
                at = max(at, end)
                await asyncio.sleep(TURN_SECS)

    def _start(self, connection: ServerConnection) -> int:
        path = connection.request.path if connection.request else ""
        cursor = int(parse_qs(urlsplit(path).query).get("cursor", ["0"])[0])
        if cursor >= FIRST_TIME_CURSOR and self.began_at is not None:
            return max(0, int((cursor / 1e6 - self.began_at.timestamp()) * self.rate))
        return max(0, cursor - 1)

    def frame(self, number: int) -> str:
        """Return the frame of a post."""
        author, text = self.words.post(number)
        said_at = ((self.began_at or datetime.now(UTC)) + timedelta(seconds=number / self.rate)).isoformat()
        payload = {
            "$type": f"{SUBSCRIBE}#commit",
            "seq": number + 1,
            "did": f"did:plc:{author:0>24}",
            "time": said_at,
            "witnessedAt": said_at,
            "rev": "3soak",
            "operation": "create",
            "collection": "app.bsky.feed.post",
            "rkey": f"3soak{number:09d}",
            "cid": f"bafyrei{number:09d}",
            "record": {"$type": "app.bsky.feed.post", "text": text, "createdAt": said_at, "langs": ["fr"]},
        }
        return json.dumps({"$type": "message", "payload": payload}, separators=(",", ":"))


class Cell:
    """A webhook's receiver on the loopback: counts how often it is told of each revision."""

    def __init__(self) -> None:
        self.told: dict[tuple[str, int], int] = {}
        cell = self

        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body: Any = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if body["type"] != "digest":  # which whoever comes on duty gets beside
                    revision = body["data"]["incident_id"], body["data"]["revision"]
                    cell.told[revision] = cell.told.get(revision, 0) + 1
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=self.server.serve_forever, name="cell", daemon=True).start()

    @property
    def url(self) -> str:
        """Where it is told."""
        return f"http://127.0.0.1:{self.server.server_address[1]}/alerts"

    def close(self) -> None:
        """Be told no more."""
        self.server.shutdown()
        self.server.server_close()

"""Feeder: tells made-up posts over a source's real wire, as fast as they are taken; in a process and on a core apart.

Run     by `__main__.py`, with its `Plan` as JSON
Shape   everyday posts that the gate holds back, one in forty that it lets pass, one in fifty taken down again where the
        wire tells of that. No id and no text comes twice. A webhook's posts are signed and sent in requests of `batch`
"""

import csv
import http.client
import importlib.util
import io
import itertools
import json
import os
import random
import socketserver
import ssl
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import trustme
import zstandard
from standardwebhooks.webhooks import Webhook
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from models.gate import Gate
from models.posts_corpus import CORPUS, read_part

SERVERS = Path(__file__).resolve().parents[2] / "connectors" / "servers"
NOW = datetime.now(UTC)
ISO = NOW.isoformat(timespec="milliseconds").replace("+00:00", "Z")
MARK = "314159265358979323"
"""Stands in a pattern where the number of its post will stand: in its ids, and at the end of its text."""

PASSES_EVERY, GONE_EVERY = 40, 50
PATTERNS = 10_000
AT_ONCE = 200
"""Frames a write."""

SENDERS = 2
"""Connections of a webhook's sender."""


@cache
def server(name: str) -> ModuleType:
    """Return a local server of the tests, for the shape of what it tells."""
    spec = importlib.util.spec_from_file_location(f"servers_{name}", SERVERS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def texts() -> Iterator[str]:
    """Yield texts in a fixed order of chance, for ever."""
    gate, chance = Gate.load(), random.Random(1)  # noqa: S311  nobody is to be surprised
    posts = [post.text for part in ("everyday", "train") for post in read_part(CORPUS / part)]
    passing = [text for text in posts if gate(text)]
    held = [text for text in posts if not gate(text)]
    while True:
        for text in chance.sample(held, PASSES_EVERY - 1):
            yield f"{text} {MARK}"
        yield f"{chance.choice(passing)} {MARK}"


def packed(payload: object) -> bytes:
    """Return JSON without a blank too many."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def bluesky(number: int, text: str) -> bytes:
    """Return a frame: two in five answer, one in five shows a picture."""
    payload = server("jetstream").demo_payload(number) | {
        "seq": int(MARK),
        "did": f"did:plc:{number:024d}",
        "rkey": f"3m{MARK}",
        "cid": f"bafyrei{number:052d}",
    }
    if number % GONE_EVERY == 0:
        del payload["record"], payload["cid"]
        return packed({"$type": "message", "payload": payload | {"operation": "delete"}})
    record = payload["record"] | {"text": text, "langs": ["fr"] if number % 3 else ["en", "fr"]}
    if number % 5 < 2:
        above = {"cid": f"bafyrei{number:052d}", "uri": f"at://did:plc:{number + 1:024d}/app.bsky.feed.post/3l{MARK}"}
        record["reply"] = {"root": above, "parent": above}
    if number % 5 == 2:
        image = {"$type": "blob", "ref": {"$link": f"bafkrei{number:052d}"}, "mimeType": "image/jpeg", "size": 764_321}
        picture = {"alt": text[:40], "aspectRatio": {"height": 1500, "width": 2000}, "image": image}
        record["embed"] = {"$type": "app.bsky.embed.images", "images": [picture]}
    return packed({"$type": "message", "payload": payload | {"record": record}})


MENTION = (
    '<span class="h-card" translate="no"><a href="https://foret.example/@amie" class="u-url mention">@<span>amie</span>'
    "</a></span>"
)
HASHTAG = (
    '<a href="https://bassin.example/tags/lecture" class="mention hashtag" rel="tag">#<span>lecture</span></a> '
    '<a href="https://bassin.example/tags/musique" class="mention hashtag" rel="tag">#<span>musique</span></a>'
)
LINK = (
    '<a href="https://www.presse.example/2026/11/22/a-la-une" target="_blank" rel="nofollow noopener"><span '
    'class="invisible">https://www.</span><span class="ellipsis">presse.example/2026/11</span><span class="invisible">'
    "/22/a-la-une</span></a>"
)


def mastodon(number: int, text: str) -> bytes:
    """Return an event in two pieces, as the streaming server writes it: half have a hashtag, some a name or a link."""
    module = server("mastodon")
    if number % GONE_EVERY == 0:
        return b"event: delete\n\0data: %b\n\n" % MARK.encode()
    writer = module.account_of(f"voisine{number}", "" if number % 2 else "foret.example")
    more: dict[str, Any] = {"in_reply_to_id": MARK} if number % 5 < 2 else {}
    if number % 4 == 0:
        name = {"id": "77", "username": "amie", "url": "https://foret.example/@amie", "acct": "amie@foret.example"}
        more["mentions"] = [name]
        text = f"{MENTION} {text}"
    if number % 2 == 0:
        text = f"{text}</p><p>{HASHTAG}"
    if number % 5 == 1:
        text = f"{text}<br />{LINK}"
    if number % 5 == 2:
        more["media_attachments"] = [{"id": MARK, "type": "image", "url": "https://m.example/1", "description": "vue"}]
    told: bytes = module.event("update", module.status_of(MARK, text, writer, NOW, **more))
    return told.replace(b"\n", b"\n\0", 1)


def x(number: int, text: str) -> bytes:
    """Return a line: two in five answer, one in five shows a picture."""
    told = json.loads(server("x").demo_line(number, NOW))
    told["data"] |= {"id": MARK, "text": text, "conversation_id": MARK, "edit_history_tweet_ids": [MARK]}
    told["data"]["author_id"] = str(910_000_000_000_000_000 + number)
    if number % 5 < 2:
        told["data"] |= {"referenced_tweets": [{"type": "replied_to", "id": str(1_980_000_000_000_000_000 + number)}]}
    if number % 5 == 2:
        told["data"]["attachments"] = {"media_keys": [f"3_{MARK}"]}
        told["includes"] = {"media": [{"media_key": f"3_{MARK}", "type": "photo", "alt_text": text[:40]}]}
    return packed(told) + b"\r\n"


def facebook(number: int, text: str) -> bytes:
    """Return a change: three in four are comments."""
    page = PLAN["page_id"]
    thing = {"id": f"501_{MARK}", "from": {"id": str(2000 + number), "name": f"Habitante {number}"}, "message": text}
    thing["created_time"] = server("facebook").time_of(NOW.timestamp())
    post_id = f"{page}_501" if number % 4 else ""
    thing["id"] = f"501_{MARK}" if post_id else f"{page}_{MARK}"
    told = server("facebook").told_of(thing, post_id=post_id, verb="add" if number % GONE_EVERY else "remove")
    change: bytes = server("facebook").written_out({"field": "feed", "value": told})
    return change


def plain(number: int, text: str) -> dict[str, str]:
    """Return a plain post."""
    link = f"https://place.example/{MARK}"
    return {"id": MARK, "source": "place", "author": f"a{number}", "ts": ISO, "text": text, "lang": "fr", "url": link}


def webhook(number: int, text: str) -> bytes:
    """Return a plain post as JSON."""
    return packed(plain(number, text))


def jsonl(number: int, text: str) -> bytes:
    """Return a plain post as a line."""
    return webhook(number, text) + b"\n"


def table(number: int, text: str) -> bytes:
    """Return a plain post as a row; one in ten spans two lines."""
    row = io.StringIO()
    csv.writer(row, lineterminator="\n").writerow(plain(number, text if number % 10 else f"{text}\nvoilà").values())
    return row.getvalue().encode()


Pattern = Callable[[int, str], bytes]


class Posts:
    """Made-up posts in a source's shape, each given out once, to whichever connection asks."""

    def __init__(self, pattern: Pattern, *, first: int) -> None:
        self._patterns = [pattern(number, text) for number, text in enumerate(itertools.islice(texts(), PATTERNS))]
        self._first = first
        self._given = 0
        self._lock = threading.Lock()

    def take(self, most: int) -> list[bytes]:
        """Return the next posts, none after the last."""
        with self._lock:
            begin, self._given = self._given, min(self._given + most, PLAN["posts"])
            end = self._given
        mark, first, patterns = MARK.encode(), self._first, self._patterns
        return [patterns[at % PATTERNS].replace(mark, b"%d" % (first + at)) for at in range(begin, end)]

    def samples(self) -> list[bytes]:
        """Return posts that are not given out."""
        return [one.replace(MARK.encode(), b"%d" % at) for at, one in enumerate(self._patterns[:2000])]


def chunk(piece: bytes) -> bytes:
    """Return a piece of a body as HTTP sends it."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def say_ready() -> None:
    """Tell that the feeding may begin."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def feed_websocket(posts: Posts) -> None:
    """Serve a Jetstream: packed frames, and the dictionary to unpack them."""
    sent = server("jetstream")
    dictionary = zstandard.train_dictionary(64 << 10, list(posts.samples()), k=256, d=8, dict_id=20261122)
    dictionary.precompute_compress(level=1)
    packer = zstandard.ZstdCompressor(level=1, dict_data=dictionary)

    def before(_: ServerConnection, request: Request) -> Response | None:
        if "getZstdDictionary" not in urlsplit(request.path).path:
            return None
        body = dictionary.as_bytes()
        return Response(200, "OK", Headers({"Content-Length": str(len(body))}), body)

    def frame(value: bytes) -> bytes:
        small = packer.compress(value)
        size = len(small)
        head = b"\x82%c" % size if size < 126 else b"\x82\x7e" + size.to_bytes(2, "big")
        return head + small

    def feed(connection: ServerConnection) -> None:
        while some := posts.take(AT_ONCE):
            written = b"".join(map(frame, some))
            with connection.protocol_mutex:  # the library's own send frames one at a time; it answers the pings
                connection.socket.sendall(written)
        with suppress(ConnectionClosed):  # until the other side leaves
            connection.recv()

    with serve(
        feed,
        "127.0.0.1",
        PLAN["port"],
        compression=None,
        process_request=before,
        subprotocols=[sent.SUBPROTOCOL],
        ping_interval=None,
    ) as serving:
        say_ready()
        serving.serve_forever()


class Streamed(socketserver.StreamRequestHandler):
    """Answers what is asked before a stream, then streams to the end."""

    posts: Posts
    answers: dict[str, object]
    stream: str
    kind: str

    def handle(self) -> None:
        while request := self.rfile.readline():
            while self.rfile.readline().strip():
                pass
            path = urlsplit(request.split()[1].decode()).path
            if path == self.stream:
                return self._feed()
            body = packed(self.answers[path])
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            )
            self.wfile.write(body)
        return None

    def _feed(self) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {self.kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.wfile.write(head.encode())
        while some := self.posts.take(AT_ONCE):
            self.wfile.write(b"".join(chunk(piece) for one in some for piece in one.split(b"\0")))
        self.rfile.read()  # until the other side leaves


class Serving(socketserver.ThreadingTCPServer):
    """A server of streams, behind TLS where there is a context."""

    allow_reuse_address = daemon_threads = True
    tls: ssl.SSLContext | None = None

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        return (self.tls.wrap_socket(connection, server_side=True) if self.tls else connection), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The other side has what it wanted and left."""


def feed_http(posts: Posts, *, stream: str, answers: dict[str, object], kind: str, is_tls: bool) -> None:
    """Serve a stream over HTTP, in chunks."""
    told = {"posts": posts, "stream": stream, "answers": answers, "kind": kind}
    with Serving(("127.0.0.1", PLAN["port"]), type("Told", (Streamed,), told)) as serving:
        if is_tls:
            authority = trustme.CA()
            serving.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(server("x").HOST).configure_cert(serving.tls)
            authority.cert_pem.write_to_path(f"{PLAN['folder']}/authority.pem")
        say_ready()
        serving.serve_forever()


def signed_notice(number: int, changes: Iterable[bytes]) -> tuple[bytes, dict[str, str]]:
    """Return a request of Facebook's."""
    entry = b'{"id":"%b","time":%d,"changes":[%b]}' % (PLAN["page_id"].encode(), NOW.timestamp(), b",".join(changes))
    body = b'{"object":"page","entry":[%b]}' % entry
    headers: dict[str, str] = server("facebook").signed(body, PLAN["secret"])
    return body, headers


def signed_list(number: int, values: Iterable[bytes]) -> tuple[bytes, dict[str, str]]:
    """Return a request of a sender of plain posts."""
    body, sent_at, name = b"[%b]" % b",".join(values), datetime.now(UTC), f"m{number}"
    signature = Webhook(PLAN["secret"]).sign(name, sent_at, body.decode())
    stamp = str(int(sent_at.timestamp()))
    return body, {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": signature}


def send_all(
    posts: Posts, *, path: str, signed: Callable[[int, Iterable[bytes]], tuple[bytes, dict[str, str]]]
) -> None:
    """Send requests over a few connections that stay open, each as soon as the one before is answered."""
    numbers = itertools.count()

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", PLAN["port"], timeout=60)
        while some := posts.take(PLAN["batch"]):
            body, headers = signed(next(numbers), some)
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            told = answer.read()
            if answer.status not in (200, 202):
                raise RuntimeError(f"refused: {answer.status} {told[:200]!r}")

    say_ready()
    sys.stdin.readline()
    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def write_file(posts: Posts, *, name: str, header: bytes = b"") -> None:
    """Write a recording."""
    with Path(PLAN["folder"], name).open("wb") as file:
        file.write(header)
        while some := posts.take(AT_ONCE):
            file.writelines(some)
    say_ready()


RULES = {"data": [{"id": "1165037377523306497", "tag": "vigie:bench", "value": "lang:fr"}], "meta": {}}
HEADER = b"id,source,author,ts,text,lang,url\n"
FEEDERS: dict[str, tuple[Pattern, int, Callable[[Posts], None]]] = {
    "bluesky": (bluesky, 10**12, feed_websocket),
    "mastodon": (
        mastodon,
        int(NOW.timestamp() * 1000) << 16,
        partial(
            feed_http,
            stream="/api/v1/streaming/public",
            answers={"/api/v2/instance": {"domain": "bassin.example", "configuration": {"urls": {}}}},
            kind="text/event-stream",
            is_tls=False,
        ),
    ),
    "x": (
        x,
        1_990_000_000_000_000_000,
        partial(
            feed_http,
            stream="/2/tweets/search/stream",
            answers={"/2/tweets/search/stream/rules": RULES},
            kind="application/json; charset=utf-8",
            is_tls=True,
        ),
    ),
    "facebook": (facebook, 10**12, partial(send_all, path="/facebook", signed=signed_notice)),
    "webhook": (webhook, 10**12, partial(send_all, path="/ingest/webhook", signed=signed_list)),
    "jsonl": (jsonl, 10**12, partial(write_file, name="posts.jsonl")),
    "csv": (table, 10**12, partial(write_file, name="posts.csv", header=HEADER)),
}
"""By wire: the shape of a post, the number of the first one, and what feeds them."""

if __name__ == "__main__":
    PLAN: dict[str, Any] = json.loads(sys.argv[1])
    os.sched_setaffinity(0, {PLAN["feeder_core"]})
    shape, first_number, feed = FEEDERS[PLAN["wire"]]
    feed(Posts(shape, first=first_number))

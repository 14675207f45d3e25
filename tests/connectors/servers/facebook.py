"""Facebook on the loopback: the Graph API of one Page, and the sender of its webhook, with faults on demand.

Written after https://developers.facebook.com/docs/graph-api (reference/page/feed, reference/object/comments, results,
guides/error-handling, overview/rate-limiting, webhooks/getting-started), version 27.0, the classes of
facebook/facebook-python-business-sdk, and the webhook samples of restfb/restfb (src/test/resources/json/webhooks).
What it cannot prove: real rate limits, app review, which fields Facebook leaves out for a Page's token, how late or in
which order its webhook really comes, whether `since` counts the writing or the last change, and how tags are counted.
"""

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

VERSION = "v27.0"
MAX_LIMIT = 100
STATUS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 500: "Internal Server Error"}
Answer = tuple[int, dict[str, str], bytes]


class Graph:
    """One Page, what stands on it, and what is to go wrong next."""

    def __init__(self, page_id: str, posts: list[dict[str, Any]], comments: dict[str, list[dict[str, Any]]]) -> None:
        self.page_id = page_id
        self.posts = posts
        self.comments = comments
        self.token = "page-token"
        self.app_secret = ""  # a proof is asked for where there is one
        self.page_size = MAX_LIMIT  # fewer than asked for, as Facebook may give
        self.pages_by_time = False  # a listing goes on by `until`, not by a cursor
        self.is_split = False  # an answer comes in pieces of a few bytes
        self.abort_after: set[int] = set()  # numbers of the requests whose answer is torn in the middle
        self.refusals: list[Answer] = []  # the next answers
        self.garbled = 0  # so many answers that are no JSON
        self.gone: set[str] = set()  # posts that are listed but not there any more
        self.raw: dict[str, Any] = {}  # by id: what stands in a listing in place of a thing
        self.requests: list[tuple[str, dict[str, str], dict[str, str]]] = []  # path, query, headers
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{VERSION}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Graph"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            await self._send(writer, self._answer(head))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _send(self, writer: asyncio.StreamWriter, answer: Answer) -> None:
        status, headers, body = answer
        lines = [f"HTTP/1.1 {status} {STATUS.get(status, '')}", "Content-Type: application/json; charset=UTF-8"]
        lines += ["Connection: close", *(f"{name}: {value}" for name, value in headers.items())]
        if len(self.requests) in self.abort_after:
            writer.write(
                "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body[: len(body) // 2]
            )
            await writer.drain()
            writer.transport.abort()
            return
        if not self.is_split:
            writer.write("\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body)
            return
        writer.write("\r\n".join([*lines, "Transfer-Encoding: chunked", "", ""]).encode())
        for at in range(0, len(body), 7):
            piece = body[at : at + 7]
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    def _answer(self, head: str) -> Answer:
        line, *rest = head.split("\r\n")
        headers = {name.lower(): value for name, _, value in (field.partition(": ") for field in rest if field)}
        parts = urlsplit(line.split(" ")[1])
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.requests.append((parts.path, query, headers))
        if self.refusals:
            return self.refusals.pop(0)
        why_not = self._why_not(parts.path, query, headers)
        if why_not:
            return why_not
        if self.garbled:
            self.garbled -= 1
            return 200, {}, b'{"data":[{"id":"1","message":"Jean'
        return self._edge(parts.path.removeprefix(f"/{VERSION}/"), query)

    def _why_not(self, path: str, query: dict[str, str], headers: dict[str, str]) -> Answer | None:
        if not path.startswith(f"/{VERSION}/"):
            return refused(400, 2635, "You are calling a deprecated version")
        token = headers.get("authorization", "").removeprefix("Bearer ") or query.get("access_token", "")
        if not token:
            return refused(400, 2500, "An active access token must be used to query information.")
        if token != self.token:
            return refused(400, 190, "Invalid OAuth access token - Cannot parse access token")
        proof = hmac.new(self.app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        if self.app_secret and query.get("appsecret_proof") != proof:
            return refused(400, 100, "API calls from the server require an appsecret_proof argument")
        if int(query.get("limit", "25")) > MAX_LIMIT:
            return refused(500, 1, "Please reduce the amount of data you're asking for, then retry your request")
        return None

    def _edge(self, path: str, query: dict[str, str]) -> Answer:
        owner, _, edge = path.partition("/")
        since = int(query.get("since", "0"))
        if edge == "feed" and owner == self.page_id:
            things = [post for post in self.posts if written(post) >= since and post.get("is_published", True)]
            return self._listing(path, query, sorted(things, key=written, reverse=True))
        known = {post["id"] for post in self.posts} - self.gone
        if edge != "comments" or owner not in known:
            text = f"Unsupported get request. Object with ID '{owner}' does not exist, cannot be loaded due to missing"
            return refused(400, 100, text, subcode=33, kind="GraphMethodException")
        things = [comment for comment in self.comments.get(owner, []) if written(comment) >= since]
        if query.get("filter") != "stream":
            things = [comment for comment in things if "parent" not in comment]
        is_newest_first = query.get("order") == "reverse_chronological"
        return self._listing(path, query, sorted(things, key=written, reverse=is_newest_first))

    def _listing(self, path: str, query: dict[str, str], things: list[dict[str, Any]]) -> Answer:
        start = self._start(query, things)
        size = min(int(query.get("limit", "25")), self.page_size)
        page, rest = things[start : start + size], things[start + size :]
        fields = fields_in(query.get("fields", "id,message,created_time"))
        listing: dict[str, Any] = {"data": [self.raw.get(thing["id"], chosen(thing, fields)) for thing in page]}
        if page:
            listing["paging"] = self._paging(path, query, page, end=start + size, has_more=bool(rest))
        return 200, {"facebook-api-version": VERSION}, json.dumps(listing).encode()

    def _start(self, query: dict[str, str], things: list[dict[str, Any]]) -> int:
        if "until" in query:
            return int(query["__paging_token"])
        if "after" in query:
            return next((i + 1 for i, thing in enumerate(things) if cursor_of(thing) == query["after"]), len(things))
        return 0

    def _paging(
        self, path: str, query: dict[str, str], page: list[dict[str, Any]], *, end: int, has_more: bool
    ) -> dict[str, Any]:
        kept = {name: query[name] for name in ("fields", "limit", "since", "filter", "order") if name in query}
        address = f"https://graph.facebook.com/{VERSION}/{path}?access_token={self.token}&"
        if self.pages_by_time:
            at = {"until": str(written(page[-1])), "__paging_token": str(end)}
            return {"next": address + urlencode(kept | at)} if has_more else {}
        paging: dict[str, Any] = {"cursors": {"before": cursor_of(page[0]), "after": cursor_of(page[-1])}}
        if has_more:
            paging["next"] = address + urlencode(kept | {"after": cursor_of(page[-1])})
        return paging


def written(thing: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(thing["created_time"]).timestamp())


def time_of(seconds: float) -> str:
    """Return a time as the Graph API writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def cursor_of(thing: dict[str, Any]) -> str:
    return hashlib.sha256(thing["id"].encode()).hexdigest()[:24]


def fields_in(text: str) -> dict[str, Any]:
    """Return the fields that are asked for: `id,from{id}` is {"id": {}, "from": {"id": {}}}."""
    found: dict[str, Any] = {}
    stack, last = [found], ""
    for piece in re.findall(r"[^,{}]+|[{}]", text):
        if piece == "{":
            stack.append(stack[-1][last])
        elif piece == "}":
            stack.pop()
        else:
            last = piece
            stack[-1][last] = {}
    return found


def chosen(thing: Any, fields: dict[str, Any]) -> Any:
    """Return of a thing what is asked for; the id always."""
    if isinstance(thing, list):
        return [chosen(one, fields) for one in thing]
    if not fields or not isinstance(thing, dict):
        return thing
    if set(thing) == {"data"}:
        return {"data": chosen(thing["data"], fields)}
    return {name: chosen(thing[name], fields.get(name, {})) for name in thing if name in fields or name == "id"}


def refused(
    status: int, code: int, message: str, *, subcode: int = 0, kind: str = "OAuthException", **headers: str
) -> Answer:
    """Return a refusal in Facebook's words."""
    error: dict[str, Any] = {"message": f"(#{code}) {message}", "type": kind, "code": code}
    if subcode:
        error["error_subcode"] = subcode
    error["fbtrace_id"] = "AbCdEfGhIjK"
    return (
        status,
        {name.replace("_", "-"): value for name, value in headers.items()},
        json.dumps({"error": error}).encode(),
    )


def usage(page_id: str, minutes: int) -> str:
    """Return the header that says how much of a Page's share is used."""
    use = {"type": "pages", "call_count": 101, "total_cputime": 12, "total_time": 14}
    return json.dumps({page_id: [use | {"estimated_time_to_regain_access": minutes}]})


# The sender of the webhook


def notice(page_id: str, *values: dict[str, Any], time: int = 1795935600) -> bytes:
    """Return the body of a request that tells of changes of a Page's feed, as Facebook writes JSON: ASCII, `\\/`."""
    changes = [{"field": "feed", "value": value} for value in values]
    return written_out({"object": "page", "entry": [{"id": page_id, "time": time, "changes": changes}]})


def written_out(body: object) -> bytes:
    """Return JSON as Facebook writes it."""
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode()


def signed(body: bytes, app_secret: str) -> dict[str, str]:
    """Return the headers of a request of Facebook's."""
    sha1, sha256 = (hmac.new(app_secret.encode(), body, how).hexdigest() for how in (hashlib.sha1, hashlib.sha256))
    return {
        "content-type": "application/json",
        "user-agent": "facebookexternalua",
        "x-hub-signature": f"sha1={sha1}",
        "x-hub-signature-256": f"sha256={sha256}",
    }


def told_of(thing: dict[str, Any], *, post_id: str = "", verb: str = "add") -> dict[str, Any]:
    """Return the change by which the webhook tells of a thing of the Graph API."""
    value: dict[str, Any] = {"from": thing["from"], "verb": verb, "created_time": written(thing)}
    if thing.get("message"):
        value["message"] = thing["message"]
    if "message_tags" in thing:
        value["message_tags"] = thing["message_tags"]
    if "is_hidden" in thing:
        value["is_hidden"] = thing["is_hidden"]
    if post_id:
        parent = thing["parent"]["id"] if "parent" in thing else post_id
        value |= {"item": "comment", "comment_id": thing["id"], "post_id": post_id, "parent_id": parent}
        if thing.get("attachment", {}).get("type") == "photo":
            value["photo"] = "https://scontent.example/p.jpg"
        return value
    return value | {"post_id": thing["id"], "published": 1, "item": "status"} | pictured(thing)


def pictured(thing: dict[str, Any]) -> dict[str, Any]:
    """Return what the webhook says of a post's pictures."""
    for attachment in thing.get("attachments", {}).get("data", []):
        within = attachment.get("subattachments", {}).get("data", [])
        if within:
            return {"photos": [f"https://scontent.example/{number}.jpg" for number in range(len(within))]}
        if attachment["media_type"] == "link":
            return {"item": "share", "link": "https://ville.example/"}
        return {"item": attachment["media_type"], "link": "https://scontent.example/1"}
    return {}


DEMO = (
    "Quelqu'un sait d'où vient cette fumée noire au-dessus du port ?",
    "L'eau monte rue de la Gare, les caves sont déjà inondées",
    "Très belle fête de la musique hier soir, merci à la ville !",
    "Odeur de gaz très forte près de l'école Jules-Ferry",
    "Plus d'électricité dans tout le quartier depuis dix minutes",
    "À quelle heure ouvre la piscine demain ?",
)


async def serve_demo(port: int) -> None:
    """Serve the Page 1000000000001 for ever; the token is `demo`, and somebody comments every second."""
    page_id = "1000000000001"
    now = datetime.now(UTC).timestamp()
    post = {
        "id": f"{page_id}_1",
        "message": "Bienvenue sur la page de la ville",
        "created_time": time_of(now),
        "from": {"id": page_id, "name": "Ville d'exemple"},
    }
    said: list[dict[str, Any]] = []
    graph = Graph(page_id, [post], {f"{page_id}_1": said})
    graph.port, graph.token = port, "demo"
    async with graph.running():
        number = 0
        while True:
            now = datetime.now(UTC).timestamp()
            post["updated_time"] = time_of(now)
            author = {"id": str(2000 + number % 40), "name": "Une habitante"}
            said.append(
                {"id": f"1_{number}", "message": DEMO[number % len(DEMO)], "created_time": time_of(now), "from": author}
            )
            del said[:-1000]
            del graph.requests[:-10]
            number += 1
            await asyncio.sleep(1)

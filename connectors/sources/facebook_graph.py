"""Facebook's Graph API: listings of a Page's posts and of the comments below them, page after page.

Errors  SourceUnavailable when Facebook does not answer or says why not, with what would do; MalformedRecord when an
        answer is no listing
Source  https://developers.facebook.com/docs/graph-api: reference/page/feed, reference/object/comments, results,
        guides/error-handling, overview/rate-limiting
"""

import hmac
from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec

from connectors.bounded import ACCEPT_ENCODING, LONGEST_WAIT_SECS, body_within
from connectors.contract import Observer
from connectors.retry_after import seconds_in
from connectors.sources.facebook_posts import PLATFORM, UNREADABLE, Node, as_table, is_id, malformed, moment_from
from records import Clock, MalformedRecord, SourceUnavailable

GRAPH: Final = "https://graph.facebook.com/v27.0"  # of 4 November 2026; Facebook serves a version for about two years

POST_FIELDS = (
    "id,message,message_tags,created_time,updated_time,from{id},is_hidden,is_published,"
    "attachments{media_type,subattachments{media_type}}"
)
COMMENT_FIELDS = "id,message,message_tags,created_time,from{id},parent{id},attachment{type},is_hidden,is_private"
"""All that is asked for: of an author only the id, of a picture only that it is one."""

PAGE_SIZE = "100"  # the most that Facebook gives
MAX_PAGES = 200  # of one listing in one poll
MAX_ANSWER_BYTES = 32 << 20
PAUSE_SECS = 600.0  # where a person must act, or Facebook does not say how long

RATE_LIMITED = frozenset({4, 17, 32, 341, 613, 80001})
TOKEN_GONE = frozenset({102, 190})
NO_SUCH_THING = 100
PERMISSION_FROM, PERMISSION_TO = 200, 299
OTHER_PERMISSIONS = frozenset({3, 10})


class Cursors(msgspec.Struct, frozen=True):
    """Where a listing goes on."""

    after: str = ""


class Paging(msgspec.Struct, frozen=True):
    """Where a listing goes on; without `next` it does not."""

    cursors: Cursors | None = None
    next: str = ""


class Listing(msgspec.Struct, frozen=True):
    """One page of a listing."""

    data: tuple[msgspec.Raw, ...]
    paging: Paging | None = None


class GraphError(msgspec.Struct, frozen=True):
    """Why Facebook does not answer; its own words are not read, since they may name somebody."""

    code: int = 0
    error_subcode: int = 0
    fbtrace_id: str = ""


class Failure(msgspec.Struct, frozen=True):
    """The body of a refusal."""

    error: GraphError


_node = msgspec.json.Decoder(Node)
_listing = msgspec.json.Decoder(Listing)
_failure = msgspec.json.Decoder(Failure)


class Item(NamedTuple):
    """One piece of a listing, and what it looks like."""

    mark: int
    node: Node | MalformedRecord


class Gone(SourceUnavailable):
    """What was asked for is not there any more."""


class Graph:
    """The Graph API, asked with the token of one Page."""

    def __init__(
        self,
        *,
        token: str,
        app_secret: str,
        clock: Clock,
        observer: Observer,
        base_url: str,
        name: str,
        connect_secs: float,
        read_secs: float,
    ) -> None:
        self._token = token
        self._proof = hmac.digest(app_secret.encode(), token.encode(), "sha256").hex() if app_secret else ""
        self._clock = clock
        self._observer = observer
        self._base_url = base_url.rstrip("/")
        self._name = name
        self._timeout = httpx.Timeout(read_secs, connect=connect_secs)

    def client(self) -> httpx.AsyncClient:
        """Return a client that shows the token."""
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/json",
            "Accept-Encoding": ACCEPT_ENCODING,
        }
        return httpx.AsyncClient(timeout=self._timeout, headers=headers)

    async def items(
        self, client: httpx.AsyncClient, path: str, query: Mapping[str, str], since: int
    ) -> AsyncGenerator[Item, None]:
        """Yield the pieces of a listing, page after page; where that is too many, the rest is a gap."""
        step: dict[str, str] = {}
        oldest = since
        for _ in range(MAX_PAGES):
            answered = await self._ask(client, path, {**query, "since": str(since), "limit": PAGE_SIZE, **step})
            listing = listing_from(answered)
            items = [item_from(bytes(raw)) for raw in listing.data]
            for item in items:
                yield item
            times = [written_at(item.node) for item in items if isinstance(item.node, Node)]
            following = step_from(listing.paging)
            if not following or following == step or (times and max(times) < since):
                return
            step, oldest = following, min(times, default=oldest)
        self._observer.gap(self._name, max(oldest - since, 0))

    async def _ask(self, client: httpx.AsyncClient, path: str, query: dict[str, str]) -> bytes:
        """Return Facebook's answer.

        Errors  SourceUnavailable; Gone when there is no such thing
        """
        if self._proof:
            query["appsecret_proof"] = self._proof
        try:
            async with client.stream("GET", f"{self._base_url}/{path}", params=query) as response:
                body = await body_within(response, MAX_ANSWER_BYTES)
        except MalformedRecord as error:
            raise SourceUnavailable(f"{self._name}: {error}", retry_after_secs=PAUSE_SECS) from error
        except httpx.HTTPError as error:
            raise SourceUnavailable(f"{self._name}: no answer: {type(error).__name__}: {error}") from error
        if response.is_success:
            return body
        raise refusal_from(response.status_code, response.headers, body, now=self._clock.now(), name=self._name)


def listing_from(body: bytes) -> Listing:
    """Take an answer apart.

    Errors  MalformedRecord when it is no listing
    """
    try:
        return _listing.decode(body)
    except UNREADABLE as error:
        raise malformed(error, b"") from error


def item_from(raw: bytes) -> Item:
    """Take one piece of a listing apart."""
    mark = hash(raw)
    try:
        node = _node.decode(raw)
        moment_from(node.created_time)
    except (MalformedRecord, *UNREADABLE) as error:
        return Item(mark, malformed(error, raw))
    return Item(mark, node)


def written_at(node: Node) -> int:
    """Return when it was written, in seconds since 1970."""
    return int(moment_from(node.created_time).timestamp())


def step_from(paging: Paging | None) -> dict[str, str]:
    """Return what to ask for to get the next page, nothing when this is the last one.

    The address of the next page is not followed: it is from outside, and holds the token.
    """
    if paging is None or not paging.next:
        return {}
    if paging.cursors and paging.cursors.after:
        return {"after": paging.cursors.after}
    try:
        query = parse_qs(urlsplit(paging.next).query)
    except ValueError:
        return {}
    return {name: query[name][0] for name in ("after", "until", "__paging_token", "offset") if name in query}


def refusal_from(
    status: int, headers: Mapping[str, str], body: bytes, *, now: datetime, name: str = PLATFORM
) -> SourceUnavailable:
    """Tell what a refusal means for us, and what would do."""
    try:
        error = _failure.decode(body).error
    except UNREADABLE:
        error = GraphError()
    where = f"status {status}, code {error.code}/{error.error_subcode}"
    if is_id(error.fbtrace_id):
        where += f", trace {error.fbtrace_id}"
    if error.code in TOKEN_GONE:
        return SourceUnavailable(
            f"{name}: the Page's token has expired or was withdrawn ({where}): make a new one, put it in its file, "
            "restart",
            retry_after_secs=PAUSE_SECS,
        )
    if error.code in RATE_LIMITED:
        return SourceUnavailable(f"{name}: asked too often ({where})", retry_after_secs=seconds_to_wait(headers, now))
    if error.code in OTHER_PERMISSIONS or PERMISSION_FROM <= error.code <= PERMISSION_TO:
        return SourceUnavailable(
            f"{name}: the token lacks a permission ({where}): pages_read_engagement and pages_read_user_content",
            retry_after_secs=PAUSE_SECS,
        )
    if error.code == NO_SUCH_THING:
        return Gone(f"{name}: no such Page, or not for this token ({where})", retry_after_secs=PAUSE_SECS)
    return SourceUnavailable(f"{name}: refused ({where})", retry_after_secs=retry_after_in(headers, now))


def seconds_to_wait(headers: Mapping[str, str], now: datetime) -> float:
    """Return for how long Facebook will not answer; it gives minutes, per business and use case."""
    try:
        usage = as_table(msgspec.json.decode(headers.get("x-business-use-case-usage", "{}")))
    except UNREADABLE:
        usage = {}
    uses = [as_table(use) for some in usage.values() if isinstance(some, list) for use in some]
    minutes = [use.get("estimated_time_to_regain_access") for use in uses]
    longest = max((found for found in minutes if isinstance(found, int | float)), default=0)
    if longest > 0:
        return min(float(longest) * 60, 86_400.0)
    return retry_after_in(headers, now) or PAUSE_SECS  # X-App-Usage says how much, not how long


def retry_after_in(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that the header Retry-After asks for."""
    return seconds_in(headers.get("retry-after"), now, longest_secs=LONGEST_WAIT_SECS)

"""Mastodon: public posts of one instance, live, by hashtag, list or timeline.

One connection a stream, over server-sent events. Several hashtags are several connections rather than the public
timeline filtered here: the server then sends only what is asked for, a hashtag carries replies too, which the public
timeline leaves out, and it stays open where an instance has closed its public timeline.

The wire knows no cursor. So the streams are opened first, then what was missed is read from the timelines, then comes
what the streams brought meanwhile. Events are cut here and not by httpx-sse, which swallows the heartbeats, mends bad
bytes in silence and keeps a line without end for ever.

Shape   one reading an event, a heartbeat or a status of a timeline; a second copy of a status is a reading without post
Units   cursor: the newest status id of each stream, as a query string; the upper 48 bits of an id are milliseconds
        since 1970
Errors  SourceUnavailable when a stream closes, breaks or stays silent, or the instance says why not
Source  https://docs.joinmastodon.org/methods/streaming and /methods/timelines; streaming/index.js, lib/mastodon/
        snowflake.rb and config/initializers/rack_attack.rb of https://github.com/mastodon/mastodon; framing: WHATWG
        HTML, 9.2.6
"""

import asyncio
import math
import re
import unicodedata
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from html import unescape
from html.parser import HTMLParser
from http import HTTPStatus
from typing import Annotated, Final, Literal, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import httpx
import msgspec

from connectors.bounded import ACCEPT_ENCODING, body_within
from connectors.contract import Capabilities, Observer, Reading
from connectors.pseudonym import OBJECTED, Pseudonyms
from connectors.sources.plain import is_link
from connectors.tally import language_of
from records import Clock, MalformedRecord, Media, Post, SettingsError, SourceUnavailable
from records.time import in_utc

PLATFORM: Final = "mastodon"
OPEN_TO_ALL = frozenset({"public", "unlisted"})
"""Visibilities that may be read; the others were meant for some."""

MAX_STREAMS = 20
MAX_EVENT_BYTES = 256 << 10
MAX_PAGE_BYTES = 16 << 20
MAX_TEXT = 65_536
MAX_URL = 2048
QUEUED_EVENTS = 500
REMEMBERED = 10_000
PAGE = 40  # the most that an instance gives at once
SKEW = timedelta(hours=1)  # an id further ahead of our clock than this moves no cursor
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

MOVED = "the instance has moved; check its address"
REFUSALS: Mapping[int, str] = {
    206: "the home timeline is being made anew",
    301: MOVED,
    302: MOVED,
    308: MOVED,
    401: "the token is not accepted; make a new one with the scope read:statuses, and for a list read:lists",
    403: "the token may not read this; it needs the scope read:statuses, and for a list read:lists; or the instance "
    "has closed this timeline to its members",
    404: "there is no such stream or timeline; check the streams in the settings",
    422: "the token names no account; make one for a user, not for an application",
    429: "too many requests",
}
"""What the operator should know of a refusal, by status."""

MediaType = Literal["image", "video", "audio", "link"]
_MEDIA: Mapping[str, MediaType] = {"image": "image", "gifv": "video", "video": "video", "audio": "audio"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DELETED = math.inf
_ID = re.compile(rb"[0-9]{1,20}")
_LINE_END = re.compile(rb"\r\n|\n|\r(?=[^\n])", re.DOTALL)
_HANDLE = re.compile(r"[\w.+-]{0,64}@[\w.-]+(?:@[\w.-]+)?")
_PROFILE = re.compile(r"(/(?:users|u|profile|people|author)/)[\w.-]+")
_TAG = re.compile(r'<(/?)(a|br|p|span)((?: [a-z-]+="[^"<>]*")*) ?(/?)>')
"""A tag of the kinds that an instance itself writes."""
_TAG_PIECES = 5  # what stands before a tag, and its four groups
_ATTRIBUTE = re.compile(r' ([a-z-]+)="([^"]*)"')
_LONE = re.compile(r"<(?!/?[a-zA-Z][^<>]*>)")
_NO_ROBOTS = re.compile(r"#(?:no-?bots?|no-?index)\b", re.IGNORECASE)
_KEPT_AS_IS: Mapping[str, re.Pattern[str]] = {
    "id": re.compile(r"[0-9]{1,20}"),
    "created_at": re.compile(r"[0-9T:.Z+-]{1,40}"),
    "edited_at": re.compile(r"[0-9T:.Z+-]{1,40}"),
    "visibility": re.compile(r"public|unlisted|private|direct"),
    "language": re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{2,4})?"),
}
"""What of a bad status may go to the dead letters, and only where it looks as it should."""


class Account(msgspec.Struct, frozen=True):
    """What is read of an author: an address to make a pseudonym of, and whether to read on at all."""

    url: str | None = None
    acct: str | None = None
    bot: bool | None = None
    indexable: bool | None = None
    noindex: bool | None = None
    note: str | None = None


class Attachment(msgspec.Struct, frozen=True):
    """A picture, film or sound: its kind and its description."""

    type: str | None = None
    description: str | None = None


class Mention(msgspec.Struct, frozen=True):
    """Somebody who is named in a status."""

    url: str | None = None


class Numbered(msgspec.Struct, frozen=True):
    """Anything with an id of this instance."""

    id: str | None = None


class Quote(msgspec.Struct, frozen=True):
    """What a status quotes, where the one quoted agrees."""

    state: str | None = None
    quoted_status: Numbered | None = None
    quoted_status_id: str | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """One post as an instance tells of it; what we have no use for is left out."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}$")]
    created_at: datetime
    account: Account
    visibility: str
    content: str | None = None
    spoiler_text: str | None = None
    edited_at: datetime | None = None
    language: str | None = None
    url: str | None = None
    in_reply_to_id: str | None = None
    reblog: "Status | None" = None
    quote: Quote | None = None
    media_attachments: list[Attachment] | None = None
    mentions: list[Mention] | None = None


class Urls(msgspec.Struct, frozen=True):
    """Where else an instance answers."""

    streaming: str | None = None


class Configuration(msgspec.Struct, frozen=True):
    """How an instance is set up."""

    urls: Urls | None = None


class Instance(msgspec.Struct, frozen=True):
    """What an instance says of itself."""

    configuration: Configuration | None = None


_status = msgspec.json.Decoder(Status)
_numbered = msgspec.json.Decoder(Numbered)
_page = msgspec.json.Decoder(list[msgspec.Raw])
_instance = msgspec.json.Decoder(Instance)


@dataclass(frozen=True)
class Stream:
    """One thing to listen to, and the timeline that shows what was missed of it."""

    name: str
    path: str  # below /api/v1/streaming/
    timeline: str  # below /api/v1/timelines/
    query: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)


class Event(NamedTuple):
    """One event of a stream, or a comment, which is the server's sign of life."""

    name: str
    data: bytes = b""
    is_too_long: bool = False


HEARTBEAT = Event(":")
Arrival: TypeAlias = "tuple[Stream, Event | SourceUnavailable]"


@dataclass(frozen=True)
class Message:
    """An event or a status taken apart."""

    id: int = 0
    version: float = 0.0  # seconds since 1970 of the last edit, 0 without one; past all edits when deleted
    post: Post | MalformedRecord | None = None
    moves: bool = False  # the cursor, by its id


@dataclass(frozen=True)
class Opening:
    """The streams once all are open."""

    client: httpx.AsyncClient
    arrivals: "asyncio.Queue[Arrival]"
    at: datetime  # by the instance's clock where it tells


class Mastodon:
    """Reads the streams of one instance, resuming after the last status of each that was handed over."""

    capabilities = Capabilities(edits=True, deletions=True, backfill=timedelta(days=7), quiet=timedelta(minutes=2))

    def __init__(
        self,
        *,
        pseudonyms: Pseudonyms,
        clock: Clock,
        observer: Observer,
        base_url: str,
        token: str,
        streams: Sequence[str],
        streaming_url: str = "",
        name: str = "mastodon",
        is_trusted: bool = False,
        languages: frozenset[str] = frozenset(),
        respects_indexable: bool = True,
        silence_secs: float = 45.0,  # three heartbeats
        connect_secs: float = 10.0,
        overlap_secs: float = 300.0,  # posts of other instances come late, and with the id of when they were written
        backfill_pages: int = 50,
    ) -> None:
        self.name = name
        self.is_trusted = is_trusted
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._observer = observer
        self._base_url = base_url.rstrip("/")
        self._host = urlsplit(base_url).netloc.lower()
        self._token = token
        self._streams = streams_from(streams)
        self._streaming_url = http_from(streaming_url)
        self._languages = languages
        self._respects_indexable = respects_indexable
        self._silence_secs = silence_secs
        self._connect_secs = connect_secs
        self._overlap = timedelta(seconds=overlap_secs)
        self._backfill_pages = backfill_pages

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        """Yield readings until a stream ends, which is always SourceUnavailable."""
        async with self._opened() as opening:
            newest = self._clock.now() + SKEW
            place = Place(self._streams, after, start=id_at(opening.at), newest=id_at(newest))
            recent = Recent()
            for stream in self._streams if after else ():
                async with aclosing(self._missed(opening, stream, place)) as messages:
                    async for message in messages:
                        yield self._reading(stream, message, place, recent)
            while True:
                stream, event = await self._next(opening)
                if isinstance(event, SourceUnavailable):
                    raise event
                yield self._reading(stream, self.message_from(event), place, recent)

    def _reading(self, stream: Stream, message: Message, place: "Place", recent: "Recent") -> Reading:
        post = message.post
        if message.moves and message.id <= id_at(self._clock.now() + SKEW):
            place.move(stream.name, message.id)
        if isinstance(post, Post):
            post = msgspec.structs.replace(post, cursor=str(place)) if recent.is_news(message) else None
        return Reading(str(place), post)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Opening]:
        """Open all streams, and let their events gather in one queue.

        A full queue holds the connections back, so that nothing is lost and memory stays bounded.
        """
        arrivals: asyncio.Queue[Arrival] = asyncio.Queue(QUEUED_EVENTS)
        pumps: list[asyncio.Task[None]] = []
        headers = {"User-Agent": "vigie", "Accept-Encoding": ACCEPT_ENCODING} | (
            {"Authorization": f"Bearer {self._token}"} if self._token else {}
        )
        limits = httpx.Timeout(self._connect_secs)
        async with httpx.AsyncClient(headers=headers, timeout=limits) as client, AsyncExitStack() as stack:
            opened_at = self._clock.now()
            with self._as_unavailable():
                host = await self._streaming_host(client)
                for stream in self._streams:
                    response = await stack.enter_async_context(self._request(client, host, stream))
                    opened_at = moment_in(response.headers.get("Date")) or opened_at
                    pumps.append(asyncio.create_task(self._pump(stream, response, arrivals)))
                    stack.push_async_callback(stopped, pumps[-1])
            yield Opening(client, arrivals, opened_at)

    @asynccontextmanager
    async def _request(self, client: httpx.AsyncClient, host: str, stream: Stream) -> AsyncIterator[httpx.Response]:
        """Open one stream."""
        async with client.stream(
            "GET",
            f"{host}/api/v1/streaming/{stream.path}",
            params=dict(stream.query),
            headers={"Accept": "text/event-stream", "Accept-Encoding": "identity", "Cache-Control": "no-store"},
            timeout=httpx.Timeout(self._connect_secs, read=self._silence_secs),
        ) as response:
            if response.status_code != HTTPStatus.OK:
                raise self._refusal(response, stream.name)
            kind = response.headers.get("Content-Type", "")
            if not kind.startswith("text/event-stream"):
                raise self._unavailable(f"{stream.name}: not a stream of events; check the instance's address")
            yield response

    async def _pump(self, stream: Stream, response: httpx.Response, arrivals: "asyncio.Queue[Arrival]") -> None:
        """Put a stream's events into the queue, and at last why there are no more."""
        events = Events()
        try:
            async for chunk in response.aiter_raw():  # we asked for no packing, and unpack none
                for event in events.feed(chunk):
                    await arrivals.put((stream, event))
            why = "the stream was closed"
        except httpx.ReadTimeout:
            why = f"silent for {self._silence_secs:g} s"
        except (httpx.HTTPError, OSError) as error:
            why = f"the stream broke off: {error!r}"
        await arrivals.put((stream, self._unavailable(f"{stream.name}: {why}")))

    async def _next(self, opening: Opening) -> Arrival:
        if not opening.arrivals.empty():
            return opening.arrivals.get_nowait()
        try:
            async with asyncio.timeout(self._silence_secs + self._connect_secs):
                return await opening.arrivals.get()
        except TimeoutError as error:
            raise self._unavailable(f"silent for {self._silence_secs:g} s") from error

    async def _streaming_host(self, client: httpx.AsyncClient) -> str:
        """Return where the streams are: as set, as the instance says, or where all the rest is."""
        if self._streaming_url:
            return self._streaming_url
        status, body = await self._get(client, f"{self._base_url}/api/v2/instance", {}, missing=True)
        if status == HTTPStatus.NOT_FOUND:
            return self._base_url  # before version 4.0
        try:
            configuration = _instance.decode(body).configuration or Configuration()
        except UNREADABLE as error:
            raise self._unavailable("does not describe itself; check the instance's address") from error
        host = http_from((configuration.urls or Urls()).streaming or self._base_url)
        if not host.startswith("https://") and self._base_url.startswith("https://"):
            raise self._unavailable("wants the token sent in the clear; set streaming_url")
        return host

    async def _missed(self, opening: Opening, stream: Stream, place: "Place") -> AsyncGenerator[Message, None]:
        """Yield what a timeline holds since the cursor, and a little before, oldest first.

        It ends at an empty page, or past the moment when the stream was opened: from there on the stream has it all.
        """
        known = place.ids[stream.name]
        since = max(0, known - id_at(_EPOCH + self._overlap))
        until = id_at(opening.at + timedelta(seconds=5))
        for number in range(self._backfill_pages):
            found = await self._page_of(opening.client, stream, {"min_id": str(since), "limit": str(PAGE)})
            ids = [message.id for message in found if message.id > since]
            if number == 0 and ids and min(ids) > known:
                await self._report_gap(opening.client, stream, known, min(ids))
            for message in found:
                yield message
            if not ids or max(ids) >= until:
                return
            since = max(ids)
        seconds = (opening.at - moment_of(since)).total_seconds()
        if seconds > 0:  # there is more than we may ask for
            self._observer.gap(self.name, seconds)

    async def _report_gap(self, client: httpx.AsyncClient, stream: Stream, known: int, first: int) -> None:
        """Tell of a gap when the timeline goes on after the cursor, but holds nothing at or before it.

        A page does not say whether something was there before its first status. A timeline that reaches further back
        than the cursor has lost nothing since; one that begins after it may have. An id that ends in 16 zero bits is
        a moment of ours and no status, which a timeline need not hold.
        """
        if known % (1 << 16) and not await self._page_of(client, stream, {"max_id": str(known + 1), "limit": "1"}):
            self._observer.gap(self.name, (moment_of(first) - moment_of(known)).total_seconds())

    async def _page_of(self, client: httpx.AsyncClient, stream: Stream, query: Mapping[str, str]) -> list[Message]:
        """Return one page of a timeline, oldest first; the wire has it newest first."""
        address = f"{self._base_url}/api/v1/timelines/{stream.timeline}"
        with self._as_unavailable():
            status, body = await self._get(client, address, {**stream.filters, **query}, missing="tag" in stream.query)
        if status == HTTPStatus.NOT_FOUND:
            return []  # a hashtag that nobody has used yet
        try:
            statuses = _page.decode(body)
        except UNREADABLE as error:
            raise self._unavailable(f"{stream.name}: not a page of a timeline") from error
        return sorted((self._backfilled(bytes(status)) for status in statuses), key=lambda message: message.id)

    async def _get(
        self, client: httpx.AsyncClient, address: str, query: Mapping[str, str], *, missing: bool
    ) -> tuple[int, bytes]:
        """Return the status and the body of an answer; `missing` allows for there being none."""
        async with client.stream("GET", address, params=dict(query)) as response:
            if response.status_code == HTTPStatus.NOT_FOUND and missing:
                return response.status_code, b""
            if response.status_code != HTTPStatus.OK:
                raise self._refusal(response, urlsplit(address).path)
            try:
                return response.status_code, await body_within(response, MAX_PAGE_BYTES)
            except MalformedRecord as error:
                raise self._unavailable(f"{urlsplit(address).path}: {error}") from error

    def message_from(self, event: Event) -> Message:
        """Take an event apart; what is neither news of a status nor a sign of life is left unread."""
        if event.is_too_long:
            return Message(post=MalformedRecord("mastodon: an event without end", reason="too_long"))
        if event.name == "delete":
            return self._deleted(event.data)
        if event.name in ("update", "status.update"):
            return self._found(event.data, is_edit=event.name == "status.update")
        return Message()

    def _backfilled(self, data: bytes) -> Message:
        """Take a status of a timeline apart; one that was edited may be known as it was before."""
        message = self._found(data, is_edit=None)
        if message.id:
            return message
        try:
            number = _numbered.decode(data).id or ""
        except UNREADABLE:
            number = ""
        return Message(int(number) if _ID.fullmatch(number.encode()) else 0, post=message.post, moves=True)

    def _found(self, data: bytes, *, is_edit: bool | None) -> Message:
        try:
            status = _status.decode(data)
            post = post_from(
                status,
                is_edit=status.edited_at is not None if is_edit is None else is_edit,
                host=self._host,
                received_at=self._clock.now(),
                pseudonyms=self._pseudonyms,
                source=self.name,
                languages=self._languages,
                respects_indexable=self._respects_indexable,
                is_trusted=self.is_trusted,
            )
            version = in_utc(status.edited_at).timestamp() if status.edited_at else 0.0
        except (MalformedRecord, *UNREADABLE) as error:
            return Message(post=malformed(error, data))
        return Message(int(status.id), version, post, moves=not is_edit)

    def _deleted(self, data: bytes) -> Message:
        if not _ID.fullmatch(data):
            return Message(post=MalformedRecord("mastodon: a delete without an id", reason="invalid"))
        number = data.decode()
        return Message(int(number), _DELETED, self._deletion(number))

    def _deletion(self, number: str) -> Post:
        now = self._clock.now()
        return deletion_of(f"{self._host}/{number}", received_at=now, source=self.name)

    @contextmanager
    def _as_unavailable(self) -> Iterator[None]:
        """Turn whatever goes wrong with a request into SourceUnavailable."""
        try:
            yield
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise self._unavailable(f"cannot connect: {error!r}") from error

    def _refusal(self, response: httpx.Response, what: str) -> SourceUnavailable:
        """Tell what a refused request means, and what to do about it."""
        status = response.status_code
        told = REFUSALS.get(status, "the instance cannot answer now")
        return self._unavailable(f"{what}: {told} ({status})", self._retry_after(response))

    def _retry_after(self, response: httpx.Response) -> float | None:
        """Return for how long the instance asks us to wait, by its own clock where it tells."""
        if response.status_code == HTTPStatus.PARTIAL_CONTENT:
            return 5.0
        now = moment_in(response.headers.get("Date")) or self._clock.now()
        asked = response.headers.get("Retry-After", "")
        seconds = float(asked[:9]) if asked.isdecimal() else None
        until = moment_in(asked)
        if until is None and response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            until = moment_in(response.headers.get("X-RateLimit-Reset"))
        if seconds is None and until:
            seconds = (until - now).total_seconds()
        return None if seconds is None else min(max(seconds, 1.0), 3600.0)

    def _unavailable(self, why: str, retry_after_secs: float | None = None) -> SourceUnavailable:
        return SourceUnavailable(f"{self.name} {self._host}: {why}", retry_after_secs=retry_after_secs)


class Place:
    """Where we stand: the newest status of each stream."""

    def __init__(self, streams: Sequence[Stream], cursor: str | None, *, start: int, newest: int) -> None:
        told = ids_from(cursor)
        self.ids = {stream.name: min(told.get(stream.name, start), newest) for stream in streams}
        self._text = urlencode(self.ids)

    def move(self, name: str, status_id: int) -> None:
        """Move one stream forward; an older status changes nothing."""
        if status_id > self.ids[name]:
            self.ids[name] = status_id
            self._text = urlencode(self.ids)

    def __str__(self) -> str:
        return self._text


class Recent:
    """The versions of the last statuses, so that what comes twice, or late, is handed over once and never undone."""

    def __init__(self) -> None:
        self._versions: OrderedDict[int, float] = OrderedDict()

    def is_news(self, message: Message) -> bool:
        """Tell whether a message is newer than all that was said of its status, and remember it if so."""
        if message.version <= self._versions.get(message.id, -1.0):
            return False
        self._versions[message.id] = message.version
        self._versions.move_to_end(message.id)
        if len(self._versions) > REMEMBERED:
            self._versions.popitem(last=False)
        return True


class Events:
    """Cuts bytes into events, whatever the chunks they come in."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._searched = 0
        self._name = ""
        self._data: list[bytes] = []
        self._bytes = 0
        self._is_begun = False
        self._is_line_too_long = False

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Yield the events and comments that end in a chunk."""
        self._rest += chunk
        begin = 0
        while end := _LINE_END.search(self._rest, max(begin, self._searched)):
            event = self._take(bytes(self._rest[begin : end.start()]))
            begin = self._searched = end.end()
            if event:
                yield event
        del self._rest[:begin]
        if len(self._rest) > MAX_EVENT_BYTES:
            self._is_line_too_long = self._is_begun = True
            del self._rest[:-1]  # its last byte may be half of a line's end
        self._searched = max(len(self._rest) - 1, 0)

    def _take(self, line: bytes) -> Event | None:
        if self._is_line_too_long:
            self._bytes, self._is_line_too_long = MAX_EVENT_BYTES + 1, False
            return None
        if not line:
            return self._end()
        if line.startswith(b":"):
            return HEARTBEAT
        self._is_begun = True
        self._bytes += len(line) + 1
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"event":
            self._name = value[:64].decode("ascii", "replace")
        elif name == b"data" and self._bytes <= MAX_EVENT_BYTES:
            self._data.append(value)
        return None

    def _end(self) -> Event | None:
        if not self._is_begun:
            return None
        event = Event(self._name, b"\n".join(self._data), self._bytes > MAX_EVENT_BYTES)
        self._name, self._data, self._bytes, self._is_begun = "", [], 0, False
        return event


class _Text(HTMLParser):
    """Gathers the text of a status as a reader sees it, without the names of those it speaks to."""

    BLOCKS = frozenset({"p", "div", "li", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6"})
    VOID = frozenset({"br", "img", "hr", "wbr", "input", "meta", "link"})
    UNSEEN = frozenset({"script", "style"})
    DEPTH = 64

    def __init__(self, named: frozenset[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._named = named
        self._open: list[tuple[str, str | None]] = []  # tag, and what stands at its end; None: nothing of it is seen
        self._unseen = 0

    def take(self, pieces: Sequence[str]) -> None:
        """Take a text as `_TAG` parts it: what `feed` would make of it, in half the time."""
        for at in range(0, len(pieces) - 1, _TAG_PIECES):
            before, ends, name, attributes, is_empty = pieces[at : at + _TAG_PIECES]
            self.handle_data(unescape(before))
            if not ends:
                self.handle_starttag(name, [(key, unescape(value)) for key, value in _ATTRIBUTE.findall(attributes)])
            if ends or is_empty:
                self.handle_endtag(name)
        self.handle_data(unescape(pieces[-1]))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br" or tag in self.BLOCKS:
            self.parts.append("\n")
        if tag in self.VOID or len(self._open) >= self.DEPTH:
            return
        given = dict(attrs)
        classes = frozenset((given.get("class") or "").split())
        is_name = is_mention(classes) or (tag == "a" and (given.get("href") or "") in self._named)
        if is_name and not self._unseen:
            self.parts.append("@…")
        is_unseen = is_name or "invisible" in classes or tag in self.UNSEEN
        self._unseen += is_unseen
        self._open.append((tag, None if is_unseen else "…" if "ellipsis" in classes else ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in self.BLOCKS:
            self.parts.append("\n")
        if tag not in [opened for opened, _ in self._open]:
            return
        closed = ""
        while closed != tag:
            closed, at_end = self._open.pop()
            self._unseen -= at_end is None
            if at_end and not self._unseen:
                self.parts.append(at_end)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data)


def is_mention(classes: frozenset[str]) -> bool:
    """Tell whether a link leads to a person; Mastodon marks hashtags as mentions too."""
    return ("mention" in classes or "h-card" in classes) and "hashtag" not in classes


def text_from(content: str, named: frozenset[str] = frozenset()) -> str:
    """Return the text of a status: line breaks for paragraphs, links as they are seen, nobody's name.

    Errors  MalformedRecord when it is too long, or no HTML
    """
    if len(content) > MAX_TEXT:
        raise MalformedRecord(f"a text of {len(content)} characters", reason="too_long")
    parser = _Text(named)
    try:
        pieces = _TAG.split(content)
        if "<" in "".join(pieces[::_TAG_PIECES]):
            parser.feed(_LONE.sub("&lt;", content))  # on tags without end the parser would take minutes
            parser.close()
        else:
            parser.take(pieces)
    except (AssertionError, ValueError) as error:
        raise MalformedRecord("a text that is no HTML", reason="invalid") from error
    lines = "".join(parser.parts).split("\n")
    return without_handles("\n".join(line for line in (" ".join(line.split()) for line in lines) if line))


def without_handles(text: str) -> str:
    """Return a text without handles, addresses and links to profiles, in NFC."""
    if "@" in text:
        text = _HANDLE.sub("@…", text)
    return unicodedata.normalize("NFC", _PROFILE.sub(r"\1…", text))


def post_from(
    status: Status,
    *,
    is_edit: bool,
    host: str,
    received_at: datetime,
    pseudonyms: Pseudonyms,
    source: str = PLATFORM,
    languages: frozenset[str] = frozenset(),
    respects_indexable: bool = True,
    is_trusted: bool = False,
) -> Post | None:
    """Turn a status into a post, or None when it is not for us: not public, objected to, or in another language.

    An edit by an author who objects becomes a deletion: an earlier version may be kept from before the objection.

    Errors  MalformedRecord when it cannot be read
    """
    said = status.reblog or status
    if not {status.visibility, said.visibility} <= OPEN_TO_ALL:
        return None
    accounts = (status.account, said.account) if status.reblog else (status.account,)
    has_objected = any(objects(account, respects_indexable=respects_indexable) for account in accounts)
    authors = [] if has_objected else [pseudonyms.author(PLATFORM, name_of(account, host)) for account in accounts]
    if has_objected or OBJECTED in authors:
        return deletion_of(f"{host}/{status.id}", received_at=received_at, source=source) if is_edit else None
    if languages and said.language and language_of(said.language) not in languages:
        return deletion_of(f"{host}/{status.id}", received_at=received_at, source=source) if is_edit else None
    named = frozenset(mention.url for mention in said.mentions or () if mention.url)
    warning = without_handles((said.spoiler_text or "")[:MAX_TEXT]).strip()
    text = text_from(said.content or "", named)
    url = next((url for url in (status.url, said.url) if is_link(url) and len(url or "") <= MAX_URL), None)
    return Post(
        source=source,
        id=f"{host}/{status.id}",
        platform=PLATFORM,
        posted_at=in_utc(status.created_at),
        received_at=received_at,
        author_id=authors[0],
        text="\n".join(part for part in (warning, text) if part),
        verb="update" if is_edit else "create",
        kind="comment" if status.in_reply_to_id else "post",
        author_kind="bot" if status.account.bot else "unknown",
        lang=(said.language or "")[:35] or None,
        url=url,
        reply_to=post_id_from(status.in_reply_to_id, host),
        repost_of=post_id_from(status.reblog.id, host) if status.reblog else None,
        quote_of=post_id_from(quoted_by(said.quote), host),
        media=tuple(media_from(item) for item in (said.media_attachments or [])[:20]),
        is_trusted=is_trusted,
    )


def deletion_of(post_id: str, *, received_at: datetime, source: str = PLATFORM) -> Post:
    """Return news that a post is gone; the wire names neither its author nor the moment."""
    return Post(
        source=source,
        id=post_id,
        platform=PLATFORM,
        posted_at=received_at,
        received_at=received_at,
        author_id="",
        text="",
        verb="delete",
    )


def name_of(account: Account, host: str) -> str:
    """Return what names an author on all instances: the profile's address, the same wherever it is read."""
    return account.url or (f"{host}/{account.acct}" if account.acct else "")


def objects(account: Account, *, respects_indexable: bool) -> bool:
    """Tell whether an author does not want to be read by machines.

    A hashtag such as #nobot in the profile always counts. `indexable` is false until its author agrees to be found by
    search: with it, only those who agreed are read.
    """
    if respects_indexable and (account.indexable is False or account.noindex is True):
        return True
    note = (account.note or "")[:MAX_TEXT]
    return "#" in note and bool(_NO_ROBOTS.search(re.sub(r"<[^<>]*>", "", note)))


def media_from(attachment: Attachment) -> Media:
    """Return a picture, film or sound; of an unknown kind there is only a link."""
    alt = without_handles((attachment.description or "")[:MAX_TEXT])
    return Media(type=_MEDIA.get(attachment.type or "", "link"), alt=alt)


def quoted_by(quoting: Quote | None) -> str | None:
    """Return the id of the status that is quoted, where that may be shown."""
    if quoting is None or quoting.state != "accepted":
        return None
    return quoting.quoted_status.id if quoting.quoted_status else quoting.quoted_status_id


def post_id_from(status_id: str | None, host: str) -> str | None:
    """Return a post's id: the instance and its own number for the status, which is all that a deletion tells."""
    return f"{host}/{status_id}" if status_id and _ID.fullmatch(status_id.encode("utf-8", "replace")) else None


def streams_from(names: Sequence[str]) -> tuple[Stream, ...]:
    """Return the streams of these names.

    Errors  SettingsError when a name is none, or there are too many
    """
    streams = {stream.name: stream for stream in map(stream_from, names)}
    if not 0 < len(streams) <= MAX_STREAMS:
        raise SettingsError(f"mastodon: {len(streams)} streams; name 1 to {MAX_STREAMS}, each is a connection")
    return tuple(streams.values())


def stream_from(name: str) -> Stream:
    """Return the stream of a name, as in `hashtag:rouen`, `list:42`, `public:local`, `public` or `user`.

    Errors  SettingsError when there is no such stream
    """
    kind, _, rest = name.strip().partition(":")
    if kind == "hashtag" and (tag := rest.removeprefix("local:").removeprefix("#").lower()):
        is_local = rest.startswith("local:")
        return Stream(
            f"hashtag:local:{tag}" if is_local else f"hashtag:{tag}",
            "hashtag/local" if is_local else "hashtag",
            f"tag/{quote(tag, safe='')}",
            {"tag": tag},
            {"local": "true"} if is_local else {},
        )
    if kind == "list" and rest.isdecimal():
        return Stream(f"list:{rest}", "list", f"list/{rest}", {"list": rest})
    if kind == "public" and rest in ("", "local", "remote"):
        path = f"public/{rest}" if rest else "public"
        return Stream(path.replace("/", ":"), path, "public", {}, {rest: "true"} if rest else {})
    if name == "user":
        return Stream("user", "user", "home")
    raise SettingsError(
        f"mastodon: no stream {name!r}; streams are hashtag:<tag>, hashtag:local:<tag>, list:<number>, public, "
        "public:local, public:remote and user"
    )


def http_from(address: str) -> str:
    """Return the address for server-sent events of a streaming server that is told for WebSockets."""
    return re.sub(r"^ws", "http", address.strip().rstrip("/"))


def ids_from(cursor: str | None) -> dict[str, int]:
    """Read a cursor of ours; what is none is left out, and that stream starts now."""
    pairs = parse_qsl(cursor or "", max_num_fields=None)
    return {name: int(number) for name, number in pairs if _ID.fullmatch(number.encode("utf-8", "replace"))}


def id_at(moment: datetime) -> int:
    """Return the lowest id that a status of a moment can have."""
    return max(0, (moment - _EPOCH) // timedelta(milliseconds=1)) << 16


def moment_of(status_id: int) -> datetime:
    """Return the moment that an id was made for."""
    try:
        return _EPOCH + timedelta(milliseconds=status_id >> 16)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def moment_in(header: str | None) -> datetime | None:
    """Return the moment in a header, an HTTP date or ISO 8601, or None without one."""
    for reader in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return in_utc(reader(header or ""))
        except (ValueError, OverflowError, MalformedRecord):
            continue
    return None


async def stopped(task: "asyncio.Task[None]") -> None:
    """Stop a task and wait until it has ended."""
    task.cancel()
    await asyncio.wait({task})


def malformed(error: Exception, data: bytes) -> MalformedRecord:
    """Tell what is wrong with a status, and keep of it what cannot name anybody."""
    reason = error.reason if isinstance(error, MalformedRecord) else "undecodable"
    if isinstance(error, msgspec.ValidationError):
        reason = "invalid"
    return MalformedRecord(f"mastodon status: {error}", reason=reason, value=scrubbed(data))


def scrubbed(data: bytes) -> bytes:
    """Return of a bad status the names of its fields and their kinds; nothing of what is no JSON object."""
    try:
        found = msgspec.json.decode(data)
    except UNREADABLE:
        return b""
    if not isinstance(found, dict):
        return b""
    known = [name for name in Status.__struct_fields__ if name in found]
    return msgspec.json.encode({name: as_kept(name, found[name]) for name in known})


def as_kept(name: str, value: object) -> str:
    """Return a field's value where it can only be what its name says, else its kind."""
    pattern = _KEPT_AS_IS.get(name)
    if pattern and isinstance(value, str) and pattern.fullmatch(value):
        return value
    return f"({type(value).__name__})"

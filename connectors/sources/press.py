"""Press: headlines of newspapers, radios and authorities, from their RSS and Atom feeds.

Shape   each feed is asked every few minutes; an entry that is new or has changed gives one reading, oldest first; a
        visit without news gives one without a post; a document that is no feed gives one that is malformed
Units   cursor: JSON, per feed its validators, the second of the last visit and short hashes of the entries seen, newest
        last; 9 bytes an entry, some 30 kB in all
Errors  SourceUnavailable when no feed can be read; one that cannot, or must not, is told to the observer as
        `<source>/<feed>` and asked again later, while the others go on
Source  RSS 2.0 (rssboard.org), Atom (RFC 4287), conditional requests (RFC 9110, 13), robots.txt (RFC 9309),
        TDM Reservation Protocol (https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/)
"""

import asyncio
import calendar
import codecs
import hashlib
import html
import io
import ipaddress
import re
import socket
import ssl
import sys
import unicodedata
import xml.sax
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

import feedparser
import httpx
import msgspec

from connectors.bounded import ACCEPT_ENCODING, body_within
from connectors.contract import Capabilities, Observer, Reading
from connectors.pseudonym import Pseudonyms
from connectors.runner import Sleep, chance_of_ours
from connectors.sources.plain import PlainGeo, geo_from, in_utc, is_link
from records import Clock, Geo, MalformedRecord, Post, SettingsError, SourceUnavailable

PLATFORM: Final = "press"
AGENT: Final = "vigie"
"""The name that a robots.txt may speak of."""

MAX_BYTES = 2 << 20
"""No larger document is read, packed or unpacked."""

MAX_MARKS = 150_000
"""No more tags and entities than this in a document: parsing takes some 30 microseconds each."""

MAX_WORDS_SQUARED = 100_000_000
"""The sum of the squared lengths of the long words of a document; a second of feedparser, at worst."""

MAX_PROLOG_BYTES = 8192
MAX_ROBOTS_BYTES = 512 << 10
"""RFC 9309 asks for 500 KiB at least; what follows is not looked at."""

MAX_HOPS = 5
MAX_FEEDS = 50
MAX_ORIGINS = 256
MAX_SUMMARY = 300
"""An excerpt, no more: some publishers put whole articles into their feeds."""

MAX_TITLE = 500
MAX_LINK = 2048
MAX_ETAG = 256
MAX_DATE = 64
KEY_BYTES, MARK_BYTES = 6, 3
MOST_SEEN, LEAST_SEEN, SEEN_IN_ALL = 200, 40, 2_000
CIVIL_SECS = 60.0
"""Nobody's server is asked more often than this, but our own."""

LONGEST_WAIT_SECS = 900.0
LONGEST_RETRY_AFTER_SECS = 86_400.0
MANNERS_LAST = timedelta(hours=24)
FIRST_DATE = datetime(1990, 1, 1, tzinfo=UTC)
LAST_DATE = datetime.max.replace(tzinfo=UTC)
LONGEST_AHEAD = timedelta(days=366)
REDIRECTS = frozenset({301, 302, 303, 307, 308})
LASTING = frozenset({301, 308})
OK, NOT_MODIFIED = 200, 304
CLIENT_ERRORS = range(400, 500)
TOO_MANY_REQUESTS = 429
ACCEPT = (
    "application/rss+xml, application/atom+xml, application/rdf+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.1"
)
UNREACHABLE = (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, ValueError)

_INLINE = re.compile(r"</?(?:a|abbr|acronym|b|big|em|font|i|q|small|span|strong|sub|sup|u)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_SPACES = re.compile(rb"\s{64,}")
_LONG_WORD = re.compile(rb"[\w.+\x80-\xff-]{64,}")
_REFERENCE = re.compile(rb"&#(?:[xX]([0-9A-Fa-f]{1,20})|([0-9]{1,20}));")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_DECLARATION = re.compile(rb"<\?[^>]{0,512}>")
_ELEMENT = re.compile(rb"<\w")
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, which begins alike
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}")
_END = re.compile(rb"</(?:[a-z]+:)?(?:rss|feed|rdf)\s*>", re.IGNORECASE)


class Feed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One feed of a publisher."""

    url: str  # may be relative to the source's base_url
    name: str = ""  # as the operator knows it; without one, its address
    lang: str = ""  # BCP 47; without one, what the feed says


class Objects(SourceUnavailable):
    """A publisher does not want to be read by machines; we ask again after a day whether that is still so."""


class Entry(NamedTuple):
    """What is read of an entry; nothing else of it is looked at, its author least of all."""

    guid: str
    link: str
    title: str
    summary: str
    said_at: datetime | None
    geo: Geo | None

    @property
    def text(self) -> str:
        """The headline and the excerpt."""
        return "\n".join(part for part in (self.title, self.summary) if part)


class Document(NamedTuple):
    """What a feed held when it was asked."""

    entries: tuple[Entry, ...] = ()
    lang: str = ""
    is_whole: bool = True  # else the same bytes may look different next time, and must not be answered by a 304
    etag: str = ""
    modified: str = ""


class Answer(NamedTuple):
    """What a server said in the end, after its redirects."""

    status: int
    headers: httpx.Headers
    body: bytes
    address: str
    moved_to: str  # where to ask the next time; "" when nothing moved for good


class Manners(NamedTuple):
    """What a server asks of machines: its robots.txt and its reservation of text and data mining."""

    robots: str
    reserved: list[tuple[str, bool]]
    checked_at: datetime

    def objection(self, path: str) -> str:
        """Return why a path is not to be read, "" when it may be."""
        if not is_allowed(self.robots, path):
            return "robots.txt"
        is_reserved = next((value for pattern, value in self.reserved if is_match(pattern, path)), False)
        return "tdmrep.json" if is_reserved else ""


class Memory(msgspec.Struct, array_like=True):
    """What a cursor keeps of one feed."""

    etag: str = ""
    modified: str = ""
    read_at: int = 0  # seconds since 1970 of the last visit that was answered
    bad: str = ""  # hash of a document that was no feed, so that it is told once
    seen: bytes = b""  # a hash of each entry's id and one of its content, the newest last


class Standing(msgspec.Struct):
    """A cursor taken apart."""

    steps: int = 0  # readings so far
    feeds: dict[str, Memory] = {}

    def cursor_after(self, key: str, memory: Memory) -> str:
        """Return the cursor after one more reading."""
        self.steps += 1
        self.feeds[key] = memory
        return msgspec.json.encode(self).decode()


class Fresh(NamedTuple):
    """An entry to hand over."""

    identity: str
    key: bytes
    mark: bytes
    entry: Entry
    is_known: bool


@dataclass
class Place:
    """A feed, and how it fares in this run."""

    feed: Feed
    key: str  # short, for the cursor
    failures: int = 0  # visits in a row that brought no document
    is_down: bool = False  # the last of them was not answered
    is_asking: bool = False
    has_objected: bool = False
    not_before: datetime | None = None
    moved_to: str = ""


Found = Document | MalformedRecord | SourceUnavailable | None
"""What a visit brought; None when nothing has changed."""


@dataclass
class Visits:
    """The visits under way: one of each feed, waiting for its time or being answered."""

    tasks: dict[asyncio.Task[Found], Place] = field(default_factory=dict)

    def begin(self, place: Place, visit: Any) -> None:
        """Send somebody to a feed."""
        place.is_asking = False
        self.tasks[asyncio.create_task(visit, name=f"press {place.feed.name}")] = place

    async def some(self) -> list[tuple[Place, Found]]:
        """Wait for at least one to come back."""
        done, _ = await asyncio.wait(self.tasks, return_when=asyncio.FIRST_COMPLETED)
        return [(self.tasks.pop(task), task.result()) for task in done]

    async def end(self) -> None:
        """Call all back."""
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks)


class Press:
    """Reads several feeds, each at its own times, resuming with the entries that were not handed over yet."""

    capabilities = Capabilities(
        edits=True,
        positions=True,
        backfill=timedelta(hours=12),
        every=timedelta(seconds=120),
        quiet=timedelta(minutes=5),
    )

    def __init__(
        self,
        feeds: Sequence[Feed],
        *,
        pseudonyms: Pseudonyms,
        clock: Clock,
        observer: Observer,
        base_url: str = "",
        name: str = "press",
        is_trusted: bool = False,
        every_secs: float = 120.0,
        contact: str = "",
        connect_secs: float = 10.0,
        answer_secs: float = 30.0,
        at_once: int = 4,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = chance_of_ours,
    ) -> None:
        self.name = name
        self.is_trusted = is_trusted
        self.capabilities = self.capabilities._replace(
            every=timedelta(seconds=every_secs), quiet=timedelta(seconds=max(300.0, every_secs * 2.5))
        )
        self._places = places_from(feeds, base_url=base_url, name=name)
        if every_secs < CIVIL_SECS and not all(is_here(place.feed.url) for place in self._places):
            raise SettingsError(
                f"{name}: every_secs = {every_secs:g}; a publisher's server is asked once a minute at most"
            )
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._observer = observer
        self._every_secs = every_secs
        self._agent = f"Vigie/1 (+{contact})" if contact else "Vigie/1"
        self._connect_secs = connect_secs
        self._answer_secs = answer_secs
        self._slots = asyncio.Semaphore(at_once)
        self._sleep = sleep
        self._chance = chance
        self._most_seen = max(LEAST_SEEN, min(MOST_SEEN, SEEN_IN_ALL // len(self._places)))
        self._manners: dict[str, Manners] = {}

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        """Yield what is new in the feeds, for ever, or until none of them can be read."""
        standing = standing_from(after, [place.key for place in self._places])
        visits = Visits()
        async with httpx.AsyncClient(
            headers={"User-Agent": self._agent, "Accept": ACCEPT, "Accept-Encoding": ACCEPT_ENCODING},
            timeout=self._connect_secs,
            follow_redirects=False,
            verify=await asyncio.to_thread(trust),
        ) as client:
            try:
                for place in self._places:
                    visits.begin(place, self._visit(client, place, standing.feeds[place.key], self._first_wait(place)))
                while True:
                    for place, found in await visits.some():
                        wait = self._settle(place, found)
                        for reading in self._readings(place, found, standing):
                            yield reading
                        visits.begin(place, self._visit(client, place, standing.feeds[place.key], wait))
                    self._raise_when_all_are_down()
            finally:
                await visits.end()

    # When to ask

    def _first_wait(self, place: Place) -> float:
        """Return how long to wait before the first visit: about a second between feeds, or what a failure asks for."""
        if place.not_before:
            return max(0.0, (place.not_before - self._clock.now()).total_seconds())
        return self._chance() * min(self._every_secs, len(self._places))

    def _settle(self, place: Place, found: Found) -> float:
        """Note how a visit went; return how long to wait before the next."""
        place.is_asking = False
        place.is_down = isinstance(found, SourceUnavailable)
        if found is None or isinstance(found, Document):
            place.failures, place.not_before, place.has_objected = 0, None, False
            return self._every_secs * (0.9 + self._chance() / 5)
        place.failures += 1
        place.moved_to = ""
        wait = self._wait_after(place.failures, found)
        place.not_before = self._clock.now() + timedelta(seconds=wait)
        if isinstance(found, SourceUnavailable) and not (isinstance(found, Objects) and place.has_objected):
            place.has_objected = isinstance(found, Objects)
            self._observer.unavailable(self._label(place), found, retry_secs=wait)
        return wait

    def _wait_after(self, failures: int, error: MalformedRecord | SourceUnavailable) -> float:
        """Return how long to leave a feed alone: doubling, a tenth by chance; what its server asks for is a floor."""
        longest = max(LONGEST_WAIT_SECS, self._every_secs)
        wait = min(longest, self._every_secs * 2.0 ** min(failures - 1, 16)) * (0.9 + self._chance() / 5)
        asked = error.retry_after_secs if isinstance(error, SourceUnavailable) else None
        return max(wait, min(asked or 0.0, LONGEST_RETRY_AFTER_SECS))

    def _raise_when_all_are_down(self) -> None:
        """End the reading when there is nothing left to read, but not while somebody may still answer."""
        if any(not place.is_down or place.is_asking for place in self._places):
            return
        now = self._clock.now()
        waits = [(place.not_before - now).total_seconds() for place in self._places if place.not_before]
        raise SourceUnavailable(
            f"{self.name}: none of {len(self._places)} feeds can be read", retry_after_secs=max(0.0, min(waits))
        )

    def _label(self, place: Place) -> str:
        return f"{self.name}/{place.feed.name}"

    # How to ask

    async def _visit(self, client: httpx.AsyncClient, place: Place, memory: Memory, wait: float) -> Found:
        """Ask one feed when its time has come; whatever goes wrong is part of what was found."""
        await self._sleep(wait)
        place.is_asking = True
        async with self._slots:
            try:
                async with asyncio.timeout(self._answer_secs):
                    return await self._found(client, place, memory)
            except (MalformedRecord, SourceUnavailable) as error:
                return error
            except UNREACHABLE as error:
                return SourceUnavailable(f"{self._label(place)}: cannot be read: {error!r}"[:400])

    async def _found(self, client: httpx.AsyncClient, place: Place, memory: Memory) -> Document | None:
        headers = {"If-None-Match": memory.etag, "If-Modified-Since": memory.modified}
        sent = {name: value for name, value in headers.items() if value}
        answer = await self._answer(client, place, sent)
        if answer.status not in (OK, NOT_MODIFIED) or (answer.status == NOT_MODIFIED and not sent):
            raise SourceUnavailable(
                f"{self._label(place)}: status {answer.status}",
                retry_after_secs=seconds_in(answer.headers.get("Retry-After"), self._clock.now()),
            )
        if answer.headers.get("tdm-reservation", "").strip() == "1":
            raise self._objects(place, "tdm-reservation: 1")
        place.moved_to = answer.moved_to
        if answer.status == NOT_MODIFIED:
            return None
        content_type = answer.headers.get("Content-Type", "")
        document = await asyncio.to_thread(document_from, answer.body, content_type=content_type, url=answer.address)
        if not document.is_whole:
            return document
        etag, modified = answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", "")
        return document._replace(
            etag=etag if len(etag) <= MAX_ETAG else "", modified=modified if len(modified) <= MAX_DATE else ""
        )

    def _objects(self, place: Place, why: str) -> Objects:
        return Objects(
            f"{self._label(place)}: does not want to be read by machines ({why})",
            retry_after_secs=MANNERS_LAST.total_seconds(),
        )

    async def _answer(self, client: httpx.AsyncClient, place: Place, headers: dict[str, str]) -> Answer:
        """Ask for a feed, once we know of each server on the way that we may."""

        async def check(address: str) -> None:
            why = (await self._manners_of(client, address, place)).objection(path_of(address))
            if why:
                raise self._objects(place, why)

        begin = place.moved_to or place.feed.url
        answer = await get(client, begin, headers=headers, may_go_inside=self._may_go_inside(place), check=check)
        return answer._replace(moved_to=answer.moved_to or place.moved_to)

    def _may_go_inside(self, place: Place) -> Callable[[], Awaitable[bool]]:
        return lambda: is_inside(place.feed.url)

    async def _manners_of(self, client: httpx.AsyncClient, address: str, place: Place) -> Manners:
        """Return what a server asks of machines, read once a day."""
        origin, now = origin_of(address), self._clock.now()
        known = self._manners.get(origin)
        if known and now - known.checked_at < MANNERS_LAST:
            return known
        inside = self._may_go_inside(place)
        try:
            robots = await self._robots_at(client, origin, inside)
        except (MalformedRecord, SourceUnavailable, *UNREACHABLE):
            if known:
                return known  # old rules are better than none
            raise
        reserved = await self._reserved_at(client, origin, inside)
        if len(self._manners) >= MAX_ORIGINS:
            self._manners.clear()
        self._manners[origin] = Manners(robots, reserved, now)
        return self._manners[origin]

    async def _robots_at(self, client: httpx.AsyncClient, origin: str, inside: Callable[[], Awaitable[bool]]) -> str:
        """Return a server's robots.txt, "" where it has none.

        Errors  SourceUnavailable when it does not say: nothing may be read then
        """
        address = f"{origin}/robots.txt"
        answer = await get(client, address, may_go_inside=inside, limit=MAX_ROBOTS_BYTES, is_cut=True)
        if answer.status == OK:
            return answer.body.decode("utf-8", "replace")
        if answer.status in CLIENT_ERRORS and answer.status != TOO_MANY_REQUESTS:
            return ""
        raise SourceUnavailable(
            f"{self.name}: {address} answers {answer.status}, which forbids everything for now",
            retry_after_secs=seconds_in(answer.headers.get("Retry-After"), self._clock.now()),
        )

    async def _reserved_at(
        self, client: httpx.AsyncClient, origin: str, inside: Callable[[], Awaitable[bool]]
    ) -> list[tuple[str, bool]]:
        """Return a server's rules on text and data mining; what cannot be read says nothing, by the protocol."""
        try:
            answer = await get(
                client, f"{origin}/.well-known/tdmrep.json", may_go_inside=inside, limit=MAX_ROBOTS_BYTES
            )
        except (MalformedRecord, SourceUnavailable, *UNREACHABLE):
            return []
        return reserved_in(answer.body) if answer.status == OK else []

    # What to make of it

    def _readings(self, place: Place, found: Found, standing: Standing) -> Iterator[Reading]:
        """Yield what a visit brought, each with the cursor that follows it."""
        if isinstance(found, SourceUnavailable):
            return
        now = self._clock.now()
        memory = msgspec.structs.replace(standing.feeds[place.key], read_at=int(now.timestamp()))
        if isinstance(found, Document):
            yield from self._news(place, found, standing, now)
            return
        if found is None:
            yield Reading(standing.cursor_after(place.key, memory), None)
            return
        bad = hashlib.sha256(str(found).encode("utf-8", "replace")).hexdigest()[:8]
        if bad == memory.bad:  # told already; and it is no sign that the feed lives
            return
        memory = msgspec.structs.replace(memory, bad=bad, etag="", modified="")
        yield Reading(standing.cursor_after(place.key, memory), found)

    def _news(self, place: Place, document: Document, standing: Standing, now: datetime) -> Iterator[Reading]:
        """Yield the entries of a document that are new or have changed.

        Only the last reading brings the document's validators: who resumes in the middle must get it once more.
        """
        before = standing.feeds[place.key]
        entries = newest(identified(document.entries), self._most_seen)
        self._report_gap(place, before, entries)
        seen = seen_in(before.seen)
        fresh = sorted(fresh_in(entries, seen), key=lambda one: one.entry.said_at or now)
        after = Memory(document.etag, document.modified, int(now.timestamp()))
        for left, one in zip(range(len(fresh) - 1, -1, -1), fresh, strict=True):
            seen.pop(one.key, None)
            seen[one.key] = one.mark
            packed = packed_from(seen, self._most_seen)
            memory = msgspec.structs.replace(before if left else after, seen=packed)
            yield Reading(standing.cursor_after(place.key, memory), self._post(place, one, document.lang, now))
        if not fresh:
            memory = msgspec.structs.replace(after, seen=packed_from(seen, self._most_seen))
            yield Reading(standing.cursor_after(place.key, memory), None)

    def _post(self, place: Place, fresh: "Fresh", lang: str, now: datetime) -> Post | MalformedRecord:
        """Return the post of an entry; without a cursor of its own, which is long and says nothing about it."""
        try:
            post = post_from(
                fresh.entry,
                identity=fresh.identity,
                feed=place.feed,
                received_at=now,
                pseudonyms=self._pseudonyms,
                source=self.name,
                lang=lang,
                is_trusted=self.is_trusted,
            )
        except MalformedRecord as error:
            return error
        return msgspec.structs.replace(post, verb="update") if fresh.is_known else post

    def _report_gap(self, place: Place, before: Memory, entries: dict[str, Entry]) -> None:
        """Tell for how long nobody was looking, when all that was known has left the feed since."""
        seen = seen_in(before.seen)
        dates = [entry.said_at for entry in entries.values() if entry.said_at]
        if not seen or not dates or any(short_hash(identity, KEY_BYTES) in seen for identity in entries):
            return
        seconds = min(dates).timestamp() - before.read_at
        if seconds > 0 and before.read_at:
            self._observer.gap(self._label(place), min(seconds, self._clock.now().timestamp() - before.read_at))


@cache
def trust() -> ssl.SSLContext:
    """Return the authorities to trust; reading them takes a tenth of a second."""
    return httpx.create_ssl_context()


def places_from(feeds: Sequence[Feed], *, base_url: str, name: str) -> list[Place]:
    """Return the feeds to read, with whole addresses and a name each.

    Errors  SettingsError when an address is none, or comes twice
    """
    if not 0 < len(feeds) <= MAX_FEEDS:
        raise SettingsError(f"{name}: {len(feeds)} feeds; give 1 to {MAX_FEEDS}")
    places: dict[str, Place] = {}
    for feed in feeds:
        try:
            url = urljoin(base_url, feed.url)
            parts = urlsplit(url)
        except ValueError as error:
            raise SettingsError(f"{name}: {feed.url!r} is no address of a feed: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise SettingsError(
                f"{name}: {feed.url!r} is no address of a feed; give http(s)://host/path, without password"
            )
        if url in places:
            raise SettingsError(f"{name}: the feed {url} is there twice")
        label = feed.name or f"{parts.hostname}{parts.path}"
        key = hashlib.sha256(url.encode()).hexdigest()[:8]
        places[url] = Place(msgspec.structs.replace(feed, url=url, name=label), key)
    return list(places.values())


def standing_from(cursor: str | None, keys: Iterable[str]) -> Standing:
    """Read a cursor of ours; feeds that it does not know begin anew, those that nobody asks for are dropped."""
    try:
        found = msgspec.json.decode(cursor or "{}", type=Standing)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        found = Standing()
    return Standing(found.steps, {key: found.feeds.get(key) or Memory() for key in keys})


def seen_in(packed: bytes) -> dict[bytes, bytes]:
    """Return the hashes of ids and contents that a cursor holds."""
    width = KEY_BYTES + MARK_BYTES
    pairs = [packed[at : at + width] for at in range(0, len(packed) - width + 1, width)]
    return {pair[:KEY_BYTES]: pair[KEY_BYTES:] for pair in pairs}


def packed_from(seen: dict[bytes, bytes], most: int) -> bytes:
    """Return the last hashes as a cursor holds them."""
    return b"".join(key + mark for key, mark in list(seen.items())[-most:])


def short_hash(text: str, size: int) -> bytes:
    """Return the beginning of a text's hash."""
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()[:size]


def mark_of(entry: Entry) -> bytes:
    """Return the hash of what an edit would change; links and dates change by themselves."""
    return short_hash(f"{entry.text}\n{entry.geo}", MARK_BYTES)


def identified(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return entries by what tells them apart: their guid, or their link; both where a feed gives one guid to many."""
    entries = list(entries)
    uses = Counter(entry.guid or entry.link for entry in entries)
    found: dict[str, Entry] = {}
    for entry in entries:
        identity = entry.guid or entry.link or entry.title
        if uses[entry.guid or entry.link] > 1 and entry.guid:
            identity = f"{entry.guid}\n{entry.link or entry.title}"
        found.setdefault(identity, entry)
    return found


def fresh_in(entries: dict[str, Entry], seen: dict[bytes, bytes]) -> list[Fresh]:
    """Return the entries that are new or have changed, the last of the document first; those known are remembered."""
    fresh: list[Fresh] = []
    for identity, entry in reversed(entries.items()):
        key, mark = short_hash(identity, KEY_BYTES), mark_of(entry)
        known = seen.pop(key, None)
        if known is not None:
            seen[key] = known  # still in the feed: it must be the last to be forgotten
        if known != mark:
            fresh.append(Fresh(identity, key, mark, entry, known is not None))
    return fresh


def newest(entries: dict[str, Entry], most: int) -> dict[str, Entry]:
    """Return the newest entries, in the order of the document; it may hold the archive of years."""
    if len(entries) <= most:
        return entries
    by_date = sorted(entries, key=lambda identity: entries[identity].said_at or LAST_DATE, reverse=True)
    chosen = set(by_date[:most])
    return {identity: entry for identity, entry in entries.items() if identity in chosen}


def post_from(
    entry: Entry,
    *,
    identity: str,
    feed: Feed,
    received_at: datetime,
    pseudonyms: Pseudonyms,
    source: str = PLATFORM,
    lang: str = "",
    is_trusted: bool = False,
) -> Post:
    """Turn an entry into a post; its author is the publisher, by the host of the feed.

    Errors  MalformedRecord when it says nothing
    """
    if not entry.text:
        raise MalformedRecord(f"{source}/{feed.name}: an entry without words", reason="invalid")
    lang = feed.lang or lang
    return Post(
        source=source,
        id=short_hash(f"{feed.url}\n{identity}", 12).hex(),
        platform=PLATFORM,
        posted_at=date_from(entry.said_at, received_at),
        received_at=received_at,
        author_id=pseudonyms.author(PLATFORM, urlsplit(feed.url).hostname or ""),
        text=entry.text,
        kind="article",
        author_kind="press",
        lang=lang if _LANGUAGE.fullmatch(lang) else None,
        url=entry.link if is_link(entry.link) and len(entry.link) <= MAX_LINK else None,
        geo=entry.geo,
        is_trusted=is_trusted,
    )


def date_from(said_at: datetime | None, received_at: datetime) -> datetime:
    """Return the publisher's date, or ours where there is none, or one that cannot be."""
    if said_at is None or not FIRST_DATE <= said_at <= received_at + LONGEST_AHEAD:
        return received_at
    return said_at


def document_from(body: bytes, *, content_type: str = "", url: str = "") -> Document:
    """Take a document apart; broken ones as far as they can be read.

    Errors  MalformedRecord when it is no feed; its value is empty, for whom it names cannot be seen
    """
    try:
        return parsed_from(body, content_type=content_type, url=url)
    except MalformedRecord:
        raise
    except Exception as error:  # feedparser lets out whatever a broken document makes it meet
        raise MalformedRecord(f"cannot be parsed: {error!r}"[:200], reason="undecodable") from error


def parsed_from(body: bytes, *, content_type: str, url: str) -> Document:
    """Let feedparser take a document apart, and keep what we read of it."""
    tame, media_type = decoded(tamed(body), content_type)
    headers = {"content-type": media_type, "content-location": url}
    parsed = feedparser.parse(
        io.BytesIO(tame), response_headers=headers, sanitize_html=True, resolve_relative_uris=False
    )
    if not parsed.get("version"):
        raise MalformedRecord(f"no feed: {len(body)} bytes of {content_type[:60]!r}", reason="undecodable")
    is_broken = isinstance(parsed.get("bozo_exception"), xml.sax.SAXParseException)
    is_cut = is_broken and not _END.search(tame[-4096:])
    found = parsed["entries"][:-1] if is_cut else parsed["entries"]  # the last one may miss half of its words
    entries = tuple(entry_from(entry, url=url) for entry in found)
    return Document(entries, words(parsed["feed"].get("language"))[:35], not is_cut)


def tamed(body: bytes) -> bytes:
    """Return a document that cannot keep a parser busy for minutes; no honest one is changed but in its white space.

    feedparser's patterns take a time that grows with the square of a long word, run of spaces or prolog, and hold up
    the whole process meanwhile.

    Errors  MalformedRecord when there is nothing to be done
    """
    encoding = next((name for bom, name in _BOMS if body.startswith(bom)), "")
    if encoding:
        text = body.decode(encoding, "replace").encode("utf-8", "replace")
        body = b"<?xml version='1.0' encoding='utf-8'?>" + (text[text.find(b">") + 1 :] if text[:2] == b"<?" else text)
    body = _SPACES.sub(b" ", body.removeprefix(codecs.BOM_UTF8).lstrip())
    if body.count(b"<") + body.count(b"&") > MAX_MARKS:
        raise MalformedRecord(f"more than {MAX_MARKS} tags and entities", reason="too_long")
    if sum(len(word.decode("utf-8", "replace")) ** 2 for word in _LONG_WORD.findall(body)) > MAX_WORDS_SQUARED:
        raise MalformedRecord("words without an end", reason="too_long")
    declaration = _DECLARATION.match(body)
    if declaration:
        body = declaration[0] + b"\n" + body[declaration.end() :]
    begin = _ELEMENT.search(body)
    if begin is None or begin.start() > MAX_PROLOG_BYTES or (body.startswith(b"<?") and not declaration):
        raise MalformedRecord(f"no feed: {len(body)} bytes without an element to begin with", reason="undecodable")
    return _REFERENCE.sub(possible, body)


def possible(reference: re.Match[bytes]) -> bytes:
    """Return a reference to a character, or to the one that stands for what is none: feedparser would give up."""
    digits, base = (reference[1], 16) if reference[1] else (reference[2], 10)
    number = int(digits, base)
    is_character = number <= sys.maxunicode and unicodedata.category(chr(number)) != "Cs"
    return reference[0] if is_character else b"&#65533;"


def decoded(body: bytes, content_type: str) -> tuple[bytes, str]:
    """Return a document and the media type to parse it by: what is UTF-8 is taken for it, whatever is declared.

    Text in another encoding is hardly ever valid UTF-8, and publishers often declare it wrongly; a few damaged bytes
    do not make it Latin-1.
    """
    if body.isascii():
        return body, content_type
    text = body.decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    if damaged * 2 > sum(not letter.isascii() for letter in text):
        return body, content_type
    return text.encode(), "application/xml; charset=utf-8"


def entry_from(entry: Any, *, url: str = "") -> Entry:
    """Return what is read of an entry as feedparser gives it: these fields and no others."""
    summary = plain(entry, "summary")
    return Entry(
        guid=words(entry.get("id"))[:MAX_LINK],
        link=link_from(url, words(entry.get("link"))),
        title=cut(plain(entry, "title"), MAX_TITLE),
        summary=cut(summary, MAX_SUMMARY),
        said_at=said_at_in(entry),
        geo=place_in(entry),
    )


def link_from(url: str, link: str) -> str:
    """Return the whole address of an entry, "" without one."""
    try:
        return urljoin(url, link) if link else ""
    except ValueError:
        return ""


def plain(entry: Any, name: str) -> str:
    """Return a text field without its HTML."""
    text = words(entry.get(name))
    detail = entry.get(f"{name}_detail") or {}
    if detail.get("type") == "text/plain":
        return text
    return words(html.unescape(_TAG.sub(" ", _INLINE.sub("", text))))


def words(value: object) -> str:
    """Return a text in one line, as it may stand in a record; "" for anything else."""
    if not isinstance(value, str):
        return ""
    text = _CONTROLS.sub(" ", value.encode("utf-8", "replace").decode("utf-8"))  # no halves of surrogate pairs
    return unicodedata.normalize("NFC", " ".join(text.split()))


def cut(text: str, most: int) -> str:
    """Return a text of so many characters at most, cut between words."""
    if len(text) <= most:
        return text
    return text[: most - 1].rpartition(" ")[0].rstrip() + "…" if " " in text[: most - 1] else text[: most - 1] + "…"


def said_at_in(entry: Any) -> datetime | None:
    """Return when an entry was published, or last changed."""
    for name in ("published_parsed", "updated_parsed"):
        parsed = entry[name] if name in entry else None  # noqa: SIM401  `get` would give one date for the other
        if parsed:
            try:
                return datetime.fromtimestamp(calendar.timegm(parsed), UTC)
            except (ValueError, OverflowError, OSError, TypeError):
                continue
    return None


def place_in(entry: Any) -> Geo | None:
    """Return the place that an entry is about, by GeoRSS or W3C Basic Geo; one that is not on Earth is none."""
    where = entry.get("where") or {}
    try:
        if where.get("type") == "Point":
            lon, lat = where["coordinates"][:2]
        else:
            lat, lon = float(entry.get("geo_lat", "nan")), float(entry.get("geo_long", "nan"))
        return geo_from(PlainGeo(lat=lat, lon=lon, provenance="place"))
    except (ValueError, TypeError, KeyError):
        return None


def is_allowed(robots: str, path: str) -> bool:
    """Tell whether a robots.txt lets us ask for a path: the longest rule for us decides, or else for all."""
    ours, anybodys = rules_in(robots)
    rules = anybodys if ours is None else ours
    decisive = max(
        ((len(pattern), is_open) for pattern, is_open in rules if is_match(pattern, path)), default=(0, True)
    )
    return decisive[1]


def rules_in(robots: str) -> tuple[list[tuple[str, bool]] | None, list[tuple[str, bool]]]:
    """Return the rules for us, None where we are not named, and the rules for all."""
    groups: dict[str, list[tuple[str, bool]]] = {}
    agents: list[str] = []
    is_naming = False
    for line in robots.splitlines():
        name, _, value = (part.strip() for part in line.partition("#")[0].partition(":"))
        name = name.lower()
        if name == "user-agent":
            agents = [*agents, value.lower()] if is_naming else [value.lower()]
            is_naming = True
            groups.setdefault(value.lower(), [])
        elif name in ("allow", "disallow"):
            is_naming = False
            for agent in agents if value else ():
                groups[agent].append((value, name == "allow"))
    return groups.get(AGENT), groups.get("*", [])


def reserved_in(body: bytes) -> list[tuple[str, bool]]:
    """Return the rules of a tdmrep.json: path patterns, and whether text and data mining is reserved there."""
    try:
        rules = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    tables = [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    return [
        (rule["location"], str(rule.get("tdm-reservation")) == "1")
        for rule in tables
        if isinstance(rule.get("location"), str)
    ]


def is_match(pattern: str, path: str) -> bool:
    """Tell whether a path begins as a pattern says, where `*` is anything and a last `$` the end."""
    first, *rest = map(unquote, pattern.removesuffix("$").split("*"))
    path = unquote(path)
    if not path.startswith(first):
        return False
    at = len(first)
    last = rest.pop() if rest and pattern.endswith("$") else None
    for piece in rest:
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    if last is not None:
        return path.endswith(last) and len(path) - len(last) >= at
    return not pattern.endswith("$") or at == len(path)


async def get(
    client: httpx.AsyncClient,
    address: str,
    *,
    may_go_inside: Callable[[], Awaitable[bool]],
    headers: dict[str, str] | None = None,
    check: Callable[[str], Awaitable[None]] | None = None,
    limit: int = MAX_BYTES,
    is_cut: bool = False,
) -> Answer:
    """Ask for an address and follow it where it has moved, `check` before each step; read a body only with a 200.

    Errors  SourceUnavailable when it leads too far or where we do not follow; MalformedRecord when the body is too long
    """
    moved_to, is_lasting = "", True
    for _ in range(MAX_HOPS + 1):
        if check:
            await check(address)
        client.cookies.clear()  # we are nobody that they have met before
        async with client.stream("GET", address, headers=headers) as response:
            location = response.headers.get("Location", "")
            if response.status_code not in REDIRECTS or not location:
                body = await body_within(response, limit, is_cut=is_cut) if response.status_code == OK else b""
                return Answer(response.status_code, response.headers, body, address, moved_to)
        target = urljoin(address, location)
        why = why_not_followed(address, target)
        if not why and await is_inside(target) and not await may_go_inside():
            why = "into a private network"
        if why:
            raise SourceUnavailable(f"{shown(address)}: redirected {why}, which is not followed")
        is_lasting = is_lasting and response.status_code in LASTING
        address = target
        moved_to = target if is_lasting else moved_to
    raise SourceUnavailable(f"{shown(address)}: redirected more than {MAX_HOPS} times")


def why_not_followed(address: str, target: str) -> str:
    """Return why a redirect is not followed, "" when it is."""
    scheme = urlsplit(target).scheme
    if scheme not in ("http", "https"):
        return f"to {scheme[:10]!r}"
    return "from https to http" if scheme == "http" and urlsplit(address).scheme == "https" else ""


async def is_inside(address: str) -> bool:
    """Tell whether an address leads to this machine or a private network; a name that is not known leads nowhere."""
    host = urlsplit(address).hostname or ""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return any(not ipaddress.ip_address(str(one[4][0]).partition("%")[0]).is_global for one in found)


def is_here(address: str) -> bool:
    """Tell whether an address is this machine, by its looks."""
    return (urlsplit(address).hostname or "") in ("localhost", "127.0.0.1", "::1")


def origin_of(address: str) -> str:
    """Return the server of an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def shown(address: str) -> str:
    """Return an address as it may stand in a message: a query may hold a key."""
    return address.partition("?")[0]


def path_of(address: str) -> str:
    """Return what a robots.txt speaks of: the path, and the query if there is one."""
    parts = urlsplit(address)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def seconds_in(header: str | None, now: datetime) -> float | None:
    """Return how long a Retry-After header asks to wait; it holds seconds or a date."""
    if not header:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, (in_utc(parsedate_to_datetime(header)) - now).total_seconds())
    except (ValueError, OverflowError, TypeError):
        return None

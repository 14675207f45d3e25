"""Press: headlines of newspapers, radios and authorities, from their RSS and Atom feeds.

Shape   each feed is asked every few minutes; an entry that is new or has changed gives one reading, oldest first; a
        visit without news gives one without a post; a document that is no feed gives one that is malformed
Units   cursor: JSON, what `feed_memory.py` keeps of each feed
Errors  SourceUnavailable when no feed can be read; one that cannot, or must not, is told to the observer as
        `<source>/<feed>` and asked again later, while the others go on
Source  conditional requests (RFC 9110, 13); `feeds.py` and `robots.py` name the rest
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec

from connectors.bounded import ACCEPT_ENCODING
from connectors.contract import Capabilities, Observer, Reading
from connectors.pseudonym import Pseudonyms
from connectors.redirects import UNREACHABLE, Answer, get, is_inside
from connectors.retry_after import seconds_in
from connectors.runner import Sleep, chance_of_ours
from connectors.sources.feed_memory import (
    KEY_BYTES,
    Fresh,
    Memory,
    Standing,
    fresh_in,
    identified,
    most_seen,
    newest,
    packed_from,
    seen_in,
    short_hash,
    standing_from,
)
from connectors.sources.feeds import MAX_LINK, Document, Entry, document_from
from connectors.sources.plain import is_link
from connectors.sources.polling import authorities
from connectors.sources.robots import LAST_FOR, Robots
from records import Clock, MalformedRecord, Post, SettingsError, SourceUnavailable
from records.post import AuthorKind

PLATFORM: Final = "press"
MAX_BYTES = 2 << 20
"""No larger document is read, packed or unpacked."""

MAX_FEEDS = 50
MAX_ETAG = 256
MAX_DATE = 64
CIVIL_SECS = 60.0
"""Nobody's server is asked more often than this, but our own."""

LONGEST_WAIT_SECS = 900.0
LONGEST_RETRY_AFTER_SECS = 86_400.0
FIRST_DATE = datetime(1990, 1, 1, tzinfo=UTC)
LONGEST_AHEAD = timedelta(days=366)
OK, NOT_MODIFIED = 200, 304
ACCEPT = (
    "application/rss+xml, application/atom+xml, application/rdf+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.1"
)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}")


class Feed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One feed of a publisher."""

    url: str  # may be relative to the source's base_url
    name: str = ""  # as the operator knows it; without one, its address
    lang: str = ""  # BCP 47; without one, what the feed says
    author_kind: AuthorKind = "press"  # whose word it is: a prefecture's is "official"


class Objects(SourceUnavailable):
    """A publisher does not want to be read by machines; we ask again after a day whether that is still so."""


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
        self._most_seen = most_seen(len(self._places))
        self._robots = Robots(clock, name=name)

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        """Yield what is new in the feeds, for ever, or until none of them can be read."""
        standing = standing_from(after, [place.key for place in self._places])
        visits = Visits()
        async with httpx.AsyncClient(
            headers={"User-Agent": self._agent, "Accept": ACCEPT, "Accept-Encoding": ACCEPT_ENCODING},
            timeout=self._connect_secs,
            follow_redirects=False,
            verify=await asyncio.to_thread(authorities),
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
        return max(wait, asked or 0.0)

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
            asked = answer.headers.get("Retry-After")
            secs = seconds_in(asked, self._clock.now(), longest_secs=LONGEST_RETRY_AFTER_SECS)
            raise SourceUnavailable(f"{self._label(place)}: status {answer.status}", retry_after_secs=secs)
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
            retry_after_secs=LAST_FOR.total_seconds(),
        )

    async def _answer(self, client: httpx.AsyncClient, place: Place, headers: dict[str, str]) -> Answer:
        """Ask for a feed, once we know of each server on the way that we may."""

        async def may_go_inside() -> bool:
            return await is_inside(place.feed.url)

        async def check(address: str) -> None:
            why = (await self._robots.manners_of(client, address, may_go_inside)).objection(address)
            if why:
                raise self._objects(place, why)

        begin = place.moved_to or place.feed.url
        answer = await get(client, begin, headers=headers, limit=MAX_BYTES, may_go_inside=may_go_inside, check=check)
        return answer._replace(moved_to=answer.moved_to or place.moved_to)

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

    def _post(self, place: Place, fresh: Fresh, lang: str, now: datetime) -> Post | MalformedRecord:
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
        author_kind=feed.author_kind,
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


def is_here(address: str) -> bool:
    """Tell whether an address is this machine, by its looks."""
    return (urlsplit(address).hostname or "") in ("localhost", "127.0.0.1", "::1")

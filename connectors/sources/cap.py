"""CAP: alerts of authorities in the Common Alerting Protocol 1.2, from a feed of them or one document an address.

Shape   an Atom or RSS feed whose entries link to alerts or carry them, or an alert itself, asked for every few minutes;
        one reading for each alert that is new, a bulletin for each département that it concerns, and one for a look
        without news. An update or a cancellation bears the same bulletin ids as the alert that it refers to
Units   times with their zone; polygons in degrees WGS84, radii in km
Errors  MalformedRecord for what is no alert; SourceUnavailable when an address cannot be read, after all others were.
        Signatures are not checked: what comes is as good as the address that it comes from, so use https
Source  https://docs.oasis-open.org/emergency/cap/v1.2/CAP-v1.2-os.html;
        https://docs.oasis-open.org/emergency-adopt/cap-feeds/v1.0/cap-feeds-v1.0.html; MeteoAlarm's awareness_level and
        awareness_type as its feeds carry them (https://feeds.meteoalarm.org)
"""

import asyncio
import hashlib
import math
import re
import unicodedata
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec
from lxml import etree

from connectors.bounded import ACCEPT_ENCODING, LONGEST_WAIT_SECS, body_within
from connectors.cap import (
    ALERT_TYPE,
    EARTH_KM,
    Area,
    CapAlert,
    Info,
    alert_from,
    is_cap,
    key_of,
    local,
    moment_from,
    moment_in,
    text_in,
    tree_from,
)
from connectors.contract import Capabilities, Observer, Reading
from connectors.sources.plain import is_link
from records import Bulletin, Clock, MalformedRecord, Place, SettingsError, SourceUnavailable
from records.bulletin import BulletinKind, Colour
from records.place import PlaceLevel
from records.signal import Hazard

MAX_FEED_BYTES: Final = 8 << 20
MAX_ALERT_BYTES: Final = 2 << 20
MAX_ENTRIES: Final = 500
"""Of a feed no more than its newest so many alerts are read at a time."""

MAX_TEXT: Final = 2_000
MAX_REDIRECTS: Final = 3
MAX_FAILURES: Final = 3
"""After so many alerts that a server did not give, it is left alone until the next time."""

ACCEPT: Final = "application/atom+xml, application/rss+xml, application/cap+xml, application/xml;q=0.9, text/xml;q=0.8"
COLOURS: Final[Mapping[str, Colour]] = {"Moderate": "yellow", "Severe": "orange", "Extreme": "red"}
LEVELS: Final[Mapping[str, Colour]] = {"1": "green", "2": "yellow", "3": "orange", "4": "red"}
"""MeteoAlarm's awareness_level, "2; yellow; Moderate": it goes before the severity, which may stay at Minor."""

AWARENESS: Final[Mapping[str, Hazard]] = {"8": "fire", "12": "flood", "13": "flood"}
"""MeteoAlarm's awareness_type, "8; forest-fire": those that are a hazard of ours; 10 is rain, which is none."""
OF_WEATHER: Final[Hazard] = "other"
"""Wind, snow or heat: no fire and no flood is likelier for it, so it must not lower what a watch takes."""

NUTS3: Final[Mapping[str, str]] = {
    code + str(last): area
    for code, areas in {
        "FR10": "75 77 78 91 92 93 94 95",
        "FR21": "08 10 51 52",
        "FR22": "02 60 80",
        "FR23": "27 76",
        "FR24": "18 28 36 37 41 45",
        "FR25": "14 50 61",
        "FR26": "21 58 71 89",
        "FR30": "59 62",
        "FR41": "54 55 57 88",
        "FR42": "67 68",
        "FR43": "25 39 70 90",
        "FR51": "44 49 53 72 85",
        "FR52": "22 29 35 56",
        "FR53": "16 17 79 86",
        "FR61": "24 33 40 47 64",
        "FR62": "09 12 31 32 46 65 81 82",
        "FR63": "19 23 87",
        "FR71": "01 07 26 38 42 69 73 74",
        "FR72": "03 15 43 63",
        "FR81": "11 30 34 48 66",
        "FR82": "04 05 06 13 83 84",
        "FR83": "2A 2B",
    }.items()
    for last, area in enumerate(areas.split(), 1)
}
"""The départements by their code in NUTS 2013, which Météo-France still writes in its alerts."""

_FLOOD = re.compile(r"flood|inondation|\bcrues?\b|submersion")
_FIRE = re.compile(r"\bfires?\b|wildfire|incendie|\bfeux?\b")
_AREA = re.compile(r"\d{2,3}|2[AB]")
_INSEE = re.compile(r"(?:\d{2}|2[AB])\d{3}")


class Entry(NamedTuple):
    """One entry of a feed: an alert, or where it stands."""

    at: datetime | None
    key: str
    link: str
    alert: bytes = b""
    error: MalformedRecord | None = None  # what came instead of a feed
    is_whole: bool = False  # the document is the alert


class Known(msgspec.Struct, frozen=True, array_like=True):
    """What is remembered of an alert or of an entry: what its bulletins are called, so that they can be ended."""

    root: str = ""
    kind: BulletinKind = "other"
    tails: tuple[str, ...] = ()  # "76", "27", "76.1"


class Standing(msgspec.Struct, frozen=True):
    """A cursor: how many readings there were, when we last looked, and what was seen, oldest first."""

    n: int = 0
    at: datetime | None = None
    seen: dict[str, Known | None] = {}


@dataclass(frozen=True, kw_only=True)
class Ours:
    """What of an alert concerns us, and what its codes mean."""

    area: str = ""  # the département of alerts that give no code of an area
    areas: frozenset[str] = frozenset()  # the départements to keep; none: all
    geocodes: Mapping[str, str] = field(default_factory=dict)  # "NAME:CODE" or "CODE" to a département
    hazards: Mapping[str, Hazard] = field(default_factory=dict)  # event code, awareness_type or event, to a hazard
    languages: tuple[str, ...] = ("fr", "en")

    def __post_init__(self) -> None:
        for code in (*self.areas, *self.geocodes.values(), *filter(None, (self.area,))):
            if not _AREA.fullmatch(code):
                raise SettingsError(f'cap: "{code}" is no area; write the code of a département, such as "76"')


class Told(NamedTuple):
    """What an alert gives: its bulletins, and what to remember of it."""

    bulletins: tuple[Bulletin, ...] = ()
    known: Known = Known()


class Cap:
    """Reads alerts from their addresses, in turn, and again every few minutes."""

    is_trusted = True
    capabilities = Capabilities(
        carries="bulletins",
        edits=True,
        deletions=True,
        positions=True,
        every=timedelta(minutes=5),
        quiet=timedelta(minutes=20),
    )

    def __init__(
        self,
        *,
        clock: Clock,
        observer: Observer,
        ours: Ours | None = None,
        base_url: str = "https://feeds.meteoalarm.org",
        paths: Sequence[str] = ("/feeds/meteoalarm-legacy-atom-france",),
        link_hosts: Iterable[str] = (),
        name: str = "cap",
        every_secs: float = 300.0,
        timeout_secs: float = 30.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = name
        self.capabilities = self.capabilities.asked_every(every_secs)
        self._clock = clock
        self._observer = observer
        self._ours = ours or Ours()
        self._urls = tuple(urljoin(base_url, path) for path in paths)
        self._hosts = frozenset({*map(host_of, self._urls), *link_hosts})
        self._schemes = frozenset({"https", *(url.partition("://")[0].lower() for url in self._urls)})
        self._every_secs = every_secs
        self._timeout_secs = timeout_secs
        self._sleep = sleep
        if not self._urls or not all(is_link(url) for url in self._urls):
            raise SettingsError(f"{name}: base_url and paths give no address; write http:// or https:// addresses")

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        """Yield a reading for each alert that is new, and one for each look without any."""
        memory = Memory(standing_from(after), most=2 * MAX_ENTRIES * len(self._urls))
        marks: dict[str, Mapping[str, str]] = {}  # what to say so that an address answers only when it has changed
        trusted = await asyncio.to_thread(httpx.create_ssl_context)  # reads all authorities from the disk
        async with httpx.AsyncClient(
            timeout=self._timeout_secs, headers={"Accept": ACCEPT, "Accept-Encoding": ACCEPT_ENCODING}, verify=trusted
        ) as client:
            while True:
                before, failures = memory.n, []
                for url in self._urls:
                    try:
                        async with aclosing(self._news(client, url, marks, memory)) as news:
                            async for found in news:
                                yield memory.reading(found, self._clock.now())
                    except SourceUnavailable as error:
                        failures.append(error)
                if failures:
                    raise max(failures, key=lambda error: error.retry_after_secs or 0.0)
                memory.looked_at(self._clock.now())
                if memory.n == before:
                    yield memory.reading(None, self._clock.now())
                await self._sleep(self._every_secs)

    async def _news(
        self, client: httpx.AsyncClient, url: str, marks: dict[str, Mapping[str, str]], memory: "Memory"
    ) -> AsyncGenerator["Told | MalformedRecord", None]:
        """Yield what one address has that is new; it is asked whether it changed only once all of it was read."""
        response = await self._fetch(client, url, MAX_FEED_BYTES, marks.get(url, {}))
        if response is None:
            return
        failures: list[SourceUnavailable] = []
        for entry in await self._entries(response.body, url, memory):
            try:
                found = await self._told(client, entry, memory) if memory.is_new(entry.key) else None
            except SourceUnavailable as error:
                memory.forget(entry.key)
                failures.append(error)
                if len(failures) >= MAX_FAILURES or error.retry_after_secs:
                    break
            else:
                if found is not None:
                    yield found
        if failures:
            raise failures[-1]
        marks[url] = response.marks

    async def _entries(self, body: bytes, url: str, memory: "Memory") -> list[Entry]:
        """Return what an address holds; what is neither feed nor alert is one entry, with what is wrong."""
        try:
            entries = await asyncio.to_thread(entries_from, body, url)
        except MalformedRecord as error:
            return [Entry(None, key_of(url, hashlib.sha256(body).hexdigest()), url, error=error)]
        if not any(entry.key in memory.seen or entry.is_whole for entry in entries):
            since = memory.pop_resumed_at() if entries else None
            if since:  # nothing is left there of what we saw before: what came and went meanwhile, nobody saw
                self._observer.gap(self.name, max((self._clock.now() - since).total_seconds(), 0.0))
        return entries

    async def _told(self, client: httpx.AsyncClient, entry: Entry, memory: "Memory") -> "Told | MalformedRecord | None":
        """Return what an entry tells; None where it carries an alert that we know."""
        try:
            if entry.error:
                raise entry.error
            value = entry.alert or await self._linked(client, entry.link)
            alert = await asyncio.to_thread(alert_from, value)
        except MalformedRecord as error:
            return error
        if alert.key in memory.seen:
            return None if entry.alert else Told()
        told = told_by(alert, memory.seen, ours=self._ours, source=self.name, received_at=self._clock.now())
        memory.keep(alert, told.known)
        return told

    async def _linked(self, client: httpx.AsyncClient, link: str) -> bytes:
        """Return the alert that an entry links to.

        Errors  MalformedRecord when it stands where we do not look, or is there no more
        """
        if not self._is_ours(link):
            raise MalformedRecord(
                f"an alert on {host_of(link)[:100] or 'no host'}, not in link_hosts", reason="invalid"
            )
        response = await self._fetch(client, link, MAX_ALERT_BYTES, {}, is_feed=False)
        return response.body if response else b""

    async def _fetch(
        self, client: httpx.AsyncClient, url: str, limit: int, marks: Mapping[str, str], *, is_feed: bool = True
    ) -> "Fetched | None":
        """Return what an address holds, or None when it has not changed.

        Errors  SourceUnavailable when it does not answer as it should; MalformedRecord instead for an alert that is
                gone, and for what is too long
        """
        for _ in range(MAX_REDIRECTS + 1):
            try:
                async with client.stream("GET", url, headers=dict(marks)) as response:
                    if response.is_redirect and "location" in response.headers:
                        url = self._moved(url, response.headers["location"])
                        continue
                    return await self._taken(response, limit, is_feed=is_feed)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise SourceUnavailable(f"{self.name} {url}: cannot read: {error!r}") from error
        raise SourceUnavailable(f"{self.name} {url}: sends us on and on")

    def _is_ours(self, url: str) -> bool:
        """Tell whether an address may be read: an entry must not lead us into the network that we stand in."""
        return url.partition("://")[0].lower() in self._schemes and host_of(url) in self._hosts

    def _moved(self, url: str, location: str) -> str:
        moved = joined(url, location)
        if not self._is_ours(moved):
            raise SourceUnavailable(f"{self.name} {url}: moved to {moved[:200]}; mend base_url or link_hosts")
        return moved

    async def _taken(self, response: httpx.Response, limit: int, *, is_feed: bool) -> "Fetched | None":
        status = response.status_code
        if status == httpx.codes.NOT_MODIFIED:
            return None
        if not response.is_success:
            passing = {httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_EARLY, httpx.codes.TOO_MANY_REQUESTS}
            if not is_feed and response.is_client_error and status not in passing:
                raise MalformedRecord(f"the alert is not there any more (status {status})", reason="invalid")
            raise SourceUnavailable(
                f"{self.name} {response.url}: status {status}",
                retry_after_secs=seconds_in(response.headers.get("Retry-After"), self._clock.now()),
            )
        try:
            body = await body_within(response, limit)
        except MalformedRecord as error:
            raise SourceUnavailable(f"{self.name} {response.url}: {error}") if is_feed else error from error
        named = (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified"))
        return Fetched(body, {ask: response.headers[told] for ask, told in named if told in response.headers})


class Fetched(NamedTuple):
    """What an address held, and what to say the next time."""

    body: bytes
    marks: Mapping[str, str]


class Memory:
    """What was seen: what to skip, and what the bulletins of earlier alerts are called; the oldest give way."""

    def __init__(self, standing: Standing, *, most: int) -> None:
        self.n = standing.n
        self.seen: OrderedDict[str, Known | None] = OrderedDict(standing.seen)
        self._at = standing.at
        self._resumed_at = standing.at
        self._most = most

    def is_new(self, key: str) -> bool:
        """Note an entry; tell whether it was not known."""
        is_new = key not in self.seen
        self.seen.setdefault(key, None)
        self.seen.move_to_end(key)
        while len(self.seen) > self._most:
            self.seen.popitem(last=False)
        return is_new

    def forget(self, key: str) -> None:
        """Let an entry come again."""
        self.seen.pop(key, None)

    def keep(self, alert: CapAlert, known: Known) -> None:
        """Remember an alert, and that those it refers to are told by it: should they come later, they come too late."""
        for key in (*(reference.key for reference in alert.references), alert.key) if known.root else (alert.key,):
            self.is_new(key)
            self.seen[key] = known

    def looked_at(self, at: datetime) -> None:
        """Note that all addresses were read."""
        self._at, self._resumed_at = at, None

    def pop_resumed_at(self) -> datetime | None:
        """Return, once, when we last looked before we stopped; None after we have looked again."""
        resumed_at, self._resumed_at = self._resumed_at, None
        return resumed_at

    def reading(self, found: Told | MalformedRecord | None, at: datetime) -> Reading:
        """Return a reading of what was found, marked with where we stand."""
        self.n += 1
        cursor = msgspec.json.encode(Standing(self.n, self._at or at, dict(self.seen))).decode()
        if not isinstance(found, Told) or not found.bulletins:
            return Reading(cursor, found if isinstance(found, MalformedRecord) else None)
        return Reading(cursor, found.bulletins[0], found.bulletins[1:])


def standing_from(cursor: str | None) -> Standing:
    """Read a cursor of ours; anything else is the beginning."""
    try:
        return msgspec.json.decode(cursor or "{}", type=Standing)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return Standing()


def host_of(url: str) -> str:
    """Return the host of an address, with its port; "" where it has none."""
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


def joined(url: str, link: str) -> str:
    """Return where a link on a page leads; what is no link stays as it is."""
    try:
        return urljoin(url, link) if link else ""
    except ValueError:
        return link


def seconds_in(header: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, as a number or as a date."""
    if not header:
        return None
    if header.isdecimal():
        return min(float(header[:9]), LONGEST_WAIT_SECS)
    moment = moment_from(header)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST_WAIT_SECS) if moment else None


def entries_from(value: bytes, url: str) -> list[Entry]:
    """Return the entries of a feed, oldest first and each alert once; a document that is an alert is the one entry.

    Errors  MalformedRecord when it is neither
    """
    root = tree_from(value)
    kind = local(root)
    if kind == "alert" and is_cap(root):
        return [Entry(None, key_of(url, hashlib.sha256(value).hexdigest()), url, value, is_whole=True)]
    if kind not in ("feed", "rss", "RDF"):
        raise MalformedRecord(f"<{kind[:40]}> is neither a feed nor a CAP alert", reason="invalid")
    found = [entry_from(item, url) for item in descendants(root, ("entry", "item"))]
    # MeteoAlarm has an entry for each area of an alert; feeds begin with the newest.
    by_key = {entry.key: entry for entry in reversed(found) if entry.link or entry.alert}
    return sorted(by_key.values(), key=lambda entry: entry.at or datetime.min.replace(tzinfo=UTC))[-MAX_ENTRIES:]


def entry_from(item: etree._Element, url: str) -> Entry:
    """Read one entry: the alert in it, or else the link to it."""
    at = next(
        (moment for name in ("updated", "pubDate", "date", "published") if (moment := moment_in(item, name))), None
    )
    carried = next((node for node in descendants(item, ("alert",)) if is_cap(node)), None)
    if carried is not None:
        alert = etree.tostring(carried, with_tail=False)
        return Entry(at, key_of(hashlib.sha256(alert).hexdigest()), url, alert)
    link = joined(url, link_in(item))
    return Entry(at, key_of(link, at.isoformat() if at else text_in(item, "guid")), link)


def descendants(node: etree._Element, names: Sequence[str]) -> Iterator[etree._Element]:
    """Yield the elements of these names anywhere below one."""
    return (child for child in node.iterdescendants() if local(child) in names)


def link_in(item: etree._Element) -> str:
    """Return where the alert of an entry stands: what is marked as CAP, or else its page; "" without any."""
    links = [node for node in item if local(node) in ("link", "enclosure")]
    marked = next((node for node in links if node.get("type", "").partition(";")[0].strip() == ALERT_TYPE), None)
    pages = [node for node in links if local(node) == "link" and node.get("rel", "alternate") == "alternate"]
    node = marked if marked is not None else next(iter(pages), None)
    if node is None:
        return ""
    return (node.get("href") or node.get("url") or node.text or "").strip()[:2048]


def told_by(
    alert: CapAlert, seen: Mapping[str, Known | None], *, ours: Ours, source: str, received_at: datetime
) -> Told:
    """Return the bulletins of an alert: those it states, and those of earlier ones that it ends."""
    if not is_for_us(alert):
        return Told()
    kind = kind_of(alert)
    # An exercise ends no alert, and an alert no exercise.
    keys = [reference.key for reference in alert.references]
    known = [one for key in keys if (one := seen.get(key))]
    earlier = [one for one in known if one.root and (one.kind == "exercise") == (kind == "exercise")]
    unknown = [key for key in keys if not seen.get(key)]
    root = next((one.root for one in earlier), (*unknown, alert.key)[0])
    stated: dict[str, Bulletin] = {}
    if alert.message != "Cancel":
        stated = dict(_stated(alert, kind=kind, root=root, ours=ours, source=source, received_at=received_at))
    ended = {
        (whose.root, tail): _ending(alert, whose, tail, source=source, received_at=received_at)
        for whose in _over(alert, earlier, root, kind, ours)
        for tail in whose.tails
        if whose.root != root or tail not in stated
    }
    return Told((*stated.values(), *ended.values()), Known(root, kind, tuple(stated)))


def is_for_us(alert: CapAlert) -> bool:
    """Tell whether an alert speaks to the public and of now, or of an exercise."""
    is_public = alert.scope in ("", "Public")
    return is_public and alert.status in ("Actual", "Exercise") and alert.message in ("Alert", "Update", "Cancel")


def kind_of(alert: CapAlert) -> BulletinKind:
    """Return what kind of bulletin an alert is."""
    if alert.status == "Exercise":
        return "exercise"
    return "vigilance" if any("Met" in info.categories for info in alert.infos) else "other"


def _over(alert: CapAlert, earlier: list[Known], root: str, kind: BulletinKind, ours: Ours) -> list[Known]:
    """Return what an alert may end: that which it refers to, or, of what we never saw, what it names itself."""
    if earlier or alert.message != "Cancel":
        return earlier
    tails = [tail for info in spoken(alert.infos, ours.languages) for tail, _ in by_area(info, ours).items()]
    return [Known(root, kind, tuple(dict.fromkeys(tails or filter(None, [ours.area]))))]


def _stated(
    alert: CapAlert, *, kind: BulletinKind, root: str, ours: Ours, source: str, received_at: datetime
) -> Iterator[tuple[str, Bulletin]]:
    """Yield what an alert states, by the tail of the bulletin's id: the area, numbered where there are several."""
    told: dict[str, int] = {}
    for info in spoken(alert.infos, ours.languages):
        for area, areas in by_area(info, ours).items():
            times = told[area] = told.get(area, -1) + 1
            tail = f"{area}.{times}" if times else area
            yield (
                tail,
                Bulletin(
                    bulletin_id=f"{source}:{root}:{tail}",
                    source=source,
                    kind=kind,
                    area=area,
                    issued_at=alert.sent_at,
                    received_at=received_at,
                    text=text_of(info, areas),
                    hazard=hazard_of(info, ours.hazards) or (OF_WEATHER if kind == "vigilance" else None),
                    colour=None if kind == "exercise" else colour_of(info),
                    place=place_of(areas, f"local:{source}:{root}:{tail}", area),
                    starts_at=info.starts_at,
                    ends_at=info.ends_at,
                    url=info.web if is_link(info.web) else None,
                ),
            )


def _ending(alert: CapAlert, whose: Known, tail: str, *, source: str, received_at: datetime) -> Bulletin:
    """Return the bulletin that ends an earlier one."""
    infos = spoken(alert.infos, ("fr", "en"))
    return Bulletin(
        bulletin_id=f"{source}:{whose.root}:{tail}",
        source=source,
        kind=whose.kind,
        area=tail.partition(".")[0],
        issued_at=alert.sent_at,
        received_at=received_at,
        text=text_of(infos[0], ()) if infos and alert.message == "Cancel" else "Fin de l’alerte",
        ends_at=min(alert.sent_at, received_at),
    )


def spoken(infos: Sequence[Info], languages: Sequence[str]) -> list[Info]:
    """Return what is said in the first of these languages that there is, or else in the alert's own first."""
    for language in (*languages, *(info.language for info in infos)):
        found = [info for info in infos if tongue(info.language) == tongue(language)]
        if found:
            return found
    return []


def tongue(language: str) -> str:
    """Return a language without its country."""
    return language.casefold().partition("-")[0]


def by_area(info: Info, ours: Ours) -> dict[str, list[Area]]:
    """Return the areas of an alert that concern us, by département."""
    found: dict[str, list[Area]] = {}
    for area in info.areas or (Area(name=""),):
        codes = areas_of(area, ours.geocodes) if area.geocodes else [ours.area]
        for code in codes:
            if code and (not ours.areas or code in ours.areas):
                found.setdefault(code, []).append(area)
    return found


def areas_of(area: Area, geocodes: Mapping[str, str]) -> list[str]:
    """Return the départements that the codes of an area mean; a code that we do not know means none."""
    found = (department(name, value, geocodes) for name, value in area.geocodes)
    return list(dict.fromkeys(code for code in found if code))


def department(name: str, value: str, geocodes: Mapping[str, str]) -> str:
    """Return the département that a code means, "" for none that we know."""
    given = geocodes.get(f"{name}:{value}") or geocodes.get(value)
    if given:
        return given
    if name.upper().startswith("NUTS"):
        return NUTS3.get(value, "")
    if "INSEE" in name.upper():
        overseas = len("97") + value.startswith(("97", "98"))
        return value[:overseas] if _INSEE.fullmatch(value) else value if _AREA.fullmatch(value) else ""
    return ""


def colour_of(info: Info) -> Colour | None:
    """Return the colour that a severity stands for."""
    level = info.parameter("awareness_level").partition(";")[0].strip()
    return LEVELS.get(level) or COLOURS.get(info.severity)


def hazard_of(info: Info, hazards: Mapping[str, Hazard]) -> Hazard | None:
    """Return the hazard that an alert is about: by the table given, by code, or by its words; None for any other."""
    awareness = info.parameter("awareness_type").strip()
    codes = (awareness, awareness.partition(";")[0], info.event, *(f"{name}:{value}" for name, value in info.codes))
    for code in (*codes, *(value for _, value in info.codes)):
        if code in hazards:
            return hazards[code]
    by_code = AWARENESS.get(awareness.partition(";")[0].strip())
    if by_code:
        return by_code
    words = f"{info.event} {awareness}".casefold()
    if _FLOOD.search(words):
        return "flood"
    return "fire" if "Fire" in info.categories or _FIRE.search(words) else None


def text_of(info: Info, areas: Sequence[Area]) -> str:
    """Return what is to be shown of an alert."""
    names = ", ".join(dict.fromkeys(area.name for area in areas if area.name))
    head = info.headline or info.event
    head = f"{head} ({names[:300]})" if names else head
    text = " : ".join(part for part in (head, info.description) if part)
    return unicodedata.normalize("NFC", text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…")


def place_of(areas: Sequence[Area], place_id: str, dep: str) -> Place | None:
    """Return the circle around all that an alert draws in a département, or None where it draws nothing."""
    drawn = [(lat, lon, 0.0) for area in areas for lat, lon in area.points]
    drawn += [one for area in areas for one in area.circles]
    if not drawn:
        return None
    lat = (min(one[0] for one in drawn) + max(one[0] for one in drawn)) / 2
    lon = (min(one[1] for one in drawn) + max(one[1] for one in drawn)) / 2
    radius_km = max(kilometres(lat, lon, one[0], one[1]) + one[2] for one in drawn)
    levels: tuple[tuple[float, PlaceLevel], ...] = ((2, "quartier"), (15, "commune"), (100, "dep"))
    return Place(
        place_id=place_id,
        name=next((area.name for area in areas if area.name), dep),
        lat=lat,
        lon=lon,
        radius_km=max(radius_km, 1.0),
        level=next((level for most, level in levels if radius_km <= most), "region"),
        confidence=1.0,
        source="text",
        reasons=("drawn in the alert",),
        country="FR",
        dep=dep,
    )


def kilometres(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Return the distance between two positions."""
    a, b = math.radians(lat), math.radians(other_lat)
    half = math.sin((a - b) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(lon - other_lon) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(math.sqrt(half), 1.0))

"""Polling: what sources share that are asked again and again what holds now.

Shape   a sheet says in which colour each thing stands; what changed since the cursor becomes bulletins, and what is not
        green is said again after six hours; a poll without news gives one reading without a bulletin
Units   cursor: JSON with the last poll, the issue of the last sheet, and the things that are not green
Errors  SourceUnavailable when the server cannot be asked now, MalformedRecord when its answer is too long
Source  RFC 9110 (conditional requests, Retry-After)
"""

import asyncio
import re
import ssl
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec

from connectors.bounded import ACCEPT_ENCODING, LONGEST_WAIT_SECS, body_within
from connectors.contract import Capabilities, Observer, Reading
from connectors.redirects import MAX_HOPS, UNREACHABLE, is_same_server, shown, target_of
from connectors.retry_after import seconds_in
from records import Bulletin, Clock, MalformedRecord, Place, SourceUnavailable
from records.bulletin import BulletinKind, Colour
from records.signal import Hazard
from records.time import Instant

COLOURS: Final[dict[int, Colour]] = {1: "green", 2: "yellow", 3: "orange", 4: "red"}
"""The four colours as French authorities number them."""

FRENCH: Final[dict[Colour, str]] = {"green": "vert", "yellow": "jaune", "orange": "orange", "red": "rouge"}
REPEAT_AFTER = timedelta(hours=6)
HOLDS_FOR = timedelta(hours=24)
"""A colour holds for so long after it was last said, where its author names no end."""

FORGOTTEN_AFTER = timedelta(days=3)
"""A thing that no sheet has mentioned for so long is no longer remembered."""

STALE_AFTER = timedelta(hours=48)
"""A sheet that nobody has renewed for so long says nothing about now."""

AHEAD = timedelta(hours=1)
"""A sheet may be this much ahead of our clock, no more: one wrong date must not hide all that follow."""

MOST_TEXT = 600
MOST_LETTER_BYTES = 4096
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_CODE = re.compile(r"[0-9A-Z:+.-]{1,32}")
_USER_AGENT = "vigie (lookout of a crisis cell)"


class Held(msgspec.Struct, frozen=True, array_like=True):
    """A thing that is not green: as which it was told, and when last."""

    colour: Colour
    issued_at: Instant
    told_at: Instant
    starts_at: Instant | None = None
    ends_at: Instant | None = None


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where we stand with a polled source."""

    seen_at: Instant | None = None
    issued_at: Instant | None = None
    last: dict[str, Instant] = {}
    held: dict[str, Held] = {}

    def __str__(self) -> str:
        return msgspec.json.encode(self).decode()


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What a sheet says about one thing: a reach of a river, a phenomenon in a département, a station."""

    thing: str
    areas: tuple[str, ...]  # département codes
    colour: Colour
    issued_at: datetime
    kind: BulletinKind
    subject: str
    detail: str = ""
    hazard: Hazard | None = None
    place: Place | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    url: str | None = None


@dataclass(frozen=True)
class Sheet:
    """One document that says what holds: the statements at a moment, and what of it could not be read."""

    issued_at: datetime
    statements: Callable[[datetime], tuple[Statement, ...]]
    problem: MalformedRecord | None = None


@dataclass(frozen=True)
class Answer:
    """What a server answered: a body, or None when it is the one we know."""

    body: bytes | None
    validators: Mapping[str, str] = field(default_factory=dict)


_position = msgspec.json.Decoder(Position)


def position_from(cursor: str | None) -> Position:
    """Read a cursor of ours; anything else is no position, and reading starts anew."""
    try:
        return _position.decode(cursor or "{}")
    except UNREADABLE:
        return Position()


def seen(position: Position, at: datetime) -> Position:
    """Note that a poll has succeeded, and forget what nothing has been heard of for long."""
    held = {thing: one for thing, one in position.held.items() if at - one.told_at < FORGOTTEN_AFTER}
    return msgspec.structs.replace(position, seen_at=max(at, position.seen_at or at), held=held)


def news_of(
    statement: Statement, position: Position, *, source: str, at: datetime, received_at: datetime
) -> tuple[Position, tuple[Bulletin, ...]]:
    """Return the bulletins that a statement is worth now, and the position with them told.

    A change gives the new statement, and the earlier one again with its end, under its own id: so it holds no longer
    for those who keep it.
    """
    before = position.held.get(statement.thing)
    if statement.colour == "green":
        if before is None:
            return position, ()
        return _without(position, statement.thing), tuple(_changed(statement, before, source, at, received_at))
    if before is not None and _is_same(statement, before, at):
        if at - before.told_at < REPEAT_AFTER:
            return position, ()
        again = msgspec.structs.replace(before, told_at=at)
        told = tuple(bulletins_from(statement, again, source=source, received_at=received_at))
        return _with(position, statement.thing, again), told
    new = Held(statement.colour, statement.issued_at, at, statement.starts_at, statement.ends_at)
    return _with(position, statement.thing, new), tuple(_changed(statement, before, source, at, received_at))


def _changed(
    statement: Statement, before: Held | None, source: str, at: datetime, received_at: datetime
) -> Iterator[Bulletin]:
    new = Held(statement.colour, statement.issued_at, at, statement.starts_at, statement.ends_at)
    yield from bulletins_from(statement, new, source=source, received_at=received_at)
    if before is not None and before.issued_at != statement.issued_at:  # under one id, the new one takes its place
        ended = max(at, before.issued_at)
        yield from bulletins_from(statement, before, source=source, received_at=received_at, ended_at=ended)


def bulletins_from(
    statement: Statement, held: Held, *, source: str, received_at: datetime, ended_at: datetime | None = None
) -> Iterator[Bulletin]:
    """Turn a statement, as it is held, into one bulletin an area; `ended_at` when it holds no longer."""
    if ended_at:
        text = f"{statement.subject} : {FRENCH[held.colour]}, levé."
        starts_at, ends_at = None, ended_at
    else:
        text = f"{statement.subject} : {FRENCH[held.colour]}. {statement.detail}".strip()
        starts_at, ends_at = held.starts_at, held.ends_at or held.told_at + HOLDS_FOR
    for area in statement.areas:
        yield Bulletin(
            bulletin_id=f"{source}:{statement.thing}:{area}:{held.issued_at:%Y-%m-%dT%H:%M:%SZ}",
            source=source,
            kind=statement.kind,
            area=area,
            issued_at=held.issued_at,
            received_at=received_at,
            text=text[:MOST_TEXT],
            hazard=statement.hazard,
            colour=held.colour,
            place=statement.place,
            starts_at=starts_at,
            ends_at=ends_at,
            url=statement.url,
        )


def _is_same(statement: Statement, held: Held, at: datetime) -> bool:
    """Tell whether a statement is as it was told; a beginning that has passed is one like another."""
    if statement.colour != held.colour or statement.ends_at != held.ends_at:
        return False
    return max(statement.starts_at or at, at) == max(held.starts_at or at, at)


def _with(position: Position, thing: str, held: Held) -> Position:
    return msgspec.structs.replace(position, held={**position.held, thing: held})


def _without(position: Position, thing: str) -> Position:
    held = {name: one for name, one in position.held.items() if name != thing}
    return msgspec.structs.replace(position, held=held)


class PolledSheet(ABC):
    """Reads one document again and again, and tells what in it changed."""

    capabilities = Capabilities(carries="bulletins", every=timedelta(minutes=10), quiet=timedelta(minutes=30))
    is_trusted = True

    def __init__(
        self,
        *,
        name: str,
        url: str,
        clock: Clock,
        observer: Observer,
        poll_secs: float,
        connect_secs: float,
        longest_secs: float,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
        follows: bool = False,
    ) -> None:
        self.name = name
        self.capabilities = self.capabilities.asked_every(poll_secs)
        self._url = url
        self._clock = clock
        self._observer = observer
        self._poll_secs = poll_secs
        self._connect_secs = connect_secs
        self._longest_secs = longest_secs
        self._max_bytes = max_bytes
        self._headers = dict(headers or {})
        self._follows = follows  # redirects on the same server

    @abstractmethod
    def sheet_from(self, body: bytes) -> Sheet:
        """Take a document apart.

        Errors  MalformedRecord when nothing in it can be read
        """

    async def completed(self, client: httpx.AsyncClient, sheet: Sheet) -> Sheet:
        """Return a sheet with what further documents say about it."""
        return sheet

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        """Yield readings, one a poll or one a change, until the server cannot be asked."""
        position = position_from(after)
        sheet: Sheet | None = None
        validators: Mapping[str, str] = {}
        async with client_with(self._headers, connect_secs=self._connect_secs) as client:
            while True:
                problem: MalformedRecord | None = None
                try:
                    answer = await self._fetched(client, self._url, validators)
                    fresh = None if answer.body is None else await self._whole(client, answer.body)
                except MalformedRecord as error:
                    fresh, problem = None, error
                else:
                    if fresh is not None and fresh.issued_at >= (position.issued_at or fresh.issued_at):
                        sheet, problem, validators = fresh, fresh.problem, answer.validators
                        position = msgspec.structs.replace(position, issued_at=fresh.issued_at)
                position = self._seen(position, sheet)
                for reading in self._readings(position, sheet, problem):
                    position = position_from(reading.cursor)
                    yield reading
                await asyncio.sleep(self._poll_secs)

    async def _whole(self, client: httpx.AsyncClient, body: bytes) -> Sheet:
        sheet = await asyncio.to_thread(self._read, body)  # a map of the country takes tenths of a second
        return await self.completed(client, sheet)

    def _read(self, body: bytes) -> Sheet:
        sheet = self.sheet_from(body)
        if sheet.issued_at > self._clock.now() + AHEAD:
            raise MalformedRecord(f"issued in the future: {sheet.issued_at}", reason="invalid")
        return sheet

    async def _fetched(
        self, client: httpx.AsyncClient, url: str, validators: Mapping[str, str] | None = None
    ) -> Answer:
        return await fetched(
            client,
            url,
            name=self.name,
            now=self._clock.now(),
            validators=validators,
            longest_secs=self._longest_secs,
            max_bytes=self._max_bytes,
            follows=self._follows,
        )

    def _seen(self, position: Position, sheet: Sheet | None) -> Position:
        """Note a poll, and for how long there was none before.

        Errors  SourceUnavailable when the sheet is so old that nobody renews it any more
        """
        now = self._clock.now()
        if sheet is not None and now - sheet.issued_at > STALE_AFTER:
            message = f"{self.name}: not renewed since {sheet.issued_at:%Y-%m-%d %H:%M} UTC"
            raise SourceUnavailable(message, retry_after_secs=self._poll_secs)
        unseen = (now - (position.seen_at or now)).total_seconds()
        if unseen > max(3 * self._poll_secs, 3600):
            self._observer.gap(self.name, unseen)
        return seen(position, now)

    def _readings(self, position: Position, sheet: Sheet | None, problem: MalformedRecord | None) -> Iterator[Reading]:
        now = self._clock.now()
        is_news = problem is not None
        if problem is not None:
            yield Reading(str(position), problem)
        for statement in sheet.statements(now) if sheet else ():
            position, found = news_of(statement, position, source=self.name, at=now, received_at=now)
            if found:
                is_news = True
                yield Reading(str(position), found[0], found[1:])
        if not is_news:
            yield Reading(str(position), None)


def client_with(headers: Mapping[str, str], *, connect_secs: float) -> httpx.AsyncClient:
    """Return a client for one server; keys go into its headers, so it follows nowhere by itself."""
    return httpx.AsyncClient(
        headers={
            "User-Agent": _USER_AGENT,
            "Accept": "application/json",
            "Accept-Encoding": ACCEPT_ENCODING,
            **headers,
        },
        timeout=httpx.Timeout(connect_secs),
        follow_redirects=False,
        verify=authorities(),
    )


@cache
def authorities() -> ssl.SSLContext:
    """Return the authorities to trust; loading them takes a tenth of a second, so it is done once."""
    return httpx.create_ssl_context()


async def fetched(
    client: httpx.AsyncClient,
    url: str,
    *,
    name: str,
    now: datetime,
    longest_secs: float,
    max_bytes: int,
    query: Sequence[tuple[str, str]] = (),
    validators: Mapping[str, str] | None = None,
    follows: bool = False,
) -> Answer:
    """Get one document, unless it is still the one that the validators stand for.

    Errors  SourceUnavailable whatever goes wrong with the server, or when it sends us to another one; MalformedRecord
            when it sends too much
    """
    where = f"{name} {urlsplit(url).netloc}"
    params = httpx.QueryParams(list(query)) if query else None
    try:
        async with asyncio.timeout(longest_secs):
            for _ in range(MAX_HOPS + 1):
                async with client.stream("GET", url, params=params, headers=validators) as response:
                    target = target_of(response)
                    if not target:
                        return await _answer(response, max_bytes, validators or {}, name=where, now=now)
                if not (follows and is_same_server(url, target)):
                    raise SourceUnavailable(
                        f"{name}: {shown(url)} has moved to {shown(target)}, which is not followed: mend base_url"
                    )
                url, params = target, None
    except UNREACHABLE as error:
        raise SourceUnavailable(f"{where}: cannot be asked: {type(error).__name__}") from error
    raise SourceUnavailable(f"{where}: redirected more than {MAX_HOPS} times")


async def _answer(
    response: httpx.Response, max_bytes: int, validators: Mapping[str, str], *, name: str, now: datetime
) -> Answer:
    if response.status_code == httpx.codes.NOT_MODIFIED:
        return Answer(None, validators)
    if response.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        raise refusal(response, name=name, now=now)
    return Answer(await body_within(response, max_bytes), validators_in(response.headers))


def validators_in(headers: httpx.Headers) -> dict[str, str]:
    """Return the headers that ask for a document only if it is another one."""
    pairs = (("If-None-Match", headers.get("ETag")), ("If-Modified-Since", headers.get("Last-Modified")))
    return {ours: theirs for ours, theirs in pairs if theirs}


def refusal(response: httpx.Response, *, name: str, now: datetime) -> SourceUnavailable:
    """Tell what a status means for us; the body is left out, it may hold anything."""
    status = response.status_code
    hint = ": is the key right?" if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN) else ""
    return SourceUnavailable(
        f"{name}: status {status}{hint}",
        retry_after_secs=seconds_in(response.headers.get("Retry-After"), now, longest_secs=LONGEST_WAIT_SECS),
    )


def kept_of(value: bytes | msgspec.Raw, fields: frozenset[str]) -> bytes:
    """Return a bad value as it may leave the connector: numbers, codes and times of fields that we read ourselves."""
    try:
        found: Any = msgspec.json.decode(value)
    except UNREADABLE:
        return b""
    kept: dict[str, Any] = {}
    tables = [found] if isinstance(found, dict) else []
    tables += [part for part in (found.values() if tables else ()) if isinstance(part, dict)]
    for table in tables:
        kept |= {name: part for name, part in table.items() if name in fields and _is_plain(part)}
    return msgspec.json.encode(kept)[:MOST_LETTER_BYTES]


def _is_plain(value: object) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and _CODE.fullmatch(value) is not None)


def problem_of(problems: Iterable[MalformedRecord]) -> MalformedRecord | None:
    """Return one record for all that could not be read in a document, or None when all could."""
    found = list(problems)
    if not found:
        return None
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return MalformedRecord(f"{str(found[0])[:300]}{more}", reason=found[0].reason, value=found[0].value)


def invalid(error: Exception, value: bytes | msgspec.Raw, fields: frozenset[str]) -> MalformedRecord:
    """Tell what is wrong with a value, and keep what may leave of it."""
    if isinstance(error, MalformedRecord):
        return MalformedRecord(str(error), reason=error.reason, value=kept_of(value, fields))
    reason = "invalid" if isinstance(error, msgspec.ValidationError) else "undecodable"
    return MalformedRecord(str(error), reason=reason, value=kept_of(value, fields))

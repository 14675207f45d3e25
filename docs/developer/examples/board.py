"""Board: a town's own notice board, asked every minute for what was pinned since.

Shape   a JSON list of {"id", "author", "at", "text"}, oldest first; each entry gives one reading
Units   `at` in ISO 8601 with a zone; the cursor is the `at` of the last entry read
Errors  SourceUnavailable while the board cannot be asked; MalformedRecord for an entry that cannot be read
Source  the board's description, and the agreement under which it may be read
"""

import asyncio
import unicodedata
from collections.abc import AsyncGenerator
from http import HTTPStatus

import httpx
import msgspec

from connectors.bounded import ACCEPT_ENCODING, body_within
from connectors.contract import Capabilities, Reading
from connectors.pseudonym import Pseudonyms
from records import Clock, MalformedRecord, Post, SourceUnavailable
from records.time import Instant, in_utc

MAX_BYTES = 4 << 20
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Entry(msgspec.Struct, frozen=True):
    """One entry of the board, as it is sent."""

    id: str
    author: str
    at: Instant
    text: str


_entries = msgspec.json.Decoder(list[msgspec.Raw])
_entry = msgspec.json.Decoder(Entry)


def post_from(value: bytes, *, source: str, names: Pseudonyms, clock: Clock) -> Post:
    """Return what one entry says.

    Errors  MalformedRecord, without the value: it names an author
    """
    try:
        entry = _entry.decode(value)
    except UNREADABLE as error:
        raise MalformedRecord(f"{source}: not an entry of the board", reason="invalid") from error
    return Post(
        source=source,
        id=names.post(source, entry.id),
        posted_at=in_utc(entry.at),
        received_at=clock.now(),
        author_id=names.author(source, entry.author),
        text=unicodedata.normalize("NFC", entry.text),
    )


class Board:
    """Reads the board."""

    def __init__(
        self, url: str, *, pseudonyms: Pseudonyms, clock: Clock, name: str = "board", every_secs: float = 60.0
    ) -> None:
        self.name, self.is_trusted = name, False
        self.capabilities = Capabilities().asked_every(every_secs)
        self._url, self._names, self._clock, self._every_secs = url, pseudonyms, clock, every_secs

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        """Yield an entry a reading, and one without a post for each poll: a sign of life."""
        cursor = after or ""
        async with httpx.AsyncClient(headers={"Accept-Encoding": ACCEPT_ENCODING}, timeout=10.0) as client:
            while True:
                for value in await self._asked(client, cursor):
                    reading = self._reading(bytes(value), cursor)
                    cursor = reading.cursor
                    yield reading
                yield Reading(cursor, None)
                await asyncio.sleep(self._every_secs)

    async def _asked(self, client: httpx.AsyncClient, cursor: str) -> list[msgspec.Raw]:
        try:
            async with client.stream("GET", self._url, params={"since": cursor}) as answer:
                if answer.status_code != HTTPStatus.OK:
                    raise SourceUnavailable(f"{self.name}: the board answers {answer.status_code}")
                return _entries.decode(await body_within(answer, MAX_BYTES))
        except httpx.HTTPError as error:
            raise SourceUnavailable(f"{self.name}: cannot ask the board: {type(error).__name__}") from error
        except (*UNREADABLE, MalformedRecord) as error:
            raise SourceUnavailable(f"{self.name}: what the board answers is no list of entries") from error

    def _reading(self, value: bytes, cursor: str) -> Reading:
        try:
            post = post_from(value, source=self.name, names=self._names, clock=self._clock)
        except MalformedRecord as error:
            return Reading(cursor, error)
        return Reading(max(cursor, post.posted_at.isoformat()), post)

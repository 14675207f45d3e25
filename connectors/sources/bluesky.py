"""Bluesky: all public posts of the network, live, from a Jetstream server (version 2).

Shape   one reading a frame, in the server's order; the overlap that the server sends again on resuming gives none
Units   cursor: `<seq> <microseconds since 1970> <host>` of the last frame; the time helps where the seq no longer does
Errors  SourceUnavailable when the socket closes, stays silent or the server says why not: read again after the cursor
Source  lexicons/network/bsky/jetstream/{subscribeEvents,getZstdDictionary}.json and internal/subscribe/doc.go of
        https://github.com/bluesky-social/jetstream; framing: atproto proposal 0015
"""

import asyncio
import re
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec
import zstandard
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from connectors.bounded import LONGEST_WAIT_SECS
from connectors.contract import Capabilities, Observer, Reading
from connectors.cursors import number_in
from connectors.pseudonym import Pseudonyms
from connectors.retry_after import seconds_in
from connectors.tally import language_of
from records import Clock, MalformedRecord, Media, Post, SourceUnavailable
from records.time import in_utc

POSTS: Final = "app.bsky.feed.post"
SUBSCRIBE: Final = "network.bsky.jetstream.subscribeEvents"
DICTIONARY: Final = "network.bsky.jetstream.getZstdDictionary"
SUBPROTOCOL: Final = Subprotocol("xrpc.v1.json")
PLATFORM: Final = "bluesky"

DEPARTED = frozenset({"deleted", "takendown", "suspended", "deactivated"})
"""Account states in which nothing of the author may be shown any more; the others are technical."""

FIRST_TIME_CURSOR = 10**15
"""From here on the server takes a cursor for microseconds; as a time it lies before everything, so: the oldest."""

MAX_FRAME_BYTES = 4 << 20
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DID = re.compile(r"did:[a-z0-9]+:[A-Za-z0-9._:%-]*", re.IGNORECASE)
_DID_BYTES = re.compile(_DID.pattern.encode(), re.IGNORECASE)
_HANDLE_BYTES = re.compile(rb'("handle"\s*:\s*)"(?:[^"\\]|\\.)*"?')


class Reference(msgspec.Struct, frozen=True):
    """A pointer to another post: at://did/collection/rkey."""

    uri: str = ""


class Reply(msgspec.Struct, frozen=True):
    """What a post answers, and the post that the thread began with."""

    root: Reference = Reference()
    parent: Reference = Reference()


class Record(msgspec.Struct, frozen=True, rename={"created_at": "createdAt"}):
    """A post as its author published it; what we have no use for is left out."""

    text: str
    created_at: str
    langs: Any = None
    reply: Reply | None = None
    embed: dict[str, Any] | None = None


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """News of one post: made, changed or deleted."""

    seq: int
    did: Annotated[str, msgspec.Meta(min_length=5, max_length=2048)]
    time: datetime
    operation: Literal["create", "update", "delete"]
    rkey: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
    record: Record | None = None


class Status(msgspec.Struct, frozen=True):
    """What became of an account."""

    active: bool
    status: str = ""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """News of one account."""

    seq: int
    did: Annotated[str, msgspec.Meta(min_length=5, max_length=2048)]
    time: datetime
    account: Status


class Head(msgspec.Struct, frozen=True, rename={"type": "$type", "witnessed_at": "witnessedAt"}):
    """What all payloads begin with."""

    type: str = ""
    seq: Annotated[int, msgspec.Meta(ge=0)] = 0
    collection: str = ""
    time: datetime | None = None
    witnessed_at: datetime | None = None
    name: str = ""


class Envelope(msgspec.Struct, frozen=True, rename={"type": "$type"}):
    """One frame: a message, or the error after which the server closes."""

    type: str
    payload: msgspec.Raw = msgspec.Raw(b"{}")
    error: str = ""


@dataclass(frozen=True)
class Position:
    """Where we stand in a server's stream."""

    seq: int = 0
    micros: int = 0
    host: str = ""

    def __str__(self) -> str:
        return f"{self.seq} {self.micros} {self.host}" if self.seq else ""


class Resync(Exception):
    """The server cannot resume from our seq; we go by time instead."""


_envelope = msgspec.json.Decoder(Envelope)
_head = msgspec.json.Decoder(Head)
_commit = msgspec.json.Decoder(Commit)
_account = msgspec.json.Decoder(Account)


class Bluesky:
    """Reads posts from one Jetstream server, resuming after the last one that was handed over."""

    capabilities = Capabilities(edits=True, deletions=True, backfill=timedelta(hours=36))

    def __init__(
        self,
        *,
        pseudonyms: Pseudonyms,
        clock: Clock,
        observer: Observer,
        base_url: str = "wss://jetstream.us-east.bsky.network",
        name: str = "bluesky",
        is_trusted: bool = False,
        languages: frozenset[str] = frozenset(),
        silence_secs: float = 60.0,
        connect_secs: float = 10.0,
        is_compressed: bool = True,
    ) -> None:
        self.name = name
        self.is_trusted = is_trusted
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._observer = observer
        self._base_url = base_url.rstrip("/")
        self._host = urlsplit(base_url).netloc
        self._languages = languages
        self._silence_secs = silence_secs
        self._connect_secs = connect_secs
        self._is_compressed = is_compressed
        self._dictionary: tuple[int, zstandard.ZstdDecompressor] | None = None

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        """Yield readings until the socket closes, which is always SourceUnavailable."""
        position = position_from(after)
        by_time = position.host != self._host
        while True:
            try:
                async with aclosing(self._stream(position, by_time=by_time)) as readings:
                    async for reading in readings:
                        yield reading
            except Resync:
                by_time = True

    async def _stream(self, start: Position, *, by_time: bool) -> AsyncGenerator[Reading, None]:
        """Read one connection to its end.

        Errors  Resync when the server does not know our seq and there is the time to go by
        """
        position, gap_from = start, 0
        async with self._connected(start, by_time=by_time) as socket:
            while True:
                message = self.message_from(await self._frame(socket))
                head = message.head
                if head.name == "FutureCursor" and not by_time:
                    raise Resync
                if head.name == "OutdatedCursor":
                    gap_from = start.micros
                if head.seq and not by_time and head.seq <= start.seq:
                    continue  # the overlap: a cursor is inclusive
                if head.seq:
                    position = self._moved(head, position)
                    gap_from = self._report_gap(gap_from, position)
                yield message.reading(str(position))

    @asynccontextmanager
    async def _connected(self, start: Position, *, by_time: bool) -> AsyncIterator[ClientConnection]:
        """Open a socket; whatever goes wrong with it, then or later, is SourceUnavailable."""
        await self._fetch_dictionary()
        try:
            async with connect(
                self._address(start, by_time=by_time),
                subprotocols=[SUBPROTOCOL],
                compression=None,
                open_timeout=self._connect_secs,
                close_timeout=0.1,
                max_size=MAX_FRAME_BYTES,
            ) as socket:
                yield socket
        except InvalidStatus as error:
            raise self._refusal(error, by_time=by_time) from error
        except ConnectionClosed as error:
            raise SourceUnavailable(f"{self.name} {self._host}: the connection closed ({error})") from error
        except (OSError, TimeoutError, WebSocketException) as error:
            raise SourceUnavailable(f"{self.name} {self._host}: cannot connect: {error!r}") from error

    def _address(self, start: Position, *, by_time: bool) -> str:
        query: list[tuple[str, object]] = [("kinds", "commit"), ("kinds", "account"), ("collections", POSTS)]
        query.append(("maxMessageSizeBytes", MAX_FRAME_BYTES))
        if self._dictionary:
            query.append(("zstdDictionary", self._dictionary[0]))
        if start.seq:
            query.append(("cursor", max(start.micros, FIRST_TIME_CURSOR) if by_time else start.seq))
        return f"{self._base_url}/xrpc/{SUBSCRIBE}?{urlencode(query)}"

    def _refusal(self, error: InvalidStatus, *, by_time: bool) -> Exception:
        """Tell what a refused handshake means for us."""
        body = error.response.body or b""
        if b'"CursorTooOld"' in body and not by_time:
            return Resync()
        if b'"UnknownZstdDictionary"' in body:
            self._dictionary = None  # retired: the next attempt fetches the new one
        status = error.response.status_code
        return SourceUnavailable(
            f"{self.name} {self._host}: refused the connection ({status}): {body[:200]!r}",
            retry_after_secs=seconds_in(
                error.response.headers.get("Retry-After"), self._clock.now(), longest_secs=LONGEST_WAIT_SECS
            ),
        )

    async def _fetch_dictionary(self) -> None:
        """Get the server's dictionary once; a server that has none sends plain frames."""
        if not self._is_compressed or self._dictionary:
            return
        address = f"http{self._base_url.removeprefix('ws')}/xrpc/{DICTIONARY}"
        try:
            async with httpx.AsyncClient(timeout=self._connect_secs) as client:
                response = await client.get(address)
        except httpx.HTTPError as error:
            raise SourceUnavailable(f"{self.name} {self._host}: no dictionary: {error!r}") from error
        if response.is_server_error:
            raise SourceUnavailable(f"{self.name} {self._host}: no dictionary: status {response.status_code}")
        dictionary = zstandard.ZstdCompressionDict(response.content)
        if response.is_success and dictionary.dict_id():
            unpacker = zstandard.ZstdDecompressor(dict_data=dictionary)
            self._dictionary = (dictionary.dict_id(), unpacker)

    async def _frame(self, socket: ClientConnection) -> bytes | str:
        try:
            async with asyncio.timeout(self._silence_secs):
                return await socket.recv()
        except TimeoutError as error:
            raise SourceUnavailable(f"{self.name} {self._host}: silent for {self._silence_secs:g} s") from error

    def message_from(self, frame: bytes | str) -> "Message":
        """Take a frame apart.

        Errors  SourceUnavailable when it is the server's parting word
        """
        try:
            text = self._unpacked(frame)
            envelope = _envelope.decode(text)
            if envelope.type == "error":
                raise SourceUnavailable(f"{self.name} {self._host}: {envelope.error[:80] or 'an error'}")
            head = _head.decode(envelope.payload) if envelope.type == "message" else Head()
        except (MalformedRecord, *UNREADABLE) as error:
            return Message(Head(), malformed(error, frame))
        try:
            found = self._found(head, envelope.payload)
        except (MalformedRecord, *UNREADABLE) as error:
            return Message(head, malformed(error, text))
        return Message(head, *found)

    def _found(self, head: Head, payload: msgspec.Raw) -> tuple[Post | None, tuple[Post, ...]]:
        kind = head.type.removeprefix(SUBSCRIBE)
        if kind == "#commit" and head.collection == POSTS:
            return post_from(
                _commit.decode(payload),
                received_at=self._clock.now(),
                pseudonyms=self._pseudonyms,
                source=self.name,
                languages=self._languages,
                is_trusted=self.is_trusted,
            ), ()
        if kind == "#account":
            return purges_from(
                _account.decode(payload),
                received_at=self._clock.now(),
                pseudonyms=self._pseudonyms,
                source=self.name,
            )
        return None, ()

    def _unpacked(self, frame: bytes | str) -> bytes:
        if isinstance(frame, str):
            return frame.encode("utf-8", "surrogatepass")
        if self._dictionary is None:
            return frame
        try:
            size = zstandard.frame_content_size(frame)
            if size > MAX_FRAME_BYTES:
                raise MalformedRecord(f"a frame of {size} bytes, unpacked", reason="too_long")
            return self._dictionary[1].decompress(frame, max_output_size=MAX_FRAME_BYTES)
        except zstandard.ZstdError as error:
            raise MalformedRecord(f"cannot unpack {len(frame)} bytes: {error}", reason="undecodable") from error

    def _moved(self, head: Head, position: Position) -> Position:
        """Return where a frame brings us; the newest one counts, so that one bad number does not stay."""
        now = self._clock.now()
        try:
            seen_at = min(in_utc(head.witnessed_at or head.time or now), now)
        except MalformedRecord:
            seen_at = now
        return Position(head.seq, max(position.micros, micros_of(seen_at)), self._host)

    def _report_gap(self, since: int, position: Position) -> int:
        """Tell once for how long nobody was looking; return 0, for no gap any more."""
        if since and position.micros > since:
            self._observer.gap(self.name, (position.micros - since) / 1e6)
        return 0


@dataclass(frozen=True)
class Message:
    """A frame taken apart."""

    head: Head
    post: Post | MalformedRecord | None
    also: tuple[Post, ...] = ()

    def reading(self, cursor: str) -> Reading:
        """Return what the frame holds, marked with where it stood."""
        post = self.post
        if isinstance(post, Post):
            post = msgspec.structs.replace(post, cursor=cursor)
        return Reading(cursor, post, self.also)


def post_from(
    commit: Commit,
    *,
    received_at: datetime,
    pseudonyms: Pseudonyms,
    source: str = PLATFORM,
    languages: frozenset[str] = frozenset(),
    is_trusted: bool = False,
) -> Post | None:
    """Turn news of a post into a post, or None when it is in a language that nobody asked for.

    Errors  MalformedRecord when it lacks what a post needs
    """
    if commit.operation == "delete":
        record = Record(text="", created_at="")
        posted_at = in_utc(commit.time)
    elif commit.record is None:
        raise MalformedRecord(f"a {commit.operation} without a record", reason="invalid")
    else:
        record = commit.record
        posted_at = moment_from(record.created_at)
    langs = [tag for tag in record.langs if isinstance(tag, str)] if isinstance(record.langs, list) else []
    if languages and langs and languages.isdisjoint(map(language_of, langs)):
        return None
    quote_of, media = embedded(record.embed)
    reply = record.reply or Reply()
    return Post(
        source=source,
        id=pseudonyms.post(PLATFORM, f"{commit.did}/{commit.rkey}"),
        platform=PLATFORM,
        posted_at=posted_at,
        received_at=received_at,
        author_id=pseudonyms.author(PLATFORM, commit.did),
        text=unicodedata.normalize("NFC", without_dids(record.text)),
        verb=commit.operation,
        kind="comment" if record.reply else "post",
        lang=langs[0][:35] if langs else None,
        url=link_to(commit),
        thread_id=post_id_from(reply.root.uri, pseudonyms),
        reply_to=post_id_from(reply.parent.uri, pseudonyms),
        quote_of=post_id_from(quote_of, pseudonyms),
        media=media,
        is_trusted=is_trusted,
    )


def link_to(commit: Commit) -> str | None:
    """Return the page of a post, the one place where the author's name may stand; None once it is deleted."""
    if commit.operation == "delete":
        return None
    return f"https://bsky.app/profile/{commit.did}/post/{commit.rkey}"


def purges_from(
    account: Account, *, received_at: datetime, pseudonyms: Pseudonyms, source: str = PLATFORM
) -> tuple[Post | None, tuple[Post, ...]]:
    """Turn news of an account into purges of all that its author wrote, or nothing when the author is still there.

    There is a second purge when posts may be stored under the author's pseudonym of before.
    """
    if account.account.active or account.account.status not in DEPARTED:
        return None, ()
    ids = [pseudonyms.author(PLATFORM, account.did)]
    earlier = pseudonyms.earlier_author(PLATFORM, account.did)
    purges = [
        Post(
            source=source,
            id=f"author:{author_id}",
            platform=PLATFORM,
            posted_at=in_utc(account.time),
            received_at=received_at,
            author_id=author_id,
            text="",
            verb="purge",
        )
        for author_id in (*ids, earlier)
        if author_id
    ]
    return purges[0], tuple(purges[1:])


def embedded(embed: dict[str, Any] | None) -> tuple[str, tuple[Media, ...]]:
    """Return the address of the post that is quoted, "" without one, and the media; unknown kinds hold neither."""
    kind = str((embed or {}).get("$type", "")).removeprefix("app.bsky.embed.")
    if embed is None or not kind:
        return "", ()
    if kind == "recordWithMedia":
        quoted, _ = embedded(as_table(embed.get("record")))
        _, media = embedded(as_table(embed.get("media")))
        return quoted, media
    if kind == "record":
        return text_in(as_table(embed.get("record")), "uri"), ()
    return "", media_in(kind, embed)


def media_in(kind: str, embed: dict[str, Any]) -> tuple[Media, ...]:
    """Return the pictures, the film or the link of an embed."""
    if kind in ("images", "gallery"):
        found = embed.get("images" if kind == "images" else "items")
        pictures = found[:20] if isinstance(found, list) else []
        return tuple(Media(type="image", alt=described(as_table(item), "alt")) for item in pictures)
    if kind == "video":
        return (Media(type="video", alt=described(embed, "alt")),)
    if kind == "external":
        return (Media(type="link", alt=described(as_table(embed.get("external")), "title")),)
    return ()


def described(table: dict[str, Any], field: str) -> str:
    """Return a description, as it may leave the connector."""
    return unicodedata.normalize("NFC", without_dids(text_in(table, field)))


def as_table(value: object) -> dict[str, Any]:
    """Return a JSON object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def text_in(table: dict[str, Any], field: str) -> str:
    """Return a text field, or "" for anything else."""
    value = table.get(field)
    return value if isinstance(value, str) else ""


def post_id_from(uri: str, pseudonyms: Pseudonyms) -> str | None:
    """Return the pseudonym of the post at an at:// address, or None when it is not one."""
    did, _, rest = uri.removeprefix("at://").partition("/")
    collection, _, rkey = rest.partition("/")
    if not did or collection != POSTS or not rkey:
        return None
    return pseudonyms.post(PLATFORM, f"{did}/{rkey}")


def moment_from(text: str) -> datetime:
    """Read the author's time."""
    try:
        return in_utc(datetime.fromisoformat(text))
    except ValueError as error:
        raise MalformedRecord(f"not a time: createdAt {text[:40]!r}", reason="invalid") from error


def micros_of(moment: datetime) -> int:
    """Return microseconds since 1970."""
    return (in_utc(moment) - _EPOCH) // timedelta(microseconds=1)


def position_from(cursor: str | None) -> Position:
    """Read a cursor of ours; anything else is no position, and reading starts now."""
    seq, _, rest = (cursor or "").partition(" ")
    micros, _, host = rest.partition(" ")
    at, time = number_in(seq), number_in(micros)
    return Position() if at is None or time is None else Position(at, time, host)


def without_dids(text: str) -> str:
    """Return a text without account identifiers."""
    return _DID.sub("did:…", text) if "did:" in text else text


def malformed(error: Exception, frame: bytes | str) -> MalformedRecord:
    """Tell what is wrong with a frame, and keep it as it may leave the connector."""
    reason = error.reason if isinstance(error, MalformedRecord) else "undecodable"
    if isinstance(error, msgspec.ValidationError):
        reason = "invalid"
    value = frame.encode("utf-8", "surrogatepass") if isinstance(frame, str) else frame
    if value.lstrip()[:1] != b"{":
        value = b""  # packed: it cannot be seen who it names
    value = _HANDLE_BYTES.sub(rb'\1"..."', _DID_BYTES.sub(b"did:...", value))
    return MalformedRecord(f"bluesky frame: {without_dids(str(error))}", reason=reason, value=value[:65_536])

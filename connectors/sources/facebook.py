"""Facebook: the town's own Page, as Facebook tells of it at once and as its Graph API gives it again.

Two ways to the same posts, under the same keys: `facebook_app` takes Facebook's webhook; `FacebookPage` asks for what
the webhook missed.

Shape   told: 200 once the broker has what is to be kept. Asked: one reading for each post or comment that is new or
        has changed, and one without a post at the end of each poll; only that one moves the cursor
Units   cursor: `<created> <asked>` in seconds since 1970: when the newest one was written, when the last poll began
Errors  SourceUnavailable when Facebook does not answer or says why not: read again after the cursor.
        The webhook answers 503 when the broker did not take it: Facebook sends it again, for a day and a half
Source  https://developers.facebook.com/docs/graph-api: webhooks/getting-started, webhooks/reference/page (`feed`),
        reference/page/feed, reference/object/comments, results, guides/error-handling, overview/rate-limiting
"""

import asyncio
import hmac
import json
import re
import unicodedata
from collections import Counter, OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connectors.bounded import ACCEPT_ENCODING, LONGEST_WAIT_SECS, body_within
from connectors.contract import Capabilities, Gate, Observer, Outcome, Publisher, Reading
from connectors.pseudonym import Pseudonyms
from connectors.sift import everything, sifted
from connectors.sources.webhook import Limits, Refused, answer, body_of, reply, same
from connectors.tally import Tally, language_of
from records import Clock, DeadLetter, MalformedRecord, Media, Post, SettingsError, SourceUnavailable

PLATFORM: Final = "facebook"
GRAPH: Final = "https://graph.facebook.com/v27.0"  # of 4 November 2026; Facebook serves a version for about two years
LIMITS = Limits(body_bytes=8 << 20, batch_posts=5000)  # Facebook sends up to 1,000 changes at a time

Verb = Literal["create", "update", "delete"]
VERBS: Mapping[str, Verb] = {
    "add": "create",
    "unhide": "create",
    "edited": "update",
    "edit": "update",  # visitors' posts
    "update": "update",
    "remove": "delete",
    "delete": "delete",
    "hide": "delete",  # nobody but its author's friends sees it any more
}
POST_ITEMS = frozenset({"post", "status", "photo", "video", "share", "link"})
COMMENT: Final = "comment"

POST_FIELDS = (
    "id,message,message_tags,created_time,updated_time,from{id},is_hidden,is_published,"
    "attachments{media_type,subattachments{media_type}}"
)
COMMENT_FIELDS = "id,message,message_tags,created_time,from{id},parent{id},attachment{type},is_hidden,is_private"
"""All that is asked for: of an author only the id, of a picture only that it is one."""

KEPT_OF_BAD = ("item", "verb", "created_time", "published", "is_hidden")
"""What of a bad value goes to the dead letters; the rest may name somebody."""

PAGE_SIZE = "100"  # the most that Facebook gives
MAX_PAGES = 200  # of one listing in one poll
MAX_ANSWER_BYTES = 32 << 20
MAX_TEXT = 100_000  # characters; Facebook's own limit is 63,206
MAX_MEDIA = 20
MAX_SEEN = 20_000
NO_PERSONS = frozenset({"page", "event", "group", "application"})  # types of tags that name no person
SHORTEST_NAME = 2  # characters
MILLIS_FROM = 10**11  # a time from here on is in milliseconds
PAUSE_SECS = 600.0  # where a person must act, or Facebook does not say how long

RATE_LIMITED = frozenset({4, 17, 32, 341, 613, 80001})
TOKEN_GONE = frozenset({102, 190})
NO_SUCH_THING = 100
PERMISSION_FROM, PERMISSION_TO = 200, 299
OTHER_PERMISSIONS = frozenset({3, 10})

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_ID = re.compile(r"[0-9A-Za-z_:-]{1,200}")
_PLAIN_WORD = re.compile(r"[a-z_]{1,32}|[0-9T:+.Z-]{4,40}")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_MASK = "@…"

Id = str | int
Sleep = Callable[[float], Awaitable[None]]


# What Facebook sends. Fields that are not named here are never read.


class Author(msgspec.Struct, frozen=True):
    """Who wrote it: an id that holds for this Page only."""

    id: Id = ""


class Notice(msgspec.Struct, frozen=True):
    """The body of one request of the webhook."""

    object: str
    entry: tuple[msgspec.Raw, ...]


class Entry(msgspec.Struct, frozen=True):
    """What is told of one Page; an entry without changes holds private messages."""

    id: Id = ""
    time: int | float = 0
    changes: tuple[msgspec.Raw, ...] = ()


class Change(msgspec.Struct, frozen=True):
    """One change of one field of a Page."""

    field: str = ""
    value: msgspec.Raw = msgspec.Raw(b"{}")


class Head(msgspec.Struct, frozen=True):
    """What a change is about."""

    item: str = ""
    verb: str = ""


class FeedValue(msgspec.Struct, frozen=True, rename={"author": "from"}):
    """News of one post or comment."""

    item: str
    verb: str
    post_id: Id = ""
    comment_id: Id = ""
    parent_id: Id = ""
    message: str | None = None
    message_tags: Any = None
    created_time: int | float | None = None
    author: Author | None = None
    published: int | bool | None = None
    is_hidden: bool | None = None
    photo: Any = None
    photos: Any = None
    video: Any = None


class Node(msgspec.Struct, frozen=True, rename={"author": "from"}):
    """One post or comment as the Graph API gives it."""

    id: str
    created_time: str
    message: str | None = None
    message_tags: Any = None
    updated_time: str | None = None
    author: Author | None = None
    parent: Author | None = None
    attachments: Any = None
    attachment: Any = None
    is_hidden: bool | None = None
    is_published: bool | None = None
    is_private: bool | None = None


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


_notice = msgspec.json.Decoder(Notice)
_entry = msgspec.json.Decoder(Entry)
_change = msgspec.json.Decoder(Change)
_head = msgspec.json.Decoder(Head)
_value = msgspec.json.Decoder(FeedValue)
_node = msgspec.json.Decoder(Node)
_listing = msgspec.json.Decoder(Listing)
_failure = msgspec.json.Decoder(Failure)


@dataclass(frozen=True, kw_only=True)
class Told:
    """One thing on the Page, whichever way we heard of it."""

    kind: Literal["post", "comment"]
    verb: Verb
    id: str
    post_id: str
    parent_id: str
    author: str
    text: str
    created_at: datetime
    media: tuple[Media, ...]


def told_by_change(value: FeedValue, *, page_id: str, told_at: datetime) -> Told | None:
    """Return what a change tells, or None when it concerns nothing that is public.

    Errors  MalformedRecord when it lacks what a post needs
    """
    verb = VERBS.get(value.verb)
    if verb is None or (value.published is not None and not value.published and verb != "delete"):
        return None
    post_id = full_post_id(value.post_id, page_id)
    is_comment = value.item == COMMENT
    return Told(
        kind="comment" if is_comment else "post",
        verb="delete" if value.is_hidden else verb,
        id=str(value.comment_id) if is_comment else post_id,
        post_id=post_id,
        parent_id=full_post_id(value.parent_id, page_id) or post_id,
        author=str(value.author.id) if value.author else "",
        text=masked(value.message or "", value.message_tags),
        created_at=told_at if value.created_time is None else moment_at(value.created_time),
        media=media_of_change(value),
    )


def told_by_node(node: Node, *, page_id: str, thread: str) -> Told | None:
    """Return what a node of the Graph API holds, or None when it is not public; `thread` is a comment's post.

    Errors  MalformedRecord when its time is none
    """
    if node.is_private or node.is_published is False:
        return None
    own_id = node.id if thread else full_post_id(node.id, page_id)
    return Told(
        kind="comment" if thread else "post",
        verb="delete" if node.is_hidden else "create",
        id=own_id,
        post_id=thread or own_id,
        parent_id=full_post_id(node.parent.id, page_id) if node.parent else thread,
        author=str(node.author.id) if node.author else "",
        text=masked(node.message or "", node.message_tags),
        created_at=moment_from(node.created_time),
        media=media_of_node(node),
    )


def post_from(
    told: Told,
    *,
    page_id: str,
    received_at: datetime,
    pseudonyms: Pseudonyms,
    source: str = PLATFORM,
    is_trusted: bool = False,
) -> Post:
    """Turn what was told into a post; a deletion carries nothing but the key.

    Errors  MalformedRecord when its ids are none, or the text is too long
    """
    for native_id in (told.id, told.post_id):
        if not _ID.fullmatch(native_id):
            raise MalformedRecord(f"a {told.kind} without a usable id", reason="invalid")
    if len(told.text) > MAX_TEXT:
        raise MalformedRecord(f"a text of {len(told.text)} characters", reason="too_long")
    is_gone = told.verb == "delete"
    is_comment = told.kind == COMMENT
    has_author = bool(told.author) and not is_gone
    return Post(
        source=source,
        id=key_of(told.id, page_id, pseudonyms),
        platform=PLATFORM,
        posted_at=told.created_at,
        received_at=received_at,
        author_id=pseudonyms.author(PLATFORM, told.author) if has_author else "",
        author_kind="official" if has_author and told.author == page_id else "unknown",
        text="" if is_gone else unicodedata.normalize("NFC", told.text),
        verb=told.verb,
        kind=told.kind,
        url=None if is_gone else link_to(told),
        thread_id=key_of(told.post_id, page_id, pseudonyms) if is_comment else None,
        reply_to=key_of(told.parent_id or told.post_id, page_id, pseudonyms) if is_comment else None,
        media=() if is_gone else told.media,
        is_trusted=is_trusted,
    )


def key_of(native_id: str, page_id: str, pseudonyms: Pseudonyms) -> str:
    """Return an id as it may leave: one below the Page's own number stays, any other may name a person.

    It depends on nothing but the id, so that a deletion finds its post whichever way the two came.
    """
    if native_id.startswith(f"{page_id}_") and native_id.replace("_", "").isdecimal():
        return native_id
    return pseudonyms.post(PLATFORM, native_id)


def full_post_id(native_id: Id, page_id: str) -> str:
    """Return a post's id with its Page's number before it."""
    found = str(native_id)
    return f"{page_id}_{found}" if found.isdecimal() else found


def link_to(told: Told) -> str:
    """Return the page where it can be read, the one place where an id may name its author."""
    link = f"https://www.facebook.com/{told.post_id}"
    return f"{link}?comment_id={told.id.rpartition('_')[2]}" if told.kind == COMMENT else link


def masked(text: str, tags: object) -> str:
    """Return a text without the names of the people who are tagged in it; Pages and places stay.

    Whether Facebook counts offsets in characters or in UTF-16 is not documented, and a tag may be shortened to a first
    name: so the whole name is masked wherever it stands, and what stands at either offset when the name holds it.
    """
    words: set[str] = set()
    for tag in tags_in(tags):
        name = tag.get("name")
        if isinstance(name, str) and tag.get("type") not in NO_PERSONS:
            words |= {name, *(piece for piece in pieces_at(text, tag) if piece in name)}
    for word in sorted(words, key=len, reverse=True):
        if len(word.strip()) >= SHORTEST_NAME:
            text = text.replace(word, _MASK)
    return text


def pieces_at(text: str, tag: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what stands where a tag says, counted in characters and in UTF-16 units."""
    start, length = tag.get("offset"), tag.get("length")
    if not (isinstance(start, int) and isinstance(length, int) and 0 <= start <= len(text) * 2 and length > 0):
        return ()
    end = start + min(length, len(text) * 2)
    units = text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * end]
    return text[start:end], units.decode("utf-16-le", "replace")


def tags_in(tags: object) -> list[dict[str, Any]]:
    """Return the tags of a message: a list, or lists by offset as older versions have them."""
    found: list[object] = []
    if isinstance(tags, dict):
        found = [tag for some in tags.values() if isinstance(some, list) for tag in some]
    elif isinstance(tags, list):
        found = tags
    return [tag for tag in found if isinstance(tag, dict)]


def media_of_change(value: FeedValue) -> tuple[Media, ...]:
    """Return that there are pictures, a film or a link; never where."""
    if isinstance(value.photos, list) and value.photos:
        return (Media(type="image"),) * min(len(value.photos), MAX_MEDIA)
    if value.photo or value.item == "photo":
        return (Media(type="image"),)
    if value.video or value.item == "video":
        return (Media(type="video"),)
    return (Media(type="link"),) if value.item in ("share", "link") else ()


def media_of_node(node: Node) -> tuple[Media, ...]:
    """Return that there are pictures, a film or a link; never where."""
    kind = as_table(node.attachment).get("type")
    found = [kind] if kind in ("photo", "video_inline", "video_autoplay") else []
    for attachment in tables_in(node.attachments):
        within = [item.get("media_type") for item in tables_in(attachment.get("subattachments"))]
        found += within or [attachment.get("media_type")]
    return tuple(Media(type=of) for of in map(_media_type, found[:MAX_MEDIA]) if of)


def _media_type(kind: object) -> Literal["image", "video", "link"] | None:
    word = kind if isinstance(kind, str) else ""
    if word in ("photo", "album"):
        return "image"
    if word.startswith("video"):
        return "video"
    return "link" if word in ("link", "share") else None


def tables_in(value: object) -> list[dict[str, Any]]:
    """Return the objects of a `{"data": […]}`."""
    found = as_table(value).get("data")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def as_table(value: object) -> dict[str, Any]:
    """Return a JSON object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def moment_at(seconds: float) -> datetime:
    """Return a moment given in seconds since 1970."""
    try:
        return datetime.fromtimestamp(seconds / 1000 if seconds > MILLIS_FROM else seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise MalformedRecord("its time is none", reason="invalid") from error


def moment_from(text: str) -> datetime:
    """Return a moment in the notation of the Graph API: 2026-11-29T07:00:00+0000."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise MalformedRecord("its time is none", reason="invalid") from error


def malformed(error: Exception, value: bytes) -> MalformedRecord:
    """Tell what is wrong with a value, and keep of it what names nobody."""
    reason = "invalid" if isinstance(error, msgspec.ValidationError) else "undecodable"
    if isinstance(error, MalformedRecord):
        reason = error.reason
    return MalformedRecord(f"facebook: {error}", reason=reason, value=scrubbed(value))


def scrubbed(value: bytes) -> bytes:
    """Return a bad value as it may leave: the few fields that hold no words of anybody."""
    try:
        found = as_table(msgspec.json.decode(value))
    except UNREADABLE:
        return b""  # it cannot be seen whom it names
    found = as_table(found.get("value")) or found
    kept = {name: found[name] if is_plain(found[name]) else "..." for name in KEPT_OF_BAD if name in found}
    return msgspec.json.encode(kept)


def is_plain(value: object) -> bool:
    """Tell whether a value is a number, a truth value or a word of the protocol."""
    return isinstance(value, int | float) or (isinstance(value, str) and bool(_PLAIN_WORD.fullmatch(value)))


def why_not_page(page_id: str) -> str | None:
    """Return what is wrong with the number of a Page, or None."""
    return None if page_id.isascii() and page_id.isdecimal() else f"facebook: {page_id!r} is not the number of a Page"


class Memory:
    """What the two ways know of each other: what was taken down, and what the webhook has handed over.

    Facebook may tell that a post was put up after, or again after, it tells that it was taken down. The oldest give
    way, and a restart forgets all.
    """

    def __init__(self, *, keep: timedelta = timedelta(hours=36), limit: int = 10_000) -> None:
        self._keep = keep
        self._limit = limit
        self._gone: OrderedDict[str, datetime] = OrderedDict()
        self._heard: OrderedDict[str, int] = OrderedDict()

    def remove(self, post_id: str, now: datetime) -> None:
        """Note that a post is gone."""
        self._gone.pop(post_id, None)
        self._gone[post_id] = now
        while self._gone:
            oldest = next(iter(self._gone))
            if len(self._gone) <= self._limit and now - self._gone[oldest] <= self._keep:
                break
            del self._gone[oldest]

    def restore(self, post_id: str) -> None:
        """Note that a post is back."""
        self._gone.pop(post_id, None)

    def is_gone(self, post_id: str, now: datetime) -> bool:
        """Tell whether a post was taken down."""
        since = self._gone.get(post_id)
        return since is not None and now - since <= self._keep

    def note(self, post: Post) -> None:
        """Note that a post was handed over, or was none of the gate's concern."""
        self._heard.pop(post.id, None)
        self._heard[post.id] = mark_of(post)
        if len(self._heard) > self._limit:
            self._heard.popitem(last=False)

    def mark(self, post_id: str) -> int | None:
        """Return what a post looked like when it was handed over, or None where it was not."""
        return self._heard.get(post_id)


def mark_of(post: Post) -> int:
    """Return what a post looks like, to tell whether it has changed."""
    return hash((post.verb == "delete", post.text, post.media))


# Told by Facebook


class Value(NamedTuple):
    """One thing that a request of the webhook holds."""

    raw: bytes  # a change, or b"" for what is not for us
    told_at: datetime | None = None
    error: MalformedRecord | None = None


@dataclass
class Batch:
    """What one request comes to."""

    heard: list[Post] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)  # of these, what may go on
    letters: list[DeadLetter] = field(default_factory=list)
    counts: Counter[tuple[str, Outcome, str]] = field(default_factory=Counter)  # language, outcome, reason


def facebook_app(
    *,
    page_id: str,
    app_secret: str,
    verify_token: str,
    gate: Gate,
    publisher: Publisher,
    observer: Observer,
    clock: Clock,
    pseudonyms: Pseudonyms,
    name: str = PLATFORM,
    path: str = "/facebook",
    is_trusted: bool = False,
    limits: Limits = LIMITS,
    memory: Memory | None = None,
) -> Starlette:
    """Return the application that Facebook calls; mount it, or serve it by itself, behind TLS.

    Errors  SettingsError when one of the secrets is missing
    """
    hook = Hook(
        page_id=page_id,
        app_secret=app_secret,
        verify_token=verify_token,
        gate=gate,
        publisher=publisher,
        observer=observer,
        clock=clock,
        pseudonyms=pseudonyms,
        name=name,
        is_trusted=is_trusted,
        limits=limits,
        memory=memory or Memory(),
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        pulses = asyncio.create_task(hook.send_pulses_for_ever())
        yield
        pulses.cancel()
        await asyncio.wait({pulses})
        await hook.send_rest()

    return Starlette(
        routes=[Route(path, hook.greet, methods=["GET"]), Route(path, hook.take, methods=["POST"])],
        exception_handlers={HTTPException: hook.not_ours},
        lifespan=lifespan,
    )


@dataclass(kw_only=True)
class Hook:
    """What the application does: it answers Facebook's question who we are, and takes what Facebook tells."""

    page_id: str
    app_secret: str
    verify_token: str
    gate: Gate
    publisher: Publisher
    observer: Observer
    clock: Clock
    pseudonyms: Pseudonyms
    name: str
    is_trusted: bool
    limits: Limits
    memory: Memory

    def __post_init__(self) -> None:
        why_not = why_not_page(self.page_id)
        if why_not:
            raise SettingsError(why_not)
        if not (self.app_secret and self.verify_token):
            raise SettingsError("facebook: the webhook needs the app's secret and a verify token")
        self.tally = Tally(self.name)
        self.tally.turn(self.clock.now(), is_listening=False)
        self.in_turn = asyncio.Lock()

    async def greet(self, request: Request) -> Response:
        """Answer the handshake: the challenge to who knows our token, 403 to others."""
        query = request.query_params
        is_known = same(self.verify_token, query.get("hub.verify_token", ""))
        if is_known and query.get("hub.mode") == "subscribe" and query.get("hub.challenge"):
            return PlainTextResponse(query["hub.challenge"])
        self._count(Counter({("", "refused", "tampered"): 1}))
        return reply(403, {"error": "tampered"})

    async def take(self, request: Request) -> Response:
        """Answer one request that tells of changes."""
        try:
            body = await body_of(request, self.limits.body_bytes)
            # in a thread: escaping a large body takes long, and nobody has shown yet who he is
            header = request.headers.get("x-hub-signature-256")
            await asyncio.to_thread(check_signature, header, body, self.app_secret)
            async with self.in_turn:  # or a deletion could overtake its post on the way to the broker
                batch = await self._hand_over(body)
        except Refused as refusal:
            self._count(Counter({("", "refused", refusal.reason): refusal.values}))
            return answer(refusal)
        self._count(batch.counts)
        sums: Counter[str] = Counter()
        for (_, outcome, _), values in batch.counts.items():
            sums[outcome] += values
        return reply(200, dict(sums))

    async def not_ours(self, _: Request, error: Exception) -> Response:
        """Answer a request for something that we do not have."""
        self._count(Counter({("", "refused", "not_found"): 1}))
        return reply(error.status_code if isinstance(error, HTTPException) else 404, {"error": "not_found"})

    async def send_pulses_for_ever(self) -> None:
        """Hand over the counts of each minute that has ended."""
        while True:
            await asyncio.sleep(self.limits.pulse_secs)
            await self.send_due()

    async def send_due(self) -> None:
        """Hand over the counts of the minute that has ended, if one has."""
        pulses = self.tally.turn(self.clock.now(), is_listening=True)
        if pulses:
            await self.publisher.pulses(pulses)

    async def send_rest(self) -> None:
        """Hand over the counts of the minute under way."""
        pulses = self.tally.rest(is_listening=False)
        if pulses:
            await self.publisher.pulses(pulses)

    async def _hand_over(self, body: bytes) -> Batch:
        """Give the broker what is to be kept.

        Facebook cannot mend a bad change, and stops sending to who keeps refusing: so it goes to the dead letters.
        """
        values = values_in(body, page_id=self.page_id, limit=self.limits.batch_posts)
        batch = self._batch(values)
        try:
            if batch.posts:
                await self.publisher.posts(batch.posts)
            if batch.letters:
                await self.publisher.dead_letters(batch.letters)
        except Exception as error:  # whatever kept the broker from it, Facebook must hear of it
            raise Refused("not_taken", type(error).__name__, values=len(values)) from error
        for post in batch.heard:
            self.memory.note(post)
        return batch

    def _batch(self, values: Sequence[Value]) -> Batch:
        batch, now = Batch(), self.clock.now()
        for value in values:
            try:
                post = self._post(value, now)
            except MalformedRecord as error:
                batch.counts["", "refused", error.reason] += 1
                batch.letters.append(self._letter(error, now))
                continue
            if post is None:
                batch.counts["", "not_a_post", ""] += 1
                continue
            batch.heard.append(post)
            kept = sifted(post, everything if self.is_trusted else self.gate)
            batch.counts[language_of(post.lang), "gated" if kept is None else "kept", ""] += 1
            if kept is not None:
                batch.posts.append(kept)
        return batch

    def _post(self, value: Value, now: datetime) -> Post | None:
        """Return the post that a value tells of, or None where it is none or was taken down before."""
        if value.error:
            raise value.error
        found = feed_value_in(value.raw) if value.raw else None
        if found is None:
            return None
        try:
            told = told_by_change(found, page_id=self.page_id, told_at=value.told_at or now)
            if told is None:
                return None
            post = post_from(
                told,
                page_id=self.page_id,
                received_at=now,
                pseudonyms=self.pseudonyms,
                source=self.name,
                is_trusted=self.is_trusted,
            )
        except MalformedRecord as error:
            raise malformed(error, value.raw) from error
        return self._unless_gone(post, now, is_back=found.verb == "unhide")

    def _unless_gone(self, post: Post, now: datetime, *, is_back: bool) -> Post | None:
        """Remember what was taken down: Facebook may tell of it before, or again after, it tells that it was put up."""
        if post.verb == "delete":
            self.memory.remove(post.id, now)
        elif is_back:
            self.memory.restore(post.id)
        elif self.memory.is_gone(post.id, now):
            return None
        return post

    def _letter(self, error: MalformedRecord, now: datetime) -> DeadLetter:
        return DeadLetter(
            topic=f"source:{self.name}", reason=error.reason, detail=str(error), value=error.value, died_at=now
        )

    def _count(self, counts: Counter[tuple[str, Outcome, str]]) -> None:
        for (language, outcome, reason), values in counts.items():
            self.tally.add(language, outcome, values)
            self.observer.counted(self.name, outcome, values, reason=reason)


_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")


def check_signature(header: str | None, body: bytes, app_secret: str) -> None:
    """Refuse a body that Facebook did not sign.

    Facebook signs the text with all but ASCII escaped; that is how it sends it, too, but it only promises the former.
    """
    if not header:
        raise Refused("unsigned")
    if not _SIGNATURE.fullmatch(header):
        raise Refused("tampered")
    for signed in (body, escaped(body)):
        if same("sha256=" + hmac.digest(app_secret.encode(), signed, "sha256").hex(), header):
            return
    raise Refused("tampered")


def escaped(body: bytes) -> bytes:
    """Return a JSON text with all but ASCII escaped."""
    if body.isascii():
        return body
    text = body.decode("utf-8", "replace")
    return _NOT_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], text).encode()


def values_in(body: bytes, *, page_id: str, limit: int) -> Sequence[Value]:
    """Return what a request holds: one value a change, and one for each entry that is not for us.

    Errors  Refused: `not_json`, `invalid`, `empty`, `too_many`
    """
    try:
        notice = _notice.decode(body)
    except msgspec.ValidationError as error:
        raise Refused("invalid", str(error)) from error
    except UNREADABLE as error:
        raise Refused("not_json", type(error).__name__) from error
    values: list[Value] = []
    for raw in notice.entry:
        values += values_of(bytes(raw), page_id=page_id if notice.object == "page" else "")
    if not values:
        raise Refused("empty")
    if len(values) > limit:
        raise Refused("too_many", f"{len(values)} changes, the limit is {limit}", values=len(values))
    return values


def values_of(raw: bytes, *, page_id: str) -> list[Value]:
    """Return the changes of one entry; one value stands for an entry of another Page, or of private messages."""
    try:
        entry = _entry.decode(raw)
        told_at = moment_at(entry.time) if entry.time else None
    except (MalformedRecord, *UNREADABLE) as error:
        return [Value(b"", error=malformed(error, raw))]
    if str(entry.id) != page_id or not entry.changes:
        return [Value(b"")] * max(len(entry.changes), 1)
    return [Value(bytes(change), told_at) for change in entry.changes]


def feed_value_in(raw: bytes) -> FeedValue | None:
    """Return what a change says of a post or a comment, or None when it is about something else.

    Errors  MalformedRecord
    """
    try:
        change = _change.decode(raw)
        head = _head.decode(change.value)
        if change.field != "feed" or not (head.item in POST_ITEMS or head.item == COMMENT):
            return None
        return _value.decode(change.value)
    except UNREADABLE as error:
        raise malformed(error, raw) from error


# Asked of the Graph API


@dataclass(frozen=True)
class Position:
    """Where we stand: when the newest one was written, when we last asked for all."""

    newest: int = 0
    asked: int = 0

    def __str__(self) -> str:
        return f"{self.newest} {self.asked}" if self.asked else ""


def position_from(cursor: str | None) -> Position:
    """Read a cursor of ours; anything else is no position."""
    newest, _, asked = (cursor or "").partition(" ")
    if not (newest.isdecimal() and asked.isdecimal()):
        return Position()
    return Position(int(newest), int(asked))


@dataclass(frozen=True)
class Window:
    """What one poll looks at, in seconds since 1970."""

    asked: int
    since: int  # what was written before was handed over before
    floor: int  # older posts are not looked at, nor what is said below them


class Item(NamedTuple):
    """One piece of a listing, and what it looks like."""

    mark: int
    node: Node | MalformedRecord


class Found(NamedTuple):
    """What a piece of a listing comes to, under the name by which it is known again."""

    key: str
    mark: int
    written: int
    record: Post | MalformedRecord | None


class Gone(SourceUnavailable):
    """What was asked for is not there any more."""


class Seen:
    """What was handed over since reading began, so that only news is; the oldest give way."""

    def __init__(self, since: int, limit: int = MAX_SEEN) -> None:
        self._since = since
        self._limit = limit
        self._marks: OrderedDict[str, int] = OrderedDict()

    def change(self, found: Found) -> Literal["new", "changed"] | None:
        """Tell whether this is new or has changed; what was written before reading began counts as handed over."""
        before = self._marks.pop(found.key, None)
        self._marks[found.key] = found.mark
        if len(self._marks) > self._limit:
            self._marks.popitem(last=False)
        if before is None:
            return "new" if found.written >= self._since else None
        return "changed" if before != found.mark else None


class FacebookPage:
    """Reads the posts of one Page and the comments below them, every few minutes."""

    capabilities = Capabilities(
        edits=True, backfill=timedelta(days=7), every=timedelta(minutes=5), quiet=timedelta(minutes=15)
    )

    def __init__(
        self,
        *,
        page_id: str,
        token: str,
        pseudonyms: Pseudonyms,
        clock: Clock,
        observer: Observer,
        base_url: str = GRAPH,
        name: str = PLATFORM,
        is_trusted: bool = False,
        every_secs: float = 300.0,
        overlap_secs: int = 900,
        start_hours: int = 24,
        look_back_days: int = 7,
        app_secret: str = "",
        memory: Memory | None = None,
        connect_secs: float = 10.0,
        read_secs: float = 30.0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        why_not = why_not_page(page_id) or (None if token else "facebook: reading a Page needs its token")
        if why_not:
            raise SettingsError(why_not)
        self.name = name
        self.is_trusted = is_trusted
        self.capabilities = type(self).capabilities._replace(
            backfill=timedelta(days=look_back_days),
            every=timedelta(seconds=every_secs),
            quiet=timedelta(seconds=3 * every_secs),
        )
        self._page_id = page_id
        self._token = token
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._observer = observer
        self._base_url = base_url.rstrip("/")
        self._every_secs = every_secs
        self._overlap_secs = overlap_secs
        self._start_secs = start_hours * 3600
        self._look_back_secs = look_back_days * 86_400
        self._proof = hmac.digest(app_secret.encode(), token.encode(), "sha256").hex() if app_secret else ""
        self._memory = memory or Memory()
        self._timeout = httpx.Timeout(read_secs, connect=connect_secs)
        self._sleep = sleep

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        """Yield what is new or has changed, poll by poll."""
        position = position_from(after)
        seen = Seen(self._window(position).since)
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/json",
            "Accept-Encoding": ACCEPT_ENCODING,
        }
        async with httpx.AsyncClient(timeout=self._timeout, headers=headers) as client:
            while True:
                async with aclosing(self._poll(client, position, seen)) as readings:
                    async for reading in readings:
                        position = position_from(reading.cursor)
                        yield reading
                await self._sleep(self._every_secs)

    async def _poll(self, client: httpx.AsyncClient, start: Position, seen: Seen) -> AsyncGenerator[Reading, None]:
        """Ask for all once; the cursor moves only when all was answered, so what was not comes again."""
        window, cursor = self._window(start), str(start)
        newest = start.newest
        try:
            async with aclosing(self._found(client, window)) as pieces:
                async for found in pieces:
                    newest = max(newest, min(found.written, window.asked))
                    change = self._change(found, seen)
                    if change:
                        yield Reading(cursor, marked(found.record, cursor, is_changed=change == "changed"))
        except MalformedRecord as error:  # an answer that is none
            yield Reading(cursor, error)
            raise SourceUnavailable(f"{self.name}: {error}", retry_after_secs=self._every_secs) from error
        if 0 < start.asked < window.floor:
            self._observer.gap(self.name, window.floor - start.asked)
        yield Reading(str(Position(newest, window.asked)), None)

    def _change(self, found: Found, seen: Seen) -> Literal["new", "changed"] | None:
        """Tell whether neither way has handed this over, or has but as it was before."""
        change = seen.change(found)
        told = self._memory.mark(found.key)
        if change is None or told is None:
            return change
        return None if told == found.mark else "changed"

    def _window(self, start: Position) -> Window:
        asked = max(int(self._clock.now().timestamp()), start.asked)
        floor = asked - self._look_back_secs
        since = start.newest - self._overlap_secs if start.newest else asked - self._start_secs
        return Window(asked, max(since, floor), floor)

    async def _found(self, client: httpx.AsyncClient, window: Window) -> AsyncGenerator[Found, None]:
        """Yield the Page's posts, each followed by what was said below it."""
        feed = self._items(client, f"{self._page_id}/feed", {"fields": POST_FIELDS}, window.floor)
        async with aclosing(feed) as posts:
            async for item in posts:
                yield self._made(item, thread="")
                if not has_news_below(item.node, window):
                    continue
                async with aclosing(self._comments(client, item.node, window)) as comments:
                    async for comment in comments:
                        yield comment

    async def _comments(
        self, client: httpx.AsyncClient, post: Node | MalformedRecord, window: Window
    ) -> AsyncGenerator[Found, None]:
        """Yield the comments below a post, the newest first; none when it has been taken down meanwhile."""
        if isinstance(post, MalformedRecord) or not _ID.fullmatch(post.id):
            return
        query = {"fields": COMMENT_FIELDS, "filter": "stream", "order": "reverse_chronological"}
        thread = full_post_id(post.id, self._page_id)
        try:
            async with aclosing(self._items(client, f"{thread}/comments", query, window.since)) as items:
                async for item in items:
                    yield self._made(item, thread=thread)
        except Gone:
            return

    async def _items(
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
        self._observer.gap(self.name, max(oldest - since, 0))

    def _made(self, item: Item, *, thread: str) -> Found:
        """Make of a piece of a listing what goes on."""
        node = item.node
        if isinstance(node, MalformedRecord):
            return Found(f"bad {item.mark}", item.mark, self._now(), node)
        try:
            told = told_by_node(node, page_id=self._page_id, thread=thread)
            if told is None:
                return Found(f"not public {node.id}", 0, written_at(node), None)
            post = post_from(
                told,
                page_id=self._page_id,
                received_at=self._clock.now(),
                pseudonyms=self._pseudonyms,
                source=self.name,
                is_trusted=self.is_trusted,
            )
        except MalformedRecord as error:
            bad = malformed(error, msgspec.json.encode({"created_time": node.created_time}))
            return Found(f"bad {item.mark}", item.mark, self._now(), bad)
        if post.verb != "delete" and self._memory.is_gone(post.id, self._clock.now()):
            return Found(post.id, 0, written_at(node), None)  # the listing is older than what the webhook said
        return Found(post.id, mark_of(post), written_at(node), post)

    def _now(self) -> int:
        return int(self._clock.now().timestamp())

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
            raise SourceUnavailable(f"{self.name}: {error}", retry_after_secs=PAUSE_SECS) from error
        except httpx.HTTPError as error:
            raise SourceUnavailable(f"{self.name}: no answer: {type(error).__name__}: {error}") from error
        if response.is_success:
            return body
        raise refusal_from(response.status_code, response.headers, body, name=self.name)


def has_news_below(node: Node | MalformedRecord, window: Window) -> bool:
    """Tell whether somebody may have commented lately: a comment moves the time of the last change."""
    if isinstance(node, MalformedRecord):
        return False
    try:
        return node.updated_time is None or moment_from(node.updated_time).timestamp() >= window.since
    except MalformedRecord:
        return True


def marked(record: Post | MalformedRecord | None, cursor: str, *, is_changed: bool) -> Post | MalformedRecord | None:
    """Return what was found with where we stood; a post that was handed over before is an edit now."""
    if not isinstance(record, Post):
        return record
    verb = "update" if is_changed and record.verb == "create" else record.verb
    return msgspec.structs.replace(record, verb=verb, cursor=cursor or None)


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


def refusal_from(status: int, headers: Mapping[str, str], body: bytes, *, name: str = PLATFORM) -> SourceUnavailable:
    """Tell what a refusal means for us, and what would do."""
    try:
        error = _failure.decode(body).error
    except UNREADABLE:
        error = GraphError()
    where = f"status {status}, code {error.code}/{error.error_subcode}"
    if _ID.fullmatch(error.fbtrace_id):
        where += f", trace {error.fbtrace_id}"
    if error.code in TOKEN_GONE:
        return SourceUnavailable(
            f"{name}: the Page's token has expired or was withdrawn ({where}): make a new one, put it in its file, "
            "restart",
            retry_after_secs=PAUSE_SECS,
        )
    if error.code in RATE_LIMITED:
        return SourceUnavailable(f"{name}: asked too often ({where})", retry_after_secs=seconds_to_wait(headers))
    if error.code in OTHER_PERMISSIONS or PERMISSION_FROM <= error.code <= PERMISSION_TO:
        return SourceUnavailable(
            f"{name}: the token lacks a permission ({where}): pages_read_engagement and pages_read_user_content",
            retry_after_secs=PAUSE_SECS,
        )
    if error.code == NO_SUCH_THING:
        return Gone(f"{name}: no such Page, or not for this token ({where})", retry_after_secs=PAUSE_SECS)
    return SourceUnavailable(f"{name}: refused ({where})", retry_after_secs=seconds_in(headers.get("retry-after")))


def seconds_to_wait(headers: Mapping[str, str]) -> float:
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
    return seconds_in(headers.get("retry-after")) or PAUSE_SECS  # X-App-Usage says how much, not how long


def seconds_in(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for."""
    if not (header and header.isascii() and header.isdecimal()):
        return None
    return min(float(header[:9]), LONGEST_WAIT_SECS)

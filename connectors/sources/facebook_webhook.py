"""Facebook's webhook: what the Page's own application is told, at once and signed.

Shape   200 once the broker has what is to be kept; a bad change goes to the dead letters and is answered with 200 too
Errors  a refusal says why; 503 when the broker did not take it: Facebook sends it again, for a day and a half
Source  https://developers.facebook.com/docs/graph-api: webhooks/getting-started, webhooks/reference/page (`feed`)
"""

import asyncio
import hmac
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connectors.contract import Gate, Observer, Outcome, Publisher
from connectors.pseudonym import Pseudonyms
from connectors.sift import everything, sifted
from connectors.sources.facebook_posts import (
    COMMENT,
    PLATFORM,
    UNREADABLE,
    FeedValue,
    Id,
    malformed,
    moment_at,
    post_from,
    told_by_change,
    why_not_page,
)
from connectors.sources.facebook_versions import Memory
from connectors.sources.webhook import Limits, Refused, answer, body_of, reply, same
from connectors.tally import Tally, language_of
from records import Clock, DeadLetter, MalformedRecord, Post, SettingsError

LIMITS = Limits(body_bytes=8 << 20, batch_posts=5000)  # Facebook sends up to 1,000 changes at a time
POST_ITEMS = frozenset({"post", "status", "photo", "video", "share", "link"})
ESCAPED_AT_ONCE = 1 << 16
"""Characters that are escaped without a pause; others must have their turn meanwhile."""

_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")


# What Facebook sends. Fields that are not named here are never read.


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


_notice = msgspec.json.Decoder(Notice)
_entry = msgspec.json.Decoder(Entry)
_change = msgspec.json.Decoder(Change)
_head = msgspec.json.Decoder(Head)
_value = msgspec.json.Decoder(FeedValue)


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
            body = await body_of(request, self.limits)
            header = request.headers.get("x-hub-signature-256")
            if len(body) <= ESCAPED_AT_ONCE:
                check_signature(header, body, self.app_secret)
            else:  # escaping it takes long, and nobody has shown yet who he is
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


def check_signature(header: str | None, body: bytes, app_secret: str) -> None:
    """Refuse a body that Facebook did not sign.

    Facebook signs the text with all but ASCII escaped; that is how it sends it, too, but it only promises the former.
    """
    if not header:
        raise Refused("unsigned")
    if not _SIGNATURE.fullmatch(header):
        raise Refused("tampered")
    if not (is_signed(header, body, app_secret) or is_signed(header, escaped(body), app_secret)):
        raise Refused("tampered")


def is_signed(header: str, body: bytes, app_secret: str) -> bool:
    """Tell whether a signature is that of a body."""
    return same("sha256=" + hmac.digest(app_secret.encode(), body, "sha256").hex(), header)


class Escapes(dict[int, int | str]):
    """What JSON writes for each character beyond ASCII; made when it is first met."""

    def __missing__(self, code: int) -> int | str:
        found = code if code < 128 else json.dumps(chr(code))[1:-1]  # noqa: PLR2004  ASCII
        self[code] = found
        return found


def escaped(body: bytes) -> bytes:
    """Return a JSON text with all but ASCII escaped."""
    if body.isascii():
        return body
    text, escapes = body.decode("utf-8", "replace"), Escapes()
    pieces = (text[at : at + ESCAPED_AT_ONCE] for at in range(0, len(text), ESCAPED_AT_ONCE))
    return "".join(piece.translate(escapes) for piece in pieces).encode()


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

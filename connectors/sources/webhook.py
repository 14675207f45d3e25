"""Webhook: posts and notices that other programs and our own staff send us, signed.

Shape   POST /ingest/{source} with one plain post, or a list of them; 202 once the broker has what is to be kept. A
        sender with a mapping sends what it has: the mapping says where a post's or a notice's fields stand in it
Errors  a refusal is a 4xx with a JSON reason, nothing of it is kept; 503 when the broker did not take it: send again.
        Of a list, what can be read is taken and the rest goes to the dead letters; a list without one readable post
        is refused whole
Source  https://www.standardwebhooks.com, specification 1.0; X-Hub-Signature-256 as GitHub and Meta send it
"""

import asyncio
import hashlib
import hmac
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.contract import Gate, Observer, Outcome, Publisher
from connectors.pseudonym import Pseudonyms
from connectors.sift import everything, sifted
from connectors.signing import signing_key
from connectors.sources.mapping import Mapping as FieldMapping
from connectors.sources.mapping import mapped, values_of
from connectors.sources.notices import Sites, notice_from
from connectors.sources.plain import plain_from, post_from
from connectors.tally import Tally, language_of
from records import Bulletin, Clock, DeadLetter, MalformedRecord, Post, SettingsError, SourceUnavailable, VigieError

Reason = Literal[
    "unknown_source",
    "unsigned",
    "tampered",
    "stale",
    "replayed",
    "in_progress",
    "too_large",
    "too_many",
    "cut_off",
    "not_json",
    "empty",
    "invalid",
    "undecodable",
    "not_found",
    "not_taken",
]
"""All that can be wrong with a request; a metric label."""

STATUS: Mapping[Reason, int] = {
    "unknown_source": 404,
    "unsigned": 401,
    "tampered": 401,
    "stale": 401,
    "replayed": 409,
    "in_progress": 503,
    "too_large": 413,
    "too_many": 413,
    "cut_off": 400,
    "not_json": 400,
    "empty": 422,
    "invalid": 422,
    "undecodable": 422,
    "not_found": 404,
    "not_taken": 503,
}
UNNAMED = "webhook"
"""The source that refusals count under when the request names none of ours."""

_items = msgspec.json.Decoder(list[msgspec.Raw])
_whole = msgspec.json.Decoder(msgspec.Raw)


@dataclass(frozen=True, kw_only=True)
class Sender:
    """One source that may send: at least one way to show that it is who it says."""

    secret: str = ""  # Standard Webhooks, "whsec_…"
    hub_secret: str = ""  # X-Hub-Signature-256
    token: str = ""  # Authorization: Bearer …
    is_trusted: bool = False  # staff: skips the gate
    mapping: FieldMapping | None = None  # None: it sends plain posts
    sites: Sites = field(default_factory=Sites)  # of a sender of notices

    def __post_init__(self) -> None:
        if not (self.secret or self.hub_secret or self.token):
            raise SettingsError("webhook: a sender needs a secret, a hub_secret or a token")
        if self.secret:
            signing_key(self.secret, name="webhook")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much we take in at a time, and how long we remember."""

    body_bytes: int = 1 << 20
    body_secs: float = 30.0  # in which it must have come: who sends a byte now and then holds memory of ours
    batch_posts: int = 1000
    replay_window: timedelta = timedelta(minutes=5)
    remembered_ids: int = 10_000
    pulse_secs: float = 5.0


class Refused(VigieError):
    """A request is not taken; `reason` says why."""

    def __init__(self, reason: Reason, detail: str = "", *, values: int = 1) -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.detail = detail
        self.values = values


@dataclass
class Batch:
    """What one request holds."""

    posts: list[Post] = field(default_factory=list)
    bulletins: list[Bulletin] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    counts: Counter[tuple[str, Outcome, str]] = field(default_factory=Counter)  # language, outcome, reason
    refused: list[dict[str, object]] = field(default_factory=list)


class Remembered:
    """The requests of the last minutes, so that none counts twice; the oldest give way."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._taken_at: OrderedDict[tuple[str, str], datetime] = OrderedDict()
        self._under_way: set[tuple[str, str]] = set()

    def begin(self, request_id: tuple[str, str], now: datetime) -> None:
        """Note a request, or refuse it when it is known."""
        while self._taken_at:
            oldest = next(iter(self._taken_at))
            age = now - self._taken_at[oldest]
            if age <= 2 * self._limits.replay_window and len(self._taken_at) < self._limits.remembered_ids:
                break
            del self._taken_at[oldest]
        if request_id in self._taken_at:
            raise Refused("replayed")
        if request_id in self._under_way:
            raise Refused("in_progress")
        self._under_way.add(request_id)

    def end(self, request_id: tuple[str, str], taken_at: datetime | None) -> None:
        """Remember a request that was taken; forget one that was not, so that it may come again."""
        self._under_way.discard(request_id)
        if taken_at:
            self._taken_at[request_id] = taken_at


def webhook_app(
    senders: Mapping[str, Sender],
    *,
    gate: Gate,
    publisher: Publisher,
    observer: Observer,
    clock: Clock,
    pseudonyms: Pseudonyms,
    limits: Limits | None = None,
) -> Starlette:
    """Return the application; mount it, or serve it by itself."""
    ingest = Ingest(senders, gate, publisher, observer, clock, pseudonyms, limits or Limits())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        pulses = asyncio.create_task(ingest.send_pulses_for_ever())
        yield
        pulses.cancel()
        await asyncio.wait({pulses})
        await ingest.send_rest()

    return Starlette(
        routes=[Route("/ingest/{source}", ingest.take, methods=["POST"])],
        exception_handlers={HTTPException: ingest.not_ours},
        lifespan=lifespan,
    )


@dataclass
class Ingest:
    """The one thing that the application does."""

    senders: Mapping[str, Sender]
    gate: Gate
    publisher: Publisher
    observer: Observer
    clock: Clock
    pseudonyms: Pseudonyms
    limits: Limits

    def __post_init__(self) -> None:
        self.remembered = Remembered(self.limits)
        self.tallies = {name: Tally(name) for name in (*self.senders, UNNAMED)}
        for name in self.tallies:
            self.tallies[name].turn(self.clock.now(), is_listening=False)

    async def take(self, request: Request) -> Response:
        """Answer one request."""
        source = str(request.path_params["source"])
        known = source if source in self.senders else UNNAMED
        try:
            sender = self._sender(source)
            body = await body_of(request, self.limits)
            request_id = id_of(request, body, sender, self.clock.now(), self.limits)
            batch = await self._once((source, request_id), lambda: self._hand_over(source, body))
        except Refused as refusal:
            self._count(known, Counter({("", "refused", refusal.reason): refusal.values}))
            return answer(refusal)
        self._count(source, batch.counts)
        kept, gated = (_sum(batch.counts, outcome) for outcome in ("kept", "gated"))
        return reply(202, {"kept": kept, "gated": gated, "refused": batch.refused})

    async def not_ours(self, _: Request, error: Exception) -> Response:
        """Answer a request for something that we do not have."""
        self._count(UNNAMED, Counter({("", "refused", "not_found"): 1}))
        return reply(error.status_code if isinstance(error, HTTPException) else 404, {"error": "not_found"})

    async def send_pulses_for_ever(self) -> None:
        """Hand over the counts of each minute that has ended."""
        while True:
            await asyncio.sleep(self.limits.pulse_secs)
            with suppress(SourceUnavailable):  # the broker may be away: the next ones will tell
                await self.send_due()

    async def send_due(self) -> None:
        """Hand over the counts of the minute that has ended, if one has."""
        now = self.clock.now()
        pulses = [pulse for name in self.tallies for pulse in self.tallies[name].turn(now, is_listening=True)]
        if pulses:
            await self.publisher.pulses(pulses)

    async def send_rest(self) -> None:
        """Hand over the counts of the minute under way."""
        pulses = [pulse for name in self.tallies for pulse in self.tallies[name].rest(is_listening=False)]
        if pulses:
            await self.publisher.pulses(pulses)

    def _sender(self, source: str) -> Sender:
        if source not in self.senders:
            raise Refused("unknown_source")
        return self.senders[source]

    async def _once(self, request_id: tuple[str, str], work: Callable[[], Awaitable[Batch]]) -> Batch:
        """Do the work of a request unless it has been done; what fails may come again."""
        self.remembered.begin(request_id, self.clock.now())
        taken_at = None
        try:
            batch = await work()
            taken_at = self.clock.now()
        finally:
            self.remembered.end(request_id, taken_at)
        return batch

    async def _hand_over(self, source: str, body: bytes) -> Batch:
        values = values_in(body, self.limits.batch_posts, self.senders[source].mapping)
        batch = self._batch(source, values)
        if len(batch.refused) == len(values):
            raise Refused(first_reason(batch), str(batch.refused[0]["detail"]), values=len(values))
        try:
            if batch.posts:
                await self.publisher.posts(batch.posts)
            if batch.bulletins:
                await self.publisher.bulletins(batch.bulletins)
            if batch.letters:
                await self.publisher.dead_letters(batch.letters)
        except Exception as error:  # whatever kept the broker from it, the sender must hear of it
            raise Refused("not_taken", type(error).__name__, values=len(values)) from error
        return batch

    def _batch(self, source: str, values: Sequence[bytes]) -> Batch:
        batch, now = Batch(), self.clock.now()
        for index, value in enumerate(values):
            try:
                found = self._found(source, value, now)
            except MalformedRecord as error:
                batch.counts["", "refused", error.reason] += 1
                batch.refused.append({"index": index, "reason": error.reason, "detail": str(error)})
                batch.letters.append(
                    DeadLetter(
                        topic=f"source:{source}",
                        reason=error.reason,
                        detail=str(error),
                        value=error.value,
                        died_at=now,
                    )
                )
                continue
            if isinstance(found, Bulletin):
                batch.counts["", "kept", ""] += 1
                batch.bulletins.append(found)
                continue
            kept = sifted(found, everything if found.is_trusted else self.gate)
            batch.counts[language_of(found.lang), "gated" if kept is None else "kept", ""] += 1
            if kept is not None:
                batch.posts.append(kept)
        return batch

    def _found(self, source: str, value: bytes, now: datetime) -> Post | Bulletin:
        """Return what one value is.

        Errors  MalformedRecord
        """
        sender = self.senders[source]
        if sender.mapping:
            value = mapped(value, sender.mapping)
            if sender.mapping.makes == "notice":
                return notice_from(value, source=source, received_at=now, sites=sender.sites)
        return post_from(
            plain_from(value),
            source=source,
            received_at=now,
            pseudonyms=self.pseudonyms,
            is_trusted=sender.is_trusted,
            value=value,
        )

    def _count(self, source: str, counts: Counter[tuple[str, Outcome, str]]) -> None:
        for (language, outcome, reason), values in counts.items():
            self.tallies[source].add(language, outcome, values)
            self.observer.counted(source, outcome, values, reason=reason)


async def body_of(request: Request, limits: Limits) -> bytes:
    """Read the body of a request, never more than the limit, nor for longer.

    Errors  Refused: `too_large`, `cut_off`
    """
    limit = limits.body_bytes
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > limit:
        raise Refused("too_large", f"{announced[:20]} bytes, the limit is {limit}")
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.body_secs):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise Refused("too_large", f"more than {limit} bytes")
                parts.append(part)
    except (ClientDisconnect, TimeoutError) as error:
        raise Refused("cut_off") from error
    return b"".join(parts)


def id_of(request: Request, body: bytes, sender: Sender, now: datetime, limits: Limits) -> str:
    """Return the id by which a request is known, once it has shown who sent it.

    Errors  Refused: `unsigned`, `tampered`, `stale`
    """
    headers = request.headers
    if sender.secret and "webhook-signature" in headers:
        return standard_id(headers, body, sender.secret, now, limits.replay_window)
    if sender.hub_secret and "x-hub-signature-256" in headers:
        expected = "sha256=" + hmac.digest(sender.hub_secret.encode(), body, "sha256").hex()
        if not same(expected, headers["x-hub-signature-256"]):
            raise Refused("tampered")
        return expected
    if sender.token and "authorization" in headers:
        if not same(f"Bearer {sender.token}", headers["authorization"]):
            raise Refused("tampered")
        return headers.get("webhook-id") or hashlib.sha256(body).hexdigest()
    raise Refused("unsigned")


def standard_id(headers: Mapping[str, str], body: bytes, secret: str, now: datetime, window: timedelta) -> str:
    """Return the webhook-id of a request with a valid Standard Webhooks signature.

    The library's own check is not used: it asks the machine's clock, and lets ValueError out on odd headers.
    """
    request_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not request_id or not stamp.isdecimal() or len(stamp) > len(str(2**33)):
        raise Refused("unsigned", "webhook-id and webhook-timestamp (seconds) are needed")
    sent_at = datetime.fromtimestamp(int(stamp), UTC)
    try:
        expected = signing_key(secret, name="webhook").sign(request_id, sent_at, body.decode())
    except UnicodeDecodeError as error:
        raise Refused("not_json", "the body is not UTF-8") from error
    if not any(same(expected, found) for found in headers["webhook-signature"].split(" ")):
        raise Refused("tampered")
    if abs(now - sent_at) > window:
        raise Refused("stale", f"signed at {sent_at:%FT%TZ}, more than {window} from now")
    return request_id


def same(expected: str, found: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(expected.encode(), found.encode("utf-8", "surrogateescape"))


def values_in(body: bytes, limit: int, mapping: FieldMapping | None = None) -> Sequence[bytes]:
    """Return the values of a request: those of the list that it is or that a mapping names, or the one that it is."""
    try:
        if mapping and mapping.items:
            values = values_at(body, mapping)
        elif body.lstrip()[:1] == b"[":
            values = [bytes(value) for value in _items.decode(body)]
        else:
            values = [bytes(_whole.decode(body))]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("not_json", str(error)) from error
    if not values:
        raise Refused("empty")
    if len(values) > limit:
        raise Refused("too_many", f"{len(values)} posts, the limit is {limit}", values=len(values))
    return values


def values_at(body: bytes, mapping: FieldMapping) -> list[bytes]:
    """Return the values of the list that a mapping names.

    Errors  Refused: `not_json`, or `invalid` where there is no list
    """
    try:
        values = values_of(body, mapping)
    except MalformedRecord as error:
        raise Refused("not_json", str(error)) from error
    if values is None:
        raise Refused("invalid", f"there is no list at {mapping.items}, where the mapping looks for one")
    return list(values)


def first_reason(batch: Batch) -> Reason:
    """Return why the first value of a batch was refused."""
    return "undecodable" if batch.refused[0]["reason"] == "undecodable" else "invalid"


def answer(refusal: Refused) -> Response:
    """Say no, and why."""
    headers = {"Retry-After": "1"} if STATUS[refusal.reason] == STATUS["not_taken"] else None
    body: dict[str, object] = {"error": refusal.reason, "values": refusal.values}
    if refusal.detail:
        body["detail"] = refusal.detail
    return reply(STATUS[refusal.reason], body, headers)


def reply(status: int, body: dict[str, object], headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer in JSON."""
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")


def _sum(counts: Counter[tuple[str, Outcome, str]], outcome: str) -> int:
    return sum(values for (_, found, _), values in counts.items() if found == outcome)

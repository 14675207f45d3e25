"""X: posts that match our rules, live, from the filtered stream of the platform, through tweepy.

Needs a plan that allows it, declared by whoever runs it, and a monthly ceiling of cost; without both it does not start.

Shape   one reading a line, keep-alives too, in the server's order; what was missed is searched for where that is wanted
Units   cursor: `<up to when all was heard> <since when there is still to be searched, or 0> <month> <spent in it>`, in
        microseconds since 1970 and microdollars
Errors  SettingsError where it must not or cannot run; SourceUnavailable when the stream ends or the money is spent
Source  https://docs.x.com/x-api/posts/filtered-stream, /fundamentals/{handling-disconnections,edit-posts,rate-limits};
        tweepy 4.17, whose stream is mended here
"""

import asyncio
import html
import logging
import re
import unicodedata
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import aiohttp
import msgspec
from aiohttp.http_exceptions import LineTooLong
from tweepy import StreamRule, TweepyException
from tweepy.asynchronous import AsyncClient, AsyncStreamingClient

from connectors.contract import Capabilities, Observer, Reading
from connectors.pseudonym import Pseudonyms
from records import Clock, Geo, MalformedRecord, Media, Post, SettingsError, SourceUnavailable
from records.time import in_utc

PLATFORM: Final = "x"
TAG_PREFIX: Final = "vigie:"
MAX_RULES, MAX_RULE_LENGTH, MAX_QUERY_LENGTH = 1000, 1024, 512
MAX_CONNECTS, CONNECTS_WITHIN = 50, timedelta(minutes=15)
SEARCH_REACH = timedelta(days=7) - timedelta(minutes=1)
SEARCH_LAG = timedelta(seconds=15)  # a search must end ten seconds before it is asked
SEARCH_OVERLAP = timedelta(seconds=30)  # a post may reach the stream some seconds late
SMALLEST_PAGE, LARGEST_PAGE, MAX_PAGES = 10, 100, 500
MAX_LINES = 128
"""Lines that wait to be read; then tweepy, and with it the server, has to wait."""

FIELDS: Final = {
    "tweet_fields": [
        "id",
        "text",
        "note_tweet",
        "created_at",
        "lang",
        "author_id",
        "conversation_id",
        "referenced_tweets",
        "edit_history_tweet_ids",
        "attachments",
        "geo",
    ],
    "expansions": ["geo.place_id", "attachments.media_keys"],
    "media_fields": ["type", "alt_text"],
    "place_fields": ["geo"],
}
"""All that we ask for; nobody's profile is among it."""

STABLE = timedelta(seconds=60)
REFUSED_SECS = 900.0
STOP_SECS = 2.0
MICROS = 1_000_000
MAX_PAID = 100_000
MAX_EDITED = 10_000
MAX_REFUSAL_BYTES = 4096
OK, BAD_REQUEST, TOO_MANY, SERVER_ERROR = 200, 400, 429, 500
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BEYOND_NAMING = re.compile(r"und|zxx|q[a-z]{2}")  # the platform's codes for "cannot tell" and "no words"
_HANDLE = re.compile(r"[@＠][A-Za-z0-9_]+")
_PROFILE = re.compile(r"\b((?:twitter|x)\.com/)(?!i/)[A-Za-z0-9_]+", re.IGNORECASE)
_TAG = re.compile(r"[a-z0-9_-]{1,32}")
_BY_AUTHOR = re.compile(r"(?<![\w-])(?:from|to|retweets_of|bio|bio_name|bio_location|list):", re.IGNORECASE)
_SHAPES = {
    "id": re.compile(r"[0-9]{1,20}"),
    "created_at": re.compile(r"[0-9TZ:.+-]{1,40}"),
    "lang": re.compile(r"[a-z]{2,3}"),
    "text": re.compile(r".*", re.DOTALL),
}
"""What is kept of a bad line, where it looks like what it should be."""

_MEDIA = {"photo": "image", "video": "video", "animated_gif": "video"}

TERMS = (
    "X's agreements of 27 April 2026 let a government-related user be shown X content only under an Enterprise plan "
    "that was declared to X in writing, and forbid the monitoring of sensitive events"
)

Id = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}$")]
Coordinates = Annotated[list[float], msgspec.Meta(min_length=2, max_length=2)]
Box = Annotated[list[float], msgspec.Meta(min_length=4, max_length=4)]


class Reference(msgspec.Struct, frozen=True):
    """A post that another one repeats, quotes or answers."""

    type: str
    id: Id


class Note(msgspec.Struct, frozen=True):
    """The whole text of a long post, whose `text` is cut."""

    text: str


class Attachments(msgspec.Struct, frozen=True):
    """What hangs on a post, by key."""

    media_keys: tuple[str, ...] = ()


class Point(msgspec.Struct, frozen=True):
    """A GeoJSON point: longitude first."""

    coordinates: Coordinates


class Tagged(msgspec.Struct, frozen=True):
    """Where the author says to be."""

    place_id: str = ""
    coordinates: Point | None = None


class Tweet(msgspec.Struct, frozen=True, kw_only=True):
    """A post as the platform sends it; what we have no use for is left out."""

    id: Id
    text: str
    created_at: datetime
    author_id: str = ""
    lang: str = ""
    note_tweet: Note | None = None
    conversation_id: Id | None = None
    referenced_tweets: tuple[Reference, ...] = ()
    edit_history_tweet_ids: tuple[Id, ...] = ()
    attachments: Attachments = Attachments()
    geo: Tagged = Tagged()


class Medium(msgspec.Struct, frozen=True):
    """A picture or a film."""

    media_key: str
    type: str = ""
    alt_text: str = ""


class Outline(msgspec.Struct, frozen=True):
    """A place's extent: west, south, east, north."""

    bbox: Box


class Whereabouts(msgspec.Struct, frozen=True):
    """A place of the platform's own list."""

    id: str
    geo: Outline | None = None


class Includes(msgspec.Struct, frozen=True):
    """What the post refers to by key."""

    media: tuple[Medium, ...] = ()
    places: tuple[Whereabouts, ...] = ()


class Rule(msgspec.Struct, frozen=True):
    """A rule that a post matched; one that is not ours may have no tag."""

    tag: str | None = None


class Problem(msgspec.Struct, frozen=True):
    """What is wrong, in the platform's words."""

    title: str = ""
    type: str = ""
    disconnect_type: str = ""
    connection_issue: str = ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the stream: a post, or a problem; new kinds may come, and hold neither."""

    data: Tweet | None = None
    includes: Includes = Includes()
    matching_rules: tuple[Rule, ...] = ()
    errors: tuple[Problem, ...] = ()
    title: str = ""
    connection_issue: str = ""

    @property
    def why_over(self) -> str:
        """Return why the server is about to close, or "" when it is not."""
        for problem in self.errors:
            if problem.disconnect_type or problem.connection_issue:
                return f"{problem.title[:60]} {(problem.disconnect_type or problem.connection_issue)[:60]}"
        return f"{self.title[:60]} {self.connection_issue[:60]}" if self.connection_issue else ""


_line = msgspec.json.Decoder(Line)


class Refused(Exception):
    """The server answered, but not with what was asked for."""

    def __init__(self, status: int, detail: str, *, resets_at: float | None = None) -> None:
        super().__init__(f"status {status}: {detail}")
        self.status = status
        self.detail = detail
        self.resets_at = resets_at  # seconds since 1970


class Ended(Exception):
    """The stream is over."""


class Stream(AsyncStreamingClient):  # type: ignore[misc]
    """One connection of tweepy's, which never connects again by itself and leaves every line to us.

    tweepy's own `on_data` ends the stream at the first line it cannot read, and its own reconnection knows no limit.
    """

    def __init__(
        self, bearer_token: str, *, session: aiohttp.ClientSession, opened: Callable[[], None] | None = None
    ) -> None:
        super().__init__(bearer_token, return_type=dict)
        self.session = session
        self._opened = opened
        self._lines: asyncio.Queue[bytes] = asyncio.Queue(MAX_LINES)
        self._news = asyncio.Event()
        self._ending: Exception = Ended("stopped")

    def listen(self) -> None:
        """Open the stream."""
        self.filter(**FIELDS).add_done_callback(lambda _: self._news.set())

    async def line(self) -> bytes:
        """Return the next line, empty for a keep-alive.

        Errors  what ended the stream, once all lines before it were taken
        """
        while self._lines.empty():
            if self.task.done():
                raise self._ending
            self._news.clear()
            await self._news.wait()
        return self._lines.get_nowait()

    @property
    def is_empty(self) -> bool:
        """Tell whether no line waits to be taken."""
        return self._lines.empty()

    async def close(self) -> None:
        """End the stream; tweepy's task swallows cancellations, so it is never awaited itself."""
        self.disconnect()
        if self.task is not None:
            await asyncio.wait({self.task}, timeout=STOP_SECS)
        if not self.session.closed:
            await self.session.close()

    async def on_connect(self) -> None:
        """Tell that we listen."""
        if self._opened:
            self._opened()

    async def on_data(self, raw_data: bytes) -> None:
        """Put a line by, unread."""
        await self._lines.put(raw_data)
        self._news.set()

    async def on_keep_alive(self) -> None:
        """Put a sign of life by."""
        await self.on_data(b"")

    async def on_closed(self, resp: aiohttp.ClientResponse) -> None:
        """Leave tweepy's loop, which would connect again at once and for ever."""
        raise Ended("the server closed the stream")

    async def on_connection_error(self) -> None:
        """Leave tweepy's loop; the error is the context of this one."""
        raise Ended("the connection broke")

    async def on_request_error(self, status_code: int) -> None:
        """Leave tweepy's loop."""
        raise Refused(status_code, "not a stream")

    async def on_exception(self, exception: Exception) -> None:
        """Keep what ended the stream."""
        is_expected = isinstance(exception, Refused | Ended | LineTooLong | aiohttp.ClientError)
        self._ending = exception if is_expected else Ended(f"the stream failed: {type(exception).__name__}")

    async def on_disconnect(self) -> None:
        """Say nothing."""


class Budget:
    """What was spent this month, and what may be; the same post is paid once a day (UTC).

    Units   microdollars
    """

    def __init__(self, *, ceiling_usd: float, usd_per_post: float, usd_per_media: float) -> None:
        self.ceiling = round(ceiling_usd * MICROS)
        self.per_post = round(usd_per_post * MICROS)
        self.per_media = round(usd_per_media * MICROS)
        self.spent = 0
        self.month = ""
        self._day = ""
        self._paid: OrderedDict[str, None] = OrderedDict()  # ids of today; a dict is slow to say which is its oldest

    def turn(self, now: datetime) -> None:
        """Begin a new month, or a new day, when it is time."""
        day = now.date().isoformat()
        month = day[:7]
        if month != self.month:
            self.month, self.spent = month, 0
        if day != self._day:
            self._day, self._paid = day, OrderedDict()

    def take_up(self, month: str, spent: int, now: datetime) -> None:
        """Take up what was spent before a restart."""
        self.turn(now)
        if month == self.month:
            self.spent = max(self.spent, spent)

    def pay(self, post: str | None, media: Iterable[str], now: datetime) -> None:
        """Count what was sent to us; a line that cannot be read was sent too, and has no id."""
        self.turn(now)
        if post is None:
            self.spent += self.per_post
        else:
            self._pay_once(f"p{post}", self.per_post)
        for key in media:
            self._pay_once(f"m{key}", self.per_media)

    def posts_left(self) -> int:
        """Return how many more posts the ceiling allows."""
        return max(self.ceiling - self.spent, 0) // self.per_post

    def _pay_once(self, key: str, price: int) -> None:
        if key in self._paid:
            return
        self.spent += price
        self._paid[key] = None
        if len(self._paid) > MAX_PAID:
            self._paid.popitem(last=False)  # paid again if it comes again: the ceiling is met early, not late


@dataclass
class Position:
    """Where we stand: when we last heard of the server, and since when a span is still to be searched.

    Units   microseconds since 1970; 0 for never and for nothing
    """

    alive: int = 0
    owed: int = 0
    due_at: datetime | None = None  # when the search may begin: what was just said is not in the index yet
    unsearched: list[tuple[str, str]] = field(default_factory=list)  # tags and rules
    newest: dict[str, int] = field(default_factory=dict)  # of edited posts, the version seen last

    def hear(self, moment: datetime) -> None:
        """Take note that we have heard what was written up to a moment."""
        self.alive = max(self.alive, micros_of(moment))


class X:
    """Reads the posts that match our rules, within a monthly ceiling of cost."""

    capabilities = Capabilities(edits=True, deletions=False, positions=True, quiet=timedelta(seconds=60))

    def __init__(
        self,
        *,
        bearer_token: str,
        rules: Mapping[str, str],
        pseudonyms: Pseudonyms,
        clock: Clock,
        observer: Observer,
        government_plan_acknowledged: bool = False,
        monthly_ceiling_usd: float = 0.0,
        usd_per_post: float = 0.005,
        usd_per_media: float = 0.005,
        name: str = "x",
        is_trusted: bool = False,
        backfill: bool = False,
        settle_secs: float = 45.0,
        silence_secs: float = 30.0,
        connect_secs: float = 10.0,
        tcp: Callable[[], aiohttp.BaseConnector] | None = None,
    ) -> None:
        _refuse_unless_allowed(
            name, is_acknowledged=government_plan_acknowledged, ceiling_usd=monthly_ceiling_usd, price_usd=usd_per_post
        )
        if not bearer_token.strip():
            raise SettingsError(f"sources.{name}: the bearer token is empty")
        for why in whys_not(rules, is_searched=backfill):
            raise SettingsError(f"sources.{name}.rules: {why}")
        self.name = name
        self.is_trusted = is_trusted
        if backfill:
            self.capabilities = self.capabilities._replace(backfill=SEARCH_REACH)
        self._bearer_token = bearer_token.strip()
        self._rules = dict(rules)
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._observer = observer
        self._budget = Budget(
            ceiling_usd=monthly_ceiling_usd, usd_per_post=usd_per_post, usd_per_media=max(usd_per_media, 0.0)
        )
        self._is_backfilled = backfill
        self._settle = timedelta(seconds=settle_secs)
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_secs, sock_read=silence_secs)
        self._tcp = tcp or aiohttp.TCPConnector
        self._connects: deque[datetime] = deque(maxlen=MAX_CONNECTS)
        self._opened_at: datetime | None = None
        self._watched_until = 0
        self._failures = 0
        self._has_rules = False
        _keep_tweepy_from_printing_the_token()

    @property
    def spent_usd(self) -> float:
        """What was spent this month, by our own count."""
        self._budget.turn(self._clock.now())
        return self._budget.spent / MICROS

    @property
    def ceiling_usd(self) -> float:
        """What may be spent a month."""
        return self._budget.ceiling / MICROS

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        """Yield readings until the stream ends, which is always SourceUnavailable."""
        position, month, spent = position_from(after)
        if not self._is_backfilled:
            position.alive = max(position.alive, self._watched_until)  # a gap up to there was told
        self._budget.take_up(month, spent, self._clock.now())
        self._stop_at_the_ceiling()
        self._stop_at_too_many_connects()
        stream = Stream(self._bearer_token, session=self._session(), opened=lambda: self._open(position))
        self._opened_at = None
        try:
            await self._agree_on_rules(stream)
            self._connects.append(self._clock.now())
            stream.listen()
            async with aclosing(self._readings(stream, position)) as readings:
                async for reading in readings:
                    yield reading
        except (Refused, Ended, LineTooLong, aiohttp.ClientError, TweepyException, OSError, ValueError) as error:
            raise self._unavailable(error) from error
        finally:
            self._watched_until = max(self._watched_until, position.alive)
            await stream.close()

    async def _readings(self, stream: Stream, position: Position) -> AsyncGenerator[Reading, None]:
        while True:
            try:
                line = await stream.line()
            except LineTooLong:
                self._budget.pay(None, (), self._clock.now())
                yield self._reading(MalformedRecord("x: a line above 524,288 bytes", reason="too_long"), position)
                raise
            why_over, found = self._taken(line, position, is_last=stream.is_empty)
            yield self._reading(found, position)
            if why_over:
                raise Ended(why_over)
            if not self._budget.posts_left():
                async with aclosing(self._rest(stream, position)) as rest:
                    async for reading in rest:
                        yield reading
                self._stop_at_the_ceiling()
            if position.owed and position.due_at and self._clock.now() >= position.due_at:
                async with aclosing(self._missed(position)) as missed:
                    async for reading in missed:
                        yield reading

    async def _rest(self, stream: Stream, position: Position) -> AsyncGenerator[Reading, None]:
        """Take what was paid for, and no more."""
        await stream.close()
        try:
            while True:
                yield self._reading(self._taken(await stream.line(), position)[1], position)
        except (Ended, LineTooLong, aiohttp.ClientError):
            return

    def _taken(
        self, line: bytes, position: Position, *, is_last: bool = False
    ) -> tuple[str, Post | MalformedRecord | None]:
        """Return why the stream is over, if it says so, and what a line holds; pay for it.

        A post tells how far we have come; a keep-alive tells it only when no line waits behind it (`is_last`), for
        those that wait may have been written long before we come to them.
        """
        now = self._clock.now()
        if not line:
            position.hear(now if is_last else _EPOCH)
            return "", None
        parsed = line_from(line)
        if isinstance(parsed, MalformedRecord):
            self._budget.pay(None, (), now)
            return "", parsed
        tweet = parsed.data
        if tweet is None:
            return parsed.why_over, None
        position.hear(min(now, utc_or(tweet.created_at, _EPOCH)))
        self._budget.pay(tweet.id, (medium.media_key for medium in parsed.includes.media), now)
        if is_outdated(tweet, position.newest):
            return parsed.why_over, None
        return parsed.why_over, self.found_in(parsed, line)

    def found_in(self, parsed: Line | MalformedRecord, line: bytes) -> Post | MalformedRecord | None:
        """Return the post of a line."""
        if isinstance(parsed, MalformedRecord):
            return parsed
        try:
            return post_from(
                parsed,
                received_at=self._clock.now(),
                pseudonyms=self._pseudonyms,
                source=self.name,
                is_trusted=self.is_trusted,
            )
        except MalformedRecord as error:
            return malformed(error, line)

    def _reading(self, found: Post | MalformedRecord | None, position: Position) -> Reading:
        return Reading(f"{position.alive} {position.owed} {self._budget.month} {self._budget.spent}", found)

    def _open(self, position: Position) -> None:
        """Take note that we listen again, and of the span in which we did not."""
        now = self._opened_at = self._clock.now()
        since, position.alive = position.alive, max(position.alive, micros_of(now))
        if self._is_backfilled:
            position.owed = position.owed or since
            position.due_at = now + self._settle
            position.unsearched = list(self._rules.items())
            return
        since, position.owed = position.owed or since, 0  # a search that is no longer wanted is a gap
        if since and micros_of(now) > since:
            self._observer.gap(self.name, (micros_of(now) - since) / MICROS)

    async def _missed(self, position: Position) -> AsyncGenerator[Reading, None]:
        """Search for what was posted while nobody listened, rule by rule; what fails is tried again later."""
        client = AsyncClient(self._bearer_token, return_type=dict)
        client.session = self._session()
        try:
            while position.unsearched and self._budget.posts_left() >= SMALLEST_PAGE:
                async with aclosing(self._found_again(client, position)) as lines:
                    async for line in lines:
                        yield self._reading(self._taken(line, position)[1], position)
                if self._budget.posts_left() >= SMALLEST_PAGE:  # else there may be more
                    position.unsearched.pop()
        except (Refused, aiohttp.ClientError, TweepyException, OSError, ValueError) as error:
            self._put_off(error, position)
        else:
            self._settled(position)
            yield self._reading(None, position)
        finally:
            await client.session.close()

    async def _found_again(self, client: AsyncClient, position: Position) -> AsyncGenerator[bytes, None]:
        """Yield the posts that one rule finds, each as the stream would have brought it."""
        tag, rule = position.unsearched[-1]
        now, token = self._clock.now(), None
        since = max(moment_of(position.owed) - SEARCH_OVERLAP, now - SEARCH_REACH)
        for _ in range(MAX_PAGES):
            if (posts := self._budget.posts_left()) < SMALLEST_PAGE:
                return
            page = await client.search_recent_tweets(
                rule,
                start_time=since,
                end_time=now - SEARCH_LAG,
                max_results=min(posts, LARGEST_PAGE),
                next_token=token,
                **FIELDS,
            )
            for line in lines_in(page, tag):
                yield line
            token = token_in(page)
            if not token:
                return

    def _put_off(self, error: Exception, position: Position) -> None:
        seconds = wait_secs(error, failures=1, has_opened=False, now=self._clock.now())
        seconds = max(seconds, self._settle.total_seconds())
        position.due_at = self._clock.now() + timedelta(seconds=seconds)
        told = SourceUnavailable(f"{self.name}: cannot search for what was missed: {described(error)}")
        self._observer.unavailable(self.name, told, retry_secs=seconds)

    def _settled(self, position: Position) -> None:
        """Close the span that was searched; what the search does not reach any more, nobody will have seen.

        Without the money for it, the span stays owed and is tried again when the stream opens next.
        """
        position.due_at = None
        if position.unsearched:
            return
        beyond = (self._clock.now() - SEARCH_REACH - moment_of(position.owed)).total_seconds()
        if beyond > 0:
            self._observer.gap(self.name, beyond)
        position.owed = 0

    async def _agree_on_rules(self, stream: Stream) -> None:
        """Make the rules at the server those of the settings, once; rules that are not ours stay."""
        if self._has_rules:
            return
        wanted = {f"{TAG_PREFIX}{tag}": value for tag, value in self._rules.items()}
        present = rules_in(await stream.get_rules())
        ours = [rule for rule in present if rule.tag.startswith(TAG_PREFIX)]
        kept = {rule.tag for rule in ours if wanted.get(rule.tag) == rule.value}
        missing = [StreamRule(value=value, tag=tag) for tag, value in wanted.items() if tag not in kept]
        if missing:
            await self._add(stream, missing, dry_run="true")  # tweepy hands True on as it is, which aiohttp refuses
        if unwanted := [rule.id for rule in ours if wanted.get(rule.tag) != rule.value]:
            await stream.delete_rules(unwanted)
        if missing:
            await self._add(stream, missing)
        self._has_rules = True

    async def _add(self, stream: Stream, rules: list[StreamRule], **dry_run: str) -> None:
        try:
            answer = await stream.add_rules(rules, **dry_run)
        except Refused as error:
            if error.status != BAD_REQUEST:
                raise
            raise SettingsError(f"sources.{self.name}.rules: X refuses them: {error.detail}") from error
        for problem in tables_in(answer, "errors"):
            if dry_run and problem.get("title") == "DuplicateRule":
                continue  # the same words under a tag that is about to go
            tags = [rule.tag.removeprefix(TAG_PREFIX) for rule in rules if rule.value == problem.get("value")]
            why = problem.get("details") or problem.get("title")
            raise SettingsError(f"sources.{self.name}.rules: X refuses {', '.join(tags) or 'one'}: {str(why)[:300]}")

    def _session(self) -> aiohttp.ClientSession:
        """Return a new session: tweepy closes the one it was given whenever the stream ends."""
        return aiohttp.ClientSession(connector=self._tcp(), timeout=self._timeout, raise_for_status=refuse)

    def _stop_at_the_ceiling(self) -> None:
        now = self._clock.now()
        self._budget.turn(now)
        if self._budget.posts_left():
            return
        seconds = (next_month(now) - now).total_seconds()
        raise SourceUnavailable(
            f"{self.name}: the monthly ceiling of {self.ceiling_usd:g} USD is reached ({self.spent_usd:.2f} spent); "
            f"reading again on {next_month(now):%Y-%m-%d}, or when monthly_ceiling_usd is raised",
            retry_after_secs=seconds,
        )

    def _stop_at_too_many_connects(self) -> None:
        now = self._clock.now()
        if len(self._connects) < MAX_CONNECTS or now - self._connects[0] >= CONNECTS_WITHIN:
            return
        seconds = (self._connects[0] + CONNECTS_WITHIN - now).total_seconds()
        raise SourceUnavailable(
            f"{self.name}: {MAX_CONNECTS} connections within 15 minutes are all that X allows",
            retry_after_secs=seconds,
        )

    def _unavailable(self, error: Exception) -> SourceUnavailable:
        now = self._clock.now()
        if self._opened_at and now - self._opened_at >= STABLE:
            self._failures = 0
        self._failures += 1
        seconds = wait_secs(error, failures=self._failures, has_opened=self._opened_at is not None, now=now)
        return SourceUnavailable(f"{self.name}: {described(error)}", retry_after_secs=seconds)


def post_from(
    line: Line, *, received_at: datetime, pseudonyms: Pseudonyms, source: str = PLATFORM, is_trusted: bool = False
) -> Post | None:
    """Turn a line into a post, or None when it holds none; an edit is an update of the first version.

    Errors  MalformedRecord when it stands nowhere on Earth or at no time
    """
    tweet = line.data
    if tweet is None:
        return None
    post_id = tweet.edit_history_tweet_ids[0] if tweet.edit_history_tweet_ids else tweet.id
    referred = {reference.type: reference.id for reference in tweet.referenced_tweets}
    thread_id = tweet.conversation_id
    tags = (rule.tag or "" for rule in line.matching_rules)
    return Post(
        source=source,
        id=post_id,
        platform=PLATFORM,
        posted_at=in_utc(tweet.created_at),
        received_at=received_at,
        author_id=pseudonyms.author(PLATFORM, tweet.author_id),
        text=masked(tweet.note_tweet.text if tweet.note_tweet else tweet.text),
        verb="update" if len(tweet.edit_history_tweet_ids) > 1 else "create",
        kind="comment" if "replied_to" in referred else "post",
        lang=None if not tweet.lang or _BEYOND_NAMING.fullmatch(tweet.lang) else tweet.lang[:35],
        url=f"https://x.com/i/web/status/{tweet.id}",
        geo=geo_from(tweet.geo, line.includes.places),
        thread_id=None if thread_id == post_id else thread_id,
        reply_to=referred.get("replied_to"),
        repost_of=referred.get("retweeted"),
        quote_of=referred.get("quoted"),
        media=media_from(tweet.attachments.media_keys, line.includes.media),
        rule_tags=tuple(tag.removeprefix(TAG_PREFIX) for tag in tags if tag.startswith(TAG_PREFIX)),
        is_trusted=is_trusted,
    )


def line_from(value: bytes) -> Line | MalformedRecord:
    """Read a line of the stream."""
    try:
        return _line.decode(value)
    except UNREADABLE as error:
        return malformed(error, value)


def geo_from(geo: Tagged, places: Iterable[Whereabouts]) -> Geo | None:
    """Return the point of a post, else the middle of its place, else None."""
    if geo.coordinates is not None:
        lon, lat = geo.coordinates.coordinates
        return position_on_earth(lat, lon, is_point=True)
    box = next((place.geo.bbox for place in places if place.id == geo.place_id and place.geo), None)
    if box is None:
        return None
    west, south, east, north = box
    east += 360 if east < west else 0  # across the date line
    lon = (west + east) / 2
    return position_on_earth((south + north) / 2, lon - 360 if lon > 180 else lon, is_point=False)  # noqa: PLR2004


def position_on_earth(lat: float, lon: float, *, is_point: bool) -> Geo:
    """Return a position.

    Errors  MalformedRecord when it is not on Earth
    """
    if not (abs(lat) <= 90 and abs(lon) <= 180):  # noqa: PLR2004  not a number is no position either
        raise MalformedRecord(f"no such position: lat {lat}, lon {lon}", reason="invalid")
    return Geo(lat=lat, lon=lon, provenance="point" if is_point else "place")


def media_from(keys: Iterable[str], media: Iterable[Medium]) -> tuple[Media, ...]:
    """Return the pictures and films of a post; kinds that we do not know are left out."""
    by_key = {medium.media_key: medium for medium in media}
    found = [by_key[key] for key in keys if key in by_key]
    return tuple(
        Media(type="video" if _MEDIA[medium.type] == "video" else "image", alt=masked(medium.alt_text))
        for medium in found
        if medium.type in _MEDIA
    )


def masked(text: str) -> str:
    """Return a text without the names of accounts, and without the platform's escapes (`&amp;`)."""
    text = _HANDLE.sub("@…", html.unescape(text))
    return unicodedata.normalize("NFC", _PROFILE.sub(r"\1…", text))


def is_outdated(tweet: Tweet, newest: dict[str, int]) -> bool:
    """Tell whether a later version of the post was seen before; remember the latest."""
    history = tweet.edit_history_tweet_ids or (tweet.id,)
    first, version = history[0], int(tweet.id)
    if version < newest.get(first, 0):
        return True
    if len(history) > 1:
        newest[first] = version
        if len(newest) > MAX_EDITED:
            del newest[next(iter(newest))]
    return False


def malformed(error: Exception, line: bytes) -> MalformedRecord:
    """Tell what is wrong with a line, and keep of it what may leave the connector.

    Of a line that is not JSON nothing is kept: whom it names cannot be seen.
    """
    is_readable = isinstance(error, MalformedRecord | msgspec.ValidationError)
    reason = "invalid" if is_readable else "undecodable"
    value = scrubbed(line) if is_readable else b""
    return MalformedRecord(f"x: a line of {len(line)} bytes: {error}", reason=reason, value=value)


def scrubbed(line: bytes) -> bytes:
    """Return what a bad line says of the post itself: its plain fields, without the author."""
    try:
        found = msgspec.json.decode(line)
    except UNREADABLE:
        return b""
    data = found.get("data") if isinstance(found, dict) else None
    if not isinstance(data, dict):
        return b""
    kept: dict[str, str] = {}
    for name, shape in _SHAPES.items():
        value = data.get(name)
        is_right = isinstance(value, str) and shape.fullmatch(value)
        kept[name] = masked(str(value))[:2000] if is_right else type(value).__name__
    return msgspec.json.encode({"data": kept})


@dataclass(frozen=True)
class KnownRule:
    """A rule as it stands at the server."""

    id: str
    tag: str
    value: str


def rules_in(answer: object) -> list[KnownRule]:
    """Return the rules at the server; `data` is missing when there are none."""
    return [
        KnownRule(str(rule.get("id", "")), str(rule.get("tag") or ""), str(rule.get("value", "")))
        for rule in tables_in(answer, "data")
    ]


def tables_in(answer: object, name: str) -> list[dict[str, Any]]:
    """Return the objects of a list in an answer, or none where it holds no such list."""
    found = answer.get(name) if isinstance(answer, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def lines_in(page: object, tag: str) -> list[bytes]:
    """Return the posts of a page of search results, each as a line of the stream."""
    includes = page.get("includes") or {} if isinstance(page, dict) else {}
    rules = [{"id": "0", "tag": f"{TAG_PREFIX}{tag}"}]
    return [
        msgspec.json.encode({"data": data, "includes": includes, "matching_rules": rules})
        for data in tables_in(page, "data")
    ]


def token_in(page: object) -> str | None:
    """Return what asks for the next page, or None after the last."""
    meta = page.get("meta") if isinstance(page, dict) else None
    token = meta.get("next_token") if isinstance(meta, dict) else None
    return token if isinstance(token, str) and token else None


def whys_not(rules: Mapping[str, str], *, is_searched: bool) -> Iterable[str]:
    """Yield what is wrong with the rules."""
    if not rules:
        yield 'no rule; give at least one, as in { feu = "incendie lang:fr -is:retweet" }'
    if len(rules) > MAX_RULES:
        yield f"{len(rules)} rules; X takes {MAX_RULES}"
    longest = MAX_QUERY_LENGTH if is_searched else MAX_RULE_LENGTH
    for tag, rule in rules.items():
        if not _TAG.fullmatch(tag):
            yield f'the tag "{tag[:40]}"; use 1 to 32 of a-z 0-9 _ -'
        if not 0 < len(rule.strip()) <= longest:
            yield f"{tag}: {len(rule)} characters; X takes 1 to {longest}{' in a search' if is_searched else ''}"
        if _BY_AUTHOR.search(rule):
            yield f"{tag}: asks for posts by their author; Vigie follows places and words, never people"


def wait_secs(error: Exception, *, failures: int, has_opened: bool, now: datetime) -> float:
    """Return how long to wait after the nth failure in a row, as the platform asks for.

    Units   seconds; network: 0.25 more each time; the server: 5, doubling; too many: 60, doubling, or what it says
    """
    doubled = 2.0 ** min(failures - 1, 10)
    if isinstance(error, Refused):
        if error.status == TOO_MANY:
            until_reset = (error.resets_at or 0.0) - now.timestamp()
            return max(min(60.0 * doubled, REFUSED_SECS), min(until_reset, 86_400.0))
        return min(5.0 * doubled, 320.0) if error.status >= SERVER_ERROR else REFUSED_SECS
    if has_opened:  # at once, the first time
        return 0.0 if failures == 1 else min(2.5 * doubled, 60.0)
    return min(0.25 * failures, 16.0)


def described(error: Exception) -> str:
    """Return what went wrong, without what was asked for."""
    context = error.__context__
    cause = f" ({type(context).__name__})" if isinstance(error, Ended) and context else ""
    if isinstance(error, Refused | Ended):
        return f"{error}{cause}"
    if isinstance(error, LineTooLong):
        return "a line above 524,288 bytes"
    return f"cannot connect: {type(error).__name__}"


async def refuse(response: aiohttp.ClientResponse) -> None:
    """Keep what a refusal says; tweepy would drop its headers, and fails on one that is not JSON."""
    if response.status < BAD_REQUEST:
        return
    body = await response.content.read(MAX_REFUSAL_BYTES)
    reset = response.headers.get("x-rate-limit-reset", "")
    response.close()
    raise Refused(
        response.status,
        refusal_in(body),
        resets_at=float(reset) if reset.isdecimal() and len(reset) < 12 else None,  # noqa: PLR2004
    )


def refusal_in(body: bytes) -> str:
    """Return a refusal's own words, or "" when it is none of the platform's."""
    try:
        told = msgspec.json.decode(body)
    except UNREADABLE:
        return ""
    if not isinstance(told, dict):
        return ""
    words = [told.get(name) for name in ("title", "connection_issue", "detail")]
    words += [str(problem.get("details") or problem.get("message") or "") for problem in tables_in(told, "errors")]
    return " ".join(word[:120] for word in words if isinstance(word, str) and word)[:300]


def position_from(cursor: str | None) -> tuple[Position, str, int]:
    """Read a cursor of ours: where we stood, the month and what was spent in it; anything else is no position."""
    alive, _, rest = (cursor or "").partition(" ")
    owed, _, rest = rest.partition(" ")
    month, _, spent = rest.partition(" ")
    if not all(number.isdecimal() and len(number) < 18 for number in (alive, owed, spent)):  # noqa: PLR2004
        return Position(), "", 0
    return Position(alive=int(alive), owed=int(owed)), month, int(spent)


def micros_of(moment: datetime) -> int:
    """Return microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(micros: int) -> datetime:
    """Return the moment so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=micros)


def utc_or(moment: datetime, otherwise: datetime) -> datetime:
    """Return a moment in UTC, or another one where there is none such."""
    try:
        return in_utc(moment)
    except MalformedRecord:
        return otherwise


def next_month(now: datetime) -> datetime:
    """Return the first moment of the next month, UTC."""
    year, month = (now.year + 1, 1) if now.month == 12 else (now.year, now.month + 1)  # noqa: PLR2004
    return datetime(year, month, 1, tzinfo=UTC)


def _refuse_unless_allowed(name: str, *, is_acknowledged: bool, ceiling_usd: float, price_usd: float) -> None:
    if is_acknowledged is not True:
        raise SettingsError(
            f"sources.{name}: X stays off until government_plan_acknowledged = true. {TERMS}. "
            "Set it only with that plan and after the advice of your data-protection officer."
        )
    if not 0 < ceiling_usd < float("inf"):
        raise SettingsError(
            f"sources.{name}.monthly_ceiling_usd: {ceiling_usd:g}; every post is paid for, so give a ceiling above 0, "
            "in US dollars a month"
        )
    if not 1 / MICROS <= price_usd <= ceiling_usd:
        raise SettingsError(f"sources.{name}.usd_per_post: {price_usd:g}; give the price of a post, as in 0.005")


def _keep_tweepy_from_printing_the_token() -> None:
    """Raise the level of tweepy's log: at DEBUG it holds the headers of each request."""
    log = logging.getLogger("tweepy")
    if log.level < logging.INFO:
        log.setLevel(logging.INFO)

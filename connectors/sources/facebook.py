"""Facebook: the town's own Page, asked every few minutes for what its webhook missed.

Two ways to the same posts, under the same keys: `facebook_webhook.py` is told at once; `FacebookPage` asks again.

Shape   one reading for each post or comment that is new or has changed, and one without a post at the end of each
        poll; only that one moves the cursor
Units   cursor: `<created> <asked>` in seconds since 1970: when the newest one was written, when the last poll began
Errors  SourceUnavailable when Facebook does not answer or says why not: read again after the cursor
Source  https://developers.facebook.com/docs/graph-api: reference/page/feed, reference/object/comments
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import httpx
import msgspec

from connectors.contract import Capabilities, Observer, Reading
from connectors.cursors import number_in
from connectors.pseudonym import Pseudonyms
from connectors.runner import Sleep
from connectors.sources.facebook_graph import COMMENT_FIELDS, GRAPH, POST_FIELDS, Gone, Graph, Item, written_at
from connectors.sources.facebook_posts import (
    PLATFORM,
    Node,
    full_post_id,
    is_id,
    malformed,
    moment_from,
    post_from,
    told_by_node,
    why_not_page,
)
from connectors.sources.facebook_versions import Memory, Seen, mark_of
from records import Clock, MalformedRecord, Post, SettingsError, SourceUnavailable


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
    numbers = number_in(newest), number_in(asked)
    return Position() if numbers[0] is None or numbers[1] is None else Position(numbers[0], numbers[1])


@dataclass(frozen=True)
class Window:
    """What one poll looks at, in seconds since 1970."""

    asked: int
    since: int  # what was written before was handed over before
    floor: int  # older posts are not looked at, nor what is said below them


class Found(NamedTuple):
    """What a piece of a listing comes to, under the name by which it is known again."""

    key: str
    mark: int
    written: int
    record: Post | MalformedRecord | None


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
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._observer = observer
        self._every_secs = every_secs
        self._overlap_secs = overlap_secs
        self._start_secs = start_hours * 3600
        self._look_back_secs = look_back_days * 86_400
        self._memory = memory or Memory()
        self._seen = Seen()
        self._graph = Graph(
            token=token,
            app_secret=app_secret,
            clock=clock,
            observer=observer,
            base_url=base_url,
            name=name,
            connect_secs=connect_secs,
            read_secs=read_secs,
        )
        self._sleep = sleep

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        """Yield what is new or has changed, poll by poll."""
        position = position_from(after)
        self._seen.resume(after=position.asked, since=self._window(position).since)
        async with self._graph.client() as client:
            while True:
                async with aclosing(self._poll(client, position)) as readings:
                    async for reading in readings:
                        position = position_from(reading.cursor)
                        yield reading
                await self._sleep(self._every_secs)

    async def _poll(self, client: httpx.AsyncClient, start: Position) -> AsyncGenerator[Reading, None]:
        """Ask for all once; the cursor moves only when all was answered, so what was not comes again."""
        window, cursor = self._window(start), str(start)
        newest = start.newest
        try:
            async with aclosing(self._found(client, window)) as pieces:
                async for found in pieces:
                    newest = max(newest, min(found.written, window.asked))
                    told = self._memory.mark(found.key)
                    change = self._seen.change(
                        found.key, found.mark, written=found.written, after=start.asked, told=told
                    )
                    if change:
                        yield Reading(cursor, marked(found.record, cursor, is_changed=change == "changed"))
        except MalformedRecord as error:  # an answer that is none
            yield Reading(cursor, error)
            raise SourceUnavailable(f"{self.name}: {error}", retry_after_secs=self._every_secs) from error
        if 0 < start.asked < window.floor:
            self._observer.gap(self.name, window.floor - start.asked)
        yield Reading(str(Position(newest, window.asked)), None)

    def _window(self, start: Position) -> Window:
        asked = max(int(self._clock.now().timestamp()), start.asked)
        floor = asked - self._look_back_secs
        since = start.newest - self._overlap_secs if start.newest else asked - self._start_secs
        return Window(asked, max(since, floor), floor)

    async def _found(self, client: httpx.AsyncClient, window: Window) -> AsyncGenerator[Found, None]:
        """Yield the Page's posts, each followed by what was said below it."""
        feed = self._graph.items(client, f"{self._page_id}/feed", {"fields": POST_FIELDS}, window.floor)
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
        if isinstance(post, MalformedRecord) or not is_id(post.id):
            return
        query = {"fields": COMMENT_FIELDS, "filter": "stream", "order": "reverse_chronological"}
        thread = full_post_id(post.id, self._page_id)
        try:
            async with aclosing(self._graph.items(client, f"{thread}/comments", query, window.since)) as items:
                async for item in items:
                    yield self._made(item, thread=thread)
        except Gone:
            return

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

"""Facebook: the posts of a Page and the comments below them, asked of a local Graph API; the webhook's bodies too."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from connectors.sources import facebook, facebook_graph, facebook_webhook
from connectors.sources.facebook_versions import Memory
from connectors.sources.webhook import Refused
from records import MalformedRecord

PAGE = "1000000000001"
SECRETS = (b"Anne", b"Exemple", b"Luc", "Modèle".encode(), b"Ville d", b"2002", b"2003", b"501_9")


def page_of(tools: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tools.corpus / "facebook.graph.json").read_text(encoding="utf-8"))
    return found


@asynccontextmanager
async def subject(tools: Any, *, is_damaged: bool) -> AsyncIterator[tuple[facebook.FacebookPage, int]]:
    page = page_of(tools)
    server = tools.server("facebook").Graph(PAGE, page["posts"], page["comments"])
    server.page_size = 3
    if is_damaged:
        server.raw = {
            f"{PAGE}_503": {"id": "2002_503", "message": 7, "created_time": "2026-11-22T06:48:20+0000"},
            "501_901": {"id": "501_901", "created_time": "hier", "from": {"name": "Luc Modèle"}},
            f"{PAGE}_505": ["Anne Exemple"],
        }
    async with server.running():
        yield source_of(tools, server.url), 11


def source_of(tools: Any, url: str, **more: Any) -> facebook.FacebookPage:
    return facebook.FacebookPage(
        page_id=PAGE,
        token="page-token",
        pseudonyms=tools.pseudonyms,
        clock=tools.clock,
        observer=tools.witness,
        base_url=url,
        **more,
    )


def place(cursor: str) -> tuple[int, int]:
    position = facebook.position_from(cursor)
    return position.newest, position.asked


def frames(tools: Any) -> list[bytes]:
    page = page_of(tools)
    things = [*page["posts"], *(comment for some in page["comments"].values() for comment in some)]
    listing = {"data": things[:2], "paging": {"next": "https://graph.facebook.com/?until=1&__paging_token=x"}}
    told = (tools.corpus / "facebook.jsonl").read_bytes().splitlines()
    return [*told, json.dumps(listing).encode(), *(json.dumps(thing).encode() for thing in things)]


def take_apart(tools: Any, frame: bytes) -> object:
    source = source_of(tools, "http://127.0.0.1:9")
    made = [source._made(facebook_graph.item_from(frame), thread=thread) for thread in ("", f"{PAGE}_501")]
    return made, told_in(tools, frame), asked_in(tools, frame)


def told_in(tools: Any, frame: bytes) -> object:
    """Return what the webhook makes of a body; a refusal is an answer too."""
    nobody: Any = None
    hook = facebook_webhook.Hook(
        page_id=PAGE,
        app_secret="app",
        verify_token="verify",
        gate=lambda _: True,
        publisher=nobody,
        observer=tools.witness,
        clock=tools.clock,
        pseudonyms=tools.pseudonyms,
        name="facebook",
        is_trusted=False,
        limits=facebook_webhook.LIMITS,
        memory=Memory(),
    )
    try:
        return hook._batch(facebook_webhook.values_in(frame, page_id=PAGE, limit=1000))
    except Refused as refusal:
        return refusal


def asked_in(tools: Any, frame: bytes) -> object:
    """Return what the reader makes of an answer, good or bad."""
    headers = {"x-business-use-case-usage": frame.decode("latin-1")}
    refusal = facebook_graph.refusal_from(400, headers, frame, now=tools.clock.now())
    try:
        listing = facebook_graph.listing_from(frame)
    except MalformedRecord as error:
        return error, refusal
    return facebook_graph.step_from(listing.paging), refusal


WRITTEN = 100  # posts and comments between two polls, at most
COMMENTS = 500  # below a post
CHANGES = 30  # in a request, at most
LOST = 0.2  # of the webhook's requests: they never come, and only the listing has what they told
ATTEMPTS = (1, 1, 10_000)  # of the others: many are given up where they are not taken at once
OVERLAP = 5


class Many:
    """A Page on which much is written, a second apart: told by the webhook, where that is not lost, and listed."""

    overlap = OVERLAP + 1

    def __init__(self, tools: Any, module: Any, served: Any, front: Any, sender: Any) -> None:
        self.tools, self.module, self.served, self.front, self.sender = tools, module, served, front, sender
        self.allowed = 0
        self.keys: list[str] = []
        self.changes: list[tuple[str, dict[str, Any]]] = []

    def start(self, broker: Any) -> Any:
        memory = Memory()
        page = source_of(
            self.tools, self.served[0].server.url, memory=memory, overlap_secs=OVERLAP, sleep=self.after_poll
        )
        application = facebook_webhook.facebook_app(
            page_id=PAGE,
            app_secret="app",
            verify_token="verify",
            gate=lambda _: True,
            publisher=broker,
            observer=self.tools.witness,
            clock=self.tools.clock,
            pseudonyms=self.tools.pseudonyms,
            memory=memory,
        )
        return page, self.front.serving(application)

    def tear_after(self, posts: int) -> None:
        graph = self.served[0].server
        graph.abort_after = {len(graph.requests) + 1 + posts // 20}
        self.front.tear_after = posts // 20

    async def restart(self) -> None:
        for served in self.served:
            await served.restart()

    async def after_poll(self, _: float) -> None:
        """Allow for more to be written."""
        self.allowed = len(self.keys) + self.tools.chance.randrange(WRITTEN)
        await asyncio.sleep(0.002)

    async def story(self, count: int) -> None:
        """Let posts and comments be written."""
        chance, size = self.tools.chance, 1
        post: dict[str, Any] = {}
        for number in range(count):
            await self.tools.until(lambda number=number: number < self.allowed)
            self.tools.clock.advance(timedelta(seconds=1))
            post = self.write(number, post)
            if len(self.changes) >= size or number == count - 1:
                if chance.random() >= LOST:
                    self.tell(f"m{number}")
                size = chance.randrange(1, CHANGES)
                self.changes.clear()

    def write(self, number: int, post: dict[str, Any]) -> dict[str, Any]:
        """Write a comment below a post, or the next post; return the post that may be commented on."""
        graph = self.served[0].server
        at = self.module.time_of(self.tools.clock.now().timestamp())
        thing = {"message": "fumée", "created_time": at, "updated_time": at, "from": {"id": str(2000 + number % 40)}}
        if number % COMMENTS:
            comment = thing | {"id": f"1_{number}"}
            graph.comments[post["id"]].append(comment)
            post["updated_time"] = at
            key = self.tools.pseudonyms.post("facebook", comment["id"])
            self.changes.append((f"facebook:{key}", self.module.told_of(comment, post_id=post["id"])))
        else:
            post = thing | {"id": f"{PAGE}_{number}"}
            graph.posts.append(post)
            graph.comments[post["id"]] = []
            self.changes.append((f"facebook:{post['id']}", self.module.told_of(post)))
        self.keys.append(self.changes[-1][0])
        return post

    def tell(self, name: str) -> None:
        """Give the webhook something to deliver."""
        keys, values = zip(*self.changes, strict=True)
        body, attempts = self.module.notice(PAGE, *values), self.tools.chance.choice(ATTEMPTS)
        delivery = self.tools.server("sender").Delivery(name, body, frozenset(keys), attempts)
        self.sender.left.append(delivery)


@asynccontextmanager
async def many(tools: Any, count: int) -> AsyncIterator[Many]:
    module, senders = tools.server("facebook"), tools.server("sender")
    front = senders.Front()
    sender = senders.Sender(
        lambda: f"{front.url}/facebook",
        lambda delivery: module.signed(delivery.body, "app"),
        has_arrived=lambda keys: keys <= tools.broker.known,
    )
    async with tools.served(module.Graph(PAGE, [], {})) as graph, tools.served(sender) as told:
        found = Many(tools, module, (graph, told), front, sender)
        async with tools.telling(found.story(count)):
            yield found
    assert not sender.premature, "200 only after the broker has it"

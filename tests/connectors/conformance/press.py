"""Press: a feed of a publisher's server."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from connectors.sources.feeds import document_from
from connectors.sources.press import Feed, Press, post_from
from records import MalformedRecord

SECRETS = (b"Camille", b"Secr\xc3\xa8te", b"secret.plume", b"secret.redaction", b"Tenue-Secr")
ENTRIES = 7


@asynccontextmanager
async def subject(tools: Any, *, is_damaged: bool) -> AsyncIterator[tuple[Press, int]]:
    content = (tools.corpus / "press.xml").read_bytes()
    if is_damaged:  # half letters, an entity that nobody declared, a tag that does not close, two dates that are none
        content = content.replace("Énorme".encode(), b"\xc3norme").replace(b"Match", b"Ma&tch;")
        content = content.replace(b"</managingEditor>", b"").replace(b"GMT</pubDate>", b"??</pubDate>", 2)
    served = tools.server("press")
    publisher = served.Publisher({"/rss.xml": served.Page(content)})
    async with publisher.running():
        yield source_of(tools, publisher.url), ENTRIES


def source_of(tools: Any, url: str, **more: Any) -> Press:
    return Press(
        [Feed(url="/rss.xml", name="Le Littoral")],
        pseudonyms=tools.pseudonyms,
        clock=tools.clock,
        observer=tools.witness,
        base_url=url,
        chance=lambda: 0.0,
        **more,
    )


def place(cursor: str) -> int:
    return int(msgspec.json.decode(cursor)["steps"])


def frames(tools: Any) -> list[bytes]:
    broken = sorted((tools.corpus / "press").glob("*.xml"))
    return [path.read_bytes() for path in (tools.corpus / "press.xml", tools.corpus / "press.atom", *broken)]


def take_apart(tools: Any, frame: bytes) -> object:
    """Take a document apart as a visit does: only that it is malformed may come out."""
    try:
        document = document_from(frame, content_type="text/xml", url="https://littoral.example/rss")
    except MalformedRecord as error:
        return error
    found: list[object] = []
    for entry in document.entries:
        try:
            found.append(
                post_from(
                    entry,
                    identity=entry.guid,
                    feed=Feed(url="https://littoral.example/rss"),
                    received_at=tools.clock.now(),
                    pseudonyms=tools.pseudonyms,
                )
            )
        except MalformedRecord as error:
            found.append(error)
    return msgspec.json.encode([one for one in found if not isinstance(one, MalformedRecord)])


WINDOW = 60  # entries that the feed holds
QUIET = 0.2  # chance that nothing is added until all was handed over
MOST_AT_ONCE = WINDOW - 1  # so that one that was handed over is among them


class Many:
    """A feed that slides on as far as it may: what was not handed over yet still stands in it, and not much else."""

    overlap = 0
    is_wary = True  # where nothing of its cursor stands in the feed any more, it tells of a gap

    def __init__(self, tools: Any, served: Any, items: list[Any]) -> None:
        self.tools, self.served, self.items = tools, served, items
        self.restart = served.restart
        self.torn_in = -1  # visits
        self.visited = asyncio.Event()
        url = f"{served.server.url}/rss.xml\n".encode()
        self.keys = [f"press:{hashlib.sha256(url + item.guid.encode()).hexdigest()[:24]}" for item in items]

    def start(self, _: Any) -> tuple[Press, None]:
        return source_of(self.tools, self.served.server.url, sleep=lambda _: asyncio.sleep(0.001)), None

    def tear_after(self, posts: int) -> None:
        self.torn_in = posts // WINDOW

    def on_served(self, _: str) -> None:
        self.visited.set()
        if self.torn_in == 0:
            self.served.server.abort_after.append(self.tools.chance.randrange(10_000))
        self.torn_in -= 1

    async def story(self) -> None:
        """Let news come after a visit, or none."""
        known, chance, rss = self.tools.broker.known, self.tools.chance, self.tools.server("press").rss
        published, taken = 0, 0
        while published < len(self.items):
            while taken < published and self.keys[taken] in known:
                taken += 1
            room = min(taken + MOST_AT_ONCE, len(self.items)) - published
            published += chance.choice((0, chance.randrange(room + 1), *8 * (room,)))
            self.tools.clock.at = self.items[max(published - 1, 0)].said_at
            self.served.server.pages["/rss.xml"].body = rss(self.items[max(published - WINDOW, 0) : published])
            self.visited.clear()
            await self.visited.wait()
            if chance.random() < QUIET:
                await self.tools.until(lambda published=published: known.issuperset(self.keys[:published]))


@asynccontextmanager
async def many(tools: Any, count: int) -> AsyncIterator[Many]:
    module = tools.server("press")
    async with tools.served(module.Publisher({"/rss.xml": module.Page(module.rss([]))})) as served:
        found = Many(tools, served, module.numbered(1, count, tools.clock.now()))
        served.server.on_served = found.on_served
        async with tools.telling(found.story()):
            yield found
        assert {200, 304} <= set(served.server.statuses), "where nothing is new, the feed is not sent"

"""Mastodon: events of a stream, as the streaming server writes them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connectors.sources.mastodon import Events, Mastodon, ids_from

SECRETS = (
    b"lou_tisserand",
    b"Lou Tisserand",
    b"renard.gris",
    b"Renard Gris",
    b"amie_du_quai",
    b"ombre_discrete",
    b"nono_secret",
    b"Robot Veille",
    b"mon chat",
    b"Entre nous",
    b"Pas pour les robots",
)


def wire(corpus: Path) -> list[bytes]:
    """Return the events and heartbeats, each with its end."""
    pieces = (corpus / "mastodon.sse").read_bytes().split(b"\n\n")
    found: list[bytes] = []
    for piece in pieces:
        rest = piece
        while rest.startswith(b":"):
            comment, _, rest = rest.partition(b"\n")
            found.append(comment + b"\n")
        if rest:
            found.append(rest + b"\n\n")
    return found


def spoilt(frame: bytes) -> bytes:
    """Spoil a byte of an event's data that stands in the text or, without one, at its end."""
    at = frame.find(b'"content":"') + 20 if b'"content":"' in frame else len(frame) - 4
    return frame[:at] + b"\xff" + frame[at + 1 :]


@asynccontextmanager
async def subject(tools: Any, *, is_damaged: bool) -> AsyncIterator[tuple[Mastodon, int]]:
    told = wire(tools.corpus)
    if is_damaged:
        told = [spoilt(frame) if frame.startswith(b"event") and i % 2 == 0 else frame for i, frame in enumerate(told)]
    module = tools.server("mastodon")
    async with module.Mastodon(told).running() as server:
        yield source_of(tools, server.url, module.TOKEN), len(told) + 1  # the greeting is a frame too


def source_of(tools: Any, url: str, token: str = "", **more: Any) -> Mastodon:
    return Mastodon(
        pseudonyms=tools.pseudonyms,
        clock=tools.clock,
        observer=tools.witness,
        base_url=url,
        token=token,
        streams=["user"],
        **more,
    )


def place(cursor: str) -> list[int]:
    return [number for _, number in sorted(ids_from(cursor).items())]


def frames(tools: Any) -> list[bytes]:
    return wire(tools.corpus)


def take_apart(tools: Any, frame: bytes) -> object:
    source = source_of(tools, "http://127.0.0.1")
    apart = [source.message_from(event) for event in Events().feed(frame + b"\n\n")]
    return apart, source.message_from(next(iter(Events().feed(b"event: update\ndata: " + frame + b"\n\n"))))


STALE, LATE, OVERLAP = 4.0, 9, 10.0  # every ninth post comes so many seconds late, from another instance
AHEAD = 300  # posts that we are told and have not taken


class Many:
    """An instance with many posts, a second apart; those that come while nobody listens stand in the timeline only."""

    overlap = int(OVERLAP) + 2

    def __init__(self, tools: Any, module: Any, served: Any, keys: list[str]) -> None:
        self.tools, self.module, self.served, self.keys = tools, module, served, keys
        self.restart = served.restart

    def start(self, _: Any) -> tuple[Mastodon, None]:
        return source_of(self.tools, self.served.server.url, self.module.TOKEN, overlap_secs=OVERLAP), None

    def tear_after(self, posts: int) -> None:
        self.served.server.abort_after = posts

    async def story(self, count: int) -> None:
        """Let the posts be written: live while somebody listens, and a bounded number while nobody does."""
        server, broker, chance = self.served.server, self.tools.broker, self.tools.chance
        unheard = 0
        await self.tools.until_listened("mastodon")
        for number in range(count):
            if server.listeners:
                unheard = chance.choice((0, 20, 100, 100, 1500))  # of 2,000 that we may ask for
                await self.tools.until(lambda number=number: number - len(broker.known) < AHEAD)
            elif unheard:
                unheard -= 1
            else:
                await self.tools.until(lambda: server.listeners)
            self.tools.clock.advance(timedelta(seconds=1))
            now = self.tools.clock.now()
            said_at = now - timedelta(seconds=STALE) if number % LATE == 0 else now
            status_id = self.module.id_at(said_at, number % 60_000 + 1)
            self.keys.append(f"mastodon:{urlsplit(server.url).netloc}/{status_id}")
            server.publish(self.module.status_of(status_id, "fumée", self.module.account_of("lou"), said_at))


@asynccontextmanager
async def many(tools: Any, count: int) -> AsyncIterator[Many]:
    module = tools.server("mastodon")
    async with tools.served(module.Mastodon()) as served:
        found = Many(tools, module, served, [])
        async with tools.telling(found.story(count)):
            yield found

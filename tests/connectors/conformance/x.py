"""X: lines of a filtered stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from connectors.sources.x import X, line_from

SECRETS = (b"91000000000000000", b"alice_essai", b"bob_essai", b"carole_essai")
RULES = {"feu": "(fumée OR incendie) lang:fr"}


def lines(tools: Any) -> bytes:
    content: bytes = (tools.corpus / "x.jsonl").read_bytes()
    return content


@asynccontextmanager
async def subject(tools: Any, *, is_damaged: bool) -> AsyncIterator[tuple[X, int]]:
    content = tools.damaged(lines(tools)) if is_damaged else lines(tools)
    server = tools.server("x").XApi(content.splitlines())
    server.max_connections = 2  # one that was just left may still be counted
    async with server.running():
        yield source_of(tools, server.connector), len(content.splitlines())


def source_of(tools: Any, tcp: Any, **more: Any) -> X:
    return X(
        bearer_token="local-bearer-token",
        rules=RULES,
        pseudonyms=tools.pseudonyms,
        clock=tools.clock,
        observer=tools.witness,
        government_plan_acknowledged=True,
        **{"monthly_ceiling_usd": 100.0, **more},
        tcp=tcp,
    )


def place(cursor: str) -> int:
    return int(cursor.partition(" ")[0])


def frames(tools: Any) -> list[bytes]:
    return lines(tools).splitlines()


def take_apart(tools: Any, frame: bytes) -> object:
    return source_of(tools, None).found_in(line_from(frame), frame)


AHEAD = 300  # posts that we are told and have not taken
AT_ONCE = 8
UNHEARD = 150  # at most, that pass while nobody listens
PAUSE_SECS = 20.0  # of the clock, in 20 ms


class Many:
    """Many posts, a second apart, which pass whether somebody listens or not; the search finds them, if it is used."""

    overlap = 30  # seconds that a search reaches back

    def __init__(self, tools: Any, served: Any, *, is_searched: bool) -> None:
        self.tools, self.served, self.is_searched = tools, served, is_searched
        self.is_told = False
        self.keys: list[str] = []
        self.written_at: dict[str, datetime] = {}
        self.restart = served.restart

    def start(self, _: Any) -> tuple[X, None]:
        server = self.served.server
        more = {"backfill": self.is_searched, "monthly_ceiling_usd": 10_000.0}
        return source_of(self.tools, server.connector, silence_secs=5.0, **more), None

    def tear_after(self, posts: int) -> None:
        self.served.server.tears[:] = [posts]

    async def story(self, count: int) -> None:
        """Let the posts be written, and then nothing for as long as it takes."""
        server, broker, chance = self.served.server, self.tools.broker, self.tools.chance
        unheard = 0
        await self.tools.until_listened("x")
        for number in range(count):
            if server.listening:
                unheard = chance.randrange(UNHEARD)
                while self.is_searched and number - len(broker.known) >= AHEAD:
                    await self.pause()  # what passed unheard is only searched for as time goes on
                if not self.is_searched and number % AT_ONCE == 0:
                    await asyncio.sleep(0.001)  # what waits in a socket is lost, too
            elif unheard:
                unheard -= 1
            else:
                await self.tools.until(lambda: server.listening)
            self.tools.clock.advance(timedelta(seconds=1))
            self.keys.append(f"x:{1990000000000000000 + number}")
            self.written_at[self.keys[-1]] = self.tools.clock.now()
            server.publish(server_line(self.tools, number))
        self.is_told = True
        while True:
            await self.pause()

    async def pause(self) -> None:
        await asyncio.sleep(0.02)
        self.tools.clock.advance(timedelta(seconds=PAUSE_SECS))


def server_line(tools: Any, number: int) -> bytes:
    line: bytes = tools.server("x").demo_line(number, tools.clock.now())
    return line


@asynccontextmanager
async def searched(tools: Any, count: int, *, is_searched: bool) -> AsyncIterator[Many]:
    server = tools.server("x").XApi()
    server.now, server.is_replayed, server.passes_by, server.keep_alive_secs = tools.clock.now, False, True, 0.02
    async with tools.served(server) as served:
        found = Many(tools, served, is_searched=is_searched)
        async with tools.telling(found.story(count)):
            yield found


def many(tools: Any, count: int) -> Any:
    return searched(tools, count, is_searched=True)


def lossy(tools: Any, count: int) -> Any:
    return searched(tools, count, is_searched=False)

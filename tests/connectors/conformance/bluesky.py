"""Bluesky: frames of a Jetstream server."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connectors.sources.bluesky import Bluesky, position_from

SECRETS = (b"alicealice", b"bobbob", b"carol.example", b"eve_secret")


def payloads(corpus: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (corpus / "bluesky.jsonl").read_text(encoding="utf-8").splitlines()]


@asynccontextmanager
async def subject(tools: Any, *, is_damaged: bool) -> AsyncIterator[tuple[Bluesky, int]]:
    told = payloads(tools.corpus)
    server = tools.server("jetstream").Jetstream(told)
    if is_damaged:
        server.corrupt = {payload["seq"] for payload in told[::3]}
    async with server.running():
        yield source_of(tools, server.url), 15


def source_of(tools: Any, url: str) -> Bluesky:
    return Bluesky(pseudonyms=tools.pseudonyms, clock=tools.clock, observer=tools.witness, base_url=url)


def place(cursor: str) -> int:
    return position_from(cursor).seq


def frames(tools: Any) -> list[bytes]:
    told = payloads(tools.corpus)
    return [json.dumps({"$type": "message", "payload": payload}).encode() for payload in told]


def take_apart(tools: Any, frame: bytes) -> object:
    return source_of(tools, "ws://127.0.0.1").message_from(frame)


class Many:
    """A server with many posts."""

    overlap = 0

    def __init__(self, tools: Any, served: Any, keys: list[str]) -> None:
        self.tools, self.served, self.keys = tools, served, keys
        self.restart = served.restart

    def start(self, _: Any) -> tuple[Bluesky, None]:
        return source_of(self.tools, self.served.server.url), None

    def tear_after(self, posts: int) -> None:
        self.served.server.abort_after = posts


@asynccontextmanager
async def many(tools: Any, count: int) -> AsyncIterator[Many]:
    first = payloads(tools.corpus)[0]
    told = [first | {"seq": 1000 + 3 * number, "rkey": f"3m{number:06d}"} for number in range(count)]
    ids = [tools.pseudonyms.post("bluesky", f"{one['did']}/{one['rkey']}") for one in told]
    keys = [f"bluesky:{native}" for native in ids]
    async with tools.served(tools.server("jetstream").Jetstream(told)) as served:
        yield Many(tools, served, keys)

"""X: lines of a filtered stream."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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


def source_of(tools: Any, tcp: Any) -> X:
    return X(
        bearer_token="local-bearer-token",
        rules=RULES,
        pseudonyms=tools.pseudonyms,
        clock=tools.clock,
        observer=tools.witness,
        government_plan_acknowledged=True,
        monthly_ceiling_usd=100.0,
        tcp=tcp,
    )


def place(cursor: str) -> int:
    return int(cursor.partition(" ")[0])


def frames(tools: Any) -> list[bytes]:
    return lines(tools).splitlines()


def take_apart(tools: Any, frame: bytes) -> object:
    return source_of(tools, None).found_in(line_from(frame), frame)

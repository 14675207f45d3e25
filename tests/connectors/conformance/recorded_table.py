"""Recorded posts: rows of a table."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connectors.sources.recorded import Recorded

SECRETS = (b"jean_dupont", b"Marie Martin", b"@paul")
FILE, FRAMES = "recorded.csv", 7


@asynccontextmanager
async def subject(tools: Any, *, is_damaged: bool) -> AsyncIterator[tuple[Recorded, int]]:
    path = tools.corpus / FILE
    if is_damaged:
        path = tools.folder / FILE
        head, _, rows = (tools.corpus / FILE).read_bytes().partition(b"\n")
        path.write_bytes(head + b"\n" + tools.damaged(rows))
    yield source_of(tools, path), FRAMES


def source_of(tools: Any, path: Path) -> Recorded:
    return Recorded([path], pseudonyms=tools.pseudonyms, clock=tools.clock)


def place(cursor: str) -> int:
    return int(cursor.partition("@")[0])


def frames(tools: Any) -> list[bytes]:
    head, *rows = (tools.corpus / FILE).read_bytes().splitlines()
    return [head + b"\n" + row for row in rows]


def take_apart(tools: Any, frame: bytes) -> object:
    path = tools.folder / f"one-{FILE}"
    path.write_bytes(frame)
    return list(source_of(tools, path)._posts(path, 0))

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


class Many:
    """A table with many posts, of which some span two lines."""

    overlap = 0

    def __init__(self, tools: Any, path: Path, keys: list[str]) -> None:
        self.tools, self.path, self.keys = tools, path, keys

    def start(self, _: Any) -> tuple[Recorded, None]:
        return source_of(self.tools, self.path), None

    def tear_after(self, posts: int) -> None:
        """Do nothing: a file is not torn."""

    async def restart(self) -> None:
        """Do nothing: a file has no server."""


@asynccontextmanager
async def many(tools: Any, count: int) -> AsyncIterator[Many]:
    path = tools.folder / "many.csv"
    rows = [
        f"{number},{chr(34)}fumée{chr(10) if number % 3 == 0 else ' '}noire{chr(34)},2026-11-22T06:00:00Z,mill,a\n"
        for number in range(count)
    ]
    path.write_text("id,text,ts,source,author\n" + "".join(rows), encoding="utf-8")
    yield Many(tools, path, [f"mill:{number}" for number in range(count)])

"""Recorded posts: lines of a JSON file."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connectors.sources.recorded import Recorded

SECRETS = (b"jean_dupont", b"Marie Martin", b"@paul")
FILE, FRAMES = "recorded.jsonl", 10


@asynccontextmanager
async def subject(tools: Any, *, is_damaged: bool) -> AsyncIterator[tuple[Recorded, int]]:
    path = tools.corpus / FILE
    if is_damaged:
        path = tools.folder / FILE
        path.write_bytes(tools.damaged((tools.corpus / FILE).read_bytes()))
    yield source_of(tools, path), FRAMES


def source_of(tools: Any, path: Path) -> Recorded:
    return Recorded([path], pseudonyms=tools.pseudonyms, clock=tools.clock)


def place(cursor: str) -> int:
    return int(cursor.partition("@")[0])


def frames(tools: Any) -> list[bytes]:
    return [line for line in (tools.corpus / FILE).read_bytes().splitlines() if line.strip()]


def take_apart(tools: Any, frame: bytes) -> object:
    path = tools.folder / f"one-{FILE}"
    path.write_bytes(frame)
    return list(source_of(tools, path)._posts(path, 0))


class Many:
    """A file with many posts."""

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
    path = tools.folder / "many.jsonl"
    line = '{{"id": "{0}", "text": "fumée", "ts": "2026-11-22T06:00:00Z", "source": "mill", "author": "a"}}\n'
    path.write_text("".join(line.format(number) for number in range(count)), encoding="utf-8")
    yield Many(tools, path, [f"mill:{number}" for number in range(count)])

"""Operator notices: rows of a table that a person keeps."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connectors.sources.notices import NoticeFile, Sites, rows_from, stand_from

SECRETS = (b"Camille", b"99 99 01", b"astreinte.secret")
FILE, FRAMES = "notices.csv", 8


@asynccontextmanager
async def subject(tools: Any, *, is_damaged: bool) -> AsyncIterator[tuple[NoticeFile, int]]:
    path = tools.corpus / FILE
    if is_damaged:
        path = tools.folder / FILE
        head, _, rows = (tools.corpus / FILE).read_bytes().partition(b"\n")
        path.write_bytes(head + b"\n" + tools.damaged(rows))
    yield source_of(tools, path), FRAMES


def source_of(tools: Any, path: Path) -> NoticeFile:
    return NoticeFile(path, clock=tools.clock, sites=Sites(area="76"))


def place(cursor: str) -> tuple[int, int]:
    stand = stand_from(cursor)
    return stand.version, stand.line


def frames(tools: Any) -> list[bytes]:
    head, *rows = (tools.corpus / FILE).read_bytes().splitlines()
    return [head + b"\n" + row for row in rows]


def take_apart(tools: Any, frame: bytes) -> object:
    return list(rows_from(frame, source="notices", received_at=tools.clock.now(), sites=Sites(area="76")))

"""CAP: alerts that the entries of a feed link to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from connectors.cap import alert_from
from connectors.sources.cap import Cap, Ours, entries_from, standing_from, told_by
from records import MalformedRecord

SECRETS = (b"vigilance.secret", b"AGENT_SECRET_NAME", b"agent.secret", b"prefecture.secret", b"Agent Secret")
FRAMES = 7


@asynccontextmanager
async def subject(tools: Any, *, is_damaged: bool) -> AsyncIterator[tuple[Cap, int]]:
    server = tools.server("cap").CapServer()
    for number, value in enumerate(frames(tools)):
        path = f"/alerts/{number}"
        server.raw[path] = tools.damaged(value) if is_damaged and number % 2 else value
    async with server.running():
        server.entries = [
            f'<entry><author><name>Agent Secret</name></author><link type="application/cap+xml" '
            f'href="{server.url}{path}"/><updated>2026-11-22T06:0{number}:00Z</updated></entry>'
            for number, path in enumerate(server.raw)
        ]
        yield source_of(tools, server.url), FRAMES


def source_of(tools: Any, url: str) -> Cap:
    return Cap(clock=tools.clock, observer=tools.witness, base_url=url, paths=["/feeds/atom"], ours=Ours(area="76"))


def place(cursor: str) -> int:
    return standing_from(cursor).n


def frames(tools: Any) -> list[bytes]:
    content: bytes = (tools.corpus / "cap.txt").read_bytes()
    return [value.strip() for value in content.split(b"\n\n")]


def take_apart(tools: Any, frame: bytes) -> object:
    found: list[object] = []
    try:
        found.append(entries_from(frame, "http://127.0.0.1/feeds/atom"))
        alert = alert_from(frame)
        found.append(told_by(alert, {}, ours=Ours(area="76"), source="cap", received_at=tools.clock.now()))
    except MalformedRecord as error:
        found.append(error)
    return found

"""Météo-France: the vigilance with its texts, asked once."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from connectors.sources.meteofrance import MeteoFrance, words_from
from connectors.sources.polling import Position, position_from
from records import MalformedRecord

SECRETS = (b"secretnom", b"paul.", b"the-key-itself")
AREAS = ["76", "27"]


@asynccontextmanager
async def subject(tools: Any, *, is_damaged: bool) -> AsyncIterator[tuple[MeteoFrance, int]]:
    server = tools.server("meteofrance").MeteoFrance([], datetime(2026, 11, 22, 6, tzinfo=UTC), key="the-key-itself")
    server.body = (tools.corpus / "meteofrance.json").read_bytes()
    server.texts_body = (tools.corpus / "meteofrance-textes.json").read_bytes()
    if is_damaged:
        told = json.loads(server.body)
        domains = told["product"]["periods"][0]["timelaps"]["domain_ids"]
        domains[1]["phenomenon_items"][0]["phenomenon_max_color_id"] = {"paul.secretnom": "x"}
        domains[2] = ["paul.secretnom"]
        server.body, server.texts_body = json.dumps(told).encode(), b"{"
    async with server.running():
        yield source_of(tools, server.url), 3 if is_damaged else 5


def source_of(tools: Any, url: str) -> MeteoFrance:
    return MeteoFrance(areas=AREAS, api_key="the-key-itself", clock=tools.clock, observer=tools.witness, base_url=url)


def place(cursor: str) -> datetime:
    seen_at = position_from(cursor).seen_at
    assert seen_at
    return seen_at


def frames(tools: Any) -> list[bytes]:
    return [(tools.corpus / name).read_bytes() for name in ("meteofrance.json", "meteofrance-textes.json")]


def take_apart(tools: Any, frame: bytes) -> object:
    source = source_of(tools, "http://127.0.0.1")
    found: list[object] = []
    try:
        found.append(words_from(frame, AREAS))
    except MalformedRecord as error:
        found.append(error)
    try:
        sheet = source._read(frame)
    except MalformedRecord as error:
        return [*found, error]
    return [*found, *source._readings(Position(), sheet, sheet.problem)]

"""Vigicrues: the map, asked once."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from connectors.sources.polling import Position, position_from
from connectors.sources.vigicrues import Vigicrues
from records import MalformedRecord

SECRETS = (b"secretnom", b"claire.")
REACHES = {"ZZ11": ["76"], "ZZ12": ["76", "80"], "ZZ13": ["76"], "ZZ14": ["76"], "ZZ16": ["27"]}


@asynccontextmanager
async def subject(tools: Any, *, is_damaged: bool) -> AsyncIterator[tuple[Vigicrues, int]]:
    server = tools.server("vigicrues").Vigicrues([], datetime(2026, 11, 22, 6, tzinfo=UTC))
    server.body = (tools.corpus / "vigicrues.json").read_bytes()
    if is_damaged:
        told = json.loads(server.body)
        told["features"][0]["properties"]["NivInfViCr"] = {"claire.secretnom": "x"}
        told["features"][1] = "claire.secretnom"
        server.body = json.dumps(told).encode()
    async with server.running():
        yield source_of(tools, server.url), 2 if is_damaged else 4


def source_of(tools: Any, url: str) -> Vigicrues:
    return Vigicrues(reaches=REACHES, clock=tools.clock, observer=tools.witness, base_url=url)


def place(cursor: str) -> datetime:
    seen_at = position_from(cursor).seen_at
    assert seen_at
    return seen_at


def frames(tools: Any) -> list[bytes]:
    return [(tools.corpus / "vigicrues.json").read_bytes()]


def take_apart(tools: Any, frame: bytes) -> object:
    source = source_of(tools, "http://127.0.0.1")
    try:
        sheet = source._read(frame)
    except MalformedRecord as error:
        return error
    return list(source._readings(Position(), sheet, sheet.problem))

"""Hub'Eau: the observations of one station, asked once."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from connectors.sources.hubeau import HubEau, Recent, Station, page_from
from connectors.sources.polling import Position, position_from
from records import MalformedRecord

SECRETS = (b"secretnom", b"lea.")
STATION = Station(code="Z999999901", areas=("76",), name="Arvelle à Dourbe", yellow_m=1.0, orange_m=1.5, red_m=2.0)


@asynccontextmanager
async def subject(tools: Any, *, is_damaged: bool) -> AsyncIterator[tuple[HubEau, int]]:
    server = tools.server("hubeau").HubEau([])
    server.body = (tools.corpus / "hubeau.json").read_bytes()
    if is_damaged:
        told = json.loads(server.body)
        told["data"][0] = {"lea.secretnom": 1}
        told["data"][3]["date_obs"] = "lea.secretnom"
        server.body = json.dumps(told).encode()
    async with server.running():
        yield source_of(tools, server.url), 9


def source_of(tools: Any, url: str) -> HubEau:
    return HubEau(stations=[STATION], clock=tools.clock, observer=tools.witness, base_url=url)


def place(cursor: str) -> list[datetime]:
    return sorted(position_from(cursor).last.values())


def frames(tools: Any) -> list[bytes]:
    return [(tools.corpus / "hubeau.json").read_bytes()]


def take_apart(tools: Any, frame: bytes) -> object:
    source = source_of(tools, "http://127.0.0.1")
    try:
        rows, _ = page_from(frame)
    except MalformedRecord as error:
        return error
    position, readings = Position(), []
    for row in rows:
        readings.append(source._reading(row, STATION, position, Recent()))
        position = position_from(readings[-1].cursor)
    return readings

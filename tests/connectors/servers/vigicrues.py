"""The flood map of Vigicrues, on the loopback: the real document, and faults on demand.

Written after https://www.vigicrues.gouv.fr/services/v1.1 and captures of InfoVigiCru.geojson described in public
repositories (names of fields, `DtHrInfoVigiCru` and `RefInfoVigiCru` beside the features, WGS84 lines, the redirection
from /services/1/, the change of case of the names). What it cannot prove: real cadence, whether the service sends
ETags, fields that appear or go, how it behaves in a flood, when all look.
"""

import asyncio
import gzip
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

PATH = "/services/InfoVigiCru.geojson"
OLD_PATH = "/services/1/InfoVigiCru.geojson"


def reach(code: str, name: str, level: Any, *, line: list[list[float]] | None = None, **more: Any) -> dict[str, Any]:
    """Return one reach as the map has it."""
    return {
        "type": "Feature",
        "geometry": {"type": "MultiLineString", "coordinates": [line or [[1.10, 49.44], [1.20, 49.60]]]},
        "properties": {
            "CdEntCru": code,
            "typentcru": "8",
            "lbentcru": name,
            "acroentcru": code,
            "cddient_1": "03",
            "dhcentcru": "2012/07/10 10:00:00.000",
            "dhmentcru": "2024/01/16 10:00:00.000",
            "stentcru": "Validé",
            "cdensup_1": "24",
            "typensup_1": "5",
            "cdint": None,
            "CdTCC": "TCC24",
            "id": "764",
            "NivInfViCr": level,
            **more,
        },
    }


class Vigicrues:
    """The map, and what is to go wrong next."""

    def __init__(self, reaches: list[dict[str, Any]], issued_at: datetime) -> None:
        self.reaches = reaches
        self.issued_at: datetime | None = issued_at
        self.body: bytes | None = None  # sent instead of the map
        self.refuse_with: list[tuple[int, dict[str, str]]] = []
        self.abort_after: int | None = None  # bytes of the body until the connection is torn, once
        self.piece = 0  # bytes of a chunk; 0 for a whole answer
        self.has_etags = True
        self.is_moved = False  # the path is an old one, and the answer says where to go
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.answers: list[int] = []
        self.handlers: set[asyncio.Task[None]] = set()
        self.port = 0

    def colour(self, code: str, level: int, *, at: datetime | None = None) -> None:
        """Give a reach another colour, in a new edition of the map."""
        for one in self.reaches:
            if one["properties"]["CdEntCru"] == code:
                one["properties"]["NivInfViCr"] = level
        if at:
            self.issued_at = at

    def document(self) -> bytes:
        """Return the map as it is sent."""
        if self.body is not None:
            return self.body
        told: dict[str, Any] = {"type": "FeatureCollection", "name": "InfoVigiCru", "features": self.reaches}
        if self.issued_at:
            told["RefInfoVigiCru"] = f"{self.issued_at:%d%m%Y_%H}"
            told["DtHrInfoVigiCru"] = self.issued_at.isoformat(timespec="seconds")
        return json.dumps(told, ensure_ascii=False).encode()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Vigicrues"]:
        server = await asyncio.start_server(self._handle, "127.0.0.1", self.port)
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            yield self
        for handler in list(self.handlers):
            handler.cancel()
        await asyncio.gather(*self.handlers, return_exceptions=True)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = asyncio.current_task()
        assert handler
        self.handlers.add(handler)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            await self._write(writer, *self._answer(first.split(" ")[1], headers))
        except (OSError, asyncio.IncompleteReadError):
            return  # the client has left
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            self.handlers.discard(handler)

    async def _write(self, writer: asyncio.StreamWriter, status: int, headers: dict[str, str], body: bytes) -> None:
        """Send an answer, whole or in the way that a fault demands."""
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append("Transfer-Encoding: chunked" if self.piece else f"Content-Length: {len(body)}")
        writer.write("\r\n".join([*lines, "", ""]).encode())
        if self.abort_after is not None:
            writer.write(body[: self.abort_after])
            await writer.drain()
            self.abort_after = None
            writer.transport.abort()
            return
        if not self.piece:
            writer.write(body)
        for at in range(0, len(body) if self.piece else 0, self.piece or 1):
            piece = body[at : at + (self.piece or 1)]
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await writer.drain()
        if self.piece:
            writer.write(b"0\r\n\r\n")
        await writer.drain()

    def _answer(self, target: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        self.requests.append((target, headers))
        status, more, body = self._found(urlsplit(target).path, headers)
        self.answers.append(status)
        return status, more, body

    def _found(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if self.refuse_with:
            status, more = self.refuse_with.pop(0)
            return status, more, b"<html>non disponible</html>"
        if path == OLD_PATH or (self.is_moved and path == PATH):
            return 302, {"Location": "/services/carte.geojson" if self.is_moved else PATH}, b""
        if path not in (PATH, "/services/carte.geojson"):
            return 404, {"Content-Type": "text/html"}, b"<html>404</html>"
        body = self.document()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        more = {"Content-Type": "application/json; charset=utf-8"} | ({"ETag": etag} if self.has_etags else {})
        if self.has_etags and headers.get("if-none-match") == etag:
            return 304, more, b""
        if "gzip" in headers.get("accept-encoding", ""):
            return 200, more | {"Content-Encoding": "gzip"}, gzip.compress(body)
        return 200, more, body


async def serve_demo(port: int) -> None:
    """Serve an invented map for ever, in which a river rises and falls."""
    begun = datetime.now(UTC)
    server = Vigicrues([reach("ZZ11", "Arvelle amont", 1), reach("ZZ12", "Arvelle aval", 1)], begun)
    server.port = port
    async with server.running():
        for second in range(10**9):
            server.colour("ZZ12", (2, 3, 4, 3, 2, 1)[second // 20 % 6], at=begun + timedelta(seconds=second))
            await asyncio.sleep(1)

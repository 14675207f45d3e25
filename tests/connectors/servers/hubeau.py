"""Hub'Eau's hydrometry, version 2, on the loopback: observations by station, pages by cursor, and faults on demand.

Written after https://hubeau.eaufrance.fr/page/api-hydrometrie and answers captured in public repositories (names of
fields, millimetres, status 206 while there is more, `next` with a cursor, 400 above 20,000 rows, rows of a site without
a station). What it cannot prove: real delays of a station (minutes for one, days for another), how long a cursor lives,
limits of use, which are not published.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

PATH = "/api/v2/hydrometrie/observations_tr"
MOST_ROWS = 20_000


def row(code: str, at: datetime, millimetres: Any, **more: Any) -> dict[str, Any]:
    """Return one observation."""
    return {
        "code_site": code[:8],
        "code_station": code,
        "grandeur_hydro": "H",
        "date_debut_serie": f"{at:%Y-%m-%dT00:00:00Z}",
        "date_fin_serie": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "code_statut": 4,
        "libelle_statut": "Donnée brute",
        "code_systeme_alti_serie": 31,
        "date_obs": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "resultat_obs": millimetres,
        "code_methode_obs": 0,
        "libelle_methode_obs": "Mesurée",
        "code_qualification_obs": 16,
        "libelle_qualification_obs": "Non qualifiée",
        "continuite_obs_hydro": True,
        "longitude": 1.0998,
        "latitude": 49.4431,
        **more,
    }


class HubEau:
    """The observations, and what is to go wrong next."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.body: bytes | None = None  # sent instead of a page
        self.refuse_with: list[tuple[int, dict[str, str]]] = []
        self.refuse_station = ""  # always 500 for this one
        self.abort_after: int | None = None  # bytes of the body until the connection is torn, once
        self.abort_at_random: list[int] = []  # the same, for one answer after another
        self.piece = 0  # bytes of a chunk; 0 for a whole answer
        self.sends_twice = False
        self.is_unsorted = False
        self.next_host = ""  # where `next` leads
        self.requests: list[dict[str, list[str]]] = []
        self.answers: list[int] = []
        self.handlers: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["HubEau"]:
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
        query = parse_qs(urlsplit(target).query)
        self.requests.append(query)
        status, more, body = self._found(urlsplit(target).path, query)
        if self.abort_at_random:
            self.abort_after = min(self.abort_at_random.pop(0), max(len(body) - 1, 0))
        self.answers.append(status)
        return status, {"Content-Type": "application/json;charset=UTF-8", **more}, body

    def _found(self, path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        if self.refuse_with:
            status, more = self.refuse_with.pop(0)
            return status, more, b"{}"
        if path != PATH:
            return 403, {}, b"{}"  # version 1 was shut down so
        if self.body is not None:
            return 200, {}, self.body
        if self.refuse_station and query.get("code_entite") == [self.refuse_station]:
            return 500, {}, b'{"code":500,"message":"Erreur interne"}'
        size = int(query.get("size", ["5000"])[0])
        if size > MOST_ROWS:
            return 400, {}, json.dumps({"code": "InvalidRequest", "message": "ValidatePageSize"}).encode()
        return self._page(query, size)

    def _page(self, query: dict[str, list[str]], size: int) -> tuple[int, dict[str, str], bytes]:
        found = self._matching(query)
        at = int(query.get("cursor", ["0"])[0])
        rows = found[at : at + size]
        if self.sends_twice:
            rows = [one for one in rows for _ in range(2)]
        if self.is_unsorted:
            rows = rows[::-1]
        has_more = at + size < len(found)
        plain = {name: values[0] for name, values in query.items() if name != "cursor"}
        base = self.next_host or f"http://127.0.0.1:{self.port}"
        told = {
            "count": len(found),
            "first": f"{base}{PATH}?{urlencode(plain)}",
            "prev": None,
            "next": f"{base}{PATH}?{urlencode({**plain, 'cursor': at + size})}" if has_more else None,
            "api_version": "2.0.1",
            "data": rows,
        }
        return 206 if has_more else 200, {}, json.dumps(told, ensure_ascii=False).encode()

    def _matching(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        codes = query["code_entite"][0].split(",")
        since = query.get("date_debut_obs", [""])[0]
        found = [
            one
            for one in self.rows
            if (one.get("code_station") or one.get("code_site", "")) in codes and str(one.get("date_obs")) >= since
        ]
        found.sort(key=lambda one: str(one.get("date_obs")))
        return found[::-1] if query.get("sort", ["desc"])[0] == "desc" else found


async def serve_demo(port: int) -> None:
    """Serve an invented station for ever, whose river rises and falls."""
    server = HubEau([])
    server.port = port
    async with server.running():
        for second in range(10**9):
            height = 600 + 30 * min(second % 120, 120 - second % 120)
            server.rows.append(row("Z999999901", datetime.now(UTC), height))
            del server.rows[:-1000]
            await asyncio.sleep(1)

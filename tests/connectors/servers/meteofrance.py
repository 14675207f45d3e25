"""The vigilance API of Météo-France, on the loopback: key, map, texts, and faults on demand.

Written after the "Descriptif technique des informations Vigilance métropole" (11 September 2023) as quoted in public
repositories, answers captured there (CDP_CARTE_EXTERNE, CDP_TEXTES_VIGILANCE), and the gateway's manual (WSO2 API
Manager: 401 with 900901 and 429 with 900804 and a date in Retry-After). What it cannot prove: the real quota, whether
the gateway sends ETags, the account and the life of a key, what is published in a crisis.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

MAP = "/public/DPVigilance/v1/cartevigilance/encours"
TEXTS = "/public/DPVigilance/v1/textesvigilance/encours"


def stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def phenomenon(number: str, colour: Any, *spans: tuple[datetime, datetime, int]) -> dict[str, Any]:
    """Return a phenomenon of one département."""
    return {
        "phenomenon_id": number,
        "phenomenon_max_color_id": colour,
        "timelaps_items": [
            {"begin_time": stamp(begin), "end_time": stamp(end), "color_id": span} for begin, end, span in spans
        ],
    }


def domain(code: str, *phenomena: dict[str, Any]) -> dict[str, Any]:
    """Return a département, its coast or the country."""
    worst = max((int(item["phenomenon_max_color_id"]) for item in phenomena), default=1)
    return {"domain_id": code, "max_color_id": worst, "phenomenon_items": list(phenomena)}


def bloc(code: str, hazard: str | None, *lines: str) -> dict[str, Any]:
    """Return the bulletin of one domain."""
    item = {
        "type_code": "SITUATION",
        "type_name": "Situation actuelle",
        "text_items": [
            {
                "hazard_code": hazard,
                "hazard_name": "",
                "term_items": [
                    {
                        "term_names": "J",
                        "risk_code": "3",
                        "risk_level": "2",
                        "subdivision_text": [{"bold_text": "", "underline_text": "", "text": list(lines)}],
                    }
                ],
            }
        ],
    }
    return {"domain_id": code, "domain_name": code, "bloc_title": "Bulletin", "bloc_items": [item]}


class MeteoFrance:
    """Map and texts, and what is to go wrong next."""

    def __init__(self, domains: list[dict[str, Any]], issued_at: datetime, key: str = "a-key") -> None:
        self.today = domains
        self.tomorrow: list[dict[str, Any]] = []  # none between midnight and six
        self.blocs: list[dict[str, Any]] = []
        self.issued_at = issued_at
        self.key = key
        self.body: bytes | None = None  # sent instead of the map
        self.texts_body: bytes | None = None
        self.refuse_with: list[int] = []
        self.refuse_texts = False
        self.retry_after = ""
        self.abort_after: int | None = None  # bytes of the body until the connection is torn, once
        self.piece = 0  # bytes of a chunk; 0 for a whole answer
        self.has_etags = True
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.answers: list[int] = []
        self.handlers: set[asyncio.Task[None]] = set()
        self.port = 0

    def document(self) -> bytes:
        """Return the map as it is sent."""
        if self.body is not None:
            return self.body
        midnight = self.issued_at.replace(hour=0, minute=0, second=0) + timedelta(days=1)
        periods = [("J", self.issued_at, midnight, self.today)]
        if self.tomorrow:
            periods.append(("J1", midnight, midnight + timedelta(days=1), self.tomorrow))
        product = {
            "warning_type": "vigilance",
            "type_cdp": "cdp_carte_externe",
            "version_vigilance": "V6",
            "version_cdp": "1.0.0",
            "update_time": stamp(self.issued_at),
            "domain_id": "FRA",
            "global_max_color_id": "3",
            "periods": [
                {
                    "echeance": name,
                    "begin_validity_time": stamp(begin),
                    "end_validity_time": stamp(end),
                    "text_items": {"title": "", "text": [""]},
                    "timelaps": {"domain_ids": [domain("FRA"), *domains]},
                    "max_count_items": [],
                    "per_phenomenon_items": [],
                }
                for name, begin, end, domains in periods
            ],
        }
        meta = {"snapshot_id": "0", "product_datetime": stamp(self.issued_at), "generation_timestamp": ""}
        return json.dumps({"product": product, "meta": meta}, ensure_ascii=False).encode()

    def texts(self) -> bytes:
        """Return the texts as they are sent."""
        if self.texts_body is not None:
            return self.texts_body
        product = {"update_time": stamp(self.issued_at), "domain_id": "FRA", "text_bloc_items": self.blocs}
        return json.dumps({"product": product, "meta": {}}, ensure_ascii=False).encode()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["MeteoFrance"]:
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
        status, more, body = self._found(target, headers)
        self.answers.append(status)
        return status, {"Content-Type": "application/json", **more}, body

    def _found(self, target: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if headers.get("apikey") != self.key:
            return 401, {}, fault(900901, "Invalid Credentials")
        if self.refuse_with:
            status = self.refuse_with.pop(0)
            more = {"Retry-After": self.retry_after} if self.retry_after else {}
            return status, more, fault(900804, "Message throttled out")
        if target == TEXTS:
            return (503, {}, b"") if self.refuse_texts else (200, {}, self.texts())
        if target != MAP:
            return 404, {}, fault(404, "No matching resource found for given API Request")
        body = self.document()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.has_etags and headers.get("if-none-match") == etag:
            return 304, {"ETag": etag}, b""
        return 200, {"ETag": etag} if self.has_etags else {}, body


def fault(code: int, message: str) -> bytes:
    """Return an error as the gateway words it."""
    return json.dumps({"code": str(code), "message": message, "description": message}).encode()


async def serve_demo(port: int) -> None:
    """Serve an invented vigilance for ever, under the key "demo"."""
    server = MeteoFrance([], datetime.now(UTC), key="demo")
    server.port = port
    async with server.running():
        for second in range(10**9):
            now = datetime.now(UTC)
            colour = (2, 3, 2, 1)[second // 20 % 4]
            rain = phenomenon("2", colour, (now, now + timedelta(hours=6), colour))
            server.today, server.issued_at = [domain("76", rain), domain("7610")], now
            server.blocs = [bloc("76", "2", "De fortes pluies sont attendues sur le relief.")]
            await asyncio.sleep(1)

"""Recognition: who sends a request, by token, by session, or by the open door; and whether he may go on sending.

An answer that goes on for long (the live changes) ends with the session, or the token, that it was asked with; as long
as it goes on, so does the session.
"""

import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from hashlib import sha256
from ipaddress import ip_address, ip_network

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.access import sessions, tokens
from console.access.entrance import FORM, SESSION, Entrance
from console.access.pace import Buckets
from console.access.visitor import Visitor
from console.desk import Desk
from records import Clock

AGAIN = timedelta(minutes=1)  # an answer that goes on asks again whether its session or token holds
DEMO = {"fr": "démonstration", "en": "demo"}
FORM_SECONDS = 24 * 3600
ELSEWHERE = "/login/"  # a request here makes one to the provider
READS = frozenset({"GET", "HEAD", "OPTIONS"})


class Recognition:
    """Says who asks, as `request.state.visitor`, and lets nobody ask too often."""

    def __init__(self, app: ASGIApp, *, desk: Desk, entrance: Entrance) -> None:
        self._app = app
        self._desk = desk
        self._entrance = entrance
        self._forms = Buckets(entrance.doors.forms)
        self._api = Buckets(entrance.doors.api)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer whoever it is."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        is_file = scope["path"].startswith("/static/")  # the same for everybody
        visitor = Visitor() if is_file else await self._visitor(request)
        scope["state"] = {**scope.get("state", {}), "visitor": visitor, "entrance": self._entrance}
        if wait := self._wait(scope, visitor):
            await _too_often(scope, wait)(scope, receive, send)
        elif visitor.way == "":
            await self._as_nobody(scope, receive, send)
        elif visitor.way == "open":
            await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, _Lasting(self._desk.clock, lambda: self._visitor(request), send))

    async def _visitor(self, request: HTTPConnection) -> Visitor:
        engine, now = self._desk.engine, self._desk.clock.now()
        if header := request.headers.get("authorization"):
            kind, _, token = header.partition(" ")
            known = await tokens.visitor_of(engine, token.strip(), now) if kind.lower() == "bearer" else None
            return known or Visitor()
        if self._entrance.doors.is_open and _is_here(request):
            name = DEMO[self._desk.setup.language]
            return Visitor(name=name, role="admin", csrf=self._entrance.csrf, way="open")
        cookie = request.cookies.get(self._entrance.cookie(SESSION))
        return (await sessions.visitor_of(engine, cookie, now) if cookie else None) or Visitor()

    async def _as_nobody(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer somebody unknown: what his forms must bring back hangs on a cookie of his own."""
        given = HTTPConnection(scope).cookies.get(self._entrance.cookie(FORM), "")
        token = given if len(given) == len(secrets.token_urlsafe(32)) else secrets.token_urlsafe(32)
        scope["state"]["visitor"] = Visitor(csrf=sha256(f"form {token}".encode()).hexdigest())

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and token != given:
                found = MutableHeaders(scope=message)
                if found.get("content-type", "").startswith("text/html"):
                    bearing = Response()
                    self._entrance.put(bearing, FORM, token, seconds=FORM_SECONDS)
                    found.append("set-cookie", bearing.headers["set-cookie"])
            await send(message)

        await self._app(scope, receive, with_cookie)

    def _wait(self, scope: Scope, visitor: Visitor) -> float:
        who = visitor.account_id or address_of(HTTPConnection(scope))
        now = self._desk.clock.now()
        if scope["path"].startswith("/api/"):
            return self._api.take(who, now)
        is_free = scope["method"] in READS and not scope["path"].startswith(ELSEWHERE)
        return 0.0 if is_free else self._forms.take(who, now)


class _Lasting:
    """Sends on, as long as the session or the token holds."""

    def __init__(self, clock: Clock, asks: Callable[[], Awaitable[Visitor]], send: Send) -> None:
        self._clock = clock
        self._asks = asks
        self._send = send
        self._asked_at = clock.now()
        self._is_over = False

    async def __call__(self, message: Message) -> None:
        now = self._clock.now()
        if self._is_over:
            return
        if message.get("more_body") and now - self._asked_at >= AGAIN:
            self._asked_at = now
            if (await self._asks()).way == "":
                self._is_over = True
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
                return
        await self._send(message)


def address_of(request: HTTPConnection) -> str:
    """Return where a request comes from: of IPv6 the network that one customer gets, for he has all of it."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(address) if address.version == 4 else str(ip_network(f"{address}/64", strict=False))  # noqa: PLR2004


def _is_here(request: HTTPConnection) -> bool:
    try:
        return ip_address(request.client.host).is_loopback if request.client else False
    except ValueError:
        return False


def _too_often(scope: Scope, wait: float) -> Response:
    seconds = int(wait) + 1
    headers = {"retry-after": str(seconds)}
    if scope["path"].startswith("/api/"):
        return JSONResponse({"error": f"too many requests: again in {seconds} s"}, 429, headers)
    return PlainTextResponse(f"Trop de demandes : réessayez dans {seconds} s.\nAgain in {seconds} s.\n", 429, headers)

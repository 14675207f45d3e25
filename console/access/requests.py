"""Requests: which are refused before anybody asks who sent them: to another name, too large, or made to break things.

Source  OWASP on DNS rebinding: a page from elsewhere whose name is made to point here still sends that name
"""

import asyncio
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HERE = frozenset({"localhost", "127.0.0.1", "[::1]"})
LARGEST = 1024 * 1024  # bytes, of a body
LONGEST_SECS = 30.0  # that a body takes to come: who sends a byte now and then holds memory of ours
MOST_DIGITS = 18  # of the length that is told; Python refuses to read thousands
LONGEST_ADDRESS = 8 * 1024  # bytes, with the query


class Requests:
    """Lets through what is sent to us, and is not too large."""

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = HERE | {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            refusal = self._why_not(scope)
            await (refusal or _Measured(self._app))(scope, receive, send)

    def _why_not(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = _name(headers.get("host", ""))
        if host not in self._hosts:
            return _refusal(scope, 421, f"{host!r} is no name of this console; [console] names has those that are")
        query = scope.get("query_string", b"")
        if len(scope.get("raw_path") or b"") + len(query) > LONGEST_ADDRESS:
            return _refusal(scope, 414, "the address is too long")
        if "\0" in scope["path"] or b"%00" in query or b"\0" in query:
            return _refusal(scope, 400, "the address holds a NUL")
        length = headers.get("content-length", "0")
        if not length.isdecimal():
            return _refusal(scope, 400, "the length of the body is no number")
        is_too_large = len(length) > MOST_DIGITS or int(length) > LARGEST
        return _refusal(scope, 413, TOO_LARGE) if is_too_large else None


TOO_LARGE = "a body may have at most 1 MiB"
TOO_SLOW = "the body took longer than half a minute to come"


class _Measured:
    """Counts a body while it comes: its length need not be told, and need not be true; nor need it ever end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        came, is_whole, until = 0, False, asyncio.get_running_loop().time() + LONGEST_SECS

        async def measured() -> Message:
            nonlocal came, is_whole
            try:
                async with asyncio.timeout_at(None if is_whole else until):
                    message = await receive()
            except TimeoutError as error:
                raise HTTPException(408, TOO_SLOW) from error
            came, is_whole = came + len(message.get("body", b"")), not message.get("more_body", False)
            if came > LARGEST:
                raise HTTPException(413, TOO_LARGE)
            return message

        await self._app(scope, measured, send)


def _name(host: str) -> str:
    """Return a host without its port."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower().rstrip(".")


def _refusal(scope: Scope, status: int, why: str) -> Response:
    if scope["path"].startswith("/api/"):
        return JSONResponse({"error": why}, status)
    return PlainTextResponse(why, status)

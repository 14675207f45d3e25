"""Headers: what every answer tells the browser, so that it does nothing that no page of ours asks for.

Source  OWASP HTTP Headers Cheat Sheet; Content Security Policy Level 3
"""

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NEVER_CHANGES = "/static/vendor/"  # the version stands in the address
FOUND = frozenset({200, 206, 304})
FIXED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "geolocation=(self), camera=(), microphone=(), payment=(), usb=(), display-capture=()",
}


def policy(online_tiles: str) -> str:
    """Return what a page may load, and from where; a map from outside only where the settings name one."""
    tiles = urlsplit(online_tiles.replace("{s}", "*"))
    pictures = f" {tiles.scheme}://{tiles.netloc}" if online_tiles else ""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src 'self' data:{pictures}; connect-src 'self'; font-src 'self'; manifest-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )


def headers(online_tiles: str, *, is_https: bool) -> dict[str, str]:
    """Return the headers that every answer bears."""
    found = {**FIXED, "content-security-policy": policy(online_tiles)}
    return {**found, "strict-transport-security": "max-age=31536000"} if is_https else found


class Headers:
    """Puts them on every answer."""

    def __init__(self, app: ASGIApp, *, online_tiles: str, is_https: bool) -> None:
        self._app = app
        self._headers = headers(online_tiles, is_https=is_https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = MutableHeaders(scope=message)
                found.update(self._headers)
                found.setdefault("cache-control", _kept(scope["path"], message["status"]))
            await send(message)

        await self._app(scope, receive, with_headers)


def _kept(path: str, status: int) -> str:
    if path.startswith(NEVER_CHANGES) and status in FOUND:
        return "public, max-age=31536000, immutable"
    return "no-cache" if path.startswith("/static/") else "no-store"

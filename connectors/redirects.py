"""Redirects: where an answer sends us, and whether we go there (RFC 9110, 15.4)."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import httpx

from connectors.bounded import body_within
from records import SourceUnavailable

MAX_HOPS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
LASTING = frozenset({301, 308})
UNREACHABLE = (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, ValueError)
"""What asking a server may raise, and following it to what is no address."""


class Answer(NamedTuple):
    """What a server said in the end, after its redirects."""

    status: int
    headers: httpx.Headers
    body: bytes
    address: str
    moved_to: str  # where to ask the next time; "" when nothing moved for good


async def get(
    client: httpx.AsyncClient,
    address: str,
    *,
    limit: int,
    may_go_inside: Callable[[], Awaitable[bool]],
    headers: dict[str, str] | None = None,
    check: Callable[[str], Awaitable[None]] | None = None,
    is_cut: bool = False,
) -> Answer:
    """Ask for an address and follow it where it has moved, `check` before each step; read a body only with a 200.

    Errors  SourceUnavailable when it leads too far or where we do not follow; MalformedRecord when the body is too
            long; ValueError when it leads to what is no address
    """
    moved_to, is_lasting = "", True
    for _ in range(MAX_HOPS + 1):
        if check:
            await check(address)
        client.cookies.clear()  # we are nobody that they have met before
        async with client.stream("GET", address, headers=headers) as response:
            target = target_of(response)
            if not target:
                is_there = response.status_code == httpx.codes.OK
                body = await body_within(response, limit, is_cut=is_cut) if is_there else b""
                return Answer(response.status_code, response.headers, body, address, moved_to)
        why = why_not_followed(address, target)
        if not why and await is_inside(target) and not await may_go_inside():
            why = "into a private network"
        if why:
            raise SourceUnavailable(f"{shown(address)}: redirected {why}, which is not followed")
        is_lasting = is_lasting and response.status_code in LASTING
        address = target
        moved_to = target if is_lasting else moved_to
    raise SourceUnavailable(f"{shown(address)}: redirected more than {MAX_HOPS} times")


def target_of(response: httpx.Response) -> str:
    """Return the whole address that an answer sends us to, "" when it sends us nowhere.

    Errors  ValueError when that is no address
    """
    location = response.headers.get("Location", "")
    is_redirect = response.status_code in REDIRECTS and location
    return urljoin(str(response.request.url), location) if is_redirect else ""


def why_not_followed(address: str, target: str) -> str:
    """Return why a redirect is not followed, "" when it is."""
    scheme = urlsplit(target).scheme
    if scheme not in ("http", "https"):
        return f"to {scheme[:10]!r}"
    return "from https to http" if scheme == "http" and urlsplit(address).scheme == "https" else ""


def is_same_server(address: str, target: str) -> bool:
    """Tell whether an address leads to the server that we asked; from http to https it is still the same one."""
    ours, theirs = urlsplit(address.lower()), urlsplit(target.lower())
    is_upgrade = (ours.scheme, theirs.scheme) == ("http", "https") and ours.port is None
    return ours.netloc == theirs.netloc and (ours.scheme == theirs.scheme or is_upgrade)


async def is_inside(address: str) -> bool:
    """Tell whether an address leads to this machine or a private network; a name that is not known leads nowhere."""
    host = urlsplit(address).hostname or ""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return any(not ipaddress.ip_address(str(one[4][0]).partition("%")[0]).is_global for one in found)


def shown(address: str) -> str:
    """Return an address as it may stand in a message: a query may hold a key."""
    return address.partition("?")[0][:200]

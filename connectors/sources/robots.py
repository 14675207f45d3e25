"""Robots: what a server asks of machines, in its robots.txt and in its reservation of text and data mining.

Errors  SourceUnavailable when a server does not say: nothing may be read then
Source  robots.txt (RFC 9309), TDM Reservation Protocol
        (https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/)
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

import httpx
import msgspec

from connectors.redirects import UNREACHABLE, get
from connectors.retry_after import seconds_in
from records import Clock, MalformedRecord, SourceUnavailable

AGENT: Final = "vigie"
"""The name that a robots.txt may speak of."""

MAX_BYTES = 512 << 10
"""RFC 9309 asks for 500 KiB at least; what follows is not looked at."""

MAX_ORIGINS = 256
LAST_FOR = timedelta(hours=24)
"""A server is asked for its rules once in this time."""

CLIENT_ERRORS = range(400, 500)
MayGoInside = Callable[[], Awaitable[bool]]


class Manners(NamedTuple):
    """What a server asks of machines: its robots.txt and its reservation of text and data mining."""

    robots: str
    reserved: list[tuple[str, bool]]
    checked_at: datetime

    def objection(self, address: str) -> str:
        """Return why an address is not to be read, "" when it may be."""
        path = path_of(address)
        if not is_allowed(self.robots, path):
            return "robots.txt"
        is_reserved = next((value for pattern, value in self.reserved if is_match(pattern, path)), False)
        return "tdmrep.json" if is_reserved else ""


class Robots:
    """The manners of the servers that we ask, read once a day."""

    def __init__(self, clock: Clock, *, name: str) -> None:
        self._clock = clock
        self._name = name
        self._known: dict[str, Manners] = {}

    async def manners_of(self, client: httpx.AsyncClient, address: str, may_go_inside: MayGoInside) -> Manners:
        """Return what the server of an address asks of machines."""
        origin, now = origin_of(address), self._clock.now()
        known = self._known.get(origin)
        if known and now - known.checked_at < LAST_FOR:
            return known
        try:
            robots = await self._robots_at(client, origin, may_go_inside)
        except (MalformedRecord, SourceUnavailable, *UNREACHABLE):
            if known:
                return known  # old rules are better than none
            raise
        reserved = await reserved_at(client, origin, may_go_inside)
        if len(self._known) >= MAX_ORIGINS:
            self._known.clear()
        self._known[origin] = Manners(robots, reserved, now)
        return self._known[origin]

    async def _robots_at(self, client: httpx.AsyncClient, origin: str, may_go_inside: MayGoInside) -> str:
        """Return a server's robots.txt, "" where it has none.

        Errors  SourceUnavailable when it does not say: nothing may be read then
        """
        address = f"{origin}/robots.txt"
        answer = await get(client, address, may_go_inside=may_go_inside, limit=MAX_BYTES, is_cut=True)
        if answer.status == httpx.codes.OK:
            return answer.body.decode("utf-8", "replace")
        if answer.status in CLIENT_ERRORS and answer.status != httpx.codes.TOO_MANY_REQUESTS:
            return ""
        secs = seconds_in(answer.headers.get("Retry-After"), self._clock.now(), longest_secs=LAST_FOR.total_seconds())
        raise SourceUnavailable(
            f"{self._name}: {address} answers {answer.status}, which forbids everything for now", retry_after_secs=secs
        )


async def reserved_at(client: httpx.AsyncClient, origin: str, may_go_inside: MayGoInside) -> list[tuple[str, bool]]:
    """Return a server's rules on text and data mining; what cannot be read says nothing, by the protocol."""
    address = f"{origin}/.well-known/tdmrep.json"
    try:
        answer = await get(client, address, may_go_inside=may_go_inside, limit=MAX_BYTES)
    except (MalformedRecord, SourceUnavailable, *UNREACHABLE):
        return []
    return reserved_in(answer.body) if answer.status == httpx.codes.OK else []


def is_allowed(robots: str, path: str) -> bool:
    """Tell whether a robots.txt lets us ask for a path: the longest rule for us decides, or else for all."""
    ours, anybodys = rules_in(robots)
    rules = anybodys if ours is None else ours
    decisive = max(
        ((len(pattern), is_open) for pattern, is_open in rules if is_match(pattern, path)), default=(0, True)
    )
    return decisive[1]


def rules_in(robots: str) -> tuple[list[tuple[str, bool]] | None, list[tuple[str, bool]]]:
    """Return the rules for us, None where we are not named, and the rules for all."""
    groups: dict[str, list[tuple[str, bool]]] = {}
    agents: list[str] = []
    is_naming = False
    for line in robots.splitlines():
        name, _, value = (part.strip() for part in line.partition("#")[0].partition(":"))
        name = name.lower()
        if name == "user-agent":
            agents = [*agents, value.lower()] if is_naming else [value.lower()]
            is_naming = True
            groups.setdefault(value.lower(), [])
        elif name in ("allow", "disallow"):
            is_naming = False
            for agent in agents if value else ():
                groups[agent].append((value, name == "allow"))
    return groups.get(AGENT), groups.get("*", [])


def reserved_in(body: bytes) -> list[tuple[str, bool]]:
    """Return the rules of a tdmrep.json: path patterns, and whether text and data mining is reserved there."""
    try:
        rules = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    tables = [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    return [
        (rule["location"], str(rule.get("tdm-reservation")) == "1")
        for rule in tables
        if isinstance(rule.get("location"), str)
    ]


def is_match(pattern: str, path: str) -> bool:
    """Tell whether a path begins as a pattern says, where `*` is anything and a last `$` the end."""
    first, *rest = map(unquote, pattern.removesuffix("$").split("*"))
    path = unquote(path)
    if not path.startswith(first):
        return False
    at = len(first)
    last = rest.pop() if rest and pattern.endswith("$") else None
    for piece in rest:
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    if last is not None:
        return path.endswith(last) and len(path) - len(last) >= at
    return not pattern.endswith("$") or at == len(path)


def origin_of(address: str) -> str:
    """Return the server of an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def path_of(address: str) -> str:
    """Return what a robots.txt speaks of: the path, and the query if there is one."""
    parts = urlsplit(address)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

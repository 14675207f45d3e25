"""Entrance: how people come in: the doors, how often one has tried, who vouches for people, and what browsers keep."""

import secrets
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection
from starlette.responses import Response

from console.access.attempts import Attempts
from console.access.doors import Doors
from console.access.oidc import Provider
from console.access.sessions import LONGEST

SESSION, FORM = "vigie", "vigie-form"


@dataclass(frozen=True, kw_only=True)
class Entrance:
    """The doors, and what happened at them so far."""

    doors: Doors
    provider: Provider | None = None
    attempts: Attempts = field(default_factory=Attempts)
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32))  # of the open door, in this process

    def cookie(self, name: str) -> str:
        """Return what a cookie of ours is called: with https, so that no other host can set it."""
        return f"__Host-{name}" if self.doors.is_https else name

    def put(self, response: Response, name: str, value: str, *, seconds: int) -> None:
        """Give the browser a cookie that no script can read and no other site can use."""
        response.set_cookie(
            self.cookie(name), value, max_age=seconds, secure=self.doors.is_https, httponly=True, samesite="lax"
        )

    def begin(self, response: Response, token: str) -> None:
        """Give the browser its session."""
        self.put(response, SESSION, token, seconds=int(LONGEST.total_seconds()))

    def take(self, response: Response, name: str) -> None:
        """Take a cookie away."""
        response.delete_cookie(self.cookie(name), secure=self.doors.is_https, httponly=True, samesite="lax")

    def origin(self, request: HTTPConnection) -> str:
        """Return the address under which this request found us."""
        return f"{'https' if self.doors.is_https else 'http'}://{request.headers.get('host', '')}"


def entrance_of(request: HTTPConnection) -> Entrance:
    """Return the entrance through which a request came."""
    found: Entrance = request.state.entrance
    return found

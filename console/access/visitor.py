"""Visitor: who asks for a page, as far as is known."""

from dataclasses import dataclass

from console.access.roles import Right, Role, may


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody who asks for a page; without a role, nobody known."""

    account_id: str = ""
    name: str = ""  # what his decisions are signed with
    role: Role | None = None
    language: str = ""  # "": as the browser asks
    csrf: str = ""  # what a form of his must bring back
    way: str = ""  # how he is known: "session", "token", "open" (loopback in demo mode), "" not at all
    must_change: bool = False  # his password, before anything else

    def may(self, right: Right) -> bool:
        """Tell whether he has a right."""
        return may(self.role, right)

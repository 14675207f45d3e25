"""Visitor: who asks for a page, as far as is known."""

from dataclasses import dataclass
from typing import Literal

from console.access.roles import Right, Role, may

Way = Literal["", "session", "token", "open"]
"""How somebody is known: not at all, by a login, by a token of the API, or because the demo asks nobody."""
OF_PEOPLE: frozenset[Right] = frozenset({"administer", "tune"})
"""What a person does, and no program: two people put a profile in force."""


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody who asks for a page; without a role, nobody known."""

    account_id: str = ""
    name: str = ""  # what his decisions are signed with
    role: Role | None = None
    language: str = ""  # "": as the browser asks
    csrf: str = ""  # what a form of his must bring back
    way: Way = ""
    session_id: str = ""
    must_change: bool = False  # his password, before anything else

    def may(self, right: Right) -> bool:
        """Tell whether he has a right; a token, which lies in a file somewhere, administers and tunes nothing."""
        if self.must_change or (self.way == "token" and right in OF_PEOPLE):
            return right == "anybody"
        return may(self.role, right)

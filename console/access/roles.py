"""Roles: who may do what. A page names the right that it needs; a role is a set of rights."""

from typing import Literal, get_args

Role = Literal["viewer", "volunteer", "operator", "analyst", "admin"]
Right = Literal["anybody", "see", "report", "verify", "decide", "tune", "audit", "administer"]
"""`anybody`: who is not logged in, too; `report`: take a report in; `verify`: work on the volunteers' queue; `decide`:
decide on incidents, silence, sign messages; `tune`: change what raises an alert; `audit`: read who did what."""

ROLES: tuple[Role, ...] = get_args(Role)

RIGHTS: dict[Role, frozenset[Right]] = {
    "viewer": frozenset({"anybody", "see"}),
    "volunteer": frozenset({"anybody", "see", "report", "verify"}),
    "operator": frozenset({"anybody", "see", "report", "verify", "decide"}),
    "analyst": frozenset({"anybody", "see", "report", "verify", "tune", "audit"}),
    "admin": frozenset({"anybody", "see", "report", "verify", "decide", "tune", "audit", "administer"}),
}


def may(role: Role | None, right: Right) -> bool:
    """Tell whether a role, or somebody who is not logged in, has a right."""
    return right == "anybody" if role is None else right in RIGHTS[role]


def within(role: Role) -> tuple[Role, ...]:
    """Return the roles that have no right which this one has not, the least first."""
    return tuple(other for other in ROLES if RIGHTS[other] <= RIGHTS[role])


def common_part(one: Role, other: Role) -> Role:
    """Return the greatest role that both hold."""
    return [role for role in within(one) if role in within(other)][-1]

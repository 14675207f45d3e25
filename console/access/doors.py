"""Doors: how the console can be entered, as the settings say."""

from dataclasses import dataclass, field

from console.access.pace import Pace
from console.access.roles import Role

FORMS, API = Pace(burst=60, per_second=2.0), Pace(burst=300, per_second=20.0)
"""How often one visitor may send a form, and ask the API."""


@dataclass(frozen=True, kw_only=True)
class Oidc:
    """A provider of OpenID Connect that vouches for people."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    label: str = "OpenID Connect"  # what the link is called
    scope: str = "openid profile"
    roles_claim: str = "roles"  # of the ID token, else of what the provider says of the user
    roles: tuple[tuple[str, Role], ...] = ()  # what the claim says -> the role here; who has none does not come in


@dataclass(frozen=True, kw_only=True)
class Doors:
    """How the console can be entered."""

    is_open: bool = False  # by whoever sits at this machine, without a login: the demo
    oidc: Oidc | None = None
    is_https: bool = False
    hosts: tuple[str, ...] = ()  # names that it answers to, beside this machine's own
    forms: Pace = FORMS
    api: Pace = API

"""The table of the console: where it listens, where it keeps, who may come in."""

from importlib.util import find_spec
from pathlib import Path

from pydantic import Field

from console.access.roles import Role
from vigie.source_settings import Part

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ConsoleSettings(Part):
    """The page for people."""

    port: int = Field(default=8600, ge=0, le=65535, description="a TCP port, or 0: no console")
    metrics_port: int = Field(default=9103, ge=0, le=65535, description="a TCP port for /metrics, or 0: none")
    host: str = Field(default="127.0.0.1", description="the address to listen on; 127.0.0.1 is this machine alone")
    names: tuple[str, ...] = Field(
        default=(), description='host names by which browsers ask for it, as in ["vigie.example.org"]'
    )
    is_https: bool = Field(default=False, description="true when browsers come through HTTPS, by a server in front")
    database: str = Field(
        default="",
        pattern=r"^((sqlite|postgresql)://\S+)?$",
        description="empty: a file in data.dir; or the address of a database, as postgresql://user@host/name",
    )
    database_password_file: Path | None = Field(default=None, description="a file that holds the database's password")
    cell: str = Field(default="", description='the name of the crisis cell, as in "Ville du Havre"')
    is_exercise: bool = Field(default=False, description="true while everything that is seen is an exercise")
    verifies_watches: bool = Field(
        default=True, description="whether volunteers are asked to verify each new watch, unasked"
    )
    keep_years: float = Field(default=5.0, gt=0, le=50, description="years that incidents and decisions are kept")
    boundaries: Path | None = Field(default=None, description="a GeoJSON file with outlines of yours for the map")
    tiles: str = Field(
        default="",
        pattern=r"^(https://[^\s]*\{z\}[^\s]*)?$",
        description="an https address of map tiles with {z}, {x} and {y}; empty: the map that comes with Vigie",
    )
    tiles_attribution: str = Field(default="", description="whom these tiles are by; shown on the map")
    oidc_issuer: str = Field(default="", pattern=r"^(https?://\S+)?$", description="the address of an OIDC issuer")
    oidc_client: str = Field(default="", description="the client id that the issuer knows this console by")
    oidc_secret_file: Path | None = Field(default=None, description="a file that holds the client's secret")
    oidc_claim: str = Field(default="groups", description="the claim that says in which groups somebody is")
    oidc_roles: dict[str, Role] = Field(
        default={}, description='which group has which role, as in { "vigie-operators" = "operator" }'
    )

    @property
    def is_there(self) -> bool:
        """Tell whether there is one: it has a port, and its libraries are installed."""
        return bool(self.port) and find_spec("sqlalchemy") is not None

    @property
    def is_local(self) -> bool:
        """Tell whether it listens to this machine alone."""
        return self.host in LOOPBACK

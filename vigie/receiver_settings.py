"""The settings of receivers: one table of `vigie.toml` each, told apart by its `kind`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from vigie.source_settings import HTTP, NAME, SHORT, Part

HTTPS = r"^https://[^\s/]+\S*$"
HTTPS_OR_NONE = r"^(https://[^\s/]+\S*)?$"
PAGE_URL = "where the console is, as https://host; empty: no links to it"


class JsonlReceiver(Part):
    """Alert revisions as lines of a file."""

    kind: Literal["jsonl"]
    name: str = Field(default="jsonl", pattern=NAME, description=SHORT)
    path: Path = Field(description="the file to append to")


class WebhookReceiver(Part):
    """Alert revisions posted to another program, signed."""

    kind: Literal["webhook"]
    name: str = Field(pattern=NAME, description=SHORT)
    url: str = Field(pattern=HTTP, description="where to post, as https://host/path")
    secret_file: Path = Field(description="a file that holds the shared secret (whsec_…)")


class CapReceiver(Part):
    """Alert revisions as CAP 1.2 documents in a folder, drafts or exercises, for a named circle."""

    kind: Literal["cap"]
    name: str = Field(default="cap", pattern=NAME, description=SHORT)
    folder: Path = Field(description="the folder for the documents and feed.atom")
    base_url: str = Field(pattern=HTTPS, description="where that folder can be read, as https://host/path")
    sender: str = Field(
        pattern=r"^[^\s,<&]+$", description='who drafts, as in "vigie@ville.example"; no blanks, commas, < or &'
    )
    status: Literal["Draft", "Exercise"] = Field(default="Draft", description='"Draft", or "Exercise" for drills')
    restriction: str = Field(
        default="Cellule de crise ; ne pas diffuser au public", min_length=1, description="whom the documents are for"
    )
    addresses: tuple[str, ...] = Field(default=(), description="whom alone they are for, by address; empty: see above")
    page_url: str = Field(default="", pattern=HTTPS_OR_NONE, description=PAGE_URL)
    keep_days: float = Field(
        default=30, gt=0, le=3650, description="days for which what is over stays there; ten years at most"
    )


class FeedsReceiver(Part):
    """All incidents as GeoJSON and as Atom with GeoRSS, in a folder, and over HTTP where a port is given."""

    kind: Literal["feeds"]
    name: str = Field(default="feeds", pattern=NAME, description=SHORT)
    folder: Path = Field(description="the folder for incidents.geojson and incidents.atom")
    base_url: str = Field(default="", pattern=HTTPS_OR_NONE, description="where they can be read, as https://host/path")
    page_url: str = Field(default="", pattern=HTTPS_OR_NONE, description=PAGE_URL)
    keep_days: float = Field(
        default=2, gt=0, le=3650, description="days for which what is over stays in them; ten years at most"
    )
    host: str = Field(default="127.0.0.1", description="an address of this machine to serve them on")
    port: int = Field(default=0, ge=0, le=65535, description="a TCP port to serve them on; 0: they are only written")
    allow_origin: str = Field(
        default="", pattern=r"^(\*|https?://[^\s/]+)?$", description='the origin of pages that may read them; "*": all'
    )


class TerminalReceiver(Part):
    """Alert revisions on the terminal that runs Vigie."""

    kind: Literal["terminal"]
    name: str = Field(default="terminal", pattern=NAME, description=SHORT)


class AppriseReceiver(Part):
    """Alert revisions told to people: e-mail, SMS, Matrix, Signal and what else apprise speaks."""

    kind: Literal["apprise"]
    name: str = Field(default="apprise", pattern=NAME, description=SHORT)
    urls_file: Path = Field(description="a file of addresses as apprise writes them, one a line")
    with_quotes: bool = Field(
        default=False, description="true or false: whether words of posts are told, three at most"
    )
    is_exercise: bool = Field(default=False, description="true or false: whether every message begins with EXERCICE")
    page_url: str = Field(default="", pattern=HTTPS_OR_NONE, description=PAGE_URL)
    timeout_secs: float = Field(default=20.0, ge=1, le=300, description="seconds to wait for each address, 1 to 300")


class AlertmanagerReceiver(Part):
    """Incidents told to an Alertmanager, again every minute while they are open."""

    kind: Literal["alertmanager"]
    name: str = Field(default="alertmanager", pattern=NAME, description=SHORT)
    url: str = Field(pattern=HTTP, description="the Alertmanager, as https://host/path without /api")
    token_file: Path | None = Field(default=None, description="a file that holds a bearer token")
    username: str = Field(default="", description="the user, where a password is asked for")
    password_file: Path | None = Field(default=None, description="a file that holds the user's password")
    page_url: str = Field(default="", pattern=HTTPS_OR_NONE, description=PAGE_URL)


ReceiverSettings = Annotated[
    JsonlReceiver
    | WebhookReceiver
    | CapReceiver
    | FeedsReceiver
    | TerminalReceiver
    | AppriseReceiver
    | AlertmanagerReceiver,
    Field(discriminator="kind"),
]

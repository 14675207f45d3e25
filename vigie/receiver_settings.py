"""The settings of receivers: one table of `vigie.toml` each, told apart by its `kind`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from vigie.source_settings import HTTP, NAME, SHORT, Part


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


class TerminalReceiver(Part):
    """Alert revisions on the terminal that runs Vigie."""

    kind: Literal["terminal"]
    name: str = Field(default="terminal", pattern=NAME, description=SHORT)


ReceiverSettings = Annotated[JsonlReceiver | WebhookReceiver | TerminalReceiver, Field(discriminator="kind")]

"""Mastodon: events of a stream, as the streaming server writes them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connectors.sources.mastodon import Events, Mastodon, ids_from

SECRETS = (
    b"lou_tisserand",
    b"Lou Tisserand",
    b"renard.gris",
    b"Renard Gris",
    b"amie_du_quai",
    b"ombre_discrete",
    b"nono_secret",
    b"Robot Veille",
    b"mon chat",
    b"Entre nous",
    b"Pas pour les robots",
)


def wire(corpus: Path) -> list[bytes]:
    """Return the events and heartbeats, each with its end."""
    pieces = (corpus / "mastodon.sse").read_bytes().split(b"\n\n")
    found: list[bytes] = []
    for piece in pieces:
        rest = piece
        while rest.startswith(b":"):
            comment, _, rest = rest.partition(b"\n")
            found.append(comment + b"\n")
        if rest:
            found.append(rest + b"\n\n")
    return found


def spoilt(frame: bytes) -> bytes:
    """Spoil a byte of an event's data that stands in the text or, without one, at its end."""
    at = frame.find(b'"content":"') + 20 if b'"content":"' in frame else len(frame) - 4
    return frame[:at] + b"\xff" + frame[at + 1 :]


@asynccontextmanager
async def subject(tools: Any, *, is_damaged: bool) -> AsyncIterator[tuple[Mastodon, int]]:
    told = wire(tools.corpus)
    if is_damaged:
        told = [spoilt(frame) if frame.startswith(b"event") and i % 2 == 0 else frame for i, frame in enumerate(told)]
    module = tools.server("mastodon")
    async with module.Mastodon(told).running() as server:
        yield source_of(tools, server.url, module.TOKEN), len(told) + 1  # the greeting is a frame too


def source_of(tools: Any, url: str, token: str = "") -> Mastodon:
    return Mastodon(
        pseudonyms=tools.pseudonyms,
        clock=tools.clock,
        observer=tools.witness,
        base_url=url,
        token=token,
        streams=["user"],
    )


def place(cursor: str) -> list[int]:
    return [number for _, number in sorted(ids_from(cursor).items())]


def frames(tools: Any) -> list[bytes]:
    return wire(tools.corpus)


def take_apart(tools: Any, frame: bytes) -> object:
    source = source_of(tools, "http://127.0.0.1")
    apart = [source.message_from(event) for event in Events().feed(frame + b"\n\n")]
    return apart, source.message_from(next(iter(Events().feed(b"event: update\ndata: " + frame + b"\n\n"))))

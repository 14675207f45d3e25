"""Facebook: the posts of a Page and the comments below them, asked of a local Graph API; the webhook's bodies too."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from connectors.sources import facebook
from connectors.sources.webhook import Refused
from records import MalformedRecord

PAGE = "1000000000001"
SECRETS = (b"Anne", b"Exemple", b"Luc", "Modèle".encode(), b"Ville d", b"2002", b"2003", b"501_9")


def page_of(tools: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tools.corpus / "facebook.graph.json").read_text(encoding="utf-8"))
    return found


@asynccontextmanager
async def subject(tools: Any, *, is_damaged: bool) -> AsyncIterator[tuple[facebook.FacebookPage, int]]:
    page = page_of(tools)
    server = tools.server("facebook").Graph(PAGE, page["posts"], page["comments"])
    server.page_size = 3
    if is_damaged:
        server.raw = {
            f"{PAGE}_503": {"id": "2002_503", "message": 7, "created_time": "2026-11-22T06:48:20+0000"},
            "501_901": {"id": "501_901", "created_time": "hier", "from": {"name": "Luc Modèle"}},
            f"{PAGE}_505": ["Anne Exemple"],
        }
    async with server.running():
        yield source_of(tools, server.url), 11


def source_of(tools: Any, url: str) -> facebook.FacebookPage:
    return facebook.FacebookPage(
        page_id=PAGE,
        token="page-token",
        pseudonyms=tools.pseudonyms,
        clock=tools.clock,
        observer=tools.witness,
        base_url=url,
    )


def place(cursor: str) -> tuple[int, int]:
    position = facebook.position_from(cursor)
    return position.newest, position.asked


def frames(tools: Any) -> list[bytes]:
    page = page_of(tools)
    things = [*page["posts"], *(comment for some in page["comments"].values() for comment in some)]
    listing = {"data": things[:2], "paging": {"next": "https://graph.facebook.com/?until=1&__paging_token=x"}}
    told = (tools.corpus / "facebook.jsonl").read_bytes().splitlines()
    return [*told, json.dumps(listing).encode(), *(json.dumps(thing).encode() for thing in things)]


def take_apart(tools: Any, frame: bytes) -> object:
    source = source_of(tools, "http://127.0.0.1:9")
    made = [source._made(facebook.item_from(frame), thread=thread) for thread in ("", f"{PAGE}_501")]
    return made, told_in(tools, frame), asked_in(frame)


def told_in(tools: Any, frame: bytes) -> object:
    """Return what the webhook makes of a body; a refusal is an answer too."""
    nobody: Any = None
    hook = facebook.Hook(
        page_id=PAGE,
        app_secret="app",
        verify_token="verify",
        gate=lambda _: True,
        publisher=nobody,
        observer=tools.witness,
        clock=tools.clock,
        pseudonyms=tools.pseudonyms,
        name="facebook",
        is_trusted=False,
        limits=facebook.LIMITS,
        memory=facebook.Memory(),
    )
    try:
        return hook._batch(facebook.values_in(frame, page_id=PAGE, limit=1000))
    except Refused as refusal:
        return refusal


def asked_in(frame: bytes) -> object:
    """Return what the reader makes of an answer, good or bad."""
    refusal = facebook.refusal_from(400, {"x-business-use-case-usage": frame.decode("latin-1")}, frame)
    try:
        listing = facebook.listing_from(frame)
    except MalformedRecord as error:
        return error, refusal
    return facebook.step_from(listing.paging), refusal

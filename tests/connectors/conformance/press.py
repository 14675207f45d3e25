"""Press: a feed of a publisher's server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from connectors.sources.press import Feed, Press, document_from, post_from
from records import MalformedRecord

SECRETS = (b"Camille", b"Secr\xc3\xa8te", b"secret.plume", b"secret.redaction", b"Tenue-Secr")
ENTRIES = 7


@asynccontextmanager
async def subject(tools: Any, *, is_damaged: bool) -> AsyncIterator[tuple[Press, int]]:
    content = (tools.corpus / "press.xml").read_bytes()
    if is_damaged:  # half letters, an entity that nobody declared, a tag that does not close, two dates that are none
        content = content.replace("Énorme".encode(), b"\xc3norme").replace(b"Match", b"Ma&tch;")
        content = content.replace(b"</managingEditor>", b"").replace(b"GMT</pubDate>", b"??</pubDate>", 2)
    served = tools.server("press")
    publisher = served.Publisher({"/rss.xml": served.Page(content)})
    async with publisher.running():
        yield source_of(tools, publisher.url), ENTRIES


def source_of(tools: Any, url: str) -> Press:
    return Press(
        [Feed(url="/rss.xml", name="Le Littoral")],
        pseudonyms=tools.pseudonyms,
        clock=tools.clock,
        observer=tools.witness,
        base_url=url,
        chance=lambda: 0.0,
    )


def place(cursor: str) -> int:
    return int(msgspec.json.decode(cursor)["steps"])


def frames(tools: Any) -> list[bytes]:
    broken = sorted((tools.corpus / "press").glob("*.xml"))
    return [path.read_bytes() for path in (tools.corpus / "press.xml", tools.corpus / "press.atom", *broken)]


def take_apart(tools: Any, frame: bytes) -> object:
    """Take a document apart as a visit does: only that it is malformed may come out."""
    try:
        document = document_from(frame, content_type="text/xml", url="https://littoral.example/rss")
    except MalformedRecord as error:
        return error
    found: list[object] = []
    for entry in document.entries:
        try:
            found.append(
                post_from(
                    entry,
                    identity=entry.guid,
                    feed=Feed(url="https://littoral.example/rss"),
                    received_at=tools.clock.now(),
                    pseudonyms=tools.pseudonyms,
                )
            )
        except MalformedRecord as error:
            found.append(error)
    return msgspec.json.encode([one for one in found if not isinstance(one, MalformedRecord)])

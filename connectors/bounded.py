"""Bounded: the body of an HTTP answer, unpacked, and never more of it than was asked for.

httpx unpacks whatever comes, without a limit: a few kilobytes may become gigabytes. So we ask for gzip alone
(`ACCEPT_ENCODING`), take the raw bytes and unpack them ourselves.
"""

import asyncio
import zlib

import httpx

from records import MalformedRecord

ACCEPT_ENCODING = "gzip"
LONGEST_WAIT_SECS = 6 * 3600.0
"""No server may ask us to stay away for longer: nobody would notice that we never came back."""
_GZIP = b"\x1f\x8b"


async def body_within(response: httpx.Response, limit: int, *, is_cut: bool = False) -> bytes:
    """Return the body of an answer that is being streamed; of one without end nothing, or its beginning.

    Errors  MalformedRecord, `too_long` or `undecodable`
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise MalformedRecord(f"packed with {encoding[:20]!r}, which nobody asked for", reason="undecodable")
    body = bytearray()
    async for part in response.aiter_raw():
        body += part
        if len(body) > limit:
            break
    content = await asyncio.to_thread(unpacked, bytes(body[: limit + 1]), limit)
    if len(content) > limit and not is_cut:
        raise MalformedRecord(f"an answer of more than {limit} bytes", reason="too_long")
    return content[:limit]


def unpacked(body: bytes, limit: int) -> bytes:
    """Return a body without gzip, one byte more than the limit at most; some servers pack without saying so.

    Errors  MalformedRecord, `undecodable`
    """
    if body[:2] != _GZIP or len(body) > limit:
        return body
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        content = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise MalformedRecord(f"cannot unpack {len(body)} bytes: {error}", reason="undecodable") from error
    if not unpacker.eof and len(content) <= limit:
        raise MalformedRecord(f"{len(body)} packed bytes without an end", reason="undecodable")
    return content
